"""Linear extrapolation and jumps of points."""

from __future__ import annotations

import numpy as np
import pytest

from core.fit.screening.continuity import expected_places, find_jumps, usual_around


@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("num_frames", [1, 2, 3, 30])
def test_points_are_extrapolated_linearly_from_the_last_two_positions(missing, num_frames):
    generator = np.random.default_rng(1)
    positions = generator.normal(size=(num_frames, 4, 3))
    seen = generator.random((num_frames, 4)) >= missing
    expected_positions, known = expected_places(positions, seen, reach=4)
    for frame in range(num_frames):
        for point in range(4):
            before = np.flatnonzero(seen[:frame, point])
            assert known[frame, point] == (len(before) > 0 and frame - before[-1] <= 4)
            if known[frame, point]:
                near = positions[before[-1], point]
                expected = near
                if len(before) > 1 and frame - before[-2] <= 4:
                    step = (near - positions[before[-2], point]) / (before[-1] - before[-2])
                    expected = near + (frame - before[-1]) * step
                np.testing.assert_allclose(expected_positions[frame, point], expected, atol=1e-12)


def _walking_points() -> np.ndarray:
    """Return five points (40, 5, 3) that move together at walking speed."""
    return np.arange(5)[:, None] * [0.0, 0.3, 0.0] + np.arange(40)[:, None, None] * [0.05, 0.0, 0.0]


def test_a_point_jumps_where_it_leaves_its_path_and_where_it_returns():
    positions = _walking_points()
    positions[12:20, 2] += [0.0, 0.0, 0.4]
    jumped, unknown = find_jumps(positions, np.ones((40, 5), dtype=bool))
    assert np.argwhere(jumped).tolist() == [[12, 2], [20, 2]]
    assert np.flatnonzero(unknown.all(axis=1)).tolist() == [0, 40]
    assert not unknown[1:-1].any()


def test_motion_of_all_points_together_is_not_a_jump():
    positions = _walking_points()
    positions[12:] += [3.0, 0.0, 0.0]
    jumped, _ = find_jumps(positions, np.ones((40, 5), dtype=bool))
    assert not jumped.any()


def test_jumps_are_unknown_at_a_gap():
    positions = _walking_points()
    seen = np.ones((40, 5), dtype=bool)
    seen[10:15, 1] = False
    positions[15:, 1] += [0.0, 0.0, 0.4]
    jumped, unknown = find_jumps(np.where(seen[..., None], positions, 0.0), seen)
    assert not jumped.any()
    assert np.flatnonzero(unknown[1:-1, 1]).tolist() == [9, 10, 11, 12, 13, 14]


def test_part_of_a_clip_has_the_same_jumps_as_the_whole():
    positions = _walking_points() + 0.02 * np.random.default_rng(0).normal(size=(40, 5, 3))
    positions[12:20, 2] += [0.0, 0.0, 0.4]
    seen = np.ones((40, 5), dtype=bool)
    whole = find_jumps(positions, seen)
    for part in (slice(0, 14), slice(11, 21), slice(30, 40)):
        for found, all_found in zip(find_jumps(positions, seen, part), whole, strict=True):
            np.testing.assert_array_equal(found, all_found[part.start : part.stop + 1])


def test_usual_value_is_the_smaller_median_of_both_sides():
    values = np.array([1.0, 1.0, 1.0, 9.0, 5.0, 5.0, np.nan, 5.0])[:, None]
    usual = usual_around(values)[:, 0]
    assert usual[3] == 1.0 and usual[0] == 5.0 and usual[7] == 1.0
    assert usual_around(np.full((3, 1), np.nan)).tolist() == [[0.0], [0.0], [0.0]]
