"""JSON of further tools: MediaPipe landmarks, Azure Kinect, SAM 3D Body, Fit3D, bare lists, names. F frames, K points.

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
from .named_json import NamedFrames, find_named, read_named
from .people_clip import BY_ORDER, PeopleClip, label_of
from .raw import MAX_PEOPLE, RawRecording, check_counts
from .timeline import times_in_seconds

_FRAME_LIST_KEYS = ("frames", "landmarks_sequence", "sequence", "results", "data")
_WORLD_KEYS = ("pose_world_landmarks", "world_landmarks", "poseWorldLandmarks", "worldLandmarks")
_LANDMARK_KEYS = (*_WORLD_KEYS, "landmarks", "pose_landmarks", "poseLandmarks", "keypoints3D", "keypoints_3d", "joints")
_NUMBER_KEYS = ("frame_index", "frame", "frame_id", "frame_number", "frameNumber", "index")
_TIME_KEYS = {"timestamp_ms": 1e-3, "timestamp_usec": 1e-6, "timestamp_s": 1.0, "time": None, "timestamp": None}
_RATE_KEYS = ("fps", "frame_rate", "framerate", "frameRate")
_TRUST_KEYS = ("visibility", "score", "confidence")
_FIT3D_KEY, _FIT3D_FPS, _NUM_H36M = "joints3d_25", 50.0, 17
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
    rows = _frame_list(document)
    if rows is not None and any(isinstance(row, Mapping) and isinstance(row.get("bodies"), list) for row in rows):
        return _read_kinect(document, rows, path)
    if rows is not None and any(_landmarks(row) is not None for row in rows):
        return _read_landmarks(document, rows, path)
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


def _landmarks(row: Any) -> list[Any] | None:
    """Return the people of a frame, each a list of landmarks; None if the frame has another form."""
    if isinstance(row, Mapping):
        row = next((row[key] for key in _LANDMARK_KEYS if row.get(key)), None)
    if not isinstance(row, list) or not row:
        return None
    if _is_point(row[0]):
        return [row] if len(row) >= _MIN_POINTS else None
    inner = [person.get("landmark") if isinstance(person, Mapping) else person for person in row]
    return inner if all(isinstance(p, list) and len(p) >= _MIN_POINTS and _is_point(p[0]) for p in inner) else None


def _is_point(value: Any) -> bool:
    if isinstance(value, Mapping):
        return {"x", "y"} <= value.keys()
    return isinstance(value, list) and len(value) in (3, 4) and all(isinstance(x, (int, float)) for x in value)


def _point(value: Any, path: Path) -> list[float]:
    """Return x, y, z and confidence of a landmark."""
    if not _is_point(value):
        raise TrackFileError(f"expected landmarks of x, y, z, found {str(value)[:60]!r} in {path}; export them again")
    if not isinstance(value, Mapping):
        return [*map(_number, value), 1.0][:4]
    if "z" not in value:
        raise TrackFileError(
            f"expected landmarks with x, y and z, found x and y alone (2D) in {path}; export the world landmarks"
        )
    trust = next((value[key] for key in _TRUST_KEYS if value.get(key) is not None), 1.0)
    return [_number(value["x"]), _number(value["y"]), _number(value["z"]), _number(trust)]


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and abs(value) < 1e300 else np.nan


def _read_landmarks(document: Any, rows: list[Any], path: Path) -> list[RawRecording]:
    """Read frames of landmarks: dictionaries or lists of x, y, z and visibility."""
    clip = PeopleClip(path, "MediaPipe JSON")
    by_order = False
    for index, row in enumerate(rows):
        people = _landmarks(row) or []
        by_order |= len(people) > 1
        for person, points in enumerate(people):
            clip.add(str(person), index, np.array([_point(point, path) for point in points], dtype=np.float64))
    names = document.get("joint_names") if isinstance(document, Mapping) else None
    first = next(row for row in rows if _landmarks(row))
    named = tuple(map(str, names)) if isinstance(names, list) else _names_of(first)
    return clip.recordings(
        len(rows),
        frames=_stated_numbers(rows),
        times_s=_times(rows),
        fps=_rate(document),
        names=named,
        notes=(BY_ORDER,) if by_order else (),
    )


def _names_of(row: Any) -> tuple[str, ...] | None:
    """Return the names that the landmarks of a frame carry."""
    points = (_landmarks(row) or [[]])[0]
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
