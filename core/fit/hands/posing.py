"""The pose of hands in frames that are seen by themselves: the turn of the palm, then the angles of the fingers.

H hands, L fingers, F frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...layouts import FINGERS
from .limits import angle_limits
from .palm import finger_targets, turn_palms, without_impossible_bones
from .skeleton import END, MIDDLE, NUM_ANGLES, Hands, pose_chain
from .solve import FingerTargets, solve_fingers

_LONG = [number for number, finger in enumerate(FINGERS) if finger != "thumb"]
_BACKWARDS = -0.5
"""A finger is bent backwards if its tip is behind the back of the hand by this share of its length."""
_MAX_BACKWARDS = 1
"""Hands with more such fingers are those of the other side."""
_WRONG_SIGMAS, _WRONG_M = 5.0, 0.012
"""A finger whose points are off by more than both, root mean square, is not seen."""

_BEYOND_RAD = np.deg2rad(3.0)
"""No joint is bent farther than this beyond its limit, wherever its points are."""


@dataclass(frozen=True, eq=False)
class HandPoses:
    """Poses of both hands, as left hands.

    Attributes:
        angles: (5, L, H, F) of the fingers, radians; the usual ones where unknown.
        known: (5, L, H, F) bool, which angles the points show.
        seen: (L, H, F) bool, fingers of which any point is seen.
        turns: (3, H, F) rotation vectors of the palms against the fitted wrists.
        palm_known: (H, F) bool, whether the points show the turn.
        mirrored: (H, F) bool, frames whose points are those of the other hand; nothing is known in them.
    """

    angles: np.ndarray
    known: np.ndarray
    seen: np.ndarray
    turns: np.ndarray
    palm_known: np.ndarray
    mirrored: np.ndarray


def pose_hands(points: np.ndarray, weights: np.ndarray, person: Hands, sigma_m: float) -> HandPoses:
    """Return the poses of the hands of a *person*.

    Args:
        points: (F, H, 21, 3) metres, in the frames of the wrists, as left hands.
        weights: (F, H, 21) 0 where missing.
        person: the person's hands.
        sigma_m: error of the points per axis, metres.
    """
    palm, aligned = turn_palms(points, weights, person, sigma_m)
    weights = without_impossible_bones(aligned, weights, person, sigma_m)
    targets = finger_targets(aligned, weights, person, sigma_m)
    mirrored = _bent_backwards(targets)
    limits = angle_limits(person)
    angles = solve_fingers(targets, limits)
    right = (_errors(angles, targets) <= max(_WRONG_M, _WRONG_SIGMAS * sigma_m)) & ~mirrored
    shown = targets.weights > 0
    seen = shown.any(axis=0) & right
    known = np.broadcast_to(seen, (NUM_ANGLES, *seen.shape)).copy()
    known[MIDDLE] &= shown[1] | shown[2]
    known[END] &= shown[2]
    angles = np.clip(angles, limits.lowest - _BEYOND_RAD, limits.highest + _BEYOND_RAD)
    return HandPoses(angles, known, seen, palm.turns.transpose(2, 1, 0), palm.known.T & ~mirrored, mirrored)


def _bent_backwards(targets: FingerTargets) -> np.ndarray:
    """Return the hands (H, F) most of whose fingers would bend backwards."""
    tips, lengths = targets.points[2][:, _LONG], np.sqrt((targets.bones**2).sum(axis=1)).sum(axis=0)[_LONG]
    behind = (targets.weights[2][_LONG] > 0) & (tips[1] < _BACKWARDS * lengths)
    backwards: np.ndarray = behind.sum(axis=0) > _MAX_BACKWARDS
    return backwards


def _errors(angles: np.ndarray, targets: FingerTargets) -> np.ndarray:
    """Return the root mean square distance (L, H, F) of the seen points of the fingers from their targets, metres."""
    squared = ((np.stack(pose_chain(angles, targets.bones).points) - targets.points) ** 2).sum(axis=1)
    shown = targets.weights > 0
    error: np.ndarray = np.sqrt((squared * shown).sum(axis=0) / np.maximum(shown.sum(axis=0), 1))
    return error
