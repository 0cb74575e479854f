"""A file that is a part of a recording keeps the time at which it begins."""

from __future__ import annotations

import numpy as np
import pytest

from core.amass import write_motion
from core.body.free_body import load_free_body
from core.cli.main import main
from core.formats import read_recordings
from core.motion import Motion
from core.opensim import write_mot, write_trc
from core.reading import ReadOptions, read_all
from tests.conftest import REPOSITORY

from .track_writers import c3d_bytes, clip, names_of, trc_text, wide_csv


def start_of(path) -> float:
    (recording,) = read_recordings(path)
    return recording.start_s


@pytest.mark.parametrize("first_time", [0.0, 0.37, -0.5, 3600.0])
def test_the_times_of_a_table_tell_where_it_begins(tmp_path, first_time):
    points = clip()
    (tmp_path / "a.trc").write_text(trc_text(points, names_of(5), first_time=first_time))
    times = [first_time + row / 30.0 for row in range(len(points))]
    (tmp_path / "a.csv").write_text(wide_csv(points, names_of(5), lead={"time": times}))
    assert start_of(tmp_path / "a.trc") == pytest.approx(first_time)
    assert start_of(tmp_path / "a.csv") == pytest.approx(first_time)


def test_times_of_a_clock_are_no_start(tmp_path):
    stamps = [1_700_000_000.0 + row / 30.0 for row in range(12)]
    (tmp_path / "a.csv").write_text(wide_csv(clip(), names_of(5), lead={"timestamp": stamps}))
    assert start_of(tmp_path / "a.csv") == 0.0


def test_a_file_without_times_begins_at_0(tmp_path):
    (tmp_path / "a.csv").write_text(wide_csv(clip(), names_of(5), lead={"frame": range(100, 112)}))
    assert start_of(tmp_path / "a.csv") == 0.0


def test_the_first_frame_of_a_c3d_file_gives_its_start_time(tmp_path):
    (tmp_path / "a.c3d").write_bytes(c3d_bytes(clip(), names_of(5), fps=100.0, first=51))
    assert start_of(tmp_path / "a.c3d") == pytest.approx(0.5)


def late(first_time: float) -> str:
    """The first second of the sample walk, as a part of a recording that begins at *first_time*."""
    lines = (REPOSITORY / "samples" / "walk.trc").read_text().splitlines()
    head = [index for index, line in enumerate(lines) if line.startswith("1\t")][0]
    rows = [line.split("\t", 2) for line in lines[head : head + 60]]
    moved = [f"{number}\t{first_time + float(time):.5f}\t{rest}" for number, time, rest in rows]
    return "\n".join([line.replace("\t432\t", "\t60\t") for line in lines[:head]] + moved) + "\n"


def test_a_track_keeps_its_start(tmp_path, capsys):
    from core.cli.info import run_info

    (tmp_path / "late.trc").write_text(late(0.37))
    (reading,) = read_all(tmp_path / "late.trc", ReadOptions())
    assert reading.track.start_s == pytest.approx(0.37) and reading.track.duration_s == pytest.approx(59 / 60)
    assert run_info([tmp_path / "late.trc"]) == 0
    assert "60 at 60 fps, 0.98 s, from 0.37 s of the recording" in capsys.readouterr().out


def test_the_shared_file_that_starts_late(shared_dir):
    (reading,) = read_all(shared_dir / "data" / "cases" / "37_starts_at_037s.trc", ReadOptions())
    assert reading.track.start_s == pytest.approx(0.37) and np.isfinite(reading.track.positions).any()


@pytest.mark.parametrize("first_time", [0.37, -0.5])
def test_what_is_written_of_a_motion_keeps_its_start(tmp_path, first_time):
    poses = np.zeros((12, 72))
    poses[:, 5] = np.linspace(0.0, 0.3, 12)
    motion, body = Motion(poses, np.zeros(10), np.zeros((12, 3)), 30.0), load_free_body()
    write_mot(tmp_path / "a.mot", motion, body, first_time)
    write_trc(tmp_path / "a.trc", motion, body, first_time)
    write_motion(tmp_path / "a.npz", motion, up_axis="Y", start_s=first_time)
    rows = (tmp_path / "a.mot").read_text().partition("endheader\n")[2].splitlines()[1:]
    times = [float(row.split("\t")[0]) for row in rows]
    np.testing.assert_allclose(times, first_time + np.arange(12) / 30.0, atol=1e-7)
    assert start_of(tmp_path / "a.trc") == pytest.approx(first_time)
    assert start_of(tmp_path / "a.npz") == pytest.approx(first_time)


def test_a_motion_from_the_beginning_has_no_start_in_its_file(tmp_path):
    motion = Motion(np.zeros((2, 72)), np.zeros(10), np.zeros((2, 3)), 30.0)
    write_motion(tmp_path / "a.npz", motion, up_axis="Y")
    with np.load(tmp_path / "a.npz") as stored:
        assert "start_s" not in stored.files


def test_converted_keypoints_keep_their_start(tmp_path):
    (tmp_path / "late.trc").write_text(late(0.37))
    assert main(["convert", str(tmp_path / "late.trc"), "-o", str(tmp_path / "late.npz")]) == 0
    assert start_of(tmp_path / "late.npz") == pytest.approx(0.37)


@pytest.mark.parametrize(
    "start", [np.array("soon"), np.array([1.0, 2.0]), np.array(np.nan), np.array(1e12), np.zeros(0)]
)
def test_a_start_that_is_no_time_is_ignored(tmp_path, start):
    np.savez(tmp_path / "a.npz", positions=clip(), start_s=start)
    assert start_of(tmp_path / "a.npz") == 0.0
