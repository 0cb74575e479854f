"""JSON of Stereolabs' ZED: frames by their time, each with a list of bodies of 18, 34 or 38 keypoints. F frames.

Keys as in the samples of the ZED SDK (body tracking, export) and its live link; the names of the points are those of
its documentation. Confidence goes from 0 to 100. Unit and axes are those of the camera's settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .people_clip import PeopleClip, label_of, number_array
from .raw import RawRecording

KIND = "ZED JSON"
_BODIES, _POINTS, _CONFIDENCE = "body_list", "keypoint", "keypoint_confidence"
_SIDES = ("left", "right")


def _of_sides(*stems: str) -> tuple[str, ...]:
    return tuple(f"{side}_{stem}" for stem in stems for side in _SIDES)


def _of_side(side: str, *stems: str) -> tuple[str, ...]:
    return tuple(f"{side}_{stem}" for stem in stems)


_ARM, _LEG = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
NAMES = {
    18: (
        "nose", "neck", *_of_side("right", *_ARM), *_of_side("left", *_ARM), *_of_side("right", *_LEG),
        *_of_side("left", *_LEG), "right_eye", "left_eye", "right_ear", "left_ear",
    ),
    34: (
        "pelvis", "naval_spine", "chest_spine", "neck",
        *_of_side("left", "clavicle", *_ARM, "hand", "handtip", "thumb"),
        *_of_side("right", "clavicle", *_ARM, "hand", "handtip", "thumb"),
        *_of_side("left", *_LEG, "foot"), *_of_side("right", *_LEG, "foot"), "head", "nose",
        "left_eye", "left_ear", "right_eye", "right_ear", "left_heel", "right_heel",
    ),
    38: (
        "pelvis", "spine_1", "spine_2", "spine_3", "neck", "nose",
        *_of_sides("eye", "ear", "clavicle", *_ARM, *_LEG, "big_toe", "small_toe", "heel", "hand_thumb_4",
                   "hand_index_1", "hand_middle_4", "hand_pinky_1"),
    ),
}  # fmt: skip
"""Names of the keypoints of BODY_18, BODY_34 and BODY_38."""


def find_zed_frames(document: Any) -> list[tuple[float, list[Any]]] | None:
    """Return the time (seconds) and the bodies of each frame of a document in order; None if it is of another kind."""
    if isinstance(document, Mapping):
        document = [document] if _bodies(document) is not None else list(document.values())
    rows = document if isinstance(document, list) else []
    frames = [_bodies(row) for row in rows]
    if not frames or any(frame is None for frame in frames):
        return None
    return sorted((frame for frame in frames if frame is not None), key=lambda frame: frame[0])


def _bodies(row: Any) -> tuple[float, list[Any]] | None:
    inner = row.get("bodies") if isinstance(row, Mapping) else None
    row = inner if isinstance(inner, Mapping) else row
    bodies = row.get(_BODIES) if isinstance(row, Mapping) else None
    if not isinstance(bodies, list):
        return None
    stamp = row.get("timestamp")
    return (float(stamp) * 1e-9 if isinstance(stamp, int) and 0 <= stamp < 1 << 63 else 0.0), bodies


def read_zed(frames: list[tuple[float, list[Any]]], path: Path) -> list[RawRecording]:
    """Return one recording per person of the frames that `find_zed_frames` returned.

    Raises:
        TrackFileError: a body has no keypoints of x, y, z.
    """
    clip = PeopleClip(path, KIND)
    for row, (_, bodies) in enumerate(frames):
        for index, body in enumerate(bodies):
            clip.add(label_of(body if isinstance(body, Mapping) else {}, ("id",), index), row, _points(body, path))
    counts = {len(points) for rows in clip.people.values() for points in rows.values()}
    stamps = np.array([time_s for time_s, _ in frames])
    names = NAMES.get(counts.pop()) if len(counts) == 1 else None
    return clip.recordings(len(frames), times_s=stamps - stamps[0] if np.ptp(stamps) > 0.0 else None, names=names)


def _points(body: Any, path: Path) -> np.ndarray:
    """Return the points and their confidence (K, 4) of a body, NaN for those that ZED did not see."""
    stored = body.get(_POINTS) if isinstance(body, Mapping) else None
    rows = [[point.get(axis) for axis in "xyz"] if isinstance(point, Mapping) else point
            for point in stored] if isinstance(stored, list) else []  # fmt: skip
    points = number_array(rows, "the keypoints of each body", path)
    if points.ndim != 2 or points.shape[1] != 3:
        raise TrackFileError(
            f"expected keypoints of x, y, z in each body, found {points.shape} in {path}; export the body tracking in "
            "3D again"
        )
    trust = number_array(body.get(_CONFIDENCE, []), _CONFIDENCE, path).reshape(-1)
    trust = np.clip(trust / 100.0, 0.0, 1.0) if len(trust) == len(points) else np.ones(len(points))
    return np.column_stack([points, trust])
