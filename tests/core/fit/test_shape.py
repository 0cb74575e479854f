"""Shape estimates against known bodies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.body.keypoints import KeypointModel
from core.errors import BodyError
from core.fit import fit_track
from core.fit.observations import keypoint_model as layout_model
from core.fit.pose_solver import known_betas
from core.fit.priors.pose_predictor import SHIPPED_PREDICTOR
from core.fit.quality import Quality
from core.fit.shape.estimate import (
    ShapeEstimate,
    ShapeState,
    _independent_frames,
    betas_from_lengths,
    spread_frames,
)
from core.fit.solver.gauss_newton import Targets
from core.layouts import BODY25, COCO17, SMPL24
from core.math.arrays import to_numpy

from .scenes import Scene, acting, body_model, keypoint_model, solver_names

pytestmark = pytest.mark.slow

NAMES = solver_names()
TRUST = np.ones(len(NAMES))


def _rest_error_mm(betas: np.ndarray, scene: Scene) -> float:
    return 1000.0 * np.linalg.norm(body_model().data.shapedirs @ (betas - scene.betas), axis=-1).mean()


def _targets(scene: Scene, noise_m: float = 0.0, every: int = 3) -> Targets:
    points = scene.solver_points()[::every]
    points = points + noise_m * np.random.default_rng(0).normal(size=points.shape)
    return Targets(points.astype(np.float32), np.ones(points.shape[:2], dtype=np.float32))


def _refined(
    model: KeypointModel,
    targets: Targets,
    betas: np.ndarray,
    noise_m: float = 1e-4,
    trust: np.ndarray = TRUST,
    hold_betas: bool = False,
) -> ShapeEstimate:
    state = ShapeState(NAMES, model, targets, model.body.array(betas), noise_m, trust, SHIPPED_PREDICTOR)
    for _ in state.refine(Quality.shape_rounds, hold_betas=hold_betas):
        pass
    return state.estimate()


def _from_lengths(scene: Scene, layout=BODY25, noise_m: float = 0.0, noise_given_m: float = 0.0) -> np.ndarray:
    names = solver_names(layout)
    points = scene.solver_points(layout)
    points = points + noise_m * np.random.default_rng(0).normal(size=points.shape)
    return betas_from_lengths(
        names, keypoint_model(names), points, np.ones(points.shape[:2]), np.full(len(names), noise_given_m)
    )


LIMBS = tuple(
    (f"{side}_{first}", f"{side}_{second}")
    for side in ("left", "right")
    for first, second in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
)


def _limb_lengths_m(betas: np.ndarray) -> np.ndarray:
    rest = keypoint_model(NAMES).rest(betas.astype(np.float32))
    return np.array([np.linalg.norm(rest[NAMES.index(a)] - rest[NAMES.index(b)]) for a, b in LIMBS])


@pytest.mark.parametrize("layout", [BODY25, SMPL24, COCO17], ids=lambda layout: layout.name)
def test_bone_lengths_determine_the_limb_lengths(layout):
    before, after = [], []
    for seed in (1, 2, 3):
        scene = acting(30, seed=seed)
        estimate = _from_lengths(scene, layout)
        assert estimate.shape == (10,)
        true = _limb_lengths_m(scene.betas)
        before.append(np.abs(_limb_lengths_m(np.zeros(10)) - true).mean())
        after.append(np.abs(_limb_lengths_m(estimate) - true).mean())
    assert np.mean(after) < 0.7 * np.mean(before)
    assert max(after) < 0.016


def test_noise_does_not_lengthen_the_body():
    scene = acting(200, seed=1)

    def leg_m(betas):
        return _limb_lengths_m(betas)[[0, 4]].mean()

    true = leg_m(_from_lengths(scene))
    corrected, uncorrected = (
        leg_m(_from_lengths(scene, noise_m=0.04, noise_given_m=noise_given_m)) for noise_given_m in (0.04, 0.0)
    )
    assert abs(corrected - true) < 0.7 * abs(uncorrected - true)
    assert abs(corrected - true) < 0.006


def test_without_lengths_the_shape_is_the_mean():
    names = ("left_hip", "left_wrist")
    points = np.zeros((4, 2, 3))
    betas = betas_from_lengths(names, keypoint_model(names), points, np.ones((4, 2)), np.zeros(2))
    np.testing.assert_array_equal(betas, np.zeros(10))
    never = betas_from_lengths(
        NAMES, keypoint_model(NAMES), np.zeros((4, len(NAMES), 3)), np.zeros((4, len(NAMES))), TRUST
    )
    np.testing.assert_array_equal(never, np.zeros(10))


@pytest.mark.parametrize(("num_frames", "count"), [(1, 48), (5, 48), (48, 48), (200, 48), (1000, 7)])
def test_spread_frames_are_the_first_well_seen_ones_of_each_section(num_frames, count):
    weights = np.random.default_rng(0).uniform(0.1, 1.0, (num_frames, 5))
    picks = spread_frames(weights, count)
    assert len(picks) == min(num_frames, count) and (np.diff(picks) > 0).all()
    edges = np.linspace(0, num_frames, len(picks) + 1).round()
    seen = weights.sum(axis=1)
    for pick, start, end in zip(picks, edges[:-1], edges[1:], strict=True):
        assert start <= pick < end
        best = seen[int(start) : int(end)].max()
        assert seen[pick] >= 0.8 * best and (seen[int(start) : pick] < 0.8 * best).all()


def test_a_point_that_is_missing_for_some_frames_does_not_change_the_spread_frames():
    weights = np.ones((100, 20))
    before = spread_frames(weights, 10)
    weights[35:52, 3] = 0.0
    np.testing.assert_array_equal(spread_frames(weights, 10), before)


@pytest.mark.parametrize("num_modes", [1, 2, 5])
def test_errors_that_repeat_count_as_the_frames_that_differ(num_modes):
    generator = np.random.default_rng(0)
    modes = np.linalg.qr(generator.normal(size=(60, num_modes)))[0]
    repeated = np.repeat(np.eye(num_modes), 8, axis=1)
    errors = (modes @ repeated).reshape(3, 20, -1)
    assert _independent_frames(errors) == pytest.approx(num_modes)


def test_independent_errors_count_as_all_frames():
    errors = 0.01 * np.random.default_rng(0).normal(size=(3, 5000, 12))
    assert _independent_frames(errors) == pytest.approx(12.0, rel=0.01)
    assert _independent_frames(np.zeros((3, 20, 12))) == 1.0


def test_spread_frames_skip_unseen_frames():
    weights = np.ones((100, 5))
    weights[20:90] = 0.0
    picks = spread_frames(weights, 10)
    assert set(picks) <= {*range(20), *range(90, 100)} and len(picks) == 3


def test_shape_is_recovered_from_clean_points(capture):
    rough = _from_lengths(capture)
    found = _refined(keypoint_model(NAMES), _targets(capture), rough)
    assert _rest_error_mm(found.betas, capture) < min(4.0, 0.6 * _rest_error_mm(rough, capture))
    assert found.sigma_m < 0.002


def test_shape_is_recovered_from_clean_points_of_the_sample(walk):
    rough = _from_lengths(walk)
    found = _refined(keypoint_model(NAMES), _targets(walk), rough)
    assert _rest_error_mm(found.betas, walk) < min(10.0, 0.8 * _rest_error_mm(rough, walk))


def test_sigma_grows_with_noise(act):
    model = keypoint_model(NAMES)
    noisy = _refined(model, _targets(act, 0.01), act.known_betas(), noise_m=0.01)
    clean = _refined(model, _targets(act), act.known_betas())
    assert clean.sigma_m < 0.003 < 0.009 < noisy.sigma_m < 0.02


def test_a_broken_frame_hardly_counts(act):
    model, targets = keypoint_model(NAMES), _targets(act)
    points = targets.points.copy()
    points[len(points) // 2] += 0.03 * np.random.default_rng(0).normal(size=points.shape[1:]).astype(np.float32)
    clean = _refined(model, targets, act.known_betas())
    broken = _refined(model, replace(targets, points=points), act.known_betas())
    assert broken.sigma_m < 1.5 * clean.sigma_m
    moved = body_model().data.shapedirs @ (broken.betas - clean.betas)
    assert 1000.0 * np.linalg.norm(moved, axis=-1).mean() < 0.5


def test_known_betas_are_kept(act):
    betas = act.known_betas() + 0.3
    model = keypoint_model(NAMES)
    found = _refined(model, _targets(act), betas, hold_betas=True)
    np.testing.assert_allclose(found.betas, betas, atol=1e-6)


@pytest.mark.parametrize("shares", [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)], ids=str)
def test_points_tell_to_which_share_hips_and_knees_follow_the_bone(act, shares):
    model = layout_model(BODY25, body_model(), None)
    shaped = model.with_shares(shares).shaped(act.betas)
    points = shaped.points(act.rotations, act.trans)[::3]
    targets = Targets(points, np.ones(points.shape[:2], dtype=np.float32))
    state = ShapeState(NAMES, model, targets, act.betas, 1e-4, TRUST, SHIPPED_PREDICTOR)
    for _ in state.refine(Quality.shape_rounds, hold_betas=True):
        pass
    assert np.abs(state.shares - shares).max() < 0.2
    ends = [state.model.shaped(act.betas).points(act.rotations, act.trans), shaped.points(act.rotations, act.trans)]
    assert 1000.0 * np.abs(ends[0] - ends[1]).max() < 20.0


def test_keypoint_offsets_are_estimated(act):
    names = NAMES
    offsets = np.zeros((len(names), 3))
    for side in ("left", "right"):
        offsets[names.index(f"{side}_shoulder")] = [0.0, -0.04, 0.0]
        offsets[names.index(f"{side}_hip")] = [0.03 if side == "left" else -0.03, 0.0, 0.0]
    trust = np.where(offsets.any(axis=1), 0.6, 1.0)
    model: KeypointModel = keypoint_model(names)
    moved = model.shifted(offsets.astype(np.float32)).shaped(act.betas)
    points = moved.points(act.rotations[::2], act.trans[::2])
    targets = Targets(points, np.ones(points.shape[:2], dtype=np.float32))
    found = _refined(model, targets, act.known_betas(), trust=trust, hold_betas=True)
    rest = to_numpy(found.model.rest(act.betas)) - to_numpy(model.rest(act.betas))
    shoulders = [names.index(f"{side}_shoulder") for side in ("left", "right")]
    assert (rest[shoulders, 1] < -0.02).all()
    assert np.linalg.norm((rest - offsets)[offsets.any(axis=1)], axis=-1).mean() < 0.02


@pytest.mark.parametrize("count", [1, 3, 10])
def test_few_betas_are_padded(count):
    betas = known_betas(np.arange(1, count + 1), body_model().data)
    np.testing.assert_array_equal(betas, [*range(1, count + 1), *[0] * (10 - count)])
    assert betas.dtype == np.float64


def test_extra_betas_are_cut_only_if_they_are_zero():
    np.testing.assert_array_equal(known_betas(np.array([1.0] * 10 + [0.0] * 6), body_model().data), np.ones(10))
    with pytest.raises(BodyError, match="expected 10 betas for body 'free_body', got 16"):
        known_betas(np.array([1.0] * 10 + [0.0] * 5 + [1e-3]), body_model().data)


@pytest.mark.parametrize(("size", "is_reported"), [(0.55, True), (1.0, False), (1.3, True)])
def test_children_and_tall_people_keep_their_stature(walk, size, is_reported):
    small = replace(walk, betas=np.zeros(10, dtype=np.float32))
    track = small.track()
    scaled = replace(track, positions=track.positions * size)
    _, report = fit_track(scaled, body_model().data)
    stature = size * np.ptp(body_model().data.v_template[:, 1])
    assert report.stature_m == pytest.approx(stature, rel=0.08)
    assert report.mean_error_mm < 4.0
    assert any("stretched" in note for note in report.notes) == is_reported
