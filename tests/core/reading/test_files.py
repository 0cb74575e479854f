"""Files of several people, the project's own samples, and what ``info`` prints about them."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import AmbiguousTrackError, TrackError
from core.info import run_info
from core.layouts import LAYOUTS
from core.reading import ReadOptions, add_reading_arguments, read_all, read_tracks, reading_options

from .conftest import walk_in

SAMPLES = Path(__file__).resolve().parents[3] / "samples"


@pytest.fixture
def two_people(tmp_path: Path) -> Path:
    """A folder as EasyMocap writes it, with persons 3 and 7."""
    walk = walk_in(LAYOUTS["body25"])
    for frame, points in enumerate(walk):
        people = [
            {"id": number, "keypoints3d": [[*(point + [offset, 0.0, 0.0]), 0.9] for point in points]}
            for number, offset in ((3, 0.0), (7, 2.0))
        ]
        (tmp_path / f"{frame:06d}.json").write_text(json.dumps(people))
    return tmp_path


def test_all_people_are_read_or_the_one_asked_for(two_people):
    both = read_tracks(two_people, ReadOptions(fps=30.0))
    assert [track.person for track in both] == ["3", "7"]
    assert np.allclose(both[1].positions - both[0].positions, [2.0, 0.0, 0.0])
    (seven,) = read_tracks(two_people, ReadOptions(fps=30.0, person="7"))
    assert np.array_equal(seven.positions, both[1].positions)
    (first,) = read_tracks(two_people, ReadOptions(fps=30.0, person="1"))
    assert first.person == "3"


def test_a_person_who_is_not_there_is_refused_with_those_who_are(two_people):
    with pytest.raises(TrackError, match=r"1 \(3\), 2 \(7\).*--person"):
        read_tracks(two_people, ReadOptions(fps=30.0, person="4"))


def test_the_samples_are_understood_and_their_wrong_twin_refused():
    assert read_all(SAMPLES / "walk.trc")[0].track.layout.name == "halpe26"
    assert read_all(SAMPLES / "walk.npz")[0].track.layout.name == "body25"
    with pytest.raises(AmbiguousTrackError, match=r"mm.*--units"):
        read_all(SAMPLES / "walk_wrong_units.trc")


def test_info_prints_every_property_and_returns_0():
    stream, errors = io.StringIO(), io.StringIO()
    assert run_info([SAMPLES / "walk.trc"], stream=stream, errors=errors) == 0
    text = stream.getvalue()
    for word in ("kind", "layout", "units", "up axis", "handedness", "frame rate", "person", "facing", "stature"):
        assert f"\n  {word:<12} " in text, word
    assert "matched      21: " in text
    assert "missing      " in text
    assert "walk.trc: 1 person" in text
    assert errors.getvalue() == ""


def test_info_goes_on_after_a_bad_file_and_returns_1():
    stream, errors = io.StringIO(), io.StringIO()
    paths = [SAMPLES / "walk_wrong_units.trc", SAMPLES / "nothing.trc", SAMPLES / "walk.npz"]
    assert run_info(paths, stream=stream, errors=errors) == 1
    assert "walk.npz: 1 person" in stream.getvalue()
    first, second = errors.getvalue().splitlines()
    assert "--units" in first
    assert "nothing.trc" in second


def test_info_tells_what_was_met_while_reading(tmp_path):
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


def test_options_from_a_command_line():
    parser = argparse.ArgumentParser()
    add_reading_arguments(parser)
    words = "--layout BODY25 --units Inches --up=-y --fps 29.97 --person P1 --handedness left --swap-sides".split()
    assert reading_options(parser.parse_args(words)) == ReadOptions(
        layout="body25", units="in", up="-Y", fps=29.97, person="P1", handedness="left", swap_sides=True
    )
    assert reading_options(parser.parse_args([])) == ReadOptions()
