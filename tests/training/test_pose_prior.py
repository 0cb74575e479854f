"""Training of the regression prior: mirror symmetry, subjects, and an asset that the fit can read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.fit.priors.prior_file import PRIOR_VERSION, read_prior
from core.fit.priors.regression_prior import PART_CHAINS, PART_JOINTS, RegressionPrior, mirrored, part_features
from core.fit.solver.gauss_newton import Targets
from core.fit.solver.initial_pose import analytic_start
from core.layouts import BODY25
from core.math.rotations import matrix_to_axis_angle
from core.smpl_skeleton import JOINT_INDEX
from training import pose_prior
from training.data.motion_folder import Clip
from training.evaluation.realistic_errors import ErrorModel, add_errors
from training.pose_prior import Sample
from training.samples.motion import sample_motion

NAMES = tuple(point.solver for point in BODY25.points if point.solver)


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    """Return the sample's walk in three parts, as of three subjects."""
    motion = sample_motion()
    rotations, trans = motion.rotations().astype(np.float32), motion.trans.astype(np.float32)
    parts = (slice(0, 140, 4), slice(140, 280, 4), slice(280, 432, 4))
    return [
        Clip(f"CMU_{number:02}_01_poses", f"{number:02}", rotations[part], trans[part], 15.0)
        for number, part in enumerate(parts, start=1)
    ]


@pytest.fixture(scope="module")
def asset(clips, tmp_path_factory) -> Path:
    """Train an asset on the three clips with the command."""
    folder = tmp_path_factory.mktemp("clips")
    for clip in clips:
        poses = np.zeros((len(clip.trans), 156))
        poses[:, :72] = matrix_to_axis_angle(clip.rotations.astype(np.float64)).reshape(len(poses), -1)
        np.savez(folder / f"{clip.name}.npz", poses=poses, trans=clip.trans, mocap_framerate=clip.fps)
    held_out = folder / f"CMU_{pose_prior.HELD_OUT_SUBJECTS[0]}_01_poses.npz"
    np.savez(held_out, poses=np.full((9, 156), 1.5), trans=np.zeros((9, 3)), mocap_framerate=30.0)
    output = tmp_path_factory.mktemp("asset") / "prior.npz"
    pose_prior.main([str(folder), "--output", str(output)])
    return output


@pytest.fixture
def trained(asset) -> RegressionPrior:
    return read_prior(asset)


def _start(clip: Clip, errors: ErrorModel | None = None) -> np.ndarray:
    model = KeypointModel(BodyModel(load_free_body()), landmark_regressor(load_free_body(), NAMES))
    keypoints = model.shaped(clip.drawn_betas())
    points = keypoints.points(clip.rotations, clip.trans)
    if errors is not None:
        generator = np.random.default_rng(0)
        holders = keypoints.model.holders
        points = add_errors(points, clip.rotations, holders, clip.fps, generator, errors).astype(np.float32)
    targets = Targets(points, np.ones(points.shape[:2], dtype=np.float32))
    return analytic_start(NAMES, keypoints, targets)[0]


def _wrong_deg(rotations: np.ndarray, truth: np.ndarray, joint: int) -> float:
    turn = np.swapaxes(rotations[:, joint], -1, -2) @ truth[:, joint]
    return float(np.rad2deg(np.arccos(np.clip((np.trace(turn, axis1=1, axis2=2) - 1) / 2, -1, 1))).mean())


def test_asset_is_read_by_the_fit(trained):
    assert set(trained.models) == {(part, level) for part in PART_JOINTS for level in range(len(PART_CHAINS[part]) + 1)}
    for (part, _), model in trained.models.items():
        num_features = part_features(part, np.broadcast_to(np.eye(3), (1, 24, 3, 3))).shape[1]
        assert model.coefficients.shape == (num_features, 3 * len(PART_JOINTS[part]))
        for covariance in (model.covariance, model.subject_offset_covariance):
            assert covariance.shape == (3 * len(PART_JOINTS[part]),) * 2
            assert np.linalg.eigvalsh(covariance).min() > 0.0
        assert np.isfinite(model.coefficients).all() and (model.reach_rad > 0.0).all()


def test_held_out_subjects_are_not_trained_on(asset, clips):
    model = pose_prior.fit_part(clips, "leg", 2)
    with np.load(asset, allow_pickle=False) as arrays:
        np.testing.assert_allclose(arrays["leg_2_coefficients"], model.coefficients, rtol=0.01, atol=0.02)
        np.testing.assert_allclose(arrays["leg_2_covariance"], model.covariance, atol=1e-4)
        assert int(arrays["version"]) == PRIOR_VERSION


def test_trained_prior_improves_the_start(trained, clips):
    weights = np.ones((len(clips[1].trans), len(NAMES)), dtype=np.float32)
    start = _start(clips[1], ErrorModel(constant_m=0.012, white_m=0.007))
    expected = trained.predict(start, NAMES, weights, sigma_m=0.005).rotations
    joints = [JOINT_INDEX[name] for names in PART_JOINTS.values() for name in names]
    before, after = (
        np.mean([_wrong_deg(rotations, clips[1].rotations, joint) for joint in joints])
        for rotations in (start, expected)
    )
    assert after < 0.95 * before


def test_mirrored_clips_give_the_same_prior(clips):
    flip = np.array([-1.0, 1.0, 1.0], dtype=np.float32)
    seen_in_mirror = [
        Clip(clip.name, clip.subject, mirrored(clip.rotations), clip.trans * flip, clip.fps) for clip in clips
    ]
    for part, level in (("leg", 2), ("leg", 3)):
        one, other = (pose_prior.fit_part(source, part, level) for source in (clips, seen_in_mirror))
        np.testing.assert_allclose(one.reach_rad, other.reach_rad, rtol=0.4)
        for first, second in (
            (one.covariance, other.covariance),
            (one.subject_offset_covariance, other.subject_offset_covariance),
        ):
            np.testing.assert_allclose(np.sqrt(np.trace(first)), np.sqrt(np.trace(second)), rtol=0.5)


def test_prediction_of_a_mirrored_pose_is_the_mirrored_prediction(trained, clips):
    start = _start(clips[2])
    weights = np.ones((len(start), len(NAMES)), dtype=np.float32)
    plain = trained.predict(start, NAMES, weights, sigma_m=0.005)
    other = trained.predict(mirrored(start), NAMES, weights, sigma_m=0.005)
    for name in PART_JOINTS["leg"]:
        joint = JOINT_INDEX[name]
        np.testing.assert_allclose(mirrored(other.rotations)[:, joint], plain.rotations[:, joint], atol=1e-4)


def test_covariance_is_split_into_track_means_and_the_rest():
    generator = np.random.default_rng(0)
    stays, comes = (generator.normal(size=(6, 6)) for _ in range(2))
    rest = [generator.normal(size=6) @ stays + generator.normal(size=(50, 6)) @ comes for _ in range(4000)]
    covariance, subject_offset = pose_prior._covariances(rest, [0.5] * len(rest))
    np.testing.assert_allclose(covariance, comes.T @ comes, atol=0.05 * np.trace(comes.T @ comes))
    np.testing.assert_allclose(subject_offset, stays.T @ stays, atol=0.1 * np.trace(stays.T @ stays))


def test_ridge_regression_equals_its_definition():
    generator = np.random.default_rng(0)
    x = np.concatenate([np.ones((50, 1)), generator.normal(size=(50, 6))], axis=1)
    y = generator.normal(size=(50, 3)) + 2.0
    for ridge in (1e-3, 1.0, 100.0):
        found = pose_prior._solve(x.T @ x, x.T @ y, 50, ridge)
        penalty = np.sqrt((x**2).sum(axis=0) * ridge + 50e-9)
        penalty[0] = 0.0
        stacked, wanted = np.concatenate([x, np.diag(penalty)]), np.concatenate([y, np.zeros((7, 3))])
        np.testing.assert_allclose(found, np.linalg.lstsq(stacked, wanted, rcond=None)[0], atol=1e-8)
    held = pose_prior._solve(x.T @ x, x.T @ y, 50, 1e12)
    np.testing.assert_allclose(held[0], y.mean(axis=0), atol=1e-3)
    assert not pose_prior._solve(x.T @ x, x.T @ y, 50, np.inf).any()


def _sample(subject: str, weight: float, generator: np.random.Generator) -> Sample:
    features = np.concatenate([np.ones((8, 1)), generator.normal(size=(8, 2))], axis=1)
    return Sample(subject, features, generator.normal(size=(8, 3)), weight)


def test_subjects_are_left_out_in_turn():
    generator = np.random.default_rng(1)
    one, other, again = (
        _sample(subject, weight, generator) for subject, weight in (("01", 0.5), ("02", 1.0), ("01", 0.5))
    )
    residuals = pose_prior._residuals([one, other, again], 0.1)
    x, y = other.features, other.turns
    without_first = pose_prior._solve(x.T @ x, x.T @ y, 8, 0.1)
    x, y = np.concatenate([one.features, again.features]), np.concatenate([one.turns, again.turns])
    without_second = pose_prior._solve(0.5 * x.T @ x, 0.5 * x.T @ y, 8, 0.1)
    expected = [
        sample.turns - sample.features @ model
        for sample, model in ((one, without_first), (other, without_second), (again, without_first))
    ]
    np.testing.assert_allclose(residuals, expected, atol=1e-12)


def test_weight_of_one_subject_is_bounded(clips, monkeypatch):
    monkeypatch.setattr(pose_prior, "_FRAMES_PER_SUBJECT", 10)
    samples = pose_prior._samples(clips, "leg", 2)
    for clip in clips:
        own = [sample for sample in samples if sample.subject == clip.subject]
        assert sum(sample.weight * len(sample.turns) for sample in own) == pytest.approx(10.0, rel=0.2)


def test_weights_equal_repeated_samples():
    generator = np.random.default_rng(2)
    one, other = generator.normal(size=(20, 6)), generator.normal(size=(30, 6)) + 1.0
    weighted = pose_prior._covariances([one, other], [3.0, 1.0])
    copied = pose_prior._covariances([one, one, one, other], [1.0] * 4)
    for first, second in zip(weighted, copied, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-12)


def test_cutting_clips_into_tracks_keeps_every_frame(clips, monkeypatch):
    monkeypatch.setattr(pose_prior, "_TRACK_FRAMES", 12)
    tracks = pose_prior._tracks(clips)
    for clip in clips:
        own = [frames for other, frames in tracks if other is clip]
        assert max(map(len, own)) <= 1.5 * 12
        np.testing.assert_array_equal(np.concatenate(own), np.arange(len(clip.trans)))
