"""SAM 3D Body and its derivatives: 70 points (MHR 70) of each person in each image. F frames, K points, P people.

The points are in the camera's axes, x right, y down, z away, in metres. `pred_keypoints_3d` is relative to the root of
the body; `pred_cam_t` is where that is. Keys as in the demo of facebookresearch/sam-3d-body.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from ..layouts import MHR70
from .people_clip import BY_ORDER, PeopleClip, label_of, number_array
from .raw import RawRecording, check_counts

KIND = "SAM 3D Body"
POINTS_KEY = "pred_keypoints_3d"
PLACE_KEY = "pred_cam_t"
_LIST_KEYS = ("outputs", "people", "persons", "predictions", "frames", "results", "detections")
_PERSON_KEYS = ("track_id", "person_id", "id", "obj_id")
_NUM_SAPIENS = 308
_HIPS = (MHR70.names.index("left_hip"), MHR70.names.index("right_hip"))
_SHOULDERS = (MHR70.names.index("left_shoulder"), MHR70.names.index("right_shoulder"))
_NEXT_TO_AXIS, _STILL = 0.3, 0.25
"""Without a place, the hips stay so close to the camera's axis and to their own median, in lengths of the trunk."""
_OTHER_PERSON_M = 0.2
"""Rows whose points are farther apart than this are people in one image; successive frames are closer."""

_NO_PLACE = (
    "The points are relative to the root of the body (no pred_cam_t): the place in the room is unknown, and the hips "
    "are put at the origin."
)


def is_person(value: Any) -> bool:
    """Return whether *value* is a person in the output of SAM 3D Body."""
    return isinstance(value, Mapping) and POINTS_KEY in value


def find_frames(data: Any) -> list[list[Mapping[Any, Any]]] | None:
    """Return the people of each frame in lists and dictionaries of any nesting that its users save; None if not so.

    Known are a person, a list of people (one image) or of frames, a dictionary of frames by name, each frame a list,
    a dictionary with such a list, or a person.
    """
    if is_person(data):
        return [[data]]
    if isinstance(data, Mapping):
        key = next((key for key in _LIST_KEYS if isinstance(data.get(key), (list, tuple, Mapping))), None)
        if key is not None:
            return find_frames(data[key])
        frames = [data[key] for key in sorted(data, key=_natural)]
    elif isinstance(data, (list, tuple)):
        frames = list(data)
    else:
        return None
    people = [_people_of(frame) for frame in frames]
    if any(found is None for found in people) or not any(people):
        return None
    return [found or [] for found in people]


def _natural(key: object) -> tuple[int, str]:
    digits = "".join(character for character in str(key) if character.isdecimal())[-12:]
    return int(digits or 0), str(key)


def _people_of(frame: Any) -> list[Mapping[Any, Any]] | None:
    """Return the people of one frame; None if this is no frame."""
    if frame is None:
        return []
    if is_person(frame):
        return [frame]
    if isinstance(frame, Mapping):
        frame = next((frame[key] for key in _LIST_KEYS if isinstance(frame.get(key), (list, tuple))), None)
    if isinstance(frame, np.ndarray) and frame.dtype.hasobject:
        frame = frame.reshape(-1).tolist()
    if not isinstance(frame, (list, tuple)) or not all(is_person(person) for person in frame):
        return None
    return list(frame)


def read_frames(frames: Sequence[Sequence[Mapping[Any, Any]]], fps: float | None, path: Path) -> list[RawRecording]:
    """Return one recording per person of the people in each frame.

    Raises:
        TrackFileError: there are no people, or the points are not as SAM 3D Body writes them.
    """
    if len(frames) == 1 and len(frames[0]) == 1:
        only = frames[0][0]
        stack = number_array(only[POINTS_KEY], POINTS_KEY, path)
        if stack.ndim > 2:
            return read_stack(stack, only.get(PLACE_KEY), fps, path)
    check_counts(max(sum(map(len, frames)), 1), len(MHR70.points), path)
    clip = PeopleClip(path, KIND)
    by_order = False
    for row, people in enumerate(frames):
        for index, person in enumerate(people):
            points = _placed(person, path)
            by_order |= index > 0 and not any(key in person for key in _PERSON_KEYS)
            clip.add(label_of(dict(person), _PERSON_KEYS, index), row, _body(points, path))
    notes = (BY_ORDER,) if by_order else ()
    return clip.recordings(len(frames), fps=fps, layout=MHR70.name, units="m", notes=notes)


def _placed(person: Mapping[Any, Any], path: Path) -> np.ndarray:
    """Return the points (K, 3) of a person in the camera's axes, moved to the place in the scene if it is known."""
    points = number_array(person[POINTS_KEY], POINTS_KEY, path)
    if points.size % 3:
        raise _wrong(points.shape, path)
    points, place = points.reshape(-1, 3), person.get(PLACE_KEY)
    if place is None:
        return points
    offset = number_array(place, PLACE_KEY, path).reshape(-1)
    if len(offset) < 3:
        raise TrackFileError(
            f"expected a {PLACE_KEY} of 3 numbers, found {len(offset)} in {path}; save it as SAM 3D Body returns it"
        )
    placed: np.ndarray = points + offset[-3:]
    return placed


def read_stack(points: np.ndarray, places: Any, fps: float | None, path: Path) -> list[RawRecording]:
    """Return the recordings of points (70, 3), (F or P, 70, 3) or (F, P, 70, 3) and their places (..., 3) or None.

    The first axis of three is people if successive rows are too far apart to be frames.
    """
    if points.ndim not in (2, 3, 4) or points.shape[-1] != 3:
        raise _wrong(points.shape, path)
    points = points[None] if points.ndim == 2 else points
    if places is not None:
        offset = number_array(places, PLACE_KEY, path)
        if offset.size != 3 * int(np.prod(points.shape[:-2])):
            raise TrackFileError(
                f"expected a {PLACE_KEY} of 3 numbers for each of {points.shape[:-2]} people, found {offset.shape} in "
                f"{path}; save both of the same people"
            )
        points = points + offset.reshape(*points.shape[:-2], 1, 3)
    if points.ndim == 3:
        steps = np.linalg.norm(np.diff(points, axis=0), axis=-1)
        are_people = len(points) > 1 and float(np.nanmedian(steps)) > _OTHER_PERSON_M
        points = points[None] if are_people else points[:, None]
        what = f"{points.shape[1]} people in one image" if are_people else "frames of one person"
        notes = (f"Read as {what}.",)
    else:
        notes = ("Read as (frames, people, points, 3).",)
    clip = PeopleClip(path, KIND)
    for row, people in enumerate(points):
        for index, person in enumerate(people):
            clip.add(str(index), row, _body(person, path))
    return clip.recordings(len(points), fps=fps, layout=MHR70.name, units="m", notes=notes)


def _body(points: np.ndarray, path: Path) -> np.ndarray:
    if points.ndim != 2 or len(points) not in (len(MHR70.points), _NUM_SAPIENS):
        raise _wrong(points.shape, path)
    return points[: len(MHR70.points)]


def _wrong(shape: tuple[int, ...], path: Path) -> TrackFileError:
    return TrackFileError(
        f"expected {POINTS_KEY} of 70 points of x, y, z, found {shape} in {path}; save it as SAM 3D Body returns it"
    )


def describe_points(recording: RawRecording) -> RawRecording:
    """Describe 70 points in the order of MHR, and put the hips at the origin if no translation was added.

    Of 308 points (Sapiens), the first 70 are kept.
    """
    names = None if recording.names is None else tuple(name.removesuffix("_3D") for name in recording.names)
    notes = list(recording.notes)
    if names is None and recording.num_points == _NUM_SAPIENS and recording.layout is None:
        kept = slice(len(MHR70.points))
        recording = replace(recording, positions=recording.positions[:, kept], confidence=recording.confidence[:, kept])
        notes.append("Of 308 points, the first 70 are read, which are those of MHR 70.")
    is_named = names is not None and {"left_olecranon", "right_cubital_fossa", "left_acromion"} <= set(names)
    if recording.num_points != len(MHR70.points) or not (
        is_named or (names is None and recording.layout in (None, MHR70.name))
    ):
        return recording
    order = MHR70.names if names is None else names
    hips, trunk = _hips_and_trunk(recording.positions, order)
    seen = np.isfinite(hips).all(-1)
    middle = np.median(hips[seen], axis=0) if seen.any() else np.full(3, np.inf)
    off = np.linalg.norm(hips[seen] - middle, axis=-1)
    if seen.any() and np.hypot(middle[0], middle[2]) < _NEXT_TO_AXIS * trunk and off.max() < _STILL * trunk:
        hips = np.where(seen[:, None], hips, middle)
        recording = replace(recording, positions=recording.positions - hips[:, None])
        notes.append(_NO_PLACE)
    return replace(recording, names=names, kind=KIND, notes=tuple(notes))


def _hips_and_trunk(positions: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, float]:
    """Return the middle of the hips (F, 3) and the typical length of the trunk."""
    ends = []
    for pair in (_HIPS, _SHOULDERS):
        places = [names.index(MHR70.names[index]) for index in pair if MHR70.names[index] in names]
        ends.append(positions[:, places].mean(axis=1) if len(places) == 2 else np.full((len(positions), 3), np.nan))
    lengths = np.linalg.norm(ends[1] - ends[0], axis=-1)
    lengths = lengths[np.isfinite(lengths)]
    return ends[0], float(np.median(lengths)) if lengths.size else 0.0
