"""The regression prior: mirror symmetry, visibility depth and precision."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.fit.priors.prior_file import load_prior
from core.fit.priors.regression_prior import (
    PART_CHAINS,
    PART_JOINTS,
    SubjectOffset,
    mirrored,
    part_features,
    seen_depth,
)
from core.fit.solver.gauss_newton import Targets
from core.fit.solver.initial_pose import analytic_start
from core.layouts import COCO17, WHOLEBODY133
from core.math.rotations import matrix_to_axis_angle
from core.smpl_skeleton import JOINT_INDEX, JOINT_NAMES

from .scenes import body_model, keypoint_model, solver_names

pytestmark = pytest.mark.slow

NAMES = solver_names()
SIGMA_M = 0.005


def _mirror_name(name: str) -> str:
    return name.replace("left", "*").replace("right", "left").replace("*", "right")


def _start(scene, names=NAMES, points=None):
    points = (
        keypoint_model(names).shaped(scene.betas).points(scene.rotations, scene.trans) if points is None else points
    )
    targets = Targets(points, np.ones(points.shape[:2], dtype=np.float32))
    return analytic_start(names, keypoint_model(names).shaped(scene.betas), targets)[0]


def test_mirroring_exchanges_left_and_right(act):
    betas, still = np.zeros(10, dtype=np.float32), np.zeros_like(act.trans)
    joints = body_model().joints(act.rotations, betas, still)
    seen = body_model().joints(mirrored(act.rotations), betas, still)
    order = [JOINT_INDEX[_mirror_name(name)] for name in JOINT_NAMES]
    np.testing.assert_allclose(seen, joints[:, order] * [-1.0, 1.0, 1.0], atol=2e-3)
    np.testing.assert_allclose(mirrored(mirrored(act.rotations)), act.rotations, atol=1e-7)
    np.testing.assert_allclose(np.linalg.det(mirrored(act.rotations)), 1.0, atol=1e-5)


def test_limb_predictions_of_a_mirrored_pose_are_mirrored(act):
    prior = load_prior()
    start = _start(act)
    weights = np.random.default_rng(0).random((len(act), len(NAMES))).round()
    flipped = weights[:, [NAMES.index(_mirror_name(name)) for name in NAMES]]
    plain = prior.predict(start, NAMES, weights, sigma_m=SIGMA_M)
    mirror = prior.predict(mirrored(start), NAMES, flipped, sigma_m=SIGMA_M)
    for name in PART_JOINTS["leg"]:
        joint = JOINT_INDEX[name]
        np.testing.assert_allclose(
            mirrored(mirror.rotations)[:, joint], plain.rotations[:, joint], atol=1e-4, err_msg=name
        )
    signs = np.tile([1.0, -1.0, -1.0], 3)
    _, left, right = (joint_precision.precision for joint_precision in plain.joint_precisions)
    _, mirrored_left, mirrored_right = (joint_precision.precision for joint_precision in mirror.joint_precisions)
    np.testing.assert_allclose(mirrored_right * np.outer(signs, signs), left, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(mirrored_left * np.outer(signs, signs), right, rtol=1e-4, atol=1e-7)


def test_features_are_products_of_a_basis(act):
    for part, size in (("leg", 10), ("trunk", 14)):
        features = part_features(part, act.rotations)
        assert features.shape == (len(act), 1 + size + size * (size + 1) // 2)
        np.testing.assert_array_equal(features[:, 0], 1.0)
        basis = features[:, 1 : 1 + size]
        first, second = np.triu_indices(size)
        np.testing.assert_allclose(features[:, 1 + size :], basis[:, first] * basis[:, second], atol=1e-6)
        assert np.abs(basis).max() <= 2.0


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("part", "shown", "depth"),
    [
        ("arm", (), 0),
        ("arm", ("elbow",), 1),
        ("arm", ("wrist", "index_knuckle"), 0),
        ("arm", ("elbow", "wrist"), 2),
        ("arm", ("elbow", "wrist", "pinky_knuckle"), 3),
        ("arm", ("elbow", "wrist", "thumb_knuckle"), 2),
        ("leg", ("knee",), 1),
        ("leg", ("knee", "ankle", "heel"), 2),
        ("leg", ("knee", "ankle", "small_toe"), 3),
    ],
)
def test_depth_counts_groups_from_the_root(part, shown, depth, side):
    names = solver_names(WHOLEBODY133)
    hidden = {name: np.zeros(2) for name in names}
    shown_names = {f"{side}_{name}" for name in shown}
    assert shown_names <= set(names)
    weights = {**hidden, **{name: np.array([0.2, 0.0]) for name in shown_names}}
    np.testing.assert_array_equal(seen_depth(part, weights, side), [depth, 0])
    other = "right" if side == "left" else "left"
    np.testing.assert_array_equal(seen_depth(part, weights, other), [0, 0])


def test_any_point_of_the_head_shows_the_head():
    for name in ("nose", "right_ear", "head_top"):
        weights = {"left_hip": np.ones(1), name: np.ones(1)}
        assert seen_depth("trunk", weights, "left").tolist() == [1.0]
    assert seen_depth("trunk", {"left_hip": np.ones(1)}, "left").tolist() == [0.0]


def _spreads(prediction) -> list[np.ndarray]:
    """Return each part's covariance (F, 3 J, 3 J), square radians."""
    return [
        prediction.sigma_m**2 * np.linalg.inv(joint_precision.precision.astype(np.float64))
        for joint_precision in prediction.joint_precisions
    ]


def test_every_joint_but_the_arms_has_one_prior(act):
    prediction = load_prior().predict(_start(act), NAMES, np.ones((len(act), len(NAMES))), sigma_m=SIGMA_M)
    together = [joint for joint_precision in prediction.joint_precisions for joint in joint_precision.joints]
    alone = np.flatnonzero(prediction.precision.any(axis=(0, 2, 3))).tolist()
    arms = [JOINT_INDEX[f"{side}_{name}"] for side in ("left", "right") for name in ("shoulder", "elbow", "wrist")]
    assert sorted([*together, *alone, *arms]) == list(range(22))
    for joint_precision in prediction.joint_precisions:
        assert joint_precision.precision.shape == (
            len(act),
            3 * len(joint_precision.joints),
            3 * len(joint_precision.joints),
        )
        assert np.linalg.eigvalsh(joint_precision.precision).min() > 0.0


def test_precision_falls_with_noise(act):
    prior, start = load_prior(), _start(act)
    weights = np.ones((len(act), len(NAMES)))
    sure, unsure = (
        _spreads(prior.predict(start, NAMES, weights, sigma_m=0.01, noise_m=noise)) for noise in (0.001, 0.01)
    )
    for one, other in zip(sure, unsure, strict=True):
        assert np.linalg.eigvalsh(other - one).min() > 0.0
        spread_deg = np.rad2deg(np.sqrt(np.linalg.eigvalsh(one)))
        assert 1.5 < spread_deg.min() and spread_deg.max() < 120.0


def test_a_trunk_bent_far_is_predicted_with_less_precision_than_one_that_stands():
    prior = load_prior()
    start = np.tile(np.eye(3, dtype=np.float32), (2, 24, 1, 1))
    bent = Rotation.from_rotvec(np.radians([[40.0, 0, 0], [-100.0, 0, 0], [110.0, 0, 0]])).as_matrix()
    for name, turn in zip(("spine1", "hip", "knee"), bent, strict=True):
        for joint in (name,) if name in JOINT_INDEX else (f"left_{name}", f"right_{name}"):
            start[1, JOINT_INDEX[joint]] = turn
    found = prior.predict(start, NAMES, np.ones((2, len(NAMES)), dtype=np.float32), sigma_m=0.01)
    by_part = {len(part.joints): np.trace(part.precision, axis1=1, axis2=2) for part in found.joint_precisions}
    trunk, leg = by_part[8], by_part[3]
    assert trunk[1] < 0.7 * trunk[0]
    assert leg[1] == leg[0]


def test_a_known_subject_offset_is_added_and_reduces_the_covariance(act):
    prior, start = load_prior(), _start(act)
    weights = np.ones((len(act), len(NAMES)))
    turns = np.zeros((22, 3))
    turns[JOINT_INDEX["pelvis"]] = [0.2, 0.0, 0.0]
    subject_offset = SubjectOffset(turns, np.zeros((66, 66)))
    anyone = prior.predict(start, NAMES, weights, sigma_m=SIGMA_M)
    known = prior.predict(start, NAMES, weights, sigma_m=SIGMA_M, subject_offset=subject_offset)
    between = np.swapaxes(anyone.rotations[:, :22], -1, -2) @ known.rotations[:, :22]
    np.testing.assert_allclose(matrix_to_axis_angle(between), np.broadcast_to(turns, (len(act), 22, 3)), atol=1e-3)
    for less, more in zip(_spreads(known), _spreads(anyone), strict=True):
        assert np.linalg.eigvalsh(more - less).min() > 0.0


def test_precision_falls_as_fewer_points_are_seen(act):
    prior, start = load_prior(), _start(act)
    volumes = []
    for hidden in ((), ("left_ankle",), ("left_ankle", "left_knee")):
        weights = np.ones((len(act), len(NAMES)))
        weights[:, [NAMES.index(name) for name in hidden]] = 0.0
        prediction = prior.predict(start, NAMES, weights, sigma_m=SIGMA_M)
        volumes.append([np.linalg.det(joint_precision.precision[0]) for joint_precision in prediction.joint_precisions])
    _, left, right = zip(*volumes, strict=True)
    assert left[0] > left[1] > left[2]
    assert len(set(right)) == 1


def test_prediction_is_more_accurate_than_the_start(capture):
    names = solver_names()
    start = _start(capture)
    prediction = load_prior().predict(start, names, np.ones((len(capture), len(names))), sigma_m=SIGMA_M)

    def wrong_deg(rotations, joint):
        turn = np.swapaxes(rotations[:, joint], -1, -2) @ capture.rotations[:, joint]
        return np.rad2deg(np.arccos(np.clip((np.trace(turn, axis1=1, axis2=2) - 1) / 2, -1, 1))).mean()

    joints = [JOINT_INDEX[name] for part in PART_JOINTS.values() for name in part]
    before, after = (
        np.mean([wrong_deg(rotations, joint) for joint in joints]) for rotations in (start, prediction.rotations)
    )
    assert after < 0.95 * before


def test_the_shipped_asset_has_a_model_for_every_part_and_depth():
    models = load_prior().models
    assert set(models) == {(part, level) for part in PART_JOINTS for level in range(len(PART_CHAINS[part]) + 1)}
    for (part, _), model in models.items():
        num_joints = len(PART_JOINTS[part])
        num_features = part_features(part, np.broadcast_to(np.eye(3), (1, 24, 3, 3))).shape[1]
        assert model.coefficients.shape == (num_features, 3 * num_joints)
        for covariance, least_deg in ((model.covariance, 1.9), (model.subject_offset_covariance, 0.9)):
            assert covariance.shape == (3 * num_joints, 3 * num_joints)
            np.testing.assert_allclose(covariance, covariance.T, atol=1e-6)
            assert np.linalg.eigvalsh(covariance).min() > np.deg2rad(least_deg) ** 2
        assert (model.reach_rad > 0.0).all() and (model.reach_rad <= np.pi).all()


def test_predicted_rotations_stay_within_the_training_range(act):
    generator = np.random.default_rng(0)
    start = _start(act)
    wild = start.copy()
    wild[:, 1:22] = wild[generator.permutation(len(act))][:, 1:22]
    prior = load_prior()
    names = solver_names(COCO17)
    prediction = prior.predict(wild, names, np.ones((len(act), len(names))), sigma_m=SIGMA_M)
    for part, level, side in (("leg", 2, "left"), ("leg", 2, "right"), ("trunk", 1, "left")):
        for number, name in enumerate(PART_JOINTS[part]):
            joint = JOINT_INDEX[name.replace("left", side) if part != "trunk" else name]
            turn = np.swapaxes(wild[:, joint], -1, -2) @ prediction.rotations[:, joint]
            angle = np.arccos(np.clip((np.trace(turn, axis1=1, axis2=2) - 1) / 2, -1, 1))
            assert angle.max() <= prior.models[part, level].reach_rad[number] + 2e-3
