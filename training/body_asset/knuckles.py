"""Where MakeHuman has the knuckles, and the rule that gives them on any body of SMPL's topology. N people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.skeletons import JOINT_INDEX, VERTEX_IDS

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
_KNUCKLE_BONES = ("finger1-2.L", "finger2-1.L", "finger3-1.L", "finger4-1.L", "finger5-1.L")
"""Bones whose heads are the metacarpophalangeal joints; the thumb's first bone (finger1-1) is its metacarpal."""


@dataclass(frozen=True)
class KnuckleRule:
    """A fitted rule and its error.

    Fingers: knuckle = hand + first (tip - mean of the four tips) + second (wrist - hand).
    Thumb: knuckle = wrist + first (tip - wrist) + second (hand - wrist).

    Attributes:
        first: coefficient.
        second: coefficient.
        mean_error: metres over the population.
        worst_error: metres.
    """

    first: float
    second: float
    mean_error: float
    worst_error: float


def knuckle_centres(heads: dict[str, np.ndarray]) -> np.ndarray:
    """Return the left hand's knuckles (N, 5, 3), thumb to pinky, from MakeHuman's bone heads."""
    return np.stack([heads[bone] for bone in _KNUCKLE_BONES], axis=1)


def fit_rules(vertices: np.ndarray, joints: np.ndarray, knuckles: np.ndarray) -> dict[str, KnuckleRule]:
    """Return the best rule for each finger.

    Args:
        vertices: (N, V, 3) bodies.
        joints: (N, 24, 3) their regressed joints.
        knuckles: (N, 5, 3) the left hand's true knuckles.
    """
    wrist, hand = (joints[:, JOINT_INDEX[name]] for name in ("left_wrist", "left_hand"))
    tips = {finger: vertices[:, VERTEX_IDS[f"left_{finger}_tip"]].astype(np.float64) for finger in FINGERS}
    spread = np.mean([tips[finger] for finger in FINGERS[1:]], axis=0)
    rules = {}
    for row, finger in enumerate(FINGERS):
        if finger == "thumb":
            origin, first, second = wrist, tips[finger] - wrist, hand - wrist
        else:
            origin, first, second = hand, tips[finger] - spread, wrist - hand
        rules[finger] = _fit(knuckles[:, row] - origin, first, second)
    return rules


def _fit(goal: np.ndarray, first: np.ndarray, second: np.ndarray) -> KnuckleRule:
    system = np.stack([first.ravel(), second.ravel()], axis=1)
    (a, b), *_ = np.linalg.lstsq(system, goal.ravel(), rcond=None)
    error = np.linalg.norm(goal - a * first - b * second, axis=-1)
    return KnuckleRule(float(a), float(b), float(error.mean()), float(error.max()))
