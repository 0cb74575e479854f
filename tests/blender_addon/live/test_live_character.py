"""Characters that follow a live figure: posed without keys, put back as they were, keyed when a recording stops."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character.action import keys_hash  # noqa: E402
from blender_addon.character.applying import remove_motion  # noqa: E402
from blender_addon.character.bone_rows import fill  # noqa: E402
from blender_addon.character.frame_pose import FramePose, show_matrices  # noqa: E402
from blender_addon.character.keys import bone_links  # noqa: E402
from blender_addon.character.stored import load  # noqa: E402
from blender_addon.figure.custom_properties import KEPT_KEY  # noqa: E402
from blender_addon.live.panel import SMPLIFY_PT_live  # noqa: E402
from blender_addon.live.session import LIVE  # noqa: E402
from blender_addon.live.watching import _put_back, _restore  # noqa: E402
from blender_addon.ui.box_errors import Box, error_in  # noqa: E402
from tests.blender_addon.character.rigs import (  # noqa: E402
    MODES,
    evaluated,
    expected_heads,
    make_character,
    place_object,
    random_motion,
)
from tests.blender_addon.character.test_applying import BONES, animate, look  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402
from tests.blender_addon.live.test_live_box import MESSAGES, send  # noqa: E402
from tests.ports import free_port  # noqa: E402

MOVED = ["hips", "spine", "chest", "head", "thigh.L", "shin.L", "foot.L", "arm.R", "forearm.R"]


@pytest.fixture
def hero(addon):
    """The test character, picked in the Character box."""
    made = make_character(roll=1)
    bpy.context.scene.smplify_character.armature = made
    fill(bpy.context.scene.smplify_character, BONES)
    return made


def listen() -> bpy.types.Object:
    """Begin a session on a free port; return its figure."""
    bpy.context.scene.smplify_live.port = free_port()
    assert bpy.ops.smplify.start_live() == {"FINISHED"}
    return bpy.context.object


def pose(armature: bpy.types.Object) -> list[list[float]]:
    """Return the basis matrices of all bones."""
    return [[value for row in bone.matrix_basis for value in row] for bone in armature.pose.bones]


def direction(armature: bpy.types.Object, start: str, end: str) -> np.ndarray:
    """Return the unit vector in the world from one bone's head to another's."""
    bpy.context.view_layer.update()
    heads = [np.array(armature.matrix_world @ armature.pose.bones[name].head) for name in (start, end)]
    return (heads[1] - heads[0]) / np.linalg.norm(heads[1] - heads[0])


@pytest.mark.parametrize("inherits", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_a_frame_poses_the_bones_as_keys_do(hero, mode, inherits):
    place_object(hero, scale=0.4, seed=3)
    for bone in hero.pose.bones:
        bone.rotation_mode = mode
        bone.bone.use_inherit_rotation = inherits or bone.name not in ("neck", "shin.L", "root")
    hero.data.bones["hips"].use_local_location = inherits
    motion = random_motion(hero, MOVED, num_frames=3)
    pose = FramePose(hero, bone_links(hero), motion.rig, motion.bones)
    expected, names = expected_heads(motion), [bone.name for bone in hero.data.bones]
    for frame in range(3):
        show_matrices(hero, pose.names, pose.matrices(motion.rotations[frame], motion.root[frame]))
        bpy.context.view_layer.update()
        heads, axes = evaluated_now(hero)
        ours = [names.index(name) for name in ("hips", "thigh.L", "shin.L", "foot.L", "forearm.R", "hand.R", "head")]
        assert np.abs(heads[ours] - expected[frame, ours]).max() < 1e-4
        assert np.abs(axes[motion.bones] - motion.rotations[frame]).max() < 1e-4


def evaluated_now(armature: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """Return the heads (B, 3) and axes (B, 3, 3) of all bones as they are now."""
    frame = bpy.context.scene.frame_current
    heads, axes = evaluated(armature, range(frame, frame + 1))
    return heads[0], axes[0]


def test_the_picked_character_follows_and_is_put_back(hero):
    before = look(hero)
    live = listen()
    assert LIVE.characters.names == ["hero"] and look(hero) == before
    send(*MESSAGES[:6])
    for ours, theirs in (
        (("thigh.L", "shin.L"), ("left_hip", "left_knee")),
        (("arm.R", "forearm.R"), ("right_shoulder", "right_elbow")),
    ):
        assert direction(hero, *ours) @ direction(live, *theirs) > np.cos(np.deg2rad(4.0))
    assert hero.animation_data is None
    assert "Moved too: hero" in draw(SMPLIFY_PT_live).text
    assert bpy.ops.smplify.stop_live() == {"FINISHED"}
    assert look(hero) == before


def test_a_recording_is_put_onto_the_picked_character(hero):
    live = listen()
    send(MESSAGES[0])
    bpy.ops.smplify.record_live()
    send(*MESSAGES[1:6])
    assert bpy.ops.smplify.stop_live() == {"FINISHED"}
    kept = load(hero)
    assert kept.figure == live and kept.action == hero.animation_data.action
    assert keys_hash(hero, kept.before.values) == kept.digest
    remove_motion(hero)
    assert all(bone.matrix_basis.is_identity for bone in hero.pose.bones), "the live pose is not what was before"


@pytest.fixture
def recorded(hero):
    """A figure with a recording, and the character that has its motion, active."""
    place_object(hero, scale=0.5, seed=2)
    animate(hero)
    bpy.context.scene.smplify_character.root_motion = "object"
    live = listen()
    bpy.ops.smplify.record_live()
    send(*MESSAGES[:6])
    bpy.ops.smplify.stop_live()
    assert load(hero).figure == live
    bpy.context.view_layer.objects.active = hero
    return live


def test_a_character_with_keys_follows_and_keeps_them(hero, recorded):
    """Its action stays; the timeline does not move it while it follows; the object is where it was at first."""
    bpy.context.scene.frame_set(3)
    kept = load(hero)
    listen()
    before = look(hero)
    assert [item.name for item in bpy.data.objects if item.name.startswith("Live")] == ["Live", "Live body"]
    assert bpy.context.object == hero, "the figure of the active character is taken"
    send(*MESSAGES[8:14])
    assert hero.animation_data.action == kept.action and keys_hash(hero, kept.before.values) == kept.digest
    np.testing.assert_allclose(hero.location, kept.before.values["", "location"], atol=1e-6)
    basis = [bone.matrix_basis.copy() for bone in hero.pose.bones]
    bpy.context.scene.frame_set(3)
    for bone, shown in zip(hero.pose.bones, basis, strict=True):
        np.testing.assert_allclose(bone.matrix_basis, shown, atol=1e-6)
    posed = hero.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones["thigh.L"].matrix_basis
    np.testing.assert_allclose(posed, hero.pose.bones["thigh.L"].matrix_basis, atol=1e-6)
    bpy.ops.smplify.stop_live()
    bpy.context.view_layer.update()
    assert look(hero) == before


def test_a_file_is_saved_with_the_character_as_it_was(hero, tmp_path):
    before = look(hero)
    listen()
    send(*MESSAGES[:3])
    assert look(hero) != before
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "live.blend"), copy=True)
    assert look(hero) == before
    send(MESSAGES[3])
    assert look(hero) != before, "it goes on"


def test_a_character_whose_motion_is_removed_is_let_go(hero, recorded):
    listen()
    send(*MESSAGES[8:12])
    remove_motion(hero)
    now = look(hero)
    send(*MESSAGES[12:14])
    assert look(hero) == now and not LIVE.characters.names
    assert "its motion was changed" in draw(SMPLIFY_PT_live).text


def test_a_control_rig_follows_when_the_recording_stops(hero):
    target = make_character("target")
    hero.pose.bones["thigh.L"].constraints.new("COPY_ROTATION").target = target
    hero.pose.bones["thigh.L"].constraints[0].subtarget = "thigh.L"
    bpy.context.view_layer.update()
    before = look(hero)
    listen()
    send(*MESSAGES[:3])
    assert look(hero) == before
    text = draw(SMPLIFY_PT_live).text
    assert "hero follows when the recording stops" in text and "control rig" in text


def test_undo_and_redo_bring_no_live_pose_back(hero):
    """Steps that other operators make during a session hold the live pose."""
    bpy.ops.ed.undo_push(message="start")
    before = look(hero)
    listen()
    bpy.ops.ed.undo_push(message="Listen")
    send(*MESSAGES[:3])
    assert look(hero) != before
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="Cube")
    send(MESSAGES[3])
    bpy.ops.ed.undo()
    bpy.ops.ed.redo()
    send(MESSAGES[4])
    assert look(bpy.data.objects["hero"]) != before, "it goes on"
    bpy.ops.smplify.stop_live()
    bpy.ops.ed.undo_push(message="Stop")
    for step in (bpy.ops.ed.undo, bpy.ops.ed.undo, bpy.ops.ed.undo, bpy.ops.ed.redo, bpy.ops.ed.redo):
        step()
        assert look(bpy.data.objects["hero"]) == before, step
        assert KEPT_KEY not in bpy.data.objects["hero"]


def test_a_file_that_blender_saved_by_itself_is_put_right_when_it_is_opened(hero, tmp_path):
    """Blender's automatic saves call no handlers."""
    before = pose(hero)
    listen()
    send(*MESSAGES[:3])
    bpy.app.handlers.save_pre.remove(_restore)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "auto.blend"), copy=True)
    bpy.app.handlers.save_pre.append(_restore)
    assert pose(hero) != before and KEPT_KEY in hero
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "auto.blend"))
    found = bpy.data.objects["hero"]
    assert pose(found) == before and KEPT_KEY not in found


def test_a_duplicate_that_was_made_of_a_live_pose_keeps_it(hero):
    listen()
    send(*MESSAGES[:3])
    copy = hero.copy()
    bpy.context.scene.collection.objects.link(copy)
    now = pose(copy)
    bpy.ops.smplify.stop_live()
    _put_back()
    assert pose(copy) == now and KEPT_KEY not in copy


@pytest.mark.parametrize("damage", ["text", {"armature": "hero"}, {"armature": "hero", "values": "[1"},
                                    {"armature": "hero", "values": '{"\\nik_stretch": [1.0]}'},
                                    {"armature": "hero", "values": '{"hips\\nlocation": [1.0]}'}])  # fmt: skip
def test_a_damaged_kept_pose_is_dropped(hero, damage):
    before = pose(hero)
    hero[KEPT_KEY] = damage
    _put_back()
    assert pose(hero) == before and KEPT_KEY not in hero


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_character_that_is_renamed_is_put_back(hero, goes_on):
    before = pose(hero)
    listen()
    send(*MESSAGES[:2])
    hero.name = "villain"
    if goes_on:
        send(MESSAGES[2])
    bpy.ops.smplify.stop_live()
    assert pose(hero) == before and KEPT_KEY not in hero


def test_a_character_whose_rotation_modes_are_changed_is_put_back(hero):
    listen()
    send(*MESSAGES[:2])
    for bone in hero.pose.bones:
        bone.rotation_mode = "XYZ"
    send(MESSAGES[2])
    bpy.ops.smplify.stop_live()
    assert all(bone.matrix_basis.is_identity for bone in hero.pose.bones)


def test_a_recording_stays_on_the_figure_if_the_character_lost_its_bones(hero, user):
    live = listen()
    send(MESSAGES[0])
    bpy.ops.smplify.record_live()
    send(*MESSAGES[1:4])
    bpy.context.view_layer.objects.active = hero
    bpy.ops.object.mode_set(mode="EDIT")
    hero.data.edit_bones.remove(hero.data.edit_bones["shin.L"])
    bpy.ops.object.mode_set(mode="OBJECT")
    send(MESSAGES[4])
    assert bpy.ops.smplify.stop_live() == {"FINISHED"}, "so that it is a step to undo"
    assert live.animation_data.action is not None and hero.animation_data is None
    assert "shin.L" in error_in(Box.LIVE) and not (user / "recordings").exists()


def test_characters_can_be_left_alone(hero):
    bpy.context.scene.smplify_live.moves_characters = False
    before = look(hero)
    listen()
    send(*MESSAGES[:3])
    assert look(hero) == before
    bpy.ops.smplify.record_live()
    send(MESSAGES[4])
    bpy.ops.smplify.stop_live()
    assert hero.animation_data is None


def test_a_removed_character_does_not_end_the_session(hero):
    listen()
    send(MESSAGES[0])
    bpy.data.objects.remove(hero)
    send(*MESSAGES[1:3])
    assert bpy.ops.smplify.stop_live() == {"FINISHED"}
