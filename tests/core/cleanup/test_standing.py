"""Where contacts hold heels and toes: positions that fit the foot, for every stance in which both are planted."""

from __future__ import annotations

import numpy as np
import pytest

from core.cleanup.contacts import Contact
from core.cleanup.ground import Ground
from core.cleanup.standing import _flat_stances, plan_holds

FLOOR = Ground(0.0, np.zeros(2))
HEIGHTS = np.array([0.0, 0.03, 0.0, 0.03])
FOOT_M = 0.15


def _pitched_foot(pitch_deg: np.ndarray) -> np.ndarray:
    """Return contact points (F, 4, 3) of a left foot along +Z with its heel at the origin and its toe raised."""
    points = np.zeros((len(pitch_deg), 4, 3))
    pitch = np.deg2rad(pitch_deg)
    points[:, 1, 1] = FOOT_M * np.sin(pitch)
    points[:, 1, 2] = FOOT_M * np.cos(pitch)
    points[:, 2:] = [1.0, 0.0, 0.0]
    return points


def test_foot_still_coming_down_is_held_at_its_true_length():
    """The toe counts as planted while still above the floor; heel and toe of a flat foot are farther apart."""
    points = _pitched_foot(np.concatenate([np.full(10, 30.0), np.full(10, 28.0)]))
    holds = plan_holds((Contact(0, 0, 19), Contact(1, 10, 12)), points, HEIGHTS, FLOOR, 30.0)
    heel, toe = holds.target[11, 0], holds.target[11, 1]
    assert toe[1] == pytest.approx(HEIGHTS[1], abs=0.0061)
    assert np.linalg.norm(toe - heel) == pytest.approx(FOOT_M, abs=1e-9)
    np.testing.assert_allclose(toe[[0, 2]] / np.linalg.norm(toe[[0, 2]]), [0.0, 1.0], atol=1e-12)


def test_flat_stances_are_all_overlapping_heel_and_toe_contacts():
    generator = np.random.default_rng(0)
    contacts = []
    for point in range(4):
        ends = np.cumsum(generator.integers(1, 9, 40))
        contacts += [Contact(point, int(first), int(last)) for first, last in zip(ends[::2], ends[1::2], strict=True)]
    expected = [
        (first, second, slice(max(heel.first, toe.first), min(heel.last, toe.last) + 1))
        for first, heel in enumerate(contacts)
        for second, toe in enumerate(contacts)
        if heel.point in (0, 2) and toe.point == heel.point + 1
        if max(heel.first, toe.first) <= min(heel.last, toe.last)
    ]
    assert len(expected) > 30
    assert sorted(_flat_stances(contacts), key=str) == sorted(expected, key=str)
