"""JSON in which points stand by their names is read with these names, whatever the nesting."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from core.errors import TrackFileError
from core.formats.dispatch import read_recordings
from core.formats.raw import MAX_POINTS
from core.reading import ReadOptions, read_all
from tests.conftest import REPOSITORY

from .track_writers import clip, names_of

NAMES = names_of(5)
Frames = list[dict[str, list[float]]]


def frames_of(points: np.ndarray, names: tuple[str, ...] = NAMES) -> Frames:
    return [dict(zip(names, row, strict=True)) for row in points.tolist()]


def as_axes(frames: Frames, axes: str = "xyz") -> list[dict[str, dict[str, float]]]:
    return [{name: dict(zip(axes, point, strict=True)) for name, point in frame.items()} for frame in frames]


FORMS: dict[str, Callable[[Frames], object]] = {
    "list": lambda frames: frames,
    "axes": as_axes,
    "large axes": lambda frames: as_axes(frames, "XYZ"),
    "by number": lambda frames: {str(number): frame for number, frame in enumerate(frames)},
    "by word": lambda frames: {f"frame_{number}": frame for number, frame in reversed(list(enumerate(frames)))},
    "nested frames": lambda frames: {"frames": frames, "about": "a walk"},
    "nested by number": lambda frames: {"keypoints": {str(number): frame for number, frame in enumerate(frames)}},
    "keypoints": lambda frames: [{"frame": number, "keypoints": frame} for number, frame in enumerate(frames)],
    "landmarks": lambda frames: {"data": [{"landmarks": frame, "valid": True} for frame in as_axes(frames)]},
    "with numbers": lambda frames: [{"frame": number, **frame} for number, frame in enumerate(frames)],
    "tracks": lambda frames: {name: [frame[name] for frame in frames] for name in NAMES},
    "nested tracks": lambda frames: {"fps": 30, "joints": {name: [frame[name] for frame in frames] for name in NAMES}},
    "places beside rotations": lambda frames: {
        "fps": 30,
        "frames": [
            {
                "frame": number,
                "joints": {name: {"position": point, "rotation": [0, 0, 0, 1]} for name, point in frame.items()},
            }
            for number, frame in enumerate(frames)
        ],
    },
    "places of axes": lambda frames: [
        {name: {"pos": point, "rot": {"x": 0, "y": 0, "z": 0, "w": 1}} for name, point in frame.items()}
        for frame in as_axes(frames)
    ],
    "one person": lambda frames: [{"people": [{"id": 3, "joints": frame}]} for frame in frames],
}


@pytest.mark.parametrize("form", FORMS)
def test_points_are_read_by_their_names(tmp_path, form):
    points = clip()
    (tmp_path / "a.json").write_text(json.dumps(FORMS[form](frames_of(points))))
    (recording,) = read_recordings(tmp_path / "a.json")
    assert recording.names == NAMES and recording.kind == "JSON of named points"
    np.testing.assert_allclose(recording.positions, points)
    assert (recording.confidence == 1.0).all()


def test_lines_of_names_are_frames(tmp_path):
    points = clip()
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, frames_of(points))))
    (recording,) = read_recordings(tmp_path / "a.jsonl")
    np.testing.assert_allclose(recording.positions, points)


@pytest.mark.parametrize("group", ["people", ""])
def test_each_person_has_points(tmp_path, group):
    first, second = clip(), clip(seed=1)
    rows = [{"A": one, "B": other} for one, other in zip(frames_of(first), frames_of(second), strict=True)]
    (tmp_path / "a.json").write_text(json.dumps([{group: row} if group else row for row in rows]))
    one, other = read_recordings(tmp_path / "a.json")
    assert (one.person, other.person) == ("A", "B")
    np.testing.assert_allclose(other.positions, second)
    np.testing.assert_allclose(one.positions, first)


def test_what_is_missing_and_how_far_to_trust_the_rest(tmp_path):
    frames: list[dict[str, object]] = [dict(frame) for frame in frames_of(clip())]
    frames[0][NAMES[0]] = None
    frames[1][NAMES[1]] = [1.0, None, 2.0]
    del frames[2][NAMES[2]]
    frames[3][NAMES[3]] = [1.0, 2.0, 3.0, 0.25]
    frames[4][NAMES[4]] = {"x": 1.0, "y": 2.0, "z": 3.0, "visibility": 0.5}
    (tmp_path / "a.json").write_text(json.dumps({"fps": 25, "units": "mm", "frames": frames}))
    (recording,) = read_recordings(tmp_path / "a.json")
    column = {name: index for index, name in enumerate(recording.names)}
    for row in range(3):
        assert np.isnan(recording.positions[row, column[NAMES[row]]]).all()
    assert np.isnan(recording.positions).any(-1).sum() == 3
    assert recording.confidence[3, column[NAMES[3]]] == 0.25
    assert recording.confidence[4, column[NAMES[4]]] == 0.5
    assert (recording.fps, recording.units) == (25.0, "mm")


def test_null_is_a_missing_point_where_a_name_holds_all_frames_too(tmp_path):
    points = clip()
    tracks = {name: [None, *points[1:, index].tolist()] for index, name in enumerate(NAMES)}
    (tmp_path / "a.json").write_text(json.dumps(tracks))
    (recording,) = read_recordings(tmp_path / "a.json")
    assert np.isnan(recording.positions[0]).all()
    np.testing.assert_allclose(recording.positions[1:], points[1:])


def test_numbers_and_times_place_the_frames(tmp_path):
    frames = frames_of(clip())
    (tmp_path / "a.json").write_text(json.dumps({str(2 * number): frame for number, frame in enumerate(frames[:4])}))
    (recording,) = read_recordings(tmp_path / "a.json")
    assert recording.num_frames == 7
    timed = [{"time": 0.5 + number / 30.0, **frame} for number, frame in enumerate(frames)]
    (tmp_path / "b.json").write_text(json.dumps(timed))
    (recording,) = read_recordings(tmp_path / "b.json")
    assert recording.fps == 30.0 and recording.start_s == 0.5


def test_known_names_need_no_options(tmp_path):
    (reading,) = read_all(REPOSITORY / "samples" / "walk.trc")
    seen = np.isfinite(reading.track.positions).any((0, 2))
    names = tuple(name for name, is_seen in zip(reading.track.layout.names, seen, strict=True) if is_seen)
    rows = frames_of(reading.track.positions[:30, seen], names)
    (tmp_path / "walk.json").write_text(json.dumps({"fps": 60, "frames": rows}))
    (found,) = read_all(tmp_path / "walk.json", ReadOptions())
    assert found.track.layout == reading.track.layout
    np.testing.assert_allclose(found.track.positions, reading.track.positions[:30])


@pytest.mark.parametrize("point", [[1.0, 2.0], {"x": 1.0, "y": 2.0}])
def test_points_in_the_image_are_named_as_such(tmp_path, point):
    (tmp_path / "a.json").write_text(json.dumps([dict.fromkeys(NAMES, point)]))
    with pytest.raises(TrackFileError, match=r"x and y alone \(2D\) for 'Point.A'"):
        read_recordings(tmp_path / "a.json")


@pytest.mark.parametrize(
    "document",
    [
        {"position": [1, 2, 3], "rotation": [1, 0, 0, 0]},
        [{"a": 1, "b": 2, "c": 3, "d": 4}],
        {"frames": {}},
        {"A": {"B": "C"}},
    ],
)
def test_other_documents_are_refused_with_what_is_read(tmp_path, document):
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(TrackFileError, match=r"a list of frames with points by name \(\{\"LHip\": \[x, y, z\]\}\)"):
        read_recordings(tmp_path / "a.json")


def test_new_names_in_each_frame_take_no_memory(tmp_path):
    frames = [{f"P{number}_{index}": [0, 0, 0] for index in range(4)} for number in range(MAX_POINTS)]
    (tmp_path / "a.json").write_text(json.dumps(frames))
    with pytest.raises(TrackFileError, match="expected at most"):
        read_recordings(tmp_path / "a.json")
