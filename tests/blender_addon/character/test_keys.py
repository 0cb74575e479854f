"""The keys of a character, evaluated by Blender, are the motion: any rotation mode, object, and way of inheriting."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from mathutils import Euler, Matrix, Quaternion  # noqa: E402

from blender_addon.character.action import give_action, write_curves  # noqa: E402
from blender_addon.character.errors import CharacterError  # noqa: E402
from blender_addon.character.keys import ROOT_MOTIONS, BoneMotion, character_curves  # noqa: E402
from blender_addon.character.rotation_values import rotation_values  # noqa: E402
from blender_addon.figure.axes import Z_UP_FROM_Y_UP  # noqa: E402
from core.math.rotations import axis_angle_to_matrix  # noqa: E402
from tests.blender_addon.character.rigs import (  # noqa: E402
    MODES,
    evaluated,
    expected_heads,
    make_character,
    place_object,
    random_motion,
)

MOVED = [
    "hips", "spine", "chest", "head", "thigh.L", "shin.L", "foot.L", "thigh.R", "shin.R", "arm.L", "forearm.L",
    "hand.L", "arm.R", "hand.R",
]  # fmt: skip
"""Without neck and right forearm: these follow what they hang on."""


def errors(armature, motion, root_motion: str = "hips") -> tuple[float, float]:
    """Key *motion*; return the largest error of a joint, in mm, and of a moved bone's axes."""
    curves = character_curves(armature, BoneMotion.of(motion), root_motion)
    give_action(armature, "test")
    write_curves(armature, curves, 5)
    heads, axes = evaluated(armature, range(5, 5 + motion.num_frames))
    hips = int(motion.bones[0])
    hanging = motion.rig.descendants(hips)
    off = np.linalg.norm((heads - expected_heads(motion))[:, hanging], axis=-1).max()
    return 1000.0 * float(off), float(np.abs(axes[:, motion.bones] - motion.rotations).max())


@pytest.mark.parametrize("mode", MODES)
def test_keys_are_exact_in_any_rotation_mode(scene, mode):
    armature = make_character(roll=1)
    for bone in armature.pose.bones:
        bone.rotation_mode = mode
    off_mm, turned = errors(armature, random_motion(armature, MOVED))
    assert off_mm < 0.05 and turned < 1e-4
    assert all(bone.rotation_mode == mode for bone in armature.pose.bones)


@pytest.mark.parametrize("root_motion", ROOT_MOTIONS)
@pytest.mark.parametrize("scale", [1.0, 0.01, 3.0])
def test_keys_are_exact_for_any_transform_of_the_object(scene, scale, root_motion):
    armature = make_character(roll=2)
    place_object(armature, scale=scale, seed=3)
    before = armature.matrix_world.copy()
    off_mm, turned = errors(armature, random_motion(armature, MOVED), root_motion)
    assert off_mm < 0.1 * max(scale, 1.0) and turned < 1e-4
    assert (armature.matrix_world == before) == (root_motion != "object")


@pytest.mark.parametrize("root_motion", ROOT_MOTIONS)
@pytest.mark.parametrize("hips", ["local", "no local location", "inherits nothing", "connected"])
def test_keys_are_exact_for_any_parenting_of_the_hips(scene, hips, root_motion):
    armature = make_character(roll=4)
    if hips == "connected":
        bpy.ops.object.mode_set(mode="EDIT")
        armature.data.edit_bones["root"].tail = armature.data.edit_bones["hips"].head
        armature.data.edit_bones["hips"].use_connect = True
        bpy.ops.object.mode_set(mode="OBJECT")
    bone = armature.data.bones["hips"]
    bone.use_local_location = hips != "no local location"
    bone.use_inherit_rotation = hips != "inherits nothing"
    off_mm, turned = errors(armature, random_motion(armature, MOVED), root_motion)
    assert off_mm < 0.05 and turned < 1e-4


@pytest.mark.parametrize("mode", ["FULL", "FIX_SHEAR", "ALIGNED", "AVERAGE", "NONE", "NONE_LEGACY"])
def test_keys_are_exact_without_inherited_scale_or_rotation(scene, mode):
    armature = make_character(roll=5)
    for bone in armature.data.bones:
        bone.inherit_scale = mode
    for name in ("arm.L", "neck", "thigh.R", "foot.L"):
        armature.data.bones[name].use_inherit_rotation = False
    off_mm, turned = errors(armature, random_motion(armature, MOVED))
    assert off_mm < 0.05 and turned < 1e-4


def test_poses_of_keyed_bones_are_reset_and_others_kept(scene):
    armature = make_character()
    bones = armature.pose.bones
    for name in ("root", "neck", "arm.L", "finger.L"):
        bones[name].rotation_mode = "XYZ"
        bones[name].rotation_euler = (0.3, 0.2, 0.1)
        bones[name].location = (0.0, 0.1, 0.0)
        bones[name].scale = (1.5, 1.5, 1.5)
    bpy.context.view_layer.update()
    motion = random_motion(armature, MOVED)
    curves = character_curves(armature, BoneMotion.of(motion), "hips")
    give_action(armature, "test")
    write_curves(armature, curves, 1)
    heads, _ = evaluated(armature, range(1, 1 + motion.num_frames))
    index = motion.rig.index
    kept = [index[name] for name in ("hips", "head", "forearm.L", "toe.R")]
    np.testing.assert_allclose(heads[:, kept], expected_heads(motion)[:, kept], atol=1e-5)
    assert not any("finger" in curve.channel[0] for curve in curves)
    np.testing.assert_allclose(bones["finger.L"].rotation_euler, (0.3, 0.2, 0.1))


@pytest.mark.parametrize("root_motion", ROOT_MOTIONS)
def test_keys_are_exact_for_a_parented_object(scene, root_motion):
    parent = bpy.data.objects.new("parent", None)
    bpy.context.collection.objects.link(parent)
    place_object(parent, scale=2.0, seed=11)
    armature = make_character(roll=6)
    armature.parent = parent
    armature.rotation_mode = "ZXY"
    place_object(armature, scale=0.5, seed=12)
    off_mm, turned = errors(armature, random_motion(armature, MOVED), root_motion)
    assert off_mm < 0.05 and turned < 1e-4


def test_a_constrained_object_cannot_carry_the_root_motion(scene):
    armature = make_character()
    motion = random_motion(armature, MOVED)
    armature.constraints.new("LIMIT_LOCATION")
    with pytest.raises(CharacterError, match="expected hero to be free to move, but it has constraints or delta"):
        character_curves(armature, BoneMotion.of(motion), "object")


def test_root_motion_on_a_bone_needs_a_root_bone(scene):
    armature = make_character()
    motion = random_motion(armature, ["root", *MOVED[1:]])
    with pytest.raises(CharacterError, match="expected a root bone above root, but hero has none"):
        character_curves(armature, BoneMotion.of(motion), "bone")


def test_the_root_bone_carries_the_root_motion(scene):
    armature = make_character()
    motion = random_motion(armature, MOVED)
    errors(armature, motion, "bone")
    heads, axes = evaluated(armature, range(5, 5 + motion.num_frames))
    root = motion.rig.index["root"]
    np.testing.assert_allclose(heads[:, root], motion.carrier.position, atol=1e-5)  # at rest it is below the hips
    turns = axis_angle_to_matrix(motion.carrier.yaw[:, None] * (0.0, 1.0, 0.0))
    np.testing.assert_allclose(axes[:, root], turns @ motion.rig.axes[root], atol=1e-6)


def test_the_object_carries_the_root_motion(scene):
    armature = make_character()
    place_object(armature, scale=0.5, seed=7)
    rest = np.array(armature.matrix_world)
    motion = random_motion(armature, MOVED)
    errors(armature, motion, "object")
    hips = motion.rig.heads[motion.bones[0]] * (1.0, 0.0, 1.0)
    for frame in range(motion.num_frames):
        bpy.context.scene.frame_set(5 + frame)
        moved = np.array(armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world)
        turn = axis_angle_to_matrix(motion.carrier.yaw[frame] * np.array((0.0, 0.0, 1.0)))
        np.testing.assert_allclose(moved[:3, :3], turn @ rest[:3, :3], atol=1e-5)
        where = turn @ (rest[:3, 3] - Z_UP_FROM_Y_UP @ hips) + Z_UP_FROM_Y_UP @ motion.carrier.position[frame]
        np.testing.assert_allclose(moved[:3, 3], where, atol=1e-5)


def back(values: np.ndarray, mode: str) -> np.ndarray:
    """Return the rotations (F, 3, 3) of channel values, by Blender's own mathematics."""
    if mode == "QUATERNION":
        turns = [Quaternion(row).to_matrix() for row in values]
    elif mode == "AXIS_ANGLE":
        turns = [Quaternion(row[1:], row[0]).to_matrix() for row in values]
    else:
        turns = [Euler(row, mode).to_matrix() for row in values]
    return np.array([Matrix(turn) for turn in turns])


@pytest.mark.parametrize("mode", MODES)
def test_values_are_continuous_through_full_turns_and_gimbal_lock(mode):
    if mode in ("QUATERNION", "AXIS_ANGLE"):
        axis = np.array([1.0, 2.0, -1.0]) / np.sqrt(6.0)
        angles = np.linspace(-4.0, 9.0, 261)
        turns = axis_angle_to_matrix(angles[:, None] * axis)
    else:  # into gimbal lock, about in it, and on through it
        ramp = np.linspace(0.0, 1.0, 81)[:, None]
        angles = np.concatenate([ramp * (0.3, np.pi / 2, 7.0), (0.3, np.pi / 2, 7.0) + ramp[1:] * (0.0, 0.0, 3.0)])
        angles = np.concatenate([angles, angles[-1] + ramp[1:] * (-1.0, 1.2, 1.0)])
        turns = np.eye(3)
        for angle, letter in zip(angles.T, mode, strict=True):
            turns = axis_angle_to_matrix(angle[:, None] * np.eye(3)["XYZ".index(letter)]) @ turns
    values = rotation_values(turns, mode)
    np.testing.assert_allclose(back(values, mode), turns, atol=2e-6)
    assert np.abs(np.diff(values, axis=0)).max() < 0.2
