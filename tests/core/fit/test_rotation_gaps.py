"""Gaps are filled from the rest of the body and from time; a periodic swing and a straight line are the references."""

from __future__ import annotations

import numpy as np

from core.fit.temporal.rotation_gaps import fill_gap

FPS = 30.0


def _without(num_frames: int, gap: slice) -> np.ndarray:
    known = np.ones(num_frames, dtype=bool)
    known[gap] = False
    return known


def _walk(num_frames: int, fps: float = FPS) -> tuple[np.ndarray, np.ndarray]:
    """Return a leg (F, 1) that swings once in 1.1 s, and the other leg with the arms (F, 3)."""
    phase = 2.0 * np.pi * np.arange(num_frames)[:, None] / (1.1 * fps)
    return 0.5 * np.sin(phase), np.concatenate([np.sin(phase + 3.0), np.cos(phase + 1.0), np.sin(2.0 * phase)], axis=1)


def test_a_short_gap_keeps_the_speed_of_its_ends():
    leg, _ = _walk(60)
    gap = slice(25, 31)
    filled = fill_gap(leg, _without(60, gap), gap, FPS)
    assert np.abs(filled - leg[gap]).max() < 0.03
    straight = np.interp(np.arange(25, 31), [24, 31], leg[[24, 31], 0])
    assert np.abs(straight - leg[gap, 0]).max() > 0.08


def test_a_hidden_leg_keeps_walking_with_the_rest_of_the_body():
    leg, body = _walk(200)
    gap = slice(80, 125)
    known = _without(200, gap)
    with_body = fill_gap(leg, known, gap, FPS, features=lambda frames: body[frames])
    assert np.abs(with_body - leg[gap]).max() < 0.1
    assert np.abs(fill_gap(leg, known, gap, FPS) - leg[gap]).max() > 0.3


def test_constant_values_stay_constant():
    values = np.tile([[0.3, -2.0]], (50, 1))
    gap = slice(20, 45)
    still = np.zeros((50, 4))
    for features in (None, lambda frames: still[frames]):
        np.testing.assert_allclose(fill_gap(values, _without(50, gap), gap, FPS, features=features), values[gap])


def test_a_gap_at_an_end_returns_to_the_mean_and_stays_bounded():
    leg, body = _walk(150)
    fast = leg + 0.02 * np.arange(150)[:, None]
    gap = slice(60, 150)
    for features in (None, lambda frames: body[frames]):
        filled = fill_gap(fast, _without(150, gap), gap, FPS, features=features)
        assert abs(float(filled[0, 0] - fast[59, 0])) < 0.2
        assert fast[:60].min() - 0.1 < filled.min() and filled.max() < fast[:60].max() + 0.1
        assert np.abs(np.diff(filled[:, 0])).max() < 1.5 * np.abs(np.diff(fast[:60, 0])).max()


def test_a_linear_trend_crosses_a_gap_in_a_straight_line():
    line = np.arange(90.0)[:, None] * [0.04, 0.0, -0.01] + [1.0, 2.0, 3.0]
    gap = slice(30, 60)
    np.testing.assert_allclose(fill_gap(line, _without(90, gap), gap, FPS, moves_on=True), line[gap], atol=1e-9)


def test_one_known_frame_is_enough():
    values = np.arange(6.0)[:, None]
    known = np.array([False, False, True, False, False, False])
    np.testing.assert_allclose(fill_gap(values, known, slice(3, 6), FPS), 2.0)
    np.testing.assert_allclose(fill_gap(values, known, slice(3, 6), FPS, moves_on=True), 2.0)


def test_frame_rate_and_clip_length_matter_little():
    slow_leg, slow_body = _walk(300)
    fast_leg, fast_body = _walk(4800, 120.0)
    slow = fill_gap(slow_leg, _without(300, slice(100, 130)), slice(100, 130), 30.0, features=lambda at: slow_body[at])
    gap = slice(400, 520)
    fast = fill_gap(fast_leg, _without(4800, gap), gap, 120.0, features=lambda at: fast_body[at])
    np.testing.assert_allclose(fast[::4], slow, atol=0.03)
