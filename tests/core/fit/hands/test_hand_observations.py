"""Which points of a track are those of hands: columns, swapped hands, hands that are none."""

from __future__ import annotations

import numpy as np
import pytest

from core.fit.hands.observations import hand_columns, has_hands, screen_hands, to_wrist
from core.layouts import LAYOUTS
from core.track import KeypointTrack

from .scenes import drawn_angles, points_of

WRISTS = np.array([[0.4, 1.0, 0.0], [-0.4, 1.0, 0.0]])


def _in_room(num_frames: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, weights and wrists of two hands, 80 cm apart."""
    wrists = np.broadcast_to(WRISTS, (num_frames, 2, 3))
    points = points_of(drawn_angles(num_frames))
    points[:, 1] *= [-1.0, 1.0, 1.0]
    return points + wrists[:, :, None], np.ones(points.shape[:3]), wrists


def test_the_bodys_wrist_stands_in_for_that_of_the_hand():
    left, _ = hand_columns(LAYOUTS["mhr70"])
    assert left[0] == LAYOUTS["mhr70"].names.index("left_wrist")
    left, _ = hand_columns(LAYOUTS["wholebody133"])
    assert left == list(range(91, 112))
    left, _ = hand_columns(LAYOUTS["smplh52"])
    assert [left[4 * finger] for finger in range(1, 6)] == [-1] * 5


@pytest.mark.parametrize(("layout", "seen", "expected"), [
    ("body25", 25, False), ("body25_hands", 25, False), ("body25_hands", 27, False), ("body25_hands", 67, True),
])  # fmt: skip
def test_a_track_has_hands_if_points_of_fingers_are_seen(layout, seen, expected):
    positions = np.full((3, len(LAYOUTS[layout].points), 3), np.nan)
    positions[:, :seen] = 1.0
    track = KeypointTrack(positions, np.isfinite(positions).all(-1).astype(float), 30.0, LAYOUTS[layout])
    assert has_hands(track) is expected


def test_hands_at_their_wrists_are_kept():
    points, weights, wrists = _in_room()
    found = screen_hands(points, weights, wrists)
    np.testing.assert_array_equal(found.positions, points)
    np.testing.assert_array_equal(found.weights, weights)
    assert not found.swapped.any()
    assert not found.implausible.any()


def test_swapped_hands_are_put_right_and_reported():
    points, weights, wrists = _in_room()
    given = points.copy()
    given[1:3] = points[1:3, ::-1]
    found = screen_hands(given, weights, wrists)
    np.testing.assert_array_equal(found.positions, points)
    assert found.swapped.tolist() == [False, True, True, False]
    assert not found.implausible.any()


def _moved(points: np.ndarray) -> None:
    points[1:3, 0, :, 1] += 0.5


def _on_other_arm(points: np.ndarray) -> None:
    points[1:3, 0] = points[1:3, 1]


def _in_one_place(points: np.ndarray) -> None:
    points[1:3, 0] = points[1:3, 0, :1]


def _far_too_large(points: np.ndarray) -> None:
    points[1:3, 0] = WRISTS[0] + 3.0 * (points[1:3, 0] - WRISTS[0])


@pytest.mark.parametrize("break_it", [_moved, _on_other_arm, _in_one_place, _far_too_large])
def test_what_is_no_hand_at_its_wrist_is_left_out_and_reported(break_it):
    points, weights, wrists = _in_room()
    break_it(points)
    found = screen_hands(points, weights, wrists)
    assert found.implausible.tolist() == [[False, False], [True, False], [True, False], [False, False]]
    assert not found.weights[1:3, 0].any()
    assert found.weights[[0, 3]].all()
    assert found.weights[:, 1].all()


def test_a_hand_a_little_off_its_wrist_is_brought_there_and_reported():
    points, weights, wrists = _in_room()
    given = points.copy()
    given[1:3, 0, :, 1] += 0.1
    found = screen_hands(given, weights, wrists)
    np.testing.assert_allclose(found.positions, points, atol=1e-12)
    assert found.implausible[:, 0].tolist() == [False, True, True, False]
    assert found.weights.all()


def test_missing_hands_are_not_implausible():
    points, weights, wrists = _in_room()
    weights[1:3, 0] = 0.0
    points[1:3, 0] = 0.0
    found = screen_hands(points, weights, wrists)
    assert not found.implausible.any()
    assert not found.swapped.any()


def test_points_in_the_frames_of_wrists_are_those_of_left_hands():
    local = points_of(drawn_angles(3))
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    rotations = np.broadcast_to(turn, (3, 2, 3, 3))
    mirrored = local.copy()
    mirrored[:, 1] *= [-1.0, 1.0, 1.0]
    wrists = np.broadcast_to(WRISTS, (3, 2, 3))
    given = mirrored @ turn.T + wrists[:, :, None]
    np.testing.assert_allclose(to_wrist(given, wrists, rotations), local, atol=1e-12)
