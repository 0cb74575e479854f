"""Fill in fingers that are not seen: interpolate short gaps, relax the hand in longer ones. H hands, F frames.

In a short gap, values follow a smooth step from one seen frame to the next. In a longer gap, and before the first and
after the last seen frame, they ease to the values of a relaxed hand and back.
"""

from __future__ import annotations

import numpy as np

from ...math.smoothstep import smoothstep

_BRIDGED_S = 0.4
"""The longest gap that is bridged."""
_EASE_S = 0.4
"""Time in which fingers relax, and in which they come back."""


def fill_gaps(values: np.ndarray, known: np.ndarray, relaxed: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Return *values* with unknown ones filled in, and where (..., F) they were relaxed instead of bridged.

    Args:
        values: (..., F) angles, arbitrary where unknown.
        known: (..., F) bool.
        relaxed: (..., 1) the values of a relaxed hand.
        fps: frames per second.
    """
    if known.all():
        return values, np.zeros_like(known)
    num_frames = known.shape[-1]
    frames = np.arange(num_frames)
    before = np.maximum.accumulate(np.where(known, frames, -1), axis=-1)
    after = np.minimum.accumulate(np.where(known, frames, num_frames)[..., ::-1], axis=-1)[..., ::-1]
    closed = (before >= 0) & (after < num_frames)
    bridged = closed & (after - before - 1 <= max(_BRIDGED_S * fps, 1.0))
    start = np.where(before >= 0, np.take_along_axis(values, np.maximum(before, 0), axis=-1), relaxed)
    end = np.where(after < num_frames, np.take_along_axis(values, np.minimum(after, num_frames - 1), axis=-1), relaxed)
    share = smoothstep((frames - before) / np.maximum(after - before, 1))
    between = start + share * (end - start)
    ease = max(_EASE_S * fps, 1.0)
    leaving = np.where(before >= 0, smoothstep(1.0 - (frames - before) / ease), 0.0)
    coming = np.where(after < num_frames, smoothstep(1.0 - (after - frames) / ease), 0.0)
    apart = relaxed + leaving * (start - relaxed) + coming * (end - relaxed)
    filled = np.where(known, values, np.where(bridged, between, apart))
    return filled, ~known & ~bridged
