"""Fit rules for the knuckles on any body of SMPL's topology, to MakeHuman's knuckles. N people.

A finger's knuckle is the hand joint, plus a share of (its tip - mean of the four fingers' tips), plus a share of
(wrist - hand joint). The thumb's is the wrist, plus shares of (its tip - wrist), (hand joint - wrist) and, in the rule
with three shares, (index tip - pinky tip).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.smpl_skeleton import JOINT_INDEX, VERTEX_IDS

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
_KNUCKLE_BONES = ("finger1-2.L", "finger2-1.L", "finger3-1.L", "finger4-1.L", "finger5-1.L")
"""Bones whose heads are the metacarpophalangeal joints; the thumb's first bone (finger1-1) is its metacarpal."""


@dataclass(frozen=True)
class KnuckleRule:
    """A fitted rule and its error over the population.

    Attributes:
        shares: the coefficients, in the order of the module docstring.
        mean_error: mean error, metres.
        worst_error: largest error, metres.
    """

    shares: tuple[float, ...]
    mean_error: float
    worst_error: float


def knuckle_centres(heads: dict[str, np.ndarray]) -> np.ndarray:
    """Return the left hand's knuckles (N, 5, 3), thumb to pinky, from MakeHuman's bone heads."""
    return np.stack([heads[bone] for bone in _KNUCKLE_BONES], axis=1)


def fit_rules(vertices: np.ndarray, joints: np.ndarray, knuckles: np.ndarray) -> dict[str, KnuckleRule]:
    """Fit the rule of each finger; the thumb has one with two shares and one with three.

    Args:
        vertices: (N, V, 3) bodies.
        joints: (N, 24, 3) regressed joints of the bodies.
        knuckles: (N, 5, 3) the left hand's true knuckles.
    """
    wrist, hand = (joints[:, JOINT_INDEX[name]] for name in ("left_wrist", "left_hand"))
    tips = {finger: vertices[:, VERTEX_IDS[f"left_{finger}_tip"]].astype(np.float64) for finger in FINGERS}
    middle = np.mean([tips[finger] for finger in FINGERS[1:]], axis=0)
    thumb_terms = [tips["thumb"] - wrist, hand - wrist, tips["index"] - tips["pinky"]]
    rules = {
        "thumb, two shares": _fit(knuckles[:, 0] - wrist, thumb_terms[:2]),
        "thumb": _fit(knuckles[:, 0] - wrist, thumb_terms),
    }
    for row, finger in enumerate(FINGERS[1:], start=1):
        rules[finger] = _fit(knuckles[:, row] - hand, [tips[finger] - middle, wrist - hand])
    return rules


def _fit(goal: np.ndarray, terms: list[np.ndarray]) -> KnuckleRule:
    system = np.stack([term.ravel() for term in terms], axis=1)
    shares, *_ = np.linalg.lstsq(system, goal.ravel(), rcond=None)
    error = np.linalg.norm(goal - np.tensordot(shares, np.stack(terms), axes=1), axis=-1)
    return KnuckleRule(tuple(shares.tolist()), float(error.mean()), float(error.max()))
