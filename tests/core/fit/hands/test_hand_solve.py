"""The angles of fingers from points in known poses: closed form, steps, limits, missing and wrong points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.fit.hands.limits import angle_limits
from core.fit.hands.palm import finger_targets
from core.fit.hands.skeleton import ABDUCTION, END, FLEXION, MIDDLE, TWIST, angles_of, hand_points
from core.fit.hands.solve import closed_form, solve_fingers
from core.math.rotations import axis_angle_to_matrix
from training.evaluation.hand_motion import draw_hands

from .scenes import drawn_angles, hands, points_of

TRUE_SIGMA_M = 1e-4


def _targets(points: np.ndarray, weights: np.ndarray | None = None, sigma_m: float = TRUE_SIGMA_M):
    weights = np.ones(points.shape[:3]) if weights is None else weights
    return finger_targets(points, weights, hands(), sigma_m)


def _degrees(angles: np.ndarray) -> np.ndarray:
    return np.rad2deg(np.abs(angles))


def test_the_closed_form_finds_hinged_fingers_without_twist():
    angles = drawn_angles(200)
    angles[TWIST] = 0.0
    found = closed_form(_targets(points_of(angles)), angle_limits(hands()))
    for angle in (FLEXION, ABDUCTION, MIDDLE, END):
        assert _degrees(found - angles)[angle].mean() < 0.3, angle
        assert _degrees(found - angles)[angle].max() < 10.0, angle


def test_steps_find_the_twist_too():
    angles = drawn_angles(200)
    found = solve_fingers(_targets(points_of(angles)), angle_limits(hands()))
    off = np.linalg.norm(hand_points(found, hands()) - hand_points(angles, hands()), axis=-1)
    assert off.mean() < 2e-4
    assert off.max() < 3e-3
    assert _degrees(found - angles).mean() < 0.5


def test_steps_are_better_than_the_closed_form_with_noise():
    angles = drawn_angles(200, seed=3)
    points = points_of(angles)
    noisy = points + 0.005 * np.random.default_rng(0).standard_normal(points.shape)
    targets, limits = _targets(noisy, sigma_m=0.005), angle_limits(hands())
    errors = [
        _degrees(found - angles).mean() for found in (closed_form(targets, limits), solve_fingers(targets, limits))
    ]
    assert errors[1] < 0.6 * errors[0]
    assert errors[1] < 8.0


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_one_lost_point_of_a_finger_is_made_up_for(lost):
    angles = drawn_angles(100, seed=4)
    angles[TWIST] = 0.0
    points, weights = points_of(angles), np.ones((100, 2, 21))
    weights[:, :, 5 + lost] = 0.0
    points[:, :, 5 + lost] = 0.0
    found = solve_fingers(_targets(points, weights), angle_limits(hands()))
    assert _degrees(found - angles)[:, 1].mean() < 6.0
    others = [0, 2, 3, 4]
    np.testing.assert_allclose(
        found[:, others], solve_fingers(_targets(points_of(angles)), angle_limits(hands()))[:, others], atol=1e-6
    )


def test_a_finger_without_points_is_as_usual():
    weights = np.ones((3, 2, 21))
    weights[:, :, 6:9] = 0.0
    limits = angle_limits(hands())
    found = solve_fingers(_targets(points_of(drawn_angles(3)), weights), limits)
    off = _degrees(found - limits.usual)[:, 1]
    assert off[:END].max() < 3.0


def test_fingers_that_the_points_bend_backwards_stay_within_their_limits():
    angles = drawn_angles(50, seed=5)
    points = points_of(angles) * np.array([1.0, -1.0, 1.0])
    limits = angle_limits(hands())
    found = solve_fingers(_targets(points, sigma_m=0.003), limits)
    beyond = np.maximum(found - limits.highest, limits.lowest - found)
    assert np.rad2deg(beyond.max()) < 12.0


def test_one_far_point_does_not_bend_the_finger():
    angles = np.zeros((5, 5, 2, 1)) + np.deg2rad(20.0)
    angles[ABDUCTION : TWIST + 1] = 0.0
    points = points_of(angles)
    points[:, :, 8] += [0.0, 0.3, 0.3]
    found = solve_fingers(_targets(points, sigma_m=0.003), angle_limits(hands()))
    assert _degrees(found - angles)[[FLEXION, MIDDLE], 1].max() < 8.0


@pytest.mark.parametrize("factor", [0.94, 1.0, 1.06])
def test_a_tip_alone_bends_a_finger_whose_length_is_another(factor):
    rotations = axis_angle_to_matrix(draw_hands(np.random.default_rng(5), 200, 30.0, hands()))
    angles = angles_of(rotations, hands())
    targets = _targets(points_of(angles))
    only_tips = np.zeros_like(targets.weights)
    only_tips[2] = 1.0
    targets = replace(targets, points=factor * targets.points, weights=only_tips, sigma_m=0.001)
    off = _degrees(solve_fingers(targets, angle_limits(hands())) - angles)[[FLEXION, MIDDLE, END], 1:]
    assert off.mean() < (4.5 if factor == 1.0 else 10.0)
