"""Files that hold several trials one after the other: refused with the place, and none that only look so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import TrackFileError
from core.formats.dispatch import read_recordings
from core.formats.timeline import build_timeline

SAMPLE = Path(__file__).resolve().parents[3] / "samples" / "walk.trc"
RISING = np.arange(40.0)


def twice(path: Path, *, times: bool, frames: bool) -> Path:
    """Write a TRC whose rows stand twice, with times or frame numbers that begin again, or go on."""
    lines = SAMPLE.read_text().splitlines()
    rows = [line.split("\t", 2) for line in lines[5:45]]
    again = [
        "\t".join((
            number if frames else str(int(number) + len(rows)),
            time if times else f"{float(time) + 40 / 60:.6f}",
            rest,
        ))
        for number, time, rest in rows
    ]  # fmt: skip
    path.write_text("\n".join([*lines[:5], *("\t".join(row) for row in rows), *again]) + "\n")
    return path


@pytest.mark.parametrize("frames", [True, False])
def test_two_trials_in_one_file_are_refused_with_the_place(tmp_path, frames):
    path = twice(tmp_path / "two.trc", times=True, frames=frames)
    with pytest.raises(TrackFileError, match=r"found 2 .*times begin again in row 41 of the data, with 0 after 0\.65"):
        read_recordings(path)


def test_renumbered_frames_with_times_that_go_on_are_one_trial(tmp_path):
    (recording,) = read_recordings(twice(tmp_path / "one.trc", times=False, frames=True))
    assert recording.num_frames == 80 and recording.fps == 60.0


def test_frame_numbers_alone_that_begin_again_are_refused(tmp_path):
    rows = [",".join([str(frame % 20 + 1), *["0.1"] * 12]) for frame in range(60)]
    header = ",".join(["frame", *(f"{name}_{axis}" for name in ("LHip", "RHip", "LKnee", "RKnee") for axis in "xyz")])
    path = tmp_path / "three.csv"
    path.write_text("\n".join([header, *rows]))
    with pytest.raises(TrackFileError, match="found 3 .*frame numbers begin again in row 21 .* person_id"):
        read_recordings(path)


@pytest.mark.parametrize(
    "counts",
    [
        RISING,
        np.repeat(RISING, 2),
        np.where(RISING == 20, 2.0, RISING),
        RISING[::-1].copy(),
        np.random.default_rng(0).permutation(RISING),
        np.concatenate([RISING[:3], RISING]),
        RISING + np.random.default_rng(1).normal(0.0, 0.6, 40),
        np.where(RISING == 20, np.nan, RISING % 20),
        np.zeros(40),
    ],
    ids=["rising", "each twice", "one wrong", "falling", "mixed", "three before", "jittered", "a gap", "none"],
)
def test_other_counts_are_no_trials(counts):
    for given in ({"times_s": counts / 60.0}, {"frames": counts}):
        assert build_timeline(len(counts), SAMPLE, **given).num_frames >= len(counts)
