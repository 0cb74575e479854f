"""The Whittaker smoother: the smoothest curve near the data. F frames, K curves, D dimensions.

Eilers, "A perfect smoother", Analytical Chemistry 75, 2003: the smooth curve z minimises
``sum_t w_t |y_t - z_t|^2 + sum_t s_t |second difference of z|^2``. With s = noise variance / variance of the true
second difference this is the best linear estimate.
"""

from __future__ import annotations

import numpy as np


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
    pivot, upper, upper2 = np.empty_like(main), np.zeros_like(main), np.zeros_like(main)
    partial = np.empty_like(right)
    for t in range(num_frames):
        p, b, r = main[t].copy(), first[t].copy(), right[t].copy()
        if t >= 1:
            p -= upper[t - 1] ** 2 * pivot[t - 1]
            b -= upper[t - 1] * upper2[t - 1] * pivot[t - 1]
            r -= upper[t - 1][:, None] * partial[t - 1]
        if t >= 2:
            p -= upper2[t - 2] ** 2 * pivot[t - 2]
            r -= upper2[t - 2][:, None] * partial[t - 2]
        pivot[t], partial[t] = p, r
        upper[t], upper2[t] = b / p, second[t] / p
    smooth: np.ndarray = partial / pivot[..., None]
    for t in range(num_frames - 2, -1, -1):
        smooth[t] -= upper[t][:, None] * smooth[t + 1]
        if t + 2 < num_frames:
            smooth[t] -= upper2[t][:, None] * smooth[t + 2]
    return smooth
