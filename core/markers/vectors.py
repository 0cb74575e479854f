"""Small vector helpers for points over time. F frames; every array ends in x, y, z."""

from __future__ import annotations

import warnings

import numpy as np

_DENSEST = 0.4


def lengths(vectors: np.ndarray) -> np.ndarray:
    """Return the length of each vector of (..., 3)."""
    return np.asarray(np.linalg.norm(vectors, axis=-1))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return (..., 3) vectors of length 1; a vector of length 0 becomes NaN."""
    size = lengths(vectors)[..., None]
    return np.asarray(vectors / np.where(size > 0.0, size, np.nan))


def dot(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the scalar product over the last axis, which stays with length 1."""
    return np.asarray(np.sum(first * second, axis=-1, keepdims=True))


def across(vectors: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Return the part of *vectors* (..., 3) that is perpendicular to the unit vectors *axis*."""
    return np.asarray(vectors - dot(vectors, axis) * axis)


def median(values: np.ndarray) -> float:
    """Return the median of the values that are finite; NaN when there is none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")


def densest(values: np.ndarray) -> tuple[float, float]:
    """Return the median and half the width of the narrowest interval that holds two fifths of the finite values.

    Unlike a median, it is not moved when half of the values is off. NaN when there is none.
    """
    ordered = np.sort(values[np.isfinite(values)], axis=None)
    if ordered.size == 0:
        return float("nan"), float("nan")
    count = int(np.ceil(_DENSEST * ordered.size))
    widths = ordered[count - 1 :] - ordered[: ordered.size - count + 1]
    start = int(np.argmin(widths))
    return float(np.median(ordered[start : start + count])), float(widths[start]) / 2.0


def bridged(directions: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Return unit vectors (F, 3) that are interpolated where they are not *told* (F,); NaN where none is."""
    frames, known = np.arange(len(directions)), np.flatnonzero(told)
    if known.size == 0:
        return np.full_like(directions, np.nan)
    reliable = unit(directions[known])
    return unit(np.stack([np.interp(frames, known, reliable[:, column]) for column in range(3)], axis=-1))


def mean_of(*points: np.ndarray) -> np.ndarray:
    """Return the mean of several (F, 3) points; missing where one of them is."""
    return np.asarray(np.mean(np.stack(points), axis=0))


def present_mean(points: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of (N, F, 3) of what is present; missing where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(points, axis=0))
