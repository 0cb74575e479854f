"""Vector and statistics helpers for points over time. F frames; the last axis of points is x, y, z."""

from __future__ import annotations

import warnings

import numpy as np

_DENSEST_FRACTION = 0.4


def lengths(vectors: np.ndarray) -> np.ndarray:
    """Return the length of each vector of (..., 3)."""
    return np.asarray(np.linalg.norm(vectors, axis=-1))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return *vectors* (..., 3) normalised to length 1; vectors of length 0 become NaN."""
    size = lengths(vectors)[..., None]
    return np.asarray(vectors / np.where(size > 0.0, size, np.nan))


def dot(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the dot product over the last axis, which is kept with length 1."""
    return np.asarray(np.sum(first * second, axis=-1, keepdims=True))


def across(vectors: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Return the component of *vectors* (..., 3) perpendicular to the unit vectors *axis*."""
    return np.asarray(vectors - dot(vectors, axis) * axis)


def median(values: np.ndarray) -> float:
    """Return the median of the finite values; NaN if there are none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")


def densest(values: np.ndarray) -> tuple[float, float]:
    """Return the median and half-width of the narrowest interval that contains two fifths of the finite values.

    Unlike the median of all values, it does not shift if half of the values are outliers. NaN if no value is finite.
    """
    ordered = np.sort(values[np.isfinite(values)], axis=None)
    if ordered.size == 0:
        return float("nan"), float("nan")
    count = int(np.ceil(_DENSEST_FRACTION * ordered.size))
    widths = ordered[count - 1 :] - ordered[: ordered.size - count + 1]
    start = int(np.argmin(widths))
    return float(np.median(ordered[start : start + count])), float(widths[start]) / 2.0


def bridged(directions: np.ndarray, reliable: np.ndarray) -> np.ndarray:
    """Return unit vectors (F, 3), interpolated in frames that are not *reliable* (F,); NaN if no frame is reliable."""
    frames, known = np.arange(len(directions)), np.flatnonzero(reliable)
    if known.size == 0:
        return np.full_like(directions, np.nan)
    units = unit(directions[known])
    return unit(np.stack([np.interp(frames, known, units[:, column]) for column in range(3)], axis=-1))


def mean_of(*points: np.ndarray) -> np.ndarray:
    """Return the mean of several points (F, 3); NaN where any of them is missing."""
    return np.asarray(np.mean(np.stack(points), axis=0))


def present_mean(points: np.ndarray) -> np.ndarray:
    """Return the mean (F, 3) of the present points among *points* (N, F, 3); NaN where all are missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(points, axis=0))
