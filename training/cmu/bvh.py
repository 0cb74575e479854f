"""Read the BVH files of CMU's database (cgspeed's conversion): T-pose in frame 0, unit, bone names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.errors import InputMissingError, MotionError, TrackFileError
from core.formats.bvh import Bvh, parse_bvh

from .actor import METRES_PER_UNIT, ActorMotion

BVH_BONES: dict[str, str] = {
    "pelvis": "Hips",
    "spine1": "LowerBack",
    "spine2": "Spine",
    "spine3": "Spine1",
    "neck": "Neck",
    "head": "Head",
    "left_hip": "LeftUpLeg",
    "left_knee": "LeftLeg",
    "left_ankle": "LeftFoot",
    "left_foot": "LeftToeBase",
    "left_shoulder": "LeftArm",
    "left_elbow": "LeftForeArm",
    "left_wrist": "LeftHand",
    "right_hip": "RightUpLeg",
    "right_knee": "RightLeg",
    "right_ankle": "RightFoot",
    "right_foot": "RightToeBase",
    "right_shoulder": "RightArm",
    "right_elbow": "RightForeArm",
    "right_wrist": "RightHand",
}
"""CMU's BVH bone by SMPL joint."""


def read_bvh(path: Path | str) -> Bvh:
    """Read a complete BVH file.

    Raises:
        InputMissingError: the file does not exist.
        MotionError: the file is damaged or not BVH.
    """
    path = Path(path)
    if not path.is_file():
        raise InputMissingError(f"expected a BVH file, found none at {path}; check the path")
    try:
        bvh = parse_bvh(path)
    except TrackFileError as error:
        raise MotionError(f"expected a whole BVH file, found a damaged one: {error}") from error
    faults = [*bvh.notes, *bvh.doubts, *(["no frame time"] if bvh.fps is None else [])]
    if faults or not np.isfinite(bvh.values).all():
        raise MotionError(
            f"expected a whole BVH file, found {'; '.join(faults) or 'missing numbers'} in {path}; download it again"
        )
    return bvh


def read_cmu_bvh(path: Path | str) -> ActorMotion:
    """Read the motion of a CMU BVH file, without frame 0, which is an inserted T-pose.

    Raises:
        InputMissingError: the file does not exist.
        MotionError: the file is damaged or contains only the T-pose.
    """
    bvh = read_bvh(path)
    if len(bvh.values) < 2:
        raise MotionError(f"expected a T-pose and a motion after it, found one frame in {path}; download it again")
    joints = [joint for joint, name in enumerate(bvh.names) if name]
    positions, rotations = bvh.motion(joints)
    relative = rotations[1:] @ np.swapaxes(rotations[:1], -1, -2)
    names = tuple(bvh.names[joint] for joint in joints)
    return ActorMotion(names, relative, METRES_PER_UNIT * positions[1:, joints], bvh.fps or 0.0)
