"""Fingers frame by frame: near those of the clip, from what came before alone, held and then relaxed when hidden."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.errors import SkeletonError
from core.fingers import RELAXED_HANDS
from core.fit import FitStream
from core.fit.frame_by_frame.live_hands import HandStream, LiveHandPose
from core.fit.hands.fit import wrist_frames
from core.fit.hands.skeleton import rest_joints
from core.layouts import LAYOUTS
from core.math.rotations import matrix_to_axis_angle
from training.evaluation.hand_conditions import noise
from training.evaluation.hand_metrics import finger_errors_deg, hand_body, layout_points, track_of

from .scenes import moving

pytestmark = pytest.mark.slow

LAYOUT = LAYOUTS["wholebody133"]
LEFT = [column for name, column in LAYOUT.finger_index.items() if name.startswith("left")]


def _points(noise_m: float) -> np.ndarray:
    return noise(noise_m)(layout_points(moving(), LAYOUT), LAYOUT, np.random.default_rng(0))


def _pushed(points: np.ndarray) -> list[LiveHandPose]:
    track = track_of(points, LAYOUT, moving().fps)
    body, hands = FitStream(LAYOUT, track.fps, load_free_body()), HandStream(LAYOUT, track.fps, hand_body().data)
    found = []
    for positions, confidence in zip(track.positions, track.confidence, strict=True):
        found.append(hands.push(positions, confidence, body.push(positions, confidence)))
    return found


@cache
def _unspoilt(noise_m: float) -> list[LiveHandPose]:
    """The whole clip with this noise; tests only look at it."""
    return _pushed(_points(noise_m))


def _fingers(poses: list[LiveHandPose]) -> np.ndarray:
    """Axis-angle (F, 2, 15, 3) of the finger joints."""
    rotations = np.stack([pose.rotations[22:] for pose in poses]).reshape(len(poses), 2, 15, 3, 3)
    return matrix_to_axis_angle(rotations)


def _errors_deg(poses: list[LiveHandPose]) -> np.ndarray:
    rotations = np.stack([pose.rotations for pose in poses]).astype(np.float64)
    fitted = replace(moving(), poses=matrix_to_axis_angle(rotations).reshape(len(poses), -1))
    return finger_errors_deg(moving(), fitted)


@pytest.mark.parametrize(("noise_m", "most_deg"), [(0.0, 4.0), (0.003, 8.0)])
def test_fingers_are_right_from_the_first_frames(noise_m, most_deg):
    poses = _unspoilt(noise_m)
    errors = _errors_deg(poses)
    assert errors[:15].mean() < most_deg + 1.0
    assert errors.mean() < most_deg
    assert all(pose.seen.all() and not pose.implausible.any() and not pose.swapped for pose in poses)


def test_later_frames_do_not_change_earlier_ones():
    other = _points(0.003)[:80].copy()
    other[60:, LEFT] += 0.3
    np.testing.assert_array_equal(_fingers(_unspoilt(0.003)[:60]), _fingers(_pushed(other)[:60]))


def test_a_hidden_hand_stays_and_then_relaxes():
    points = _points(0.0)
    points[40:120, LEFT] = np.nan
    poses = _pushed(points)
    fingers = _fingers(poses)
    held, relaxed = round(0.4 * moving().fps), round(0.8 * moving().fps)
    np.testing.assert_allclose(fingers[40 + held - 8, 0], fingers[40 + 8, 0], atol=1e-6)
    off = np.rad2deg(np.abs(fingers[40 + relaxed + 4 : 120, 0] - RELAXED_HANDS[0]))
    assert off.max() < 8.0
    assert not any(pose.seen[0] for pose in poses[50:120])
    assert all(pose.seen[1] for pose in poses)
    steps = np.rad2deg(np.abs(np.diff(fingers[:, 0], axis=0)))
    assert steps[118:].max() < 25.0
    assert _errors_deg(poses)[-12:].mean() < 5.0


def test_hands_that_are_swapped_or_away_are_reported():
    points = _points(0.0)
    swapped = points.copy()
    right = [column for name, column in LAYOUT.finger_index.items() if name.startswith("right")]
    swapped[30:40, LEFT], swapped[30:40, right] = points[30:40, right], points[30:40, LEFT]
    poses = _pushed(swapped[:50])
    assert [pose.swapped for pose in poses] == [30 <= frame < 40 for frame in range(50)]
    points[30:40, LEFT] += 0.5
    poses = _pushed(points[:50])
    assert [bool(pose.implausible[0]) for pose in poses] == [30 <= frame < 40 for frame in range(50)]


@pytest.mark.parametrize("off_m", [0.3, 0.5])
def test_a_hand_that_is_elsewhere_does_not_take_its_arm_along(off_m):
    points = _points(0.0)
    points[30:45, LEFT] += off_m
    track = track_of(points[:50], LAYOUT, moving().fps)
    stream = FitStream(LAYOUT, track.fps, load_free_body())
    poses = [stream.push(*frame) for frame in zip(track.positions, track.confidence, strict=True)]
    rest = rest_joints(hand_body().data, poses[-1].betas)
    rotations, trans = (np.stack([getattr(pose, name) for pose in poses]) for name in ("rotations", "trans"))
    wrists = wrist_frames(rotations, trans, rest)[0]
    true = layout_points(moving(), LAYOUT)[:50, [LAYOUT.solver_index[f"{side}_wrist"] for side in ("left", "right")]]
    assert np.linalg.norm(wrists - true, axis=-1)[25:].max() < 0.03


def test_a_body_without_fingers_is_refused():
    with pytest.raises(SkeletonError, match="finger joints"):
        HandStream(LAYOUT, 30.0, load_free_body())
