"""The exact pose solve: damped Gauss-Newton on the keypoints, with a prior on every rotation. F frames, K keypoints.

Per frame, over small rotations d_j of the 22 body joints about world axes and a translation s of the whole body, it
minimises

    sum_k w_k^2 |target_k - k(R, trans)|^2 + |L^(1/2) (G^T d - log(R^T P))|^2

with P the prior's local rotations and L its precision in the joints' own axes, per joint and for groups of coupled
joints. A keypoint moves by ``d_j x S_kj`` (S the levers of `core.body.skinned_keypoints`), so with
Q = sum_k w_k^2 S_k S_k^T the block of the normal matrix for joints i and j is ``trace(Q_ij) I - Q_ij^T``: the Jacobian
itself is never formed (`core.fit.solver.normal_equations`). All frames of a block take a step at once; frames that
hardly move any more are finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...body.keypoints import ShapedKeypoints
from ...body.skinned_keypoints import PairedKeypoints, PosedPairs
from ...math.arrays import Array, at_least, at_most, kind_of, namespace, ones_where
from ...math.frames_last import (
    apply,
    apply_transposed,
    from_rotation_vectors,
    matrices_first,
    matrices_last,
    reversed_axes,
    rotation_vectors,
    times,
    times_transposed,
    transposed_times,
)
from ...smpl_skeleton import NUM_BODY_ROTATIONS, NUM_JOINTS
from .joint_limits import LIMITED_AXES, LIMITED_JOINTS, limit_pulls
from .joint_precision import JointPrecision, SolverJointPrecision
from .normal_equations import NormalMatrix, Unknowns, normal_matrix

MAX_STEP_RAD = 1.0
_EXTRA_STEPS_RAD = 0.008
"""Frames whose last regular step turns a joint by more than this get extra steps."""
OUTLIER_FROM_STEP = 2
"""Outliers are down-weighted after this step; until then, a point may be far off because the initial pose is."""
TAIL = 8.0
"""Degrees of freedom of the prior (Student's t): the fewer, the sooner a rare pose is accepted."""
SHOWING_M = 0.02
"""A keypoint that moves by less than this per radian of a joint does not show that joint's rotation."""
_BLOCK_FRAMES = 512
"""Frames that NumPy solves at once: more do not fit into the processor's cache, fewer are mostly overhead."""
_MAX_MOVING_SHARE = 0.75
"""Finished frames are taken out when at most this share of their block still moves."""


@dataclass(frozen=True, eq=False)
class PosePrior:
    """A prior on the pose: expected rotations and their precision.

    Attributes:
        rotations: (F, 24, 3, 3) local rotations.
        precision: (F, 22, 3, 3) or (22, 3, 3), square metres per square radian, in each joint's own axes: how many
            square metres of keypoint error one square radian away from the prior is worth.
        sigma_m: the keypoint error per axis that *precision* is scaled by, metres.
        joint_precisions: precisions that couple several joints, in addition to *precision*.
    """

    rotations: Array
    precision: Array
    sigma_m: float
    joint_precisions: tuple[JointPrecision, ...] = ()

    def select(self, frames: slice | list[int]) -> PosePrior:
        """Return the prior of the selected frames."""
        precision = self.precision if self.precision.ndim == 3 else self.precision[frames]
        joint_precisions = tuple(joint_precision.select(frames) for joint_precision in self.joint_precisions)
        return PosePrior(self.rotations[frames], precision, self.sigma_m, joint_precisions)

    @classmethod
    def joined(cls, parts: Sequence[PosePrior]) -> PosePrior:
        """Return the *parts* of one fit's prior, concatenated over the frames."""
        if len(parts) == 1:
            return parts[0]
        xp = namespace(parts[0].rotations)
        joint_precisions = tuple(
            JointPrecision(alike[0].joints, xp.concat([joint_precision.precision for joint_precision in alike], axis=0))
            for alike in zip(*(part.joint_precisions for part in parts), strict=True)
        )
        rotations = xp.concat([part.rotations for part in parts], axis=0)
        return cls(rotations, xp.concat([part.precision for part in parts], axis=0), parts[0].sigma_m, joint_precisions)


@dataclass(frozen=True, eq=False)
class Targets:
    """Target positions of the keypoints.

    Attributes:
        points: (F, K, 3), metres; any finite value where the weight is 0.
        weights: (F, K) 0 or more.
    """

    points: Array
    weights: Array

    def select(self, frames: slice | list[int]) -> Targets:
        """Return the targets of the selected frames."""
        return Targets(self.points[frames], self.weights[frames])


@dataclass(frozen=True)
class IterationLimits:
    """The number of Gauss-Newton steps per frame.

    Attributes:
        steps: the most regular steps.
        extra_steps: the most further steps, for frames that still move much after the regular ones.
        still_rad: a frame is finished when a step turns its joints by less than this; the next step would turn them by
            a fraction of it.
    """

    steps: int = 5
    extra_steps: int = 4
    still_rad: float = 0.008


def refine(
    keypoints: ShapedKeypoints,
    start: tuple[Array, Array],
    targets: Targets,
    prior: PosePrior,
    *,
    iterations: IterationLimits,
    outlier_m: float | None = None,
) -> tuple[Array, Array]:
    """Return the local rotations (F, 24, 3, 3) and trans (F, 3) that fit *targets* best.

    Args:
        keypoints: the body's keypoints, in the order of the targets.
        start: initial local rotations (F, 24, 3, 3) and trans (F, 3).
        targets: target positions of the keypoints.
        prior: the prior on the rotations.
        iterations: the number of steps.
        outlier_m: from the third step on, a point this far from its target is weighted by a quarter, a farther one by
            less (Geman and McClure's weights); None weights all points alike.
    """
    goal = Goal.of(keypoints, targets, prior)
    pose = matrices_last(start[0]), reversed_axes(start[1])
    result = pose
    frames = list(range(pose[1].shape[-1]))
    robust_from = OUTLIER_FROM_STEP if outlier_m is not None else 0
    for step in range(1, iterations.steps + iterations.extra_steps + 1):
        robust = outlier_m if step > OUTLIER_FROM_STEP else None
        rotations, trans, moved = _step(keypoints.paired, goal, pose, robust)
        pose = rotations, trans
        if step <= min(robust_from, iterations.steps - 1):
            continue
        limit = _EXTRA_STEPS_RAD if step == iterations.steps else iterations.still_rad
        moving = [index for index, turned in enumerate(moved.tolist()) if turned > limit]
        if step != iterations.steps and len(moving) > _MAX_MOVING_SHARE * len(frames):
            continue
        result = _with_frames(result, frames, pose)
        frames = [frames[index] for index in moving]
        if not frames:
            break
        pose, goal = (rotations[..., moving], trans[..., moving]), goal.select(moving)
    else:
        result = _with_frames(result, frames, pose)
    return matrices_first(result[0]), reversed_axes(result[1])


def _step(
    keypoints: PairedKeypoints, goal: Goal, pose: tuple[Array, Array], outlier_m: float | None
) -> tuple[Array, Array, Array]:
    """Return rotations and trans after a step, and the largest joint rotation of the step (F,), radians."""
    num_frames = pose[1].shape[-1]
    size = _BLOCK_FRAMES if isinstance(pose[1], np.ndarray) else num_frames
    parts = []
    for block in blocks(num_frames, size):
        block_pose = pose[0][..., block], pose[1][..., block]
        equations = linearised(keypoints, goal.select(block), block_pose, outlier_m)
        parts.append(stepped(*block_pose, equations.posed.world, equations.normal.solve(equations.right)))
    if len(parts) == 1:
        return parts[0]
    rotations, trans, moved = (namespace(pose[1]).concat(part, axis=-1) for part in zip(*parts, strict=True))
    return rotations, trans, moved


def blocks(num_frames: int, size: int) -> list[slice]:
    """Return slices of about equal length, at most *size*, that together cover all frames."""
    edges = np.linspace(0, num_frames, max(1, -(-num_frames // size)) + 1).round().astype(int).tolist()
    return [slice(first, end) for first, end in zip(edges[:-1], edges[1:], strict=True)]


def _with_frames(
    poses: tuple[Array, Array], frames: list[int], replacement: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Return *poses* with those of *frames* replaced by *replacement*; the arguments are not changed."""
    if len(frames) == poses[1].shape[-1]:
        return replacement
    changed = []
    for whole, part in zip(poses, replacement, strict=True):
        copy = namespace(whole).asarray(whole, copy=True)
        copy[..., frames] = part
        changed.append(copy)
    return changed[0], changed[1]


@dataclass(frozen=True, eq=False)
class Goal:
    """Targets and prior of a block of frames, with the frames last.

    Attributes:
        points: (3, K, F) target positions, metres.
        weights: (K, F) keypoint weights.
        shown: (24, F) 1 for joints that a keypoint shows; other joints stay at their expected rotation. The skin of a
            shoulder is slightly weighted to the neck, and a free neck would spin to move it by a millimetre.
        expected: (3, 3, 24, F) expected local rotations.
        precision: (3, 3, 24, F) their precision.
        sigma_m: the keypoint error per axis that *precision* is scaled by, metres.
        joint_precisions: precisions that couple several joints.
    """

    points: Array
    weights: Array
    shown: Array
    expected: Array
    precision: Array
    sigma_m: float
    joint_precisions: tuple[SolverJointPrecision, ...] = ()

    @classmethod
    def of(cls, keypoints: ShapedKeypoints, targets: Targets, prior: PosePrior) -> Goal:
        """Return the goal from targets and prior."""
        xp = namespace(targets.points)
        weights = reversed_axes(targets.weights)
        showing = ones_where(keypoints.reach > SHOWING_M, weights)
        showing[NUM_BODY_ROTATIONS:] = 0.0
        shown = ones_where(showing @ ones_where(weights > 0, weights) > 0, weights)
        num_frames = weights.shape[1]
        precision = xp.zeros((3, 3, NUM_JOINTS, num_frames), **kind_of(weights))
        by_joint = xp.broadcast_to(prior.precision, (num_frames, NUM_BODY_ROTATIONS, 3, 3))
        precision[:, :, :NUM_BODY_ROTATIONS] = matrices_last(by_joint)
        points, expected = reversed_axes(targets.points), matrices_last(prior.rotations)
        joint_precisions = tuple(SolverJointPrecision.of(joint_precision) for joint_precision in prior.joint_precisions)
        return cls(points, weights, shown, expected, precision, prior.sigma_m, joint_precisions)

    def select(self, frames: slice | list[int]) -> Goal:
        """Return the goal of the selected frames."""
        return Goal(
            self.points[..., frames],
            self.weights[..., frames],
            self.shown[..., frames],
            self.expected[..., frames],
            self.precision[..., frames],
            self.sigma_m,
            tuple(joint_precision.select(frames) for joint_precision in self.joint_precisions),
        )

    def weighted(self, shares: Array) -> Goal:
        """Return the goal with each frame's squared errors, of points and prior alike, multiplied by its share (F,)."""
        joint_precisions = tuple(joint_precision.scaled(shares) for joint_precision in self.joint_precisions)
        weights = self.weights * namespace(shares).sqrt(shares)
        return replace(self, weights=weights, precision=self.precision * shares, joint_precisions=joint_precisions)

    def pull(self, rotations: Array) -> Pull:
        """Return the prior's moments and precision at the current rotations.

        A pose far from the expected one is more likely rare than wrong, so the precision falls with the distance, as in
        Student's t distribution. The joint limits are exempt, since no joint can pass them.

        Args:
            rotations: (3, 3, 24, F) current local rotations.
        """
        xp = namespace(rotations)
        away = rotation_vectors(transposed_times(rotations, self.expected))
        moment = apply(self.precision, away)
        squared = xp.sum(away * moment, axis=0) / self.sigma_m**2
        share = at_most((TAIL + 3.0) / (TAIL + squared), 1.0)
        moment, precision = moment * share, self.precision * share
        joint_precisions = []
        for joint_precision in self.joint_precisions:
            joints = list(joint_precision.joints)
            coupled_moment = joint_precision.moment(away[:, joints])
            squared = xp.sum(xp.sum(away[:, joints] * coupled_moment, axis=0), axis=0) / self.sigma_m**2
            share = at_most((TAIL + 3.0 * len(joints)) / (TAIL + squared), 1.0)
            moment[:, joints] += coupled_moment * share
            joint_precisions.append(joint_precision.scaled(share))
        back, firm = limit_pulls(rotations)
        moment[LIMITED_AXES, LIMITED_JOINTS] += back
        precision[LIMITED_AXES, LIMITED_AXES, LIMITED_JOINTS] += firm
        return Pull(moment, precision, tuple(joint_precisions))


@dataclass(frozen=True, eq=False)
class Pull:
    """The prior's contribution to the normal equations.

    Attributes:
        moment: (3, 24, F) moment on each joint, in its own axes.
        precision: (3, 3, 24, F) precision of each joint.
        joint_precisions: precisions that couple several joints.
    """

    moment: Array
    precision: Array
    joint_precisions: tuple[SolverJointPrecision, ...]


@dataclass(frozen=True, eq=False)
class Linearised:
    """The linear least-squares problem of one step.

    Attributes:
        normal: the normal matrix.
        right: the right-hand side.
        posed: the keypoints on the posed body.
        residual: (3, K, F) targets minus keypoints, metres.
        weights: (K, F) keypoint weights, reduced for outliers.
        shown: (24, F) 1 for joints that a keypoint shows.
        pull: the prior's contribution.
    """

    normal: NormalMatrix
    right: Unknowns
    posed: PosedPairs
    residual: Array
    weights: Array
    shown: Array
    pull: Pull


def linearised(
    keypoints: PairedKeypoints, goal: Goal, pose: tuple[Array, Array], outlier_m: float | None = None
) -> Linearised:
    """Return the linear problem of the next step.

    Args:
        keypoints: the body's keypoints.
        goal: targets and prior.
        pose: current local rotations (3, 3, 24, F) and trans (3, F).
        outlier_m: a point with this distance from its target is weighted by a quarter; None weights all points alike.
    """
    xp = namespace(goal.points)
    rotations, trans = pose
    pairs = keypoints.pairs
    posed = keypoints.posed(rotations)
    residual = goal.points - posed.points - trans[:, None]
    weights = goal.weights
    if outlier_m is not None:
        weights = weights * (outlier_m**2 / (outlier_m**2 + xp.sum(residual * residual, axis=0)))
    pull = goal.pull(rotations)
    forces = residual * (weights * weights)
    turning = posed.moments(pairs, forces[:, :, None])[:, :, 0] * goal.shown + apply(posed.world, pull.moment)
    about_world = times_transposed(times(posed.world, pull.precision), posed.world)
    normal = normal_matrix(pairs, posed, weights, goal.shown, about_world)
    for joint_precision in pull.joint_precisions:
        normal.couple(joint_precision.joints, joint_precision.about_world(posed.world))
    right = Unknowns(turning[:, :, None], xp.sum(forces, axis=1)[:, None])
    return Linearised(normal, right, posed, residual, weights, goal.shown, pull)


def stepped(rotations: Array, trans: Array, world: Array, step: Unknowns) -> tuple[Array, Array, Array]:
    """Return local rotations and trans after a step, and its largest joint rotation (F,), radians.

    Joint rotations are clipped to `MAX_STEP_RAD`, beyond which the linearisation cannot be trusted.

    Args:
        rotations: (3, 3, 24, F) local rotations.
        trans: (3, F) metres.
        world: (3, 3, 24, F) the same rotations relative to the world.
        step: the solution of one right-hand side.
    """
    xp = namespace(trans)
    turns = step.turns[:, :, 0]
    size = xp.sqrt(xp.sum(turns * turns, axis=0))
    own = apply_transposed(world, turns * at_most(MAX_STEP_RAD / at_least(size, 1e-9), 1.0))
    moved = at_most(xp.max(size, axis=0), MAX_STEP_RAD)
    return times(rotations, from_rotation_vectors(own)), trans + step.shift[:, 0], moved
