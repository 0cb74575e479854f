"""The stream benchmark: the pushed frames and the statistics of the times, but no timing itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.layouts import COCO17
from core.track import KeypointTrack
from training.benchmark_stream import FrameTimes, main, ping_pong


def test_statistics_of_known_times():
    times = FrameTimes.of("some", np.array([0.001] * 150 + [0.002] * 50 + [0.05]))
    assert (times.what, times.frames) == ("some", 201)
    np.testing.assert_allclose([times.median_ms, times.most_ms, times.worst_ms], [1.0, 2.0, 50.0])


def test_track_is_played_back_and_forth_without_a_jump():
    positions = np.zeros((4, 17, 3))
    positions[..., 0] = np.arange(4)[:, None]
    track = ping_pong(KeypointTrack(positions, np.ones((4, 17)), 30.0, COCO17), 14)
    np.testing.assert_array_equal(track.positions[:, 0, 0], [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1])


def test_every_frame_is_timed(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "times.json"
    arguments = ["--subjects", "35", "--frames", "12", "--layout", "coco17", "--quality", "fast", "--json", str(out)]
    assert main([str(clips), *arguments]) == 0
    output = capsys.readouterr().out
    assert "12 frames of coco17" in output
    figures = json.loads(out.read_text())
    assert figures["memory_growth_mb"] is None  # the shape is not found within 12 frames
    rows = figures["times"]
    assert [(row["what"], row["frames"]) for row in rows] == [("all frames", 12), ("while estimating shape", 12)]
    assert all(0.0 < row["median_ms"] <= row["most_ms"] <= row["worst_ms"] for row in rows)
