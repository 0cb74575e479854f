"""The free body with SMPL-H's joints: the body of 24 joints is untouched, fingers bend without tearing the skin."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from core.body.data import BodyData
from core.body.free_body import FREE_BODY_PATH, load_free_body, load_free_body_with_fingers
from core.body.merged_fingers import merge_fingers
from core.body.model import BodyModel
from core.fingers import FLAT_HANDS, HAND_JOINTS, RELAXED_HANDS, mirrored_hands
from core.math.rotations import axis_angle_to_matrix
from core.smpl_skeleton import FINGERS, JOINT_INDEX, SMPL, SMPLH, VERTEX_IDS
from tests.mirrored_vertices import free_body_mirror

DIGESTS = {
    "faces": "d68ee2a62ba95388", "gender": "957b6847e8aeaaa2", "mirror": "c42440fc5b887fe8",
    "name": "a33fccde95f6d83d", "posedirs": "d9e79a0f734964af", "posedirs_joint": "f6087ef68d542b0b",
    "posedirs_step": "2222dc29f184b5ab", "posedirs_vertex": "11a58963cbb0b5ec", "regressor_joint": "1ed43b6adcd7cdc6",
    "regressor_value": "7d42782676a7a24e", "regressor_vertex": "a3f4f4ef9c733bd1", "shapedirs": "6f4a082213440d3d",
    "shapedirs_step": "136f8a4508ba770b", "source": "df7ba7a4a064f09e", "source_vertex": "3e92350ba3a9c52f",
    "v_template": "156fdcd7dd9f30c2", "weights_joint": "2be7bffae031a91d", "weights_value": "b54fa2cf0b090b71",
}  # fmt: skip
"""Of the arrays of the body with 24 joints, which networks, priors and figures of accuracy were made with."""
BENDS_DEG = {"fist": (85.0, 95.0, 60.0), "hook": (0.0, 95.0, 60.0), "relaxed": None, "bent back": (-20.0, 0.0, 0.0)}


@pytest.fixture(scope="module")
def body() -> BodyData:
    return load_free_body_with_fingers()


@pytest.fixture(scope="module")
def model(body: BodyData) -> BodyModel:
    return BodyModel(body)


def vertices(model: BodyModel, poses: np.ndarray, betas: np.ndarray | None = None) -> np.ndarray:
    """Return the vertices (F, V, 3) of *poses* (F, J, 3)."""
    rotations = axis_angle_to_matrix(poses).astype(np.float32)
    shape = np.zeros(10, np.float32) if betas is None else betas.astype(np.float32)
    return np.asarray(model.vertices(rotations, shape, np.zeros((len(poses), 3), np.float32)))


def posed_hands(hands: np.ndarray) -> np.ndarray:
    """Return the poses (1, 52, 3) of a body in the T-pose with *hands* (2, 15, 3)."""
    poses = np.zeros((1, 52, 3))
    poses[0, 22:] = hands.reshape(-1, 3)
    return poses


def bent(bends_deg: tuple[float, float, float] | None) -> np.ndarray:
    """Return hands (2, 15, 3) whose four fingers are bent by *bends_deg*; None for relaxed hands."""
    if bends_deg is None:
        return RELAXED_HANDS
    left = np.zeros((len(FINGERS), 3, 3))
    left[: FINGERS.index("thumb"), :, 2] = -np.deg2rad(bends_deg)
    return mirrored_hands(left.reshape(-1, 3))


def test_the_arrays_of_24_joints_never_change() -> None:
    with np.load(FREE_BODY_PATH, allow_pickle=False) as stored:
        found = {name: hashlib.sha256(stored[name].tobytes()).hexdigest()[:16] for name in DIGESTS}
    assert found == DIGESTS


def test_fingers_at_rest_change_no_vertex(model: BodyModel) -> None:
    rng = np.random.default_rng(0)
    poses, betas = np.zeros((2, 52, 3)), rng.normal(size=10)
    poses[:, :22] = rng.normal(0.0, 0.5, (2, 22, 3))
    plain = np.zeros((2, 24, 3))
    plain[:, :22] = poses[:, :22]
    expected = vertices(BodyModel(load_free_body()), plain, betas)
    np.testing.assert_allclose(vertices(model, poses, betas), expected, atol=2e-6)


def test_the_model_without_fingers_is_made_once(model: BodyModel, body: BodyData) -> None:
    plain, merged = model.without_fingers, merge_fingers(body)
    assert plain is model.without_fingers and plain.without_fingers is plain
    assert plain.skeleton == SMPL
    np.testing.assert_array_equal(plain.data.weights, merged.weights)
    np.testing.assert_array_equal(plain.data.joint_regressor, merged.joint_regressor)


def test_the_file_stays_small() -> None:
    assert FREE_BODY_PATH.stat().st_size < 900_000


def test_weights_and_regressor_are_an_affine_symmetric_body(body: BodyData) -> None:
    mirror = free_body_mirror()
    np.testing.assert_allclose(body.weights.sum(1), 1.0, atol=1e-6)
    np.testing.assert_allclose(body.joint_regressor.sum(1), 1.0, atol=1e-5)
    assert body.weights.min() >= 0 and body.joint_regressor.min() >= 0
    assert (body.weights > 0).sum(1).max() <= 6
    order = list(SMPLH.mirror)
    np.testing.assert_allclose(body.weights[mirror][:, order], body.weights, atol=2e-4)
    np.testing.assert_allclose(body.joint_regressor[order][:, mirror], body.joint_regressor, atol=1e-6)


def test_each_phalanx_has_its_own_skin(body: BodyData) -> None:
    for hand in HAND_JOINTS:
        assert ((body.weights[:, list(hand)] > 0.5).sum(0) >= 9).all()


def test_joints_lie_inside_their_fingers_one_behind_the_other(body: BodyData) -> None:
    joints = body.joint_regressor @ body.v_template
    for side, hand in zip(("left", "right"), HAND_JOINTS, strict=True):
        for number, finger in enumerate(FINGERS):
            chain = [JOINT_INDEX[f"{side}_wrist"], *hand[3 * number : 3 * number + 3]]
            points = [*joints[chain], body.v_template[VERTEX_IDS[f"{side}_{finger}_tip"]]]
            lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
            assert (lengths[1:] > 0.015).all() and (lengths[1:] < 0.065).all()
            for joint in chain[2:]:
                own = body.v_template[body.weights[:, joint] > 0.5]
                assert np.linalg.norm(own - joints[joint], axis=1).min() < 0.014
    order = [joints[SMPLH.index(f"left_{joint}"), 2] for joint in ("thumb3", "index1", "middle1", "ring1", "pinky1")]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize("name", BENDS_DEG)
def test_bent_fingers_do_not_tear_the_skin(model: BodyModel, body: BodyData, name: str) -> None:
    posed = vertices(model, posed_hands(bent(BENDS_DEG[name])))[0]
    edges = np.concatenate([body.faces[:, [0, 1]], body.faces[:, [1, 2]], body.faces[:, [2, 0]]])
    before, after = (np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=1) for v in (body.v_template, posed))
    assert (after - before).max() < 0.016, "an edge is torn"
    is_far = np.abs(body.v_template[:, 0]) < 0.62
    np.testing.assert_allclose(posed[is_far], body.v_template[is_far], atol=1e-6)
    np.testing.assert_allclose(posed[free_body_mirror()] * [-1, 1, 1], posed, atol=1e-5)


def test_fingers_bend_towards_the_palm(model: BodyModel, body: BodyData) -> None:
    tips = [VERTEX_IDS[f"{side}_{finger}_tip"] for side in ("left", "right") for finger in FINGERS if finger != "thumb"]
    flat, relaxed, fist = (vertices(model, posed_hands(hands))[0] for hands in (
        FLAT_HANDS, RELAXED_HANDS, bent(BENDS_DEG["fist"])))  # fmt: skip
    assert (relaxed[tips, 1] < flat[tips, 1] - 0.02).all(), "palms face down"
    palms = body.v_template[:, 1][body.weights[:, [20, 21]].sum(1) > 0.9]
    assert (fist[tips, 1] > palms.min() - 0.02).all()
    assert (np.abs(fist[tips, 0]) < np.abs(flat[tips, 0]) - 0.05).all()
