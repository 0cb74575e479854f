"""What is given to a stream is checked: its own errors, and nothing is remembered of a refused frame."""

from __future__ import annotations

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.errors import FitOptionError, TrackError
from core.fit import FitOptions, FitStream

from .scenes import Scene

BODY = load_free_body()


@pytest.fixture(scope="module")
def frame(walk: Scene):
    """Return a track, and positions and confidence of one frame."""
    track = walk[:2].track()
    return track, track.positions[0], track.confidence[0]


def _stream(track) -> FitStream:
    return FitStream(track.layout, track.fps, BODY, FitOptions(quality="fast"))


@pytest.mark.parametrize(
    "change",
    [
        lambda points, trust: (None, trust),
        lambda points, trust: (points, None),
        lambda points, trust: ("points", trust),
        lambda points, trust: ([[1.0, 2.0, 3.0], [4.0]], trust),
        lambda points, trust: ([[10**400] * 3] * len(points), trust),
        lambda points, trust: (points[:-1], trust),
        lambda points, trust: (points * 1e30, trust),
        lambda points, trust: (points * 1e9, trust),
        lambda points, trust: (points * 1e3, trust),
        lambda points, trust: (points * 1e-3, trust),
        lambda points, trust: (np.zeros_like(points), trust),
    ],
)
def test_frames_that_are_no_persons_in_metres_are_errors_and_forgotten(frame, change):
    track, points, trust = frame
    stream, other = _stream(track), _stream(track)
    with pytest.raises(TrackError, match="expected"):
        stream.push(*change(points, trust))
    np.testing.assert_array_equal(stream.push(points, trust).rotations, other.push(points, trust).rotations)


def test_absurd_points_are_an_error_in_later_frames_too(frame):
    track, points, trust = frame
    stream = _stream(track)
    stream.push(points, trust)
    with pytest.raises(TrackError, match="metres"):
        stream.push(points * 1e30, trust)


def test_lists_are_arrays(frame):
    track, points, trust = frame
    pose = _stream(track).push(points.tolist(), trust.tolist())
    np.testing.assert_array_equal(pose.rotations, _stream(track).push(points, trust).rotations)


@pytest.mark.parametrize("fps", [0, -30.0, float("nan"), 1e9, None, "60"])
def test_a_frame_rate_that_is_none_is_refused_at_once(frame, fps):
    with pytest.raises(FitOptionError, match="frame rate above 0"):
        FitStream(frame[0].layout, fps, BODY)


@pytest.mark.parametrize("layout", ["body25", None])
def test_a_layout_is_not_its_name(layout):
    with pytest.raises(FitOptionError, match="expected a Layout"):
        FitStream(layout, 60.0, BODY)
