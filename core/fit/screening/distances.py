"""Limits of the distances between points of one body, measured on the clip itself. F frames, K keypoints.

A bone keeps its length, so its usual length over the clip is reliable even if single frames are wrong. Two points that
no bone joins are never farther apart than the total length of the bones on the path between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ...smpl_skeleton import SIDES
from ..point_groups import FOOT

_LIMBS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
_HAND = ("wrist", "hand", "index_knuckle", "middle_knuckle", "ring_knuckle", "pinky_knuckle", "thumb_knuckle")
_RIGID: tuple[tuple[str, ...], ...] = (
    ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head", "head_top"),
    ("left_hip", "right_hip", "mid_hip", "pelvis", "left_asis", "right_asis", "left_psis", "right_psis", "sacrum"),
    ("left_shoulder", "right_shoulder", "mid_shoulder"),
    *(tuple(f"{side}_{stem}" for stem in group) for side in SIDES for group in (_HAND, FOOT, *_LIMBS)),
)
_APART_POINTS = ("knee", "ankle", "elbow", "wrist")
_BENDING = (
    "left_hip", "right_hip", "mid_hip", "pelvis", "spine1", "spine2", "spine3", "neck", "mid_shoulder", "left_collar",
    "right_collar", "left_shoulder", "right_shoulder", "head", "head_top", "nose", "left_ear", "right_ear",
)  # fmt: skip
"""Points along the trunk, which move closer together when it bends."""

_LEAST_SLACK_M, _SLACK_SHARE, _SLACK_SIGMAS = 0.06, 0.2, 6.0
"""A length is wrong if it deviates from the clip's usual one by more than all three: metres, a share of it, and
multiples of its spread."""
_STRETCH = 1.6
"""Ratio of the distance between two points along a stretched trunk to their usual distance."""
_LONGEST_BONE, _LONGEST_TRUNK, _LONGEST_REACH = 3.0, 6.0, 9.0
"""Upper bounds in multiples of a limb bone's usual length: for rigid pairs, for pairs along the trunk, and for the
whole stretched body, even if most frames exceed them."""
_SAMPLE_FRAMES = 400
"""Usual lengths are measured in about this many frames, spread over the clip."""
_APART = 0.1
"""Lower bound in multiples of a limb bone's usual length: left and right knees, ankles, elbows and wrists are never
this close, except when a label sits on the other limb."""
_WIDER = 1.6
_AGREEING, _AGREEING_SIGMAS = 0.4, 0.524
"""The share of lengths that defines the usual one, and the half-width of its interval in a normal distribution, in
standard deviations."""
_BLOCK_FRAMES = 128
"""Frames that are measured at once, so that they fit into the processor's cache."""


@dataclass(frozen=True, eq=False)
class DistanceLimits:
    """The smallest and largest distance of each pair of points.

    Attributes:
        least: (K, K) metres; 0 for pairs that may touch.
        most: (K, K) metres; infinite for unknown pairs.
        rigid: (K, K) bool, pairs with a constant distance.
    """

    least: np.ndarray
    most: np.ndarray
    rigid: np.ndarray

    def widened(self) -> DistanceLimits:
        """Return wider limits, which only gross errors break."""
        return DistanceLimits(np.where(self.rigid, self.least / _WIDER, 0.0), self.most * _WIDER, self.rigid)

    def broken(self, positions: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Return which pairs (F, K, K) bool are seen closer together or farther apart than the limits.

        Args:
            positions: (F, K, 3) metres, finite.
            seen: (F, K) bool.
        """
        middle, half = 0.5 * (self.most**2 + self.least**2), 0.5 * (self.most**2 - self.least**2)
        middle = np.where(np.isfinite(middle), middle, 0.0)
        broken = np.empty((*seen.shape, seen.shape[1]), dtype=bool)
        for first in range(0, len(seen), _BLOCK_FRAMES):
            block = slice(first, first + _BLOCK_FRAMES)
            block_positions = positions[block]
            own = np.einsum("fkc,fkc->fk", block_positions, block_positions)
            squared = block_positions @ block_positions.swapaxes(1, 2)
            squared *= -2.0
            squared += own[:, :, None]
            squared += own[:, None]
            squared -= middle
            np.greater(np.abs(squared, out=squared), half, out=broken[block])
            broken[block] &= seen[block, :, None] & seen[block, None]
        return broken


def distance_limits(names: Sequence[str], positions: np.ndarray, seen: np.ndarray) -> DistanceLimits:
    """Measure the distance limits of this body's points.

    Args:
        names: (K,) the solver points.
        positions: (F, K, 3) metres, finite.
        seen: (F, K) bool.
    """
    num_points = len(names)
    first, second, rigid, limb = _measured_pairs(names)
    length, spread = usual_lengths(positions, seen, first, second)
    known = np.isfinite(length)
    usual = np.median(length[known & limb]) if (known & limb).any() else np.inf
    slack = np.maximum(np.maximum(_LEAST_SLACK_M, _SLACK_SHARE * length), _SLACK_SIGMAS * spread)
    longest = usual * np.where(rigid, _LONGEST_BONE, _LONGEST_TRUNK)
    least, most = np.zeros((num_points, num_points)), np.full((num_points, num_points), _LONGEST_REACH * usual)
    constant = np.zeros(least.shape, dtype=bool)
    within = np.where(rigid, length, _STRETCH * length) + slack
    shortest = np.where(known & rigid & (length <= longest), np.maximum(length - slack, 0.0), 0.0)
    for a, b in ((first, second), (second, first)):
        most[a, b] = np.where(known, np.fmin(within, longest), _LONGEST_REACH * usual)
        least[a, b] = shortest
        constant[a, b] = shortest > 0.0
    np.fill_diagonal(most, 0.0)
    for via in range(num_points):
        most = np.minimum(most, most[:, [via]] + most[via])
    np.fill_diagonal(most, np.inf)
    if np.isfinite(usual):
        left, right = _left_right_pairs(names)
        least[left, right] = least[right, left] = _APART * usual
    return DistanceLimits(least, most, constant)


def usual_lengths(
    positions: np.ndarray, seen: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the usual distance (P,) of pairs of points and its standard deviation, metres; NaN if never seen.

    This is the midpoint of the shortest interval that contains a given share of the lengths. Unlike the median, it is
    right even if more than half of the lengths are wrong, as long as these do not agree.

    Args:
        positions: (F, K, 3) metres, finite.
        seen: (F, K) bool.
        first: (P,) index of each pair's first point.
        second: (P,) index of each pair's second point.
    """
    sampled = slice(None, None, max(1, len(positions) // _SAMPLE_FRAMES))
    length = np.linalg.norm(positions[sampled, first] - positions[sampled, second], axis=-1)
    both = seen[sampled, first] & seen[sampled, second]
    ordered = np.sort(np.where(both, length, np.inf), axis=0)
    count = both.sum(axis=0)
    within = (_AGREEING * np.maximum(count - 1, 0)).astype(np.int64)
    last = np.arange(len(ordered))[:, None] + within
    upper = np.take_along_axis(ordered, np.minimum(last, len(ordered) - 1), axis=0)
    with np.errstate(invalid="ignore"):
        width = np.where(last < count, upper - ordered, np.inf)
    best = width.argmin(axis=0)[None]
    low, high = (np.take_along_axis(values, best, axis=0)[0] for values in (ordered, upper))
    known = count > 0
    middle, half = np.full(len(first), np.nan), np.full(len(first), np.nan)
    middle[known], half[known] = 0.5 * (low[known] + high[known]), 0.5 * (high[known] - low[known])
    return middle, half / _AGREEING_SIGMAS


def _measured_pairs(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the pairs of points whose distances are measured.

    Returns:
        Indices in *names* of the first and the second points (P,), whether their distance is constant, and whether they
        are a limb's bone.
    """
    index = {name: column for column, name in enumerate(names)}
    rigid = {pair for group in _RIGID for pair in combinations(group, 2)}
    limbs = {(f"{side}_{first}", f"{side}_{second}") for side in SIDES for first, second in _LIMBS}
    pairs = [pair for pair in sorted(rigid | set(combinations(_BENDING, 2))) if index.keys() >= set(pair)]
    first, second = (np.array([index[pair[end]] for pair in pairs], dtype=np.int64) for end in (0, 1))
    return first, second, np.array([pair in rigid for pair in pairs]), np.array([pair in limbs for pair in pairs])


def _left_right_pairs(names: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the indices of left and right points that never touch each other."""
    index = {name: column for column, name in enumerate(names)}
    pairs = [(f"left_{stem}", f"right_{stem}") for stem in _APART_POINTS if f"left_{stem}" in index]
    pairs = [pair for pair in pairs if pair[1] in index]
    return [index[left] for left, _ in pairs], [index[right] for _, right in pairs]
