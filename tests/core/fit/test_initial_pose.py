"""The closed-form initial pose is exact where the points determine it, and always a valid rotation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.fit.solver.gauss_newton import Targets
from core.fit.solver.initial_pose import analytic_start
from core.layouts import BODY25, COCO17, LAYOUTS
from core.math.arrays import to_numpy
from core.math.rotations import axis_angle_to_matrix
from core.smpl_skeleton import JOINT_INDEX

from .scenes import Scene, body_model, keypoint_model, solver_names

RELATIVE = ("coco17", "h36m17", "smpl24", "mediapipe33", "wholebody133", "halpe26", "markers")


def _start(scene: Scene, layout=BODY25, weights=None, points=None):
    names = solver_names(layout)
    points = scene.solver_points(layout) if points is None else points
    weights = np.ones(points.shape[:2]) if weights is None else weights
    targets = Targets(points.astype(np.float32), weights.astype(np.float32))
    return analytic_start(names, keypoint_model(names).shaped(scene.betas), targets)


def _joints(scene: Scene, rotations, trans) -> np.ndarray:
    return body_model().joints(rotations, scene.betas, trans)


def _assert_rotations(rotations: np.ndarray) -> None:
    assert np.isfinite(rotations).all()
    np.testing.assert_allclose(
        rotations @ np.swapaxes(rotations, -1, -2), np.broadcast_to(np.eye(3), rotations.shape), atol=2e-5
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0, atol=1e-4)


def _posed(pose: dict[str, tuple[float, float, float]], root=(0.0, 0.0, 0.0)) -> Scene:
    turns = np.zeros((1, 24, 3))
    turns[0, 0] = root
    for name, turn in pose.items():
        turns[0, JOINT_INDEX[name]] = turn
    betas = np.array([0.8, -0.5, 0.3, 0, 0, 0.4, 0, 0, 0, 0], dtype=np.float32)
    return Scene(axis_angle_to_matrix(turns).astype("f4"), np.array([[0.3, 1.1, -2.0]], dtype="f4"), betas, 30.0)


@pytest.mark.parametrize("root", [(0.0, 0.0, 0.0), (0.0, 3.0, 0.0), (1.5, 0.2, -0.4), (np.pi, 0.0, 0.0)])
@pytest.mark.parametrize("name", ["body25", *RELATIVE])
def test_a_rigid_body_is_found_in_any_orientation(name, root):
    scene = _posed({}, root)
    rotations, trans = _start(scene, LAYOUTS[name])
    wrong = (Rotation.from_matrix(scene.rotations[0]).inv() * Rotation.from_matrix(rotations[0])).magnitude()
    assert wrong.max() < 2e-3
    np.testing.assert_allclose(trans, scene.trans, atol=1e-3)


def test_bent_limbs_are_recovered():
    pose = {
        "left_shoulder": (0.3, -0.4, -0.9), "right_shoulder": (-0.2, 0.7, 0.8), "left_elbow": (0.0, -1.2, 0.0),
        "right_elbow": (0.0, 0.9, 0.0), "left_hip": (-0.9, 0.1, 0.1), "left_knee": (1.1, 0.0, 0.0),
        "right_hip": (-0.2, 0.0, -0.1), "right_knee": (0.7, 0.0, 0.0),
    }  # fmt: skip
    scene = _posed(pose, (0.0, 1.0, 0.0))
    rotations, trans = _start(scene)
    off = np.linalg.norm(_joints(scene, rotations, trans) - scene.joints, axis=-1)[0]
    assert off[:22].max() < 0.03
    for side in ("left", "right"):
        for limb in ("shoulder", "hip"):
            joint = JOINT_INDEX[f"{side}_{limb}"]
            wrong = Rotation.from_matrix(scene.rotations[0, joint]).inv() * Rotation.from_matrix(rotations[0, joint])
            assert np.rad2deg(wrong.magnitude()) < 12.0, f"{side} {limb}"


@pytest.mark.parametrize("name", ["body25", *RELATIVE])
def test_any_pose_gives_valid_rotations_near_the_points(act, name):
    layout = LAYOUTS[name]
    rotations, trans = _start(act, layout)
    _assert_rotations(rotations)
    shaped = keypoint_model(solver_names(layout)).shaped(act.betas)
    off = np.linalg.norm(shaped.points(rotations, trans) - act.solver_points(layout), axis=-1)
    assert off.mean() < 0.03


def test_points_of_zero_weight_are_ignored(act):
    names = solver_names()
    weights = np.ones((len(act), len(names)))
    weights[:, [names.index("left_wrist"), names.index("nose"), names.index("right_knee")]] = 0.0
    points = act.solver_points()
    elsewhere = np.where(weights[..., None] > 0, points, 5.0)
    for first, second in zip(_start(act, weights=weights), _start(act, weights=weights, points=elsewhere), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)


def test_no_seen_points_give_the_rest_pose(act):
    rotations, trans = _start(act, weights=np.zeros((len(act), len(solver_names()))))
    np.testing.assert_allclose(rotations, np.broadcast_to(np.eye(3), rotations.shape), atol=1e-5)
    np.testing.assert_allclose(trans, 0.0, atol=1e-6)


def test_hands_and_collars_stay_at_rest(act):
    rotations, _ = _start(act, COCO17)
    for name in ("left_hand", "right_hand", "left_collar", "right_collar", "left_foot", "right_foot"):
        expected = np.broadcast_to(np.eye(3), (len(act), 3, 3))
        np.testing.assert_allclose(rotations[:, JOINT_INDEX[name]], expected, atol=1e-5, err_msg=name)


def test_frames_are_independent(act):
    together = _start(act)
    alone = _start(act[7:8])
    for many, one in zip(together, alone, strict=True):
        np.testing.assert_allclose(many[7:8], one, atol=1e-5)


@pytest.mark.slow
def test_torch_agrees_with_numpy(act):
    torch = pytest.importorskip("torch")
    from core.body.keypoints import KeypointModel
    from core.body.landmarks import landmark_regressor
    from core.body.model import BodyModel

    names = solver_names()
    expected = _start(act)
    body = BodyModel(body_model().data, "cpu")
    model = KeypointModel(body, landmark_regressor(body.data, names))
    points = act.solver_points()
    targets = Targets(body.array(points), body.array(np.ones(points.shape[:2])))
    results = analytic_start(names, model.shaped(body.array(act.betas)), targets)
    for tensor, array in zip(results, expected, strict=True):
        assert isinstance(tensor, torch.Tensor)
        np.testing.assert_allclose(to_numpy(tensor), array, atol=1e-3)
