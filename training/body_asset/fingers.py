"""The finger joints of the free body: a regressor and skinning shares for SMPL-H's 30. N people, V vertices.

The 24-joint body's hand weights are divided: fingers take shares of a vertex's weight on SMPL's hand joint, the thumb
of its weight on the wrist. So fingers at rest move no vertex in any pose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from core.smpl_skeleton import FINGER_JOINTS, FINGERS, JOINT_INDEX

from .joint_regressor import sparse_solve
from .makehuman import Rig

_MAKEHUMAN_FINGERS = {"thumb": 1, "index": 2, "middle": 3, "ring": 4, "pinky": 5}
_NUM_JOINTS = FINGER_JOINTS * len(FINGERS)
_FINGERS, _THUMB = slice(0, _NUM_JOINTS - FINGER_JOINTS), slice(_NUM_JOINTS - FINGER_JOINTS, _NUM_JOINTS)
"""The four fingers' joints and the thumb's, among those of a hand."""
_RADIUS_M = 0.035
_MAX_VERTICES = 16
_SMALLEST = 0.01


@dataclass(frozen=True)
class Fingers:
    """What SMPL-H's finger joints add to a body with SMPL's 24 joints.

    Attributes:
        regressor: (30, V) rest joints from rest vertices, left hand first; rows sum to 1.
        shares: (V, 30) share of each joint in the vertex's weight on that side's hand joint, or on the wrist for the
            thumb's joints. The four fingers' shares sum to 1 for vertices with weight on the hand joint.
    """

    regressor: np.ndarray
    shares: np.ndarray


def finger_bones(suffix: str) -> list[str]:
    """Return MakeHuman's bones of one hand, "L" or "R", in SMPL-H's order of joints."""
    return [
        f"finger{_MAKEHUMAN_FINGERS[finger]}-{number}.{suffix}"
        for finger in FINGERS
        for number in range(1, FINGER_JOINTS + 1)
    ]


def finger_centres(heads: dict[str, np.ndarray]) -> np.ndarray:
    """Return the left hand's joint centres (N, 15, 3) from MakeHuman's bone heads (each (N, 3))."""
    return np.stack([heads[bone] for bone in finger_bones("L")], axis=1)


def finger_shares(rig: Rig, weights: sp.csr_matrix, smpl_weights: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Return the skinning shares (V, 30) of `Fingers`.

    Args:
        rig: MakeHuman's rig.
        weights: (V, bones) MakeHuman's skinning weights.
        smpl_weights: (V, 24) the symmetric weights to divide.
        mirror: (V,) mirror vertex of each vertex.
    """

    def of_left(left: list[str], right: list[str]) -> np.ndarray:
        own, other = (weights[:, [rig.index(bone) for bone in bones]].toarray() for bones in (left, right))
        return np.asarray((own + other[mirror]) / 2)

    hand = of_left(finger_bones("L"), finger_bones("R"))
    palm = of_left(_palm_bones("L"), _palm_bones("R")).sum(axis=1)
    shares = np.zeros_like(hand)
    for joints, joint, beside in ((_FINGERS, "left_hand", 0.0), (_THUMB, "left_wrist", palm)):
        total = hand[:, joints].sum(axis=1) + beside
        is_used = (smpl_weights[:, JOINT_INDEX[joint]] > 0) & (total > 0)
        shares[is_used, joints] = _pruned(hand[is_used, joints] / total[is_used, None])
    return np.concatenate([shares, shares[mirror]], axis=1)


def _palm_bones(suffix: str) -> list[str]:
    return [f"wrist.{suffix}", *(f"metacarpal{number}.{suffix}" for number in range(1, 5))]


def _pruned(shares: np.ndarray) -> np.ndarray:
    """Return *shares* (N, K) without the smallest, each row with the same sum."""
    kept = np.where(shares < _SMALLEST, 0.0, shares)
    sums = kept.sum(axis=1, keepdims=True)
    return np.asarray(kept * np.divide(shares.sum(axis=1, keepdims=True), sums, out=np.ones_like(sums), where=sums > 0))


def finger_regressor(people: np.ndarray, joints: np.ndarray, shares: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Return the regressor (30, V) of `Fingers`: non-negative, sparse, symmetric.

    A joint is regressed from its finger's vertices around it; a finger's first joint also from the palm's.

    Args:
        people: (N, V, 3) T-posed bodies, symmetric.
        joints: (N, 15, 3) the left hand's joint centres.
        shares: (V, 30) from `finger_shares`.
        mirror: (V,) mirror vertex of each vertex.
    """
    mean = people.mean(0, dtype=np.float64)
    left = np.zeros((joints.shape[1], len(mean)))
    for joint in range(joints.shape[1]):
        centre = joints[:, joint].mean(0)
        finger = slice(joint - joint % FINGER_JOINTS, joint - joint % FINGER_JOINTS + FINGER_JOINTS)
        is_kin = shares[:, finger].sum(axis=1) > 0
        if joint % FINGER_JOINTS == 0:
            is_kin |= shares.sum(axis=1) < 1.0
        chosen = np.flatnonzero(is_kin & (np.linalg.norm(mean - centre, axis=1) < _RADIUS_M))
        offsets = (people[:, chosen] - centre).astype(np.float64)
        system = offsets.transpose(0, 2, 1).reshape(-1, len(chosen))
        left[joint, chosen] = sparse_solve(system, (joints[:, joint] - centre).reshape(-1), _MAX_VERTICES)
    return np.concatenate([left, left[:, mirror]])
