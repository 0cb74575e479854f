"""The Gauss-Newton solver against SciPy's least squares and finite differences, in double precision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel, ShapedKeypoints
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.fit.solver.gauss_newton import Goal, IterationLimits, PosePrior, Targets, linearised, refine, stepped
from core.fit.solver.joint_limits import limit_pulls
from core.fit.solver.joint_precision import JointPrecision
from core.fit.solver.normal_equations import Unknowns
from core.math.frames_last import matrices_first, matrices_last, reversed_axes, rotation_vectors
from core.smpl_skeleton import JOINT_INDEX

from .scenes import Scene, dense_matrix, solver_names

pytestmark = pytest.mark.slow

NAMES = solver_names()
SIGMA_M = 0.003
COUPLED = tuple(
    tuple(JOINT_INDEX[name] for name in names)
    for names in (("pelvis", "head", "left_hip"), ("right_knee", "right_foot"), ("left_ankle", "left_foot"))
)
"""Joints of the trunk and of limbs, in another order than the solver's."""
WEAK = 1e-3 * np.broadcast_to(np.eye(3), (22, 3, 3))
"""Square metres per square radian: 3 cm of keypoint error are worth one radian."""


@pytest.fixture(scope="module")
def keypoints(act) -> ShapedKeypoints:
    """Return the points on a body without pose correctives, in double precision, where levers are exact derivatives."""
    body = load_free_body()
    body = replace(body, posedirs=np.zeros_like(body.posedirs))
    return KeypointModel(BodyModel(body), landmark_regressor(body, NAMES)).shaped(act.betas.astype(np.float64))


@pytest.fixture
def unlimited(monkeypatch) -> None:
    """Switch off the joint limits (see `test_joint_limits`), since noise would turn toes beyond theirs."""
    free = [(0.0 * limit_pulls(np.ones((3, 3, 24, 1)))[part]) for part in (0, 1)]
    monkeypatch.setattr("core.fit.solver.gauss_newton.limit_pulls", lambda rotations: tuple(free))


def _problem(act: Scene, keypoints: ShapedKeypoints, frame: int = 20, off_m: float = 0.005):
    """Return one frame's noisy targets with uneven weights, and a prior that deviates from the truth."""
    generator = np.random.default_rng(frame)
    rotations = act.rotations[frame : frame + 1].astype(np.float64)
    trans = act.trans[frame : frame + 1].astype(np.float64)
    points = keypoints.points(rotations, trans) + off_m * generator.normal(size=(1, keypoints.model.num_points, 3))
    weights = generator.uniform(0.3, 1.0, (1, keypoints.model.num_points))
    weights[0, 4] = 0.0
    away = Rotation.from_rotvec(generator.normal(0.0, 0.15, (24, 3))).as_matrix()
    away[22:] = np.eye(3)
    return Targets(points, weights), rotations @ away, trans + 0.02 * generator.normal(size=(1, 3))


def _apply(rotations: np.ndarray, trans: np.ndarray, unknowns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Apply N steps (N, 69) to one frame: rotation vectors of 22 joints in their own axes, and a translation."""
    turns = Rotation.from_rotvec(unknowns[:, :66].reshape(-1, 3)).as_matrix().reshape(-1, 22, 3, 3)
    changed = np.repeat(rotations, len(unknowns), axis=0)
    changed[:, :22] = changed[:, :22] @ turns
    return changed, trans + unknowns[:, 66:]


def _distance_to(prior: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Return the rotation vectors (N, 22, 3) from *rotations* to the prior."""
    turns = np.swapaxes(rotations[:, :22], -1, -2) @ prior[:, :22]
    return Rotation.from_matrix(turns.reshape(-1, 3, 3)).as_rotvec().reshape(-1, 22, 3)


def _slopes(function, unknowns: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Return the central differences of a function of (N, 69) along each unknown."""
    steps = step * np.eye(69)
    return (function(unknowns + steps) - function(unknowns - steps)) / (2.0 * step)


def test_refine_finds_scipys_optimum(act, keypoints, unlimited):
    targets, expected, trans = _problem(act, keypoints)
    # BODY25 does not show the wrists, so these stay at their expected rotations.
    free = np.ones(69)
    for name in ("left_wrist", "right_wrist"):
        free[3 * JOINT_INDEX[name] : 3 * JOINT_INDEX[name] + 3] = 0.0

    def residuals(unknowns):
        rotations, translation = _apply(expected, trans, unknowns * free)
        miss = targets.weights[..., None] * (targets.points - keypoints.points(rotations, translation))
        away = np.sqrt(WEAK[0, 0, 0]) * _distance_to(expected, rotations)
        return np.concatenate([miss.reshape(len(unknowns), -1), away.reshape(len(unknowns), -1)], axis=1)

    oracle = least_squares(
        lambda unknowns: residuals(unknowns[None])[0],
        np.zeros(69),
        jac=lambda unknowns: _slopes(residuals, unknowns).T,
        xtol=1e-14,
        ftol=1e-14,
        gtol=1e-14,
    )
    # A wide prior keeps its full weight at these distances, so the objective is plain least squares.
    prior = PosePrior(expected, WEAK, sigma_m=1.0)
    rotations, translation = refine(
        keypoints, (expected, trans), targets, prior, iterations=IterationLimits(60, still_rad=0.0)
    )
    true_rotations, true_place = _apply(expected, trans, oracle.x[None] * free)
    np.testing.assert_allclose(rotations, true_rotations, atol=2e-5)
    np.testing.assert_allclose(translation, true_place, atol=1e-5)
    assert np.linalg.norm(oracle.x) > 0.1


def test_few_steps_are_near_the_optimum(act, keypoints, unlimited):
    targets, expected, trans = _problem(act, keypoints)
    prior = PosePrior(expected, WEAK, sigma_m=1.0)
    points = [
        keypoints.points(
            *refine(keypoints, (expected, trans), targets, prior, iterations=IterationLimits(steps, still_rad=0.0))
        )
        for steps in (5, 60)
    ]
    assert np.abs(points[0] - points[1]).max() < 5e-4


def test_robust_weights_and_heavy_tails_are_stationary(act, keypoints, unlimited):
    targets, expected, trans = _problem(act, keypoints)
    hip = NAMES.index("mid_hip")
    targets.points[0, hip] += [0.3, 0.1, 0.0]
    outlier_m, tail = 0.08, 8.0
    prior = PosePrior(expected, WEAK, SIGMA_M)

    def cost(unknowns, centre):
        rotations, translation = _apply(*centre, unknowns)
        squared = ((targets.points - keypoints.points(rotations, translation)) ** 2).sum(-1)
        data = (targets.weights**2 * outlier_m**2 * squared / (outlier_m**2 + squared)).sum(-1)
        q = (_distance_to(expected, rotations) ** 2).sum(-1) * WEAK[0, 0, 0] / SIGMA_M**2
        rho = np.where(q <= 3.0, q, 3.0 + (tail + 3.0) * np.log((tail + np.maximum(q, 3.0)) / (tail + 3.0)))
        return data + SIGMA_M**2 * rho.sum(-1)

    def slope(centre):
        return _slopes(lambda unknowns: cost(unknowns, centre), np.zeros((1, 69)))

    found = refine(
        keypoints,
        (expected, trans),
        targets,
        prior,
        iterations=IterationLimits(100, still_rad=0.0),
        outlier_m=outlier_m,
    )
    assert np.abs(slope(found)).max() < 2e-3 * np.abs(slope((expected, trans))).max()
    plain = refine(keypoints, (expected, trans), targets, prior, iterations=IterationLimits(100, still_rad=0.0))
    left = [np.linalg.norm((targets.points - keypoints.points(*pose))[0, hip]) for pose in (found, plain)]
    assert left[0] > 1.2 * left[1]
    assert left[0] > 0.29


def _linearised(act: Scene, keypoints: ShapedKeypoints):
    """Return a step's problem, the normal matrix and gradient by a numerical Jacobian, and the prior's part."""
    targets, expected, trans = _problem(act, keypoints)
    rotations = act.rotations[20:21].astype(np.float64)
    generator = np.random.default_rng(0)
    root = generator.normal(size=(22, 3, 3))
    joint_precisions = []
    for joints in COUPLED:
        draws = generator.normal(size=(1, 3 * len(joints), 3 * len(joints)))
        joint_precisions.append(JointPrecision(joints, 1e-4 * (draws @ np.swapaxes(draws, -1, -2))))
    precision = 1e-4 * (root @ np.swapaxes(root, -1, -2) + np.eye(3))
    prior = PosePrior(expected, precision, sigma_m=1.0, joint_precisions=tuple(joint_precisions))
    pose = matrices_last(rotations), reversed_axes(trans)
    equations = linearised(keypoints.paired, Goal.of(keypoints, targets, prior), pose)
    world = equations.posed.world

    def moved(unknowns):
        turns = np.zeros((3, 24, 1, len(unknowns)))
        turns[:, :22, 0] = reversed_axes(unknowns[:, :66].reshape(-1, 22, 3))
        every = [np.repeat(array, len(unknowns), axis=-1) for array in (*pose, world)]
        found = stepped(*every, Unknowns(turns, unknowns[:, 66:].T[:, None]))
        return keypoints.points(matrices_first(found[0]), found[1].T)

    residual = targets.points - keypoints.points(rotations, trans)
    jacobian = np.moveaxis(_slopes(moved, np.zeros((1, 69))), 0, -1)
    weighted = targets.weights[0, :, None, None] * jacobian
    matrix = np.einsum("kcu,kcv->uv", weighted, weighted)
    gradient = np.einsum("kcu,kc->u", weighted, targets.weights[0, :, None] * residual[0])
    away = _distance_to(expected, rotations)[0]
    for joint in range(22):
        turn = world[:, :, joint, 0]
        own = slice(3 * joint, 3 * joint + 3)
        matrix[own, own] += turn @ prior.precision[joint] @ turn.T
        gradient[own] += turn @ prior.precision[joint] @ away[joint]
    for joint_precision in prior.joint_precisions:
        own = [3 * joint + axis for joint in joint_precision.joints for axis in range(3)]
        turns = scipy.linalg.block_diag(*(world[:, :, joint, 0] for joint in joint_precision.joints))
        matrix[np.ix_(own, own)] += turns @ joint_precision.precision[0] @ turns.T
        gradient[own] += turns @ joint_precision.precision[0] @ away[list(joint_precision.joints)].reshape(-1)
    return equations, matrix + 1e-5 * np.eye(69), gradient


def test_right_hand_side_is_the_gradient(act, keypoints):
    equations, _, gradient = _linearised(act, keypoints)
    right = equations.right
    found = np.concatenate([right.turns[:, :22, 0, 0].T.reshape(-1), right.shift[:, 0, 0]])
    # No point shows the wrists, so only the prior turns them.
    shown = np.repeat(equations.shown[:22, 0] > 0, 3)
    assert not shown.all()
    np.testing.assert_allclose(found[:66][shown], gradient[:66][shown], atol=1e-6)
    np.testing.assert_allclose(found[66:], gradient[66:], atol=1e-6)


def test_normal_matrix_matches_a_numerical_jacobian(act, keypoints):
    equations, matrix, _ = _linearised(act, keypoints)
    shown = np.concatenate([np.repeat(equations.shown[:22, 0] > 0, 3), [True] * 3])
    assert not shown.all()
    found = dense_matrix(equations.normal)
    np.testing.assert_allclose(found[np.ix_(shown, shown)], matrix[np.ix_(shown, shown)], atol=1e-6)


def test_a_point_shared_by_two_limbs_only_shortens_steps(act):
    """The coupling of both legs by a point between the ankles is dropped; each leg's own block grows instead."""
    body = load_free_body()
    body = replace(body, posedirs=np.zeros_like(body.posedirs))
    regressor = landmark_regressor(body, NAMES)
    between = 0.5 * (regressor[NAMES.index("left_ankle")] + regressor[NAMES.index("right_ankle")])
    model = KeypointModel(BodyModel(body), np.concatenate([regressor, between[None]]))
    equations, matrix, _ = _linearised(act, model.shaped(act.betas.astype(np.float64)))
    found = dense_matrix(equations.normal)
    np.testing.assert_allclose(found, found.T, atol=1e-9)
    shown = np.concatenate([np.repeat(equations.shown[:22, 0] > 0, 3), [True] * 3])
    less = scipy.linalg.eigh(matrix[np.ix_(shown, shown)], found[np.ix_(shown, shown)], eigvals_only=True)
    assert less.max() < 1.0 + 1e-5
    assert 0.0 < less.min() < 0.9


def test_solution_satisfies_the_normal_equations(act, keypoints):
    equations, _, _ = _linearised(act, keypoints)
    generator = np.random.default_rng(1)
    wanted = generator.normal(size=(4, 69))
    turns = np.zeros((3, 24, 4, 1))
    turns[:, :22, :, 0] = wanted[:, :66].reshape(4, 22, 3).transpose(2, 1, 0)
    found = equations.normal.solve(Unknowns(turns, wanted[:, 66:].T[..., None]))
    found = np.concatenate([found.turns[:, :22, :, 0].transpose(2, 1, 0).reshape(4, 66), found.shift[..., 0].T], axis=1)
    np.testing.assert_allclose(found @ dense_matrix(equations.normal), wanted, atol=1e-7)


def test_a_correct_pose_does_not_change(act, keypoints):
    rotations, trans = act.rotations.astype(np.float64), act.trans.astype(np.float64)
    targets = Targets(keypoints.points(rotations, trans), np.ones((len(act), len(NAMES))))
    prior = PosePrior(rotations, WEAK, SIGMA_M)
    found, translation = refine(
        keypoints, (rotations, trans), targets, prior, iterations=IterationLimits(3, still_rad=0.0), outlier_m=0.08
    )
    np.testing.assert_allclose(found, rotations, atol=1e-8)
    np.testing.assert_allclose(translation, trans, atol=1e-8)


def test_without_points_the_result_is_the_prior(act, keypoints):
    rotations, trans = act.rotations[:3].astype(np.float64), act.trans[:3].astype(np.float64)
    expected = act.rotations[30:33].astype(np.float64)
    targets = Targets(np.zeros((3, len(NAMES), 3)), np.zeros((3, len(NAMES))))
    prior = PosePrior(expected, np.broadcast_to(np.eye(3), (22, 3, 3)), 1.0)
    found, translation = refine(
        keypoints, (rotations, trans), targets, prior, iterations=IterationLimits(30, still_rad=0.0)
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(translation, trans, atol=1e-9)


def test_frames_that_still_move_get_extra_steps(act, keypoints):
    rotations, trans = act.rotations[:4].astype(np.float64), act.trans[:4].astype(np.float64)
    targets = Targets(keypoints.points(rotations, trans), np.ones((4, len(NAMES))))
    start = rotations.copy()
    start[2, 0] = start[2, 0] @ Rotation.from_rotvec([0.0, 0.9, 0.0]).as_matrix()
    prior = PosePrior(rotations, WEAK, SIGMA_M)
    found, translation = refine(
        keypoints, (start, trans), targets, prior, iterations=IterationLimits(1, extra_steps=8, still_rad=0.0)
    )
    off = np.linalg.norm(keypoints.points(found, translation) - targets.points, axis=-1)
    assert off.max() < 2e-3
    np.testing.assert_allclose(start[2, 0], rotations[2, 0] @ Rotation.from_rotvec([0.0, 0.9, 0.0]).as_matrix())


def test_a_step_rotates_about_world_axes(act, keypoints):
    rotations, trans = matrices_last(act.rotations[:2].astype(np.float64)), act.trans[:2].T.astype(np.float64)
    world = keypoints.paired.posed(rotations).world
    turns = np.zeros((3, 24, 1, 2))
    turns[:, 18, 0] = np.array([[0.2, -0.4, 0.6], [0.7, 0.0, -0.3]]).T
    found, translation, moved = stepped(rotations, trans, world, Unknowns(turns, np.ones((3, 1, 2))))
    after = matrices_first(keypoints.paired.posed(found).world)
    expected = Rotation.from_rotvec(turns[:, 18, 0].T).as_matrix() @ matrices_first(world)[:, 18]
    np.testing.assert_allclose(after[:, 18], expected, atol=1e-7)
    np.testing.assert_allclose(after[:, 17], matrices_first(world)[:, 17], atol=1e-7)
    np.testing.assert_allclose(translation, trans + 1.0)
    np.testing.assert_allclose(moved, np.linalg.norm(turns[:, 18, 0], axis=0))


def test_no_step_rotation_exceeds_one_radian():
    wanted = np.random.default_rng(0).normal(0.0, 1.0, (3, 24, 1, 5))
    identity = np.tile(np.eye(3)[..., None, None], (1, 1, 24, 5))
    found, _, moved = stepped(identity, np.zeros((3, 5)), identity, Unknowns(wanted, np.zeros((3, 1, 5))))
    length = np.linalg.norm(wanted[:, :, 0], axis=0)
    shortened = wanted[:, :, 0] * np.minimum(1.0 / length, 1.0)
    np.testing.assert_allclose(rotation_vectors(found), shortened, atol=1e-12)
    np.testing.assert_allclose(moved, 1.0)


def test_frames_that_hardly_move_are_finished(act, keypoints):
    rotations, trans = act.rotations[:8].astype(np.float64), act.trans[:8].astype(np.float64)
    targets = Targets(keypoints.points(rotations, trans), np.ones((8, len(NAMES))))
    start = rotations.copy()
    start[5] = start[5] @ Rotation.from_rotvec([0.0, 0.2, 0.0]).as_matrix()
    prior = PosePrior(rotations, WEAK, SIGMA_M)
    found, translation = refine(
        keypoints, (start, trans), targets, prior, iterations=IterationLimits(6, still_rad=1e-3)
    )
    off = np.linalg.norm(keypoints.points(found, translation) - targets.points, axis=-1)
    assert off.max() < 1e-4
    alone = refine(
        keypoints,
        (start[5:6], trans[5:6]),
        targets.select([5]),
        prior.select([5]),
        iterations=IterationLimits(6, still_rad=1e-3),
    )
    np.testing.assert_allclose(found[5], alone[0][0], atol=1e-9)


def test_a_few_frames_of_many_sides_are_solved_as_many_frames_are(act, keypoints, monkeypatch):
    wanted, _, _ = _linearised(act, keypoints)
    generator = np.random.default_rng(2)
    sides = Unknowns(generator.normal(size=(3, 24, 40, 1)), generator.normal(size=(3, 40, 1)))
    sides.turns[:, 22:] = 0.0
    dense = wanted.normal.solve(sides)
    monkeypatch.setattr("core.fit.solver.normal_equations._DENSE_FRAMES", 0)
    by_limb = wanted.normal.solve(sides)
    np.testing.assert_allclose(dense.turns, by_limb.turns, atol=1e-6 * np.abs(by_limb.turns).max())
    np.testing.assert_allclose(dense.shift, by_limb.shift, atol=1e-6 * np.abs(by_limb.shift).max())
    assert not np.array_equal(dense.turns, by_limb.turns)
