"""Find the floor from foot contacts. F frames, N contacts.

Convention: metres, Y up. The floor is the plane ``y = height + slope . (x, z)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .contacts import Contact, median_of

_LEVEL_M = 0.05
"""Points within this height of each other are on one level."""
_MIN_SHARE = 0.2
"""A level counts if the feet are slow on it for this fraction of the time of the most used level; the lowest such level
is the floor."""
_MIN_SLOPE, _MAX_SLOPE = np.tan(np.deg2rad([0.7, 12.0]))
_SLOPE_ERRORS = 4.0
_MIN_CONTACTS = 8
_MIN_EXTENT_M = 0.8
_MAX_RESIDUAL_M = 0.015
_TRUSTED_RESIDUALS, _MIN_TRUSTED = 3.0, 0.7
"""Contacts with a residual above this multiple of the usual one are left out; this fraction must remain."""
_BELOW_M, _BELOW_SHARE = 0.08, 0.1
"""The surface under the feet is not the floor if a joint is this far below it for this fraction of the frames."""


@dataclass(frozen=True, eq=False)
class Ground:
    """The floor plane.

    Attributes:
        height_m: height at the origin, metres.
        slope: (2,) rise per metre along x and z; 0 unless the contacts clearly show a tilt.
    """

    height_m: float
    slope: np.ndarray

    def heights_at(self, points: np.ndarray) -> np.ndarray:
        """Return the floor's height (...) under *points* (..., 3)."""
        return np.asarray(self.height_m + points[..., [0, 2]] @ self.slope)

    @property
    def up(self) -> np.ndarray:
        """The unit normal (3,) of the floor."""
        normal = np.array([-self.slope[0], 1.0, -self.slope[1]])
        unit_normal: np.ndarray = normal / np.linalg.norm(normal)
        return unit_normal


def first_guess(heights: np.ndarray, slow: np.ndarray) -> float | None:
    """Return the height of the lowest level on which points are slow for long; None if no point is ever slow.

    Args:
        heights: (F, 4) heights of the contact points less their heights when planted.
        slow: (F, 4) bool, where the points are slow.
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
    """Return the floor under *contacts*, or None if they show none.

    Args:
        contacts: the foot contacts.
        points: (F, 4, 3) contact points, metres.
        heights: (4,) height of each point above the floor when planted.
        joints: (F, J, 3) positions of the body's joints, which all lie above a floor.
        slope: (2,) slope of the floor, from `clear_slope`.
    """
    if not contacts:
        return None
    floor_points = contact_floor_points(contacts, points, heights)
    lengths = np.array([contact.num_frames for contact in contacts], dtype=np.float64)
    weights = np.minimum(lengths, 2.0 * np.median(lengths))
    ground = Ground(_weighted_median(floor_points[:, 1] - floor_points[:, [0, 2]] @ slope, weights), slope)
    below: np.ndarray = (joints[..., 1] < ground.heights_at(joints) - _BELOW_M).any(axis=1)
    return None if float(below.mean()) > _BELOW_SHARE else ground


def contact_floor_points(contacts: Sequence[Contact], points: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Return the point (N, 3) of the floor under each contact; arguments as for `find_ground`."""
    floor_points: np.ndarray = np.stack([median_of(points[contact.frames, contact.point]) for contact in contacts])
    floor_points[:, 1] -= heights[[contact.point for contact in contacts]]
    return floor_points


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])


def clear_slope(floor_points: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the slope (2,) along the directions in which the contacts spread, 0 where they do not show it clearly.

    Each contact point is compared only with itself: a heel that the fit always puts too high says nothing about the
    slope.

    Args:
        places: (N, 3) floor points under the contacts, metres.
        points: (N,) index of the contact point of each.
    """
    level = np.zeros(2)
    if len(floor_points) < _MIN_CONTACTS:
        return level
    own = np.stack([points == point for point in np.unique(points)], axis=1).astype(np.float64)
    own /= own.sum(axis=0)
    relative = floor_points - (own > 0) @ (own.T @ floor_points)
    spread = relative[:, [0, 2]]
    _, _, axes = np.linalg.svd(spread, full_matrices=False)
    axes = axes[np.ptp(spread @ axes.T, axis=0) > _MIN_EXTENT_M]
    for _ in range(2):
        if len(axes) == 0:
            return level
        slope, error, residual_m, used_share = _fitted_slope(spread @ axes.T, relative[:, 1])
        axes = axes[np.abs(slope) > _SLOPE_ERRORS * error]
    if len(axes) != len(slope) or residual_m > _MAX_RESIDUAL_M or used_share < _MIN_TRUSTED:
        return level
    found: np.ndarray = slope @ axes
    return found if _MIN_SLOPE < np.linalg.norm(found) < _MAX_SLOPE else level


def _fitted_slope(along: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Fit the slopes of *heights* (N,) along axes (N, A).

    Returns:
        The slopes (A,), their standard errors (A,), the typical residual in metres, and the fraction of points used.
    """
    design = np.concatenate([np.ones((len(along), 1)), along], axis=1)
    used = np.ones(len(along), dtype=bool)
    for _ in range(3):
        found, *_ = np.linalg.lstsq(design[used], heights[used], rcond=None)
        residual = heights - design @ found
        residual_m = 1.4826 * float(np.median(np.abs(residual[used])))
        used = np.abs(residual) < max(_TRUSTED_RESIDUALS * residual_m, 1e-3)
    error = max(residual_m, 1e-4) * np.sqrt(np.diag(np.linalg.pinv(design[used].T @ design[used]))[1:])
    return found[1:], error, residual_m, float(used.mean())
