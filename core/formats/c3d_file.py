"""C3D: the binary files of motion capture systems.

The `c3d` package reads the container (processor types, header, parameters). The frames are decoded here in one block,
because only the markers are needed and every size is checked against the file first. F frames, K points.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .c3d_parameters import field, ieee_floats, integer, numbered_strings, strings, value
from .c3d_rotations import has_rotations, read_rotations
from .raw import MAX_FILE_BYTES, MAX_PEOPLE, RawRecording, check_counts

KIND = "C3D"
_BLOCK = 512
_MAX_PARAMETER_BLOCKS = 255
_FIRST_PRINTABLE = 32
"""Pointers from this value on are printable characters, so the file may be text."""
_PROCESSORS = (b"\x54", b"\x55", b"\x56")
_NON_MARKER_LISTS = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS", "REACTIONS")
"""Parameters of POINT that list the labels of values that are not positions."""
_AXIS = re.compile(r"([+-]?)([XYZ])$")


@dataclass(frozen=True)
class _Layout:
    """Where the frames are in the file; `frame_words` counts words of the file's number type."""

    offset: int
    num_frames: int
    first_frame: int
    num_points: int
    frame_words: int
    dtype: np.dtype
    is_float: bool
    is_dec: bool
    scale: float


def is_c3d(head: bytes) -> bool:
    """Return whether a file begins like C3D: a small pointer to the parameters, then the key 80."""
    return len(head) > 1 and 0 < head[0] < _FIRST_PRINTABLE and head[1] == 0x50


def read_c3d(path: Path) -> list[RawRecording]:
    """Read the markers of a C3D file as one recording per subject, without angles, forces and unlabelled points.

    In a file of segments without points, the joints are read.

    Raises:
        TrackFileError: the file is damaged, truncated, or has no markers.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(2 * _MAX_PARAMETER_BLOCKS * _BLOCK)
    except OSError as error:
        raise TrackFileError(f"expected a readable file, found {error} at {path}; check its permissions") from error
    if size > MAX_FILE_BYTES:
        raise TrackFileError(f"expected a file of at most {MAX_FILE_BYTES} bytes, found {size} in {path}; split it")
    reader = _open(head, path)
    if not integer(reader, "POINT:USED", reader.header.point_count) and has_rotations(reader):
        return [read_rotations(reader, path, KIND)]
    layout = _find_frames(reader, size, path)
    groups, notes = _group_labels(reader, layout.num_points, path)
    kept = [index for indices, _ in groups.values() for index in indices]
    check_counts(layout.num_frames, len(kept), path)
    positions, present = _decode(path, layout, kept)
    stated = value(reader, "POINT:RATE") or float(reader.header.frame_rate)
    rate = stated if stated and np.isfinite(stated) and stated > 0.0 else None
    common: dict[str, Any] = {
        "fps": rate,
        "units": _units(reader, notes),
        "up_axis": _up_axis(reader, notes),
        "first_frame": layout.first_frame,
        "start_s": (layout.first_frame - 1) / rate if rate else 0.0,
        "notes": tuple(notes),
    }
    recordings, start = [], 0
    for subject, (indices, names) in groups.items():
        part = np.s_[:, start : start + len(indices)]
        recordings.append(
            RawRecording(positions[part], present[part], KIND, path, names=names, person=subject, **common)
        )
        start += len(indices)
    return recordings


def _open(head: bytes, path: Path) -> Any:
    """Read header and parameters, without the package's check that rejects valid files for their analog rates."""
    try:
        import c3d
    except ModuleNotFoundError as error:
        raise TrackFileError(
            f"expected the Python package c3d to read {path}, found none; install c3d, or export the file as TRC"
        ) from error

    class Reader(c3d.Reader):  # type: ignore[misc]  # the package has no types
        def _check_metadata(self) -> None:
            """Skip the check; `_find_frames` checks the sizes against the file."""

    processor = head[(head[0] - 1) * _BLOCK + 3 :][:1] if head[0] else b""
    if processor not in _PROCESSORS:
        raise TrackFileError(
            f"expected a C3D file of an Intel, DEC or MIPS machine, found processor code {processor.hex() or 'none'} "
            f"in {path}; the file is damaged or cut off, copy or export it again"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Reader(io.BytesIO(head))
    except (ValueError, AssertionError, TypeError, LookupError, AttributeError, ArithmeticError, struct.error) as error:
        raise TrackFileError(
            f"expected the header and parameters of a C3D file, found damaged ones ({error}) in {path}; "
            "copy or export it again"
        ) from error


def _find_frames(reader: Any, size: int, path: Path) -> _Layout:
    """Locate the frames, and check them against the file's size."""
    header = reader.header
    num_points = integer(reader, "POINT:USED", header.point_count)
    if num_points == 0:
        raise TrackFileError(
            f"expected marker points, found none in {path}; export positions of markers or joint centres"
        )
    scale = value(reader, "POINT:SCALE") or float(header.scale_factor)
    is_float = scale < 0.0
    is_dec, is_mips = reader.proc_type == "DEC", reader.proc_type == "MIPS"
    dtype = np.dtype(f"{'>' if is_mips else '<'}{('u2' if is_dec else 'f4') if is_float else 'i2'}")
    words = (4 * num_points + header.analog_count) * (2 if is_float and is_dec else 1)
    offset = (header.data_block - 1) * _BLOCK
    available = max(size - offset, 0) // (words * dtype.itemsize) if header.data_block > 0 else 0
    start = field(reader, "TRIAL:ACTUAL_START_FIELD") or header.first_frame
    end = field(reader, "TRIAL:ACTUAL_END_FIELD")
    counts = [
        end - start + 1 if end else 0,
        integer(reader, "POINT:LONG_FRAMES", 0),
        header.last_frame - header.first_frame + 1,
        integer(reader, "POINT:FRAMES", 0),
    ]
    fitting = [count for count in counts if 0 < count <= available]
    if not fitting:
        raise TrackFileError(
            f"expected {max(counts)} frames of {num_points} points as in the header, found room for {available} in "
            f"{path}; the file was cut off, copy or export it again"
        )
    check_counts(fitting[0], 1, path)
    return _Layout(offset, fitting[0], start, num_points, words, dtype, is_float, is_dec, abs(scale) or 1.0)


def _decode(path: Path, layout: _Layout, kept: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions (F, K, 3) of the points *kept*, and 1 where each is present, else 0 (F, K)."""
    frames = np.fromfile(
        path, layout.dtype, count=layout.num_frames * layout.frame_words, offset=layout.offset
    ).reshape(layout.num_frames, layout.frame_words)
    if layout.is_float and layout.is_dec:
        numbers = ieee_floats(frames[:, : 8 * layout.num_points])
    else:
        numbers = frames[:, : 4 * layout.num_points]
    with np.errstate(invalid="ignore", over="ignore"):
        points = numbers.reshape(layout.num_frames, layout.num_points, 4)[:, kept].astype(np.float64)
        present = (points[..., 3] >= 0.0).astype(np.float64)
    positions = points[..., :3]
    return positions if layout.is_float else positions * layout.scale, present


def _group_labels(
    reader: Any, num_points: int, path: Path
) -> tuple[dict[str, tuple[list[int], tuple[str, ...] | None]], list[str]]:
    """Group the markers by the subject prefix of their labels.

    Returns:
        By subject, the indices and names of its markers (None without labels); and notes for the user.
    """
    labels = numbered_strings(reader, "POINT:LABELS")[:num_points]
    if not any(labels):
        check_counts(1, num_points, path)
        return {"": (list(range(num_points)), None)}, ["The points have no labels."]
    non_markers = {
        label for parameter in _NON_MARKER_LISTS for label in numbered_strings(reader, f"POINT:{parameter}")
    } - {""}
    subjects: dict[str, dict[str, int]] = {}
    num_non_markers = num_unlabelled = 0
    for index, label in enumerate(labels):
        subject, _, name = label.rpartition(":")
        if label in non_markers or name in non_markers:
            num_non_markers += 1
        elif not name or name.startswith("*"):
            num_unlabelled += 1
        else:
            subjects.setdefault(subject.strip(), {}).setdefault(name.strip(), index)
    notes = []
    if num_non_markers:
        notes.append(f"{num_non_markers} points that are angles, forces, moments or powers were left out.")
    if num_unlabelled:
        notes.append(f"{num_unlabelled} points without a label were left out.")
    if not subjects or len(subjects) > MAX_PEOPLE:
        raise TrackFileError(
            f"expected labelled markers of 1 to {MAX_PEOPLE} subjects, found {len(subjects)} subjects in {path}; "
            "label the markers and export again"
        )
    for names in subjects.values():
        check_counts(1, len(names), path)
    return {subject: (list(names.values()), tuple(names)) for subject, names in subjects.items()}, notes


def _units(reader: Any, notes: list[str]) -> str | None:
    units = {unit.lower() for unit in strings(reader, "POINT:UNITS")} - {""}
    if len(units) > 1:
        notes.append(f"The points have different units ({', '.join(sorted(units))}).")
    return units.pop() if len(units) == 1 else None


def _up_axis(reader: Any, notes: list[str]) -> str | None:
    """Return the up axis from Y_SCREEN, the room axis that points up on a screen; some systems write it downwards."""
    match = _AXIS.match("".join(strings(reader, "POINT:Y_SCREEN")).upper())
    if match and match.group(1) == "-":
        notes.append(f"Y_SCREEN is {match.group()}, which would be down; the up axis is detected from the body.")
        return None
    return f"+{match.group(2)}" if match else None
