"""Bodies with fingers as bodies of SMPL's 24 joints, for code that expects these. V vertices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..skeleton import LEFT_HAND, RIGHT_HAND
from ..smpl_skeleton import FINGER_JOINTS, JOINT_INDEX, NUM_BODY_ROTATIONS, NUM_JOINTS, SIDES, SMPL, SMPLH
from .data import BodyData


def merge_fingers(body: BodyData) -> BodyData:
    """Return *body* on SMPL's joints: its thumbs belong to the wrists, its other fingers to the hand joints.

    The hand joint lies in the middle of the four knuckles, as in SMPL. A body of SMPL's joints is returned as it is.

    Raises:
        SkeletonError: the body has neither SMPL's nor SMPL-H's joints.
    """
    if body.skeleton == SMPL:
        return body
    SMPLH.check_same(body.skeleton, of=f"body {body.name!r}", as_in="SMPL-H")
    rotated = NUM_BODY_ROTATIONS
    regressor = np.zeros((NUM_JOINTS, len(body.v_template)), dtype=np.float32)
    weights = np.zeros((len(body.v_template), NUM_JOINTS), dtype=np.float32)
    regressor[:rotated], weights[:, :rotated] = body.joint_regressor[:rotated], body.weights[:, :rotated]
    for side in SIDES:
        hand, wrist = JOINT_INDEX[f"{side}_hand"], JOINT_INDEX[f"{side}_wrist"]
        fingers, thumb = finger_joints(side)
        regressor[hand] = body.joint_regressor[fingers[::FINGER_JOINTS]].mean(axis=0)
        weights[:, hand] = body.weights[:, fingers].sum(axis=1)
        weights[:, wrist] += body.weights[:, thumb].sum(axis=1)
    posedirs = posedirs_without_hands(body.posedirs, NUM_JOINTS)
    return replace(body, posedirs=posedirs, joint_regressor=regressor, weights=weights, skeleton=SMPL)


def finger_joints(side: str) -> tuple[list[int], list[int]]:
    """Return SMPL-H's joints of a hand's long fingers, and those of its thumb."""
    joints = list(SMPLH.joints_of(LEFT_HAND if side == "left" else RIGHT_HAND))
    return joints[:-FINGER_JOINTS], joints[-FINGER_JOINTS:]


def posedirs_without_hands(posedirs: np.ndarray, num_joints: int) -> np.ndarray:
    """Return pose directions (V, 3, 9 (*num_joints* - 1)): those of the body joints, and zeros for all others."""
    width = 9 * (NUM_BODY_ROTATIONS - 1)
    kept = np.zeros((*posedirs.shape[:2], 9 * (num_joints - 1)), dtype=np.float32)
    kept[..., :width] = posedirs[..., :width]
    return kept
