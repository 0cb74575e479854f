"""What pose to expect of some points, beyond what they show, and how firmly to hold to it. F frames, K keypoints.

Two experts, both taught by real motion. The pose network is asked for the arms: it halves what the twist of an upper
arm is off. Trunk, head and legs are the regressions' (`core.fit.pose_prior`): how a person tilts the pelvis differs
from one to the next more than from moment to moment, and of the few people there were to learn from, regressions that
are held back learn that better.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ..arrays import Array, like, namespace, ones_where
from ..body.keypoints import ShapedKeypoints
from ..network.pose_architecture import POSE_POINTS
from ..network.pose_mlp import PoseNetwork
from ..network.weights import read_weights
from ..skeletons import JOINT_INDEX, NUM_BODY_ROTATIONS
from .analytic import placed
from .pose_prior import Habit, load_prior
from .refine import PosePrior, Targets

WEIGHTS = Path(__file__).resolve().parents[1] / "network" / "assets" / "pose_mlp.npz"
UNSEEN_PEOPLE = 4.0
"""How many times the variances that the network tells are those of people that it never saw. Measured: 1.3 to 2 in the
mean, more for those unlike the people it has learned from, who lose most by a prediction that is too sure."""
PASSES = 1
"""A second pass, which begins where the first ended, is no better on people that nothing was learned from."""
NETWORK_JOINTS = tuple(
    JOINT_INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")
)
"""The joints that the network is asked for."""


@cache
def load_pose_network(device: str) -> PoseNetwork:
    """Return the network that ships with the project, on a device; it is read once."""
    return PoseNetwork(read_weights(WEIGHTS), device)


def expected_pose(
    names: Sequence[str],
    keypoints: ShapedKeypoints,
    start: Array,
    targets: Targets,
    *,
    sigma_m: float,
    noise_m: float = 0.0,
    habit: Habit | None = None,
) -> PosePrior:
    """Return the pose to expect of *targets*.

    Args:
        names: the solver points, in the order of *targets*.
        keypoints: those points on the shaped body.
        start: (F, 24, 3, 3) the analytic start's local rotations.
        targets: where the points are.
        sigma_m: how far off they are per axis.
        noise_m: how much of that is noise, other in every frame.
        habit: the person's, if it is known.
    """
    trunk = load_prior().predict(start, names, targets.weights, sigma_m=sigma_m, noise_m=noise_m, habit=habit)
    arms = network_pose(names, keypoints, start, targets, sigma_m=sigma_m)
    xp = namespace(start)
    mask = np.isin(np.arange(start.shape[1]), NETWORK_JOINTS)[:, None, None]
    chosen = like(mask.astype(np.float32), start) > 0
    return PosePrior(
        xp.where(chosen, arms.rotations, trunk.rotations),
        xp.where(chosen[:NUM_BODY_ROTATIONS], arms.precision, trunk.precision),
        sigma_m,
        trunk.couplings,
    )


def network_pose(
    names: Sequence[str],
    keypoints: ShapedKeypoints,
    start: Array,
    targets: Targets,
    *,
    sigma_m: float,
    passes: int = PASSES,
) -> PosePrior:
    """Return what the network alone expects, of every joint; arguments as for `expected_pose`.

    Args:
        names: the solver points.
        keypoints: those points on the shaped body.
        start: (F, 24, 3, 3) local rotations to begin from.
        targets: where the points are.
        sigma_m: how far off they are per axis.
        passes: how often the network is asked, each time from its last answer.
    """
    xp = namespace(start)
    body = keypoints.model.body
    network = load_pose_network(body.device)
    order = _order(names, start)
    seen = ones_where(targets.weights > 0, targets.weights) @ order
    points = xp.matrix_transpose(order) @ targets.points
    betas = keypoints.betas if body.data.name == network.info.body else xp.zeros_like(keypoints.betas)
    betas = xp.broadcast_to(betas, (start.shape[0], betas.shape[-1]))
    sigma = xp.zeros_like(start[:, 0, 0, 0]) + sigma_m
    rotations, log_variances = start, start[:, :NUM_BODY_ROTATIONS, 0]
    for _ in range(passes):
        start_points = xp.matrix_transpose(order) @ placed(keypoints, rotations, targets)[1]
        answer, log_variances = network.predict(rotations, start_points, points, seen, betas, sigma)
        rotations = xp.concat([answer, start[:, NUM_BODY_ROTATIONS:]], axis=1)
    precision = xp.exp(-log_variances) * (sigma_m**2 / UNSEEN_PEOPLE)
    return PosePrior(rotations, precision[..., None] * like(np.eye(3), start), sigma_m)


def _order(names: Sequence[str], other: Array) -> Array:
    """Return the matrix (K, P) that puts the points *names* where the network reads them; others it does not read."""
    order = np.zeros((len(names), len(POSE_POINTS)))
    for index, name in enumerate(names):
        if name in POSE_POINTS:
            order[index, POSE_POINTS.index(name)] = 1.0
    return like(order, other)
