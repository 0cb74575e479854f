"""Keys under which files hold arrays of points, and what they state beside them. F frames, K points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .people_clip import number_array
from .point_arrays import KNOWN_COUNTS, Metadata, as_positions, check_shape, people_of_array
from .raw import MAX_PEOPLE, RawRecording
from .solved_clip import START_KEY
from .timeline import stated_start

POSITION_KEYS = ("positions", "posed_joints", "reconstruction", "keypoints3d", "keypoints_3d", "joints3d", "joints_3d",
                 "poses_3d", "pred_3d", "joint_positions", "arr_0")  # fmt: skip
"""Keys of positions; a file with one of them is read as points whatever else it holds."""
RATE_KEYS = ("fps", "mocap_framerate", "mocap_frame_rate", "framerate", "frame_rate", "sampling_rate")
CONFIDENCE_KEYS = ("confidence", "confidences", "scores", "keypoint_scores", "visibility")
NAME_KEYS = ("names", "joint_names", "keypoint_names", "point_names", "marker_names", "labels", "markers")
METADATA_KEYS = (*RATE_KEYS, *NAME_KEYS, "layout", "units", "up_axis", START_KEY)
_POINT_WORDS = ("joint", "keypoint", "kpt", "kp3d", "point", "pose", "skeleton", "position", "xyz", "landmark")
_OTHER_WORDS = ("vert", "mesh", "cam", "rot", "2d", "velo", "face", "image", "quat", "offset", "local", "contact")
_MAX_DEPTH, _MAX_NESTED = 2, 4
"""Levels of dictionaries, and of lists, that are looked into."""


def folded(data: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the values of *data* by their keys in lower case."""
    return {str(key).lower(): value for key, value in data.items()}


def find_key(shapes: Mapping[str, tuple[int, ...]]) -> str | None:
    """Return the key of the positions among arrays of these *shapes*, or None.

    A known key comes first, then the only array that may hold points, then the only one that is named so and has the
    count of a known layout.
    """
    by_name = {name.lower(): name for name in shapes}
    stated = next((by_name[key] for key in POSITION_KEYS if key in by_name), None)
    if stated is not None:
        return stated
    shaped = [name for name, shape in shapes.items() if _may_be_points(name, shape)]
    if len(shaped) > 1:
        shaped = [name for name in shaped if shapes[name][-2] in KNOWN_COUNTS and _is_named_so(name)]
    return shaped[0] if len(shaped) == 1 else None


def _may_be_points(name: str, shape: tuple[int, ...]) -> bool:
    """Return whether an array may hold points: not the matrices of rotations."""
    is_matrix = len(shape) >= 3 and shape[-2:] in ((3, 3), (4, 4), (3, 4)) and (len(shape) > 3 or "rot" in name.lower())
    return len(shape) >= 3 and shape[-1] in (3, 4) and not is_matrix


def _is_named_so(name: str) -> bool:
    word = name.lower()
    return any(part in word for part in _POINT_WORDS) and not any(part in word for part in _OTHER_WORDS)


def find_confidence(shapes: Mapping[str, tuple[int, ...]], points: tuple[int, ...]) -> str | None:
    """Return the key of the confidence among arrays of these *shapes*, or None.

    An array named "confidence" must fit *points*, the shape of the positions; others of the names that tools use are
    only it if they fit.
    """
    by_name = {name.lower(): name for name in shapes}
    if CONFIDENCE_KEYS[0] in by_name:
        return by_name[CONFIDENCE_KEYS[0]]
    fitting = (points[:-1], (*points[:-1], 1))
    return next((by_name[key] for key in CONFIDENCE_KEYS if key in by_name and shapes[by_name[key]] in fitting), None)


def recordings_under_keys(data: Any, kind: str, path: Path, *, fps: float | None = None) -> list[RawRecording] | None:
    """Return the recordings of a dictionary with an array of points, or of one such dictionary per person; else None.

    Raises:
        TrackFileError: the array has another shape, or there are too many people.
    """
    return _under_keys(data, kind, path, fps, _MAX_DEPTH)


def _under_keys(data: Any, kind: str, path: Path, fps: float | None, depth: int) -> list[RawRecording] | None:
    if not isinstance(data, Mapping) or not data or not depth:
        return None
    arrays = {str(key): value for key, value in data.items() if _is_array(value)}
    key = find_key({name: _shape(value) for name, value in arrays.items()})
    if key is not None:
        stored = arrays[key]
        positions = as_positions(stored, path) if isinstance(stored, np.ndarray) else number_array(stored, key, path)
        check_shape(positions.shape, path)
        trust = find_confidence({name: _shape(value) for name, value in arrays.items()}, positions.shape)
        confidence = None if trust is None else number_array(arrays[trust], trust, path)
        return people_of_array(positions, confidence, read_metadata(folded(data), path, fps), kind, path)
    if not 1 <= len(data) <= MAX_PEOPLE or not all(isinstance(person, Mapping) for person in data.values()):
        return None
    people = [_under_keys(person, kind, path, fps, depth - 1) for person in data.values()]
    if any(found is None or len(found) != 1 for found in people):
        return None
    if len(people) == 1:
        return people[0]
    return [replace(found[0], person=str(label)[:60]) for label, found in zip(data, people, strict=True) if found]


def _is_array(value: Any) -> bool:
    return isinstance(value, (np.ndarray, list, tuple)) and len(_shape(value)) > 1


def _shape(value: Any) -> tuple[int, ...]:
    """Return the shape of an array or, by their first items, of nested lists."""
    if isinstance(value, np.ndarray):
        return value.shape if value.dtype.kind in "fiu" else ()
    shape: list[int] = []
    while isinstance(value, (list, tuple)) and value and len(shape) < _MAX_NESTED:
        shape.append(len(value))
        value = value[0]
    shape += value.shape if isinstance(value, np.ndarray) else ()
    return tuple(shape) if isinstance(value, (int, float, np.ndarray)) else ()


def read_metadata(stated: Mapping[str, Any], path: Path, fps: float | None = None) -> Metadata:
    """Return what a file states under the keys in lower case *stated*; *fps* is what it states elsewhere.

    Raises:
        TrackFileError: the frame rate is not above 0.
    """

    def text(key: str) -> str | None:
        values = _texts(stated.get(key))
        return values[0] if len(values) == 1 and values[0] else None

    rates = [rate for key in RATE_KEYS if (rate := rate_of(stated.get(key), path)) is not None]
    names = next((names for key in NAME_KEYS if (names := _texts(stated.get(key)))), None)
    start_s = stated_start(stated.get(START_KEY))
    return Metadata(rates[0] if rates else fps, text("layout"), text("units"), text("up_axis"), names, start_s)


def rate_of(value: Any, path: Path) -> float | None:
    """Return a stored frame rate, or None if it is not one number.

    Raises:
        TrackFileError: it is not above 0.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.ndarray, np.generic)):
        return None
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "fiu":
        return None
    fps = float(array.reshape(-1)[0])
    if not (np.isfinite(fps) and fps > 0.0):
        raise TrackFileError(f"expected a frame rate above 0, found {fps} in {path}; save 'fps' as one number")
    return fps


def _texts(value: Any) -> tuple[str, ...]:
    """Return a text, a list of texts or an array of them as a tuple; empty if it is something else."""
    if isinstance(value, np.ndarray):
        value = value.reshape(-1).tolist() if value.dtype.kind in "USO" else ()
    items = (value,) if isinstance(value, (str, bytes)) else value if isinstance(value, (list, tuple)) else ()
    if not all(isinstance(item, (str, bytes)) for item in items):
        return ()
    return tuple(item.decode("latin-1") if isinstance(item, bytes) else str(item) for item in items)
