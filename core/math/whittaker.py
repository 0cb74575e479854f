"""The Whittaker smoother: the smoothest curve near the data. F frames, K curves, D dimensions.

Eilers, "A perfect smoother", Analytical Chemistry 75, 2003: the smooth curve z minimises
``sum_t w_t |y_t - z_t|^2 + sum_t s_t |second difference of z|^2``. With s = noise variance / variance of the true
second difference this is the best linear estimate.
"""

from __future__ import annotations

import numpy as np

_LEAST_WEIGHT = 1e-9


def whittaker(observed: np.ndarray, weights: np.ndarray, stiffness: np.ndarray) -> np.ndarray:
    """Solve (W + D' S D) z = W y for each curve, D the second difference.

    The matrix has five diagonals, so it is block tridiagonal in pairs of frames. Cyclic reduction (Hockney, "A fast
    direct solution of Poisson's equation", 1965) eliminates every other pair at once, then every other one of those
    that are left, and so on.

    Args:
        observed: (F, K, D).
        weights: (F, K).
        stiffness: (F, K); entry t weighs the second difference centred on frame t.
    """
    num_frames, num_curves, size = observed.shape
    if num_frames < 3:
        return observed
    even = num_frames + num_frames % 2
    main, first, second = np.ones((even, num_curves)), np.zeros((even, num_curves)), np.zeros((even, num_curves))
    s = stiffness[1:-1]
    main[:num_frames] = weights + _LEAST_WEIGHT
    main[: num_frames - 2] += s
    main[1 : num_frames - 1] += 4.0 * s
    main[2:num_frames] += s
    first[: num_frames - 2] -= 2.0 * s
    first[1 : num_frames - 1] -= 2.0 * s
    second[: num_frames - 2] = s
    right = np.zeros((2, size, even // 2, num_curves))
    weighted = np.moveaxis(weights[..., None] * observed, -1, 0)
    right[0], right[1, :, : num_frames // 2] = weighted[:, 0::2], weighted[:, 1::2]
    own = np.array([[main[0::2], first[0::2]], [first[0::2], main[1::2]]])
    after = np.array([[second[0::2], np.zeros_like(second[0::2])], [first[1::2], second[1::2]]])[:, :, :-1]
    solved = _solved(own, after, right)
    return np.moveaxis(solved, 1, -1).swapaxes(0, 1).reshape(even, num_curves, size)[:num_frames]


def _solved(own: np.ndarray, after: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the solution (2, D, N, K) of N pairs' equations.

    Args:
        own: (2, 2, N, K) each pair's own, symmetric.
        after: (2, 2, N - 1, K) from the next pair to each.
        right: (2, D, N, K) the right side.
    """
    if own.shape[2] == 1:
        return _divided(own, right)
    odd = own[:, :, 1::2]
    # An odd pair is known from the even pairs before and after it.
    before, behind = after[:, :, 0::2], after[:, :, 1::2]
    last = behind.shape[2]
    from_before = _divided(odd, before.swapaxes(0, 1))
    from_behind = _divided(odd[:, :, :last], behind)
    alone = _divided(odd, right[:, :, 1::2])
    kept, kept_right = own[:, :, 0::2].copy(), right[:, :, 0::2].copy()
    num_odd = odd.shape[2]
    kept[:, :, :num_odd] -= _times(before, from_before)
    kept[:, :, 1 : last + 1] -= _times(behind.swapaxes(0, 1), from_behind)
    kept_right[:, :, :num_odd] -= _times(before, alone)
    kept_right[:, :, 1 : last + 1] -= _times(behind.swapaxes(0, 1), alone[:, :, :last])
    even = _solved(kept, -_times(before[:, :, :last], from_behind), kept_right)
    solution = np.empty_like(right)
    solution[:, :, 0::2] = even
    alone -= _times(from_before, even[:, :, :num_odd])
    alone[:, :, :last] -= _times(from_behind, even[:, :, 1 : last + 1])
    solution[:, :, 1::2] = alone
    return solution


def _divided(pairs: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the solutions (2, D, N, K) of symmetric *pairs* (2, 2, N, K) with their right sides (2, D, N, K)."""
    solution = np.empty_like(right)
    share = pairs[0, 1] / pairs[0, 0]
    np.divide(right[1] - share * right[0], pairs[1, 1] - share * pairs[0, 1], out=solution[1])
    np.subtract(right[0] / pairs[0, 0], share * solution[1], out=solution[0])
    return solution


def _times(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the products (2, D, N, K) of matrices (2, 2, N, K) and (2, D, N, K)."""
    product: np.ndarray = left[:, 0, None] * right[0]
    product += left[:, 1, None] * right[1]
    return product
