"""Values that are not seen: bridged in short gaps, relaxed in long ones, without a jump."""

from __future__ import annotations

import numpy as np
import pytest

from core.fit.hands.over_time import fill_gaps

FPS = 30.0
RELAXED = np.array([[0.2]])


def _gap(first: int, last: int, num_frames: int = 100) -> tuple[np.ndarray, np.ndarray]:
    values = np.linspace(1.0, 2.0, num_frames)[None]
    known = np.ones((1, num_frames), dtype=bool)
    known[:, first:last] = False
    return np.where(known, values, 99.0), known


def test_known_values_are_kept():
    values, known = _gap(30, 80)
    filled, _ = fill_gaps(values, known, RELAXED, FPS)
    np.testing.assert_array_equal(filled[known], values[known])


def test_a_short_gap_is_bridged():
    values, known = _gap(30, 40)
    filled, relaxed = fill_gaps(values, known, RELAXED, FPS)
    assert not relaxed.any()
    assert (np.diff(filled[0, 29:41]) > 0).all()
    assert np.abs(np.diff(filled)).max() < 0.03


def test_a_long_gap_relaxes_and_comes_back():
    values, known = _gap(30, 80)
    filled, relaxed = fill_gaps(values, known, RELAXED, FPS)
    np.testing.assert_array_equal(relaxed, ~known)
    np.testing.assert_allclose(filled[0, 45:65], 0.2)
    assert np.abs(np.diff(filled)).max() < 0.2


@pytest.mark.parametrize(("first", "last", "still"), [(0, 40, slice(0, 25)), (60, 100, slice(75, 100))])
def test_an_end_of_the_clip_is_relaxed(first, last, still):
    values, known = _gap(first, last)
    filled, relaxed = fill_gaps(values, known, RELAXED, FPS)
    np.testing.assert_array_equal(relaxed, ~known)
    np.testing.assert_allclose(filled[0, still], 0.2)


def test_what_is_never_seen_is_relaxed():
    values, known = _gap(0, 100)
    filled, relaxed = fill_gaps(values, known, RELAXED, FPS)
    np.testing.assert_allclose(filled, 0.2)
    assert relaxed.all()
