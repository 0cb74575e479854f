"""Skinning, target skin, pose correctives, joint regressor, knuckles: small cases with known answers."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.smpl_skeleton import JOINT_INDEX, JOINT_NAMES, NUM_JOINTS, VERTEX_IDS
from tests.mirrored_vertices import free_body_mirror
from training.body_asset.joint_regressor import fit_joint_regressor
from training.body_asset.joints import JOINT_MIRROR, anatomical_heads, smpl_joint_of_bone
from training.body_asset.knuckles import fit_rules
from training.body_asset.makehuman import Rig
from training.body_asset.pose_correctives import SkinnedBody, mirror_correctives, pose_sample
from training.body_asset.poses import only_joint, random_poses, to_matrices
from training.body_asset.report import plain_body
from training.body_asset.skinning import linear_blend, prune
from training.body_asset.target_skin import TargetSkin

BONES = ("root", *(f"{b}.{s}" for s in "LR" for b in ("upperarm01", "upperleg01", "lowerarm01", "lowerarm02")))


@pytest.fixture(scope="module")
def body() -> SkinnedBody:
    return plain_body(load_free_body(), free_body_mirror())


def small_rig(num_vertices: int) -> Rig:
    """Return a rig of a root and eight limb bones; vertex i follows only bone i modulo 9."""
    weights = np.eye(len(BONES))[np.arange(num_vertices) % len(BONES)]
    parents = (-1, *[0] * (len(BONES) - 1))
    return Rig(bones=BONES, parents=parents, heads={}, tails={}, weights=sp.csr_matrix(weights))


def test_joint_mirror_swaps_left_and_right() -> None:
    assert JOINT_NAMES[JOINT_MIRROR[JOINT_INDEX["left_knee"]]] == "right_knee"
    assert JOINT_NAMES[JOINT_MIRROR[JOINT_INDEX["spine2"]]] == "spine2"
    assert np.array_equal(JOINT_MIRROR[JOINT_MIRROR], np.arange(NUM_JOINTS))


def test_hips_move_inwards_and_forwards_and_knees_down_the_shank() -> None:
    left = {"upperleg01": [0.1, 0.9, 0.0], "lowerleg01": [0.12, 0.5, 0.02], "foot": [0.15, 0.1, 0.0]}
    heads = {f"{bone}.L": np.array([place]) for bone, place in left.items()}
    heads |= {f"{bone}.R": np.array([place]) * [-1.0, 1.0, 1.0] for bone, place in left.items()}
    moved = anatomical_heads(heads)
    for suffix, sign in (("L", 1.0), ("R", -1.0)):
        np.testing.assert_allclose(moved[f"upperleg01.{suffix}"], [[0.082 * sign, 0.9, 0.024]])
        np.testing.assert_allclose(moved[f"lowerleg01.{suffix}"], [[0.12105 * sign, 0.486, 0.0193]])
        np.testing.assert_array_equal(moved[f"foot.{suffix}"], heads[f"foot.{suffix}"])
    np.testing.assert_array_equal(heads["upperleg01.L"], [left["upperleg01"]], "the heads that came in were changed")


def test_bones_follow_their_own_joint_or_their_parent() -> None:
    owner = dict(zip(BONES, smpl_joint_of_bone(small_rig(9)), strict=True))
    assert JOINT_NAMES[owner["upperarm01.L"]] == "left_shoulder"
    assert JOINT_NAMES[owner["lowerarm01.R"]] == "right_elbow"
    assert JOINT_NAMES[owner["lowerarm02.R"]] == "pelvis", "a bone without its own joint follows its parent, the root"


def test_linear_blend_agrees_with_the_body_model(body: SkinnedBody) -> None:
    poses = random_poses(2, np.random.default_rng(0))
    betas = np.random.default_rng(1).normal(size=(2, 10))
    skin = TargetSkin(small_rig(len(body.template)), np.arange(len(body.template)))
    sample = pose_sample(body, skin, poses, betas)
    features = sample.features.reshape(2, -1)
    rest = sample.rest + np.einsum("vck,nk->nvc", load_free_body().posedirs, features, optimize=True)
    ours = linear_blend(rest, body.weights, sample.transforms)
    model = BodyModel(load_free_body())
    for frame in range(2):
        rotations = to_matrices(poses[frame : frame + 1]).astype(np.float32)
        theirs = model.vertices(rotations, betas[frame].astype(np.float32), np.zeros((1, 3), np.float32))
        np.testing.assert_allclose(ours[frame], theirs[0], atol=2e-5)


def test_target_skin_moves_a_turned_body_rigidly(body: SkinnedBody) -> None:
    poses = np.zeros((1, NUM_JOINTS, 3))
    poses[0, 0] = [0.3, 1.0, -0.4]
    skin = TargetSkin(small_rig(len(body.template)), np.arange(len(body.template)))
    sample = pose_sample(body, skin, poses, np.zeros((1, 10)))
    pelvis = body.joints(sample.rest)[0, 0]
    expected = Rotation.from_rotvec(poses[0, 0]).apply(body.template - pelvis) + pelvis
    np.testing.assert_allclose(sample.target[0], expected, atol=1e-5)


def test_first_limb_bone_takes_half_of_the_twist(body: SkinnedBody) -> None:
    rest = body.shaped(np.zeros((1, 10)))
    joints = body.joints(rest)
    shoulder, elbow = joints[0, JOINT_INDEX["left_shoulder"]], joints[0, JOINT_INDEX["left_elbow"]]
    axis = (elbow - shoulder) / np.linalg.norm(elbow - shoulder)
    rotations = np.tile(np.eye(3), (1, NUM_JOINTS, 1, 1))
    rotations[0, JOINT_INDEX["left_shoulder"]] = Rotation.from_rotvec(0.8 * axis).as_matrix()
    skin = TargetSkin(small_rig(len(body.template)), np.arange(len(body.template)))
    posed = skin.pose(rest, rotations, joints)[0]
    upper = np.arange(len(body.template)) % len(BONES) == BONES.index("upperarm01.L")
    expected = Rotation.from_rotvec(0.4 * axis).apply(body.template[upper] - shoulder) + shoulder
    np.testing.assert_allclose(posed[upper], expected, atol=1e-5)


def test_mirrored_correctives_are_those_of_the_mirrored_pose(body: SkinnedBody) -> None:
    posedirs = np.random.default_rng(0).normal(size=(len(body.template), 3, 9 * (NUM_JOINTS - 1)))
    pose = random_poses(1, np.random.default_rng(1))[0]
    mirrored_pose = pose[JOINT_MIRROR] * [1, -1, -1]

    def offsets(directions: np.ndarray, axis_angles: np.ndarray) -> np.ndarray:
        return directions @ (to_matrices(axis_angles[None])[0, 1:] - np.eye(3)).reshape(-1)

    image = mirror_correctives(posedirs, body.mirror)
    expected = (offsets(posedirs, pose) * [-1, 1, 1])[body.mirror]
    np.testing.assert_allclose(offsets(image, mirrored_pose), expected, atol=1e-9)


def test_shipped_correctives_are_symmetric(body: SkinnedBody) -> None:
    posedirs = load_free_body().posedirs
    np.testing.assert_array_equal(mirror_correctives(posedirs, body.mirror), posedirs)


def test_only_joint_leaves_the_rest_at_rest() -> None:
    poses = random_poses(3, np.random.default_rng(0))
    alone = only_joint(poses, 4)
    np.testing.assert_array_equal(alone[:, 4], poses[:, 4])
    assert not np.delete(alone, 4, axis=1).any()


def test_prune_keeps_six_influences_and_symmetry(body: SkinnedBody) -> None:
    weights = np.random.default_rng(0).dirichlet(np.full(NUM_JOINTS, 0.3), size=len(body.template))
    pruned = prune(weights, body.mirror)
    np.testing.assert_allclose(pruned.sum(1), 1)
    np.testing.assert_allclose(pruned[body.mirror][:, JOINT_MIRROR], pruned)
    assert (prune(body.weights, body.mirror) > 0).sum(1).max() <= 6


def test_joint_regressor_finds_joints_that_are_means_of_vertices(body: SkinnedBody) -> None:
    people = body.shaped(np.random.default_rng(0).normal(size=(40, 10))).astype(np.float32)
    joints = body.joints(people)
    found = fit_joint_regressor(people, joints, body.weights, body.mirror)
    assert found.min() >= 0
    np.testing.assert_allclose(found.sum(1), 1)
    error = np.linalg.norm(np.einsum("jv,nvc->njc", found, people) - joints, axis=-1)
    assert error.mean() < 0.002


def test_knuckle_rules_recover_the_generating_coefficients(body: SkinnedBody) -> None:
    vertices = body.shaped(np.random.default_rng(0).normal(size=(20, 10)))
    joints = body.joints(vertices)
    wrist, hand = joints[:, JOINT_INDEX["left_wrist"]], joints[:, JOINT_INDEX["left_hand"]]
    fingers = ("index", "middle", "ring", "pinky")
    tip = {finger: vertices[:, VERTEX_IDS[f"left_{finger}_tip"]] for finger in ("thumb", *fingers)}
    middle = np.mean([tip[finger] for finger in fingers], axis=0)
    knuckles = [wrist + 0.5 * (tip["thumb"] - wrist) - 0.1 * (hand - wrist) + 0.2 * (tip["index"] - tip["pinky"])]
    knuckles += [hand + 0.8 * (tip[finger] - middle) + 0.05 * (wrist - hand) for finger in fingers]
    rules = fit_rules(vertices, joints, np.stack(knuckles, axis=1))
    np.testing.assert_allclose(rules["thumb"].shares, (0.5, -0.1, 0.2), atol=1e-9)
    np.testing.assert_allclose(rules["ring"].shares, (0.8, 0.05), atol=1e-9)
    assert rules["pinky"].worst_error < 1e-9 < rules["thumb, two shares"].mean_error
