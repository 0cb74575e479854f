"""Distance limits are measured on the clip, despite outliers in it."""

from __future__ import annotations

import numpy as np
import pytest

from core.fit.screening.distances import distance_limits, usual_lengths

from .scenes import acting, solver_names

NAMES = solver_names()


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return acting(200).solver_points()


def _limits(points: np.ndarray):
    return distance_limits(NAMES, points, np.ones(points.shape[:2], dtype=bool))


def _between(values: np.ndarray, first: str, second: str) -> float:
    return float(values[NAMES.index(first), NAMES.index(second)])


def test_bones_keep_their_length_and_other_points_stay_within_reach(points):
    limits = _limits(points)
    forearm = np.linalg.norm(points[0, NAMES.index("left_elbow")] - points[0, NAMES.index("left_wrist")])
    assert _between(limits.least, "left_elbow", "left_wrist") == pytest.approx(forearm - 0.06, abs=0.01)
    assert _between(limits.most, "left_elbow", "left_wrist") == pytest.approx(forearm + 0.06, abs=0.01)
    whole = _between(limits.most, "left_shoulder", "left_elbow") + _between(limits.most, "left_elbow", "left_wrist")
    assert _between(limits.most, "left_shoulder", "left_wrist") == pytest.approx(whole)
    assert _between(limits.least, "left_shoulder", "left_wrist") == 0.0
    assert limits.rigid[NAMES.index("left_elbow"), NAMES.index("left_wrist")]
    assert not limits.rigid[NAMES.index("left_shoulder"), NAMES.index("left_wrist")]
    assert 0.0 < _between(limits.least, "left_knee", "right_knee") < 0.05


def test_a_clean_clip_does_not_break_its_own_limits(points):
    assert not _limits(points).broken(points, np.ones(points.shape[:2], dtype=bool)).any()


def test_broken_limits_equal_a_direct_search(points):
    wild = points[:40] + np.random.default_rng(2).normal(0.0, 0.15, points[:40].shape)
    seen = np.random.default_rng(3).random(wild.shape[:2]) < 0.8
    limits = _limits(points)
    broken = limits.broken(wild, seen)
    apart = np.linalg.norm(wild[:, :, None] - wild[:, None], axis=-1)
    expected = ((apart > limits.most) | (apart < limits.least)) & seen[:, :, None] & seen[:, None]
    assert expected.sum() > 1000
    np.testing.assert_array_equal(broken, expected)
    assert limits.widened().broken(wild, seen).sum() < 0.5 * broken.sum()


@pytest.mark.parametrize("off_m", [0.4, 100.0, 1e9])
def test_limits_hardly_change_if_a_point_is_wrong_in_more_than_half_of_the_frames(points, off_m):
    wild = points.copy()
    direction = np.random.default_rng(4).normal(size=(110, 3))
    wild[50:160, NAMES.index("left_knee")] += off_m * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    clean, found = _limits(points), _limits(wild)
    np.testing.assert_allclose(found.most, clean.most, atol=0.03)
    np.testing.assert_allclose(found.least, clean.least, atol=0.03)


def test_limits_scale_with_the_body(points):
    small, large = _limits(0.6 * points), _limits(1.25 * points)
    hip, knee = "left_hip", "left_knee"
    middle = [0.5 * (_between(found.least, hip, knee) + _between(found.most, hip, knee)) for found in (small, large)]
    assert middle[1] / middle[0] == pytest.approx(1.25 / 0.6, rel=1e-6)


def test_usual_length_is_where_most_lengths_agree():
    positions = np.zeros((100, 2, 3))
    positions[:, 1, 0] = np.concatenate([np.full(45, 0.4), np.linspace(0.5, 3.0, 55)])
    seen = np.ones((100, 2), dtype=bool)
    length, spread = usual_lengths(positions, seen, np.array([0]), np.array([1]))
    assert length[0] == pytest.approx(0.4) and spread[0] == pytest.approx(0.0)
    length, spread = usual_lengths(positions, np.zeros_like(seen), np.array([0]), np.array([1]))
    assert np.isnan(length[0]) and np.isnan(spread[0])


def test_spread_is_the_standard_deviation_of_normal_lengths():
    positions = np.zeros((400, 2, 3))
    positions[:, 1, 0] = np.random.default_rng(1).normal(0.4, 0.02, 400)
    _, spread = usual_lengths(positions, np.ones((400, 2), dtype=bool), np.array([0]), np.array([1]))
    assert spread[0] == pytest.approx(0.02, rel=0.25)
