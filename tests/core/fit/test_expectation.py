"""What is expected of points: nearer the truth than the start, and as sure as it may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.fit.analytic import analytic_start
from core.fit.expectation import NETWORK_JOINTS, WEIGHTS, expected_pose, load_pose_network
from core.fit.refine import Targets
from core.layouts import BODY25, COCO17, H36M17, WHOLEBODY133
from core.rotations import matrix_to_axis_angle
from core.skeletons import JOINT_INDEX

from .scenes import keypoint_model, solver_names

SIGMA_M = 0.003
UPPER_ARMS = [JOINT_INDEX["left_shoulder"], JOINT_INDEX["right_shoulder"]]


def expectation(scene, layout=BODY25, *, hidden=(), betas=None, model=None, sigma_m=SIGMA_M, noise_m=0.0):
    """Return the analytic start and the expected pose of a scene's points of a layout."""
    names = solver_names(layout)
    shaped = (model or keypoint_model(names)).shaped(scene.betas if betas is None else betas)
    weights = np.ones((len(scene), len(names)), dtype=np.float32)
    weights[:, [names.index(name) for name in hidden]] = 0.0
    targets = Targets(scene.solver_points(layout).astype(np.float32), weights)
    start, _ = analytic_start(names, shaped, targets)
    return start, expected_pose(names, shaped, start, targets, sigma_m=sigma_m, noise_m=noise_m)


def wrong_deg(scene, rotations) -> np.ndarray:
    """Return each joint's mean rotation error (22,), degrees."""
    turn = np.swapaxes(rotations[:, :22], -1, -2) @ scene.rotations[:, :22]
    return np.rad2deg(np.arccos(np.clip((np.trace(turn, axis1=-2, axis2=-1) - 1) / 2, -1, 1))).mean(axis=0)


@pytest.mark.parametrize("layout", [BODY25, COCO17, H36M17, WHOLEBODY133], ids=lambda layout: layout.name)
def test_it_is_nearer_the_truth_than_the_start(capture, layout):
    start, expected = expectation(capture, layout)
    before, after = wrong_deg(capture, start), wrong_deg(capture, expected.rotations)
    assert after.mean() < 0.85 * before.mean()
    assert after[UPPER_ARMS].mean() < 0.7 * before[UPPER_ARMS].mean()


def test_hands_that_are_seen_tell_the_wrists(capture):
    wrists = [JOINT_INDEX["left_wrist"], JOINT_INDEX["right_wrist"]]
    blind, seeing = (wrong_deg(capture, expectation(capture, layout)[1].rotations) for layout in (BODY25, WHOLEBODY133))
    assert seeing[wrists].mean() < 0.8 * blind[wrists].mean()


def test_the_less_is_seen_the_less_sure_it_is(capture):
    elbow = JOINT_INDEX["left_elbow"]
    spreads = []
    for hidden in ((), ("left_wrist",), ("left_wrist", "left_elbow")):
        _, expected = expectation(capture, hidden=hidden)
        spreads.append(np.mean(SIGMA_M**2 * np.trace(np.linalg.inv(expected.precision[:, elbow]), axis1=1, axis2=2)))
    assert spreads[0] < spreads[1] < spreads[2]


def test_noisy_points_are_trusted_less(capture):
    sure, unsure = (expectation(capture, sigma_m=sigma_m, noise_m=sigma_m)[1] for sigma_m in (0.001, 0.012))
    arms = list(NETWORK_JOINTS)
    spread = [
        sigma**2 / np.diagonal(one.precision[:, arms], axis1=2, axis2=3)
        for sigma, one in ((0.001, sure), (0.012, unsure))
    ]
    assert np.median(spread[0]) < np.median(spread[1])
    for one, other in zip(sure.couplings, unsure.couplings, strict=True):
        narrow, wide = (
            sigma**2 * np.linalg.inv(coupling.precision.astype(np.float64))
            for sigma, coupling in ((0.001, one), (0.012, other))
        )
        assert np.linalg.eigvalsh(wide - narrow).min() > 0.0


def test_its_word_for_how_far_it_is_off_holds(capture):
    _, expected = expectation(capture)
    turns = np.swapaxes(expected.rotations[:, :22], -1, -2) @ capture.rotations[:, :22]
    off = matrix_to_axis_angle(turns.astype(np.float64))
    arms = list(NETWORK_JOINTS)
    squared = np.einsum("fja,fjab,fjb->fj", off[:, arms], expected.precision[:, arms], off[:, arms])
    assert 0.02 < np.minimum(squared / (3.0 * SIGMA_M**2), 16.0).mean() < 2.5
    for coupling in expected.couplings:
        some = off[:, list(coupling.joints)].reshape(len(off), -1)
        squared = np.einsum("fa,fab,fb->f", some, coupling.precision, some) / (some.shape[1] * SIGMA_M**2)
        assert 0.02 < np.minimum(squared, 16.0).mean() < 2.5


def test_it_is_the_same_on_torch(act):
    names = solver_names()
    points = act.solver_points().astype(np.float32)
    answers = []
    for device in ("numpy", "cpu"):
        body = BodyModel(load_free_body(), device)
        shaped = KeypointModel(body, landmark_regressor(load_free_body(), names)).shaped(body.array(act.betas))
        targets = Targets(body.array(points), body.array(np.ones(points.shape[:2])))
        start, _ = analytic_start(names, shaped, targets)
        expected = expected_pose(names, shaped, start, targets, sigma_m=SIGMA_M)
        couplings = [np.asarray(coupling.precision) for coupling in expected.couplings]
        answers.append((np.asarray(expected.rotations), np.asarray(expected.precision), *couplings))
    assert isinstance(start, torch.Tensor)
    np.testing.assert_allclose(answers[0][0], answers[1][0], atol=1e-3)
    for one, other in zip(answers[0][1:], answers[1][1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=0.02, atol=1e-9)


def test_betas_of_another_body_are_not_told(act):
    names = solver_names()
    other = BodyModel(replace(load_free_body(), name="smpl"))
    model = KeypointModel(other, landmark_regressor(load_free_body(), names))
    plain, told = expectation(act)[1], expectation(act, model=model)[1]
    assert np.abs(plain.rotations - told.rotations).max() > 1e-4
    unknown = expectation(act, model=model, betas=act.betas)[1]
    np.testing.assert_array_equal(unknown.rotations, told.rotations)
    assert wrong_deg(act, told.rotations).mean() < 1.3 * wrong_deg(act, plain.rotations).mean()


def test_a_narrower_pelvis_does_not_confuse_it(capture):
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
    expected = expected_pose(names, shaped, start, targets, sigma_m=SIGMA_M)
    assert wrong_deg(capture, expected.rotations).mean() < 0.8 * wrong_deg(capture, start).mean()


def test_the_shipped_weights_say_what_they_are():
    info = load_pose_network("numpy").info
    assert info.architecture == "pose_mlp" and info.body == "free_body" and "CMU" in info.training_data
    assert info.metrics and WEIGHTS.stat().st_size < 5e6
