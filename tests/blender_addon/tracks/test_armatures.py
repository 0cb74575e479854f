"""Animated armatures as tracks: that of the open file, and those of files that Blender imports, in box and batch."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.batch.cli import main  # noqa: E402
from blender_addon.batch.inputs import ARMATURE_SUFFIXES  # noqa: E402
from blender_addon.character.applying import apply_motion  # noqa: E402
from blender_addon.character.settings import CharacterSettings  # noqa: E402
from blender_addon.track.panel import SMPLIFY_PT_track  # noqa: E402
from blender_addon.track.session import TRACKS, TrackState  # noqa: E402
from blender_addon.track.settings import track_request  # noqa: E402
from tests.blender_addon.character.rigs import make_character, write_character  # noqa: E402
from tests.blender_addon.character.test_animation_files import BONES, FPS, FRAMES, NAMES, write_animation  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402
from training.samples.motion import sample_motion  # noqa: E402

POINTS = ("hips", "left_wrist", "right_wrist", "left_ankle", "right_ankle", "head")
"""The points of a track that the joints `NAMES` are."""
assert len(POINTS) == len(NAMES)


@pytest.fixture
def figure(addon, add_person):
    """A figure that walks, whose motion the test character takes."""
    walk = sample_motion()
    return add_person(replace(walk, poses=walk.poses[90:][:FRAMES], trans=walk.trans[90:][:FRAMES], fps=FPS)).armature


def heads_of(reading) -> np.ndarray:
    """Return the points (F, 6, 3) of `POINTS`."""
    names = reading.track.layout.names
    return reading.track.positions[:, [names.index(name) for name in POINTS]]


def session() -> dict[str, object]:
    """Return what reading a file must not change."""
    scene = bpy.context.scene
    kinds = ("objects", "armatures", "actions", "meshes", "scenes", "collections", "materials")
    return {
        **{kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in kinds},
        "rate": (scene.render.fps, scene.render.fps_base, scene.frame_start, scene.frame_end, scene.frame_current),
        "chosen": ([item.name for item in bpy.context.selected_objects], bpy.context.view_layer.objects.active),
    }


@pytest.mark.parametrize("suffix", [".fbx", ".glb", ".gltf", ".blend"])
def test_an_armature_in_a_file_is_read_at_its_own_frame_rate(figure, suffix, tmp_path):
    path = tmp_path / f"walk{suffix}"
    written = write_animation(path, figure)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps = 25
    make_character("bystander").select_set(True)
    before = session()
    assert bpy.ops.smplify.open_track(filepath=str(path)) == {"FINISHED"}
    assert len(TRACKS.readings) == (2 if suffix == ".blend" else 1), "the .blend has the figure too"
    reading = next(reading for reading in TRACKS.readings if reading.track.person in ("", "actor"))
    assert reading.track.fps == pytest.approx(FPS, rel=1e-4)
    assert reading.finding("units").value == "m"
    np.testing.assert_allclose(heads_of(reading), written, atol=2e-3)
    assert session() == before
    drawn = draw(SMPLIFY_PT_track)
    assert f"{FRAMES} frames at {FPS} fps, {(FRAMES - 1) / FPS:.2f} s" in drawn.labels
    bpy.context.scene.smplify.fit.quality = "FAST"
    assert bpy.ops.smplify.fit() == {"FINISHED"}
    assert bpy.context.active_object.name.startswith("walk")


def test_the_active_armature_is_read_as_a_track(figure, tmp_path):
    written = write_animation(tmp_path / "walk.blend", figure)
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = None
    assert not bpy.ops.smplify.track_armature.poll()
    actor = bpy.context.view_layer.objects.active = bpy.data.objects["actor"]
    apply_motion(actor, figure, BONES, CharacterSettings(feet=0.0, hands=0.0), first_frame=5)
    assert "smplify.track_armature" in draw(SMPLIFY_PT_track).operators
    assert bpy.ops.smplify.track_armature() == {"FINISHED"}
    (reading,) = TRACKS.readings
    assert (reading.kind, reading.track.layout.name) == ("armature", "armature")
    np.testing.assert_allclose(heads_of(reading), written, atol=1e-4)
    fit = bpy.context.scene.smplify.fit
    assert (fit.begin, fit.begin_frame) == ("FRAME", 5)
    fit.quality = "FAST"
    assert bpy.ops.smplify.fit() == {"FINISHED"}
    fitted = bpy.context.active_object
    assert fitted.name.startswith("actor")
    assert tuple(fitted.animation_data.action.frame_range) == tuple(actor.animation_data.action.frame_range)
    assert bpy.ops.smplify.fit_again(first=7, last=12) == {"FINISHED"}


def test_a_deleted_armature_is_an_error(figure, tmp_path):
    write_animation(tmp_path / "walk.blend", figure)
    bpy.context.view_layer.objects.active = bpy.data.objects["actor"]
    bpy.ops.smplify.track_armature()
    bpy.data.objects["actor"].name = "renamed"
    with pytest.raises(RuntimeError, match="found none named actor"):
        bpy.ops.smplify.read_track()
    settings = bpy.context.scene.smplify.track
    assert TRACKS.state(track_request(settings)) is TrackState.BAD_FILE


@pytest.mark.parametrize("suffix", ARMATURE_SUFFIXES)
def test_a_file_without_a_motion_is_an_error(addon, suffix, tmp_path):
    path = tmp_path / f"still{suffix}"
    before = session()
    if suffix == ".gltf":
        path.write_text("{}")
        message = "expected an animated armature"
    else:
        write_character(path)
        message = "found only hero at rest"
    bpy.ops.wm.read_homefile(use_empty=True)
    before = session()
    with pytest.raises(RuntimeError, match=message):
        bpy.ops.smplify.open_track(filepath=str(path))
    assert session() == before
    assert message in draw(SMPLIFY_PT_track).text


def test_an_action_without_movement_is_an_error(addon):
    hero = make_character("hero")
    for frame in (1, 20):
        hero.pose.bones["arm.L"].keyframe_insert("rotation_quaternion", frame=frame)
    with pytest.raises(RuntimeError, match="one that does not move in 20 frames"):
        bpy.ops.smplify.track_armature()


def test_a_skeleton_that_is_no_persons_is_refused(addon):
    hero = make_character("horse")
    for bone in hero.data.bones:
        bone.name = f"bone {len(bone.name)} {bone.name[-1]}"
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in hero.data.edit_bones:  # all in one row, like a snake
        bone.parent = None
    bpy.ops.object.mode_set(mode="OBJECT")
    hero.pose.bones[1].keyframe_insert("location", frame=1)
    with pytest.raises(RuntimeError, match="expected the skeleton of a person, found another one"):
        bpy.ops.smplify.track_armature()


@pytest.mark.main_blender
def test_a_batch_fits_the_armature_of_a_file(figure, tmp_path):
    write_animation(tmp_path / "walk.fbx", figure)
    out = tmp_path / "out"
    assert main([str(tmp_path / "walk.fbx"), "-o", str(out), "--formats", "npz", "blend"]) == 0
    assert {path.name for path in out.iterdir()} >= {"walk.npz", "walk.blend", "walk.smplify.json"}
    report = json.loads((out / "walk.smplify.json").read_text())
    assert report["people"][0]["layout"] == "armature"
    with np.load(out / "walk.npz") as motion:
        assert len(motion["trans"]) == FRAMES and float(motion["mocap_framerate"]) == pytest.approx(FPS, rel=1e-4)
