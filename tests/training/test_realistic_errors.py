"""Statistics of the errors: size, correlation in time, constancy in the segments' axes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from core.body.model import world_rotations
from core.math.rotations import axis_angle_to_matrix
from training.evaluation.realistic_errors import (
    MIXED_ERRORS,
    ErrorModel,
    add_errors,
    add_outlier_run,
    constant_errors,
    hide_points,
    smooth_errors,
    swap_points,
)

FPS = 30.0


def turning(frames: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(0.0, 0.8, (frames, 24, 3))
    return np.asarray(axis_angle_to_matrix(vectors))


@pytest.mark.parametrize("tau_s", [0.1, 0.3])
def test_smooth_errors_have_the_given_size_and_correlation_time(tau_s: float) -> None:
    errors = smooth_errors((4000, 30, 3), FPS, np.random.default_rng(1), std_m=0.010, tau_s=tau_s)
    assert errors.std() == pytest.approx(0.010, rel=0.02)
    for seconds in (tau_s, np.sqrt(2.0) * tau_s):
        lag = round(seconds * FPS)
        found = (errors[lag:] * errors[:-lag]).mean() / errors.var()
        assert found == pytest.approx(np.exp(-0.5 * (lag / FPS / tau_s) ** 2), abs=0.03)


def test_smooth_errors_are_as_large_at_the_ends_as_in_the_middle() -> None:
    errors = smooth_errors((20, 4000, 3), FPS, np.random.default_rng(2), std_m=0.010, tau_s=0.3)
    np.testing.assert_allclose(errors.std(axis=(1, 2)), 0.010, rtol=0.05)


def test_smooth_errors_agree_with_scipys_gaussian_filter() -> None:
    spread = 0.2 * FPS / np.sqrt(2.0)
    errors = smooth_errors((50, 2, 3), FPS, np.random.default_rng(3), std_m=1.0, tau_s=0.2)
    reach = int(np.ceil(4.0 * spread))
    white = np.random.default_rng(3).normal(0.0, 1.0, (50 + 2 * reach, 2, 3))
    expected = gaussian_filter1d(white, spread, axis=0, mode="constant", radius=reach)[reach:-reach]
    np.testing.assert_allclose(errors / errors.std(), expected / expected.std(), atol=1e-9)


def test_without_a_correlation_time_the_noise_is_white() -> None:
    errors = smooth_errors((4000, 30, 3), FPS, np.random.default_rng(1), std_m=0.010, tau_s=0.0)
    assert errors.std() == pytest.approx(0.010, rel=0.02)
    assert abs((errors[1:] * errors[:-1]).mean() / errors.var()) < 0.02


def test_constant_errors_rotate_with_their_segment() -> None:
    rotations, holders = turning(12), [0, 4, 4, 18]
    errors = constant_errors(rotations, holders, np.random.default_rng(4), std_m=0.010)
    segments = world_rotations(rotations)[:, holders]
    own = np.einsum("fkji,fkj->fki", segments, errors)
    np.testing.assert_allclose(own, np.broadcast_to(own[0], own.shape), atol=1e-12)
    assert np.linalg.norm(errors - errors[0], axis=-1)[1:].min() > 1e-4, "in the room they turn"
    assert not np.allclose(own[0, 1], own[0, 2]), "each point has its own offset"


def test_constant_errors_have_the_given_size() -> None:
    errors = constant_errors(turning(1), [5] * 20_000, np.random.default_rng(5), std_m=0.005)
    np.testing.assert_allclose(errors.std(axis=(0, 1)), 0.005, rtol=0.03)


def test_parts_add_up() -> None:
    frames, count = 300, 400
    points = np.full((frames, count, 3), 2.0)
    points[7, 3] = np.nan
    moved = add_errors(points, turning(frames), [7] * count, FPS, np.random.default_rng(6))
    expected = np.sqrt(MIXED_ERRORS.constant_m**2 + MIXED_ERRORS.smooth_m**2 + MIXED_ERRORS.white_m**2)
    assert np.nanstd(moved - points) == pytest.approx(expected, rel=0.03)
    assert np.isnan(moved[7, 3]).all() and np.isnan(moved).sum() == 3
    again = add_errors(points, turning(frames), [7] * count, FPS, np.random.default_rng(6))
    np.testing.assert_array_equal(moved, again)
    np.testing.assert_array_equal(
        add_errors(points, turning(frames), [7] * count, FPS, np.random.default_rng(6), ErrorModel()), points
    )


def test_outlier_run_moves_one_point_only_in_its_frames() -> None:
    points = np.random.default_rng(7).normal(size=(30, 5, 3))
    moved = add_outlier_run(points, 2, slice(10, 15), 3.0, np.random.default_rng(8))
    off = np.linalg.norm(moved - points, axis=-1)
    expected = np.zeros((30, 5))
    expected[10:15, 2] = 3.0
    np.testing.assert_allclose(off, expected, atol=1e-12)


def test_points_are_hidden_and_swapped_only_in_their_frames() -> None:
    points = np.random.default_rng(9).normal(size=(8, 5, 3))
    hidden = hide_points(points, [1, 4], slice(2, 4))
    assert np.isnan(hidden[2:4][:, [1, 4]]).all() and np.isnan(hidden).sum() == 12
    traded = swap_points(points, [(0, 1), (2, 3)], slice(5, 7))
    np.testing.assert_array_equal(traded[5:7], points[5:7][:, [1, 0, 3, 2, 4]])
    np.testing.assert_array_equal(np.delete(traded, [5, 6], axis=0), np.delete(points, [5, 6], axis=0))
