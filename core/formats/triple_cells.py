"""Tables with a point in each cell ("12.3 45.6 7.8", "[12.3, 45.6, 7.8]"), brought to one number a cell. K points.

TotalCapture's Vicon files are such tables: a line of joint names, and a frame in each row, in inches, 60 a second.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .raw import RawRecording
from .table_header import is_comment
from .textfile import is_number, sniff_delimiter, split_cells

TOTALCAPTURE_JOINTS = (
    "Hips", "Spine", "Spine1", "Spine2", "Spine3", "Neck", "Head", "RightShoulder", "RightArm", "RightForeArm",
    "RightHand", "LeftShoulder", "LeftArm", "LeftForeArm", "LeftHand", "RightUpLeg", "RightLeg", "RightFoot",
    "LeftUpLeg", "LeftLeg", "LeftFoot",
)  # fmt: skip
_TOTALCAPTURE_FPS = 60.0
_INCHES = (30.0, 100.0)
"""What a person spans in inches."""
_MIN_POINTS = 6
_MAX_PREAMBLE, _MAX_EMPTY = 60, 1000
_SPLIT = re.compile(r"[\s,;]+")
_UNIT_LENGTH = 1e-2


def with_single_cells(lines: Sequence[str], path: Path) -> list[str] | None:
    """Return a table with a point in each cell as lines of name_x, name_y, name_z; None if it is another table.

    A row without names above is given those of TotalCapture if it has as many points, else numbers.

    Raises:
        TrackFileError: the cells hold quaternions.
    """
    start = next((n for n, line in enumerate(lines[:_MAX_PREAMBLE]) if line.strip() and not is_comment(line)), None)
    if start is None:
        return None
    delimiter = sniff_delimiter(lines[start].strip("[]()"))
    if not delimiter:
        return None
    header = [cell.strip() for cell in split_cells(lines[start], delimiter, path)]
    is_data = _num_points(header) >= _MIN_POINTS
    first = start if is_data else start + 1
    row = _first_row(lines, first, delimiter, path)
    if row is None:
        return _under_names(lines, start, header, delimiter, path)
    sizes = [len(_numbers(cell)) for cell in row]
    points = [column for column, size in enumerate(sizes) if size > 1]
    if len({sizes[column] for column in points}) != 1 or sizes[points[0]] not in (3, 4):
        return None
    size = sizes[points[0]]
    _refuse_quaternions(row, points, path)
    if is_data:
        header = list(TOTALCAPTURE_JOINTS if len(points) == len(TOTALCAPTURE_JOINTS) else map(str, range(len(points))))
        header = header if len(points) == len(row) else [""] * points[0] + header
    names = [header[column] if column < len(header) else "" for column in range(len(row))]
    axes = ("x", "y", "z", "confidence")[:size]
    head = [cell for column, name in enumerate(names)
            for cell in ([f"{name}_{axis}" for axis in axes] if column in points else [name])]  # fmt: skip
    wanted, found = set(points), [";".join(head)]
    for number, line in enumerate(islice(lines, first, None), first):
        cells = split_cells(line, delimiter, path) if line.strip() else []
        is_last = number == len(lines) - 1  # without a line end: what is missing there was cut off
        cells += [] if is_last else [""] * (len(row) - len(cells)) if cells else []
        parts: list[str] = []
        for column, cell in enumerate(cells[: len(row)]):
            numbers = _numbers(cell) if column in wanted else [cell.strip()]
            is_cut = is_last and column == len(cells) - 1
            parts += numbers if column not in wanted or len(numbers) == size or is_cut else [""] * size
        found.append(";".join(parts))
    return found


def _first_row(lines: Sequence[str], first: int, delimiter: str, path: Path) -> list[str] | None:
    """Return the first row with points from line *first* on; None if a row of single numbers comes before it."""
    for line in islice(lines, first, first + _MAX_EMPTY):
        cells = split_cells(line, delimiter, path)
        if sum(map(is_number, cells)) >= _MIN_POINTS:
            return None
        if _num_points(cells) >= _MIN_POINTS:
            return cells
    return None


def name_totalcapture(recording: RawRecording) -> RawRecording:
    """Return a recording of TotalCapture's joints with its frame rate, and its unit if their size fits."""
    lowest, highest = (bound(np.where(np.isfinite(recording.positions), recording.positions, fill), axis=1)
                       for bound, fill in ((np.min, np.inf), (np.max, -np.inf)))  # fmt: skip
    size = float(np.median((highest - lowest).max(axis=-1)))
    return replace(
        recording,
        kind="TotalCapture",
        fps=recording.fps or _TOTALCAPTURE_FPS,
        units="in" if _INCHES[0] < size < _INCHES[1] else recording.units,
        notes=(*recording.notes, "TotalCapture has 60 frames a second."),
    )


def _under_names(lines: Sequence[str], start: int, header: list[str], delimiter: str, path: Path) -> list[str] | None:
    """Return a table with the names of points above three columns each, and no axes; None if it is another table."""
    names = [name for name in header if name]
    if len(names) < _MIN_POINTS or any(map(is_number, names)):
        return None
    rows = [_SPLIT.split(line.strip()) for line in islice(lines, start + 1, start + 3) if line.strip()]
    if not rows or any(len(row) != 3 * len(names) or not all(map(is_number, row)) for row in rows):
        return None
    head = ";".join(f"{name}_{axis}" for name in names for axis in "xyz")
    return [head, *(";".join(_SPLIT.split(line.strip())) for line in islice(lines, start + 1, None))]


def _numbers(cell: str) -> list[str]:
    """Return the numbers of a cell as texts; empty if it holds something else."""
    found = [part for part in _SPLIT.split(cell.strip().strip("\"'()[]{} ")) if part]
    return found if all(map(is_number, found)) else []


def _num_points(cells: Sequence[str]) -> int:
    return sum(len(_numbers(cell)) in (3, 4) for cell in cells)


def _refuse_quaternions(row: Sequence[str], points: Sequence[int], path: Path) -> None:
    values = np.array([[float(number) for number in _numbers(row[column])] for column in points])
    if values.shape[1] == 4 and np.allclose(np.linalg.norm(values, axis=1), 1.0, atol=_UNIT_LENGTH):
        raise TrackFileError(
            f"expected positions of joints, found orientations (quaternions) in {path}; give the file of positions "
            "beside it (of TotalCapture, gt_skel_gbl_pos.txt)"
        )
