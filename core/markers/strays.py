"""Find strays, single-frame outliers of markers: swaps, ghosts and stale positions. F frames, M markers.

A marker's position agrees with the extrapolation of the frames before it or, after an impact, of the frames after it. A
position that agrees with neither belongs to another marker. At the edges of gaps, positions often belong to another
marker, or repeat the last position while the body moves on.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

_MIN_DEVIATION = 0.017
"""Smallest deviation of a stray from both extrapolations, in statures (3 cm)."""
_MAX_ACCELERATION = 115.0
"""Acceleration of a foot in a sprint, in statures (200 m/s2); at low frame rates it causes larger deviations."""
_MIN_USUAL_RATIO = 8.0
"""Smallest ratio of a stray's deviation to this marker's usual deviation in the frames around it (curves, noise)."""
_ONE_SIDED_FACTOR = 1.5
"""Factor on the smallest deviation where only one extrapolation exists."""
_RADIUS = 8
"""Number of frames before and after from which the usual deviation is computed."""
_MAX_REACH = 5
"""Largest distance in frames of the two frames used for extrapolation: over longer gaps it is too uncertain."""
_ROUNDS = 3
"""A stray disturbs the extrapolation of its neighbours, so the largest deviations are removed first."""


def find_strays(positions: np.ndarray, stature: float, fps: float) -> np.ndarray:
    """Return where (F, M) a marker deviates from the extrapolations of both the frames before and after.

    Args:
        positions: (F, M, 3) in any unit, NaN where hidden.
        stature: the person's stature in the same unit.
        fps: frames per second; 0 if unknown: then no strays are found.
    """
    strays = np.zeros(positions.shape[:2], dtype=bool)
    if len(positions) < 3 or not np.isfinite(stature) or fps <= 0.0:
        return strays
    min_deviation = stature * max(_MIN_DEVIATION, _MAX_ACCELERATION / fps**2)
    for _ in range(_ROUNDS):
        remaining = np.where(strays[..., None], np.nan, positions)
        before, acceleration_before = _deviations(remaining)
        after, acceleration_after = (part[::-1] for part in _deviations(remaining[::-1]))
        off = np.fmin(before, after)
        one_sided = np.isnan(before) | np.isnan(after)
        with np.errstate(invalid="ignore"):
            far = off > min_deviation * np.where(one_sided, _ONE_SIDED_FACTOR, 1.0)
        far &= _is_unusual(np.fmin(acceleration_before, acceleration_after), far)
        found = far & (off >= _largest_nearby(np.where(far, off, 0.0)))
        if not found.any():
            break
        strays |= found
    return strays


def without_strays(
    points: Mapping[str, np.ndarray], stature: float, fps: float
) -> tuple[dict[str, np.ndarray], dict[str, list[int]]]:
    """Return the markers (F, 3) with strays set to NaN, and the frames of the strays by marker.

    Args:
        points: (F, 3) by marker, NaN where hidden.
        stature: the person's stature in the same unit.
        fps: frames per second; 0 if unknown: then no strays are found.
    """
    strays = find_strays(np.stack(list(points.values()), axis=1), stature, fps)
    kept = {name: np.where(strays[:, [index]], np.nan, place) for index, (name, place) in enumerate(points.items())}
    frames = {name: np.flatnonzero(strays[:, index]).tolist() for index, name in enumerate(points)}
    return kept, {name: found for name, found in frames.items() if found}


def _deviations(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the deviations (F, M) from linear extrapolation, and the accelerations (F, M) that would cause them.

    Each marker is extrapolated from the last two frames in which it was visible. Accelerations, in units per frame
    squared, make deviations over different time spans comparable. NaN where there are no such two frames within reach.
    """
    frames = np.arange(len(positions))[:, None]
    seen = np.isfinite(positions).all(-1)
    last = np.maximum.accumulate(np.where(seen, frames, -1), axis=0)
    first = np.concatenate([np.full_like(last[:1], -1), last[:-1]])
    second = np.where(first > 0, np.take_along_axis(first, np.maximum(first, 0), axis=0), -1)
    known = seen & (second >= 0) & (frames - second <= _MAX_REACH)
    near = np.take_along_axis(positions, np.maximum(first, 0)[..., None], axis=0)
    far = np.take_along_axis(positions, np.maximum(second, 0)[..., None], axis=0)
    ahead, apart = frames - first, np.maximum(first - second, 1)
    expected = near + (near - far) * (ahead / apart)[..., None]
    off = np.where(known, np.linalg.norm(positions - expected, axis=-1), np.nan)
    return off, off / (0.5 * ahead * (ahead + apart))


def _is_unusual(acceleration: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return where (F, M), among *candidates*, an acceleration is many times the median of found around it."""
    unusual = np.zeros_like(candidates)
    around = np.arange(-_RADIUS, _RADIUS + 1)
    for marker in np.flatnonzero(candidates.any(axis=0)):
        frames = np.flatnonzero(candidates[:, marker])
        nearby = np.pad(acceleration[:, marker], _RADIUS, constant_values=np.nan)[frames[:, None] + around + _RADIUS]
        unusual[frames, marker] = acceleration[frames, marker] > _MIN_USUAL_RATIO * np.nanmedian(nearby, axis=1)
    return unusual


def _largest_nearby(values: np.ndarray) -> np.ndarray:
    """Return the largest of *values* (F, M) within two frames before and after."""
    padded = np.pad(values, ((2, 2), (0, 0)))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 5, axis=0).max(axis=-1))
