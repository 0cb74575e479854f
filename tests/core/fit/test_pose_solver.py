"""Frames with a wrong start are solved again; straight limbs measured as bent backwards are not twisted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.fit import pose_solver
from core.fit.priors.pose_predictor import SHIPPED_PREDICTOR, PosePredictor
from core.fit.solver.gauss_newton import IterationLimits, PosePrior, Targets
from core.fit.solver.initial_pose import analytic_start
from core.smpl_skeleton import BODY25_NAMES, JOINT_INDEX, NUM_JOINTS

NAMES = tuple({"neck": "mid_shoulder"}.get(name, name) for name in BODY25_NAMES)


@pytest.fixture(scope="module")
def keypoints():
    """Return the BODY25 points on the mean free body."""
    body = load_free_body()
    model = KeypointModel(BodyModel(body), landmark_regressor(body, NAMES))
    return model.shaped(np.zeros(10, dtype=np.float32))


def _pose(**turns: list[float]) -> np.ndarray:
    """Return local rotations (1, 24, 3, 3) with the given joints turned, rotation vectors in degrees."""
    rotations = np.tile(np.eye(3, dtype=np.float32), (1, NUM_JOINTS, 1, 1))
    for name, degrees in turns.items():
        rotations[0, JOINT_INDEX[name]] = Rotation.from_rotvec(degrees, degrees=True).as_matrix()
    return rotations


def _targets(keypoints, rotations: np.ndarray) -> Targets:
    points = keypoints.points(rotations, np.zeros((len(rotations), 3), dtype=np.float32))
    return Targets(points, np.ones(points.shape[:2], dtype=np.float32))


class _WrongPredictor(PosePredictor):
    """Predicts raised arms, with high precision."""

    def predict(self, names, keypoints, start, targets, *, sigma_m, **_):
        """Return this prior."""
        up = _pose(left_shoulder=[0.0, 0.0, 120.0], right_shoulder=[0.0, 0.0, -120.0])
        firm = np.tile(1e-2 * np.eye(3, dtype=np.float32), (len(start), 22, 1, 1))
        return PosePrior(np.repeat(up, len(start), axis=0), firm, sigma_m)


def test_a_frame_with_a_wrong_start_is_solved_again_from_the_initial_pose(keypoints):
    true = _pose(left_shoulder=[0.0, -30.0, -70.0], right_shoulder=[0.0, 20.0, 70.0], left_elbow=[0.0, -60.0, 0.0])
    targets = _targets(keypoints, true)
    solver = pose_solver.PoseSolver(NAMES, keypoints, 0.002, IterationLimits(1), predictor=_WrongPredictor())
    rotations, trans = solver.solve(targets, solver.initial_pose(targets))
    off = np.linalg.norm(keypoints.points(rotations, trans) - targets.points, axis=-1)
    assert off.max() < 0.01


def test_a_known_previous_pose_determines_the_unseen_twist(keypoints):
    before = _pose(left_shoulder=[40.0, -30.0, -70.0], left_wrist=[50.0, 0.0, 0.0], left_elbow=[0.0, -3.0, 0.0])
    true = _pose(left_shoulder=[40.0, -28.0, -72.0], left_wrist=[51.0, 0.0, 0.0], left_elbow=[0.0, -3.0, 0.0])
    solver = pose_solver.PoseSolver(NAMES, keypoints, 0.001, IterationLimits(5))
    targets = _targets(keypoints, true)
    arm = [JOINT_INDEX[name] for name in ("left_shoulder", "left_elbow", "left_wrist")]
    off = []
    for known in (None, before):
        rotations, _ = solver.solve(targets, solver.initial_pose(targets, known))
        left = np.swapaxes(rotations[0, arm], -1, -2) @ true[0, arm]
        off.append(np.rad2deg(Rotation.from_matrix(left).magnitude()).mean())
    assert off[1] < 0.5 * off[0]


@pytest.mark.parametrize("bend", [-4.0, -10.0, -16.0])
def test_a_straight_knee_measured_as_bent_backwards_does_not_twist_the_thigh(keypoints, bend):
    start, _ = analytic_start(NAMES, keypoints, _targets(keypoints, _pose(left_knee=[bend, 0.0, 0.0])))
    turn = Rotation.from_matrix(start[0, JOINT_INDEX["left_hip"]]).magnitude()
    assert np.rad2deg(turn) < 45.0


def test_a_bent_knee_determines_the_twist_of_the_thigh(keypoints):
    true = _pose(left_hip=[0.0, 30.0, 0.0], left_knee=[60.0, 0.0, 0.0])
    start, _ = analytic_start(NAMES, keypoints, _targets(keypoints, true))
    left = start[0, JOINT_INDEX["left_hip"]].T @ true[0, JOINT_INDEX["left_hip"]]
    assert np.rad2deg(Rotation.from_matrix(left).magnitude()) < 10.0


def test_an_unseen_neck_stays_at_its_expected_rotation():
    """The shoulders' skin is slightly weighted to the neck, so a free neck spun by half a turn to move it."""
    body = load_free_body()
    names = tuple(name for name in NAMES if name not in ("nose", "left_eye", "right_eye", "left_ear", "right_ear"))
    shaped = KeypointModel(BodyModel(body), landmark_regressor(body, names)).shaped(np.zeros(10, dtype=np.float32))
    true = _pose(spine2=[20.0, 0.0, 0.0], left_shoulder=[0.0, 0.0, -60.0], right_shoulder=[0.0, 0.0, 60.0])
    points = shaped.points(true, np.zeros((1, 3), dtype=np.float32))
    for name in ("left_shoulder", "right_shoulder", "mid_shoulder"):
        points[:, names.index(name)] += np.array([0.0, 0.04, -0.03], dtype=np.float32)
    targets = Targets(points, np.ones(points.shape[:2], dtype=np.float32))
    solver = pose_solver.PoseSolver(names, shaped, 0.002, IterationLimits(5))
    start, _ = analytic_start(names, shaped, targets)
    expected = SHIPPED_PREDICTOR.predict(names, shaped, start, targets, sigma_m=0.002).rotations
    rotations, _ = solver.solve(targets, solver.initial_pose(targets))
    # Neck and head follow the spine as far as expected, no farther.
    for joint, most_deg in (("neck", 10.0), ("head", 10.0), ("left_wrist", 2.0), ("right_wrist", 2.0)):
        left = np.swapaxes(rotations[0, JOINT_INDEX[joint]], -1, -2) @ expected[0, JOINT_INDEX[joint]]
        assert np.rad2deg(Rotation.from_matrix(left).magnitude()) < most_deg, joint


def test_a_foot_without_points_does_not_turn(keypoints):
    names = tuple(name for name in NAMES if not name.endswith(("toe", "heel")))
    body = load_free_body()
    model = KeypointModel(BodyModel(body), landmark_regressor(body, names))
    # A tracker with an error of 4 cm in every point shows no more.
    shaped = model.shifted(np.full((len(names), 3), 0.023, dtype=np.float32)).shaped(np.zeros(10, dtype=np.float32))
    reach = dict(zip(JOINT_INDEX, shaped.reach.max(axis=1), strict=True))
    assert reach["left_ankle"] < 0.02 < 0.07 < keypoints.reach[JOINT_INDEX["left_ankle"]].max()
    assert 0.3 < reach["left_knee"] and reach["left_wrist"] < 0.01
