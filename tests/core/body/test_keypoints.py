"""Keypoints without vertices: derivatives against finite differences, offsets against the joints' own rotations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel, ShapedKeypoints
from core.body.landmarks import SOLVER_POINTS, landmark_regressor
from core.body.model import BodyModel, local_rotations
from core.body.skinned_keypoints import TRUNK, PosedPairs
from core.errors import BodyError, SkeletonError
from core.math.arrays import to_device, to_numpy
from core.math.frames_last import matrices_first, matrices_last, reversed_axes
from core.smpl_skeleton import BODY25_NAMES, JOINT_INDEX, SUBTREES
from tests.fingers import fingered_body

NAMES = tuple("mid_shoulder" if name == "neck" else name for name in BODY25_NAMES)
NUM_FRAMES = 3
STEP = 1e-5


def _body(*, correctives: bool):
    body = load_free_body()
    return body if correctives else replace(body, posedirs=np.zeros_like(body.posedirs))


def _model(*, correctives: bool = True, names=NAMES, device: str = "numpy", carriers=()) -> KeypointModel:
    body = _body(correctives=correctives)
    return KeypointModel(BodyModel(body, device), landmark_regressor(body, names), carriers=carriers)


HIPS = {NAMES.index(name): "pelvis" for name in ("mid_hip", "left_hip", "right_hip")}
ELBOW = {NAMES.index("left_elbow"): "left_shoulder"}


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


def _posed(shaped: ShapedKeypoints, rotations: np.ndarray) -> PosedPairs:
    return shaped.paired.posed(matrices_last(rotations))


@pytest.mark.parametrize(
    ("correctives", "tolerance_m", "shares"),
    [(False, 1e-6, (0.0, 0.0)), (False, 1e-6, (0.3, 1.0)), (True, 0.06, (0, 0))],
)
def test_levers_are_the_derivatives_of_turns_about_world_axes(pose, correctives, tolerance_m, shares):
    """With pose correctives they leave out how turning a joint bulges the skin: centimetres a radian."""
    rotations, trans, betas = pose
    model = _model(correctives=correctives, carriers=(HIPS, ELBOW)).with_shares(shares)
    shaped = model.shaped(betas)
    found = _posed(shaped, rotations)
    world = matrices_first(found.world)
    slopes = np.empty((3, 24, NUM_FRAMES, len(NAMES), 3))
    for joint in range(24):
        for axis in range(3):
            ahead, back = (
                shaped.points(_turned(rotations, world, joint, sign * STEP * np.eye(3)[axis]), trans)
                for sign in (1, -1)
            )
            slopes[axis, joint] = (ahead - back) / (2 * STEP)
    worst = 0.0
    for levers in (model.pairs.trunk, *(pair.levers for pair in model.pairs.limbs)):
        moving = np.flatnonzero(np.abs(to_numpy(levers.matrix)).sum(axis=1) > 0)
        lever = found.levers(levers)[:, moving].transpose(1, 2, 0)
        for axis in range(3):
            expected = slopes[axis, np.array(levers.joints)[moving], :, np.array(levers.points)[moving]]
            worst = max(worst, np.abs(np.cross(np.eye(3)[axis], lever) - expected).max())
    assert worst < tolerance_m
    if correctives:
        assert worst > 1e-3
    forces = np.random.default_rng(0).normal(size=(3, len(NAMES), 2, NUM_FRAMES))
    moments = found.moments(model.pairs, forces)
    np.testing.assert_allclose(moments, np.einsum("ajfkc,ckmf->ajmf", slopes, forces), atol=40 * tolerance_m)


def test_every_point_that_a_limb_moves_has_a_lever():
    model = _model()
    moved = to_numpy(model.tree_mass)[:, 0] > 1e-5
    for pair in model.pairs.limbs:
        for limb, points in zip(pair.limbs, pair.points, strict=True):
            assert set(np.flatnonzero(moved[list(limb)].any(axis=0))) <= set(points)
        assert moved[list(TRUNK)][:, pair.all_points].any(axis=1).nonzero()[0].max() < pair.trunk_joints
    listed = sorted([*TRUNK, *(joint for pair in model.pairs.limbs for joint in pair.joints)])
    assert listed == list(range(22))


def test_the_points_are_those_of_the_skinned_body(pose):
    rotations, trans, betas = pose
    model = _model()
    found = _posed(model.shaped(betas), rotations)
    world, places = model.body.joint_transforms(rotations, betas, trans)
    np.testing.assert_allclose(matrices_first(found.world), world, atol=1e-12)
    np.testing.assert_allclose(reversed_axes(found.places) + trans[:, None], places, atol=1e-6)
    vertices = model.body.vertices(rotations, betas, trans)
    points = model.shaped(betas).points(rotations, trans)
    np.testing.assert_allclose(points, landmark_regressor(load_free_body(), NAMES) @ vertices, atol=1e-5)


def test_each_frame_may_have_its_own_body(pose):
    rotations, trans, betas = pose
    model = _model()
    every = betas * np.array([[1.0], [-0.5], [0.0]])
    points = model.shaped(every).points(rotations, trans)
    for frame, own in enumerate(every):
        some = slice(frame, frame + 1)
        np.testing.assert_allclose(points[some], model.shaped(own).points(rotations[some], trans[some]), atol=1e-6)


def test_shape_jacobian_equals_differences(pose):
    rotations, trans, betas = pose
    model = _model()
    shaped = model.shaped(betas)
    jacobian = shaped.paired.shape_jacobian(_posed(shaped, rotations))
    assert jacobian.shape == (3, len(NAMES), 10, NUM_FRAMES)
    for beta in range(10):
        step = np.eye(10)[beta]
        ahead, back = (model.shaped(betas + sign * step).points(rotations, trans) for sign in (1, -1))
        np.testing.assert_allclose(
            reversed_axes(jacobian[:, :, beta]), (ahead - back) / 2, atol=1e-6, err_msg=str(beta)
        )


def _at_ends(pose, carriers) -> list[np.ndarray]:
    """Points (F, K, 3) on the skin, and with all *carriers*' points on their joints, by rows of the skinned body."""
    rotations, trans, betas = pose
    body = BodyModel(load_free_body())
    rows = landmark_regressor(body.data, NAMES)
    world, places = body.joint_transforms(rotations, betas, trans)
    on_skin = rows @ body.vertices(rotations, betas, trans)
    on_joints, rest, joints = on_skin.copy(), rows @ body.rest_vertices(betas), body.rest_joints(betas)
    for point, name in {index: name for one in carriers for index, name in one.items()}.items():
        joint = JOINT_INDEX[name]
        on_joints[:, point] = places[:, joint] + world[:, joint] @ (rest[point] - joints[joint])
    return [on_skin, on_joints]


@pytest.mark.parametrize("device", ["numpy", pytest.param("cpu", marks=pytest.mark.slow)])
def test_a_share_of_a_point_follows_its_carrier(pose, device):
    rotations, trans, betas = pose
    model = _model(device=device, carriers=(HIPS, ELBOW))
    shares = np.zeros(len(NAMES))
    shares[list(HIPS)], shares[list(ELBOW)] = 0.25, 1.0
    on_skin, on_joints = _at_ends(pose, (HIPS, ELBOW))
    expected = on_skin + shares[:, None] * (on_joints - on_skin)
    assert np.abs(on_joints - on_skin)[:, [*HIPS, *ELBOW]].max() > 0.02
    for changed in (model.with_shares((0.25, 1.0)), model.with_shares((0.9, 0.1)).with_shares((0.25, 1.0))):
        own = [to_device(part, device) for part in (betas, rotations, trans)]
        np.testing.assert_allclose(to_numpy(changed.shaped(own[0]).points(*own[1:])), expected, atol=1e-5)


def test_ways_onto_carriers_are_the_derivatives_by_the_shares(pose):
    rotations, _, betas = pose
    shaped = _model(carriers=(HIPS, ELBOW)).with_shares((0.25, 0.5)).shaped(betas)
    ways = reversed_axes(
        shaped.onto_carriers(_posed(shaped, rotations), matrices_last(rotations)).transpose(2, 0, 1, 3)
    )
    for column, carriers in enumerate((HIPS, ELBOW)):
        on_skin, on_joints = _at_ends(pose, (carriers,))
        np.testing.assert_allclose(ways[..., column], on_joints - on_skin, atol=1e-5)


def test_shares_keep_the_displacements(pose):
    offsets = np.random.default_rng(2).normal(0.0, 0.02, (len(NAMES), 3))
    model = _model(carriers=(HIPS, ELBOW)).shifted(offsets).with_shares((1.0, 0.5))
    np.testing.assert_allclose(model.offsets, offsets, atol=1e-6)
    np.testing.assert_allclose(model.rest(pose[2]), _model().shifted(offsets).rest(pose[2]), atol=1e-6)


def test_joints_do_not_feel_the_correctives(pose):
    rotations, trans, betas = pose
    names = ("left_hip", "right_knee", "left_wrist", "head")
    points = _model(names=names).rest(betas)
    joints = BodyModel(load_free_body()).rest_joints(betas)
    np.testing.assert_allclose(points, joints[[JOINT_INDEX[name] for name in names]], atol=1e-5)


@pytest.mark.parametrize("device", ["numpy", pytest.param("cpu", marks=pytest.mark.slow)])
def test_shifted_points_move_with_the_joint_that_holds_them(pose, device):
    if device == "cpu":
        pytest.importorskip("torch")
    rotations, trans, betas = (to_device(array, device) for array in pose)
    model = _model(device=device)
    offsets = np.random.default_rng(1).normal(0.0, 0.05, (len(NAMES), 3))
    before = model.shaped(betas).points(rotations, trans)
    world = model.body.joint_transforms(rotations, betas, trans)[0]
    after = model.shifted(to_device(offsets, device)).shaped(betas).points(rotations, trans)
    expected = (to_numpy(world)[:, model.holders] @ offsets[..., None])[..., 0]
    moved = to_numpy(after) - to_numpy(before)
    np.testing.assert_allclose(moved, expected, atol=1e-5)
    again = model.shaped(betas).points(rotations, trans)
    np.testing.assert_array_equal(to_numpy(again), to_numpy(model.shaped(betas).points(rotations, trans)))
    np.testing.assert_allclose(to_numpy(again), to_numpy(before), atol=1e-6)


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


def test_points_are_found_on_a_body_with_its_joints_in_another_order():
    np.testing.assert_array_equal(
        landmark_regressor(fingered_body(), SOLVER_POINTS), landmark_regressor(load_free_body(), SOLVER_POINTS)
    )


def test_the_solver_refuses_a_body_with_other_joints_than_smpls():
    body = fingered_body()
    with pytest.raises(SkeletonError, match="body 'free_body' to have the 24 joints of SMPL, .* found 30"):
        KeypointModel(BodyModel(body), landmark_regressor(body, NAMES))
