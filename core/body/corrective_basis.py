"""A small basis of a body's pose correctives, for programs that know shape keys. V vertices, N keys.

SMPL's correctives are linear in the nine entries of (R - I) of each joint. The entries of a rotation are far from
independent, so few combinations of each joint's nine directions give nearly all of the skin's motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.rotations import axis_angle_to_matrix
from .data import BodyData

NUM_KEYS = 100
_NUM_ROTATIONS, _SPREAD_RAD, _SEED = 600, 1.0, 0
"""The rotations over which the basis is best: of all axes alike, and as large as joints turn."""
_RIDGE = 1e-6
_LARGEST = 8.0
"""Largest value of a key over all rotations; Blender limits values to 10."""


@dataclass(frozen=True, eq=False)
class CorrectiveBasis:
    """Offsets of the rest vertices, each times a linear function of (R - I) of one joint.

    Attributes:
        joints: (N,) index of each key's joint.
        coefficients: (N, 3, 3) weights of the entries of (R - I); their sum is the key's value.
        offsets: (N, V, 3) offsets of the vertices for a value of 1, metres.
    """

    joints: np.ndarray
    coefficients: np.ndarray
    offsets: np.ndarray


def corrective_basis(body: BodyData, num_keys: int = NUM_KEYS) -> CorrectiveBasis:
    """Return the *num_keys* combinations of the pose directions of *body* that move its skin most."""
    vectors = np.random.default_rng(_SEED).normal(0.0, _SPREAD_RAD, (_NUM_ROTATIONS, 3))
    features = (axis_angle_to_matrix(vectors) - np.eye(3)).reshape(-1, 9)
    root = np.linalg.cholesky(features.T @ features / len(features) + _RIDGE * np.eye(9))
    found = []
    directions = body.posedirs.reshape(len(body.v_template) * 3, -1, 9)
    for joint in np.flatnonzero(directions.any(axis=(0, 2))):
        own = directions[:, joint].astype(np.float64)
        gram = (own @ root).T @ (own @ root)
        squares, axes = np.linalg.eigh(gram)
        found += [(square, joint + 1, axis, own) for square, axis in zip(squares, axes.T, strict=True)]
    found.sort(key=lambda entry: -entry[0])
    back, keys = np.linalg.inv(root), []
    for _, joint, axis, own in found[:num_keys]:
        coefficients, offsets = axis @ back, own @ (root @ axis)
        scale = max(np.abs(features @ coefficients).max() / _LARGEST, 1.0)
        keys.append((joint, coefficients.reshape(3, 3) / scale, (offsets * scale).reshape(-1, 3)))
    joints, weights, offsets = zip(*keys, strict=True)
    return CorrectiveBasis(np.array(joints), np.array(weights), np.array(offsets))
