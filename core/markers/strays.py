"""Markers that are somewhere else for a frame: swapped, ghosts, or left behind at a gap. F frames, M markers.

A marker moves on: it continues the way it came, or, after a blow, begins the way it goes. One that does neither is not
that marker. Where a marker comes and goes, the frames at the edges of its gaps are often of another one, or stand still
while the body moves on.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

_OFF_OF_STATURE = 0.017
"""How far off both ways a stray is at least (3 cm)."""
_BEND_PER_S2 = 115.0
"""How a foot speeds up in a sprint, in statures (200 m/s2): between slow frames that leads as far off."""
_USUAL_TIMES = 8.0
"""And how many times farther than this marker is off in the frames around it: a bend, noise, or a hop."""
_END_TIMES = 1.5
"""By how much farther where only one way is known."""
_RADIUS = 8
"""From how many frames aside that is taken."""
_REACH = 5
"""How many frames away the two that tell a way may lie: across a longer gap they allow too much."""
_ROUNDS = 3
"""A stray leads its neighbours astray, so the worst go first."""


def find_strays(positions: np.ndarray, stature: float, fps: float) -> np.ndarray:
    """Return where (F, M) a marker is neither on the way it came nor on the way it goes.

    Args:
        positions: (F, M, 3) in any unit, NaN where hidden.
        stature: in the same unit.
        fps: frames a second; 0 where that is not known, which tells nothing.
    """
    strays = np.zeros(positions.shape[:2], dtype=bool)
    if len(positions) < 3 or not np.isfinite(stature) or fps <= 0.0:
        return strays
    least = stature * max(_OFF_OF_STATURE, _BEND_PER_S2 / fps**2)
    for _ in range(_ROUNDS):
        left = np.where(strays[..., None], np.nan, positions)
        before, bend_before = _off_the_way(left)
        after, bend_after = (part[::-1] for part in _off_the_way(left[::-1]))
        off = np.fmin(before, after)
        one_way = np.isnan(before) | np.isnan(after)
        with np.errstate(invalid="ignore"):
            far = off > least * np.where(one_way, _END_TIMES, 1.0)
        far &= _unusual(np.fmin(bend_before, bend_after), far)
        found = far & (off >= _largest_beside(np.where(far, off, 0.0)))
        if not found.any():
            break
        strays |= found
    return strays


def without_strays(
    points: Mapping[str, np.ndarray], stature: float, fps: float
) -> tuple[dict[str, np.ndarray], dict[str, list[int]]]:
    """Return the markers (F, 3) with strays hidden, and by marker the frames in which it strays.

    Args:
        points: (F, 3) by marker, NaN where hidden.
        stature: in the same unit.
        fps: frames a second; 0 where that is not known, which tells nothing.
    """
    strays = find_strays(np.stack(list(points.values()), axis=1), stature, fps)
    kept = {name: np.where(strays[:, [index]], np.nan, place) for index, (name, place) in enumerate(points.items())}
    frames = {name: np.flatnonzero(strays[:, index]).tolist() for index, name in enumerate(points)}
    return kept, {name: those for name, those in frames.items() if those}


def _off_the_way(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far (F, M) each marker is off the straight way through the two frames that saw it before.

    And by how much the way bends for that: the same for each frame of reach, as a steady bend leads off with the
    square of the time. NaN where the marker was not seen twice just before.
    """
    frames = np.arange(len(positions))[:, None]
    seen = np.isfinite(positions).all(-1)
    last = np.maximum.accumulate(np.where(seen, frames, -1), axis=0)
    first = np.concatenate([np.full_like(last[:1], -1), last[:-1]])
    second = np.where(first > 0, np.take_along_axis(first, np.maximum(first, 0), axis=0), -1)
    told = seen & (second >= 0) & (frames - second <= _REACH)
    near = np.take_along_axis(positions, np.maximum(first, 0)[..., None], axis=0)
    far = np.take_along_axis(positions, np.maximum(second, 0)[..., None], axis=0)
    ahead, apart = frames - first, np.maximum(first - second, 1)
    expected = near + (near - far) * (ahead / apart)[..., None]
    off = np.where(told, np.linalg.norm(positions - expected, axis=-1), np.nan)
    return off, off / (0.5 * ahead * (ahead + apart))


def _unusual(bend: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return where (F, M), of what is *asked*, a bend is many times the median of those around it."""
    unusual = np.zeros_like(asked)
    around = np.arange(-_RADIUS, _RADIUS + 1)
    for marker in np.flatnonzero(asked.any(axis=0)):
        frames = np.flatnonzero(asked[:, marker])
        beside = np.pad(bend[:, marker], _RADIUS, constant_values=np.nan)[frames[:, None] + around + _RADIUS]
        unusual[frames, marker] = bend[frames, marker] > _USUAL_TIMES * np.nanmedian(beside, axis=1)
    return unusual


def _largest_beside(values: np.ndarray) -> np.ndarray:
    """Return the largest of the values (F, M) up to two frames aside."""
    padded = np.pad(values, ((2, 2), (0, 0)))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 5, axis=0).max(axis=-1))
