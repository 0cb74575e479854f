"""Rotation conversions, batched over any leading dimensions, for NumPy arrays and torch tensors.

Convention: matrices act on column vectors (``v' = R v``); axis-angle in radians; quaternions are (w, x, y, z) with
w >= 0; the six numbers of ``rot6d`` are the first two columns of the matrix stored row-major as (3, 2)
(Zhou et al., "On the Continuity of Rotation Representations in Neural Networks", CVPR 2019).
"""

from __future__ import annotations

import numpy as np

from .arrays import Array, at_least, like, namespace

_TINY = 1e-12


def _stack_last(*parts: Array) -> Array:
    """Stack N arrays (...) along a new last axis (..., N); for small arrays, several times faster than ``stack``."""
    if not isinstance(parts[0], np.ndarray):
        return namespace(*parts).stack(parts, axis=-1)
    whole = np.empty((*parts[0].shape, len(parts)), dtype=parts[0].dtype)
    for index, part in enumerate(parts):
        whole[..., index] = part
    return whole


def _norm(vectors: Array) -> Array:
    return namespace(vectors).sqrt(dot(vectors, vectors))


def unit(vectors: Array) -> Array:
    """Return *vectors* (..., 3) normalised to length 1; a zero vector stays zero."""
    return vectors / at_least(_norm(vectors), _TINY)[..., None]


def cross(first: Array, second: Array) -> Array:
    """Return the cross products (..., 3) of two arrays of vectors, broadcast against each other."""
    x1, y1, z1 = first[..., 0], first[..., 1], first[..., 2]
    x2, y2, z2 = second[..., 0], second[..., 1], second[..., 2]
    return _stack_last(y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2)


def dot(first: Array, second: Array) -> Array:
    """Return the dot product (...) along the last axis."""
    return namespace(first, second).einsum("...i,...i->...", first, second)


def transposed(matrices: Array) -> Array:
    """Return the transposes of matrices (..., 3, 3); for rotations, the inverses."""
    return namespace(matrices).matrix_transpose(matrices)


def quat_wxyz_to_matrix(quat_wxyz: Array) -> Array:
    """Return matrices (..., 3, 3) of unit quaternions (..., 4)."""
    w, x, y, z = (quat_wxyz[..., i] for i in range(4))
    xx, yy, zz, xy, xz, yz, wx, wy, wz = x * x, y * y, z * z, x * y, x * z, y * z, w * x, w * y, w * z
    entries = _stack_last(
        1 - 2 * (yy + zz), 2 * (xy - wz), 2 * (xz + wy),
        2 * (xy + wz), 1 - 2 * (xx + zz), 2 * (yz - wx),
        2 * (xz - wy), 2 * (yz + wx), 1 - 2 * (xx + yy),
    )  # fmt: skip
    return namespace(entries).reshape(entries, (*quat_wxyz.shape[:-1], 3, 3))


def axis_angle_to_quat_wxyz(axis_angle: Array) -> Array:
    """Return unit quaternions (..., 4), w first, of axis-angle vectors (..., 3), radians."""
    xp = namespace(axis_angle)
    angle = _norm(axis_angle)
    half = 0.5 * angle
    bounded = at_least(half, 1e-6)  # below it the ratio is constant
    ratio = 0.5 * xp.sin(bounded) / bounded
    return xp.concat([xp.cos(half)[..., None], axis_angle * ratio[..., None]], axis=-1)


def axis_angle_to_matrix(axis_angle: Array) -> Array:
    """Return matrices (..., 3, 3) of axis-angle vectors (..., 3), radians."""
    return quat_wxyz_to_matrix(axis_angle_to_quat_wxyz(axis_angle))


def matrix_to_quat_wxyz(matrices: Array) -> Array:
    """Return unit quaternions (..., 4), w first and >= 0, of rotation matrices (..., 3, 3).

    Each matrix is divided by the largest of its four components (Shepperd, "Quaternion from Rotation Matrix", Journal
    of Guidance and Control 1, 1978), so the result is accurate at every angle.
    """
    xp = namespace(matrices)
    m = [[matrices[..., i, j] for j in range(3)] for i in range(3)]
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = m
    trace = xx + yy + zz
    best = xp.argmax(_stack_last(trace, xx, yy, zz), axis=-1)[..., None]
    wx, wy, wz, xy, xz, yz = zy - yz, xz - zx, yx - xy, xy + yx, zx + xz, yz + zy
    candidates = (
        (1 + trace, wx, wy, wz),
        (wx, 1 + 2 * xx - trace, xy, xz),
        (wy, xy, 1 + 2 * yy - trace, yz),
        (wz, xz, yz, 1 + 2 * zz - trace),
    )
    quat = _stack_last(*candidates[0])
    for index in (1, 2, 3):
        quat = xp.where(best == index, _stack_last(*candidates[index]), quat)
    quat = quat / _norm(quat)[..., None]
    return xp.where(quat[..., :1] < 0, -quat, quat)


def quat_wxyz_to_axis_angle(quat_wxyz: Array) -> Array:
    """Return axis-angle vectors (..., 3), radians, of length 0 to pi, of unit quaternions (..., 4), w first."""
    xp = namespace(quat_wxyz)
    quat = xp.where(quat_wxyz[..., :1] < 0, -quat_wxyz, quat_wxyz)
    vector = quat[..., 1:]
    sine = _norm(vector)
    ratio = 2.0 * xp.atan2(sine, quat[..., 0]) / at_least(sine, _TINY)
    return vector * ratio[..., None]


def matrix_to_axis_angle(matrices: Array) -> Array:
    """Return axis-angle vectors (..., 3), radians, of length 0 to pi, of rotation matrices (..., 3, 3)."""
    return quat_wxyz_to_axis_angle(matrix_to_quat_wxyz(matrices))


def rot6d_to_matrix(rot6d: Array) -> Array:
    """Return rotation matrices (..., 3, 3) of 6D rotations (..., 6): two columns, orthonormalised by Gram-Schmidt."""
    xp = namespace(rot6d)
    columns = xp.reshape(rot6d, (*rot6d.shape[:-1], 3, 2))
    first = unit(columns[..., 0])
    second = columns[..., 1]
    second = unit(second - dot(first, second)[..., None] * first)
    return xp.stack([first, second, cross(first, second)], axis=-1)


def slerp_matrices(start: Array, end: Array, share: Array) -> Array:
    """Interpolate rotations from *start* to *end* along the shortest path (slerp).

    Args:
        start: (..., 3, 3).
        end: (..., 3, 3).
        share: fraction of the path, 0 to 1, broadcast against the leading dimensions.
    """
    turn = matrix_to_axis_angle(transposed(start) @ end)
    return start @ axis_angle_to_matrix(turn * share[..., None])


def swing_between(start: Array, end: Array) -> Array:
    """Return the smallest rotations (..., 3, 3) from the directions *start* (..., 3) to *end* (..., 3).

    Opposite directions give half a turn about an arbitrary perpendicular axis.
    """
    xp = namespace(start, end)
    start, end = xp.broadcast_arrays(unit(start), unit(end))
    axis = cross(start, end)
    cosine = dot(start, end)
    opposite = cosine < -1.0 + 1e-6
    x_axis, y_axis = like(np.eye(3)[:2], start)
    one_hot = xp.where(xp.abs(start[..., :1]) < 0.7, x_axis, y_axis)
    axis = xp.where(opposite[..., None], cross(start, one_hot), axis)
    quat = xp.concat([xp.where(opposite, xp.zeros_like(cosine), 1.0 + cosine)[..., None], axis], axis=-1)
    return quat_wxyz_to_matrix(quat / _norm(quat)[..., None])


def nearest_rotation(matrices: Array) -> Array:
    """Return the rotations (..., 3, 3) nearest to *matrices* (..., 3, 3) in the Frobenius norm.

    Kabsch, "A solution for the best rotation to relate two sets of vectors", Acta Crystallographica A32, 1976.
    """
    xp = namespace(matrices)
    left, _, right = xp.linalg.svd(matrices)
    sign = xp.where(xp.linalg.det(left @ right) < 0, -1.0, 1.0)
    sign = xp.astype(sign, matrices.dtype)
    last = left[..., 2:] * sign[..., None, None]
    return xp.concat([left[..., :2], last], axis=-1) @ right
