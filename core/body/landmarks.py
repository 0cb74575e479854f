"""The solver's points on any body of SMPL's topology, by one rule: joints, well-known vertices, and mixes of both.

A point is linear in the skinned vertices, so a set of points is a regressor (K, V) whose rows sum to 1.
"""

from __future__ import annotations

import numpy as np

from ..skeletons import JOINT_INDEX, VERTEX_IDS
from .data import BodyData
from .topology import VERTEX_IDS_BY_COUNT

_KNUCKLE_FINGERS = ("index", "middle", "ring", "pinky")
_KNUCKLE_SPREAD = 0.8
"""How far a knuckle lies from the hand joint towards its own finger's side, in units of the tips' spread."""
_THUMB_KNUCKLE = 0.55
"""Where the thumb's knuckle lies between wrist (0) and thumb tip (1)."""


def _mixes() -> dict[str, dict[str, float]]:
    """Points that are weighted sums of joints and vertices."""
    mixes: dict[str, dict[str, float]] = {
        "mid_shoulder": {"left_shoulder": 0.5, "right_shoulder": 0.5},
        "mid_hip": {"left_hip": 0.5, "right_hip": 0.5},
    }
    for side in ("left", "right"):
        for finger in _KNUCKLE_FINGERS:
            knuckle = {f"{side}_hand": 1.0}
            for other in _KNUCKLE_FINGERS:
                share = (1.0 if other == finger else 0.0) - 1.0 / len(_KNUCKLE_FINGERS)
                knuckle[f"{side}_{other}_tip"] = _KNUCKLE_SPREAD * share
            mixes[f"{side}_{finger}_knuckle"] = knuckle
        mixes[f"{side}_thumb_knuckle"] = {
            f"{side}_wrist": 1.0 - _THUMB_KNUCKLE,
            f"{side}_thumb_tip": _THUMB_KNUCKLE,
        }
    return mixes


MIXED_POINTS: dict[str, dict[str, float]] = _mixes()
HEAD_TOP = "head_top"

SOLVER_POINTS: tuple[str, ...] = (*JOINT_INDEX, *VERTEX_IDS, *MIXED_POINTS, HEAD_TOP)
"""Every point that the solver can read. ``neck`` is SMPL's neck joint; OpenPose's neck is ``mid_shoulder``."""


def _row(body: BodyData, name: str) -> np.ndarray:
    if name in JOINT_INDEX:
        return np.asarray(body.joint_regressor[JOINT_INDEX[name]], dtype=np.float64)
    num_vertices = len(body.v_template)
    row = np.zeros(num_vertices)
    if name in VERTEX_IDS:
        row[VERTEX_IDS_BY_COUNT[num_vertices][name]] = 1.0
    elif name == HEAD_TOP:
        row[int(np.argmax(body.v_template[:, 1]))] = 1.0
    elif name in MIXED_POINTS:
        for part, share in MIXED_POINTS[name].items():
            row += share * _row(body, part)
    else:
        raise ValueError(f"expected a solver point, got {name!r}")
    return row


def landmark_regressor(body: BodyData, names: tuple[str, ...]) -> np.ndarray:
    """Return the regressor (K, V) float64 of the solver points *names* on *body*.

    Raises:
        ValueError: a name is not in `SOLVER_POINTS`.
    """
    return np.stack([_row(body, name) for name in names])
