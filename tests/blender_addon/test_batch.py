"""What a batch writes, by real workers in each Blender."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from bpy_extras.object_utils import world_to_camera_view  # noqa: E402

from blender_addon.batch.cli import check_formats, main  # noqa: E402
from blender_addon.figure.animation import read_motion  # noqa: E402
from blender_addon.figure.record import load  # noqa: E402
from blender_addon.result.live_settings import APPLIED_KEY  # noqa: E402
from core.batch import BatchError  # noqa: E402
from core.body.free_body import load_free_body_with_fingers  # noqa: E402
from core.cleanup import CleanupOptions, analyse_motion, clean_up  # noqa: E402
from tests.blender_addon.walk import part_of_the_walk  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402

EVERY_VERTEX = 20  # a few centimetres apart


@pytest.fixture(scope="module")
def walk_blend(write_track, tmp_path_factory) -> Path:
    """The .blend that a batch makes of a track."""
    folder = tmp_path_factory.mktemp("walk")
    assert main([str(write_track(folder / "walk.npz")), "-o", str(folder / "out"), "--formats", "blend"]) == 0
    return folder / "out" / "walk.blend"


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


@pytest.mark.main_blender
def test_feet_are_locked_and_on_the_floor_by_default(tmp_path):
    source, out = part_of_the_walk(tmp_path / "walk.trc", 0, 60), tmp_path / "out"
    assert main([source, "-o", str(out), "--formats", "blend"]) == 0
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
    arguments = [sys.executable, "-m", "blender_addon", str(source), "-o", str(tmp_path / "out")]
    run = subprocess.run(arguments, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert run.returncode == 2
    assert all(text in run.stderr for text in expected), run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.main_blender
@pytest.mark.bpy_module
def test_the_script_runs_without_the_installed_extension(write_track, tmp_path):
    source = write_track(tmp_path / "walk.npz")
    script = REPOSITORY / "blender_addon" / "run_in_blender.py"
    arguments = [sys.executable, script, "--", source, "-o", tmp_path / "out", "--formats", "bvh"]
    run = subprocess.run([str(item) for item in arguments], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out" / "walk.bvh").is_file()


def test_a_blend_opens_with_its_scene_and_windows(walk_blend):
    with bpy.data.libraries.load(str(walk_blend)) as (inside, _):
        assert inside.workspaces, "a file without workspaces is a library, not a session"
    bpy.ops.wm.open_mainfile(filepath=str(walk_blend))
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
def test_motions_begin_at_the_time_of_their_recording(tmp_path):
    track = part_of_the_walk(tmp_path / "late.trc", 22, 40)
    for where, arguments, frames in (("plain", [], (1, 18)), ("late", ["--start-frame", "recording"], (23, 40))):
        out = tmp_path / where
        assert main([track, "-o", str(out), "--quality", "fast", *arguments]) == 0
        bpy.ops.wm.open_mainfile(filepath=str(out / "late.blend"))
        assert tuple(bpy.data.objects["late"].animation_data.action.frame_range) == frames
        assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (1, frames[1])


def test_a_blend_shows_the_whole_clip_and_has_its_collection_as_asset(walk_blend):
    bpy.ops.wm.open_mainfile(filepath=str(walk_blend))
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
        vertices = body.evaluated_get(layer.depsgraph).data.vertices
        shown = [body.matrix_world @ vertices[index].co for index in range(0, len(vertices), EVERY_VERTEX)]
        in_camera = np.array([world_to_camera_view(scene, scene.camera, place) for place in shown])
        assert in_camera[:, :2].min() > 0.0 and in_camera[:, :2].max() < 1.0
        assert np.ptp(in_camera[:, 1]) > 0.3, "not a speck"
        for view in views:
            place = view.region_3d
            ahead = (np.array(shown) - place.view_location) @ np.array(place.view_rotation.to_matrix())
            slopes = np.abs(ahead[:, :2]) / (place.view_distance - ahead[:, 2:])
            assert slopes.max() < 0.36 and slopes[:, 1].max() > 0.1
