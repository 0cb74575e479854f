"""The exact finish: damped Gauss-Newton on the keypoints, with a prior on every rotation. F frames, K keypoints.

Per frame, over small turns d_j of the 22 body joints about world axes and a shift s of the whole body, it minimises

    sum_k w_k^2 |target_k - k(R, trans)|^2 + sum_j |L_j^(1/2) (G_j^T d_j - log(R_j^T P_j))|^2

with P the prior's local rotations and L_j its precision in joint j's own axes. A keypoint moves by ``d_j x S_kj``
(S the levers of `core.body.keypoints`), so with Q = sum_k w_k^2 S_k S_k^T the normal matrix is, for joints i and j,
``trace(Q_ij) I - Q_ij^T``: the Jacobian itself is never formed. All frames are solved at once, block by block.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Array, namespace
from ..body.keypoints import KeypointPose, ShapedKeypoints
from ..rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ..skeletons import NUM_BODY_ROTATIONS
from .limits import limit_pulls

_NUM_TURNS = 3 * NUM_BODY_ROTATIONS
NUM_UNKNOWNS = _NUM_TURNS + 3
_MAX_STEP_RAD = 1.0
_SETTLED_RAD = 0.03
_OUTLIER_FROM_STEP = 2
"""Before it, a point may be far off because the start is."""
_EXTRA_STEPS = 8
_TAIL = 8.0
"""Degrees of freedom of the prior: the fewer, the sooner a rare pose is believed."""
_SHOWING_M = 0.02
"""A keypoint that a joint moves by less per radian does not show how that joint is turned."""
_DAMPING = 1e-5
"""Added to the normal matrix's diagonal, in square metres: keeps it invertible where nothing is seen."""


@dataclass(frozen=True, eq=False)
class PosePrior:
    """What a pose is expected to be, and how firmly.

    Attributes:
        rotations: (F, 24, 3, 3) local rotations.
        precision: (F, 22, 3, 3) or (22, 3, 3), square metres per square radian, in each joint's own axes: how many
            square metres of keypoint error one square radian away from the prior is worth.
        sigma_m: the keypoint error per axis that *precision* is scaled by, metres.
    """

    rotations: Array
    precision: Array
    sigma_m: float

    def pull(self, rotations: Array) -> tuple[Array, Array]:
        """Return the moment (F, 22, 3) that draws each joint, in its own axes, and the precision (F, 22, 3, 3) of it.

        A pose far out of what the prior expects is likelier to be rare than wrong, so the precision falls with the
        distance, as for Student's t distribution. What no joint does is not rare: beyond its limits it is held.

        Args:
            rotations: (F, 24, 3, 3) local rotations.
        """
        xp = namespace(rotations)
        own = rotations[:, :NUM_BODY_ROTATIONS]
        away = matrix_to_axis_angle(xp.matrix_transpose(own) @ self.rotations[:, :NUM_BODY_ROTATIONS])
        squared = xp.sum(away * (self.precision @ away[..., None])[..., 0], axis=-1) / self.sigma_m**2
        share = (_TAIL + 3.0) / (_TAIL + squared)
        precision = self.precision * xp.clip(share, None, 1.0)[..., None, None]
        moment = (precision @ away[..., None])[..., 0]
        for joint, pull, firmness in limit_pulls(rotations):
            moment[:, joint] += pull
            precision[:, joint] += firmness
        return moment, precision


@dataclass(frozen=True, eq=False)
class Targets:
    """Where the keypoints should be.

    Attributes:
        points: (F, K, 3), metres; anything finite where the weight is 0.
        weights: (F, K) 0 and up.
    """

    points: Array
    weights: Array

    def block(self, frames: slice) -> Targets:
        """Return the targets of some frames."""
        return Targets(self.points[frames], self.weights[frames])


def refine(
    keypoints: ShapedKeypoints,
    start: tuple[Array, Array],
    targets: Targets,
    prior: PosePrior,
    *,
    iterations: int,
    outlier_m: float | None = None,
) -> tuple[Array, Array]:
    """Return local rotations (F, 24, 3, 3) and trans (F, 3) that explain *targets* best.

    Args:
        keypoints: the body's keypoints, in the order of the targets.
        start: local rotations (F, 24, 3, 3) and trans (F, 3) to begin from.
        targets: where the keypoints should be.
        prior: expected rotations.
        iterations: Gauss-Newton steps; frames that still move after them get a few more.
        outlier_m: from the third step on, a point this far off counts a quarter, a farther one less
            (Geman and McClure's weights); None counts all the same.
    """
    rotations, trans, moved = _descend(keypoints, start, targets, prior, range(iterations), outlier_m)
    xp = namespace(trans)
    unsettled = [frame for frame, far in enumerate(moved.tolist()) if far > _SETTLED_RAD]
    if not unsettled:
        return rotations, trans
    some = PosePrior(prior.rotations[unsettled], prior.precision[unsettled], prior.sigma_m)
    rest = (rotations[unsettled], trans[unsettled])
    again = range(iterations, iterations + _EXTRA_STEPS)
    more_rotations, more_trans, _ = _descend(
        keypoints, rest, Targets(targets.points[unsettled], targets.weights[unsettled]), some, again, outlier_m
    )
    rotations, trans = xp.asarray(rotations, copy=True), xp.asarray(trans, copy=True)
    rotations[unsettled], trans[unsettled] = more_rotations, more_trans
    return rotations, trans


def shown_pose(keypoints: ShapedKeypoints, rotations: Array, trans: Array, weights: Array) -> KeypointPose:
    """Return keypoints and levers, those of joints that no seen keypoint shows set to 0: they stay where expected.

    The skin of a shoulder hangs on the neck a little, and a free neck would spin to move it by a millimetre.

    Args:
        keypoints: the body's keypoints.
        rotations: (F, 24, 3, 3) local rotations.
        trans: (F, 3) metres.
        weights: (F, K) 0 where a keypoint is not seen.
    """
    xp = namespace(rotations)
    pose = keypoints.pose(rotations, trans)
    turns = keypoints.reach > _SHOWING_M
    seen = xp.where(weights > 0, xp.ones_like(weights), xp.zeros_like(weights))
    shown = seen @ xp.matrix_transpose(xp.where(turns, xp.ones_like(keypoints.reach), xp.zeros_like(keypoints.reach)))
    levers = pose.levers * xp.where(shown > 0, xp.ones_like(shown), xp.zeros_like(shown))[..., None, None]
    return replace(pose, levers=levers)


def _descend(
    keypoints: ShapedKeypoints,
    start: tuple[Array, Array],
    targets: Targets,
    prior: PosePrior,
    steps: range,
    outlier_m: float | None,
) -> tuple[Array, Array, Array]:
    """Return rotations, trans, and how far the last step turned each frame's joints at most (F,), radians."""
    rotations, trans = start
    xp = namespace(trans)
    moved = xp.zeros_like(trans[:, 0])
    for step in steps:
        pose = shown_pose(keypoints, rotations, trans, targets.weights)
        residual = targets.points - pose.points
        weights = targets.weights
        if outlier_m is not None and step >= _OUTLIER_FROM_STEP:
            squared = xp.sum(residual * residual, axis=-1)
            weights = weights * (outlier_m**2 / (outlier_m**2 + squared))
        turns, shift = _step(pose, residual, weights, (rotations, prior))
        rotations = turned(rotations, pose.world, turns)
        trans = trans + shift
        moved = xp.max(xp.sqrt(xp.sum(turns * turns, axis=-1)), axis=1)
    return rotations, trans, moved


def _step(
    pose: KeypointPose, residual: Array, weights: Array, rotations_and_prior: tuple[Array, PosePrior]
) -> tuple[Array, Array]:
    """Return the turns (F, 22, 3) about world axes and the shift (F, 3) of one Gauss-Newton step."""
    normal, right_side = normal_equations(pose, residual, weights, *rotations_and_prior)
    step = namespace(residual).linalg.solve(normal, right_side[..., None])[..., 0]
    return split_step(step)


def split_step(step: Array) -> tuple[Array, Array]:
    """Return the turns (F, 22, 3), none too large to trust, and the shift (F, 3) of solved unknowns (F, 69)."""
    xp = namespace(step)
    turns = xp.reshape(step[:, :_NUM_TURNS], (step.shape[0], NUM_BODY_ROTATIONS, 3))
    size = xp.sqrt(xp.sum(turns * turns, axis=-1))[..., None]
    return turns * xp.clip(_MAX_STEP_RAD / xp.clip(size, 1e-9, None), None, 1.0), step[:, _NUM_TURNS:]


def normal_equations(
    pose: KeypointPose, residual: Array, weights: Array, rotations: Array, prior: PosePrior
) -> tuple[Array, Array]:
    """Return the normal matrix (F, 69, 69) and the right side (F, 69): 22 turns about world axes, then the shift.

    Args:
        pose: keypoints and levers at *rotations*.
        residual: (F, K, 3) targets less keypoints.
        weights: (F, K).
        rotations: (F, 24, 3, 3) local rotations.
        prior: expected rotations.
    """
    xp = namespace(residual)
    num_frames, num_points = residual.shape[:2]
    levers = pose.levers[:, :NUM_BODY_ROTATIONS]
    flat = xp.reshape(levers * weights[:, None, None], (num_frames, _NUM_TURNS, num_points))
    gram = xp.reshape(flat @ xp.matrix_transpose(flat), (num_frames, NUM_BODY_ROTATIONS, 3, NUM_BODY_ROTATIONS, 3))
    block = -xp.permute_dims(gram, (0, 1, 4, 3, 2))
    trace = gram[:, :, 0, :, 0] + gram[:, :, 1, :, 1] + gram[:, :, 2, :, 2]
    for axis in range(3):
        block[:, :, axis, :, axis] += trace
    bodies = pose.world[:, :NUM_BODY_ROTATIONS]
    moment, own_precision = prior.pull(rotations)
    precision = bodies @ own_precision @ xp.matrix_transpose(bodies)
    for joint in range(NUM_BODY_ROTATIONS):
        block[:, joint, :, joint, :] += precision[:, joint]
    squared_weights = weights * weights
    coupling = cross_matrices((levers @ squared_weights[:, None, :, None])[..., 0])
    coupling = xp.reshape(coupling, (num_frames, _NUM_TURNS, 3))
    normal = xp.zeros((num_frames, NUM_UNKNOWNS, NUM_UNKNOWNS), **_kind(residual))
    normal[:, :_NUM_TURNS, :_NUM_TURNS] = xp.reshape(block, (num_frames, _NUM_TURNS, _NUM_TURNS))
    normal[:, :_NUM_TURNS, _NUM_TURNS:] = coupling
    normal[:, _NUM_TURNS:, :_NUM_TURNS] = xp.matrix_transpose(coupling)
    total = xp.sum(squared_weights, axis=1)
    for axis in range(_NUM_TURNS, NUM_UNKNOWNS):
        normal[:, axis, axis] = total
    diagonal = list(range(NUM_UNKNOWNS))
    normal[:, diagonal, diagonal] += _DAMPING
    pull = (bodies @ moment[..., None])[..., 0]
    return normal, _right_side(levers, residual, squared_weights, pull)


def _right_side(levers: Array, residual: Array, squared_weights: Array, pull: Array) -> Array:
    """Return the gradient (F, 69): turns, then shift."""
    xp = namespace(residual)
    weighted = residual * squared_weights[..., None]
    moments = levers @ weighted[:, None]
    rows = (
        moments[..., 1, 2] - moments[..., 2, 1],
        moments[..., 2, 0] - moments[..., 0, 2],
        moments[..., 0, 1] - moments[..., 1, 0],
    )
    turns = xp.stack(rows, axis=-1) + pull
    return xp.concat([xp.reshape(turns, (residual.shape[0], _NUM_TURNS)), xp.sum(weighted, axis=1)], axis=-1)


def turned(rotations: Array, world: Array, turns: Array) -> Array:
    """Return local rotations (F, 24, 3, 3) after turning each body joint about world axes.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        world: (F, 24, 3, 3) the same relative to the world.
        turns: (F, 22, 3) radians.
    """
    xp = namespace(rotations)
    bodies = world[:, :NUM_BODY_ROTATIONS]
    own = (xp.matrix_transpose(bodies) @ turns[..., None])[..., 0]
    turned = rotations[:, :NUM_BODY_ROTATIONS] @ axis_angle_to_matrix(own)
    return xp.concat([turned, rotations[:, NUM_BODY_ROTATIONS:]], axis=1)


def cross_matrices(vectors: Array) -> Array:
    """Return the matrices (..., 3, 3) that take x to ``vector x x``."""
    xp = namespace(vectors)
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    zero = xp.zeros_like(x)
    rows = ((zero, -z, y), (z, zero, -x), (-y, x, zero))
    return xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2)


def _kind(array: Array) -> dict[str, object]:
    """Return the keyword arguments that make a new array like *array*."""
    return {"dtype": array.dtype} if isinstance(array, np.ndarray) else {"dtype": array.dtype, "device": array.device}
