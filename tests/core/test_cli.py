"""The command line end to end: what it writes, what it refuses, and that a failure leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import core.cli.main
from core.amass import read_motion
from core.body.free_body import load_free_body
from core.body.landmarks import landmark_regressor
from core.cleanup import CleanupOptions, clean, held_joints, prepare
from core.cli.main import main
from core.fit import FitOptions, fit_track
from core.fit.priors.pose_predictor import WEIGHTS
from core.layouts import BODY25, COCO17
from core.reading import read_all, read_tracks
from tests.conftest import REPOSITORY

from .fit.scenes import body_model, motion_joints, solver_names, walking

SCENE = walking()[20:44]
WRITTEN = {"poses", "trans", "betas", "gender", "mocap_framerate", "up_axis", "body", "keypoint_error_mm"}


def _save(path: Path, layout=BODY25, **more) -> Path:
    track = SCENE.track(layout, noise_m=0.002)
    positions = np.nan_to_num(track.positions)
    arrays = {"positions": positions, "confidence": track.confidence, "fps": 30.0, "layout": layout.name, **more}
    np.savez(path, **{key: np.asarray(value) for key, value in arrays.items()})
    return path


@pytest.fixture
def recording(tmp_path) -> Path:
    """A short BODY25 recording in a folder of its own."""
    (tmp_path / "in").mkdir()
    return _save(tmp_path / "in" / "walk.npz")


@pytest.fixture
def betas(tmp_path) -> Path:
    """The person's true shape."""
    path = tmp_path / "in" / "betas.npy"
    path.parent.mkdir(exist_ok=True)
    np.save(path, SCENE.known_betas())
    return path


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")} if folder.exists() else set()


def _fit(*arguments: object) -> int:
    return main(["fit", "--quiet", *map(str, arguments)])


def _read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def test_fit_writes_amass_layout_and_a_report(recording, betas, out, capsys):
    assert _fit(recording, "-o", out / "walk.npz", "--betas", betas, "--report", out / "walk.json") == 0
    arrays = _read(out / "walk.npz")
    assert set(arrays) == WRITTEN
    assert arrays["poses"].shape == (24, 156) and arrays["trans"].shape == (24, 3)
    assert not arrays["poses"][:, 66:].any()
    np.testing.assert_array_equal(arrays["betas"], SCENE.known_betas())
    assert (str(arrays["gender"]), str(arrays["up_axis"]), str(arrays["body"])) == ("neutral", "Z", "free_body")
    assert float(arrays["mocap_framerate"]) == 30.0
    motion = read_motion(out / "walk.npz", rest_pelvis=lambda shape: body_model().rest_joints(shape)[0])
    assert np.linalg.norm(motion_joints(motion) - SCENE.joints, axis=-1)[:, :22].mean() < 0.01
    text = (out / "walk.json").read_text(encoding="utf-8")
    report = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    np.testing.assert_allclose(report["keypoint_error_mm"], arrays["keypoint_error_mm"], atol=1e-3)
    assert len(report["keypoint_error_mm"]) == 24
    assert _files(out) == {"walk.npz", "walk.json"}
    printed = capsys.readouterr()
    assert str(out / "walk.npz") in printed.out and "24 frames at 30 a second" in printed.out
    assert printed.err == ""


def test_the_motion_is_that_of_the_library(recording, betas, out):
    assert _fit(recording, "-o", out / "walk.npz", "--betas", betas, "--out-up", "Y") == 0
    (track,) = read_tracks(recording)
    motion, _ = fit_track(track, load_free_body(), FitOptions(betas=SCENE.known_betas()))
    arrays = _read(out / "walk.npz")
    assert str(arrays["up_axis"]) == "Y"
    np.testing.assert_allclose(arrays["poses"][:, :66], motion.poses[:, :66], atol=1e-9)
    np.testing.assert_allclose(arrays["trans"], motion.trans, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [24.0, 60.0])
def test_another_rate_has_an_error_for_every_frame(recording, betas, out, rate):
    assert _fit(recording, "-o", out / "a.npz", "--betas", betas) == 0
    assert _fit(recording, "-o", out / "b.npz", "--betas", betas, "--out-fps", rate) == 0
    error, resampled = (_read(out / name) for name in ("a.npz", "b.npz"))
    num_frames = len(resampled["poses"])
    assert resampled["keypoint_error_mm"].shape == (num_frames,)
    assert float(resampled["mocap_framerate"]) == rate
    assert num_frames == int(23 / 30 * rate + 1e-6) + 1
    for frame in range(num_frames):
        distance = np.abs(np.arange(24) / 30.0 - frame / rate)
        near = error["keypoint_error_mm"][distance < distance.min() + 1e-9]
        assert np.isclose(near, resampled["keypoint_error_mm"][frame]).any()


@pytest.mark.slow
def test_a_network_of_the_users_own(recording, betas, out, capsys):
    network = recording.with_name("own.npz")
    network.write_bytes(WEIGHTS.read_bytes())
    common = ("--betas", betas, "--out-up", "Y")
    assert _fit(recording, "-o", out / "a.npz", *common, "--network-joints", "none") == 0
    for name, more in (("b", ()), ("c", ("--network-joints", "all", "--network-passes", 3))):
        assert _fit(recording, "-o", out / f"{name}.npz", *common, "--network", network, *more) == 0
    regressions, arms, everything = (_read(out / f"{name}.npz")["poses"] for name in "abc")
    assert min(np.abs(regressions - arms).max(), np.abs(arms - everything).max()) > 1e-3
    assert _fit(recording, "-o", out / "d.npz", "--network", recording.with_name("none.npz")) == 1
    assert "none.npz" in capsys.readouterr().err and "d.npz" not in _files(out)


def test_frame_by_frame_and_a_regressor(recording, betas, out):
    regressor = recording.with_name("regressor.npy")
    np.save(regressor, landmark_regressor(load_free_body(), solver_names()))
    common = ("--betas", betas, "--out-up", "Y", "--mode", "frames")
    assert _fit(recording, "-o", out / "a.npz", *common) == 0
    assert _fit(recording, "-o", out / "b.npz", *common, "--regressor", regressor) == 0
    np.testing.assert_allclose(_read(out / "a.npz")["poses"], _read(out / "b.npz")["poses"], atol=1e-6)


def test_the_motion_is_cleaned_up_as_asked(recording, betas, out):
    cleaning = ("--smooth", "0.5", "--foot-lock", "1", "--ground", "contacts", "--height", "0.1", "--root", "in_place")
    assert _fit(recording, "-o", out / "walk.npz", "--betas", betas, "--out-up", "Y", *cleaning) == 0
    (track,) = read_tracks(recording)
    motion, report = fit_track(track, load_free_body(), FitOptions(betas=SCENE.known_betas()))
    source = prepare(motion, load_free_body(), held_joints(report.flags, motion, track.fps))
    expected = clean(source, CleanupOptions(0.5, 1.0, "contacts", 0.1, "in_place"))
    assert np.abs(expected.trans - motion.trans).max() > 0.01
    arrays = _read(out / "walk.npz")
    np.testing.assert_allclose(arrays["poses"][:, :66], expected.poses[:, :66], atol=1e-9)
    np.testing.assert_allclose(arrays["trans"], expected.trans, atol=1e-9)


def test_it_is_told_when_there_is_no_foot_to_lock(tmp_path, betas, out, capsys):
    """Somebody who falls."""
    positions = np.nan_to_num(SCENE.track(BODY25, noise_m=0.002).positions)
    positions[..., 1] -= 0.15 * np.arange(24)[:, None]
    falling = _save(tmp_path / "in" / "fall.npz", positions=positions)
    assert _fit(falling, "-o", out / "fall.npz", "--betas", betas, "--foot-lock", "1") == 0
    assert "no foot of the person ever stands" in capsys.readouterr().out


def test_an_impossible_clean_up_is_refused_before_the_fit(recording, out, capsys):
    assert _fit(recording, "-o", out / "walk.npz", "--foot-lock", "2") == 1
    assert "expected foot_lock from 0 to 1, got 2" in capsys.readouterr().err
    assert _files(out) == set()


def _two_people(folder: Path) -> Path:
    folder.mkdir()
    points = SCENE.points()
    for frame in range(12):
        people = [
            {"id": number, "keypoints3d": [[*(point + [apart, 0.0, 0.0]), 0.9] for point in points[frame]]}
            for number, apart in ((3, 0.0), (7, 2.0))
        ]
        (folder / f"{frame:06d}.json").write_text(json.dumps(people))
    return folder


@pytest.mark.slow
def test_several_people_get_a_labelled_output_each(tmp_path, out, betas):
    people = _two_people(tmp_path / "people")
    arguments = (people, "--fps", 30, "--betas", betas, "--out-up", "Y", "--report", out / "report.json")
    assert _fit(*arguments, "-o", out / "duo.npz") == 0
    assert _files(out) == {"duo_3.npz", "duo_7.npz", "report_3.json", "report_7.json"}
    apart = _read(out / "duo_7.npz")["trans"] - _read(out / "duo_3.npz")["trans"]
    np.testing.assert_allclose(apart, np.broadcast_to([2.0, 0.0, 0.0], apart.shape), atol=1e-3)
    assert _fit(people, "--fps", 30, "--betas", betas, "--person", "7", "-o", out / "one.npz") == 0
    assert "one.npz" in _files(out)


def _faults(tmp_path: Path, recording: Path) -> dict[str, tuple[list[object], str]]:
    """Arguments that cannot work, and a word of the message each."""
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
    _save(faulty / "hips.npz", confidence=hidden)
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
        "endless rate": ([recording, "--out-fps", "1e12"], "frame rate"),
        "layout": ([recording, "--layout", "body26"], "--layout"),
        "device": ([recording, "--device", "tpu"], "tpu"),
        "person": ([recording, "--person", "9"], "--person"),
    }


FAULTS = [
    "no such file", "garbage", "empty", "no hips", "long betas", "betas not finite", "no betas", "other regressor",
    "regressor sums", "hostile body", "no body", "smoothing", "rate", "endless rate", "layout", "device", "person",
]  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_and_leaves_nothing(tmp_path, recording, out, capsys, name):
    faults = _faults(tmp_path, recording)
    assert sorted(faults) == sorted(FAULTS)
    arguments, word = faults[name]
    out.mkdir()
    (out / "walk.npz").write_bytes(b"kept as it is")
    assert _fit(*arguments, "-o", out / "walk.npz", "--report", out / "walk.json") == 1
    assert _files(out) == {"walk.npz"}
    assert (out / "walk.npz").read_bytes() == b"kept as it is"
    printed = capsys.readouterr()
    assert word in printed.err and printed.err.startswith("python -m core: ")
    assert "Traceback" not in printed.err and printed.out == ""


def test_cuda_without_cuda_says_so(recording, out, capsys):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    assert _fit(recording, "-o", out / "walk.npz", "--device", "cuda") == 1
    assert "cuda" in (message := capsys.readouterr().err) and "numpy" in message
    assert _files(out) == set()


@pytest.mark.parametrize("suffix", ["", ".bvh", ".npy"])
def test_only_npz_is_written(recording, out, capsys, suffix):
    assert _fit(recording, "-o", out / f"walk{suffix}") == 1
    assert "walk.npz" in capsys.readouterr().err
    assert _files(out) == set()


def test_an_output_that_cannot_be_written_is_told(recording, betas, tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    assert _fit(recording, "-o", tmp_path / "file" / "walk.npz", "--betas", betas) == 1
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
        assert _fit(recording, "--betas", betas, "-o", recording.with_name("out.npz"), "--report", betas) == 1
        assert "another file than the betas" in capsys.readouterr().err
    assert _files(recording.parent) == {"walk.npz", "betas.npy"}


def test_outputs_of_several_people_replace_no_input_either(tmp_path, capsys):
    people = _two_people(tmp_path / "duo_7.npz")
    assert _fit(people, "--fps", 30, "--layout", "body25", "-o", tmp_path / "duo.npz") == 1
    assert "found a folder at" in capsys.readouterr().err
    assert not (tmp_path / "duo_3.npz").exists()


def test_places_that_cannot_be_written_are_told_before_the_work(recording, out, monkeypatch, capsys):
    monkeypatch.setattr("core.cli.main.fit_track", lambda *_: pytest.fail("the work was begun"))
    out.mkdir()
    (out / "folder.npz").mkdir()
    assert _fit(recording, "-o", out / "folder.npz") == 1
    assert _fit(recording, "-o", out / "walk.npz", "--report", out / "folder.npz") == 1
    assert _fit(recording, "-o", out / "walk.npz", "--report", out / "walk.npz") == 1
    told = capsys.readouterr().err.splitlines()
    assert "the output, found a folder" in told[0] and "the report, found a folder" in told[1]
    assert "the report to be another file than the output" in told[2]
    assert _files(out) == {"folder.npz"}


def test_one_faulty_person_keeps_the_others_unwritten(tmp_path, out, betas, capsys):
    people = _two_people(tmp_path / "people")
    for path in people.iterdir():
        document = json.loads(path.read_text())
        for name in ("left_hip", "right_hip"):
            document[1]["keypoints3d"][BODY25.names.index(name)][3] = 0.0
        path.write_text(json.dumps(document))
    assert _fit(people, "--fps", 30, "--layout", "body25", "--betas", betas, "-o", out / "duo.npz") == 1
    message = capsys.readouterr().err
    assert "left_hip, right_hip" in message and "of person 7" in message and "--person" in message
    assert _files(out) == set()


def test_people_who_are_left_out_are_told(tmp_path, out, betas, capsys):
    people = _two_people(tmp_path / "people")
    for path in people.iterdir():
        document = json.loads(path.read_text())
        document[1]["keypoints3d"] = [[0.0] * 4] * len(BODY25.points)
        path.write_text(json.dumps(document))
    assert _fit(people, "--fps", 30, "--layout", "body25", "--betas", betas, "-o", out / "one.npz") == 0
    assert "Left out 7: expected legs or arms" in capsys.readouterr().out
    assert _files(out) == {"one.npz"}


def test_people_who_are_left_out_are_told_in_whatever_words(recording, out, betas, capsys, monkeypatch):
    def read(*given):
        return [replace(reading, people_left_out=("Nobody could see the second one.",)) for reading in read_all(*given)]

    monkeypatch.setattr(core.cli.main, "read_all", read)
    assert _fit(recording, "--betas", betas, "-o", out / "one.npz") == 0
    assert "Nobody could see the second one." in capsys.readouterr().out.splitlines()


@pytest.mark.slow
def test_what_is_not_certain_and_what_is_left_out_is_told(tmp_path, out, betas, capsys):
    track = SCENE.track(noise_m=0.002)
    lying = track.positions[..., [0, 2, 1]] * [1.0, -1.0, 1.0]
    lying[5:9, BODY25.names.index("left_wrist")] += 2.5
    path = tmp_path / "lying.npz"
    np.savez(path, positions=lying, confidence=track.confidence, fps=30.0, layout="body25")
    assert _fit(path, "--betas", betas, "-o", out / "a.npz", "--report", out / "a.json") == 0
    assert "Doubt: +Z up is assumed" in capsys.readouterr().out
    report = json.loads((out / "a.json").read_text())
    assert any("Doubt: +Z up is assumed" in note for note in report["notes"])
    assert any("left_wrist in 5-8" in note for note in report["notes"])
    flag = {"kind": "implausible", "what": "left_wrist", "first": 5, "last": 8}
    assert [found for found in report["flags"] if found["what"] == "left_wrist"] == [flag]
    assert _fit(path, "--betas", betas, "-o", out / "b.npz", "--up", "Y") == 0
    assert "assumed" not in capsys.readouterr().out


def test_convert_writes_plain_arrays_that_read_again(recording, out, capsys):
    assert main(["convert", str(recording), "-o", str(out / "plain.npz")]) == 0
    arrays = _read(out / "plain.npz")
    assert arrays["positions"].shape == (24, 25, 3) and str(arrays["layout"]) == "body25"
    np.testing.assert_allclose(arrays["positions"], SCENE.track(noise_m=0.002).positions, atol=1e-6)
    assert list(arrays["names"]) == list(BODY25.names) and float(arrays["fps"]) == 30.0
    assert main(["convert", str(out / "plain.npz"), "-o", str(out / "again.npz")]) == 0
    np.testing.assert_array_equal(_read(out / "again.npz")["positions"], arrays["positions"])
    assert "24 frames" in capsys.readouterr().out


def test_info_tells_the_layout(tmp_path, capsys):
    path = _save(tmp_path / "walk.npz", COCO17)
    assert main(["info", str(path), "--json"]) == 0
    assert "coco17" in capsys.readouterr().out


def test_usage_faults_have_their_own_code(capsys):
    for arguments in ([], ["fit"], ["fit", "a.npz"], ["dance"], ["fit", "a", "-o", "b.npz", "--mode", "batch"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
    assert "usage: python -m core" in capsys.readouterr().err


def test_an_interrupt_has_its_own_code(recording, out, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("core.cli.main.fit_track", interrupted)
    assert _fit(recording, "-o", out / "walk.npz") == 130
    assert "nothing was written" in capsys.readouterr().err and _files(out) == set()


def test_progress_goes_to_standard_error(recording, betas, out, capsys):
    assert main(["fit", str(recording), "-o", str(out / "walk.npz"), "--betas", str(betas)]) == 0
    printed = capsys.readouterr()
    assert "Fitting the poses" in printed.err and "Fitting the poses" not in printed.out


def test_the_module_runs(recording, betas, out):
    command = [sys.executable, "-m", "core", "fit", recording, "-o", out / "walk.npz", "--betas", betas, "--quiet"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert set(_read(out / "walk.npz")) == WRITTEN
    command[4] = recording.with_name("none.npz")
    failed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120)
    assert failed.returncode == 1 and "none.npz" in failed.stderr and failed.stdout == ""


def test_names_that_the_console_cannot_show_are_no_fault(recording, tmp_path):
    source = recording.rename(recording.with_name("größe 歩.npz"))
    command = [sys.executable, "-m", "core", "info", source]
    console = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=REPOSITORY, env=console, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert rb"gr\xf6\xdfe \u6b69.npz: 1 person" in done.stdout and done.stderr == b""


@pytest.mark.skipif(os.name == "nt", reason="there a pipe that nobody reads is another error")
def test_a_reader_that_has_seen_enough_hears_no_complaint(recording):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "core", "info", recording]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=writing, stderr=subprocess.PIPE, timeout=120)
    os.close(writing)
    assert done.returncode == 1 and done.stderr == b""
