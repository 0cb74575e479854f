"""The solver's points on a body: joints, named vertices, and weighted sums of both. K points, V vertices.

A point is linear in the skinned vertices, so a set of points is a regressor (K, V) whose rows sum to 1.
"""

from __future__ import annotations

import numpy as np

from ..smpl_skeleton import JOINT_INDEX, VERTEX_IDS
from .bony_landmarks import BONY_LANDMARKS, landmark_row
from .data import BodyData
from .topology import VERTEX_IDS_BY_COUNT

_KNUCKLES = {"index": (0.883, 0.001), "middle": (0.924, 0.108), "ring": (0.802, 0.052), "pinky": (0.907, -0.160)}
"""For each finger (s, t): knuckle = hand + s (tip - mean of the four tips) + t (wrist - hand)."""
_THUMB_KNUCKLE = (0.457, -0.019, 0.159)
"""(a, b, c): knuckle = wrist + a (tip - wrist) + b (hand - wrist) + c (index tip - pinky tip).

Both rules were fitted to the finger bones of the 1500 people that the free body is built from: their error is 0.3 to
1.1 mm on average, 1.9 mm at most.
"""


def _knuckles(side: str) -> dict[str, dict[str, float]]:
    """Return the knuckles of one hand as weighted sums of joints and fingertips."""
    points = {}
    for finger, (spread, back) in _KNUCKLES.items():
        parts = {f"{side}_hand": 1.0 - back, f"{side}_wrist": back}
        for other in _KNUCKLES:
            parts[f"{side}_{other}_tip"] = spread * ((1.0 if other == finger else 0.0) - 1.0 / len(_KNUCKLES))
        points[f"{side}_{finger}_knuckle"] = parts
    reach, hand, across = _THUMB_KNUCKLE
    points[f"{side}_thumb_knuckle"] = {
        f"{side}_wrist": 1.0 - reach - hand,
        f"{side}_thumb_tip": reach,
        f"{side}_hand": hand,
        f"{side}_index_tip": across,
        f"{side}_pinky_tip": -across,
    }
    return points


def _mixes() -> dict[str, dict[str, float]]:
    """Return the points that are weighted sums of joints and vertices: point -> part -> weight."""
    return {
        "mid_shoulder": {"left_shoulder": 0.5, "right_shoulder": 0.5},
        "mid_hip": {"left_hip": 0.5, "right_hip": 0.5},
        **_knuckles("left"),
        **_knuckles("right"),
    }


MIXED_POINTS: dict[str, dict[str, float]] = _mixes()
HEAD_TOP = "head_top"

JOINT_CARRIERS: tuple[dict[str, str], ...] = (
    dict.fromkeys(("pelvis", "mid_hip", "left_hip", "right_hip"), "pelvis"),
    {"left_knee": "left_hip", "right_knee": "right_hip"},
)
"""Sets of points at a joint, each with the joint that carries it in a skeleton, whose joints are where bones meet.

Ours are means of the skin around the joint, which moves as the joint bends: a hip goes with the thigh by 22 mm in a
step, and 59 mm in a chair.
"""

SOLVER_POINTS: tuple[str, ...] = (*JOINT_INDEX, *VERTEX_IDS, *MIXED_POINTS, HEAD_TOP, *BONY_LANDMARKS)
"""Every point that the solver can use. ``neck`` is SMPL's neck joint; OpenPose's neck is ``mid_shoulder``."""


def _row(body: BodyData, name: str) -> np.ndarray:
    if name in JOINT_INDEX:
        return np.asarray(body.joint_regressor[body.skeleton.index(name)], dtype=np.float64)
    num_vertices = len(body.v_template)
    row = np.zeros(num_vertices)
    if name in VERTEX_IDS:
        row[VERTEX_IDS_BY_COUNT[num_vertices][name]] = 1.0
    elif name == HEAD_TOP:
        row[int(np.argmax(body.v_template[:, 1]))] = 1.0
    elif name in BONY_LANDMARKS:
        row = landmark_row(body, name)
    elif name in MIXED_POINTS:
        for part, weight in MIXED_POINTS[name].items():
            row += weight * _row(body, part)
    else:
        raise ValueError(f"expected a solver point, got {name!r}")
    return row


def landmark_regressor(body: BodyData, names: tuple[str, ...]) -> np.ndarray:
    """Return the regressor (K, V) float64 of the solver points *names* on *body*.

    Raises:
        ValueError: a name is not in `SOLVER_POINTS`.
        SkeletonError: the body has no such joint.
    """
    return np.stack([_row(body, name) for name in names])
