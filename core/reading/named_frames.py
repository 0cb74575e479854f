"""Frames named in the doubts of a track."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def named_frames(frames: Sequence[int] | np.ndarray, most: int = 8) -> str:
    """Return at most so many of the first *frames* as text, with dots if there are more."""
    return ", ".join(str(frame) for frame in frames[:most]) + (" ..." if len(frames) > most else "")
