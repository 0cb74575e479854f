"""Continuity of points over time: extrapolated positions, and jumps. F frames, K keypoints."""

from __future__ import annotations

import numpy as np

from ...math.medians import known_median

_JUMP_M, _JUMP_TIMES = 0.08, 4.0
"""A point jumps when it deviates from both its path before and its path after by more than this, and by more than this
many times its usual deviation."""
_USUAL_FRAMES = 8
_CONTEXT_FRAMES = _USUAL_FRAMES + 2
"""The number of frames on both sides that determine whether a point jumps."""


def find_jumps(positions: np.ndarray, seen: np.ndarray, part: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
    """Return where a point jumps before each frame and after the last, and where this is unknown, (F + 1, K) bool.

    A point jumps where it continues neither its path before nor, backwards, its path after, relative to the median
    motion of all points. At a gap and at both ends of the clip it is unknown.

    Args:
        positions: (F, K, 3) metres, finite.
        seen: (F, K) bool.
        part: the frames to return; both results have one more row than frames.
    """
    first, end, _ = part.indices(len(seen))
    begin = max(0, first - _CONTEXT_FRAMES)
    around = slice(begin, end + _CONTEXT_FRAMES)
    jumped, unknown = _jumps(positions[around], seen[around])
    inside = slice(first - begin, end - begin + 1)
    return jumped[inside], unknown[inside]


def _jumps(positions: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    num_frames, num_points = seen.shape
    jumped = np.zeros((num_frames + 1, num_points), dtype=bool)
    unknown = np.ones_like(jumped)
    if num_frames < 3:
        return jumped, unknown
    bend = np.where((seen[2:] & seen[1:-1] & seen[:-2])[..., None], np.diff(positions, n=2, axis=0), np.nan)
    deviation = np.full((num_frames, num_points), np.nan)
    deviation[1:-1] = np.linalg.norm(bend - known_median(bend, np.isfinite(bend), axis=1)[0][:, None], axis=-1)
    deviation = np.fmin(deviation[:-1], deviation[1:])
    with np.errstate(invalid="ignore"):
        jumped[1:-1] = deviation > np.maximum(_JUMP_M, _JUMP_TIMES * usual_around(deviation))
    unknown[1:-1] = np.isnan(deviation)
    return jumped, unknown


def usual_around(values: np.ndarray) -> np.ndarray:
    """Return the smaller of the medians (F, N) of the values in the frames before and after each frame.

    Args:
        values: (F, N), NaN where unknown. A side without values is ignored; the result is 0 if both have none.
    """
    usual: np.ndarray = np.fmin(_median_before(values), _median_before(values[::-1])[::-1])
    return np.nan_to_num(usual, posinf=np.inf)


def _median_before(values: np.ndarray) -> np.ndarray:
    """Return the lower medians (F, N) of the values (F, N) just before each frame, ignoring NaN."""
    padded = np.concatenate([np.full((_USUAL_FRAMES, values.shape[1]), np.nan), values[:-1]])
    ordered = np.sort(np.lib.stride_tricks.sliding_window_view(padded, _USUAL_FRAMES, axis=0), axis=-1)
    count = (~np.isnan(ordered)).sum(axis=-1, keepdims=True)
    return np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)[..., 0]


def expected_places(positions: np.ndarray, seen: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions (F, K, 3) extrapolated linearly from the last two seen ones, and where they are known (F, K).

    Args:
        positions: (F, K, 3) metres, finite.
        seen: (F, K) bool.
        reach: how many frames ago a point may have been seen last. A point seen only once in them stands still.
    """
    frames = np.arange(len(seen))[:, None]
    last = np.maximum.accumulate(np.where(seen, frames, -1), axis=0)
    first = np.concatenate([np.full_like(last[:1], -1), last[:-1]])
    second = np.where(first > 0, np.take_along_axis(first, np.maximum(first, 0), axis=0), -1)
    near, far = _positions_at(positions, first), _positions_at(positions, second)
    moves = (second >= 0) & (frames - second <= reach)
    factor = np.where(moves, (frames - first) / np.maximum(first - second, 1), 0.0)
    return near + factor[..., None] * (near - far), (first >= 0) & (frames - first <= reach)


def _positions_at(positions: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Return the positions (F, K, 3) of points at earlier frames (F, K); the first frame's for those below 0."""
    back = max(1, int(np.bincount((np.arange(len(frames))[:, None] - frames).ravel()).argmax()))
    # Nearly all points were last seen the same number of frames ago, and a shift is faster than a look-up.
    shifted: np.ndarray = np.concatenate(
        [np.repeat(positions[:1], min(back, len(positions)), axis=0), positions[:-back]]
    )
    rows, columns = np.nonzero(frames != np.arange(len(frames))[:, None] - back)
    shifted[rows, columns] = positions[np.maximum(frames[rows, columns], 0), columns]
    return shifted
