"""Small matrices and vectors with the frames on the last axis: (3, 3, ..., F) and (3, ..., F). J joints, K points.

A product over all frames is then a few additions and multiplications of long contiguous rows, which NumPy computes
several times faster than many 3 x 3 products.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array, at_least, contiguous, kind_of, like, namespace

_TINY = 1e-12


def matrices_last(matrices: Array) -> Array:
    """Return matrices (F, J, 3, 3) as (3, 3, J, F)."""
    return contiguous(namespace(matrices).permute_dims(matrices, (2, 3, 1, 0)))


def matrices_first(matrices: Array) -> Array:
    """Return matrices (3, 3, J, F) as (F, J, 3, 3)."""
    return contiguous(namespace(matrices).permute_dims(matrices, (3, 2, 0, 1)))


def reversed_axes(array: Array) -> Array:
    """Return an array with its axes in the opposite order: (F, K, 3) as (3, K, F), and back."""
    return contiguous(namespace(array).permute_dims(array, tuple(reversed(range(array.ndim)))))


def times(first: Array, second: Array) -> Array:
    """Return the products of matrices (3, 3, ...)."""
    product = first[:, 0, None] * second[None, 0]
    for inner in (1, 2):
        product += first[:, inner, None] * second[None, inner]
    return product


def transposed_times(first: Array, second: Array) -> Array:
    """Return the products of the transposes of matrices *first* (3, 3, ...) with matrices *second*."""
    product = first[0, :, None] * second[0, None]
    for inner in (1, 2):
        product += first[inner, :, None] * second[inner, None]
    return product


def times_transposed(first: Array, second: Array) -> Array:
    """Return the products of matrices *first* (3, 3, ...) with the transposes of matrices *second*."""
    product = first[:, 0, None] * second[None, :, 0]
    for inner in (1, 2):
        product += first[:, inner, None] * second[None, :, inner]
    return product


def apply(matrices: Array, vectors: Array) -> Array:
    """Return matrices (3, 3, ...) times vectors (3, ...)."""
    return matrices[:, 0] * vectors[0] + matrices[:, 1] * vectors[1] + matrices[:, 2] * vectors[2]


def apply_transposed(matrices: Array, vectors: Array) -> Array:
    """Return the transposes of matrices (3, 3, ...) times vectors (3, ...)."""
    return matrices[0] * vectors[0] + matrices[1] * vectors[1] + matrices[2] * vectors[2]


def cross(first: Array, second: Array) -> Array:
    """Return the cross products (3, ...) of vectors (3, ...)."""
    (x1, y1, z1), (x2, y2, z2) = (tuple(vectors[axis] for axis in range(3)) for vectors in (first, second))
    return in_rows(y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2)


def dot(first: Array, second: Array) -> Array:
    """Return the dot products (...) of vectors (3, ...)."""
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]


def unit(vectors: Array) -> Array:
    """Return *vectors* (3, ...) normalised to length 1; a zero vector stays zero."""
    return vectors / at_least(namespace(vectors).sqrt(dot(vectors, vectors)), _TINY)


def swing_between(start: Array, end: Array, share: Array | float = 1.0) -> Array:
    """Return the smallest rotations (3, 3, ...) from the directions *start* (3, ...) to *end* (3, ...).

    Exactly opposite directions have no smallest rotation, and are not rotated.

    Args:
        start: vectors of any length.
        end: vectors of any length.
        share: share (...) of the angle by which to rotate.
    """
    xp = namespace(start, end)
    axis = cross(start, end)
    sine = xp.sqrt(dot(axis, axis))
    return from_rotation_vectors(axis * (share * xp.atan2(sine, dot(start, end)) / at_least(sine, _TINY)))


def in_rows(*rows: Array) -> Array:
    """Stack arrays of one shape along a new first axis; faster than NumPy's ``stack``."""
    whole = namespace(rows[0]).empty((len(rows), *rows[0].shape), **kind_of(rows[0]))
    for index, row in enumerate(rows):
        whole[index] = row
    return whole


def rotation_vectors(matrices: Array) -> Array:
    """Return the rotation vectors (3, ...), radians, of rotations (3, 3, ...).

    Within a thousandth of a radian of half a turn the axis is lost to rounding; `core.math.rotations` keeps it.
    """
    m = matrices
    xp = namespace(m)
    doubled = in_rows(m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1])
    sine = 0.5 * xp.sqrt(doubled[0] * doubled[0] + doubled[1] * doubled[1] + doubled[2] * doubled[2])
    angle = xp.atan2(sine, 0.5 * (m[0, 0] + m[1, 1] + m[2, 2] - 1.0))
    return doubled * (0.5 * angle / at_least(sine, _TINY))


def from_rotation_vectors(vectors: Array) -> Array:
    """Return the rotations (3, 3, ...) of rotation vectors (3, ...), radians (Rodrigues' formula)."""
    xp = namespace(vectors)
    squared = vectors[0] * vectors[0] + vectors[1] * vectors[1] + vectors[2] * vectors[2]
    half = at_least(0.5 * xp.sqrt(squared), 1e-6)
    sinc = xp.sin(half) / half
    x, y, z = vectors[0], vectors[1], vectors[2]
    outer = 0.5 * sinc * sinc
    straight = outer * vectors
    skew = (sinc * xp.cos(half)) * vectors
    diagonal = 1.0 - outer * squared
    xy, xz, yz = straight[0] * y, straight[0] * z, straight[1] * z
    rows = (
        (diagonal + straight[0] * x, xy - skew[2], xz + skew[1]),
        (xy + skew[2], diagonal + straight[1] * y, yz - skew[0]),
        (xz - skew[1], yz + skew[0], diagonal + straight[2] * z),
    )
    return in_rows(*(in_rows(*row) for row in rows))


def cross_matrices(vectors: Array) -> Array:
    """Return the cross-product matrices (3, 3, ...) of vectors (3, ...), which map x to ``vector x x``."""
    x, y, z = vectors[0], vectors[1], vectors[2]
    matrices = namespace(vectors).zeros((3, *vectors.shape), **kind_of(vectors))
    matrices[2, 1], matrices[0, 2], matrices[1, 0] = x, y, z
    matrices[1, 2], matrices[2, 0], matrices[0, 1] = -x, -y, -z
    return matrices


def column(values: np.ndarray, other: Array) -> Array:
    """Return *values* (...), equal for all frames, as an array (..., 1) of the kind of *other*."""
    return like(np.asarray(values)[..., None], other)
