"""JSON of further tools: MediaPipe, Azure Kinect, SAM 3D Body, OpenCap, Fit3D, bare lists, names. F frames, K points.

Keys as the tools and data sets are described: Azure Kinect's offline processor, MediaPipe's landmarks as dictionaries,
Fit3D's data and that of CHI3D, which has two people. The last two were not tried on a file of the data set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from . import sam3d_body
from .mediapipe import NAMES as MEDIAPIPE_NAMES
from .named_json import NamedFrames, find_frames_by_number, find_named, read_named
from .opensim_bodies import find_bodies, read_bodies
from .people_clip import BY_ORDER, PeopleClip, label_of
from .point_arrays import KNOWN_COUNTS
from .point_keys import NAME_KEYS, folded
from .qualisys_json import is_qualisys_json, read_qualisys_json
from .raw import MAX_PEOPLE, RawRecording, check_counts
from .timeline import times_in_seconds
from .zed_json import find_zed_frames, read_zed

_FRAME_LIST_KEYS = ("frames", "landmarks_sequence", "sequence", "results", "data")
_WORLD_KEYS = ("pose_world_landmarks", "world_landmarks", "poseWorldLandmarks", "worldLandmarks")
_LANDMARK_KEYS = (*_WORLD_KEYS, "landmarks", "pose_landmarks", "poseLandmarks", "keypoints3D", "keypoints_3d", "joints")
_POINT_KEYS = (*_LANDMARK_KEYS, "keypoints3d", "keypoints", "points_3d", "points3d", "points", "joints3d", "joints_3d",
               "joint_positions", "positions", "pose_3d", "pose3d", "skeleton")  # fmt: skip
"""Keys of the points in what is known to be a frame; in a bare list, "keypoints" may be the people of one."""
_PEOPLE_KEYS = ("people", "persons", "bodies", "skeletons", "subjects")
_ID_KEYS = ("id", "person_id", "personID", "track_id", "body_id")
_NUMBER_KEYS = ("frame_index", "frame", "frame_id", "frame_number", "frameNumber", "index")
_TIME_KEYS = {"timestamp_ms": 1e-3, "timestamp_usec": 1e-6, "timestamp_s": 1.0, "time": None, "timestamp": None}
_RATE_KEYS = ("fps", "frame_rate", "framerate", "frameRate")
_TRUST_KEYS = ("visibility", "score", "confidence")
_FIT3D_KEY, _FIT3D_FPS, _NUM_H36M = "joints3d_25", 50.0, 17
_MAX_STEP = 0.1
"""Successive frames of a person are apart by less than this fraction of the person's size."""
_MIN_POINTS = 9
"""A list of fewer points of x, y, z is something else, such as a matrix."""


def read_known(document: Any, path: Path) -> list[RawRecording] | None:
    """Return the recordings of a document of one of these tools; None if it is of another kind.

    Raises:
        TrackFileError: the document is of such a tool, and damaged or without 3D points.
    """
    frames = sam3d_body.find_frames(document)
    if frames is not None:
        return sam3d_body.read_frames(frames, _rate(document), path)
    if isinstance(document, Mapping) and _FIT3D_KEY in document:
        return _read_fit3d(document, path)
    bodies = find_bodies(document)
    if bodies is not None:
        return read_bodies(document, bodies, path)
    if is_qualisys_json(document):
        return read_qualisys_json(document, path)
    zed = find_zed_frames(document)
    if zed is not None:
        return read_zed(zed, path)
    frames_by_name = find_frames_by_number(document)
    rows = _frame_list(document) if frames_by_name is None else frames_by_name[0]
    if rows is not None and any(_kinect_bodies(row) for row in rows):
        return _read_kinect(document, rows, path)
    keys = _LANDMARK_KEYS if isinstance(document, list) and not _are_frames(document) else _POINT_KEYS
    if rows is not None and any(_landmarks(row, keys) for row in rows):
        numbers = _stated_numbers(rows) if frames_by_name is None else frames_by_name[1]
        return _read_landmarks(document, rows, keys, numbers, path)
    named = find_named(document)
    return None if named is None else _read_named(document, named, path)


def _read_named(document: Any, frames: NamedFrames, path: Path) -> list[RawRecording]:
    """Read points that stand by their names, with the numbers, times, rate and unit that stand beside them."""
    units = document.get("units") if isinstance(document, Mapping) else None
    return read_named(
        frames, path,
        numbers=_stated_numbers(frames.rows), times_s=_times(frames.rows), fps=_rate(document),
        units=units if isinstance(units, str) else None,
    )  # fmt: skip


def read_lines(text: str, path: Path) -> list[RawRecording]:
    """Read JSON with one document per line (JSONL), each a frame.

    Raises:
        TrackFileError: a line is damaged, or the lines are of an unknown kind.
    """
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise TrackFileError(
                    f"expected one JSON document per line, found damage ({str(error)[:80]}) in line {number} of "
                    f"{path}; the file may be cut off, export it again"
                ) from error
    found = read_known(rows, path)
    if found is None:
        raise TrackFileError(
            f"expected lines of MediaPipe landmarks, people or points by name, found {str(rows[0])[:80]!r} in {path}; "
            "export 3D points"
        )
    return found


def _frame_list(document: Any) -> list[Any] | None:
    """Return the list of frames in a document."""
    if isinstance(document, Mapping):
        document = next((document[key] for key in _FRAME_LIST_KEYS if isinstance(document.get(key), list)), None)
    return document if isinstance(document, list) and document else None


def _rate(document: Any) -> float | None:
    if not isinstance(document, Mapping):
        return None
    inner = document.get("metadata")
    for holder in (document, inner if isinstance(inner, Mapping) else {}):
        for key in _RATE_KEYS:
            rate = holder.get(key)
            if isinstance(rate, (int, float)) and not isinstance(rate, bool) and 0.0 < rate < 1e4:
                return float(rate)
    return None


def _kinect_bodies(row: Any) -> bool:
    bodies = row.get("bodies") if isinstance(row, Mapping) else None
    return isinstance(bodies, list) and any(isinstance(body, Mapping) and "joint_positions" in body for body in bodies)


def _are_frames(rows: list[Any]) -> bool:
    """Return whether the items of a list are frames, by a number or time in each or by how little the points move."""
    if not all(isinstance(row, Mapping) for row in rows) or len(rows) < 2:
        return False
    if all(row.keys() & {*_NUMBER_KEYS, *_TIME_KEYS} for row in rows):
        return True
    if any(row.keys() & set(_ID_KEYS) for row in rows):
        return False
    people = [_landmarks(row, _POINT_KEYS) for row in rows]
    if (
        not all(people)
        or any(len(found) != 1 for found in people)
        or not all(_is_point(p) for f in people for p in f[0][1])
    ):
        return False
    points = [np.array([_coordinates(point)[:3] for point in found[0][1]], dtype=np.float64) for found in people]
    if len({each.shape for each in points}) > 1:
        return False
    step = float(np.nanmedian(np.linalg.norm(np.diff(points, axis=0), axis=-1)))
    return step < _MAX_STEP * float(np.nanmedian(np.nanmax(np.ptp(points, axis=1), axis=-1)))


def _landmarks(row: Any, keys: tuple[str, ...]) -> list[tuple[str, list[Any]]]:
    """Return the people of a frame, each a label and a list of landmarks; empty if the frame has another form."""
    if isinstance(row, Mapping):
        key = next((key for key in keys if row.get(key)), "")
        people = next((row[name] for name in _PEOPLE_KEYS if isinstance(row.get(name), list)), None)
        if not key and people is not None:
            found = [(label_of(person, _ID_KEYS, number), _landmarks(person, keys)) for number, person in
                     enumerate(people) if isinstance(person, Mapping)]  # fmt: skip
            return [(label, inner[0][1]) for label, inner in found if len(inner) == 1]
        row = _unflattened(row[key], key) if key else None
    if not isinstance(row, list) or not row:
        return []
    if _is_point(row[0]):
        return [("0", row)] if len(row) >= _MIN_POINTS else []
    inner = [person.get("landmark") if isinstance(person, Mapping) else person for person in row]
    if not all(isinstance(p, list) and len(p) >= _MIN_POINTS and _is_point(p[0]) for p in inner):
        return []
    return [(str(number), person) for number, person in enumerate(inner) if isinstance(person, list)]


def _unflattened(value: Any, key: str) -> Any:
    """Return the points of a list of numbers x, y, z, x, y, z .. under a key that says 3D; others as they are."""
    if "3d" not in key.lower() or not isinstance(value, list) or not all(isinstance(x, (int, float)) for x in value):
        return value
    count = len(value)
    width = 4 if count % 4 == 0 and (count % 3 or count // 4 in KNOWN_COUNTS) else 3
    return [value[first : first + width] for first in range(0, count - width + 1, width)]


def _is_point(value: Any) -> bool:
    if isinstance(value, Mapping):
        return {"x", "y"} <= value.keys()
    return isinstance(value, list) and len(value) in (3, 4) and all(isinstance(x, (int, float)) for x in value)


def _point(value: Any, path: Path) -> list[float]:
    """Return x, y, z and confidence of a landmark."""
    if not _is_point(value):
        raise TrackFileError(f"expected landmarks of x, y, z, found {str(value)[:60]!r} in {path}; export them again")
    if isinstance(value, Mapping) and "z" not in value:
        raise TrackFileError(
            f"expected landmarks with x, y and z, found x and y alone (2D) in {path}; export the world landmarks"
        )
    return _coordinates(value)


def _coordinates(value: Any) -> list[float]:
    if not isinstance(value, Mapping):
        return [*map(_number, value), 1.0][:4]
    trust = next((value[key] for key in _TRUST_KEYS if value.get(key) is not None), 1.0)
    return [_number(value.get("x")), _number(value.get("y")), _number(value.get("z")), _number(trust)]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and abs(value) < 1e300 else np.nan


def _read_landmarks(
    document: Any, rows: list[Any], keys: tuple[str, ...], numbers: np.ndarray | None, path: Path
) -> list[RawRecording]:
    """Read frames of landmarks: dictionaries or lists of x, y, z and visibility."""
    clip = PeopleClip(path, "MediaPipe JSON")
    by_order, counts = False, set()
    for index, row in enumerate(rows):
        people = _landmarks(row, keys)
        by_order |= len(people) > 1 and [label for label, _ in people] == [str(number) for number in range(len(people))]
        for person, points in people:
            clip.add(person, index, np.array([_point(point, path) for point in points], dtype=np.float64))
            counts.add(len(points))
    clip.kind = clip.kind if counts == {len(MEDIAPIPE_NAMES)} else "JSON"
    stated = folded(document) if isinstance(document, Mapping) else {}
    names = next((stated[key] for key in NAME_KEYS if isinstance(stated.get(key), list)), None)
    first = next(row for row in rows if _landmarks(row, keys))
    units = stated.get("units")
    is_world = isinstance(first, Mapping) and any(first.get(key) for key in _WORLD_KEYS)
    units = "m" if units is None and is_world and clip.kind == "MediaPipe JSON" else units
    return clip.recordings(
        len(rows),
        frames=numbers,
        times_s=_times(rows),
        fps=_rate(document),
        names=tuple(map(str, names)) if names is not None else _names_of(first, keys),
        units=units if isinstance(units, str) else None,
        notes=(BY_ORDER,) if by_order else (),
    )


def _names_of(row: Any, keys: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the names that the landmarks of a frame carry."""
    points = _landmarks(row, keys)[0][1]
    found = [str(point.get("name", "")) if isinstance(point, Mapping) else "" for point in points]
    return tuple(found) if found and all(found) and len(set(found)) == len(found) else None


def _stated_numbers(rows: list[Any]) -> np.ndarray | None:
    numbers = [next((row[key] for key in _NUMBER_KEYS if key in row), None) if isinstance(row, Mapping) else None
               for row in rows]  # fmt: skip
    if all(isinstance(number, int) and abs(number) < 1e12 for number in numbers):
        return np.array(numbers, dtype=np.float64)
    return None


def _times(rows: list[Any]) -> np.ndarray | None:
    """Return the times of the frames in seconds."""
    key = next((key for key in _TIME_KEYS if all(isinstance(row, Mapping) and key in row for row in rows)), None)
    if key is None:
        return None
    times = np.array([_number(row[key]) for row in rows])
    scale = _TIME_KEYS[key]
    return times * scale if scale is not None else times_in_seconds(times, key)[0]


def _read_kinect(document: Any, rows: list[Any], path: Path) -> list[RawRecording]:
    """Read the bodies that Azure Kinect's offline processor writes: `joint_positions` in millimetres, y down."""
    clip = PeopleClip(path, "Azure Kinect JSON")
    for index, row in enumerate(rows):
        bodies = row.get("bodies") if isinstance(row, Mapping) else None
        for number, body in enumerate(bodies if isinstance(bodies, list) else []):
            points = body.get("joint_positions") if isinstance(body, Mapping) else None
            if not isinstance(points, list) or not points or not all(map(_is_point, points)):
                raise TrackFileError(
                    f"expected joint_positions of x, y, z for each body, found {str(body)[:60]!r} in {path}; export "
                    "the body tracking as JSON again"
                )
            label = label_of(body, ("body_id", "id"), number)
            clip.add(label, index, np.array([_point(point, path)[:3] for point in points], dtype=np.float64))
    names = document.get("joint_names") if isinstance(document, Mapping) else None
    named = tuple(map(str, names)) if isinstance(names, list) else None
    times = _times(rows)
    return clip.recordings(
        len(rows), frames=_stated_numbers(rows), times_s=times, fps=_rate(document), names=named, units="mm"
    )


def _read_fit3d(document: Mapping[str, Any], path: Path) -> list[RawRecording]:
    """Read Fit3D's `joints3d_25` (F, 25, 3), or CHI3D's (2, F, 25, 3): Human3.6M's 17 joints, then hands and feet."""
    try:
        points = np.array(document[_FIT3D_KEY], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        points = np.empty(0)
    people = points[None] if points.ndim == 3 else points
    if people.ndim != 4 or people.shape[2:] != (25, 3) or not 1 <= len(people) <= MAX_PEOPLE:
        raise TrackFileError(
            f"expected {_FIT3D_KEY} (frames, 25, 3) as in Fit3D, or (people, frames, 25, 3) as in CHI3D, found "
            f"{points.shape} in {path}; give the file as published"
        )
    check_counts(len(people) * people.shape[1], 25, path)
    notes = ("Fit3D has 50 frames a second.", "Of its 25 joints, the 17 of Human3.6M are read.")
    return [
        RawRecording(
            person[:, :_NUM_H36M], np.ones((len(person), _NUM_H36M)), "Fit3D JSON", path,
            fps=_FIT3D_FPS, units="m", layout="h36m17", person=str(number) if len(people) > 1 else "", notes=notes,
        )
        for number, person in enumerate(people)
    ]  # fmt: skip
