"""Knees, elbows, ankles, toes and necks are kept within their joint limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.fit.solver.gauss_newton import IterationLimits, PosePrior, Targets, refine
from core.fit.solver.joint_limits import LIMITED_AXES, LIMITED_JOINTS, limit_pulls
from core.math.frames_last import matrices_last
from core.smpl_skeleton import BODY25_NAMES, JOINT_INDEX, NUM_JOINTS

NAMES = tuple({"neck": "mid_shoulder"}.get(name, name) for name in BODY25_NAMES)


def _pose(joint: str, degrees: tuple[float, float, float]) -> np.ndarray:
    rotations = np.tile(np.eye(3, dtype=np.float32), (1, NUM_JOINTS, 1, 1))
    rotations[0, JOINT_INDEX[joint]] = Rotation.from_rotvec(degrees, degrees=True).as_matrix()
    return rotations


@pytest.mark.parametrize(
    ("joint", "degrees"),
    [
        ("left_knee", (120.0, 0.0, 0.0)),
        ("right_knee", (-3.0, 0.0, 0.0)),
        ("right_knee", (60.0, -28.0, 20.0)),
        ("left_elbow", (0.0, -140.0, 20.0)),
        ("right_elbow", (20.0, 140.0, 0.0)),
        ("left_foot", (-38.0, 0.0, 0.0)),
        ("neck", (35.0, 20.0, -28.0)),
        ("right_ankle", (60.0, 0.0, 0.0)),
        ("left_ankle", (-20.0, 38.0, 30.0)),
        ("right_ankle", (60.0, 110.0, 0.0)),
    ],
)
def test_angles_within_the_limits_are_not_pulled(joint, degrees):
    moment, precision = limit_pulls(matrices_last(_pose(joint, degrees)))
    assert not moment.any() and not precision.any()


@pytest.mark.parametrize(
    ("joint", "degrees", "axis", "sign"),
    [
        ("left_knee", (-30.0, 0.0, 0.0), 0, 1.0),
        ("right_knee", (50.0, 60.0, 0.0), 1, -1.0),
        ("left_knee", (20.0, 0.0, -40.0), 2, 1.0),
        ("left_elbow", (0.0, 40.0, 0.0), 1, -1.0),
        ("right_elbow", (0.0, -40.0, 0.0), 1, 1.0),
        ("right_elbow", (100.0, 0.0, 0.0), 0, -1.0),
        ("right_foot", (80.0, 0.0, 0.0), 0, -1.0),
        ("left_foot", (-55.0, 0.0, 0.0), 0, 1.0),
        ("left_foot", (10.0, 0.0, 20.0), 2, -1.0),
        ("right_foot", (0.0, -15.0, 0.0), 1, 1.0),
        ("neck", (75.0, 0.0, 0.0), 0, -1.0),
        ("neck", (20.0, 0.0, -55.0), 2, 1.0),
        ("head", (0.0, 20.0, 67.0), 2, -1.0),
        ("right_ankle", (0.0, -60.0, 0.0), 1, 1.0),
        ("left_ankle", (20.0, 0.0, 50.0), 2, -1.0),
    ],
)
def test_a_joint_beyond_its_limit_is_pulled_back_about_that_axis_only(joint, degrees, axis, sign):
    total = np.zeros((NUM_JOINTS, 3))
    moment, precision = limit_pulls(matrices_last(_pose(joint, degrees)))
    total[LIMITED_JOINTS, LIMITED_AXES] = moment[:, 0]
    assert ((precision > 0.0) == (moment != 0.0)).all()
    expected = np.zeros_like(total, dtype=bool)
    expected[JOINT_INDEX[joint], axis] = True
    assert ((total != 0.0) == expected).all()
    assert sign * total[JOINT_INDEX[joint], axis] > 0.0


@pytest.fixture(scope="module")
def keypoints():
    """Return the BODY25 points on the mean free body."""
    body = load_free_body()
    model = KeypointModel(BodyModel(body), landmark_regressor(body, NAMES))
    return model.shaped(np.zeros(10, dtype=np.float32))


def _fitted_turn(keypoints, targets: Targets, joint: str, held: tuple[str, ...] = ()) -> np.ndarray:
    """Return a joint's fitted rotation vector, degrees, with a rest-pose prior that is strong for *held* joints."""
    rest = _pose("pelvis", (0.0, 0.0, 0.0))
    precision = np.tile(1e-5 * np.eye(3, dtype=np.float32), (1, 22, 1, 1))
    precision[:, [JOINT_INDEX[name] for name in held]] *= 30.0
    start = (rest, np.zeros((1, 3), dtype=np.float32))
    prior = PosePrior(rest, precision, 0.002)
    rotations, _ = refine(keypoints, start, targets, prior, iterations=IterationLimits(8))
    return Rotation.from_matrix(rotations[0, JOINT_INDEX[joint]]).as_rotvec(degrees=True)


def test_toes_do_not_fold_under_the_foot_if_toe_points_are_too_low(keypoints):
    points = keypoints.points(_pose("left_foot", (80.0, 0.0, 0.0)), np.zeros((1, 3), dtype=np.float32))
    targets = Targets(points, np.ones(points.shape[:2], dtype=np.float32))
    assert _fitted_turn(keypoints, targets, "left_foot")[0] < 50.0


def test_a_turned_out_foot_on_a_straight_leg_turns_hip_and_knee_too(keypoints):
    pose = _pose("right_ankle", (0.0, -75.0, 0.0))
    points = keypoints.points(pose, np.zeros((1, 3), dtype=np.float32))
    targets = Targets(points, np.ones(points.shape[:2], dtype=np.float32))
    turn = _fitted_turn(keypoints, targets, "right_ankle", held=("pelvis", "right_hip", "right_knee"))
    assert abs(turn[1]) < 50.0
