"""Arrays of points to one recording per person, whatever the order of their axes. F frames, K points, P people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .raw import MAX_PEOPLE, RawRecording, check_counts

KNOWN_COUNTS = (14, 15, 16, 17, 19, 21, 22, 24, 25, 26, 28, 32, 33, 52, 55, 67, 70, 75, 77, 133)
"""Point counts of known layouts, used to tell points from frames, and x, y, z from x, y, z, confidence."""
_AXES = 3
_MAX_STEP = 0.5
"""Successive frames move points by less than this fraction of the distance between neighbouring points."""


@dataclass(frozen=True)
class Metadata:
    """What a file states besides positions and confidence."""

    fps: float | None = None
    layout: str | None = None
    units: str | None = None
    up_axis: str | None = None
    names: tuple[str, ...] | None = None
    start_s: float = 0.0


def check_shape(shape: tuple[int, ...], path: Path) -> None:
    """Reject shapes that cannot be positions before unpacking: zeros compress a thousandfold.

    Raises:
        TrackFileError: an array of this shape does not hold positions, or too many.
    """
    if len(shape) == 2 and not (shape[1] % 3 and shape[1] % 4):
        check_counts(shape[0], max(shape[1] // 4, 1), path)
    elif len(shape) in (3, 4) and shape[-1] in (3, 4):
        check_counts(math.prod(shape[:-2]), shape[-2], path)
    elif len(shape) in (3, 4) and _AXES in shape:
        others = sorted(shape[: shape.index(_AXES)] + shape[shape.index(_AXES) + 1 :])
        check_counts(math.prod(others[1:]), others[0], path)
    else:
        raise _wrong_shape(shape, path)


def _wrong_shape(shape: tuple[int, ...], path: Path) -> TrackFileError:
    return TrackFileError(
        f"expected an array (frames, points, 3) or (people, frames, points, 3), found {shape} in {path}; "
        "save it in one of these shapes"
    )


def as_positions(array: np.ndarray, path: Path) -> np.ndarray:
    """Return an array that is read as positions in float64.

    Raises:
        TrackFileError: it holds no numbers, or bytes.
    """
    if array.dtype.itemsize < 2:
        raise TrackFileError(
            f"expected positions as numbers, found {array.dtype}, which has 256 at most, in {path}; save a float array"
        )
    return as_numbers(array, path)


def as_numbers(array: np.ndarray, path: Path) -> np.ndarray:
    """Return an array of numbers in float64.

    Raises:
        TrackFileError: it holds none.
    """
    if array.dtype.kind not in "fiu":
        raise TrackFileError(f"expected positions as numbers, found {array.dtype} in {path}; save a float array")
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(np.float64)


def people_of_array(
    array: np.ndarray, confidence: np.ndarray | None, metadata: Metadata, kind: str, path: Path
) -> list[RawRecording]:
    """Return one recording per person of an array.

    Args:
        array: (F, K, 3 or 4), the last with the confidence; (F, K * 3 or 4); (P, F, K, 3 or 4) or (F, P, K, 3 or 4);
            or with these axes in another order that the counts show.
        confidence: (F, K) or (P, F, K), or None.
        metadata: what the file states.
        kind: the file's format, for the user.
        path: the file.

    Raises:
        TrackFileError: the array has another shape, or too many people.
    """
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
    array = _with_axes_last(array, notes)
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


def _with_axes_last(array: np.ndarray, notes: list[str]) -> np.ndarray:
    """Return an array with x, y, z in the last axis and the points before, where the counts show another order.

    Known are (F, 3, K), (K, 3, F), (3, F, K), (3, K, F), (K, F, 3) and, as MDM has it, (N, K, 3, F).
    """
    before = array.shape
    if array.ndim == 4 and before[2] == _AXES and before[3] not in (3, 4):
        array = np.moveaxis(array, 3, 1)
    elif array.ndim == 3 and before[-1] not in (3, 4) and _AXES in before[:2]:
        array = np.moveaxis(array, 1 if before[1] == _AXES else 0, 2)
        if array.shape[0] in KNOWN_COUNTS and array.shape[1] not in KNOWN_COUNTS:
            array = array.swapaxes(0, 1)
    elif array.ndim == 3 and before[0] in KNOWN_COUNTS and before[1] not in KNOWN_COUNTS and before[0] > 1:
        along_first, along_second = (_typical_length(np.diff(array, axis=axis)) for axis in (0, 1))
        if along_second < _MAX_STEP * along_first:
            array = array.swapaxes(0, 1)
    if array.shape != before:
        notes.append(f"The array {before} is read as {array.shape}: frames, points and x, y, z in this order.")
    return array


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
    if as_xyzc and (not as_xyz or (columns // 4 in KNOWN_COUNTS and columns // 3 not in KNOWN_COUNTS)):
        notes.append(f"{columns} columns read as {columns // 4} points of x, y, z, confidence.")
        return array.reshape(rows, columns // 4, 4)
    if as_xyz and columns:
        notes.append(f"{columns} columns read as {columns // 3} points of x, y, z.")
        return array.reshape(rows, columns // 3, 3)
    return array
