"""Fit the joint regressor (24, V): sparse, non-negative, symmetric, with rows that sum to 1."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from core.smpl_skeleton import JOINT_NAMES, JOINT_PARENTS, NUM_JOINTS

from .joints import JOINT_MIRROR

_RADIUS = {
    "hip": 0.16, "spine": 0.16, "pelvis": 0.2, "shoulder": 0.11, "collar": 0.12, "knee": 0.1, "elbow": 0.08,
    "neck": 0.11, "head": 0.13, "ankle": 0.08, "wrist": 0.06, "foot": 0.08, "hand": 0.07,
}  # fmt: skip
"""Radius of the candidate vertices around the mean joint, metres."""
_MAX_VERTICES, _MAX_PAIRS = 24, 15
_SUM_WEIGHT = 30.0
_RIDGE = 0.15
_LEAST_WEIGHT = 1e-6


def _candidates(joint: int, mean: np.ndarray, centre: np.ndarray, weights: np.ndarray, central: bool) -> np.ndarray:
    """Return the left half's vertices near the joint that move with it, its parent or its children."""
    kin = [j for j in range(NUM_JOINTS) if j == joint or JOINT_PARENTS[joint] == j or JOINT_PARENTS[j] == joint]
    radius = _RADIUS[JOINT_NAMES[joint].split("_")[-1].rstrip("123")]
    near = np.linalg.norm(mean - centre, axis=1) < radius
    half = mean[:, 0] >= -1e-9 if central else mean[:, 0] > 0
    return np.flatnonzero(near & half & (weights[:, kin].sum(1) > 0.3))


def _solve(system: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Solve for non-negative weights of *system*'s columns, approximately summing to 1, that reach *goal*."""
    count = system.shape[1]
    rows = np.vstack([system, np.full((1, count), _SUM_WEIGHT), np.sqrt(_RIDGE) * np.eye(count)])
    weights: np.ndarray = nnls(rows, np.concatenate([goal, [_SUM_WEIGHT], np.zeros(count)]), maxiter=20000)[0]
    return weights


def sparse_solve(system: np.ndarray, goal: np.ndarray, limit: int) -> np.ndarray:
    """Solve as `_solve`, dropping the smallest weights until at most *limit* remain; they sum to exactly 1.

    Args:
        system: (N, K) coordinates of K vertices in all people, relative to the joint's mean.
        goal: (N,) coordinates of the joint.
        limit: maximum number of weights above 0.
    """
    weights = _solve(system, goal)
    active = np.flatnonzero(weights > _LEAST_WEIGHT)
    while len(active) > limit:
        largest = np.argsort(-weights[active], kind="stable")[: max(limit, int(0.8 * len(active)))]
        keep = active[largest]
        weights = np.zeros(len(weights))
        weights[keep] = _solve(system[:, keep], goal)
        active = np.flatnonzero(weights > _LEAST_WEIGHT)
    weights[weights < _LEAST_WEIGHT] = 0
    return np.asarray(weights / weights.sum())


def fit_joint_regressor(people: np.ndarray, joints: np.ndarray, weights: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Fit the regressor (24, V).

    Args:
        people: (N, V, 3) T-posed bodies, symmetric.
        joints: (N, 24, 3) joint centres of the bodies.
        weights: (V, 24) skinning weights.
        mirror: (V,) mirror vertex of each vertex.
    """
    mean = people.mean(0, dtype=np.float64)
    regressor = np.zeros((NUM_JOINTS, len(mean)))
    for joint, name in enumerate(JOINT_NAMES):
        if name.startswith("right_"):
            continue
        central = JOINT_MIRROR[joint] == joint
        centre = joints[:, joint].mean(0)
        chosen = _candidates(joint, mean, centre, weights, central)
        axes = slice(1, 3) if central else slice(0, 3)
        offsets = (people[:, chosen] - centre)[:, :, axes].astype(np.float64)
        system = offsets.transpose(0, 2, 1).reshape(-1, len(chosen))
        goal = (joints[:, joint] - centre)[:, axes].reshape(-1)
        vertex_weights = sparse_solve(system, goal, _MAX_PAIRS if central else _MAX_VERTICES)
        if central:
            np.add.at(regressor[joint], chosen, vertex_weights / 2)
            np.add.at(regressor[joint], mirror[chosen], vertex_weights / 2)
        else:
            regressor[joint, chosen] = vertex_weights
            regressor[JOINT_MIRROR[joint], mirror[chosen]] = vertex_weights
    return regressor
