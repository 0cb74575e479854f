"""Identities of one person under several labels: reported, joined, and refused if they cannot be one person."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.cli.main import main
from core.errors import TrackError
from core.formats.raw import RawRecording
from core.layouts import LAYOUTS
from core.reading import ReadOptions, read_all, read_people, read_tracks, suggested_joins
from core.reading.identities import describe_identities, join

from .conftest import NUM_FRAMES, walk_in

BODY25 = LAYOUTS["body25"]
FPS = 30.0
ASIDE = np.array([2.0, 0.0, 0.0])
Write = Callable[[Mapping[str, tuple[range, np.ndarray]]], Path]


@pytest.fixture
def clip(tmp_path) -> Write:
    """A writer of a folder in EasyMocap's form: of each identity, the frames it is seen in and where it walks."""

    def write(people: Mapping[str, tuple[range, np.ndarray]]) -> Path:
        folder = tmp_path / "clip"
        folder.mkdir()
        points = walk_in(BODY25)
        for frame in range(NUM_FRAMES):
            found = [
                {"id": int(label), "keypoints3d": np.column_stack([points[frame] + place, np.ones(25)]).tolist()}
                for label, (frames, place) in people.items()
                if frame in frames
            ]
            (folder / f"{frame:06d}.json").write_text(json.dumps(found))
        return folder

    return write


@pytest.fixture
def lost(clip) -> Path:
    """One person who is 3, then 7, then 12, beside 5, who is there all along."""
    everywhere = np.zeros(3)
    return clip({
        "3": (range(20), everywhere), "5": (range(NUM_FRAMES), ASIDE), "7": (range(23, 40), everywhere),
        "12": (range(41, NUM_FRAMES), everywhere),
    })  # fmt: skip


def test_identities_of_one_person_are_doubts_of_all_and_suggested(lost, capsys):
    readings = read_all(lost, ReadOptions(fps=FPS))
    assert suggested_joins(read_people(lost)) == ["3+7+12"]
    doubts = {reading.track.person: [text for text in reading.doubts if "--join" in text] for reading in readings}
    assert {person: len(found) for person, found in doubts.items()} == {"3": 1, "5": 0, "7": 2, "12": 1}
    assert doubts["3"][0] == (
        "7 begins 0.13 s after 3 ends, at the same place: if they are one person, give --join 3+7"
    )
    assert main(["info", str(lost), "--fps", "30"]) == 0
    assert "give --join 7+12" in capsys.readouterr().out


def test_joined_people_are_the_one_they_are_with_the_gaps_between(lost):
    tracks = read_tracks(lost, ReadOptions(fps=FPS, join=("3+7+12",)))
    assert [track.person for track in tracks] == ["3+7+12", "5"]
    whole, missing = tracks[0], [20, 21, 22, 40]
    seen = np.setdiff1d(np.arange(NUM_FRAMES), missing)
    np.testing.assert_allclose(whole.positions[seen], walk_in(BODY25)[seen], atol=1e-9)
    assert not whole.confidence[missing].any()
    assert any("joined by --join" in note for note in whole.notes)
    assert not any("--join" in doubt for track in tracks for doubt in track.doubts)
    by_number = read_tracks(lost, ReadOptions(fps=FPS, join=("1+4",)))
    assert [track.person for track in by_number] == ["3+12", "5", "7"]
    (alone,) = read_tracks(lost, ReadOptions(fps=FPS, join=("3+7+12",), person="3+7+12"))
    np.testing.assert_array_equal(alone.positions, whole.positions)


def test_a_fit_of_joined_people_writes_one_motion(lost, tmp_path, capsys):
    out = tmp_path / "out.npz"
    options = ["--fps", "30", "--join", "3+7", "--join", "1+3", "--person", "1", "--quality", "fast", "--quiet"]
    assert main(["fit", str(lost), "-o", str(out), *options]) == 0
    with np.load(out) as motion:
        assert len(motion["poses"]) == NUM_FRAMES


@pytest.mark.parametrize(
    ("groups", "found"),
    [(("3",), "got '3'"), (("3+3",), "got '3\\+3'"), (("3+9",), "a person '9'"), (("3+7", "7+12"), "a person '7'")],
)
def test_people_who_cannot_be_joined_are_refused_with_who_is_there(lost, groups, found):
    with pytest.raises(TrackError, match=rf"{found}.*found .*5.*--join") as caught:
        read_tracks(lost, ReadOptions(fps=FPS, join=groups))
    assert caught.value.options == ("join",)


def test_one_file_of_many_need_not_have_the_people_that_are_joined(lost, tmp_path):
    options = ReadOptions(fps=FPS, join=("3+7", "5+9"), join_where_present=True)
    tracks = read_tracks(lost, options)
    assert [track.person for track in tracks] == ["3+7", "5", "12"]
    text = "nobody was joined by --join 5+9, since 9 is not in this file, which has 3+7, 5, 12"
    assert all(text in track.doubts for track in tracks)
    np.savez(tmp_path / "one.npz", positions=walk_in(BODY25), fps=FPS, layout="body25")
    (alone,) = read_tracks(tmp_path / "one.npz", options)
    assert sum("obody was joined by --join" in note for note in alone.notes) == 2 and not alone.doubts


@pytest.mark.slow
def test_a_batch_joins_the_people_of_the_inputs_that_have_them(lost, tmp_path):
    np.savez(tmp_path / "one.npz", positions=walk_in(BODY25), fps=FPS, layout="body25")
    arguments = [str(lost), str(tmp_path / "one.npz"), "-o", str(tmp_path / "out"), "--join", "3+7+12"]
    assert main(["fit", *arguments, "--fps", "30", "--quality", "fast", "--quiet"]) == 0
    assert {path.name for path in (tmp_path / "out").rglob("*.npz")} == {"clip_3_7_12.npz", "clip_5.npz", "one.npz"}
    (person,) = json.loads((tmp_path / "out" / "one.smplify.json").read_text())["people"]
    assert any("--join 3+7+12" in note for note in person["notes"])


def test_two_people_are_not_joined_and_an_overlap_of_identities_is_doubted(clip):
    everywhere = np.zeros(3)
    folder = clip({"1": (range(20), everywhere), "2": (range(18, NUM_FRAMES), ASIDE), "3": (range(30), ASIDE)})
    with pytest.raises(TrackError, match="found 3 beside the others in 20 frames, the first of them frame 0") as caught:
        read_tracks(folder, ReadOptions(fps=FPS, join=("1+3",)))
    assert caught.value.options == ("join",)
    whole, _ = read_tracks(folder, ReadOptions(fps=FPS, join=("1+2",)))
    assert [doubt for doubt in whole.doubts if "joined" in doubt] == [
        "2 of those joined as 1+2 is seen beside the others in 2 frames, the first of them frame 18 (counted from 0), "
        "and left out there"
    ]
    np.testing.assert_allclose(whole.positions[:20], walk_in(BODY25)[:20], atol=1e-9)


def test_people_who_come_and_go_elsewhere_are_not_offered(clip):
    folder = clip({"1": (range(20), np.zeros(3)), "2": (range(22, NUM_FRAMES), ASIDE)})
    assert suggested_joins(read_people(folder)) == []
    assert not any("--join" in doubt for reading in read_all(folder, ReadOptions(fps=FPS)) for doubt in reading.doubts)


def test_exchanged_identities_are_reported_with_the_frames(make_recording):
    walk = walk_in(BODY25)
    swapped = np.arange(NUM_FRAMES) >= 30
    one = np.where(swapped[:, None, None], walk + ASIDE, walk)
    other = np.where(swapped[:, None, None], walk, walk + ASIDE)
    people = [make_recording(positions=one, person="A"), make_recording(positions=other, person="B")]
    described = describe_identities(people)
    assert all(person.doubts == ("A and B seem to exchange their identities at frames 30 (counted from 0)",)
               for person in described)  # fmt: skip
    apart = [make_recording(positions=walk, person="A"), make_recording(positions=walk + ASIDE, person="B")]
    assert describe_identities(apart) == apart


def test_solved_motions_and_other_points_are_not_joined(make_recording):
    first = make_recording(person="A")
    fewer = RawRecording(first.positions[:, :20], first.confidence[:, :20], "test", first.source, person="B")
    with pytest.raises(TrackError, match="the same points"):
        join([first, fewer], ["A+B"])


@pytest.mark.slow
def test_twenty_people_are_read_apart_and_those_who_were_lost_joined(clip):
    places = [ASIDE * index for index in range(20)]
    folder = clip({
        **{str(index): (range(NUM_FRAMES), place) for index, place in enumerate(places)},
        "0": (range(30), places[0]), "20": (range(31, NUM_FRAMES), places[0]),
    })  # fmt: skip
    assert suggested_joins(read_people(folder)) == ["0+20"]
    tracks = read_tracks(folder, ReadOptions(fps=FPS, join=("0+20",)))
    assert len(tracks) == 20
    for track, place in zip(tracks, places, strict=True):
        seen = np.isfinite(track.positions).all(-1)
        np.testing.assert_allclose(track.positions[seen], (walk_in(BODY25) + place)[seen], atol=1e-9)


def test_no_options_are_as_before(make_recording):
    person = make_recording()
    assert describe_identities([person])[0] is person
    assert join([person], ()) == [person]
    assert replace(ReadOptions(), join=["1+2"]).join == ("1+2",)
