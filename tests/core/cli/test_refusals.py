"""Test that bad inputs and options are refused, and that nothing is written then."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from core.cli.main import main
from core.layouts import BODY25

from .commands import SCENE, files, fit, save, two_people


def _faults(tmp_path: Path, recording: Path) -> dict[str, tuple[list[object], str]]:
    """Return invalid arguments by name, each with a part of its message."""
    faulty = tmp_path / "faulty"
    faulty.mkdir()
    (faulty / "garbage.npz").write_bytes(bytes(range(256)) * 20)
    (faulty / "empty.trc").write_bytes(b"")
    np.save(faulty / "long.npy", np.ones(11))
    np.save(faulty / "nan.npy", np.full(10, np.nan))
    np.save(faulty / "regressor.npy", np.full((17, 6890), 1 / 6890))
    np.save(faulty / "unsummed.npy", np.ones((25, 6890)))
    (faulty / "body.pkl").write_bytes(b"\x80\x04cposix\nsystem\n.")
    hidden = SCENE.track().confidence.copy()
    hidden[:, [BODY25.names.index("left_hip"), BODY25.names.index("right_hip")]] = 0.0
    save(faulty / "hips.npz", confidence=hidden)
    return {
        "no such file": ([faulty / "none.npz"], "none.npz"),
        "garbage": ([faulty / "garbage.npz"], "garbage.npz"),
        "empty": ([faulty / "empty.trc"], "empty.trc"),
        "no hips": ([faulty / "hips.npz"], "--layout"),
        "long betas": ([recording, "--betas", faulty / "long.npy"], "expected 10 betas"),
        "betas not finite": ([recording, "--betas", faulty / "nan.npy"], "nan.npy"),
        "no betas": ([recording, "--betas", faulty / "none.npy"], "--betas"),
        "other regressor": ([recording, "--regressor", faulty / "regressor.npy"], "(25, 6890)"),
        "regressor sums": ([recording, "--regressor", faulty / "unsummed.npy"], "add up to 1"),
        "hostile body": ([recording, "--body", faulty / "body.pkl"], "body.pkl"),
        "no body": ([recording, "--body", faulty / "none.pkl"], "none.pkl"),
        "smoothing": ([recording, "--smoothing", "1.5"], "smoothing"),
        "rate": ([recording, "--out-fps", "-24"], "frame rate"),
        "one frame": ([recording, "--out-fps", "1e-9"], "2 frames or more"),
        "endless rate": ([recording, "--out-fps", "1e12"], "frame rate"),
        "layout": ([recording, "--layout", "body26"], "--layout"),
        "device": ([recording, "--device", "tpu"], "tpu"),
        "person": ([recording, "--person", "9"], "--person"),
    }


FAULTS = [
    "no such file", "garbage", "empty", "no hips", "long betas", "betas not finite", "no betas", "other regressor",
    "regressor sums", "hostile body", "no body", "smoothing", "rate", "one frame", "endless rate", "layout", "device",
    "person",
]  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_an_error_is_reported_and_writes_nothing(tmp_path, recording, out, capsys, name):
    faults = _faults(tmp_path, recording)
    assert sorted(faults) == sorted(FAULTS)
    arguments, part = faults[name]
    out.mkdir()
    (out / "walk.npz").write_bytes(b"kept as it is")
    assert fit(*arguments, "-o", out / "walk.npz", "--report", out / "walk.json", "--overwrite") == 1
    assert files(out) == {"walk.npz"}
    assert (out / "walk.npz").read_bytes() == b"kept as it is"
    printed = capsys.readouterr()
    assert part in printed.err and printed.err.startswith("python -m core: ")
    assert "Traceback" not in printed.err and printed.out == ""


WRONG_FILES = ("--prior", "--network", "--static", "--body", "--betas", "--regressor")
WRONG_OPTIONS = [
    *((option, "wrong.npz") for option in WRONG_FILES),
    ("--join", "A,B"),
    ("--betas", "long.npy"),
    ("--body", "gone.pkl"),
    pytest.param("--device", "cuda:77", marks=pytest.mark.slow),  # it loads PyTorch
]


@pytest.mark.parametrize(("option", "value"), WRONG_OPTIONS)
def test_a_batch_with_a_wrong_option_is_refused_once_and_writes_nothing(
    recording, tmp_path, out, capsys, option, value
):
    save(recording.parent / "other.npz")
    (tmp_path / "wrong.npz").write_bytes(bytes(range(256)) * 20)
    np.save(tmp_path / "long.npy", np.ones(11))
    given = tmp_path / value if value.endswith(("npz", "npy", "pkl")) else value
    assert fit(recording.parent, "-o", out, option, given) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("python -m core: ") and ("betas" if value == "long.npy" else value) in line
    assert not out.exists()


def test_an_impossible_clean_up_is_refused_before_the_fit(recording, out, capsys):
    assert fit(recording, "-o", out / "walk.npz", "--foot-lock", "2") == 1
    assert "expected foot_lock from 0 to 1, got 2" in capsys.readouterr().err
    assert files(out) == set()


@pytest.mark.slow
def test_cuda_without_a_gpu_is_reported(recording, out, capsys):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    assert fit(recording, "-o", out / "walk.npz", "--device", "cuda") == 1
    assert "cuda" in (message := capsys.readouterr().err) and "numpy" in message
    assert files(out) == set()


@pytest.mark.parametrize("suffix", [".bvh", ".npy"])
def test_only_npz_is_written(recording, out, capsys, suffix):
    assert fit(recording, "-o", out / f"walk{suffix}") == 1
    assert "walk.npz" in capsys.readouterr().err
    assert files(out) == set()


def test_an_output_that_cannot_be_written_is_reported(recording, betas, tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    assert fit(recording, "-o", tmp_path / "file" / "walk.npz", "--betas", betas) == 1
    message = capsys.readouterr().err
    assert "file" in message and "Traceback" not in message
    assert (tmp_path / "file").read_text() == "no folder"


@pytest.mark.parametrize("command", ["fit", "convert"])
def test_an_input_is_never_replaced(recording, betas, command, capsys):
    before = recording.read_bytes()
    detour = recording.parent / ".." / "in" / recording.name
    assert main([command, str(recording), "-o", str(detour)]) == 1
    assert "another file than the input" in capsys.readouterr().err
    assert recording.read_bytes() == before
    if command == "fit":
        assert fit(recording, "--betas", betas, "-o", recording.with_name("out.npz"), "--report", betas) == 1
        assert "another file than the betas" in capsys.readouterr().err
    assert files(recording.parent) == {"walk.npz", "betas.npy"}


def test_outputs_of_several_people_do_not_replace_inputs(tmp_path, capsys):
    people = two_people(tmp_path / "duo_7.npz")
    assert fit(people, "--fps", 30, "--layout", "body25", "-o", tmp_path / "duo.npz") == 1
    assert "found a folder at" in capsys.readouterr().err
    assert not (tmp_path / "duo_3.npz").exists()


def test_outputs_are_checked_before_the_fit(recording, out, monkeypatch, capsys):
    monkeypatch.setattr("core.pipeline.fit_track", lambda *_: pytest.fail("the fit was started"))
    out.mkdir()
    (out / "folder.npz").mkdir()
    assert fit(recording, "-o", out / "folder.npz") == 1
    assert fit(recording, "-o", out / "walk.npz", "--report", out / "folder.npz") == 1
    assert fit(recording, "-o", out / "walk.npz", "--report", out / "walk.npz") == 1
    assert fit(recording, "-o", recording / "in" / "walk.npz") == 1
    errors = capsys.readouterr().err.splitlines()
    assert "the output, found a folder" in errors[0] and "the report, found a folder" in errors[1]
    assert "the report to be another file than the output" in errors[2]
    assert "expected to write" in errors[3] and os.strerror(errno.ENOTDIR) in errors[3]
    assert files(out) == {"folder.npz"}


def test_nothing_is_written_if_one_person_cannot_be_fitted(tmp_path, out, betas, capsys):
    people = two_people(tmp_path / "people")
    for path in people.iterdir():
        document = json.loads(path.read_text())
        for name in ("left_hip", "right_hip"):
            document[1]["keypoints3d"][BODY25.names.index(name)][3] = 0.0
        path.write_text(json.dumps(document))
    assert fit(people, "--fps", 30, "--layout", "body25", "--betas", betas, "-o", out / "duo.npz") == 1
    message = capsys.readouterr().err
    assert "left_hip, right_hip" in message and "of person 7" in message and "--person" in message
    assert files(out) == set()


@pytest.mark.parametrize(("command", "output"), [("fit", ""), ("convert", ""), ("convert", "."), ("convert", "/")])
def test_an_output_without_a_file_name_is_refused(recording, capsys, command, output):
    assert main([command, str(recording), "-o", output]) == 1
    error = capsys.readouterr().err
    assert "ends in .npz" in error
    assert "a folder" in error
