"""Bodies with fingers as bodies of SMPL's 24 joints, for code that expects these. V vertices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..skeleton import LEFT_HAND, RIGHT_HAND
from ..smpl_skeleton import FINGER_JOINTS, JOINT_INDEX, NUM_BODY_ROTATIONS, NUM_JOINTS, SMPL, SMPLH
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
    for side, part in (("left", LEFT_HAND), ("right", RIGHT_HAND)):
        hand, wrist = JOINT_INDEX[f"{side}_hand"], JOINT_INDEX[f"{side}_wrist"]
        joints = list(SMPLH.joints_of(part))
        fingers, thumb = joints[:-FINGER_JOINTS], joints[-FINGER_JOINTS:]
        regressor[hand] = body.joint_regressor[fingers[::FINGER_JOINTS]].mean(axis=0)
        weights[:, hand] = body.weights[:, fingers].sum(axis=1)
        weights[:, wrist] += body.weights[:, thumb].sum(axis=1)
    posedirs = np.zeros((*body.posedirs.shape[:2], 9 * (NUM_JOINTS - 1)), dtype=np.float32)
    posedirs[..., : 9 * (rotated - 1)] = body.posedirs[..., : 9 * (rotated - 1)]
    return replace(body, posedirs=posedirs, joint_regressor=regressor, weights=weights, skeleton=SMPL)
