"""Convert a motion to keyframes of an armature and back. F frames, J joints.

The pelvis bone carries the global translation (its head is at rest pelvis + trans, as in SMPL); the armature object
stays at the origin, as retargeting tools and game engines expect.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np

from ..core_access import BODY, CoreError, Motion, Skeleton, axis_angle_to_quat_wxyz, quat_wxyz_to_axis_angle
from .armature import pose_bones, rest_matrices, skeleton_of
from .axes import Z_UP_FROM_Y_UP, bone_from_core, continuous_signs
from .body_mesh import betas_of
from .custom_properties import text_of
from .fcurves import Channels, Keys, bone_path, own_action

GENDER_KEY = "smplify_gender"
BODY_KEY = "smplify_body"


def key_motion(
    armature: bpy.types.Object,
    motion: Motion,
    *,
    first_frame: int = 1,
    frames: np.ndarray | None = None,
    axes: np.ndarray = Z_UP_FROM_Y_UP,
) -> bpy.types.Action:
    """Key *motion* on *armature*, one key per frame, with linear interpolation.

    Rotations are quaternions. The joints of the body are keyed on every frame, and so are those of its other parts (the
    hands) that move; those that keep one pose have one key, or none if they are at rest. Existing keys of these
    channels are replaced.

    Args:
        armature: an armature made by `armature.create_armature`.
        motion: the motion; its frame rate must be the scene's, unless *frames* are given.
        first_frame: scene frame of the motion's first frame.
        frames: (F,) scene frames of the motion's frames, which need not be whole; None for one after the other.
        axes: (3, 3) matrix from the core's axes to the armature's.

    Returns:
        The armature's action.

    Raises:
        SkeletonError: the motion has another skeleton than the armature; nothing is changed.
    """
    skeleton = _shared_skeleton(armature, motion)
    channels = Channels(armature, name=armature.name)
    if frames is None:
        frames = np.arange(first_frame, first_frame + motion.num_frames, dtype=np.float64)
    for joint, channel, values in _key_values(armature, motion, skeleton, axes):
        channels.write(bone_path(joint, channel), frames[: len(values)], values, group=joint)
    armature[GENDER_KEY] = motion.gender
    armature[BODY_KEY] = motion.body
    return channels.action


def rekey_motion(armature: bpy.types.Object, motion: Motion, keys: Keys, *, first_frame: int = 1) -> None:
    """Replace the motion of *armature* by *motion*; keys whose frame does not change only get new values.

    An action that another object uses too is copied first.

    Args:
        armature: a figure's armature.
        motion: the new motion.
        keys: the existing keys, from `motion_keys`; updated to the new ones.
        first_frame: scene frame of the motion's first frame.

    Raises:
        SkeletonError: the motion has another skeleton than the armature; nothing is changed.
    """
    skeleton = _shared_skeleton(armature, motion)
    own_action(armature)
    channels = Channels(armature, name=armature.name)
    frames = np.arange(first_frame, first_frame + motion.num_frames, dtype=np.float32)
    for joint, channel, values in _key_values(armature, motion, skeleton, Z_UP_FROM_Y_UP, keys):
        channels.rewrite(bone_path(joint, channel), frames[: len(values)], values, group=joint, keys=keys)
    channels.action.update_tag()
    armature.update_tag(refresh={"TIME"})


def _shared_skeleton(armature: bpy.types.Object, motion: Motion) -> Skeleton:
    """Return the skeleton of *armature*; raise `SkeletonError` if *motion* has another one."""
    skeleton = skeleton_of(armature)
    skeleton.check_same(motion.skeleton, of="the motion", as_in=f"figure {armature.name!r}")
    return skeleton


def _key_values(
    armature: bpy.types.Object, motion: Motion, skeleton: Skeleton, axes: np.ndarray, keys: Keys | None = None
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield joint, channel and values (F, 3 or 4) of each keyed channel of a motion; (1, 4) if a hand keeps its pose.

    Joints of hands at rest are left out if they have no *keys*.
    """
    turns = bone_from_core(rest_matrices(armature), axes)
    vectors = np.einsum("jab,fjb->fja", turns, motion.poses.reshape(motion.num_frames, -1, 3))
    quaternions = continuous_signs(axis_angle_to_quat_wxyz(vectors))
    yield skeleton.names[0], "location", np.asarray(motion.trans, dtype=np.float64) @ turns[0].T
    for index, joint in enumerate(skeleton.names):
        pose = motion.poses[:, 3 * index : 3 * index + 3]
        if skeleton.parts[index] == BODY or (pose != pose[:1]).any():
            yield joint, "rotation_quaternion", quaternions[:, index]
        elif pose.any() or (keys is not None and (bone_path(joint, "rotation_quaternion"), 0) in keys):
            yield joint, "rotation_quaternion", quaternions[:1, index]


def frames_of(armature: bpy.types.Object) -> tuple[int, int]:
    """Return the first and last frame of the armature's action.

    Raises:
        CoreError: the armature has no action.
    """
    animation = armature.animation_data
    if animation is None or animation.action is None:
        raise CoreError(f"expected an animated armature, but {armature.name!r} has no action; give it a motion first")
    first, last = animation.action.frame_range
    return int(np.floor(first)), int(np.ceil(last))


def read_motion(armature: bpy.types.Object, fps: float) -> Motion:
    """Return the motion keyed on *armature*, edits included; constraints and the object's transform are ignored.

    Args:
        armature: a figure's armature.
        fps: frame rate of its scene, frames per second.

    Raises:
        CoreError: the armature has no action, or bones are missing.
    """
    first, last = frames_of(armature)
    frames = range(first, last + 1)
    channels = Channels(armature)
    turns = bone_from_core(rest_matrices(armature))
    bones, skeleton = pose_bones(armature), skeleton_of(armature)
    poses = np.zeros((len(frames), skeleton.num_joints, 3))
    for index, joint in enumerate(skeleton.names):
        rest = tuple(bones[index].rotation_quaternion)
        quaternions = channels.sample(bone_path(joint, "rotation_quaternion"), frames, rest)
        quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
        poses[:, index] = quat_wxyz_to_axis_angle(quaternions) @ turns[index]
    root = skeleton.names[0]
    locations = channels.sample(bone_path(root, "location"), frames, tuple(bones[0].location))
    return Motion(
        poses=poses.reshape(len(frames), -1),
        betas=betas_of(armature),
        trans=locations @ turns[0],
        fps=fps,
        gender=text_of(armature, GENDER_KEY, "neutral"),
        body=text_of(armature, BODY_KEY),
        skeleton=skeleton,
    )
