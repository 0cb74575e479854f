"""The Whittaker smoother: a penalised least-squares fit of smooth curves. F frames, K curves, D dimensions.

Eilers, "A perfect smoother", Analytical Chemistry 75, 2003: the smooth curve z minimises
``sum_t w_t |y_t - z_t|^2 + sum_t s_t |second difference of z|^2``. With s = noise variance / variance of the true
second difference, this is the best linear estimate.
"""

from __future__ import annotations

import numpy as np

_MIN_WEIGHT = 1e-9


def whittaker(observed: np.ndarray, weights: np.ndarray, stiffness: np.ndarray) -> np.ndarray:
    """Solve (W + D' S D) z = W y for each curve, D the second difference.

    The matrix is pentadiagonal, so it is block tridiagonal in pairs of frames. Cyclic reduction (Hockney, "A fast
    direct solution of Poisson's equation", 1965) eliminates every other pair at once, then every other remaining pair,
    and so on.

    Args:
        observed: (F, K, D) the data y.
        weights: (F, K) the weights w.
        stiffness: (F, K); entry t weighs the second difference centred on frame t.
    """
    num_frames, num_curves, size = observed.shape
    if num_frames < 3:
        return observed
    even = num_frames + num_frames % 2
    main, first, second = np.ones((even, num_curves)), np.zeros((even, num_curves)), np.zeros((even, num_curves))
    s = stiffness[1:-1]
    main[:num_frames] = weights + _MIN_WEIGHT
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
    solved = _solve(own, after, right)
    return np.moveaxis(solved, 1, -1).swapaxes(0, 1).reshape(even, num_curves, size)[:num_frames]


def _solve(own: np.ndarray, after: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the solution (2, D, N, K) of the block tridiagonal equations of N pairs.

    Args:
        own: (2, 2, N, K) diagonal blocks, symmetric.
        after: (2, 2, N - 1, K) blocks that couple each pair to the next.
        right: (2, D, N, K) right-hand side.
    """
    if own.shape[2] == 1:
        return _divide(own, right)
    odd = own[:, :, 1::2]
    # Express each odd pair by the even pairs before and after it.
    before, behind = after[:, :, 0::2], after[:, :, 1::2]
    last = behind.shape[2]
    from_before = _divide(odd, before.swapaxes(0, 1))
    from_behind = _divide(odd[:, :, :last], behind)
    alone = _divide(odd, right[:, :, 1::2])
    kept, kept_right = own[:, :, 0::2].copy(), right[:, :, 0::2].copy()
    num_odd = odd.shape[2]
    kept[:, :, :num_odd] -= _times(before, from_before)
    kept[:, :, 1 : last + 1] -= _times(behind.swapaxes(0, 1), from_behind)
    kept_right[:, :, :num_odd] -= _times(before, alone)
    kept_right[:, :, 1 : last + 1] -= _times(behind.swapaxes(0, 1), alone[:, :, :last])
    even = _solve(kept, -_times(before[:, :, :last], from_behind), kept_right)
    solution = np.empty_like(right)
    solution[:, :, 0::2] = even
    alone -= _times(from_before, even[:, :, :num_odd])
    alone[:, :, :last] -= _times(from_behind, even[:, :, 1 : last + 1])
    solution[:, :, 1::2] = alone
    return solution


def _divide(pairs: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve the symmetric systems *pairs* (2, 2, N, K) for their right-hand sides (2, D, N, K)."""
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
