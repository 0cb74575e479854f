"""Test that single-frame outliers of markers are found, and that sudden motion is not taken for one."""

from __future__ import annotations

import io

import numpy as np
import pytest

from core.cli.info import run_info
from core.markers.strays import find_strays, without_strays
from core.reading import read_all
from tests.recordings import cases

STATURE, FPS = 1.75, 250.0
GAPS = {
    "ahead of a gap": (30, slice(31, 35)),
    "left behind after a gap": (30, slice(25, 30)),
    "alone": (30, slice(0, 0)),
}


def _swinging(num_frames: int = 80, fps: float = FPS) -> np.ndarray:
    """Return the path (F, 1, 3) of a sprinter's foot: up to 15 m/s, reversing within a fraction of a second."""
    time = np.arange(num_frames) / fps
    return np.stack([8.0 * time + 0.5 * np.sin(12.0 * time), 0.3 * np.cos(12.0 * time), 0.0 * time], axis=-1)[:, None]


@pytest.mark.parametrize("frame_and_gap", GAPS.values(), ids=GAPS)
def test_a_single_frame_outlier_is_found(frame_and_gap):
    frame, gap = frame_and_gap
    path = _swinging()
    path[frame, 0] += [0.0, 0.14, 0.10]
    path[gap] = np.nan
    assert np.argwhere(find_strays(path, STATURE, FPS)).tolist() == [[frame, 0]]
    assert np.argwhere(find_strays(1000.0 * path, 1000.0 * STATURE, FPS)).tolist() == [[frame, 0]]


def test_a_repeated_position_beside_a_gap_is_found():
    path = _swinging()
    path[31] = np.nan
    path[32] = path[30]
    assert np.argwhere(find_strays(path, STATURE, FPS)).tolist() == [[32, 0]]


def test_adjacent_strays_and_one_at_the_start_are_found():
    path = _swinging()
    path[0, 0] += [0.0, 0.1, 0.0]
    path[40, 0] += [0.0, 0.0, 0.2]
    path[41, 0] -= [0.0, 0.15, 0.0]
    assert np.argwhere(find_strays(path, STATURE, FPS))[:, 0].tolist() == [0, 40, 41]


def test_impacts_starts_and_gaps_are_no_strays():
    time = np.arange(60) / 100.0
    blow = np.stack([3.0 * np.abs(time - 0.3), 0.0 * time, 0.0 * time], axis=-1)
    begins = np.stack([4.0 * np.maximum(time - 0.3, 0.0), 0.0 * time, 0.0 * time], axis=-1)
    gaps = _swinging(60)[:, 0]
    gaps[[20, 21, 23, 24, 26, 27, 28]] = np.nan
    assert not find_strays(np.stack([blow, begins, gaps], axis=1), STATURE, FPS).any()


def test_fast_motion_at_low_frame_rates_is_no_stray():
    for fps in (12.0, 25.0, 50.0):
        feet = np.stack([_swinging(60, fps)[:, 0], np.roll(_swinging(60, 1.7 * fps)[:, 0], 1, axis=1)], axis=1)
        assert not find_strays(feet, STATURE, fps).any()
    path = _swinging()
    path[30, 0] += [0.0, 0.14, 0.10]
    assert not find_strays(path, STATURE, 0.0).any()


def test_noise_is_no_stray():
    noise = np.random.default_rng(0).normal(0.0, 0.02, (2000, 3, 3))
    assert find_strays(np.tile(_swinging(), (25, 3, 1)) + noise, STATURE, FPS).mean() < 2e-3


def test_strays_are_removed_and_listed():
    path = _swinging()[:, 0]
    moved = path.copy()
    moved[30, 1] += 0.1
    points, frames = without_strays({"left_toe": path, "right_toe": moved}, STATURE, FPS)
    assert frames == {"right_toe": [30]}
    assert np.isnan(points["right_toe"][30]).all() and np.isfinite(points["left_toe"]).all()
    assert not without_strays({"left_toe": path[:2]}, STATURE, FPS)[1]


@pytest.mark.slow
@pytest.mark.parametrize(("source", "toes"), cases([("twin", "12, 128"), ("original", "0, 12, 128")]))
def test_repeated_positions_of_a_sprinters_toes_are_left_out(data_dir, source, toes):
    (reading,) = read_all(data_dir(source) / "keypoints" / "trc" / "JA1Gait35.trc")
    index = reading.track.layout.solver_index
    for point, frames in {
        "right_big_toe": [10, 72],
        "left_big_toe": [12, 128],
        "left_elbow": [232],
        "right_knee": [13],
    }.items():
        assert (reading.track.confidence[frames, index[point]] == 0.0).all(), point
    (note,) = reading.left_out
    assert f"LTOE in {toes}" in note and note in reading.track.notes


@pytest.mark.slow
def test_info_prints_left_out_markers(keypoints):
    stream = io.StringIO()
    assert run_info([keypoints / "trc" / "JA1Gait35.trc"], stream=stream) == 0
    assert "left out     Markers left out" in stream.getvalue()
