"""Points as they come in: noise goes, motion stays, gaps are bridged, and nothing looks ahead."""

from __future__ import annotations

import numpy as np
import pytest

from core.fit.frame_by_frame.live_points import LivePoint, LivePoints

from .scenes import Scene

FPS = 30.0


def _run(positions: np.ndarray, noise_m: float, weights: np.ndarray | None = None, strength: float = 1.0, fps=FPS):
    weights = np.ones(positions.shape[:2]) if weights is None else weights
    live = LivePoints(positions.shape[1], fps, strength)
    noise = np.full(positions.shape[1], noise_m)
    restarted = np.zeros(positions.shape[1], dtype=bool)
    return [live.push(*frame, noise, restarted) for frame in zip(positions, weights, strict=True)]


def _positions(points: list[LivePoint]) -> np.ndarray:
    return np.stack([point.positions for point in points])


def _noisy(scene: Scene, noise_m: float) -> tuple[np.ndarray, np.ndarray]:
    """The scene's true points (F, K, 3), and the same with noise."""
    true = scene.solver_points()
    return true, true + noise_m * np.random.default_rng(3).normal(size=true.shape)


def _off(positions: np.ndarray, true: np.ndarray) -> float:
    return float(np.linalg.norm(positions - true, axis=-1)[8:].mean())


@pytest.mark.parametrize(("noise_m", "left"), [(0.005, 0.95), (0.01, 0.85), (0.02, 0.75)])
def test_noise_is_less_after_it(act, noise_m, left):
    true, noisy = _noisy(act, noise_m)
    assert _off(_positions(_run(noisy, noise_m)), true) < left * _off(noisy, true)


def test_clean_points_stay(act):
    true = act.solver_points()
    points = _run(true, 1e-4)
    assert np.abs(_positions(points) - true).max() < 1e-3


def test_a_point_that_stands_still_comes_to_rest():
    noisy = 0.01 * np.random.default_rng(1).normal(size=(90, 4, 3))
    smooth = _positions(_run(noisy, 0.01))
    assert np.linalg.norm(smooth[60:], axis=-1).mean() < 0.5 * np.linalg.norm(noisy[60:], axis=-1).mean()


def test_a_sudden_motion_is_followed():
    noisy = 0.01 * np.random.default_rng(2).normal(size=(60, 4, 3))
    noisy[30:, :, 0] += 0.1 * np.arange(30)[:, None]
    true = np.zeros((60, 4, 3))
    true[30:, :, 0] = 0.1 * np.arange(30)[:, None]
    off = np.linalg.norm(_positions(_run(noisy, 0.01)) - true, axis=-1)
    assert off[30:].max() < 0.06
    assert off[36:].mean() < 0.02


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_strength_takes_seen_points_as_they_are_or_part_of_the_way(act, strength):
    _, noisy = _noisy(act, 0.01)
    whole, part = (_positions(_run(noisy, 0.01, strength=value)) for value in (1.0, strength))
    np.testing.assert_allclose(part, noisy + strength * (whole - noisy), atol=1e-12)


def test_a_point_that_is_elsewhere_is_there_at_once():
    positions, live = np.zeros((20, 2, 3)), LivePoints(2, FPS, 1.0)
    positions[10:, 1] += [0.0, 0.0, 2.0]
    noise, none = np.full(2, 0.01), np.zeros(2, dtype=bool)
    for frame in range(10):
        live.push(positions[frame], np.ones(2), noise, none)
    there = [live.push(positions[frame], np.ones(2), noise, none | (frame == 10)) for frame in range(10, 20)]
    np.testing.assert_allclose(_positions(there), positions[10:], atol=1e-9)


def test_a_gap_is_bridged_for_a_moment_then_counts_for_nothing():
    positions = np.zeros((40, 2, 3))
    positions[:, 0, 1] = 0.01 * np.arange(40)
    weights = np.ones((40, 2))
    weights[20:30, 0] = 0.0
    positions[20:30, 0] = np.nan
    points = _run(positions, 1e-4, weights)
    counted = np.stack([point.weights for point in points])[:, 0]
    assert np.isfinite(_positions(points)).all()
    np.testing.assert_allclose(_positions(points)[20:22, 0, 1], [0.2, 0.21], atol=1e-3)
    assert 0.5 > counted[20] > counted[21] > 0.0
    np.testing.assert_array_equal(counted[23:30], 0.0)
    np.testing.assert_allclose(_positions(points)[30, 0], positions[30, 0], atol=1e-6)
    assert counted[30] == 1.0


def test_points_of_slow_tracks_are_taken_as_they_are():
    positions = np.random.default_rng(5).uniform(-0.5, 0.5, (30, 3, 3))
    np.testing.assert_array_equal(_positions(_run(positions, 0.05, fps=5.0)), positions)


def test_noisier_points_count_for_less():
    live = LivePoints(3, FPS, 1.0)
    weights = live.push(np.zeros((3, 3)), np.ones(3), np.array([0.002, 0.004, 0.02]), np.zeros(3, dtype=bool)).weights
    np.testing.assert_allclose(weights, [2.0, 1.0, 0.5])
