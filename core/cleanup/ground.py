"""The floor, found from where the feet stand. F frames, N contacts.

Convention: metres, Y up. The floor is the plane ``y = height + slope . (x, z)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .contacts import Contact, median_of

_LEVEL_M = 0.05
"""Points within so much stand on one level."""
_MIN_SHARE = 0.2
"""A level on which the feet are slow for that share of the time of the busiest one counts; the lowest is the floor."""
_MIN_SLOPE, _MAX_SLOPE = np.tan(np.deg2rad([0.7, 12.0]))
_SLOPE_ERRORS = 4.0
_MIN_CONTACTS = 8
_MIN_EXTENT_M = 0.8
_MAX_REST_M = 0.015
_TRUSTED_RESTS, _MIN_TRUSTED = 3.0, 0.7
"""Contacts that are farther off than so many times what is usual are left out; so many must remain."""
_BELOW_M, _BELOW_SHARE = 0.08, 0.1
"""What the feet stand on is not the floor if a joint is so far below it for that share of the time."""


@dataclass(frozen=True, eq=False)
class Ground:
    """The floor.

    Attributes:
        height_m: of the floor at the origin.
        slope: (2,) how much it rises a metre along x and z; 0 unless the contacts show a tilt clearly.
    """

    height_m: float
    slope: np.ndarray

    def heights_at(self, points: np.ndarray) -> np.ndarray:
        """Return the floor's height (...) under *points* (..., 3)."""
        return np.asarray(self.height_m + points[..., [0, 2]] @ self.slope)

    @property
    def up(self) -> np.ndarray:
        """The unit vector (3,) that stands on the floor."""
        normal = np.array([-self.slope[0], 1.0, -self.slope[1]])
        unit_normal: np.ndarray = normal / np.linalg.norm(normal)
        return unit_normal


def first_guess(heights: np.ndarray, slow: np.ndarray) -> float | None:
    """Return the height of the lowest level that slow points spend time on; None where none is ever slow.

    Args:
        heights: (F, 4) heights of the contact points less what they have when they stand.
        slow: (F, 4) bool.
    """
    found = np.sort(heights[slow])
    if len(found) == 0:
        return None
    count = np.searchsorted(found, found + _LEVEL_M, side="right") - np.arange(len(found))
    start = int(np.flatnonzero(count >= _MIN_SHARE * count.max())[0])
    end = start + int(count[start])
    best = start + int(count[start:end].argmax())
    return float(np.median(found[best : best + count[best]]))


def find_ground(
    contacts: Sequence[Contact], points: np.ndarray, heights: np.ndarray, joints: np.ndarray, slope: np.ndarray
) -> Ground | None:
    """Return the floor under *contacts*, or None where there is none.

    Args:
        contacts: when which point stands.
        points: (F, 4, 3) contact points, metres.
        heights: (4,) how high each is above the floor when it stands.
        joints: (F, J, 3) places of the body's joints, which are all above a floor.
        slope: (2,) of the floor, from `clear_slope`.
    """
    if not contacts:
        return None
    places = standing_places(contacts, points, heights)
    lengths = np.array([contact.num_frames for contact in contacts], dtype=np.float64)
    weights = np.minimum(lengths, 2.0 * np.median(lengths))
    ground = Ground(_weighted_median(places[:, 1] - places[:, [0, 2]] @ slope, weights), slope)
    below: np.ndarray = (joints[..., 1] < ground.heights_at(joints) - _BELOW_M).any(axis=1)
    return None if float(below.mean()) > _BELOW_SHARE else ground


def standing_places(contacts: Sequence[Contact], points: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Return the place (N, 3) on the floor that each contact stands on; arguments as for `find_ground`."""
    places: np.ndarray = np.stack([median_of(points[contact.frames, contact.point]) for contact in contacts])
    places[:, 1] -= heights[[contact.point for contact in contacts]]
    return places


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])


def clear_slope(places: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the slope (2,) that standing places show beyond doubt along the directions that they spread in, else 0.

    Each point is compared with itself alone: a heel that a fit always has too high tells nothing of the floor.

    Args:
        places: (N, 3) metres.
        points: (N,) which contact point stands there.
    """
    level = np.zeros(2)
    if len(places) < _MIN_CONTACTS:
        return level
    own = np.stack([points == point for point in np.unique(points)], axis=1).astype(np.float64)
    own /= own.sum(axis=0)
    relative = places - (own > 0) @ (own.T @ places)
    spread = relative[:, [0, 2]]
    _, _, axes = np.linalg.svd(spread, full_matrices=False)
    axes = axes[np.ptp(spread @ axes.T, axis=0) > _MIN_EXTENT_M]
    for _ in range(2):
        if len(axes) == 0:
            return level
        slope, error, rest_m, trusted = _fitted_slope(spread @ axes.T, relative[:, 1])
        axes = axes[np.abs(slope) > _SLOPE_ERRORS * error]
    if len(axes) != len(slope) or rest_m > _MAX_REST_M or trusted < _MIN_TRUSTED:
        return level
    found: np.ndarray = slope @ axes
    return found if _MIN_SLOPE < np.linalg.norm(found) < _MAX_SLOPE else level


def _fitted_slope(along: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Return the slopes (A,) of *heights* (N,) along axes (N, A), their errors, what is left, and the share used."""
    design = np.concatenate([np.ones((len(along), 1)), along], axis=1)
    used = np.ones(len(along), dtype=bool)
    for _ in range(3):
        found, *_ = np.linalg.lstsq(design[used], heights[used], rcond=None)
        rest = heights - design @ found
        rest_m = 1.4826 * float(np.median(np.abs(rest[used])))
        used = np.abs(rest) < max(_TRUSTED_RESTS * rest_m, 1e-3)
    error = max(rest_m, 1e-4) * np.sqrt(np.diag(np.linalg.pinv(design[used].T @ design[used]))[1:])
    return found[1:], error, rest_m, float(used.mean())
