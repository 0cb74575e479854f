"""JSON in which points stand by their names, as scripts write them: ``{"LHip": [x, y, z], ...}`` in each frame.

Frames are a list, or a dictionary by their numbers; a document of names that hold all frames each is read too. A point
is ``[x, y, z]``, with a confidence or without, ``{"x": x, "y": y, "z": z}``, or a dictionary with either under a key
such as "position"; null is a missing one. A list of points
that carry their names (``{"name": "LHip", "position": [x, y, z]}``) is read as well. The points stand
in the frame itself, under a key such as "keypoints", or once for each person. F frames, K points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .people_clip import PeopleClip, label_of
from .raw import RawRecording, check_counts

KIND = "JSON of named points"
_NESTING_KEYS = ("frames", "keypoints", "keypoints3d", "keypoints_3d", "landmarks", "joints", "points", "markers",
                 "positions", "pose", "poses", "data", "sequence", "motion", "results")  # fmt: skip
"""Keys under which frames, or the points of a frame, stand."""
_PEOPLE_KEYS = ("people", "persons", "bodies", "skeletons", "subjects")
_ID_KEYS = ("id", "person_id", "personID", "track_id", "name", "label")
_TRUST_KEYS = ("confidence", "visibility", "score", "likelihood")
_FRAME_KEY = re.compile(r"(?:[A-Za-z]+[ _.-]?)?(\d{1,12})$")
_POINT_NAME_KEYS = ("name", "label", "joint", "joint_name", "keypoint", "part", "body_part", "bodypart", "marker", "id")
_PLACE_KEYS = ("position", "pos", "point", "location", "coordinates", "xyz", "world", "value")
_MIN_NAMED = 4
"""Fewer names with three numbers are something else, such as the position and the rotation of a camera."""
_MAX_NESTED = 3

Points = Mapping[str, Any]


@dataclass(frozen=True)
class NamedFrames:
    """The frames of a document.

    Attributes:
        rows: the frames, as they stand in the document.
        people: the points of each person by name in each frame, by the person's label.
        numbers: (F,) the frame numbers under which the frames stand in a dictionary; None for a list.
    """

    rows: list[Any]
    people: list[dict[str, Points]]
    numbers: np.ndarray | None = None


def find_named(document: Any) -> NamedFrames | None:
    """Return the frames of a document whose points stand by name; None if it is of another form."""
    return _find(document, _MAX_NESTED)


def _find(value: Any, depth: int) -> NamedFrames | None:
    if isinstance(value, list):
        people = [_people(row) for row in value]
        return NamedFrames(value, people) if any(people) else None
    if not isinstance(value, Mapping):
        return None
    by_number = _frames_by_number(value)
    if by_number is not None:
        return by_number
    for key in _NESTING_KEYS if depth else ():
        found = _find(value.get(key), depth - 1)
        if found is not None:
            return found
    rows = _rows_of_tracks(value)
    if rows is not None:
        return NamedFrames([{}] * len(rows), rows)
    only = _people(value)
    return NamedFrames([value], [only]) if only else None


def _frames_by_number(value: Mapping[str, Any]) -> NamedFrames | None:
    """Return the frames of a dictionary whose keys are frame numbers, or words with one ("frame_12")."""
    found = find_frames_by_number(value)
    people = [] if found is None else [_people(row) for row in found[0]]
    return NamedFrames(found[0], people, found[1]) if found is not None and any(people) else None


def find_frames_by_number(value: Any) -> tuple[list[Any], np.ndarray] | None:
    """Return the frames of a dictionary by their numbers, or words with one ("frame_12"), and the numbers (F,)."""
    if not isinstance(value, Mapping):
        return None
    numbered = {
        key: match for key in value if (match := _FRAME_KEY.match(key)) and isinstance(value[key], (dict, list))
    }
    words = {key[: match.start(1)] for key, match in numbered.items()}
    if not numbered or len(words) > 1:
        return None
    ordered = sorted(numbered, key=lambda key: int(numbered[key][1]))
    return [value[key] for key in ordered], np.array([int(numbered[key][1]) for key in ordered], dtype=np.float64)


def _rows_of_tracks(value: Mapping[str, Any]) -> list[dict[str, Points]] | None:
    """Return the frames of a dictionary that holds the points of all frames by name; None if it holds others."""
    tracks = {name: track for name, track in value.items() if isinstance(track, list) and any(map(_is_point, track))}
    lengths = {len(track) for track in tracks.values()}
    if len(tracks) < _MIN_NAMED or len(lengths) != 1:
        return None
    return [
        {"": {name: track[row] for name, track in tracks.items() if _is_point(track[row])}}
        for row in range(lengths.pop())
    ]


def _people(row: Any) -> dict[str, Points]:
    """Return the points of each person in a frame, by label; empty if the frame has none, or another form."""
    if not isinstance(row, Mapping):
        return {}
    points = _points(row)
    if points:
        return {"": points}
    for key in _PEOPLE_KEYS:
        listed = row.get(key)
        if isinstance(listed, list):
            found = [(label_of(person, _ID_KEYS, number), _points(person)) for number, person in enumerate(listed)
                     if isinstance(person, Mapping)]  # fmt: skip
            return {label: points for label, points in found if points}
    groups = next((row[key] for key in _PEOPLE_KEYS if isinstance(row.get(key), Mapping)), row)
    return {str(label)[:60]: points for label, value in groups.items() if (points := _points(value))}


def _points(value: Any, depth: int = _MAX_NESTED) -> Points:
    """Return the points by name of a person in a frame; empty if there are none."""
    if isinstance(value, list):
        value = _by_name(value)
    if not isinstance(value, Mapping):
        return {}
    value = _places(value)
    points = {name: point for name, point in value.items() if _is_point(point)}
    others = [item for item in value.values() if isinstance(item, (dict, list)) and not _is_point(item)]
    if len(points) >= _MIN_NAMED and not others:
        return points
    nested = (_points(value.get(key), depth - 1) for key in _NESTING_KEYS) if depth else ()
    return next(filter(None, nested), {})


def _places(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a dictionary with the place of each item that has one under a key, beside its rotation or the like."""
    held = {
        name: next((item[key] for key in _PLACE_KEYS if _is_point(item.get(key))), None)
        for name, item in value.items()
        if isinstance(item, Mapping)
    }
    found = {name: place for name, place in held.items() if place is not None}
    return {**value, **found} if len(found) >= _MIN_NAMED else value


def _by_name(points: list[Any]) -> Points:
    """Return a list of points that carry their names, with x, y, z beside the name or under a key, by name."""
    found: dict[str, Any] = {}
    for point in points if all(isinstance(point, Mapping) for point in points) else ():
        name = next((point[key] for key in _POINT_NAME_KEYS if isinstance(point.get(key), str)), None)
        place = next((point[key] for key in _PLACE_KEYS if _is_point(point.get(key))), point)
        if name is None or not _is_point(place) or name in found:
            return {}
        found[name] = place
    return found


def _is_point(value: Any) -> bool:
    if isinstance(value, Mapping):
        return {"x", "y"} <= {key.lower() for key in map(str, value)} and not any(
            isinstance(x, (dict, list)) for x in value.values()
        )
    return isinstance(value, list) and len(value) in (2, 3, 4) and all(map(_is_number, value))


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def read_named(
    frames: NamedFrames,
    path: Path,
    *,
    numbers: np.ndarray | None,
    times_s: np.ndarray | None,
    fps: float | None,
    units: str | None,
) -> list[RawRecording]:
    """Read the frames that `find_named` found, one recording a person.

    Args:
        frames: the frames.
        path: the file.
        numbers: (F,) the frame numbers that stand in the frames, or None.
        times_s: (F,) their times in seconds, or None.
        fps: the frame rate that the file states, or None.
        units: the unit that the file states, or None.

    Raises:
        TrackFileError: the points are 2D, or too many.
    """
    names = tuple(dict.fromkeys(name for people in frames.people for points in people.values() for name in points))
    labels = {label for people in frames.people for label in people}
    check_counts(len(frames.people) * max(len(labels), 1), len(names), path)
    index = {name: number for number, name in enumerate(names)}
    clip = PeopleClip(path, KIND)
    for row, people in enumerate(frames.people):
        for label, points in people.items():
            placed = np.full((len(names), 4), np.nan)
            for name, values in points.items():
                placed[index[name]] = _coordinates(name, values, path)
            clip.add(label, row, placed)
    numbers = frames.numbers if frames.numbers is not None else numbers
    return clip.recordings(len(frames.people), frames=numbers, times_s=times_s, fps=fps, names=names, units=units)


def _coordinates(name: str, value: Any, path: Path) -> list[float]:
    """Return x, y, z and confidence of a point; all NaN if it is missing."""
    parts = list(_parts(value))
    if len(parts) < 3:
        raise TrackFileError(
            f"expected points of x, y, z, found x and y alone (2D) for {name[:60]!r} in {path}; export 3D points"
        )
    x, y, z, *trust = (float(part) if part is not None and abs(part) < 1e300 else np.nan for part in parts)
    return [x, y, z, *(trust or [1.0])] if np.isfinite([x, y, z]).all() else [np.nan] * 4


def _parts(value: Any) -> Iterator[Any]:
    if not isinstance(value, Mapping):
        yield from value
        return
    lower = {key.lower(): part for key, part in value.items()}
    yield from (lower[axis] if _is_number(lower[axis]) else None for axis in "xyz" if axis in lower)
    yield from (lower[key] for key in [key for key in _TRUST_KEYS if _is_number(lower.get(key, ""))][:1])
