"""A batch with real workers: reports, skipping, protected files, failures, interrupts; the same in every Blender."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.background.messages import Message, message_parts  # noqa: E402
from blender_addon.batch import worker_process  # noqa: E402
from blender_addon.batch.cli import main  # noqa: E402
from core.batch.work_claims import remove_expired_claims  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402
from tests.killed_batch import KILLED, kill  # noqa: E402
from tests.processes import children_of, is_running  # noqa: E402
from tests.summaries import read_summary, statuses  # noqa: E402
from tests.waiting import PATIENCE_S, poll  # noqa: E402

pytestmark = pytest.mark.main_blender

FAST = ("--quality", "fast")
"""Where it does not matter how good the fit is."""


def command(*arguments):
    return [sys.executable, "-m", "blender_addon", *map(str, arguments)]


def test_a_second_run_retries_only_the_failed_file(write_track, tmp_path, capfd):
    source, out = tmp_path / "in", tmp_path / "out"
    write_track(source / "a.npz", seed=1)
    write_track(source / "day" / "b.npz", seed=2)
    (source / "broken.trc").write_bytes(b"\x00\x01 garbage")
    arguments = [str(source), "-o", str(out), "--formats", "bvh", "--jobs", "2", *FAST]
    assert main(arguments) == 1
    assert statuses(out) == {"a.npz": "converted", "b.npz": "converted", "broken.trc": "failed"}
    assert (out / "a.bvh").is_file() and (out / "day" / "b.bvh").is_file()
    (failed,) = (entry for entry in read_summary(out)["inputs"] if entry["status"] == "failed")
    assert "broken.trc" in failed["message"]
    assert "FAILED broken.trc" in capfd.readouterr().err

    written = (out / "a.bvh").stat().st_mtime_ns
    write_track(source / "day" / "b.npz", seed=3)
    assert main(arguments) == 1
    assert statuses(out) == {"a.npz": "skipped", "b.npz": "converted", "broken.trc": "failed"}
    assert (out / "a.bvh").stat().st_mtime_ns == written
    (source / "broken.trc").unlink()
    assert main(arguments) == 0
    assert statuses(out) == {"a.npz": "skipped", "b.npz": "skipped"}
    assert main([*arguments, "--overwrite"]) == 0
    assert statuses(out) == {"a.npz": "converted", "b.npz": "converted"}


@pytest.mark.parametrize("option", ["--prior", "--network", "--betas", "--body"])
def test_a_wrong_file_of_an_option_is_refused_once_and_nothing_is_written(write_track, tmp_path, capfd, option):
    source, out = tmp_path / "in", tmp_path / "out"
    write_track(source / "a.npz", seed=1)
    write_track(source / "b.npz", seed=2)
    (tmp_path / "wrong.npz").write_bytes(b"no archive")
    assert main([str(source), "-o", str(out), option, str(tmp_path / "wrong.npz")]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "wrong.npz" in line and not out.exists()


def test_foreign_files_are_not_replaced_without_overwrite(write_track, tmp_path):
    source, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    out.mkdir()
    (out / "walk.bvh").write_text("somebody's work")
    arguments = [str(source), "-o", str(out), "--formats", "bvh", *FAST]
    for _ in range(2):
        assert main(arguments) == 1
        assert "--overwrite" in read_summary(out)["inputs"][0]["message"]
        assert (out / "walk.bvh").read_text() == "somebody's work"
    assert main([*arguments, "--overwrite"]) == 0
    assert (out / "walk.bvh").read_text().startswith("HIERARCHY")


def test_an_invalid_output_folder_is_refused_before_any_work(write_track, tmp_path, capfd):
    source = write_track(tmp_path / "walk.npz")
    for out in (source, source / "below"):
        assert main([str(source), "-o", str(out)]) == 2
        assert f"{out} cannot be one" in capfd.readouterr().err
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.jsonl").write_text('{"total": "of my own"}')
    assert main([str(source), "-o", str(tmp_path / "out")]) == 2
    assert "summary.jsonl" in capfd.readouterr().err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"summary.jsonl"}
    assert (tmp_path / "out" / "summary.jsonl").read_text() == '{"total": "of my own"}'


def test_an_input_is_not_replaced_even_with_overwrite(write_track, tmp_path):
    source = write_track(tmp_path / "walk.npz")
    before = source.read_bytes()
    assert main([str(source), "-o", str(tmp_path), "--formats", "npz", "--overwrite"]) == 1
    assert "used by" in read_summary(tmp_path)["inputs"][0]["message"]
    assert source.read_bytes() == before


def test_people_of_one_input_never_replace_another_input(write_track, tmp_path):
    folder = tmp_path / "in"
    write_track(folder / "duo_1.npz")
    with np.load(folder / "duo_1.npz") as stored:
        arrays = dict(stored)
    arrays["positions"] = np.stack([arrays["positions"], arrays["positions"] + [2.0, 0.0, 0.0]])
    arrays["confidence"] = np.stack([arrays["confidence"]] * 2)
    np.savez(folder / "duo.npz", **arrays)
    out = tmp_path / "out"
    assert main([str(folder), "-o", str(out), "--formats", "npz", "--overwrite", *FAST]) == 1
    assert statuses(out) == {"duo.npz": "converted", "duo_1.npz": "failed"}
    assert "belongs to" in read_summary(out)["inputs"][1]["message"]
    assert {path.name for path in out.glob("*.npz")} == {"duo_0.npz", "duo_1.npz"}


def test_betas_are_applied_and_wrong_ones_refused(write_track, tmp_path, capfd):
    source, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    betas = np.linspace(-1.0, 1.0, 10)
    np.save(tmp_path / "betas.npy", betas)
    np.save(tmp_path / "three.npy", np.zeros(3))
    base = [str(source), "-o", str(out), "--formats", "npz", *FAST, "--betas"]
    assert main([*base, str(tmp_path / "three.npy")]) == 2
    assert "expected 10 numbers" in capfd.readouterr().err and not out.exists()
    assert main([*base, str(tmp_path / "betas.npy")]) == 0
    with np.load(out / "walk.npz") as stored:
        np.testing.assert_allclose(stored["betas"], betas, atol=1e-6)


def test_wrong_usage_is_refused(tmp_path, capfd):
    assert main([str(tmp_path / "gone.trc"), "-o", str(tmp_path)]) == 2
    assert "gone.trc" in capfd.readouterr().err
    assert main([str(tmp_path), "-o", str(tmp_path), "--formats", "obj"]) == 2
    assert main([str(tmp_path), "-o", str(tmp_path), "--jobs", "0"]) == 2
    assert main(["--help"]) == 0


@pytest.mark.bpy_module
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_partial_output(write_track, tmp_path, number):
    source, out = tmp_path / "in", tmp_path / "out"
    for index in range(4):
        write_track(source / f"clip{index}.npz", num_frames=120, seed=index)
    run = subprocess.Popen(
        command(source, "-o", out, "--formats", "blend", "fbx", "--jobs", 2),
        cwd=REPOSITORY, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # a script's background jobs inherit it ignored
    )  # fmt: skip
    poll(lambda: list(out.glob(".writing-*/*")), PATIENCE_S, "files to be written")
    run.send_signal(number)
    _, printed = run.communicate(timeout=60)
    assert run.returncode == 130, printed
    assert "Traceback" not in printed
    left = {path.name for path in out.iterdir()}
    assert not [name for name in left if name.startswith(".")]
    for report in out.glob("*.smplify.json"):
        content = json.loads(report.read_text())
        assert content["status"] == "converted"
        assert all((out / entry["file"]).stat().st_size == entry["bytes"] for entry in content["outputs"])
    assert {name for name in left if name.endswith((".blend", ".fbx"))} == {
        name.replace(".smplify.json", f".{kind}")
        for name in left
        if name.endswith(".smplify.json")
        for kind in ("blend", "fbx")
    }
    assert read_summary(out)["interrupted"] is True


@pytest.mark.bpy_module
def test_a_run_after_a_killed_one_completes_the_outputs(write_track, tmp_path):
    """Killed when one of two outputs is in its place; tests/core/batch kills it at each point."""
    walk, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    arguments = [str(walk), "-o", str(out), "--formats", "npz", "bvh", *FAST]
    assert kill(2, "blender_addon.batch.cli", arguments) == KILLED
    assert (out / "walk.npz").is_file() and not (out / "walk.bvh").exists()
    assert main(arguments) == 0
    assert statuses(out) == {"walk.npz": "converted"}
    assert (out / "walk.bvh").read_text().startswith("HIERARCHY")


@pytest.mark.bpy_module
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the worker in /proc")
def test_the_workers_of_a_killed_batch_end(write_track, tmp_path):
    """A kill that cannot be heeded: the worker sees that nobody listens, removes what it was at and ends."""
    source = write_track(tmp_path / "walk.npz", num_frames=800)
    out, temporary = tmp_path / "out", tmp_path / "temporary"
    temporary.mkdir()
    run = subprocess.Popen(
        command(source, "-o", out, "--formats", "npz", "blend", "fbx", "bvh"),
        cwd=REPOSITORY, stderr=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    poll(lambda: list(out.glob(".writing-*/*")), PATIENCE_S, "files to be written")
    workers = children_of(run.pid)
    assert len(workers) == 1
    run.kill()
    run.wait()
    poll(lambda: not any(is_running(pid) for pid in workers), PATIENCE_S, "the workers to end")
    remove_expired_claims(out)  # as the next run does
    assert not list(out.iterdir())
    assert not list(temporary.glob("blender_*"))


@pytest.mark.bpy_module
def test_a_worker_that_receives_a_partial_request_ends_cleanly(tmp_path):
    """The worker hears of half a request, or of none."""
    request = Message("convert", {"source": "walk.npz", "folder": str(tmp_path / "stage")})
    for said in (b"", b"".join(message_parts(request))[:-5]):
        worker = subprocess.run(
            command("--worker"), cwd=REPOSITORY, input=said, capture_output=True, timeout=PATIENCE_S
        )
        assert worker.returncode == 0 and b"Traceback" not in worker.stderr
        assert not list(tmp_path.iterdir())


def test_old_temporary_folders_of_killed_batches_are_removed(write_track, tmp_path):
    source, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    names = (".writing-old", ".writing-young")
    for name in names:
        (out / name).mkdir(parents=True)
        (out / name / "walk.npz").touch()
        if name.endswith("old"):
            os.utime(out / name, (0.0, 0.0))
    assert main([str(source), "-o", str(out), "--formats", "npz", *FAST]) == 0
    assert [name for name in names if (out / name).exists()] == [".writing-young"]


@pytest.mark.bpy_module
@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_a_batch_leaves_no_temporary_files(write_track, tmp_path, device):
    if device != "numpy":
        pytest.importorskip("torch", reason="needs PyTorch")
    source, temporary = write_track(tmp_path / "walk.npz"), tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    options = ("--device", device, "--torch-python", sys.executable, *FAST)
    subprocess.run(command(source, "-o", tmp_path / "out", *options), cwd=REPOSITORY, env=environment, check=True)
    assert not list(temporary.iterdir())


@pytest.mark.bpy_module
def test_a_crashing_worker_fails_only_its_input(write_track, tmp_path, monkeypatch):
    """The stand-in for a worker says it is ready, reads a request and dies, as Blender does when it crashes."""
    for name in ("a", "b"):
        write_track(tmp_path / "in" / f"{name}.npz")
    dies = (
        "from blender_addon.background.messages import Channel, Message; import sys; channel = Channel(); "
        "channel.send(Message('ready')); channel.receive(); sys.exit('bang')"
    )
    monkeypatch.setattr(worker_process, "worker_command", lambda: ([sys.executable, "-c", dies], REPOSITORY))
    assert main([str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 1
    entries = read_summary(tmp_path / "out")["inputs"]
    assert [entry["status"] for entry in entries] == ["failed", "failed"]
    assert all("ended early (exit code 1)" in entry["message"] and "bang" in entry["message"] for entry in entries)


def test_motions_begin_at_the_given_start_frame_with_correctives_on_request(write_track, tmp_path, capsys):
    source, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    asked = ["--start-frame", "1001", "--formats", "blend", "fbx", "--correctives", *FAST]
    assert main([str(source), "-o", str(out), *asked]) == 0
    assert b"corrective_" in (out / "walk.fbx").read_bytes()
    bpy.ops.wm.open_mainfile(filepath=str(out / "walk.blend"))
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end, scene.render.fps) == (1001, 1012, 30)
    assert main([str(source), "-o", str(out), "--start-frame", "2000000"]) == 2
    assert main([str(source), "-o", str(out), "--start-frame", "Record"]) == 2
    assert "expected a frame or recording, got 'Record'" in capsys.readouterr().err


def test_a_solved_motion_is_written_like_a_fitted_one(tmp_path):
    out, source = tmp_path / "out", str(REPOSITORY / "samples" / "walk.trc")
    as_fitted = ["--ground", "keep", "--foot-lock", "0"]
    assert main([source, "-o", str(out / "first"), "--formats", "npz", *as_fitted]) == 0
    motion = str(out / "first" / "walk.npz")
    options = [*as_fitted, "--npz-layout", "smplx", "--formats", "npz", "mot", "trc", "bvh"]
    assert main([motion, "-o", str(out / "again"), *options]) == 0
    with np.load(motion) as first, np.load(out / "again" / "walk.npz") as again:
        np.testing.assert_allclose(again["poses"][:, :66], first["poses"][:, :66], atol=1e-4)
        np.testing.assert_allclose(again["trans"], first["trans"], atol=1e-4)
        assert again["poses"].shape[1] == 165
        assert "keypoint_error_mm" not in again.files
    assert (out / "again" / "walk.mot").read_text().startswith("Coordinates")
    assert (out / "again" / "walk.trc").read_text().startswith("PathFileType")
