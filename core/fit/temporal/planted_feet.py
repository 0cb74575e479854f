"""Feet that stood where they vanished and stand there again stayed there. F frames, K keypoints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..observations import FOOT_POINTS

_SAME_PLACE_M = 0.04
"""A point that is back within this distance of where it vanished is at the same place."""
_STILL_M_S, _STILL_S = 0.15, 0.1
"""A point stands if it is slower than that over so many seconds, before it vanishes and again when it is back."""


def hold_still_feet(
    names: Sequence[str], positions: np.ndarray, seen: np.ndarray, fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return *positions* (F, K, 3) with the hidden points of planted feet where they stood, and which (F, K) those are.

    Args:
        names: the solver points.
        positions: (F, K, 3) metres, smooth.
        seen: (F, K) bool.
        fps: frames a second.
    """
    held, stays = positions.copy(), np.zeros(seen.shape, dtype=bool)
    for column in (column for column, name in enumerate(names) if name in FOOT_POINTS):
        path, shown = positions[:, column], seen[:, column]
        vanishes = np.flatnonzero(shown[:-1] & ~shown[1:])
        for last in vanishes.tolist():
            back = last + 1 + int(np.argmax(shown[last + 1 :]))
            if not shown[back] or np.linalg.norm(path[back] - path[last]) > _SAME_PLACE_M:
                continue
            if _stands(path, shown, last, -1, fps) and _stands(path, shown, back, 1, fps):
                share = np.linspace(0.0, 1.0, back - last + 1)[1:-1, None]
                held[last + 1 : back, column] = path[last] + share * (path[back] - path[last])
                stays[last + 1 : back, column] = True
    return held, stays


def _stands(path: np.ndarray, shown: np.ndarray, frame: int, step: int, fps: float) -> bool:
    """Return whether a point stands at a frame, by the frames on one side of it.

    Args:
        path: (F, 3) metres.
        shown: (F,) bool.
        frame: which frame, shown.
        step: 1 for the frames after it, -1 for those before.
        fps: frames a second.
    """
    num_steps = 0
    while num_steps < max(1, round(_STILL_S * fps)):
        beyond = frame + step * (num_steps + 1)
        if not 0 <= beyond < len(path) or not shown[beyond]:
            break
        num_steps += 1
    way = float(np.linalg.norm(path[frame + step * num_steps] - path[frame]))
    return num_steps > 0 and way * fps < _STILL_M_S * num_steps
