"""JSON files of pose estimators: EasyMocap, OpenPose (both one file per frame) and MMPose. F frames, K points."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from ..layouts import LAYOUTS
from .easymocap_smpl import is_easymocap
from .json_producers import read_known
from .panoptic import is_panoptic_frame, read_panoptic
from .people_clip import BY_ORDER, PeopleClip, label_of
from .point_keys import POSITION_KEYS, recordings_under_keys
from .raw import MAX_FRAMES, RawRecording
from .solved_clip import is_solved
from .solved_files import easymocap_of, solved_of
from .textfile import decode_text, read_bytes

MAX_JSON_BYTES = 1 << 28
"""Largest JSON file that is read (256 MiB)."""
MAX_JSON_LISTS = 8_000_000
"""Most lists and objects of a JSON file; each costs memory however little it contains."""
MAX_FRAME_BYTES = 1 << 22
"""Largest file in a folder with one file per frame (4 MiB)."""
_LARGEST_FRAME = 10**12
_FRAME_NUMBER = re.compile(r"(\d{1,12})\D*$")
_BODY25_HANDS = LAYOUTS["body25_hands"]
_NUM_HAND_POINTS = 21
_NUM_BODY25 = 25
_MMPOSE_LAYOUTS = {
    "h36m": "h36m17",
    "coco": "coco17",
    "halpe26": "halpe26",
    "halpe": "halpe136",
    "coco_wholebody": "wholebody133",
    "h3wb": "wholebody133",
}


@dataclass
class _Clip(PeopleClip):
    """The people of a clip, by frame number, and what the file says of their points."""

    names: tuple[str, ...] | None = None
    layout: str | None = None
    units: str | None = None
    notes: list[str] = field(default_factory=list)
    zeros_missing: bool = False


def is_frame_document(document: Any) -> bool:
    """Return whether a JSON document holds the people of one frame, so that a folder of them is a clip."""
    if isinstance(document, dict):
        return _people_of(document) is not None or is_panoptic_frame(document)
    if not isinstance(document, list):
        return False
    first = next((item for item in document if isinstance(item, dict)), None)
    return (not document) if first is None else ("keypoints3d" in first or "keypoints" in first or is_easymocap(first))


def _people_of(frame: dict[str, Any]) -> list[Any] | None:
    """Return the people of a frame that is a dictionary: OpenPose's `people`, or `annots` with EasyMocap's bodies."""
    people = frame.get("people")
    if not isinstance(people, list):
        people = frame.get("annots")
        people = people if isinstance(people, list) and people and all(map(is_easymocap, people)) else None
    return people


def load_json(path: Path, limit: int = MAX_JSON_BYTES) -> Any:
    """Parse a JSON file within limits of size, number of lists and depth.

    Raises:
        TrackFileError: the file is damaged or too large.
    """
    text = decode_text(read_bytes(path, limit), path)
    count = text.count("[") + text.count("{")
    if count > MAX_JSON_LISTS:
        raise TrackFileError(f"expected at most {MAX_JSON_LISTS} lists, found {count} in {path}; split it")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TrackFileError(
            f"expected valid JSON, found damage ({str(error)[:100]}) in {path}; the file may be cut off, export it "
            "again"
        ) from error


def read_json(path: Path) -> list[RawRecording]:
    """Read one JSON file as one recording per person.

    Raises:
        TrackFileError: the file is damaged, or of an unknown kind.
    """
    document = load_json(path)
    if isinstance(document, dict) and is_solved(document) and not document.keys() & set(POSITION_KEYS):
        return solved_of(document, path) or []
    found = read_document(document, path, kind="JSON")
    if found is None:
        content = str(sorted(document))[:200] if isinstance(document, dict) else type(document).__name__
        raise TrackFileError(
            "expected keypoints of EasyMocap, OpenPose (pose_keypoints_3d), MMPose (instance_info), MediaPipe "
            f"(landmarks), Azure Kinect or CMU Panoptic (bodies), SAM 3D Body, or a list of frames with points by name "
            f'({{"LHip": [x, y, z]}}), found {content} in {path}; export 3D keypoints'
        )
    return found


def read_document(document: Any, path: Path, *, kind: str) -> list[RawRecording] | None:
    """Return one recording per person of a document; None if it is of an unknown kind.

    Args:
        document: lists, dictionaries, numbers and texts.
        path: the file.
        kind: the file's format, for the user, where the document shows no tool.

    Raises:
        TrackFileError: it is of a known kind, and damaged.
    """
    known = read_known(document, path)
    if known is not None:
        return known
    if is_frame_document(document):
        return _read_frames([(0, document)], path)
    if isinstance(document, list) and document and all(map(is_frame_document, document)):
        return _read_frames(enumerate(document), path)
    clip = _Clip(path, "MMPose JSON")
    if isinstance(document, dict) and isinstance(document.get("instance_info"), list):
        _read_meta(document.get("meta_info"), clip)
        document = document["instance_info"]
    if not isinstance(document, list) or not all(isinstance(item, dict) and "instances" in item for item in document):
        return recordings_under_keys(document, kind, path)
    numbers = set()
    for index, item in enumerate(document):
        frame = item.get("frame_id", index)
        if not isinstance(frame, int) or abs(frame) > _LARGEST_FRAME or not isinstance(item["instances"], list):
            raise _malformed(path, "frame_id and instances", item)
        numbers.add(frame)
        _add_instances(item["instances"], frame, clip)
    return _recordings(clip, sorted(numbers))


def frame_files(folder: Path) -> list[tuple[int, Path]]:
    """List the JSON files of a folder whose names end in a frame number, ordered by number."""
    files = []
    for path in folder.iterdir():
        match = _FRAME_NUMBER.search(path.stem) if path.suffix.lower() == ".json" else None
        if match and path.is_file():
            files.append((int(match.group(1)), path))
        if len(files) > MAX_FRAMES:
            raise TrackFileError(f"expected at most {MAX_FRAMES} files in {folder}; split it into shorter clips")
    return sorted(files)


def read_json_folder(folder: Path) -> list[RawRecording]:
    """Read a folder with one JSON file per frame as one recording per person; skipped numbers are missing frames.

    Raises:
        TrackFileError: there are no such files, or one of them is damaged.
    """
    files = frame_files(folder)
    if not files:
        raise TrackFileError(
            f"expected JSON files named by frame number (000000.json), found none in {folder}; "
            "give a file, or the folder that holds them"
        )
    numbers = [number for number, _ in files]
    if len(set(numbers)) < len(numbers):
        raise TrackFileError(
            f"expected one file per frame, found frame numbers twice in {folder}; keep one clip per folder"
        )
    return _read_frames(((number, load_json(path, MAX_FRAME_BYTES)) for number, path in files), folder)


def _read_frames(documents: Iterable[tuple[int, Any]], path: Path) -> list[RawRecording]:
    """Read a sequence of documents with one frame each."""
    clip: _Clip | None = None
    numbers = []
    for number, document in documents:
        if is_panoptic_frame(document):
            return read_panoptic([(number, document), *documents], path)
        frame = _frame_people(document, number, path)
        if frame and is_easymocap(frame[0]):
            rest = ((other, _frame_people(people, other, path)) for other, people in documents)
            return easymocap_of([(number, frame), *rest], path)
        numbers.append(number)
        if clip is None and frame:
            clip, add = _choose_kind(frame[0], path)
        if clip is not None:
            add(frame, number, clip)
    if clip is None:
        raise _no_people(path)
    return _recordings(clip, numbers)


def _frame_people(document: Any, number: int, path: Path) -> list[dict[str, Any]]:
    """Return the people of a frame's document."""
    if not is_frame_document(document):
        raise _malformed(path, f"the people of one frame in file {number}", document)
    frame = _people_of(document) or [] if isinstance(document, dict) else document
    if not all(isinstance(person, dict) for person in frame):
        raise _malformed(path, "a list of people", frame)
    return list(frame)


def _choose_kind(
    person: dict[str, Any], path: Path
) -> tuple[_Clip, Callable[[list[dict[str, Any]], int, _Clip], None]]:
    if "keypoints3d" in person:
        return _Clip(path, "EasyMocap JSON", units="m", zeros_missing=True), _add_easymocap
    if "keypoints" in person:
        return _Clip(path, "MMPose JSON"), _add_instances
    return _Clip(path, "OpenPose JSON", zeros_missing=True), _add_openpose


def _add_easymocap(frame: list[dict[str, Any]], number: int, clip: _Clip) -> None:
    for index, person in enumerate(frame):
        body = _points(person.get("keypoints3d"), clip.path)
        hands = [person.get("handl3d"), person.get("handr3d")]
        if len(body) == _NUM_BODY25 and any(hands):
            parts = [_points(hand, clip.path) if hand else np.zeros((_NUM_HAND_POINTS, 4)) for hand in hands]
            if all(len(part) == _NUM_HAND_POINTS for part in parts):
                body = np.concatenate([_with_confidence(part) for part in (body, *parts)])
        clip.add(label_of(person, ("id", "personID"), index), number, body)


def _add_openpose(frame: list[dict[str, Any]], number: int, clip: _Clip) -> None:
    for index, person in enumerate(frame):
        flat = person.get("pose_keypoints_3d")
        if not flat:
            found = "2D keypoints alone" if person.get("pose_keypoints_2d") else str(sorted(person))[:200]
            raise TrackFileError(
                f"expected pose_keypoints_3d, found {found} in {clip.path}; export 3D keypoints (x, y, z, confidence)"
            )
        values = _floats(flat, clip.path)
        if values.ndim != 1 or len(values) % 4:
            raise _malformed(clip.path, "x, y, z, confidence per point", flat)
        identity = person.get("person_id")
        identity = identity[0] if isinstance(identity, list) and identity else -1
        clip.add(
            str(identity) if isinstance(identity, int) and identity >= 0 else str(index), number, values.reshape(-1, 4)
        )


def _add_instances(frame: list[Any], number: int, clip: _Clip) -> None:
    for index, instance in enumerate(frame):
        if not isinstance(instance, dict):
            raise _malformed(clip.path, "instances as objects", instance)
        points = _points(instance.get("keypoints"), clip.path)
        scores = instance.get("keypoint_scores")
        if scores is not None:
            confidence = _floats(scores, clip.path)
            if confidence.shape != (len(points),):
                raise _malformed(clip.path, f"{len(points)} keypoint_scores", scores)
            points = np.column_stack([points[:, :3], confidence])
        clip.add(label_of(instance, ("track_id", "instance_id"), index), number, points)
        if index and not clip.notes and "track_id" not in instance and "instance_id" not in instance:
            clip.notes.append(BY_ORDER)


def _read_meta(meta: Any, clip: _Clip) -> None:
    """Read the point names and the data set from MMPose's description, if it is complete."""
    if not isinstance(meta, dict):
        return
    dataset = meta.get("dataset_name")
    clip.layout = _MMPOSE_LAYOUTS.get(dataset) if isinstance(dataset, str) else None
    names = meta.get("keypoint_id2name")
    if isinstance(names, dict) and all(isinstance(name, str) for name in names.values()):
        ordered = [names.get(str(index)) for index in range(len(names))]
        if None not in ordered:
            clip.names = tuple(name for name in ordered if name)


def _recordings(clip: _Clip, numbers: list[int]) -> list[RawRecording]:
    """Return one recording per person, all on the frames of the whole clip."""
    row_of_frame = {number: row for row, number in enumerate(numbers)}
    counts = {len(points) for frames in clip.people.values() for points in frames.values()}
    num_points = max(counts, default=0)
    padded_to = num_points if counts == {_NUM_BODY25, len(_BODY25_HANDS.points)} else 0
    for person, frames in clip.people.items():
        clip.people[person] = {
            row_of_frame[number]: _whole(points, clip, padded_to) for number, points in frames.items()
        }
    return clip.recordings(
        len(numbers),
        frames=np.array(numbers, dtype=np.float64),
        names=clip.names,
        layout=_layout(clip, num_points),
        units=clip.units,
        notes=clip.notes,
    )


def _whole(points: np.ndarray, clip: _Clip, padded_to: int) -> np.ndarray:
    """Return at least *padded_to* points (K, 4), with confidence, NaN for those that are missing in the file."""
    points = _with_confidence(points)
    if clip.zeros_missing:
        points[(points[:, :3] == 0.0).all(-1)] = np.nan
    return np.concatenate([points, np.full((max(padded_to - len(points), 0), 4), np.nan)])


def _layout(clip: _Clip, num_points: int) -> str | None:
    """Return the layout that the file states, if its points are as many."""
    layout = clip.layout
    if clip.kind == "EasyMocap JSON" and num_points == len(_BODY25_HANDS.points):
        layout = _BODY25_HANDS.name
    if clip.kind == "OpenPose JSON" and num_points == _NUM_BODY25:
        layout = "body25"
    return layout if layout is not None and len(LAYOUTS[layout].points) == num_points else None


def _points(value: Any, path: Path) -> np.ndarray:
    """Return the points (K, 3 or 4) of one person, with null as missing; an outer list, as in MMPose, is removed."""
    if isinstance(value, list) and None in value:
        width = max((len(point) for point in value if isinstance(point, list)), default=3)
        value = [[None] * width if point is None else point for point in value]
    points = _floats(value, path)
    if points.ndim == 3 and len(points) == 1:
        points = points[0]
    if points.ndim != 2 or points.shape[1] not in (3, 4) or not len(points):
        hint = "2D points" if points.ndim == 2 and points.shape[1] == 2 else f"numbers of shape {points.shape}"
        raise TrackFileError(f"expected points of x, y, z, found {hint} in {path}; export 3D keypoints")
    return points


def _with_confidence(points: np.ndarray) -> np.ndarray:
    return points if points.shape[1] == 4 else np.column_stack([points, np.ones(len(points))])


def _floats(value: Any, path: Path) -> np.ndarray:
    """Convert nested lists of numbers to an array; null becomes NaN."""
    if not isinstance(value, list):
        raise _malformed(path, "lists of numbers", value)
    try:
        return np.array(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise _malformed(path, "lists of numbers of equal length", value) from error


def _no_people(path: Path) -> TrackFileError:
    return TrackFileError(f"expected people, found frames without any in {path}; export a clip with detected people")


def _malformed(path: Path, expected: str, found: Any) -> TrackFileError:
    return TrackFileError(f"expected {expected}, found {str(found)[:80]!r} in {path}; export the keypoints again")
