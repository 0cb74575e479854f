"""Test files of several people, the sample files, and what ``info`` prints about them."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import numpy as np
import pytest

from core.cli.info import run_info
from core.errors import AmbiguousTrackError, TrackError, UnseenPersonError
from core.layouts import LAYOUTS
from core.reading import ReadOptions, add_reading_arguments, join_signed_axis, read_all, read_tracks, reading_options

from .conftest import walk_in

SAMPLES = Path(__file__).resolve().parents[3] / "samples"


@pytest.fixture
def two_people(tmp_path: Path) -> Path:
    """A folder in EasyMocap's format, with persons 3 and 7."""
    walk = walk_in(LAYOUTS["body25"])
    for frame, points in enumerate(walk):
        people = [
            {"id": number, "keypoints3d": [[*(point + [offset, 0.0, 0.0]), 0.9] for point in points]}
            for number, offset in ((3, 0.0), (7, 2.0))
        ]
        (tmp_path / f"{frame:06d}.json").write_text(json.dumps(people))
    return tmp_path


def test_all_people_or_the_requested_one_are_read(two_people):
    both = read_tracks(two_people, ReadOptions(fps=30.0))
    assert [track.person for track in both] == ["3", "7"]
    assert np.allclose(both[1].positions - both[0].positions, [2.0, 0.0, 0.0])
    (seven,) = read_tracks(two_people, ReadOptions(fps=30.0, person="7"))
    assert np.array_equal(seven.positions, both[1].positions)
    (first,) = read_tracks(two_people, ReadOptions(fps=30.0, person="1"))
    assert first.person == "3"


def test_an_unknown_person_is_refused_with_a_list_of_people(two_people):
    with pytest.raises(TrackError, match=r"1 \(3\), 2 \(7\).*--person"):
        read_tracks(two_people, ReadOptions(fps=30.0, person="4"))


def _people(path: Path, *people: np.ndarray) -> Path:
    np.savez(path, positions=np.stack(people), fps=30.0, layout="body25")
    return path


def _seen(*names: str) -> np.ndarray:
    """Return the walk of a person 2 m to the side, of whom only the points *names* are visible."""
    layout = LAYOUTS["body25"]
    points = walk_in(layout) + [2.0, 0.0, 0.0]
    points[:, [name not in names for name in layout.names]] = np.nan
    return points


TRUNK = ("neck", "mid_hip", "left_hip", "right_hip", "left_shoulder", "right_shoulder")
ARMS = ("left_elbow", "right_elbow", "left_wrist", "right_wrist")


@pytest.mark.parametrize("names", [(), ("nose",), ("left_wrist", "left_ear")])
def test_hardly_visible_people_are_left_out(tmp_path, names):
    walk = walk_in(LAYOUTS["body25"])
    path = _people(tmp_path / "a.npz", _seen(*names), walk)
    (reading,) = read_all(path)
    np.testing.assert_array_equal(reading.track.positions, walk)
    assert reading.track.person == "1" and any("Left out 0" in note for note in reading.remarks)
    with pytest.raises(UnseenPersonError):
        read_all(path, ReadOptions(person="0"))
    with pytest.raises(UnseenPersonError):
        read_all(_people(tmp_path / "b.npz", _seen(*names), _seen()))


@pytest.mark.parametrize("alone_first", [True, False])
def test_an_ambiguous_person_takes_units_and_axes_from_another(tmp_path, alone_first):
    up = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    walk, half = walk_in(LAYOUTS["body25"]), _seen(*TRUNK, *ARMS)
    with pytest.raises(AmbiguousTrackError, match="--handedness"):
        read_all(_people(tmp_path / "alone.npz", 1000.0 * half @ up.T))
    both = [1000.0 * points @ up.T for points in ((half, walk) if alone_first else (walk, half))]
    readings = read_all(_people(tmp_path / "both.npz", *both))
    reading = readings[0 if alone_first else 1]
    np.testing.assert_allclose(reading.track.positions, half, atol=1e-9)
    reasons = {finding.subject: finding.reason for finding in reading.findings}
    other = "1" if alone_first else "0"
    assert {reasons[subject] for subject in ("units", "up axis", "handedness")} == {
        f"taken from person {other} in the same file"
    }
    assert f"Handedness: right, taken from person {other} in the same file." in reading.track.notes
    assert not any("given by" in note for note in reading.track.notes)


def test_a_person_who_contradicts_another_is_refused_by_name(tmp_path):
    walk = walk_in(LAYOUTS["body25"])
    path = _people(tmp_path / "mirrored.npz", walk, walk * [-1.0, 1.0, 1.0] + [2.0, 0.0, 0.0])
    with pytest.raises(AmbiguousTrackError, match=r"--swap-sides.*person 1; --person"):
        read_all(path)
    away = walk + np.arange(len(walk))[:, None, None]
    with pytest.raises(TrackError, match=r"30 fps.*person 0; --person"):
        read_all(_people(tmp_path / "away.npz", away, walk))


def test_the_samples_are_read_and_the_one_with_wrong_units_refused():
    assert read_all(SAMPLES / "walk.trc")[0].track.layout.name == "halpe26"
    assert read_all(SAMPLES / "walk.npz")[0].track.layout.name == "body25"
    with pytest.raises(AmbiguousTrackError, match=r"mm.*--units"):
        read_all(SAMPLES / "walk_wrong_units.trc")


def test_info_prints_every_property_and_returns_0():
    stream, errors = io.StringIO(), io.StringIO()
    assert run_info([SAMPLES / "walk.trc"], stream=stream, errors=errors) == 0
    text = stream.getvalue()
    for label in ("kind", "layout", "units", "up axis", "handedness", "frame rate", "person", "facing", "stature"):
        assert f"\n  {label:<12} " in text, label
    assert "matched      21: " in text
    assert "missing      " in text
    assert "walk.trc: 1 person" in text
    assert errors.getvalue() == ""


def test_info_continues_after_a_bad_file_and_returns_1():
    stream, errors = io.StringIO(), io.StringIO()
    paths = [SAMPLES / "walk_wrong_units.trc", SAMPLES / "nothing.trc", SAMPLES / "walk.npz"]
    assert run_info(paths, stream=stream, errors=errors) == 1
    assert "walk.npz: 1 person" in stream.getvalue()
    first, second = errors.getvalue().splitlines()
    assert "--units" in first
    assert "nothing.trc" in second


def test_info_prints_remarks_of_the_reader(tmp_path):
    lines = (SAMPLES / "walk.trc").read_text().splitlines()
    twice = [*lines[:6], *(line for line in lines[6:] for _ in (1, 2))]
    (tmp_path / "twice.trc").write_text("\n".join(twice) + "\n")
    stream = io.StringIO()
    assert run_info([tmp_path / "twice.trc"], stream=stream) == 0
    assert "  read         The frame numbers do not increase by whole numbers" in stream.getvalue()
    assert "  read         The times do not increase" in stream.getvalue()


def test_info_as_json_can_be_read_back(two_people):
    stream = io.StringIO()
    assert run_info([two_people], ReadOptions(fps=30.0), stream, as_json=True) == 0
    (entry,) = json.loads(stream.getvalue())
    assert [person["person"] for person in entry["people"]] == ["3", "7"]
    assert entry["people"][0]["layout"] == "body25"
    assert entry["people"][0]["missing_share"]["nose"] == 0.0
    assert {finding["subject"] for finding in entry["people"][0]["findings"]} >= {"units", "up axis", "handedness"}


def test_options_are_parsed_from_a_command_line():
    parser = argparse.ArgumentParser()
    add_reading_arguments(parser)
    words = "--layout BODY25 --units Inches --up=-y --fps 29.97 --person P1 --handedness left --swap-sides".split()
    assert reading_options(parser.parse_args(words)) == ReadOptions(
        layout="body25", units="in", up="-Y", fps=29.97, person="P1", handedness="left", swap_sides=True
    )
    assert reading_options(parser.parse_args([])) == ReadOptions()


@pytest.mark.parametrize("option", ["-Y", "-y", "+Z", "X"])
def test_an_up_axis_is_given_as_typed(option):
    parser = argparse.ArgumentParser()
    add_reading_arguments(parser)
    assert reading_options(parser.parse_args(join_signed_axis(["--up", option]))) == ReadOptions(up=option)
