"""The exact finish: damped Gauss-Newton on the keypoints, with a prior on every rotation. F frames, K keypoints.

Per frame, over small turns d_j of the 22 body joints about world axes and a shift s of the whole body, it minimises

    sum_k w_k^2 |target_k - k(R, trans)|^2 + |L^(1/2) (G^T d - log(R^T P))|^2

with P the prior's local rotations and L its precision in the joints' own axes, of each and of some together. A
keypoint moves by ``d_j x S_kj``
(S the levers of `core.body.skinned_keypoints`), so with Q = sum_k w_k^2 S_k S_k^T the normal matrix is, for joints i
and j, ``trace(Q_ij) I - Q_ij^T``: the Jacobian itself is never formed (`core.fit.solver.normal_equations`). All frames
of a block take a step at once; those that hardly move any more are done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
_SETTLED_RAD = 0.008
"""Frames that move by more after the steps asked for get more."""
OUTLIER_FROM_STEP = 2
"""Before it, a point may be far off because the start is."""
TAIL = 8.0
"""Degrees of freedom of the prior: the fewer, the sooner a rare pose is believed."""
SHOWING_M = 0.02
"""A keypoint that a joint moves by less per radian does not show how that joint is turned."""
_BLOCK_FRAMES = 512
"""What NumPy solves at once: more falls out of the processor's cache, less is mostly overhead."""
_WORTH_LEAVING = 0.75
"""Frames that are done are put aside when no more than this share of their block still moves."""


@dataclass(frozen=True, eq=False)
class PosePrior:
    """What a pose is expected to be, and how firmly.

    Attributes:
        rotations: (F, 24, 3, 3) local rotations.
        precision: (F, 22, 3, 3) or (22, 3, 3), square metres per square radian, in each joint's own axes: how many
            square metres of keypoint error one square radian away from the prior is worth.
        sigma_m: the keypoint error per axis that *precision* is scaled by, metres.
        joint_precisions: precisions of joints together, on top of those of each.
    """

    rotations: Array
    precision: Array
    sigma_m: float
    joint_precisions: tuple[JointPrecision, ...] = ()

    def select(self, frames: slice | list[int]) -> PosePrior:
        """Return the prior of some frames."""
        precision = self.precision if self.precision.ndim == 3 else self.precision[frames]
        joint_precisions = tuple(joint_precision.select(frames) for joint_precision in self.joint_precisions)
        return PosePrior(self.rotations[frames], precision, self.sigma_m, joint_precisions)

    @classmethod
    def joined(cls, parts: Sequence[PosePrior]) -> PosePrior:
        """Return the prior of all frames of the *parts*, which are those of one fit."""
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
    """Where the keypoints should be.

    Attributes:
        points: (F, K, 3), metres; anything finite where the weight is 0.
        weights: (F, K) 0 and up.
    """

    points: Array
    weights: Array

    def select(self, frames: slice | list[int]) -> Targets:
        """Return the targets of some frames."""
        return Targets(self.points[frames], self.weights[frames])


@dataclass(frozen=True)
class IterationLimits:
    """How many Gauss-Newton steps a frame gets.

    Attributes:
        steps: at most, but for frames that still move by much after them.
        extra_steps: at most, for those.
        still_rad: frames that a step turns by less are done: the next would turn them by a fraction of it.
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
    """Return local rotations (F, 24, 3, 3) and trans (F, 3) that explain *targets* best.

    Args:
        keypoints: the body's keypoints, in the order of the targets.
        start: local rotations (F, 24, 3, 3) and trans (F, 3) to begin from.
        targets: where the keypoints should be.
        prior: expected rotations.
        iterations: how many steps.
        outlier_m: from the third step on, a point this far off counts a quarter, a farther one less
            (Geman and McClure's weights); None counts all the same.
    """
    goal = Goal.of(keypoints, targets, prior)
    pose = matrices_last(start[0]), reversed_axes(start[1])
    found = pose
    frames = list(range(pose[1].shape[-1]))
    robust_from = OUTLIER_FROM_STEP if outlier_m is not None else 0
    for step in range(1, iterations.steps + iterations.extra_steps + 1):
        robust = outlier_m if step > OUTLIER_FROM_STEP else None
        rotations, trans, moved = _step(keypoints.paired, goal, pose, robust)
        pose = rotations, trans
        if step <= min(robust_from, iterations.steps - 1):
            continue
        limit = _SETTLED_RAD if step == iterations.steps else iterations.still_rad
        going = [place for place, far in enumerate(moved.tolist()) if far > limit]
        if step != iterations.steps and len(going) > _WORTH_LEAVING * len(frames):
            continue
        found = _with_frames(found, frames, pose)
        frames = [frames[place] for place in going]
        if not frames:
            break
        pose, goal = (rotations[..., going], trans[..., going]), goal.select(going)
    else:
        found = _with_frames(found, frames, pose)
    return matrices_first(found[0]), reversed_axes(found[1])


def _step(
    keypoints: PairedKeypoints, goal: Goal, pose: tuple[Array, Array], outlier_m: float | None
) -> tuple[Array, Array, Array]:
    """Return rotations and trans after a step, and how far it turned each frame's joints at most (F,), radians."""
    num_frames = pose[1].shape[-1]
    size = _BLOCK_FRAMES if isinstance(pose[1], np.ndarray) else num_frames
    parts = []
    for block in blocks(num_frames, size):
        some = pose[0][..., block], pose[1][..., block]
        equations = linearised(keypoints, goal.select(block), some, outlier_m)
        parts.append(stepped(*some, equations.posed.world, equations.normal.solve(equations.right)))
    if len(parts) == 1:
        return parts[0]
    rotations, trans, moved = (namespace(pose[1]).concat(part, axis=-1) for part in zip(*parts, strict=True))
    return rotations, trans, moved


def blocks(num_frames: int, size: int) -> list[slice]:
    """Return slices of about equal length, at most *size*, that make up all frames."""
    edges = np.linspace(0, num_frames, max(1, -(-num_frames // size)) + 1).round().astype(int).tolist()
    return [slice(first, end) for first, end in zip(edges[:-1], edges[1:], strict=True)]


def _with_frames(poses: tuple[Array, Array], frames: list[int], some: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return rotations and trans of all frames with *some* put in their places; never changes what it is given."""
    if len(frames) == poses[1].shape[-1]:
        return some
    changed = []
    for whole, part in zip(poses, some, strict=True):
        copy = namespace(whole).asarray(whole, copy=True)
        copy[..., frames] = part
        changed.append(copy)
    return changed[0], changed[1]


@dataclass(frozen=True, eq=False)
class Goal:
    """What a block of frames is to reach, with the frames last.

    Attributes:
        points: (3, K, F) targets, metres.
        weights: (K, F).
        shown: (24, F) 1 for joints that a keypoint shows; others stay where they are expected. The skin of a shoulder
            hangs on the neck a little, and a free neck would spin to move it by a millimetre.
        expected: (3, 3, 24, F) local rotations.
        precision: (3, 3, 24, F) of them.
        sigma_m: that *precision* is scaled by.
        joint_precisions: precisions of joints together.
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
        """Return the goal of frames."""
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
        """Return the goal of some frames."""
        return Goal(
            self.points[..., frames],
            self.weights[..., frames],
            self.shown[..., frames],
            self.expected[..., frames],
            self.precision[..., frames],
            self.sigma_m,
            tuple(joint_precision.select(frames) for joint_precision in self.joint_precisions),
        )

    def pull(self, rotations: Array) -> Pull:
        """Return how the joints are drawn to where they are expected.

        A pose far out of what the prior expects is likelier to be rare than wrong, so the precision falls with the
        distance, as for Student's t distribution. What no joint does is not rare: beyond its limits it is held.

        Args:
            rotations: (3, 3, 24, F) local rotations.
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
            draw = joint_precision.moment(away[:, joints])
            squared = xp.sum(xp.sum(away[:, joints] * draw, axis=0), axis=0) / self.sigma_m**2
            share = at_most((TAIL + 3.0 * len(joints)) / (TAIL + squared), 1.0)
            moment[:, joints] += draw * share
            joint_precisions.append(joint_precision.scaled(share))
        back, firm = limit_pulls(rotations)
        moment[LIMITED_AXES, LIMITED_JOINTS] += back
        precision[LIMITED_AXES, LIMITED_AXES, LIMITED_JOINTS] += firm
        return Pull(moment, precision, tuple(joint_precisions))


@dataclass(frozen=True, eq=False)
class Pull:
    """How joints are drawn to where they are expected.

    Attributes:
        moment: (3, 24, F) on each joint, in its own axes.
        precision: (3, 3, 24, F) of each joint.
        joint_precisions: precisions of joints together.
    """

    moment: Array
    precision: Array
    joint_precisions: tuple[SolverJointPrecision, ...]


@dataclass(frozen=True, eq=False)
class Linearised:
    """The problem of one step.

    Attributes:
        normal: the matrix.
        right: the right side.
        posed: the keypoints.
        residual: (3, K, F) targets less keypoints, metres.
        weights: (K, F) of the keypoints, those far off given less.
        shown: (24, F) the joints that keypoints turn.
        pull: of what is expected.
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
    """Return the problem of the next step.

    Args:
        keypoints: the body's.
        goal: to reach.
        pose: local rotations (3, 3, 24, F) and trans (3, F).
        outlier_m: a point this far off counts a quarter; None counts all the same.
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
    """Return local rotations and trans after a step, no turn of it too large to trust, and its largest turn (F,).

    Args:
        rotations: (3, 3, 24, F) local rotations.
        trans: (3, F).
        world: (3, 3, 24, F) the rotations relative to the world.
        step: one right side's.
    """
    xp = namespace(trans)
    turns = step.turns[:, :, 0]
    size = xp.sqrt(xp.sum(turns * turns, axis=0))
    own = apply_transposed(world, turns * at_most(MAX_STEP_RAD / at_least(size, 1e-9), 1.0))
    moved = at_most(xp.max(size, axis=0), MAX_STEP_RAD)
    return times(rotations, from_rotation_vectors(own)), trans + step.shift[:, 0], moved
