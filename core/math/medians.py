"""Medians of values that are only partly known."""

from __future__ import annotations

import numpy as np


def known_median(values: np.ndarray, known: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower median of the known values along *axis*, 0 where none is known, and the number of known ones.

    The lower median of an even number of values is the smaller of the two in the middle.

    Args:
        values: any shape; arbitrary where not known.
        known: bool, broadcast against *values*.
        axis: the axis, which the results lack.
    """
    count = np.broadcast_to(known, values.shape).sum(axis=axis, keepdims=True)
    ordered = np.sort(np.where(known, values, np.inf), axis=axis)
    median = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=axis)
    return np.where(count > 0, median, 0.0).squeeze(axis), count.squeeze(axis)
