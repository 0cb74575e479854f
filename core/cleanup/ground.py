"""The floor, found from where the feet stand. F frames, N contacts.

Convention: metres, Y up. The floor is the plane ``y = height + slope . (x, z)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .contacts import Contact

_LEVEL_M = 0.05
"""Points within so much stand on one level."""
_MIN_SHARE = 0.2
"""A level on which the feet are slow for that share of the time of the busiest one counts; the lowest is the floor."""
_MIN_SLOPE, _MAX_SLOPE = np.tan(np.deg2rad([0.7, 12.0]))
_SLOPE_ERRORS = 4.0
_MIN_CONTACTS = 8
_MIN_EXTENT_M = 1.0
_MAX_REST_M = 0.015
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
    contacts: Sequence[Contact], points: np.ndarray, heights: np.ndarray, joints: np.ndarray
) -> Ground | None:
    """Return the floor under *contacts*, or None where there is none.

    Args:
        contacts: when which point stands.
        points: (F, 4, 3) contact points, metres.
        heights: (4,) how high each is above the floor when it stands.
        joints: (F, J, 3) places of the body's joints, which are all above a floor.
    """
    if not contacts:
        return None
    places = np.stack([np.median(points[contact.frames, contact.point], axis=0) for contact in contacts])
    places[:, 1] -= heights[[contact.point for contact in contacts]]
    lengths = np.array([contact.num_frames for contact in contacts], dtype=np.float64)
    weights = np.minimum(lengths, 2.0 * np.median(lengths))
    height = _weighted_median(places[:, 1], weights)
    slope = _clear_slope(places)
    ground = Ground(
        _weighted_median(places[:, 1] - places[:, [0, 2]] @ slope, weights) if slope.any() else height, slope
    )
    below = (joints[..., 1] < ground.heights_at(joints) - _BELOW_M).any(axis=1)
    return None if below.mean() > _BELOW_SHARE else ground


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, 0.5 * total[-1])])


def _clear_slope(places: np.ndarray) -> np.ndarray:
    """Return the slope (2,) that *places* (N, 3) show beyond doubt along the directions that they spread in, else 0."""
    flat = np.zeros(2)
    if len(places) < _MIN_CONTACTS:
        return flat
    spread = places[:, [0, 2]] - places[:, [0, 2]].mean(axis=0)
    _, _, axes = np.linalg.svd(spread, full_matrices=False)
    along = spread @ axes.T
    usable = np.ptp(along, axis=0) > _MIN_EXTENT_M
    if not usable.any():
        return flat
    design = np.concatenate([np.ones((len(places), 1)), along[:, usable]], axis=1)
    trusted = np.ones(len(places), dtype=bool)
    for _ in range(3):
        found, *_ = np.linalg.lstsq(design[trusted], places[trusted, 1], rcond=None)
        rest = places[:, 1] - design @ found
        spread_m = 1.4826 * float(np.median(np.abs(rest[trusted])))
        trusted = np.abs(rest) < max(3.0 * spread_m, 1e-3)
    error = spread_m * np.sqrt(np.diag(np.linalg.inv(design[trusted].T @ design[trusted]))[1:])
    slope = found[1:] @ axes[usable]
    steep = np.linalg.norm(slope)
    clear = steep > _SLOPE_ERRORS * np.linalg.norm(error) and _MIN_SLOPE < steep < _MAX_SLOPE
    return slope if clear and spread_m < _MAX_REST_M and trusted.mean() > 0.7 else flat
