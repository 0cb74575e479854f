"""Keep hidden points of planted feet in place, where they stood before and after the gap. F frames, K keypoints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..point_groups import FOOT_POINTS

_SAME_PLACE_M = 0.04
"""A point that reappears within this distance of where it disappeared is at the same place."""
_STILL_M_S, _STILL_S = 0.15, 0.1
"""A point stands if it is slower than this over this many seconds before it disappears and after it reappears."""


def hold_still_feet(
    names: Sequence[str], positions: np.ndarray, seen: np.ndarray, fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return *positions* (F, K, 3) with the hidden points of planted feet held in place, and where (F, K) bool.

    Args:
        names: the solver points.
        positions: (F, K, 3) metres, smooth.
        seen: (F, K) bool.
        fps: frames per second.
    """
    held, planted = positions.copy(), np.zeros(seen.shape, dtype=bool)
    for column in (column for column, name in enumerate(names) if name in FOOT_POINTS):
        path, shown = positions[:, column], seen[:, column]
        last_seen_frames = np.flatnonzero(shown[:-1] & ~shown[1:])
        for last in last_seen_frames.tolist():
            next_seen = last + 1 + int(np.argmax(shown[last + 1 :]))
            if not shown[next_seen] or np.linalg.norm(path[next_seen] - path[last]) > _SAME_PLACE_M:
                continue
            if _stands(path, shown, last, -1, fps) and _stands(path, shown, next_seen, 1, fps):
                fraction = np.linspace(0.0, 1.0, next_seen - last + 1)[1:-1, None]
                held[last + 1 : next_seen, column] = path[last] + fraction * (path[next_seen] - path[last])
                planted[last + 1 : next_seen, column] = True
    return held, planted


def _stands(path: np.ndarray, shown: np.ndarray, frame: int, step: int, fps: float) -> bool:
    """Return whether a point stands at a frame, judged by the frames on one side of it.

    Args:
        path: (F, 3) metres.
        shown: (F,) bool.
        frame: index of a frame that shows the point.
        step: 1 for the frames after it, -1 for those before.
        fps: frames per second.
    """
    num_steps = 0
    while num_steps < max(1, round(_STILL_S * fps)):
        beyond = frame + step * (num_steps + 1)
        if not 0 <= beyond < len(path) or not shown[beyond]:
            break
        num_steps += 1
    distance = float(np.linalg.norm(path[frame + step * num_steps] - path[frame]))
    return num_steps > 0 and distance * fps < _STILL_M_S * num_steps
