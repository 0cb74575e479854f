"""The motion of a figure as Blender evaluates it, with constraints, NLA strips and the object's transform."""

from __future__ import annotations

import bpy
import numpy as np

from ..core_access import Motion, local_rotations, matrix_to_axis_angle
from ..export.export_rig import evaluated_bones, orthonormal
from .animation import BODY_KEY, GENDER_KEY, read_motion
from .armature import joint_shape, rest_matrices
from .axes import Z_UP_FROM_Y_UP
from .body_mesh import betas_of
from .custom_properties import text_of
from .fcurves import Channels
from .isolated_scene import isolated_scene, played_frames
from .scene_time import scene_rate

_IDENTITY_TOLERANCE = 1e-6


def motion_of(armature: bpy.types.Object, scene: bpy.types.Scene) -> Motion:
    """Return the motion of *armature* in *scene*; read from its keys alone where possible, which is much faster.

    Must be called in Object or Pose Mode; the scene's current frame is restored.

    Raises:
        CoreError: the armature has no action, or bones are missing.
    """
    if has_only_bone_keys(armature):
        return read_motion(armature, scene_rate(scene))
    frames = played_frames(armature)
    with isolated_scene([armature], scene, name=armature.name, frames=frames) as isolated:
        bones = evaluated_bones(armature, isolated, range(frames[0], frames[1] + 1))
    turns = orthonormal(bones[:, :, :3, :3]) @ np.swapaxes(rest_matrices(armature), -1, -2)
    world = Z_UP_FROM_Y_UP.T @ turns @ Z_UP_FROM_Y_UP
    betas, shape = betas_of(armature), joint_shape(armature)
    return Motion(
        poses=matrix_to_axis_angle(local_rotations(world, shape.skeleton)).reshape(len(bones), -1),
        betas=betas,
        trans=bones[:, 0, :3, 3] / _size(armature) @ Z_UP_FROM_Y_UP - shape.joints(betas)[0],
        fps=scene_rate(scene),
        gender=text_of(armature, GENDER_KEY, "neutral"),
        body=text_of(armature, BODY_KEY),
        skeleton=shape.skeleton,
    )


def has_only_bone_keys(armature: bpy.types.Object) -> bool:
    """Return whether *armature* is animated only by the quaternion and location keys of its bones."""
    animation = armature.animation_data
    if (
        armature.parent is not None
        or armature.constraints
        or (animation and (animation.nla_tracks or animation.drivers))
    ):
        return False
    if any(bone.constraints or bone.rotation_mode != "QUATERNION" for bone in armature.pose.bones):
        return False
    transform = np.array(armature.matrix_basis) / _size(armature)
    transform[3, 3] = 1.0
    return bool(np.abs(transform - np.eye(4)).max() < _IDENTITY_TOLERANCE) and not _object_is_keyed(armature)


def _size(armature: bpy.types.Object) -> float:
    """Return the scale of the object *armature*: the betas tell the size of the person, so it only tells the unit."""
    matrix = armature.matrix_basis if armature.parent is None else armature.matrix_world
    return float(np.linalg.norm(np.array(matrix)[:3, 0]))


def _object_is_keyed(armature: bpy.types.Object) -> bool:
    """Return whether the object itself is animated, besides its bones."""
    if armature.animation_data is None or armature.animation_data.action is None:
        return False
    channels = Channels(armature)
    paths = ("location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle", "scale")
    return any(channels.find(path, index) is not None for path in paths for index in range(4))
