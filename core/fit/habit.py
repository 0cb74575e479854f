"""How a person holds trunk and legs, all through a clip, other than is expected: found from some dozens of frames.

Keypoints say little of how a pelvis is tilted: in one frame less than their noise, and what is expected is that of
other people. But a person tilts it much alike from frame to frame, so what the frames say together is told apart from
their noise. One least-squares problem: each frame's pose is its own unknown and the habit is shared, so the poses are
eliminated frame by frame (Schur complement), as for the betas (`core.fit.shape`). F frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..arrays import Array, kind_of, like, namespace, to_numpy
from ..body.keypoints import ShapedKeypoints
from ..frames_last import column, from_rotation_vectors, rotation_vectors, times, transposed_times
from ..skeletons import NUM_BODY_ROTATIONS, NUM_JOINTS
from .equations import Unknowns
from .expectation import SHIPPED_EXPERTS, Experts
from .pose_prior import PARTS, Habit, joint_axes, load_prior, part_joints
from .refine import Goal, Linearised, Targets, linearised, stepped

_STEPS = 3
_LEAST_BIAS_M = 2e-4
"""What all frames have in common of the error of a point, at least: their number does not average that out."""
_JOINTS = tuple(joint for part, side in PARTS for joint in part_joints(part, side))
_AXES = joint_axes(_JOINTS)
_NUM_AXES = 3 * NUM_BODY_ROTATIONS


def find_habit(
    names: Sequence[str],
    keypoints: ShapedKeypoints,
    targets: Targets,
    start: Array,
    poses: tuple[Array, Array],
    *,
    sigma_m: float,
    noise_m: float,
    experts: Experts = SHIPPED_EXPERTS,
) -> Habit:
    """Return the habit of the person in *targets*.

    Args:
        names: the solver points, in the order of *targets*.
        keypoints: those points on the shaped body.
        targets: some frames' points, spread over the clip.
        start: (F, 24, 3, 3) the analytic start's local rotations, which expectations are made from.
        poses: rotations (3, 3, 24, F) and trans (3, F) to begin from.
        sigma_m: how far off the points are per axis.
        noise_m: how much of that is noise, other in every frame.
        experts: who is asked what pose to expect.
    """
    rotations, trans = poses
    own = np.ix_(_AXES, _AXES)
    usual = dict(zip(names, to_numpy(targets.weights).max(axis=0), strict=True))
    hold = np.linalg.inv(load_prior().habit_covariance(usual)[own]) * sigma_m**2
    bias = max(sigma_m**2 - noise_m**2, _LEAST_BIAS_M**2)
    share = sigma_m**2 / (bias * start.shape[0] + sigma_m**2)
    turns, covariance = np.zeros((NUM_JOINTS, 3)), np.zeros((_NUM_AXES, _NUM_AXES))
    none = Habit(turns[:NUM_BODY_ROTATIONS], covariance)
    usually = experts.expected_pose(names, keypoints, start, targets, sigma_m=sigma_m, noise_m=noise_m, habit=none)
    goal = Goal.of(keypoints, targets, usually)
    unturned = goal.expected
    for _ in range(_STEPS):
        goal = replace(goal, expected=times(unturned, from_rotation_vectors(column(turns.T, trans))))
        equations = linearised(keypoints.paired, goal, (rotations, trans))
        now = turns.reshape(-1)[_AXES]
        step, change, unknown = _solved(equations, goal, rotations, hold=hold, now=now, share=share)
        turns.reshape(-1)[_AXES] += change
        rotations, trans, _ = stepped(rotations, trans, equations.posed.world, step)
    covariance[own] = unknown * sigma_m**2
    return Habit(turns[:NUM_BODY_ROTATIONS], covariance)


def _solved(
    equations: Linearised, goal: Goal, rotations: Array, *, hold: np.ndarray, now: np.ndarray, share: float
) -> tuple[Unknowns, np.ndarray, np.ndarray]:
    """Return the poses' step, the habit's change (N,), and what it leaves unknown of it (N, N), per square metre.

    Args:
        equations: the poses' own.
        goal: of the poses.
        rotations: (3, 3, 24, F) local rotations.
        hold: (N, N) how firmly the habit is held to be none.
        now: (N,) the habit as it is.
        share: how much of a frame's word counts.
    """
    xp = namespace(rotations)
    num_frames = rotations.shape[-1]
    away = rotation_vectors(transposed_times(rotations, goal.expected))
    felt_turns = xp.zeros((3, NUM_JOINTS, len(_AXES), num_frames), **kind_of(rotations))
    firm, draw = np.zeros((len(_AXES), len(_AXES))), np.zeros(len(_AXES))
    for coupling in equations.pull.couplings:
        places = joint_axes([_JOINTS.index(joint) for joint in coupling.joints])
        by_joint = xp.reshape(coupling.turned(equations.posed.world), (len(coupling.joints), 3, -1, num_frames))
        for place, joint in enumerate(coupling.joints):
            felt_turns[:, joint, places] += by_joint[place]
        firm[np.ix_(places, places)] += to_numpy(xp.sum(coupling.precision, axis=-1))
        moments = xp.sum(coupling.moment(away[:, list(coupling.joints)]), axis=-1)
        draw[places] += to_numpy(moments).T.reshape(-1)
    right = equations.right
    sides = Unknowns(
        xp.concat([felt_turns, right.turns], axis=2),
        xp.concat([0.0 * felt_turns[:, 0], right.shift], axis=1),
    )
    solved = equations.normal.solve(sides)
    felt = to_numpy(xp.einsum("ajbf,ajcf->bc", felt_turns, solved.turns)).astype(np.float64)
    unknown = np.linalg.inv(share * (firm - felt[:, :-1]) + hold)
    change = unknown @ (share * (felt[:, -1] - draw) - hold @ now)
    return solved.less_shared(like(-change, rotations)), change, unknown
