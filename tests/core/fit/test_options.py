"""Invalid settings are an error before the fit starts, and progress can cancel."""

from __future__ import annotations

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.errors import CoreError, FitCancelled, FitOptionError
from core.fit import FitOptions, fit_track
from core.fit.options import report_progress
from core.layouts import COCO17
from core.track import KeypointTrack


@pytest.mark.parametrize(
    ("faulty", "words"),
    [
        ({"mode": "batch"}, ("mode", "clip", "frames", "'batch'")),
        ({"smoothing": 1.01}, ("smoothing", "0 to 1", "1.01")),
        ({"smoothing": -0.1}, ("smoothing", "-0.1")),
        ({"smoothing": float("nan")}, ("smoothing", "nan")),
        ({"quality": "medium"}, ("quality", "fast, balanced, best", "'medium'")),
        ({"betas": np.zeros((1, 10))}, ("betas", "(1, 10)")),
        ({"betas": np.array([0.0, np.nan])}, ("betas", "finite")),
        ({"betas": np.array([0.0, 1e300])}, ("betas", "1000")),
        ({"betas": np.array(["a"])}, ("betas",)),
        ({"fps": 0.0}, ("frame rate", "0.0")),
        ({"fps": -24.0}, ("frame rate", "-24")),
        ({"fps": float("inf")}, ("frame rate", "10000", "inf")),
        ({"fps": 1e9}, ("frame rate", "10000")),
        ({"workers": 0}, ("worker", "0")),
        ({"workers": -2}, ("worker", "-2")),
        ({"network_joints": "legs"}, ("network", "none, arms, all", "'legs'")),
        ({"network_passes": 0}, ("passes", "1 to 5", "0")),
        ({"network_passes": 6}, ("passes", "6")),
    ],
)
def test_invalid_settings_are_an_error(faulty, words):
    with pytest.raises(FitOptionError) as caught:
        FitOptions(**faulty)
    assert isinstance(caught.value, CoreError) and isinstance(caught.value, ValueError)
    for word in words:
        assert word in str(caught.value)


def test_valid_settings_are_accepted():
    options = FitOptions(
        mode="frames", betas=np.ones(10), smoothing=0.0, quality="best", fps=23.976, workers=1, device="cpu"
    )
    assert (options.mode, options.quality, options.fps) == ("frames", "best", 23.976)
    assert FitOptions().betas is None and FitOptions().fps is None


def test_only_false_cancels():
    calls = []

    def answer(value):
        def progress(*call):
            calls.append(call)
            return value

        return progress

    for value in (None, True, 0, ""):
        report_progress(answer(value), 3, 7, "Counting")
    with pytest.raises(FitCancelled, match="cancelled"):
        report_progress(answer(False), 3, 7, "Counting")
    assert calls == [(3, 7, "Counting")] * 5


@pytest.mark.parametrize("fps", [1e-9, 0.9])
def test_a_rate_that_leaves_one_frame_of_a_clip_is_an_error_before_the_fit(fps):
    points = np.random.default_rng(1).normal(size=(31, 17, 3))
    clip = KeypointTrack(points, np.ones((31, 17)), 30.0, COCO17)
    with pytest.raises(FitOptionError, match=rf"2 frames or more.*31 frames .* become 1 at {fps:g} fps.*higher"):
        fit_track(clip, load_free_body(), FitOptions(fps=fps))
    FitOptions(fps=1.0).check_length(clip)
    one = KeypointTrack(points[:1], np.ones((1, 17)), 30.0, COCO17)
    FitOptions(fps=fps).check_length(one)


def test_a_motion_with_too_many_frames_is_an_error_before_the_fit():
    points = np.random.default_rng(1).normal(size=(31, 17, 3))
    slow = KeypointTrack(points, np.ones((31, 17)), 1e-3, COCO17)
    with pytest.raises(FitOptionError, match=r"up to 2000000 frames.*the 31 frames .* become 300000001 at 10000"):
        fit_track(slow, load_free_body(), FitOptions(fps=1e4))
    FitOptions(fps=60.0).check_length(slow)
    FitOptions().check_length(slow)
