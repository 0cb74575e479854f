"""Joint angles as defined in gait analysis, of a motion or of OpenSim's bodies. F frames.

Convention: degrees. Hip and ankle angles are those of OpenSim's ball joints: axes x forward, y up, z right, decomposed
in the order Z, X, Y, i.e. flexion, adduction and rotation. Adduction and rotation of the left side are mirrored, so
that equal motions have equal angles. Knee and elbow angles are bends between joint positions, 0 when straight: SMPL's
and OpenSim's knee axes differ, but both have joint positions. No angle's zero is shifted.

The trunk's angles are those of the chest in the pelvis, the arm's those of the upper arm in the chest, in the same axes
and order; an arm's zero is the arm that hangs, as in OpenSim's models.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .math.rotations import swing_between
from .smpl_skeleton import JOINT_INDEX, SIDES

ANGLES = ("hip_flexion", "hip_adduction", "hip_rotation", "knee", "ankle", "elbow")
LIMB_JOINTS = tuple(
    f"{side}_{stem}" for stem in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist") for side in SIDES
)
"""The 12 limb joints, which every solution has."""

SMPL_TO_OPENSIM = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
"""From SMPL's axes: x left, y up, z forward."""

Angles = dict[str, np.ndarray]
"""Angles (F,), degrees, by ``SIDE_ANGLE``."""


def zxy_degrees(rotations: np.ndarray) -> np.ndarray:
    """Return the angles (..., 3) about Z, X and Y of *rotations* (..., 3, 3) = Rz Rx Ry."""
    z = np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1])
    x = np.arcsin(np.clip(rotations[..., 2, 1], -1.0, 1.0))
    y = np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2])
    return np.asarray(np.degrees(np.stack([z, x, y], axis=-1)))


def bend_degrees(root: np.ndarray, middle: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the angles (...), degrees, between the bones *root* to *middle* and *middle* to *end* (..., 3)."""
    upper, lower = middle - root, end - middle
    cosine = (upper * lower).sum(-1) / (np.linalg.norm(upper, axis=-1) * np.linalg.norm(lower, axis=-1))
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def smpl_angles(rotations: np.ndarray, joints: np.ndarray) -> Angles:
    """Return the angles of an SMPL body.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        joints: (F, 24, 3) joint positions.
    """
    rotated = SMPL_TO_OPENSIM @ rotations.astype(np.float64) @ SMPL_TO_OPENSIM.T
    positions = {name: joints[:, JOINT_INDEX[name]].astype(np.float64) for name in LIMB_JOINTS}
    angles: Angles = {}
    for side in SIDES:
        angles |= leg_ball_joints(
            side, rotated[:, JOINT_INDEX[f"{side}_hip"]], rotated[:, JOINT_INDEX[f"{side}_ankle"]]
        )
    return angles | bends(positions)


def bends(positions: Mapping[str, np.ndarray]) -> Angles:
    """Return the bends of knees and elbows from the *positions* (F, 3) of `LIMB_JOINTS`."""
    return {
        f"{side}_{middle}": bend_degrees(*(positions[f"{side}_{name}"] for name in (root, middle, end)))
        for side in SIDES
        for root, middle, end in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist"))
    }


def leg_ball_joints(side: str, hip: np.ndarray, ankle: np.ndarray) -> Angles:
    """Return the angles of a hip and an ankle from their rotations (F, 3, 3) in the parent's axes, OpenSim's."""
    sign = 1.0 if side == "right" else -1.0
    flexion, adduction, rotation = np.moveaxis(zxy_degrees(hip), -1, 0)
    return {
        f"{side}_hip_flexion": flexion,
        f"{side}_hip_adduction": sign * adduction,
        f"{side}_hip_rotation": sign * rotation,
        f"{side}_ankle": zxy_degrees(ankle)[..., 0],
    }


def trunk_and_arm_angles(rotations: np.ndarray, rest_joints: np.ndarray) -> Angles:
    """Return the angles of trunk and arms by ``lumbar_NAME`` and ``SIDE_arm_NAME``.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        rest_joints: (24, 3) joints of the body in its rest pose.
    """
    local = SMPL_TO_OPENSIM @ rotations.astype(np.float64) @ SMPL_TO_OPENSIM.T
    index = JOINT_INDEX
    chest = local[:, index["spine1"]] @ local[:, index["spine2"]] @ local[:, index["spine3"]]
    extension, bending, rotation = np.moveaxis(zxy_degrees(chest), -1, 0)
    angles: Angles = {"lumbar_extension": extension, "lumbar_bending": bending, "lumbar_rotation": rotation}
    for side in SIDES:
        at_rest = SMPL_TO_OPENSIM @ (rest_joints[index[f"{side}_elbow"]] - rest_joints[index[f"{side}_shoulder"]])
        from_hanging = swing_between(np.array([0.0, -1.0, 0.0]), at_rest / np.linalg.norm(at_rest))
        arm = local[:, index[f"{side}_collar"]] @ local[:, index[f"{side}_shoulder"]] @ from_hanging
        flexion, adduction, rotation = np.moveaxis(zxy_degrees(arm), -1, 0)
        sign = 1.0 if side == "right" else -1.0
        angles |= {
            f"{side}_arm_flexion": flexion,
            f"{side}_arm_adduction": sign * adduction,
            f"{side}_arm_rotation": sign * rotation,
        }
    return angles
