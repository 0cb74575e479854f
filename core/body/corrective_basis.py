"""A small basis of a body's pose correctives, for programs that know shape keys. V vertices, N keys.

SMPL's correctives are linear in the nine entries of (R - I) of each joint. The entries of a rotation are far from
independent, so few combinations of each joint's nine directions give nearly all of the skin's motion.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..math.rotations import axis_angle_to_matrix
from .data import BodyData

NUM_KEYS = 100
_NUM_ROTATIONS, _SPREAD_RAD, _SEED = 600, 1.0, 0
"""The rotations for which the basis is optimised: about axes in all directions, and as large as those of joints."""
_RIDGE = 1e-6
_CACHED = 2


@dataclass(frozen=True, eq=False)
class CorrectiveBasis:
    """Offsets of the rest vertices, each times a linear function of (R - I) of one joint.

    Attributes:
        joints: (N,) index of each key's joint.
        coefficients: (N, 3, 3) weights of the entries of (R - I); their sum is the key's value, which is between -1 and
            1 for all rotations, as programs expect that.
        offsets: (N, V, 3) float32, offsets of the vertices for a value of 1, metres.
    """

    joints: np.ndarray
    coefficients: np.ndarray
    offsets: np.ndarray


@lru_cache(maxsize=_CACHED)
def corrective_basis(body: BodyData, num_keys: int = NUM_KEYS) -> CorrectiveBasis:
    """Return the *num_keys* combinations of the pose directions of *body* that move its skin most, or all if fewer."""
    vectors = np.random.default_rng(_SEED).normal(0.0, _SPREAD_RAD, (_NUM_ROTATIONS, 3))
    features = (axis_angle_to_matrix(vectors) - np.eye(3)).reshape(-1, 9)
    root = np.linalg.cholesky(features.T @ features / len(features) + _RIDGE * np.eye(9))
    back, found = np.linalg.inv(root), []
    directions = body.posedirs.reshape(3 * len(body.v_template), -1, 9)
    for joint in range(directions.shape[1]):
        own = directions[:, joint].astype(np.float64) @ root
        squares, axes = np.linalg.eigh(own.T @ own)
        found += [(square, joint + 1, axis, own) for square, axis in zip(squares, axes.T, strict=True) if square > 0.0]
    kept = sorted(found, key=lambda entry: -entry[0])[:num_keys]
    joints = np.array([joint for _, joint, _, _ in kept], dtype=int)
    coefficients = np.array([axis @ back for _, _, axis, _ in kept]).reshape(-1, 9)
    largest = _largest_values(coefficients.reshape(-1, 3, 3))
    offsets = np.empty((len(kept), *body.v_template.shape), dtype=np.float32)
    for number, (_, _, axis, own) in enumerate(kept):
        offsets[number] = (own @ axis * largest[number]).reshape(-1, 3)
    return CorrectiveBasis(joints, (coefficients / largest[:, None]).reshape(-1, 3, 3), offsets)


def _largest_values(coefficients: np.ndarray) -> np.ndarray:
    """Return the largest absolute sum (N,) of the entries of (R - I) times *coefficients* (N, 3, 3), over all R.

    Over the rotations, tr(C^T R) is between -(a + b - c) and a + b + c, with the singular values a, b and c of C, the
    least with the sign of C's determinant.
    """
    first, second, third = np.linalg.svd(coefficients, compute_uv=False).T
    third = np.copysign(third, np.linalg.det(coefficients))
    still = np.trace(coefficients, axis1=-2, axis2=-1)
    largest: np.ndarray = np.maximum(first + second + third - still, first + second - third + still)
    return largest
