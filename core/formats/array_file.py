"""Keypoints in NPY and NPZ files. F frames, K points, P people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from ..io import npz
from .humanml3d import NUM_HUMANML3D, read_humanml3d
from .other_kinds import refuse_other_archives
from .plain_data import recordings_of
from .raw import MAX_CELLS, MAX_PEOPLE, RawRecording, check_counts
from .sam3d_body import PLACE_KEY, POINTS_KEY
from .solved_clip import KEYS, START_KEY, is_solved
from .timeline import stated_start

NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
_MAX_ARRAY_BYTES = MAX_CELLS * 8
_TOOL_KEYS = (POINTS_KEY, "positions_3d")
"""Keys of tools whose files are read by `plain_data`."""
_POSITION_KEYS = (
    *_TOOL_KEYS,
    "positions",
    "posed_joints",
    "reconstruction",
    "keypoints3d",
    "keypoints_3d",
    "joints3d",
    "joints_3d",
    "poses_3d",
    "pred_3d",
    "joint_positions",
    "arr_0",
)
_KNOWN_COUNTS = (14, 16, 17, 19, 22, 24, 25, 26, 32, 33, 52, 55, 67, 70, 75, 77, 133)
"""Point counts of known layouts, used to distinguish x, y, z columns from x, y, z, confidence columns."""
_MAX_STEP = 0.5
"""Successive frames move points by less than this fraction of the distance between neighbouring points."""
_METADATA_KEYS = ("layout", "units", "up_axis", "names")
_MAX_METADATA_BYTES = 1 << 22
_RATE_KEYS = ("fps", "mocap_framerate", "framerate", "frame_rate")


@dataclass(frozen=True)
class _Metadata:
    """What an NPZ states besides positions and confidence."""

    fps: float | None = None
    layout: str | None = None
    units: str | None = None
    up_axis: str | None = None
    names: tuple[str, ...] | None = None
    start_s: float = 0.0


def read_npy(path: Path) -> list[RawRecording]:
    """Read an NPY file of (F, K, 3), (F, K, 4), (F, K * 3) or (P, F, K, 3) positions.

    Raises:
        TrackFileError: the file is damaged or has another shape.
    """
    array = npz.read_npy(path, error=TrackFileError, max_bytes=_MAX_ARRAY_BYTES, objects=True)
    if array.dtype.hasobject:
        return recordings_of(array, path)
    if array.ndim == 2 and array.shape[1] == NUM_HUMANML3D:
        return read_humanml3d(array, path)
    return _recordings(_positions(array, path), None, _Metadata(), "NPY", path)


def read_npz(path: Path) -> list[RawRecording]:
    """Read an NPZ file: our own (`positions`, `confidence`, `fps`, `layout`, `names`, `start_s`) or one of a network.

    Raises:
        TrackFileError: the file is damaged or has no positions.
    """
    headers = npz.npz_headers(path, error=TrackFileError)
    if not headers:
        refuse_other_archives(path)
    key = next((name for name in _POSITION_KEYS if name in headers), None)
    if key is None or key in _TOOL_KEYS or headers[key].dtype.hasobject:
        objects = _read_objects(path, headers)
        if objects is not None:
            return objects
    if key is None and is_solved(headers.keys()):
        arrays = npz.read_npz(path, KEYS, error=TrackFileError, max_bytes=2 * _MAX_ARRAY_BYTES, objects=True)
        return recordings_of(arrays, path)
    if key is None:
        shaped = [name for name, header in headers.items() if _may_be_points(name, header.shape)]
        if len(shaped) != 1:
            raise TrackFileError(
                f"expected an array named 'positions' (frames, points, 3), or SMPL's parameters (poses, trans, betas), "
                f"found {str(sorted(headers))[:200]} in {path}; save it that way"
            )
        key = shaped[0]
    _check_header(headers[key].shape, path)
    metadata = [
        name
        for name in (*_METADATA_KEYS, *_RATE_KEYS, START_KEY)
        if name in headers and headers[name].num_bytes < _MAX_METADATA_BYTES
    ]
    wanted = (key, "confidence", *metadata)
    arrays = npz.read_npz(path, wanted, error=TrackFileError, max_bytes=2 * _MAX_ARRAY_BYTES)
    confidence = _numbers(arrays["confidence"], path) if "confidence" in arrays else None
    return _recordings(_positions(arrays[key], path), confidence, _read_metadata(arrays, path), "NPZ", path)


def _may_be_points(name: str, shape: tuple[int, ...]) -> bool:
    """Return whether an array may hold points: not the matrices of rotations."""
    is_matrix = len(shape) >= 3 and shape[-2:] in ((3, 3), (4, 4), (3, 4)) and (len(shape) > 3 or "rot" in name.lower())
    return len(shape) >= 3 and shape[-1] in (3, 4) and not is_matrix


def _read_objects(path: Path, headers: Mapping[str, npz.ArrayHeader]) -> list[RawRecording] | None:
    """Read the NPZ of a tool whose keys are known, or that holds Python objects; None if it has neither."""
    wanted = [name for name, header in headers.items() if header.dtype.hasobject]
    wanted += [name for name in (*_TOOL_KEYS, PLACE_KEY, *_RATE_KEYS) if name in headers and name not in wanted]
    if not any(name in wanted for name in _TOOL_KEYS) and not any(headers[name].dtype.hasobject for name in wanted):
        return None
    arrays = npz.read_npz(path, wanted, error=TrackFileError, max_bytes=2 * _MAX_ARRAY_BYTES, objects=True)
    fps = next((_rate_of(arrays[key], path) for key in _RATE_KEYS if key in arrays), None)
    if len(arrays) == 1 and not any(name in arrays for name in _TOOL_KEYS):
        return recordings_of(next(iter(arrays.values())), path, fps=fps)
    return recordings_of(arrays, path, fps=fps)


def _check_header(shape: tuple[int, ...], path: Path) -> None:
    """Reject shapes that cannot be positions before unpacking: zeros compress a thousandfold."""
    if len(shape) not in (2, 3, 4) or (
        shape[-1] not in (3, 4) and (len(shape) > 2 or (shape[-1] % 3 and shape[-1] % 4))
    ):
        raise _wrong_shape(shape, path)
    if len(shape) > 2:
        check_counts(math.prod(shape[:-2]), shape[-2], path)
    else:
        check_counts(shape[0], max(shape[1] // 4, 1), path)


def _wrong_shape(shape: tuple[int, ...], path: Path) -> TrackFileError:
    return TrackFileError(
        f"expected an array (frames, points, 3) or (people, frames, points, 3), found {shape} in {path}; "
        "save it in one of these shapes"
    )


def _positions(array: np.ndarray, path: Path) -> np.ndarray:
    if array.dtype.itemsize < 2:
        raise TrackFileError(
            f"expected positions as numbers, found {array.dtype}, which has 256 at most, in {path}; save a float array"
        )
    return _numbers(array, path)


def _numbers(array: np.ndarray, path: Path) -> np.ndarray:
    if array.dtype.kind not in "fiu":
        raise TrackFileError(f"expected positions as numbers, found {array.dtype} in {path}; save a float array")
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(np.float64)


def _recordings(
    array: np.ndarray, confidence: np.ndarray | None, metadata: _Metadata, kind: str, path: Path
) -> list[RawRecording]:
    notes: list[str] = []
    people, confidence = _to_people(array, confidence, notes, path)
    check_counts(people.shape[1] * len(people), people.shape[2], path)
    recordings = []
    for person, points in enumerate(people):
        point_confidence = np.ones(points.shape[:2])
        if points.shape[-1] == 4:
            point_confidence = points[..., 3]
        if confidence is not None:
            point_confidence = confidence[person]
        recordings.append(
            RawRecording(
                points[..., :3],
                np.nan_to_num(point_confidence, nan=0.0),
                kind,
                path,
                names=metadata.names,
                fps=metadata.fps,
                units=metadata.units,
                up_axis=metadata.up_axis,
                layout=metadata.layout,
                person=str(person) if len(people) > 1 else "",
                start_s=metadata.start_s,
                notes=tuple(notes),
            )
        )
    return recordings


def _to_people(
    array: np.ndarray, confidence: np.ndarray | None, notes: list[str], path: Path
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return positions (P, F, K, 3 or 4) and confidence (P, F, K)."""
    if array.ndim == 2:
        array = _unflatten(array, notes)
    if array.ndim not in (3, 4) or array.shape[-1] not in (3, 4):
        raise _wrong_shape(array.shape, path)
    if array.ndim == 3:
        array = array[None]
        confidence = None if confidence is None else confidence[None]
    elif _has_frames_first(array):
        array = array.swapaxes(0, 1)
        confidence = None if confidence is None or confidence.ndim < 3 else confidence.swapaxes(0, 1)
        notes.append(f"Read as (frames, people, points, {array.shape[-1]}).")
    if array.shape[0] > MAX_PEOPLE or array.shape[0] == 0:
        raise TrackFileError(f"expected 1 to {MAX_PEOPLE} people, found an array {array.shape} in {path}; split it")
    if confidence is not None and confidence.shape == (*array.shape[:3], 1):
        confidence = confidence[..., 0]
    if confidence is not None and confidence.shape != array.shape[:3]:
        raise TrackFileError(
            f"expected one confidence for each of {array.shape[:3]} points, found {confidence.shape} in {path}; "
            "save both of the same frames and points"
        )
    return array, confidence


def _has_frames_first(array: np.ndarray) -> bool:
    """Return whether *array* is (F, P, K, 3) rather than (P, F, K, 3).

    Decided by the counts, else by how far points move along each axis: less from frame to frame than from person to
    person.
    """
    first, second = array.shape[:2]
    if max(first, second) > MAX_PEOPLE:
        return first > MAX_PEOPLE >= second
    if first == 1:
        return False
    if second == 1:
        return _typical_length(np.diff(array, axis=0)) < _MAX_STEP * _typical_length(np.diff(array, axis=2))
    return _typical_length(np.diff(array, axis=0)) < _typical_length(np.diff(array, axis=1))


def _typical_length(vectors: np.ndarray) -> float:
    """Return the median length of the finite vectors (..., 3 or more), or infinity if there are none."""
    lengths = np.linalg.norm(vectors[..., :3], axis=-1)
    lengths = lengths[np.isfinite(lengths)]
    return float(np.median(lengths)) if lengths.size else np.inf


def _unflatten(array: np.ndarray, notes: list[str]) -> np.ndarray:
    """Reshape (F, K * 3) or (F, K * 4) to (F, K, 3) or (F, K, 4), and a single frame (K, 3) to (1, K, 3)."""
    rows, columns = array.shape
    if columns in (3, 4):
        return array[None]
    as_xyz, as_xyzc = columns % 3 == 0, columns % 4 == 0
    if as_xyzc and (not as_xyz or (columns // 4 in _KNOWN_COUNTS and columns // 3 not in _KNOWN_COUNTS)):
        notes.append(f"{columns} columns read as {columns // 4} points of x, y, z, confidence.")
        return array.reshape(rows, columns // 4, 4)
    if as_xyz and columns:
        notes.append(f"{columns} columns read as {columns // 3} points of x, y, z.")
        return array.reshape(rows, columns // 3, 3)
    return array


def _read_metadata(arrays: Mapping[str, np.ndarray], path: Path) -> _Metadata:
    def text(key: str) -> str | None:
        values = _texts(arrays[key]) if key in arrays else ()
        return values[0] if len(values) == 1 and values[0] else None

    fps = None
    for key in _RATE_KEYS:
        if key in arrays:
            fps = _rate_of(arrays[key], path) or fps
    names = _texts(arrays.get("names")) or None
    return _Metadata(fps, text("layout"), text("units"), text("up_axis"), names, stated_start(arrays.get(START_KEY)))


def _rate_of(array: np.ndarray, path: Path) -> float | None:
    """Return a stored frame rate, or None if it is not one number."""
    if array.size != 1 or array.dtype.kind not in "fiu":
        return None
    fps = float(array.reshape(-1)[0])
    if not (np.isfinite(fps) and fps > 0.0):
        raise TrackFileError(f"expected a frame rate above 0, found {fps} in {path}; save 'fps' as one number")
    return fps


def _texts(array: np.ndarray | None) -> tuple[str, ...]:
    if array is None or array.dtype.kind not in "US":
        return ()
    return tuple(
        item.decode("latin-1") if isinstance(item, bytes) else str(item) for item in array.reshape(-1).tolist()
    )
