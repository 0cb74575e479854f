"""A hidden foot that stands at the same place before and after the gap is held there."""

from __future__ import annotations

import numpy as np
import pytest

from core.fit.temporal.planted_feet import hold_still_feet

FPS = 30.0
NAMES = ("left_ankle", "left_wrist")
GAP = slice(20, 60)


def _standing(num_frames: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Return an ankle and a wrist that stand still, except while they are hidden."""
    positions = np.tile(np.array([[0.1, 0.08, 0.2], [0.3, 0.9, 0.1]]), (num_frames, 1, 1))
    positions[GAP] += 0.4
    seen = np.ones((num_frames, 2), dtype=bool)
    seen[GAP] = False
    return positions, seen


def test_a_planted_ankle_is_held_but_not_a_wrist():
    positions, seen = _standing()
    positions[60:, 0, 0] += 0.02
    before = positions.copy()
    held, stays = hold_still_feet(NAMES, positions, seen, FPS)
    np.testing.assert_array_equal(stays[:, 0], ~seen[:, 0])
    np.testing.assert_allclose(held[GAP, 0, 1:], [[0.08, 0.2]] * 40)
    assert np.all(np.diff(held[19:61, 0, 0]) > 0.0)
    np.testing.assert_array_equal(held[:, 1], positions[:, 1])
    assert not stays[:, 1].any()
    np.testing.assert_array_equal(positions, before)


@pytest.mark.parametrize("case", ["a step", "still coming down", "already leaving", "never back", "not there before"])
def test_a_foot_that_may_have_moved_is_not_held(case: str):
    positions, seen = _standing()
    way = np.linspace(0.03, 0.0, 4)[:, None] * [0.0, 1.0, 0.0]
    if case == "a step":
        positions[60:, 0, 2] += 0.1
    elif case == "still coming down":
        positions[16:20, 0] += way
    elif case == "already leaving":
        positions[60:64, 0] += way[::-1]
    elif case == "never back":
        seen[60:] = False
    else:
        seen[:20] = False
    held, stays = hold_still_feet(NAMES, positions, seen, FPS)
    np.testing.assert_array_equal(held, positions)
    assert not stays.any()
