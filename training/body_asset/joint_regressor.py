"""Rest joints from rest vertices: a sparse, non-negative, symmetric regressor (24, V) whose rows sum to 1."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from core.smpl_skeleton import JOINT_NAMES, JOINT_PARENTS, NUM_JOINTS

from .joints import JOINT_MIRROR

_RADIUS = {
    "hip": 0.16, "spine": 0.16, "pelvis": 0.2, "shoulder": 0.11, "collar": 0.12, "knee": 0.1, "elbow": 0.08,
    "neck": 0.11, "head": 0.13, "ankle": 0.08, "wrist": 0.06, "foot": 0.08, "hand": 0.07,
}  # fmt: skip
"""Metres round the mean joint in which vertices may vote."""
_MAX_VERTICES, _MAX_PAIRS = 24, 15
_SUM_WEIGHT = 30.0
_RIDGE = 0.15
_LEAST_WEIGHT = 1e-6


def _candidates(joint: int, mean: np.ndarray, centre: np.ndarray, weights: np.ndarray, central: bool) -> np.ndarray:
    """Vertices of the left half near the joint that move with it, its parent or its children."""
    kin = [j for j in range(NUM_JOINTS) if j == joint or JOINT_PARENTS[joint] == j or JOINT_PARENTS[j] == joint]
    radius = _RADIUS[JOINT_NAMES[joint].split("_")[-1].rstrip("123")]
    near = np.linalg.norm(mean - centre, axis=1) < radius
    half = mean[:, 0] >= -1e-9 if central else mean[:, 0] > 0
    return np.flatnonzero(near & half & (weights[:, kin].sum(1) > 0.3))


def _solve(system: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Non-negative weights, about summing to 1, that reach *goal* from *system*'s columns."""
    count = system.shape[1]
    rows = np.vstack([system, np.full((1, count), _SUM_WEIGHT), np.sqrt(_RIDGE) * np.eye(count)])
    weights: np.ndarray = nnls(rows, np.concatenate([goal, [_SUM_WEIGHT], np.zeros(count)]), maxiter=20000)[0]
    return weights


def _sparse_solve(system: np.ndarray, goal: np.ndarray, limit: int) -> np.ndarray:
    """As `_solve`, dropping the smallest weights until no more than *limit* are left; exactly summing to 1."""
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
    """Return the regressor (24, V).

    Args:
        people: (N, V, 3) T-posed bodies, symmetric.
        joints: (N, 24, 3) their joint centres.
        weights: (V, 24) skinning weights.
        mirror: (V,).
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
        votes = _sparse_solve(system, goal, _MAX_PAIRS if central else _MAX_VERTICES)
        if central:
            np.add.at(regressor[joint], chosen, votes / 2)
            np.add.at(regressor[joint], mirror[chosen], votes / 2)
        else:
            regressor[joint, chosen] = votes
            regressor[JOINT_MIRROR[joint], mirror[chosen]] = votes
    return regressor
