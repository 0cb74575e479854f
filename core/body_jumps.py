"""Find where the whole person jumps elsewhere from one frame to the next. F frames, K keypoints.

All points move at once where a tracker takes another person for this one, starts anew or corrects its drift, and at a
cut in a recording. Smoothing across such a jump would bend the poses beside it. The person's step is the median of the
points' steps.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .math.medians import known_median

_JUMP_M, _ACCELERATION = 0.25, 100.0
"""A jump changes the person's step from frame to frame by more than both: metres, and metres per square second, three
times what a landing or a fall does."""
_SHORT_FRAMES = 3
"""A person who is back after this many frames was not elsewhere: the smoothing leaves such frames out."""
_AROUND = 2
"""A person's usual step is the median of this many steps before and after, and the step itself."""
_LEAST_SEEN = 4


def find_body_jumps(positions: np.ndarray, seen: np.ndarray, fps: float) -> np.ndarray:
    """Return the jump (F, 3), metres, of the whole person before each frame; 0 where there is none.

    Args:
        positions: (F, K, 3) metres, finite.
        seen: (F, K) bool.
        fps: frames per second.
    """
    jumps = np.zeros((len(positions), 3))
    if len(positions) < 3:
        return jumps
    both = seen[1:] & seen[:-1]
    step, count = known_median(np.diff(positions, axis=0), both[..., None], axis=1)
    around = np.pad(step, ((_AROUND, _AROUND), (0, 0)), mode="edge")
    change = step - np.median(sliding_window_view(around, 2 * _AROUND + 1, axis=0), axis=-1)
    size = np.linalg.norm(change, axis=-1)
    jumped = (count[:, 0] >= _LEAST_SEEN) & (size > max(_JUMP_M, _ACCELERATION / fps**2))
    frames = np.flatnonzero(jumped)
    for first, second in zip(frames[:-1], frames[1:], strict=True):
        back = np.linalg.norm(change[first] + change[second]) < 0.5 * size[first]
        if back and second - first <= _SHORT_FRAMES and jumped[first]:
            jumped[[first, second]] = False
    jumps[1:][jumped] = change[jumped]
    return jumps
