"""C3D files of segments instead of points, as Theia3D writes them: joints are the origins of the segments. F frames.

The group ROTATION locates the matrices: for each frame and segment 16 numbers of a 4x4 matrix, column by
column, and a residual. The last column is the segment's origin, which lies in the joint above the segment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .c3d_parameters import ieee_floats, integer, numbered_strings, value
from .raw import RawRecording, check_counts

_BLOCK = 512
_NUMBERS = 17
_ORIGIN = slice(12, 15)
_SUFFIX = "_4x4"
_WORLD = "worldbody"


def has_rotations(reader: Any) -> bool:
    """Return whether a C3D file has labelled segments."""
    return integer(reader, "ROTATION:USED", 0) > 0 and bool(numbered_strings(reader, "ROTATION:LABELS"))


def read_rotations(reader: Any, path: Path, kind: str) -> RawRecording:
    """Return the origins of the segments of a C3D file that `has_rotations`.

    Raises:
        TrackFileError: the file is cut off.
    """
    count, header = integer(reader, "ROTATION:USED", 0), reader.header
    start = (integer(reader, "ROTATION:DATA_START", 0) - 1) * _BLOCK
    dtype = {"DEC": "<u2", "MIPS": ">f4"}.get(reader.proc_type, "<f4")
    words = count * _NUMBERS * (2 if reader.proc_type == "DEC" else 1)
    available = max(path.stat().st_size - start, 0) // (words * np.dtype(dtype).itemsize) if start > 0 else 0
    stated = [integer(reader, "ROTATION:FRAMES", 0), header.last_frame - header.first_frame + 1]
    fitting = [frames for frames in stated if 0 < frames <= available]
    if not fitting:
        raise TrackFileError(
            f"expected {max(stated)} frames of {count} segments as in the header, found room for {available} in "
            f"{path}; the file was cut off, copy or export it again"
        )
    check_counts(fitting[0], count, path)
    data = np.fromfile(path, dtype, count=fitting[0] * words, offset=start).reshape(fitting[0], -1)
    numbers = ieee_floats(data) if reader.proc_type == "DEC" else data
    origins = numbers.reshape(fitting[0], count, _NUMBERS)[..., _ORIGIN].astype(np.float64)
    labels = numbered_strings(reader, "ROTATION:LABELS")[:count]
    names = [label[: -len(_SUFFIX)] if label.lower().endswith(_SUFFIX) else label for label in labels]
    taken = {name: column for column, name in reversed(list(enumerate(names))) if name and name.lower() != _WORLD}
    columns = sorted(taken.values())
    if not columns:
        raise TrackFileError(f"expected labelled segments, found none in {path}; export it again")
    rate = value(reader, "ROTATION:RATE") or value(reader, "POINT:RATE") or float(header.frame_rate)
    positions = origins[:, columns]
    return RawRecording(
        positions,
        np.isfinite(positions).all(-1).astype(np.float64),
        kind,
        path,
        names=tuple(names[column] for column in columns),
        fps=rate if np.isfinite(rate) and rate > 0.0 else None,
        first_frame=header.first_frame,
        start_s=(header.first_frame - 1) / rate if np.isfinite(rate) and rate > 0.0 else 0.0,
        notes=("The origins of the file's segments are read as the joints above them; it has no points.",),
    )
