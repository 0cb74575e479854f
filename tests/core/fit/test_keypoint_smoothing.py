"""Measured noise against known noise; gaps and jumps against the truth."""

from __future__ import annotations

import numpy as np
import pytest

from core.fit.temporal import keypoint_smoothing
from core.fit.temporal.keypoint_smoothing import find_spikes, measure_noise, smooth_points

FPS = 30.0


def _curves(num_frames: int, num_points: int = 6, seed: int = 0, speed: float = 1.0) -> np.ndarray:
    """Return smooth paths (F, K, 3) at body scale: tenths of a metre at about one cycle per second."""
    generator = np.random.default_rng(seed)
    times = np.arange(num_frames)[:, None, None] / FPS
    rate = speed * generator.uniform(0.4, 1.0, (num_points, 3))
    return 0.25 * np.sin(2 * np.pi * (rate * times + generator.random((num_points, 3)))) + generator.normal(
        size=(num_points, 3)
    )


@pytest.mark.parametrize("noise_m", [0.003, 0.01, 0.02])
def test_noise_is_measured(noise_m):
    points = _curves(300)
    noisy = points + noise_m * np.random.default_rng(1).normal(size=points.shape)
    measured = measure_noise(noisy, np.ones(points.shape[:2], dtype=bool))
    assert np.median(measured) == pytest.approx(noise_m, rel=0.15)
    np.testing.assert_allclose(measured, noise_m, rtol=0.4)


def test_clean_motion_has_no_noise():
    measured = measure_noise(_curves(200), np.ones((200, 6), dtype=bool))
    assert (measured < 5e-4).all()


def test_rarely_seen_points_get_the_noise_of_the_others():
    points = _curves(200) + 0.01 * np.random.default_rng(1).normal(size=(200, 6, 3))
    seen = np.ones((200, 6), dtype=bool)
    seen[:, 1] = False
    seen[::3, 2] = False
    seen[:, 3] = np.arange(200) % 6 < 5
    measured = measure_noise(np.where(seen[..., None], points, 0.0), seen)
    usual = np.median(measured[[0, 3, 4, 5]])
    np.testing.assert_allclose(measured[[1, 2]], usual)
    assert measured[3] == pytest.approx(0.01, rel=0.4)


def test_a_track_too_short_to_measure_gets_the_default_noise():
    for num_frames in (1, 2, 4):
        noise = measure_noise(_curves(num_frames), np.ones((num_frames, 6), dtype=bool))
        np.testing.assert_allclose(noise, 0.008)


@pytest.mark.parametrize("num_frames", [5, 6, 8])
def test_points_of_a_few_frames_are_pooled(num_frames):
    points = _curves(num_frames, num_points=25)
    seen = np.ones(points.shape[:2], dtype=bool)
    assert (measure_noise(points, seen) < 1e-3).all()
    noisy = points + 0.01 * np.random.default_rng(3).normal(size=points.shape)
    measured = measure_noise(noisy, seen)
    assert np.ptp(measured) == 0.0
    assert measured[0] == pytest.approx(0.01, rel=0.5)


@pytest.mark.parametrize("num_frames", [3, 4])
def test_tracks_too_short_to_measure_are_not_smoothed(num_frames):
    points = _curves(num_frames) + 0.02 * np.random.default_rng(3).normal(size=(num_frames, 6, 3))
    smoothed = smooth_points(points, np.ones((num_frames, 6)), FPS)
    assert np.abs(smoothed.positions - points).max() < 1e-3


@pytest.mark.parametrize("every", [4, 10, 30])
def test_motion_at_a_low_frame_rate_is_not_measured_as_noise(every):
    points = _curves(1200, num_points=10)[::every]
    smoothed = smooth_points(points, np.ones(points.shape[:2]), FPS / every)
    assert np.abs(smoothed.positions - points).max() < 1e-3
    np.testing.assert_allclose(smoothed.noise_m, 0.008)
    assert not smoothed.jumps.any()


def test_smoothing_removes_noise_and_keeps_the_motion():
    points = _curves(240)
    noisy = points + 0.01 * np.random.default_rng(2).normal(size=points.shape)
    smoothed = smooth_points(noisy, np.ones(points.shape[:2]), FPS)
    before, after = (np.sqrt(((path - points) ** 2).mean()) for path in (noisy, smoothed.positions))
    assert after < 0.6 * before
    assert not smoothed.jumps.any()
    np.testing.assert_array_equal(smoothed.distance, 0)
    np.testing.assert_array_equal(smoothed.gap, 0)


def test_clean_points_do_not_move():
    points = _curves(120)
    smoothed = smooth_points(points, np.ones(points.shape[:2]), FPS)
    assert np.abs(smoothed.positions - points).max() < 2e-4


def test_strength_scales_the_smoothing():
    points = _curves(90) + 0.01 * np.random.default_rng(2).normal(size=(90, 6, 3))
    weights = np.ones((90, 6))
    weights[40:44, 0] = 0.0
    full, half, none = (smooth_points(points, weights, FPS, strength=share) for share in (1.0, 0.5, 0.0))
    seen = weights > 0
    np.testing.assert_array_equal(none.positions[seen], points[seen])
    np.testing.assert_allclose(half.positions[seen], 0.5 * (points + full.positions)[seen], atol=1e-12)
    np.testing.assert_allclose(none.positions[~seen], full.positions[~seen], atol=1e-12)


def test_short_gaps_are_bridged():
    points = _curves(120)
    weights = np.ones((120, 6))
    weights[50:58, 2] = 0.0
    holes = np.where(weights[..., None] > 0, points, np.nan)
    smoothed = smooth_points(holes, weights, FPS)
    assert np.abs(smoothed.positions[50:58, 2] - points[50:58, 2]).max() < 0.01
    assert smoothed.distance[50:58, 2].tolist() == [1, 2, 3, 4, 4, 3, 2, 1]
    assert smoothed.gap[48:60, 2].tolist() == [0, 0, *[8] * 8, 0, 0]


def test_gaps_and_distances_equal_a_direct_search():
    generator = np.random.default_rng(4)
    seen = generator.random((40, 5)) < 0.3
    seen[:, 4] = False
    distance, gap = keypoint_smoothing._gaps(seen)
    for point in range(5):
        places = np.flatnonzero(seen[:, point])
        for frame in range(40):
            nearest = min((abs(place - frame) for place in places), default=np.inf)
            before, after = places[places <= frame], places[places >= frame]
            length = np.inf if not len(before) or not len(after) else max(after[0] - before[-1] - 1, 0)
            assert (distance[frame, point], gap[frame, point]) == (nearest, length)


@pytest.mark.parametrize("num_frames", [1, 2, 3, 6, 40])
def test_a_point_seen_once_stands_still(num_frames):
    points = np.full((num_frames, 2, 3), np.nan)
    weights = np.zeros((num_frames, 2))
    points[num_frames // 2, 0], weights[num_frames // 2, 0] = (0.4, 1.1, -2.0), 1.0
    smoothed = smooth_points(points, weights, FPS)
    np.testing.assert_allclose(smoothed.positions[:, 0], np.tile([0.4, 1.1, -2.0], (num_frames, 1)), atol=1e-9)
    np.testing.assert_array_equal(smoothed.positions[:, 1], 0.0)
    assert np.isinf(smoothed.distance[:, 1]).all()


def test_a_gap_in_one_of_two_frames_is_filled_from_the_other():
    points = _curves(2)
    weights = np.ones((2, 6))
    weights[1, 3] = 0.0
    smoothed = smooth_points(np.where(weights[..., None] > 0, points, np.nan), weights, FPS)
    seen = weights > 0
    np.testing.assert_allclose(smoothed.positions[seen], points[seen], atol=1e-12)
    np.testing.assert_allclose(smoothed.positions[1, 3], points[0, 3], atol=1e-12)


@pytest.mark.parametrize("frames", [[0], [31], [59], [30, 31], [12, 40]])
@pytest.mark.parametrize("noise_m", [0.0, 0.01])
def test_jumps_are_rejected(frames, noise_m):
    points = _curves(60) + noise_m * np.random.default_rng(6).normal(size=(60, 6, 3))
    jumping = points.copy()
    jumping[frames, 2] += [0.6, -0.8, 0.0]
    weights = np.ones((60, 6))
    smoothed, undisturbed = (smooth_points(path, weights, FPS) for path in (jumping, points))
    expected = np.zeros((60, 6), dtype=bool)
    expected[frames, 2] = True
    np.testing.assert_array_equal(smoothed.jumps, expected)
    off = np.linalg.norm(smoothed.positions - undisturbed.positions, axis=-1)
    inside = [frame for frame in frames if 0 < frame < 59]
    if inside:
        assert off[inside, 2].max() < (0.01 if noise_m == 0.0 else 0.03)
    off[frames, 2] = 0.0
    assert off.max() < (0.005 if noise_m == 0.0 else 0.02)


@pytest.mark.parametrize(
    ("rate_hz", "fps"), [(1.0, 10.0), (1.0, 15.0), (2.0, 15.0), (1.0, 30.0), (3.0, 30.0), (4.0, 120.0)]
)
def test_fast_motion_is_not_a_jump(rate_hz, fps):
    times = np.arange(90) / fps
    waving = np.stack([0.3 * np.sin(2 * np.pi * rate_hz * times), 1.5 * times, 0.0 * times], axis=-1)[:, None]
    smoothed = smooth_points(waving, np.ones((90, 1)), fps)
    assert not smoothed.jumps.any()


def test_a_sudden_start_is_not_a_jump():
    path = np.cumsum(np.minimum(np.maximum(np.arange(40) - 20, 0), 4))[:, None, None] * np.array([0.03, 0.0, 0.0])
    assert not find_spikes(path, np.ones((40, 1), dtype=bool)).any()
    for end in range(21, 30):
        assert not find_spikes(path[:end], np.ones((end, 1), dtype=bool)).any()


def test_a_new_position_after_a_gap_is_not_a_jump():
    path = np.zeros((40, 1, 3))
    path[25:] = 2.0
    seen = np.ones((40, 1), dtype=bool)
    seen[12:25] = False
    for end in range(26, 41):
        spikes = find_spikes(np.where(seen[..., None], path, 0.0)[:end], seen[:end])
        assert not spikes.any()
