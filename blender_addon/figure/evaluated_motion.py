"""What a figure does as Blender shows it, as a motion: constraints, NLA strips and the object's own place included."""

from __future__ import annotations

import bpy
import numpy as np

from ..core_access import Motion, local_rotations, matrix_to_axis_angle
from ..export.export_rig import orthonormal, shown_bones
from .animation import BODY_KEY, GENDER_KEY, read_motion
from .armature import joint_shape, rest_matrices
from .axes import Z_UP_FROM_Y_UP
from .body_mesh import body_mesh_of, shape_values
from .fcurves import Channels
from .isolated_scene import played_frames, stage_of
from .scene_time import scene_rate

_STILL = 1e-6


def motion_of(armature: bpy.types.Object, scene: bpy.types.Scene) -> Motion:
    """Return what *armature* does in *scene*: from its keys alone where they are all there is, which is much faster.

    Called in Object or Pose mode; the scene's current frame is as before afterwards.

    Raises:
        CoreError: it has no action, or no body mesh.
    """
    if keys_are_all(armature):
        return read_motion(armature, scene_rate(scene))
    frames = played_frames(armature)
    with stage_of([armature], scene, name=armature.name, frames=frames) as stage:
        bones = shown_bones(armature, stage, range(frames[0], frames[1] + 1))
    turns = orthonormal(bones[:, :, :3, :3]) @ np.swapaxes(rest_matrices(armature), -1, -2)
    world = Z_UP_FROM_Y_UP.T @ turns @ Z_UP_FROM_Y_UP
    betas = shape_values(body_mesh_of(armature))
    rest_pelvis = joint_shape(armature).joints(betas)[0]
    return Motion(
        poses=matrix_to_axis_angle(local_rotations(world)).reshape(len(bones), -1),
        betas=betas,
        trans=bones[:, 0, :3, 3] @ Z_UP_FROM_Y_UP - rest_pelvis,
        fps=scene_rate(scene),
        gender=armature.get(GENDER_KEY, "neutral"),
        body=armature.get(BODY_KEY, ""),
    )


def keys_are_all(armature: bpy.types.Object) -> bool:
    """Return whether nothing but the quaternion keys of its bones moves *armature*."""
    animation = armature.animation_data
    if (
        armature.parent is not None
        or armature.constraints
        or (animation and (animation.nla_tracks or animation.drivers))
    ):
        return False
    if any(bone.constraints or bone.rotation_mode != "QUATERNION" for bone in armature.pose.bones):
        return False
    place = np.array(armature.matrix_basis)
    return bool(np.abs(place - np.eye(4)).max() < _STILL) and not _object_is_keyed(armature)


def _object_is_keyed(armature: bpy.types.Object) -> bool:
    """Return whether the object itself is animated, beside its bones."""

    if armature.animation_data is None or armature.animation_data.action is None:
        return False
    channels = Channels(armature)
    paths = ("location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle", "scale")
    return any(channels.find(path, index) is not None for path in paths for index in range(4))
