"""The predicted pose is more accurate than the start, and its variance is calibrated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.errors import InputMissingError
from core.fit import FitOptions, fit_track
from core.fit.priors.pose_predictor import (
    NETWORK_JOINTS,
    SHIPPED_PREDICTOR,
    WEIGHTS,
    PosePredictor,
    load_pose_network,
    read_pose_network,
)
from core.fit.priors.prior_file import load_prior
from core.fit.solver.gauss_newton import Targets
from core.fit.solver.initial_pose import analytic_start
from core.layouts import BODY25, COCO17, H36M17, WHOLEBODY133
from core.math.rotations import matrix_to_axis_angle
from core.network import NetworkError, NetworkInfo, NetworkWeights, read_weights, write_weights
from core.network.architecture import FOLDED_SHAPES
from core.smpl_skeleton import JOINT_INDEX

from .scenes import keypoint_model, solver_names

pytestmark = pytest.mark.slow

SIGMA_M = 0.003
UPPER_ARMS = [JOINT_INDEX["left_shoulder"], JOINT_INDEX["right_shoulder"]]


def expectation(
    scene,
    layout=BODY25,
    *,
    hidden=(),
    betas=None,
    model=None,
    sigma_m=SIGMA_M,
    noise_m=0.0,
    predictor=SHIPPED_PREDICTOR,
):
    """Return the analytic start and the expected pose of a scene in a layout."""
    names = solver_names(layout)
    shaped = (model or keypoint_model(names)).shaped(scene.betas if betas is None else betas)
    weights = np.ones((len(scene), len(names)), dtype=np.float32)
    weights[:, [names.index(name) for name in hidden]] = 0.0
    targets = Targets(scene.solver_points(layout).astype(np.float32), weights)
    start, _ = analytic_start(names, shaped, targets)
    return start, predictor.predict(names, shaped, start, targets, sigma_m=sigma_m, noise_m=noise_m)


def wrong_deg(scene, rotations) -> np.ndarray:
    """Return each joint's mean rotation error (22,), degrees."""
    turn = np.swapaxes(rotations[:, :22], -1, -2) @ scene.rotations[:, :22]
    return np.rad2deg(np.arccos(np.clip((np.trace(turn, axis1=-2, axis2=-1) - 1) / 2, -1, 1))).mean(axis=0)


@pytest.mark.parametrize("layout", [BODY25, COCO17, H36M17, WHOLEBODY133], ids=lambda layout: layout.name)
def test_prediction_is_more_accurate_than_the_start(capture, layout):
    start, expected = expectation(capture, layout)
    before, after = wrong_deg(capture, start), wrong_deg(capture, expected.rotations)
    assert after.mean() < 0.85 * before.mean()
    assert after[UPPER_ARMS].mean() < 0.7 * before[UPPER_ARMS].mean()


def test_seen_hands_determine_the_wrists(capture):
    wrists = [JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"]]
    blind, seeing = (wrong_deg(capture, expectation(capture, layout)[1].rotations) for layout in (BODY25, WHOLEBODY133))
    assert seeing[wrists].mean() < 0.8 * blind[wrists].mean()


def test_precision_falls_as_fewer_points_are_seen(capture):
    elbow = JOINT_INDEX["left_elbow"]
    spreads = []
    for hidden in ((), ("left_wrist",), ("left_wrist", "left_elbow")):
        _, expected = expectation(capture, hidden=hidden)
        spreads.append(np.mean(SIGMA_M**2 * np.trace(np.linalg.inv(expected.precision[:, elbow]), axis1=1, axis2=2)))
    assert spreads[0] < spreads[1] < spreads[2]


def test_precision_falls_with_noise(capture):
    sure, unsure = (expectation(capture, sigma_m=sigma_m, noise_m=sigma_m)[1] for sigma_m in (0.001, 0.012))
    arms = list(NETWORK_JOINTS["arms"])
    spread = [
        sigma**2 / np.diagonal(one.precision[:, arms], axis1=2, axis2=3)
        for sigma, one in ((0.001, sure), (0.012, unsure))
    ]
    assert np.median(spread[0]) < np.median(spread[1])
    for one, other in zip(sure.joint_precisions, unsure.joint_precisions, strict=True):
        narrow, wide = (
            sigma**2 * np.linalg.inv(joint_precision.precision.astype(np.float64))
            for sigma, joint_precision in ((0.001, one), (0.012, other))
        )
        assert np.linalg.eigvalsh(wide - narrow).min() > 0.0


def test_predicted_variance_matches_the_errors(capture):
    _, expected = expectation(capture)
    turns = np.swapaxes(expected.rotations[:, :22], -1, -2) @ capture.rotations[:, :22]
    off = matrix_to_axis_angle(turns.astype(np.float64))
    arms = list(NETWORK_JOINTS["arms"])
    squared = np.einsum("fja,fjab,fjb->fj", off[:, arms], expected.precision[:, arms], off[:, arms])
    assert 0.02 < np.minimum(squared / (3.0 * SIGMA_M**2), 16.0).mean() < 2.5
    for joint_precision in expected.joint_precisions:
        deviations = off[:, list(joint_precision.joints)].reshape(len(off), -1)
        squared = np.einsum("fa,fab,fb->f", deviations, joint_precision.precision, deviations) / (
            deviations.shape[1] * SIGMA_M**2
        )
        assert 0.02 < np.minimum(squared, 16.0).mean() < 2.5


def test_torch_agrees_with_numpy(act):
    names = solver_names()
    points = act.solver_points().astype(np.float32)
    answers = []
    for device in ("numpy", "cpu"):
        body = BodyModel(load_free_body(), device)
        shaped = KeypointModel(body, landmark_regressor(load_free_body(), names)).shaped(body.array(act.betas))
        targets = Targets(body.array(points), body.array(np.ones(points.shape[:2])))
        start, _ = analytic_start(names, shaped, targets)
        expected = SHIPPED_PREDICTOR.predict(names, shaped, start, targets, sigma_m=SIGMA_M)
        joint_precisions = [np.asarray(joint_precision.precision) for joint_precision in expected.joint_precisions]
        answers.append((np.asarray(expected.rotations), np.asarray(expected.precision), *joint_precisions))
    assert isinstance(start, torch.Tensor)
    np.testing.assert_allclose(answers[0][0], answers[1][0], atol=1e-3)
    for one, other in zip(answers[0][1:], answers[1][1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=0.02, atol=1e-9)


def test_betas_of_another_body_are_not_passed_to_the_network(act):
    names = solver_names()
    other = BodyModel(replace(load_free_body(), name="smpl"))
    model = KeypointModel(other, landmark_regressor(load_free_body(), names))
    plain, with_betas = expectation(act)[1], expectation(act, model=model)[1]
    assert np.abs(plain.rotations - with_betas.rotations).max() > 1e-4
    unknown = expectation(act, model=model, betas=act.betas)[1]
    np.testing.assert_array_equal(unknown.rotations, with_betas.rotations)
    assert wrong_deg(act, with_betas.rotations).mean() < 1.3 * wrong_deg(act, plain.rotations).mean()


def test_a_narrower_pelvis_does_not_degrade_the_prediction(capture):
    """SMPL's hips lie 9 cm closer together than the free body's."""
    names = solver_names()
    data = load_free_body()
    moved = np.zeros((24, 3))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for name in ("hip", "knee", "ankle", "foot"):
            moved[JOINT_INDEX[f"{side}_{name}"], 0] = -0.04 * sign
    narrow = replace(data, name="smpl", v_template=data.v_template + (data.weights @ moved).astype(np.float32))
    model = KeypointModel(BodyModel(narrow), landmark_regressor(narrow, names))
    shaped = model.shaped(capture.betas)
    points = shaped.points(capture.rotations, capture.trans)
    targets = Targets(points, np.ones(points.shape[:2], dtype=np.float32))
    start, _ = analytic_start(names, shaped, targets)
    expected = SHIPPED_PREDICTOR.predict(names, shaped, start, targets, sigma_m=SIGMA_M)
    assert wrong_deg(capture, expected.rotations).mean() < 0.8 * wrong_deg(capture, start).mean()


def test_the_shipped_weights_carry_their_description():
    info = load_pose_network("numpy").info
    assert info.architecture == "pose_mlp" and info.body == "free_body" and "CMU" in info.training_data
    assert info.metrics and WEIGHTS.stat().st_size < 5e6


def test_the_network_predicts_exactly_the_requested_joints(act):
    arms, all_joints, none = (
        expectation(act, predictor=PosePredictor(joints=joints))[1] for joints in ("arms", "all", "none")
    )
    names, own = solver_names(), list(NETWORK_JOINTS["arms"])
    others = [joint for joint in range(22) if joint not in own]
    start, _ = expectation(act)
    weights = np.ones((len(act), len(names)), dtype=np.float32)
    usual = load_prior().predict(start, names, weights, sigma_m=SIGMA_M)
    np.testing.assert_array_equal(none.rotations, usual.rotations)
    np.testing.assert_array_equal(none.precision, usual.precision)
    for field in ("rotations", "precision"):
        mixed, network = getattr(arms, field), getattr(all_joints, field)
        np.testing.assert_array_equal(mixed[:, own], network[:, own])
        assert np.abs(network[:, others] - mixed[:, others]).max() > 1e-3
    np.testing.assert_array_equal(arms.precision[:, others], usual.precision[:, others])
    assert arms.joint_precisions and none.joint_precisions and not all_joints.joint_precisions


@pytest.mark.parametrize(("sigma_m", "share"), [(1e-4, 0.0), (0.005, 0.25), (1.0, 0.5)])
def test_the_networks_weight_for_other_joints_grows_with_sigma(act, sigma_m, share):
    names, others = solver_names(), [joint for joint in range(22) if joint not in NETWORK_JOINTS["arms"]]
    shaped = keypoint_model(names).shaped(act.betas)
    targets = Targets(act.solver_points().astype(np.float32), np.ones((len(act), len(names)), dtype=np.float32))
    start, _ = analytic_start(names, shaped, targets)
    mixed, network, usual = (
        PosePredictor(joints=joints).predict(names, shaped, start, targets, sigma_m=sigma_m).rotations[:, others]
        for joints in ("arms", "all", "none")
    )
    whole, moved = (
        Rotation.from_matrix(usual.reshape(-1, 3, 3)).inv() * Rotation.from_matrix(other.reshape(-1, 3, 3))
        for other in (network, mixed)
    )
    np.testing.assert_allclose(moved.as_rotvec(), share * whole.as_rotvec(), atol=2e-3)


def test_a_second_pass_starts_from_the_first_result(act):
    start, once = expectation(act, predictor=PosePredictor(joints="all"))
    twice = expectation(act, predictor=PosePredictor(joints="all", passes=2))[1]
    names = solver_names()
    shaped = keypoint_model(names).shaped(act.betas)
    targets = Targets(act.solver_points().astype(np.float32), np.ones((len(act), len(names)), dtype=np.float32))
    again = PosePredictor().predict_by_network(names, shaped, once.rotations, targets, sigma_m=SIGMA_M)
    np.testing.assert_allclose(twice.rotations, again.rotations, atol=1e-6)
    assert np.abs(twice.rotations - once.rotations).max() > 1e-3


@pytest.fixture
def own_network(tmp_path):
    """Return the path of a user's own network: the shipped one with a changed prediction for the upper arms."""
    shipped = read_weights(WEIGHTS)
    bias = shipped.arrays["output_bias"].copy().reshape(22, -1)
    for side in ("left", "right"):
        bias[JOINT_INDEX[f"{side}_shoulder"], :6] += np.array([0.0, 0.5, -0.5, 0.0, 0.0, 0.0])
    arrays = {**shipped.arrays, "output_bias": bias.reshape(-1)}
    path = tmp_path / "own.npz"
    write_weights(path, NetworkWeights(arrays, replace(shipped.info, training_data="people of mine")))
    return path


@pytest.mark.parametrize("mode", ["clip", "frames"])
def test_a_fit_uses_the_given_network(act, own_network, mode, tmp_path):
    copy = tmp_path / "copy.npz"
    copy.write_bytes(WEIGHTS.read_bytes())
    track = act[:12].track()
    plain, same, own = (
        fit_track(track, load_free_body(), FitOptions(mode=mode, betas=act.known_betas(), workers=1, **more))[0]
        for more in ({}, {"network": copy}, {"network": str(own_network)})
    )
    np.testing.assert_allclose(same.poses, plain.poses, atol=1e-9)
    assert np.abs(own.poses - plain.poses).max() > 0.02
    assert read_pose_network(own_network, "numpy").info.training_data == "people of mine"


@pytest.mark.parametrize("mode", ["clip", "frames"])
def test_network_joints_and_passes_reach_the_fit(act, mode):
    track = act[:12].track()
    poses = [
        fit_track(track, load_free_body(), FitOptions(mode=mode, betas=act.known_betas(), workers=1, **more))[0].poses
        for more in ({}, {"network_joints": "none"}, {"network_joints": "all"}, {"network_passes": 2})
    ]
    for index, one in enumerate(poses):
        for other in poses[:index]:
            assert np.abs(one - other).max() > 1e-3


def test_a_file_without_a_pose_network_is_an_error(act, tmp_path):
    paper = tmp_path / "paper.npz"
    arrays = {name: np.zeros(shape, dtype=np.float32) for name, shape in FOLDED_SHAPES.items()}
    write_weights(paper, NetworkWeights(arrays, NetworkInfo("body25", "free_body", "nothing")))
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes(WEIGHTS.read_bytes()[:2000])
    track = act[:12].track()
    for path, error, words in (
        (paper, NetworkError, ("pose_mlp", "residual_st_gcn", str(paper), "pose_mlp.yaml", "convert")),
        (damaged, NetworkError, (str(damaged),)),
        (tmp_path / "none.npz", InputMissingError, ("none.npz",)),
    ):
        with pytest.raises(error) as caught:
            fit_track(track, load_free_body(), FitOptions(network=path))
        for word in words:
            assert word in str(caught.value)
