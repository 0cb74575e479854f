"""The command line with real workers: outputs, reports, skipping, failures, interrupts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from bpy_extras.object_utils import world_to_camera_view  # noqa: E402

from blender_addon.background.messages import Message, message_parts  # noqa: E402
from blender_addon.batch import worker_process  # noqa: E402
from blender_addon.batch.cli import check_formats, main  # noqa: E402
from blender_addon.figure.animation import read_motion  # noqa: E402
from blender_addon.figure.record import load  # noqa: E402
from blender_addon.result.live_settings import APPLIED_KEY  # noqa: E402
from core.batch import BatchError  # noqa: E402
from core.batch.work_claims import remove_expired_claims  # noqa: E402
from core.body.free_body import load_free_body_with_fingers  # noqa: E402
from core.cleanup import CleanupOptions, analyse_motion, clean_up  # noqa: E402
from tests.blender_addon.walk import part_of_the_walk  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402
from tests.killed_batch import KILLED, kill  # noqa: E402
from tests.processes import children_of, is_running  # noqa: E402
from tests.summaries import read_summary  # noqa: E402
from tests.waiting import PATIENCE_S, poll  # noqa: E402


def summary(out):
    return read_summary(out)


def statuses(out):
    return {os.path.basename(entry["input"]): entry["status"] for entry in summary(out)["inputs"]}


def command(*arguments):
    return [sys.executable, "-m", "blender_addon", *map(str, arguments)]


def test_one_file_is_converted_to_every_format(write_track, tmp_path, capfd):
    source = write_track(tmp_path / "walk.npz")
    formats = ["blend", "fbx", "glb", "bvh", *(["usd"] if bpy.app.build_options.usd else []), "npz"]
    assert main([str(source), "-o", str(tmp_path / "out"), "--formats", *formats]) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {*(f"walk.{kind}" for kind in formats), "walk.smplify.json", "summary.jsonl"}
    report = json.loads((tmp_path / "out" / "walk.smplify.json").read_text())
    assert [entry["file"] for entry in report["outputs"]] == [f"walk.{kind}" for kind in formats]
    (person,) = report["people"]
    assert (person["frames"], person["fps"], person["layout"]) == (12, 30.0, "body25")
    assert person["fit"]["frames"] == 12 and len(person["betas"]) == 10
    with np.load(tmp_path / "out" / "walk.npz") as stored:
        assert stored["keypoint_error_mm"].shape == (12,)
    printed = capfd.readouterr()
    assert "1 converted, 0 unchanged, 0 failed" in printed.err and printed.out == ""


def test_feet_are_locked_and_on_the_floor_by_default(tmp_path):
    source, out = REPOSITORY / "samples" / "walk.trc", tmp_path / "out"
    assert main([str(source), "-o", str(out), "--formats", "blend"]) == 0
    bpy.ops.wm.open_mainfile(filepath=str(out / "walk.blend"))
    (armature,) = (item for item in bpy.data.objects if item.type == "ARMATURE")
    asked = {"smoothing": 0.0, "foot_lock": 1.0, "ground": "contacts", "height_m": 0.0, "root": "world"}
    assert json.loads(armature[APPLIED_KEY]) == asked
    record = load(armature)
    expected = clean_up(analyse_motion(record.motion, load_free_body_with_fingers()), CleanupOptions(**asked))
    shown = read_motion(armature, expected.fps)
    np.testing.assert_allclose(shown.trans, expected.trans, atol=1e-4)
    np.testing.assert_allclose(shown.rotations(), expected.rotations(), atol=1e-3)


@pytest.mark.main_blender
def test_a_second_run_retries_only_the_failed_file(write_track, tmp_path, capfd):
    source, out = tmp_path / "in", tmp_path / "out"
    write_track(source / "a.npz", seed=1)
    write_track(source / "day" / "b.npz", seed=2)
    (source / "broken.trc").write_bytes(b"\x00\x01 garbage")
    arguments = [str(source), "-o", str(out), "--formats", "bvh", "--jobs", "2"]
    assert main(arguments) == 1
    assert statuses(out) == {"a.npz": "converted", "b.npz": "converted", "broken.trc": "failed"}
    assert (out / "a.bvh").is_file() and (out / "day" / "b.bvh").is_file()
    (failed,) = (entry for entry in summary(out)["inputs"] if entry["status"] == "failed")
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


@pytest.mark.main_blender
def test_foreign_files_are_not_replaced_without_overwrite(write_track, tmp_path):
    source, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    out.mkdir()
    (out / "walk.bvh").write_text("somebody's work")
    arguments = [str(source), "-o", str(out), "--formats", "bvh"]
    for _ in range(2):
        assert main(arguments) == 1
        assert "--overwrite" in summary(out)["inputs"][0]["message"]
        assert (out / "walk.bvh").read_text() == "somebody's work"
    assert main([*arguments, "--overwrite"]) == 0
    assert (out / "walk.bvh").read_text().startswith("HIERARCHY")


@pytest.mark.main_blender
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


@pytest.mark.main_blender
def test_an_input_is_not_replaced_even_with_overwrite(write_track, tmp_path):
    source = write_track(tmp_path / "walk.npz")
    before = source.read_bytes()
    assert main([str(source), "-o", str(tmp_path), "--formats", "npz", "--overwrite"]) == 1
    assert "used by" in summary(tmp_path)["inputs"][0]["message"]
    assert source.read_bytes() == before


@pytest.mark.main_blender
def test_people_of_one_input_never_replace_another_input(write_track, tmp_path):
    folder = tmp_path / "in"
    write_track(folder / "duo_1.npz")
    with np.load(folder / "duo_1.npz") as stored:
        arrays = dict(stored)
    arrays["positions"] = np.stack([arrays["positions"], arrays["positions"] + [2.0, 0.0, 0.0]])
    arrays["confidence"] = np.stack([arrays["confidence"]] * 2)
    np.savez(folder / "duo.npz", **arrays)
    out = tmp_path / "out"
    assert main([str(folder), "-o", str(out), "--formats", "npz", "--overwrite"]) == 1
    assert statuses(out) == {"duo.npz": "converted", "duo_1.npz": "failed"}
    assert "belongs to" in summary(out)["inputs"][1]["message"]
    assert {path.name for path in out.glob("*.npz")} == {"duo_0.npz", "duo_1.npz"}


@pytest.mark.main_blender
def test_betas_are_applied_and_wrong_ones_refused(write_track, tmp_path):
    source, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    betas = np.linspace(-1.0, 1.0, 10)
    np.save(tmp_path / "betas.npy", betas)
    np.save(tmp_path / "three.npy", np.zeros(3))
    base = [str(source), "-o", str(out), "--formats", "npz", "--betas"]
    assert main([*base, str(tmp_path / "three.npy")]) == 1
    assert "expected 10 numbers" in summary(out)["inputs"][0]["message"]
    assert main([*base, str(tmp_path / "betas.npy")]) == 0
    with np.load(out / "walk.npz") as stored:
        np.testing.assert_allclose(stored["betas"], betas, atol=1e-6)


@pytest.mark.main_blender
def test_wrong_usage_is_refused(tmp_path, capfd):
    assert main([str(tmp_path / "gone.trc"), "-o", str(tmp_path)]) == 2
    assert "gone.trc" in capfd.readouterr().err
    assert main([str(tmp_path), "-o", str(tmp_path), "--formats", "obj"]) == 2
    assert main([str(tmp_path), "-o", str(tmp_path), "--jobs", "0"]) == 2
    assert main(["--help"]) == 0


@pytest.mark.main_blender
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
    assert summary(out)["interrupted"] is True


@pytest.mark.main_blender
@pytest.mark.bpy_module
def test_a_run_after_a_killed_one_completes_the_outputs(write_track, tmp_path):
    """Killed when one of two outputs is in its place; tests/core/batch kills it at each point."""
    walk, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    arguments = [str(walk), "-o", str(out), "--formats", "npz", "bvh"]
    assert kill(2, "blender_addon.batch.cli", arguments) == KILLED
    assert (out / "walk.npz").is_file() and not (out / "walk.bvh").exists()
    assert main(arguments) == 0
    assert statuses(out) == {"walk.npz": "converted"}
    assert (out / "walk.bvh").read_text().startswith("HIERARCHY")


@pytest.mark.main_blender
@pytest.mark.bpy_module
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the worker in /proc")
def test_the_workers_of_a_killed_batch_end(write_track, tmp_path):
    """A kill that cannot be heeded: the worker sees that nobody listens, removes what it was at and ends."""
    source = write_track(tmp_path / "walk.npz", num_frames=3000)
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


@pytest.mark.main_blender
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


@pytest.mark.main_blender
def test_old_temporary_folders_of_killed_batches_are_removed(write_track, tmp_path):
    source, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    names = (".writing-old", ".writing-young")
    for name in names:
        (out / name).mkdir(parents=True)
        (out / name / "walk.npz").touch()
        if name.endswith("old"):
            os.utime(out / name, (0.0, 0.0))
    assert main([str(source), "-o", str(out), "--formats", "npz"]) == 0
    assert [name for name in names if (out / name).exists()] == [".writing-young"]


@pytest.mark.main_blender
@pytest.mark.bpy_module
@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_a_batch_leaves_no_temporary_files(write_track, tmp_path, device):
    if device != "numpy":
        pytest.importorskip("torch", reason="needs PyTorch")
    source, temporary = write_track(tmp_path / "walk.npz"), tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    options = ("--device", device, "--torch-python", sys.executable)
    subprocess.run(command(source, "-o", tmp_path / "out", *options), cwd=REPOSITORY, env=environment, check=True)
    assert not list(temporary.iterdir())


@pytest.mark.main_blender
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
    entries = summary(tmp_path / "out")["inputs"]
    assert [entry["status"] for entry in entries] == ["failed", "failed"]
    assert all("ended early (exit code 1)" in entry["message"] and "bang" in entry["message"] for entry in entries)


@pytest.mark.bpy_module
@pytest.mark.parametrize(
    ("stand_in", "expected"),
    [
        (
            "raise ImportError('libX11.so.6: cannot open shared object file')",
            ["libX11.so.6", "apt-get install libx11-6"],
        ),
        ("raise ModuleNotFoundError('No module named bpy', name='bpy')", ["pip install bpy=="]),
    ],
)
def test_a_blender_module_that_cannot_be_loaded_is_explained(write_track, tmp_path, stand_in, expected):
    source = write_track(tmp_path / "walk.npz")
    (tmp_path / "stand_in").mkdir()
    (tmp_path / "stand_in" / "bpy.py").write_text(stand_in)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "stand_in")}
    arguments = command(source, "-o", tmp_path / "out")
    run = subprocess.run(arguments, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert run.returncode == 2
    assert all(text in run.stderr for text in expected), run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.bpy_module
def test_the_script_runs_without_the_installed_extension(write_track, tmp_path):
    source = write_track(tmp_path / "walk.npz")
    script = REPOSITORY / "blender_addon" / "run_in_blender.py"
    arguments = [sys.executable, script, "--", source, "-o", tmp_path / "out", "--formats", "bvh"]
    run = subprocess.run([str(item) for item in arguments], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out" / "walk.bvh").is_file()


def test_a_blend_opens_with_its_scene_and_windows(write_track, tmp_path):
    source, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    assert main([str(source), "-o", str(out), "--formats", "blend"]) == 0
    with bpy.data.libraries.load(str(out / "walk.blend")) as (inside, _):
        assert inside.workspaces, "a file without workspaces is a library, not a session"
    bpy.ops.wm.open_mainfile(filepath=str(out / "walk.blend"))
    assert [scene.name for scene in bpy.data.scenes] == [bpy.context.scene.name]
    assert {item.type for item in bpy.context.scene.objects} == {"ARMATURE", "MESH", "CAMERA", "LIGHT"}


def test_usd_is_refused_early_if_blender_lacks_it(write_track, tmp_path, capfd):
    check_formats(["usd", "fbx"], has_usd=True)
    with pytest.raises(BatchError, match="found usd, without which it was built"):
        check_formats(["fbx", "usd"], has_usd=False)
    if not bpy.app.build_options.usd:
        source, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
        assert main([str(source), "-o", str(out), "--formats", "fbx", "usd"]) == 2
        assert "without which it was built" in capfd.readouterr().err and not out.exists()


@pytest.mark.main_blender
def test_motions_begin_at_the_given_start_frame_with_correctives_on_request(write_track, tmp_path, capsys):
    source, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    asked = ["--start-frame", "1001", "--formats", "blend", "fbx", "--correctives"]
    assert main([str(source), "-o", str(out), *asked]) == 0
    assert b"corrective_" in (out / "walk.fbx").read_bytes()
    bpy.ops.wm.open_mainfile(filepath=str(out / "walk.blend"))
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end, scene.render.fps) == (1001, 1012, 30)
    assert main([str(source), "-o", str(out), "--start-frame", "2000000"]) == 2
    assert main([str(source), "-o", str(out), "--start-frame", "Record"]) == 2
    assert "expected a frame or recording, got 'Record'" in capsys.readouterr().err


def test_motions_begin_at_the_time_of_their_recording(tmp_path):
    track = part_of_the_walk(tmp_path / "late.trc", 22, 40)
    for where, arguments, frames in (("plain", [], (1, 18)), ("late", ["--start-frame", "recording"], (23, 40))):
        out = tmp_path / where
        assert main([track, "-o", str(out), "--quality", "fast", *arguments]) == 0
        bpy.ops.wm.open_mainfile(filepath=str(out / "late.blend"))
        assert tuple(bpy.data.objects["late"].animation_data.action.frame_range) == frames
        assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (1, frames[1])


def test_a_blend_shows_the_whole_clip_and_has_its_collection_as_asset(write_track, tmp_path):
    source, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    assert main([str(source), "-o", str(out)]) == 0
    bpy.ops.wm.open_mainfile(filepath=str(out / "walk.blend"))
    scene, layer = bpy.context.scene, bpy.context.view_layer
    body = bpy.data.objects["walk body"]
    assert layer.objects.active == body.parent and [item for item in scene.objects if item.select_get()] == [
        body.parent
    ]
    assert {item.name for item in scene.objects if item.type == "LIGHT"} == {"Fill Light", "Key Light"}
    assert [item.name for item in bpy.data.collections if item.asset_data] == ["walk"]
    assert {item.name for item in bpy.data.collections["walk"].all_objects} == {"walk", "walk body"}
    assert scene.frame_current == scene.frame_start == 1
    views = [space for screen in bpy.data.screens for area in screen.areas for space in area.spaces
             if isinstance(space, bpy.types.SpaceView3D)]  # fmt: skip
    assert views
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
        shown = [body.matrix_world @ vertex.co for vertex in body.evaluated_get(layer.depsgraph).data.vertices]
        in_camera = np.array([world_to_camera_view(scene, scene.camera, place) for place in shown])
        assert in_camera[:, :2].min() > 0.0 and in_camera[:, :2].max() < 1.0
        assert np.ptp(in_camera[:, 1]) > 0.3, "not a speck"
        for view in views:
            place = view.region_3d
            ahead = (np.array(shown) - place.view_location) @ np.array(place.view_rotation.to_matrix())
            slopes = np.abs(ahead[:, :2]) / (place.view_distance - ahead[:, 2:])
            assert slopes.max() < 0.36 and slopes[:, 1].max() > 0.1


@pytest.mark.main_blender
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
