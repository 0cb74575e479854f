"""The finish of one frame against that of a block of frames, which solves the same problem in another way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel, ShapedKeypoints
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.fit.priors.pose_predictor import SHIPPED_PREDICTOR
from core.fit.shape.shared_system import SUBJECT_OFFSET_AXES, SharedSystem
from core.fit.solver.gauss_newton import Goal, IterationLimits, PosePrior, Targets, linearised, refine, stepped
from core.fit.solver.initial_pose import analytic_start
from core.fit.solver.joint_precision import JointPrecision
from core.fit.solver.one_frame import FramePose, FramePrior, FrameSolver, FrameTargets
from core.layouts import LAYOUTS
from core.math.frames_last import matrices_first, matrices_last, reversed_axes
from core.smpl_skeleton import JOINT_INDEX

from .scenes import Scene, keypoint_model, solver_names

pytestmark = pytest.mark.slow

SIGMA_M = 0.004
COUPLED = (("pelvis", "head", "left_hip"), ("right_knee", "right_foot"), ("left_elbow", "left_wrist"))


def _precise(names: tuple[str, ...], scene: Scene) -> ShapedKeypoints:
    """The points on the scene's body, in double precision."""
    body = BodyModel(load_free_body())
    body.array = lambda values: np.asarray(values, dtype=np.float64)
    model = KeypointModel(body, landmark_regressor(body.data, names))
    return model.shaped(scene.betas.astype(np.float64))


def _problem(scene: Scene, names: tuple[str, ...], keypoints: ShapedKeypoints, seed: int):
    """A frame's noisy targets with uneven weights and missing points, a pose some way off, and a prior."""
    generator = np.random.default_rng(seed)
    frame = slice(seed, seed + 1)
    rotations, trans = scene.rotations[frame].astype(np.float64), scene.trans[frame].astype(np.float64)
    points = keypoints.points(rotations, trans) + 0.01 * generator.normal(size=(1, len(names), 3))
    weights = generator.uniform(0.3, 1.0, (1, len(names)))
    weights[0, generator.choice(len(names), 4, replace=False)] = 0.0
    off, away = (Rotation.from_rotvec(generator.normal(0.0, 0.2, (24, 3))).as_matrix() for _ in range(2))
    off[22:] = away[22:] = np.eye(3)
    half = generator.normal(size=(1, 22, 3, 3))
    joint_precisions = []
    for joints in COUPLED:
        root = generator.normal(size=(1, 3 * len(joints), 3 * len(joints)))
        joint_precisions.append(
            JointPrecision(tuple(JOINT_INDEX[name] for name in joints), 1e-3 * root @ root.swapaxes(1, 2))
        )
    precision = 1e-4 * half @ half.swapaxes(2, 3)
    prior = PosePrior(rotations @ away, precision, SIGMA_M, tuple(joint_precisions))
    return Targets(points, weights), (rotations @ off, trans + 0.05), prior


def _one(targets: Targets, pose: tuple[np.ndarray, np.ndarray]) -> tuple[FrameTargets, FramePose]:
    return FrameTargets(targets.points[0], targets.weights[0]), FramePose(pose[0][0], pose[1][0])


@pytest.mark.parametrize("outlier_m", [None, 0.05])
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_a_step_is_that_of_the_block(act, layout, outlier_m):
    names = solver_names(LAYOUTS[layout])
    keypoints = _precise(names, act)
    solver = FrameSolver(keypoints)
    for seed in (3, 20):
        targets, pose, prior = _problem(act, names, keypoints, seed)
        last = matrices_last(pose[0]), reversed_axes(pose[1])
        equations = linearised(keypoints.paired, Goal.of(keypoints, targets, prior), last, outlier_m)
        step = equations.normal.solve(equations.right)
        rotations, trans, moved = stepped(*last, equations.posed.world, step)
        iterations = IterationLimits(steps=1, extra_steps=0)
        found, turned = solver.solve(
            *_one(targets, pose)[::-1], FramePrior(prior), iterations=iterations, outlier_m=outlier_m
        )
        np.testing.assert_allclose(found.rotations, matrices_first(rotations)[0], atol=1e-6)
        np.testing.assert_allclose(found.trans, trans[:, 0], atol=1e-6)
        np.testing.assert_allclose(turned, moved[0], atol=1e-6)


@pytest.mark.parametrize("layout", ["body25", "coco17", "h36m17", "wholebody133", "smpl24"])
def test_it_ends_where_the_block_ends(act, layout):
    names = solver_names(LAYOUTS[layout])
    keypoints = keypoint_model(names).shaped(act.betas)
    generator = np.random.default_rng(4)
    points = (keypoints.points(act.rotations, act.trans)).astype(np.float32)
    points += 0.003 * generator.normal(size=points.shape).astype(np.float32)
    targets = Targets(points, (generator.random(points.shape[:2]) > 0.1).astype(np.float32))
    start, _ = analytic_start(names, keypoints, targets)
    expected = SHIPPED_PREDICTOR.predict(names, keypoints, start, targets, sigma_m=SIGMA_M)
    solver, iterations = FrameSolver(keypoints), IterationLimits(steps=40, extra_steps=0, still_rad=1e-6)
    for frame in (10, 30, 50):
        some, prior = targets.select([frame]), expected.select([frame])
        begin = act.rotations[frame - 1 : frame], act.trans[frame - 1 : frame]
        block = refine(keypoints, begin, some, prior, iterations=iterations)
        found, _ = solver.solve(*_one(some, begin)[::-1], FramePrior(prior), iterations=iterations)
        apart = Rotation.from_matrix(block[0][0]).inv() * Rotation.from_matrix(found.rotations)
        assert apart.magnitude().max() < 1e-4
        np.testing.assert_allclose(found.trans, block[1][0], atol=1e-5)


def test_limits_hold_a_joint_as_in_the_block(act):
    keypoints = _precise(solver_names(), act)
    targets, pose, prior = _problem(act, solver_names(), keypoints, 7)
    bent = Rotation.from_rotvec([-0.6, 0.2, 0.1]).as_matrix()
    pose[0][0, JOINT_INDEX["left_knee"]] = pose[0][0, JOINT_INDEX["right_foot"]] = bent
    last = matrices_last(pose[0]), reversed_axes(pose[1])
    equations = linearised(keypoints.paired, Goal.of(keypoints, targets, prior), last)
    rotations, _, _ = stepped(*last, equations.posed.world, equations.normal.solve(equations.right))
    found, _ = FrameSolver(keypoints).solve(
        *_one(targets, pose)[::-1], FramePrior(prior), iterations=IterationLimits(steps=1, extra_steps=0)
    )
    np.testing.assert_allclose(found.rotations, matrices_first(rotations)[0], atol=1e-6)


def test_points_far_off_count_less_only_near_the_answer(act):
    keypoints = _precise(solver_names(), act)
    targets, pose, prior = _problem(act, solver_names(), keypoints, 12)
    frame, begin = _one(targets, pose)
    wrist = solver_names().index("left_wrist")
    frame.points[wrist] += 1.0
    weights = frame.weights.copy()
    weights[wrist] = 1.0
    frame = replace(frame, weights=weights)
    iterations = IterationLimits(steps=1, extra_steps=0)
    solver = FrameSolver(keypoints)
    far, _ = solver.solve(begin, frame, FramePrior(prior), iterations=iterations, outlier_m=0.05, near=False)
    all_alike, _ = solver.solve(begin, frame, FramePrior(prior), iterations=iterations)
    near, _ = solver.solve(begin, frame, FramePrior(prior), iterations=iterations, outlier_m=0.05)
    np.testing.assert_array_equal(far.rotations, all_alike.rotations)
    assert np.abs(near.rotations - far.rotations).max() > 0.05


@pytest.mark.parametrize("layout", ["body25", "coco17", "smpl24"])
def test_a_frame_constrains_the_betas_as_in_the_block(act, layout):
    names = solver_names(LAYOUTS[layout])
    keypoints = _precise(names, act)
    targets, pose, prior = _problem(act, names, keypoints, 25)
    prior = replace(prior, joint_precisions=prior.joint_precisions[:2])
    last = matrices_last(pose[0]), reversed_axes(pose[1])
    equations = linearised(keypoints.paired, Goal.of(keypoints, targets, prior), last)
    betas, hold = keypoints.betas, 3e-4
    num_others = 3 * len(names) + len(SUBJECT_OFFSET_AXES)
    system = SharedSystem(keypoints, equations, Goal.of(keypoints, targets, prior), last[0], with_betas=True)
    precision = np.diag(np.r_[np.full(len(betas), hold), np.full(num_others, 1e9)])
    change = system.solve(np.r_[betas, np.zeros(num_others)], precision, sigma_m=1.0, share=1.0).change[: len(betas)]
    frame, begin = _one(targets, pose)
    evidence = FrameSolver(keypoints).shape_evidence(begin, frame, FramePrior(prior))
    own = np.linalg.solve(evidence.matrix + hold * np.eye(len(betas)), evidence.right - hold * betas)
    np.testing.assert_allclose(own, change, atol=1e-5)
    weights = targets.weights[0] ** 2
    squared = weights @ (equations.residual[..., 0] ** 2).sum(axis=0)
    np.testing.assert_allclose(evidence.misfit_m, np.sqrt(squared / (3.0 * weights.sum())), rtol=1e-6)
