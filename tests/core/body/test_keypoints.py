"""Keypoints without vertices: derivatives against finite differences, offsets against the joints' own rotations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.arrays import to_device, to_numpy
from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel, local_rotations
from core.errors import BodyError
from core.skeletons import BODY25_NAMES, JOINT_INDEX, SUBTREES

NAMES = tuple("mid_shoulder" if name == "neck" else name for name in BODY25_NAMES)
NUM_FRAMES = 3
STEP = 1e-5


def _body(*, correctives: bool):
    body = load_free_body()
    return body if correctives else replace(body, posedirs=np.zeros_like(body.posedirs))


def _model(*, correctives: bool = True, names=NAMES, device: str = "numpy") -> KeypointModel:
    body = _body(correctives=correctives)
    return KeypointModel(BodyModel(body, device), landmark_regressor(body, names))


@pytest.fixture(scope="module")
def pose() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wild rotations (F, 24, 3, 3), places (F, 3) and betas (10,), in double precision."""
    generator = np.random.default_rng(4)
    turns = Rotation.from_rotvec(generator.normal(0.0, 0.4, (NUM_FRAMES * 24, 3))).as_matrix()
    return turns.reshape(NUM_FRAMES, 24, 3, 3), generator.normal(size=(NUM_FRAMES, 3)), generator.normal(size=10)


def _turned(rotations: np.ndarray, world: np.ndarray, joint: int, turn: np.ndarray) -> np.ndarray:
    """Local rotations after turning a joint, and all that hangs from it, about a world axis."""
    changed = world.copy()
    below = list(SUBTREES[joint])
    changed[:, below] = Rotation.from_rotvec(turn).as_matrix() @ world[:, below]
    return local_rotations(changed)


@pytest.mark.parametrize(("correctives", "tolerance_m"), [(False, 1e-6), (True, 0.06)])
def test_levers_are_the_derivatives_of_turns_about_world_axes(pose, correctives, tolerance_m):
    """With pose correctives they leave out how turning a joint bulges the skin: centimetres a radian."""
    rotations, trans, betas = pose
    shaped = _model(correctives=correctives).shaped(betas)
    found = shaped.pose(rotations, trans)
    worst = 0.0
    for joint in range(24):
        for axis in np.eye(3):
            ahead, back = (
                shaped.points(_turned(rotations, found.world, joint, sign * STEP * axis), trans) for sign in (1, -1)
            )
            expected = np.cross(axis, np.swapaxes(found.levers[:, joint], -1, -2))
            worst = max(worst, np.abs((ahead - back) / (2 * STEP) - expected).max())
    assert worst < tolerance_m
    if correctives:
        assert worst > 1e-3


def test_the_pose_has_the_points_and_rotations_of_the_forward_pass(pose):
    rotations, trans, betas = pose
    model = _model()
    shaped = model.shaped(betas)
    found = shaped.pose(rotations, trans)
    np.testing.assert_allclose(found.points, shaped.points(rotations, trans), atol=1e-12)
    np.testing.assert_allclose(found.world, model.body.joint_transforms(rotations, betas, trans)[0], atol=1e-12)
    vertices = model.body.vertices(rotations, betas, trans)
    np.testing.assert_allclose(found.points, landmark_regressor(load_free_body(), NAMES) @ vertices, atol=1e-5)


def test_shape_jacobian_equals_differences(pose):
    rotations, trans, betas = pose
    model = _model()
    jacobian = model.shape_jacobian(model.shaped(betas).pose(rotations, trans).world)
    assert jacobian.shape == (NUM_FRAMES, len(NAMES), 3, 10)
    for beta in range(10):
        step = np.eye(10)[beta]
        ahead, back = (model.shaped(betas + sign * step).points(rotations, trans) for sign in (1, -1))
        np.testing.assert_allclose(jacobian[..., beta], (ahead - back) / 2, atol=1e-6, err_msg=str(beta))


def test_joints_do_not_feel_the_correctives(pose):
    rotations, trans, betas = pose
    names = ("left_hip", "right_knee", "left_wrist", "head")
    points = _model(names=names).rest(betas)
    joints = BodyModel(load_free_body()).rest_joints(betas)
    np.testing.assert_allclose(points, joints[[JOINT_INDEX[name] for name in names]], atol=1e-5)


@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_shifted_points_move_with_the_joint_that_holds_them(pose, device):
    if device == "cpu":
        pytest.importorskip("torch")
    rotations, trans, betas = (to_device(array, device) for array in pose)
    model = _model(device=device)
    offsets = np.random.default_rng(1).normal(0.0, 0.05, (len(NAMES), 3))
    before = model.shaped(betas).pose(rotations, trans)
    after = model.shifted(to_device(offsets, device)).shaped(betas).points(rotations, trans)
    expected = (to_numpy(before.world)[:, model.holders] @ offsets[..., None])[..., 0]
    moved = to_numpy(after) - to_numpy(before.points)
    np.testing.assert_allclose(moved, expected, atol=1e-5)
    again = model.shaped(betas).points(rotations, trans)
    np.testing.assert_array_equal(to_numpy(again), to_numpy(model.shaped(betas).points(rotations, trans)))
    np.testing.assert_allclose(to_numpy(again), to_numpy(before.points), atol=1e-6)


def test_holders_are_the_nearest_joints():
    names = ("left_big_toe", "right_heel", "nose", "left_index_knuckle")
    holders = _model(names=names).holders
    assert holders[0] in (JOINT_INDEX["left_foot"], JOINT_INDEX["left_ankle"])
    assert holders[1] == JOINT_INDEX["right_ankle"]
    assert holders[2] == JOINT_INDEX["head"]
    assert holders[3] in (JOINT_INDEX["left_wrist"], JOINT_INDEX["left_hand"])


def test_what_lies_at_the_root_of_limbs_is_held_by_the_trunk():
    # A neck point that its tracker has off the middle of the shoulders does not swing with the left arm.
    names = ("mid_shoulder", "mid_hip", "neck", "left_hip", "right_hip")
    chest, pelvis = JOINT_INDEX["spine3"], JOINT_INDEX["pelvis"]
    assert _model(names=names).holders == [chest, pelvis, chest, pelvis, pelvis]


def test_masses_of_a_point_add_up_to_one():
    model = _model()
    np.testing.assert_allclose(model.mass.sum(axis=0), 1.0, atol=1e-5)
    np.testing.assert_allclose(model.tree_mass[0, 0], 1.0, atol=1e-5)
    wrist = NAMES.index("left_wrist")
    assert model.tree_mass[JOINT_INDEX["right_shoulder"], 0, wrist] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("shape", [(25,), (25, 6889), (2, 25, 6890)])
def test_a_regressor_for_another_mesh_is_refused(shape):
    with pytest.raises(BodyError, match=r"\(K, 6890\).*free_body"):
        KeypointModel(BodyModel(load_free_body()), np.zeros(shape))
