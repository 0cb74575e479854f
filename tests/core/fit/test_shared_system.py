"""The shared unknowns: eliminated equations against dense ones, with numerical derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.fit.shape.shared_system import SUBJECT_OFFSET_AXES, SUBJECT_OFFSET_JOINTS, SharedSolution, SharedSystem
from core.fit.solver.gauss_newton import Goal, Linearised, PosePrior, Targets, linearised
from core.fit.solver.joint_precision import JointPrecision
from core.math.frames_last import matrices_last, reversed_axes, rotation_vectors, transposed_times
from core.smpl_skeleton import JOINT_INDEX

from .scenes import dense_matrix, keypoint_model, solver_names

NAMES = solver_names()
NUM_OFFSETS = 3 * len(NAMES)
TRUNK = tuple(JOINT_INDEX[name] for name in ("pelvis", "spine1", "left_hip"))
LEG = tuple(JOINT_INDEX[name] for name in ("right_knee", "right_ankle"))
NUM_FRAMES = 3
POSE = 69
SIGMA_M, SHARE = 0.01, 0.4


@dataclass(frozen=True, eq=False)
class Problem:
    """Return three frames of a shape with offsets, whose trunk and leg joints have displaced, coupled priors."""

    betas: np.ndarray
    offsets: np.ndarray
    rotations: np.ndarray
    trans: np.ndarray
    goal: Goal
    equations: Linearised

    def shaped(self, betas: np.ndarray, offsets: np.ndarray):
        return keypoint_model(NAMES).shifted(offsets.reshape(-1, 3)).shaped(betas)

    def points(self, betas: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Return the points (F, 3 K)."""
        return self.shaped(betas, offsets).points(self.rotations, self.trans).reshape(NUM_FRAMES, -1)

    def solve(self, now: np.ndarray, precision: np.ndarray, *, with_betas: bool) -> SharedSolution:
        keypoints = self.shaped(self.betas, self.offsets)
        pose = matrices_last(self.rotations)
        system = SharedSystem(keypoints, self.equations, self.goal, pose, with_betas=with_betas)
        return system.solve(now, precision, sigma_m=SIGMA_M, share=SHARE)


@pytest.fixture(scope="module")
def problem(act) -> Problem:
    generator = np.random.default_rng(0)
    frames = slice(0, 10 * NUM_FRAMES, 10)
    rotations, trans = act.rotations[frames].astype(np.float64), act.trans[frames].astype(np.float64)
    points = act.solver_points()[frames] + 0.004 * generator.normal(size=(NUM_FRAMES, len(NAMES), 3))
    weights = generator.uniform(0.2, 1.0, points.shape[:2])
    weights[0, 3] = 0.0
    away = Rotation.from_rotvec(0.05 * generator.normal(size=(NUM_FRAMES * 24, 3))).as_matrix()
    expected = rotations @ away.reshape(NUM_FRAMES, 24, 3, 3)
    joint_precisions = []
    for joints in (TRUNK, LEG):
        draws = generator.normal(size=(NUM_FRAMES, 3 * len(joints), 3 * len(joints)))
        joint_precisions.append(
            JointPrecision(joints, 1e-4 * (draws @ np.swapaxes(draws, -1, -2) + np.eye(3 * len(joints))))
        )
    precision = np.broadcast_to(1e-4 * np.eye(3), (NUM_FRAMES, 22, 3, 3))
    betas, offsets = 0.3 * generator.normal(size=10), 0.01 * generator.normal(size=NUM_OFFSETS)
    shaped = keypoint_model(NAMES).shifted(offsets.reshape(-1, 3)).shaped(betas)
    goal = Goal.of(shaped, Targets(points, weights), PosePrior(expected, precision, 1.0, tuple(joint_precisions)))
    equations = linearised(shaped.paired, goal, (matrices_last(rotations), reversed_axes(trans)), 0.05)
    return Problem(betas, offsets, rotations, trans, goal, equations)


def _pose_jacobian(problem: Problem) -> np.ndarray:
    """Return the derivative of the points by the poses (F, 3 K, 69), from unit forces; 0 for joints not shown."""
    forces = np.zeros((3, len(NAMES), NUM_OFFSETS, NUM_FRAMES))
    for point in range(len(NAMES)):
        for axis in range(3):
            forces[axis, point, 3 * point + axis] = 1.0
    turns = problem.equations.posed.moments(keypoint_model(NAMES).pairs, forces) * problem.equations.shown[:, None]
    jacobian = turns[:, :22].transpose(3, 2, 1, 0).reshape(NUM_FRAMES, NUM_OFFSETS, 66)
    shift = np.broadcast_to(np.tile(np.eye(3), (len(NAMES), 1)), (NUM_FRAMES, NUM_OFFSETS, 3))
    return np.concatenate([jacobian, shift], axis=-1)


def _shared_jacobian(problem: Problem) -> np.ndarray:
    """Return the derivative of the points by betas and offsets (F, 3 K, B + 3 K), which is linear in both."""
    base = problem.points(problem.betas, problem.offsets)
    columns = [problem.points(problem.betas + row, problem.offsets) - base for row in np.eye(10)]
    columns += [problem.points(problem.betas, problem.offsets + row) - base for row in np.eye(NUM_OFFSETS)]
    return np.stack(columns, axis=-1)


def _dense(problem: Problem, now: np.ndarray, precision: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrix and right-hand side of all poses and shared unknowns together."""
    equations, goal = problem.equations, problem.goal
    poses, shared = _pose_jacobian(problem), _shared_jacobian(problem)
    away = rotation_vectors(transposed_times(matrices_last(problem.rotations), goal.expected))
    first = POSE * NUM_FRAMES
    size = first + len(now)
    dense, gradient = np.zeros((size, size)), np.zeros(size)
    dense[first:, first:] = precision * SIGMA_M**2
    gradient[first:] = -precision @ now * SIGMA_M**2
    subject_offset = first + 10 + NUM_OFFSETS
    block = slice(first, subject_offset)
    for frame in range(NUM_FRAMES):
        own = slice(POSE * frame, POSE * frame + POSE)
        squared = SHARE * np.repeat(equations.weights[:, frame] ** 2, 3)
        residual = equations.residual[:, :, frame].T.reshape(-1)
        dense[own, own] = SHARE * dense_matrix(equations.normal, frame)
        right = equations.right
        gradient[own] = SHARE * np.concatenate([right.turns[:, :22, 0, frame].T.reshape(-1), right.shift[:, 0, frame]])
        mixed = poses[frame].T @ (squared[:, None] * shared[frame])
        dense[own, block], dense[block, own] = mixed, mixed.T
        dense[block, block] += shared[frame].T @ (squared[:, None] * shared[frame])
        gradient[block] += shared[frame].T @ (squared * residual)
        for joint_precision in equations.pull.joint_precisions:
            axes = [
                subject_offset + SUBJECT_OFFSET_AXES.index(3 * joint + axis)
                for joint in joint_precision.joints
                for axis in range(3)
            ]
            firm = SHARE * joint_precision.precision[..., frame]
            dense[np.ix_(axes, axes)] += firm
            gradient[axes] -= firm @ away[:, list(joint_precision.joints), frame].T.reshape(-1)
            for index, joint in enumerate(joint_precision.joints):
                rows = [POSE * frame + 3 * joint + axis for axis in range(3)]
                felt = -equations.posed.world[:, :, joint, frame] @ firm[3 * index : 3 * index + 3]
                dense[np.ix_(rows, axes)] += felt
                dense[np.ix_(axes, rows)] += felt.T
    return dense, gradient


def _now(size: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    root = generator.normal(size=(size, size))
    return 0.1 * generator.normal(size=size), 10.0 * (root @ root.T / size + np.eye(size))


@pytest.mark.parametrize("with_betas", [True, False], ids=["betas unknown", "betas known"])
def test_eliminating_the_poses_equals_a_joint_solve(problem, with_betas):
    now, precision = _now(10 + NUM_OFFSETS + len(SUBJECT_OFFSET_AXES))
    first = POSE * NUM_FRAMES
    kept = np.arange(first + len(now))
    if not with_betas:
        kept = np.delete(kept, np.arange(first, first + 10))
        own = kept[first:] - first
        found = problem.solve(now[own], precision[np.ix_(own, own)], with_betas=False)
        now = np.where(np.isin(np.arange(len(now)), own), now, 0.0)
        precision = np.where(np.isin(np.arange(len(now)), own)[:, None], precision, 0.0)
        precision = np.where(np.isin(np.arange(len(now)), own)[None], precision, 0.0)
    else:
        found = problem.solve(now, precision, with_betas=True)
    dense, gradient = _dense(problem, now, precision)
    dense, gradient = dense[np.ix_(kept, kept)], gradient[kept]
    wanted = np.linalg.solve(dense, gradient)
    np.testing.assert_allclose(found.change, wanted[first:], atol=2e-4)
    covariance = np.linalg.inv(dense)[first:, first:] * SIGMA_M**2
    np.testing.assert_allclose(found.covariance, covariance, atol=2e-3 * np.abs(covariance).max())
    step = np.concatenate(
        [found.step.turns[:, :22, 0].transpose(2, 1, 0).reshape(NUM_FRAMES, 66), found.step.shift[:, 0].T], 1
    )
    np.testing.assert_allclose(step.reshape(-1), wanted[:first], atol=2e-4)


def test_leverage_is_the_points_block_of_the_hat_matrix(problem):
    found = problem.solve(*_now(10 + NUM_OFFSETS + len(SUBJECT_OFFSET_AXES)), with_betas=True).followed
    jacobian = _pose_jacobian(problem)
    for frame in range(NUM_FRAMES):
        weighted = np.repeat(problem.equations.weights[:, frame], 3)[:, None] * jacobian[frame]
        hat = weighted @ np.linalg.solve(dense_matrix(problem.equations.normal, frame), weighted.T)
        np.testing.assert_allclose(found[:, frame], np.diag(hat).reshape(-1, 3).sum(axis=1), atol=1e-3)
    assert found[3, 0] == 0.0


def test_the_subject_offset_covers_the_joints_of_the_regressions():
    assert len(SUBJECT_OFFSET_JOINTS) == len(set(SUBJECT_OFFSET_JOINTS)) == 14
    assert len(SUBJECT_OFFSET_AXES) == 42
    arms = {JOINT_INDEX[f"{side}_{name}"] for side in ("left", "right") for name in ("collar", "shoulder", "elbow")}
    assert not arms & set(SUBJECT_OFFSET_JOINTS)
