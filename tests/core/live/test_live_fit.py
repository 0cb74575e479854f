"""From messages to poses, without sockets."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.body.model import BodyModel
from core.layouts import COCO17
from core.live.live_fit import LiveFit, LiveFrame, SenderClock
from core.live.messages import parse_message
from core.live.recording import LiveRecording
from core.math.rotations import axis_angle_to_matrix
from core.smpl_skeleton import SMPLH

from .senders import BODY, FINGERED, SCENE, walk

BODY_JOINTS = slice(0, 22)


def changed(message: bytes, **fields) -> bytes:
    return json.dumps({**json.loads(message), **fields}).encode()


def push(fit: LiveFit, line: bytes, arrived_s: float) -> LiveFrame | None:
    message = fit.read(line)
    return None if message is None else fit.fit(message, arrived_s)


@pytest.fixture(scope="module")
def followed() -> tuple[LiveFit, list]:
    """The walk, fitted with rubbish and other people in between."""
    fit, frames = LiveFit(BODY, FINGERED), []
    for number, message in enumerate(walk()):
        arrived_s = 100.0 + number / 30.0
        assert push(fit, b"rubbish", arrived_s) is None and "JSON" in fit.problem
        frames.append(push(fit, message, arrived_s))
        assert fit.problem == "" and push(fit, changed(message, person="another"), arrived_s) is None
    return fit, frames


def test_the_figure_follows_the_points(followed):
    fit, frames = followed
    model = BodyModel(FINGERED)
    rotations = axis_angle_to_matrix(np.stack([frame.pose for frame in frames]).reshape(-1, 52, 3))
    betas, trans = frames[-1].betas.astype(np.float32), np.stack([frame.trans for frame in frames])
    joints = model.joints(rotations.astype(np.float32), betas, trans.astype(np.float32))
    off_mm = 1e3 * np.linalg.norm(joints[12:, BODY_JOINTS] - SCENE.joints[12:, BODY_JOINTS], axis=-1)
    assert off_mm.mean() < 30.0, "the shape is being found yet"
    assert all(0.0 < frame.error_m < 0.03 for frame in frames[12:])


def test_it_counts_what_it_did_not_fit(followed):
    fit, frames = followed
    assert (fit.num_refused, fit.num_others, fit.num_late, fit.person) == (len(frames), len(frames), 0, "")


def test_a_recording_has_the_true_times(followed):
    _, frames = followed
    recording = LiveRecording(SMPLH)
    for frame in [*frames[:10], *frames[16:]]:
        recording.add(frame)
    np.testing.assert_allclose(recording.times_s, np.r_[0:10, 16:24] / 30.0, atol=1e-5)
    even = recording.motion(60.0)
    again = recording.motion(60.0, recording.as_recorded())
    np.testing.assert_array_equal(again.poses, even.poses)
    assert (even.num_frames, even.fps, even.skeleton) == (47, 60.0, SMPLH)
    np.testing.assert_allclose(even.trans[::2][[0, 9, 16, 23]], [frames[at].trans for at in (0, 9, 16, 23)], atol=1e-4)
    np.testing.assert_allclose(even.trans[26], (frames[9].trans * 3 + frames[16].trans * 4) / 7, atol=1e-4)


def test_other_points_and_rates_begin_a_new_stream(followed):
    fit, frames = followed
    for layout, fps in ((COCO17, 30.0), (COCO17, 60.0)):
        message = changed(walk(layout)[0], fps=fps, time=50.0 + fps)
        assert push(fit, message, 200.0 + fps) is not None, fit.problem
    assert fit.layout == COCO17.title and frames[0].fps == 30.0


def test_points_that_are_no_person_are_refused_and_the_next_are_fitted():
    fit, message = LiveFit(BODY, FINGERED), walk()[0]
    for points in ([None] * 25, [[1e8, 0, 0]] * 25, [[0, 0, 0]] * 25):
        assert push(fit, changed(message, points=points), 1.0) is None and "expected" in fit.problem
    assert push(fit, changed(message, time=1.0), 2.0) is not None


def times_on(clock: SenderClock, *moments: tuple[float | None, float]) -> list[float | None]:
    """Return when the clock puts messages that were sent and arrived at *moments*."""
    template = walk()[0]
    return [clock.time_of(parse_message(changed(template, time=sent)), arrived) for sent, arrived in moments]


def test_times_are_the_senders_on_our_clock():
    assert times_on(SenderClock(), (5.0, 100.0), (5.1, 100.15), (5.2, 100.2)) == pytest.approx([100.0, 100.1, 100.2])


def test_what_comes_too_late_is_left_out():
    assert times_on(SenderClock(), (5.1, 100.0), (5.0, 100.01), (5.1, 100.02)) == [100.0, None, None]


@pytest.mark.parametrize("restart", [0.0, -1e9, 1e9])
def test_a_sender_that_starts_again_goes_on(restart):
    found = times_on(SenderClock(), (5.0, 100.0), (restart, 103.0), (restart + 0.5, 103.5))
    assert found == pytest.approx([100.0, 103.0, 103.5])


def test_without_times_the_arrival_counts():
    assert times_on(SenderClock(), (None, 100.0), (None, 100.25)) == [100.0, 100.25]
