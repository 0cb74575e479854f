"""A person's habit: the eliminated equations against dense ones, and what it brings on people never learned from."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.fit import FitOptions, fit_track, habit, shape
from core.fit.analytic import analytic_start
from core.fit.coupling import Coupling
from core.fit.pose_prior import load_prior
from core.fit.refine import Goal, PosePrior, Targets, linearised
from core.frames_last import matrices_last, reversed_axes, rotation_vectors, transposed_times
from core.skeletons import JOINT_INDEX

from .scenes import dense_matrix, keypoint_model, pve_mm, solver_names

NAMES = solver_names()
TRUNK = tuple(JOINT_INDEX[name] for name in ("pelvis", "spine1", "left_hip"))
LEG = tuple(JOINT_INDEX[name] for name in ("right_knee", "right_ankle"))
NUM_FRAMES = 3


def _problem(act):
    """Three frames, with joints of the trunk and of a leg that are expected together and elsewhere."""
    generator = np.random.default_rng(0)
    frames = slice(0, 10 * NUM_FRAMES, 10)
    rotations, trans = act.rotations[frames].astype(np.float64), act.trans[frames].astype(np.float64)
    points = act.solver_points()[frames] + 0.004 * generator.normal(size=(NUM_FRAMES, len(NAMES), 3))
    targets = Targets(points, generator.uniform(0.2, 1.0, points.shape[:2]))
    away = Rotation.from_rotvec(0.05 * generator.normal(size=(NUM_FRAMES * 24, 3))).as_matrix()
    expected = rotations @ away.reshape(NUM_FRAMES, 24, 3, 3)
    couplings = []
    for joints in (TRUNK, LEG):
        draws = generator.normal(size=(NUM_FRAMES, 3 * len(joints), 3 * len(joints)))
        couplings.append(Coupling(joints, 1e-4 * (draws @ np.swapaxes(draws, -1, -2) + np.eye(3 * len(joints)))))
    precision = np.broadcast_to(1e-4 * np.eye(3), (NUM_FRAMES, 22, 3, 3))
    shaped = keypoint_model(NAMES).shaped(act.betas.astype(np.float64))
    goal = Goal.of(shaped, targets, PosePrior(expected, precision, 1.0, tuple(couplings)))
    pose = matrices_last(rotations), reversed_axes(trans)
    return linearised(shaped.paired, goal, pose), goal, pose[0]


def test_eliminating_the_poses_equals_solving_for_all_at_once(act):
    equations, goal, rotations = _problem(act)
    axes = habit._AXES
    generator = np.random.default_rng(1)
    root = generator.normal(size=(len(axes), len(axes)))
    hold, now, share = 1e-3 * (root @ root.T + np.eye(len(axes))), 0.1 * generator.normal(size=len(axes)), 0.4
    step, change, unknown = habit._solved(equations, goal, rotations, hold=hold, now=now, share=share)

    away = rotation_vectors(transposed_times(rotations, goal.expected))
    size = 69 * NUM_FRAMES
    dense, gradient = np.zeros((size + len(axes),) * 2), np.zeros(size + len(axes))
    dense[size:, size:], gradient[size:] = hold, -hold @ now
    for frame in range(NUM_FRAMES):
        own = slice(69 * frame, 69 * frame + 69)
        dense[own, own] = share * dense_matrix(equations.normal, frame)
        right = equations.right
        gradient[own] = share * np.concatenate([right.turns[:, :22, 0, frame].T.reshape(-1), right.shift[:, 0, frame]])
        for coupling in goal.couplings:
            places = [size + axes.index(3 * joint + axis) for joint in coupling.joints for axis in range(3)]
            precision = coupling.precision[..., frame]
            off = away[:, list(coupling.joints), frame].T.reshape(-1)
            dense[np.ix_(places, places)] += share * precision
            gradient[places] -= share * precision @ off
            for index, joint in enumerate(coupling.joints):
                rows = [69 * frame + 3 * joint + axis for axis in range(3)]
                world = equations.posed.world[:, :, joint, frame]
                felt = -share * world @ precision[3 * index : 3 * index + 3]
                dense[np.ix_(rows, places)] += felt
                dense[np.ix_(places, rows)] += felt.T
    wanted = np.linalg.solve(dense, gradient)
    np.testing.assert_allclose(change, wanted[size:], atol=1e-6)
    np.testing.assert_allclose(unknown, np.linalg.inv(dense)[size:, size:], rtol=1e-4, atol=1e-6)
    found = np.concatenate([step.turns[:, :22, 0].transpose(2, 1, 0).reshape(NUM_FRAMES, 66), step.shift[:, 0].T], 1)
    np.testing.assert_allclose(found.reshape(-1), wanted[:size], atol=1e-6)


def _habit(scene, *, bias_m: float = 0.0):
    shaped = keypoint_model(NAMES).shaped(scene.betas)
    points = scene.solver_points()[::5].astype(np.float32)
    targets = Targets(points, np.ones(points.shape[:2], dtype=np.float32))
    start, trans = analytic_start(NAMES, shaped, targets)
    poses = matrices_last(start), reversed_axes(trans)
    return habit.find_habit(NAMES, shaped, targets, start, poses, sigma_m=np.hypot(0.001, bias_m), noise_m=0.001)


def test_what_the_frames_have_in_common_leaves_less_unknown(act):
    anyone = load_prior().habit_covariance(dict.fromkeys(NAMES, 1.0))
    own = np.ix_(habit._AXES, habit._AXES)
    found, biased = _habit(act), _habit(act, bias_m=0.02)
    assert np.linalg.eigvalsh((anyone - found.covariance)[own]).min() > -1e-6
    assert np.trace(found.covariance) < 0.7 * np.trace(biased.covariance)
    # Points that are wrong in the same way in every frame say no more of it than one frame does.
    assert np.trace(biased.covariance) > 0.7 * np.trace(anyone)


def test_joints_of_no_part_have_no_habit(act):
    found = _habit(act)
    others = [joint for joint in range(22) if joint not in habit._JOINTS]
    assert len(others) == 8
    assert not found.turns[others].any()
    assert found.turns[JOINT_INDEX["pelvis"]].any()
    assert np.isfinite(found.covariance).all()


def test_people_never_learned_from_are_found_better(capture, monkeypatch):
    track = capture.track(noise_m=0.003)
    options = FitOptions(betas=capture.known_betas())
    with_habit, _ = fit_track(track, load_free_body(), options)
    monkeypatch.setattr(shape, "find_habit", lambda *_, **__: None)
    without, _ = fit_track(track, load_free_body(), options)
    assert pve_mm(capture, with_habit) < pve_mm(capture, without)
