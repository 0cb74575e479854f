"""The points of the hands in a track: swapped hands are put right, implausible ones left out. H hands, F frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...layouts import HAND_POINTS, Layout
from ...math.medians import known_median
from ...smpl_skeleton import SIDES
from ...track import KeypointTrack
from .skeleton import MIRROR

_MIN_POINTS = 3
_REACH_M = 0.20
"""The middle of a hand's points is at most this far from its wrist."""
_ROOT_M = 0.08
"""A hand whose own wrist is farther than this from the fitted one is moved there, and reported."""
_SWAPPED_M = 0.10
"""Hands are swapped if that reduces the sum of their distances to the wrists by more than this."""
_SMALLEST_M, _LARGEST_M = 0.012, 0.12
"""Range of the root mean square distance of a hand's points from their middle."""


@dataclass(frozen=True, eq=False)
class HandPoints:
    """The points of both hands.

    Attributes:
        positions: (F, H, 21, 3) metres, in the track's axes; 0 where missing.
        weights: (F, H, 21) confidence, 0 where missing or left out.
        swapped: (F,) bool, frames in which the labels of the two hands were swapped.
        implausible: (F, H) bool, frames in which the points do not form a hand, or are not at its wrist.
    """

    positions: np.ndarray
    weights: np.ndarray
    swapped: np.ndarray
    implausible: np.ndarray


def hand_columns(layout: Layout) -> list[list[int]]:
    """Return the layout's column of each point of each hand, -1 where it has none; the wrist may be the body's."""
    columns = []
    for side in SIDES:
        own = [layout.finger_index.get(f"{side}_{point}", -1) for point in HAND_POINTS]
        own[0] = own[0] if own[0] >= 0 else layout.solver_index.get(f"{side}_wrist", -1)
        columns.append(own)
    return columns


def has_hands(track: KeypointTrack) -> bool:
    """Return whether any frame of *track* shows fingers: points of a hand besides its wrist."""
    columns = list(track.layout.finger_index.values())
    return bool(columns) and bool((track.confidence[:, columns] > 0).sum(axis=1).max() >= _MIN_POINTS)


def take_hands(track: KeypointTrack, wrists: np.ndarray) -> HandPoints:
    """Return the points of the hands of *track*.

    Args:
        track: the track.
        wrists: (F, H, 3) the fitted wrists, metres.
    """
    columns = np.array(hand_columns(track.layout))
    weights = np.where(columns >= 0, track.confidence[:, columns], 0.0)
    positions = np.where(weights[..., None] > 0, np.nan_to_num(track.positions[:, columns]), 0.0)
    return screen_hands(positions, weights, wrists)


def screen_hands(positions: np.ndarray, weights: np.ndarray, wrists: np.ndarray) -> HandPoints:
    """Return the points with swapped hands put right, and with weight 0 where they do not form a hand.

    Args:
        positions: (F, H, 21, 3) metres, finite.
        weights: (F, H, 21).
        wrists: (F, H, 3) the fitted wrists, metres.
    """
    middle, count = _middles(positions, weights)
    off = np.linalg.norm(middle[:, :, None] - wrists[:, None], axis=-1)
    own, other = off[:, [0, 1], [0, 1]], off[:, [0, 1], [1, 0]]
    both = (count >= _MIN_POINTS).all(axis=1)
    swapped = both & (other.sum(axis=1) + _SWAPPED_M < own.sum(axis=1)) & (other < _REACH_M).all(axis=1)
    positions = np.where(swapped[:, None, None, None], positions[:, ::-1], positions)
    weights = np.where(swapped[:, None, None], weights[:, ::-1], weights)
    middle, count = _middles(positions, weights)
    apart = ((positions - middle[:, :, None]) ** 2).sum(axis=-1)
    size = np.sqrt(np.where(weights > 0, apart, 0.0).sum(axis=-1) / np.maximum(count, 1))
    enough = count >= _MIN_POINTS
    away = np.linalg.norm(middle - wrists, axis=-1) > _REACH_M
    wrong = enough & (away | (size < _SMALLEST_M) | (size > _LARGEST_M))
    off_wrist = positions[:, :, :1] - wrists[:, :, None]
    loose = enough & (weights[..., 0] > 0) & (np.linalg.norm(off_wrist[:, :, 0], axis=-1) > _ROOT_M)
    positions = np.where(loose[..., None, None], positions - off_wrist, positions)
    weights = np.where((enough & ~wrong)[..., None], weights, 0.0)
    return HandPoints(positions, weights, swapped, wrong | loose)


def _middles(positions: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the median (F, H, 3) of each hand's seen points, and their number (F, H)."""
    middle, count = known_median(positions, (weights > 0)[..., None], axis=2)
    return middle, count[..., 0]


def to_wrist(positions: np.ndarray, wrists: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Return points (F, H, K, 3) in the frames of their wrists, those of right hands mirrored to left ones.

    Args:
        positions: (F, H, K, 3) metres.
        wrists: (F, H, 3) positions of the wrists, metres.
        rotations: (F, H, 3, 3) their world rotations.
    """
    local: np.ndarray = (positions - wrists[:, :, None]) @ rotations
    local[:, 1] *= MIRROR
    return local
