"""The Whittaker smoother: the smoothest curve near the data. F frames, K curves, D dimensions.

Eilers, "A perfect smoother", Analytical Chemistry 75, 2003: the smooth curve z minimises
``sum_t w_t |y_t - z_t|^2 + sum_t s_t |second difference of z|^2``. With s = noise variance / variance of the true
second difference this is the best linear estimate.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

_Row = TypeVar("_Row", float, np.ndarray)
"""What belongs to a frame: a number, or an array with one for each curve."""


def whittaker(observed: np.ndarray, weights: np.ndarray, stiffness: np.ndarray) -> np.ndarray:
    """Solve (W + D' S D) z = W y for each curve, D the second difference: five diagonals, factorised without pivots.

    Args:
        observed: (F, K, D).
        weights: (F, K).
        stiffness: (F, K); entry t weighs the second difference centred on frame t.
    """
    num_frames = len(observed)
    if num_frames < 3:
        return observed
    s = stiffness[1:-1]
    main = weights + 1e-9
    main[:-2] += s
    main[1:-1] += 4.0 * s
    main[2:] += s
    first = np.zeros_like(main)
    first[:-2] -= 2.0 * s
    first[1:-1] -= 2.0 * s
    second = np.zeros_like(main)
    second[:-2] = s
    right = weights[..., None] * observed
    if observed.shape[1] == 1:  # numbers of Python are much faster than arrays of one number
        factors = _factors(*(band[:, 0].tolist() for band in (main, first, second)))
        columns = [_solved(*factors, column.tolist()) for column in right[:, 0].T]
        return np.asarray(np.stack(columns, axis=-1)[:, None])
    pivots, upper, upper2 = (
        list(np.stack(rows)[..., None]) for rows in _factors(list(main), list(first), list(second))
    )
    return np.stack(_solved(pivots, upper, upper2, list(right)))


def _factors(main: list[_Row], first: list[_Row], second: list[_Row]) -> tuple[list[_Row], list[_Row], list[_Row]]:
    """Return the pivots, and the two diagonals above the main one of the factor that has ones on it.

    Args:
        main: (F) the main diagonal.
        first: (F) the next one: entry t belongs to the frames t and t + 1.
        second: (F) the one after that.
    """
    pivots, upper, upper2 = [main[0]], [first[0] / main[0]], [second[0] / main[0]]
    for t in range(1, len(main)):
        lower = upper[t - 1] * pivots[t - 1]
        pivot = main[t] - upper[t - 1] * lower
        if t >= 2:
            pivot = pivot - upper2[t - 2] * second[t - 2]
        pivots.append(pivot)
        upper.append((first[t] - lower * upper2[t - 1]) / pivot)
        upper2.append(second[t] / pivot)
    return pivots, upper, upper2


def _solved(pivots: list[_Row], upper: list[_Row], upper2: list[_Row], right: list[_Row]) -> list[_Row]:
    """Return the solution (F) for the right-hand side *right* (F) of equations with these factors."""
    partial = right[:1]
    for t in range(1, len(right)):
        row = right[t] - upper[t - 1] * partial[t - 1]
        partial.append(row if t < 2 else row - upper2[t - 2] * partial[t - 2])
    after = after2 = 0.0 * right[0]
    solved = []
    for t in range(len(right) - 1, -1, -1):
        after, after2 = partial[t] / pivots[t] - upper[t] * after - upper2[t] * after2, after
        solved.append(after)
    return solved[::-1]
