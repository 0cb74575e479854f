"""Tables of numbers alone, as NumPy's savetxt writes them: a frame in each row, without names. R rows, K points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .point_arrays import KNOWN_COUNTS, Metadata, people_of_array
from .raw import RawRecording
from .table_header import has_header, is_comment
from .textfile import MAX_COLUMNS, TextTable, is_number, sniff_delimiter, split_cells
from .timeline import build_timeline

KIND = "table of numbers"
_MIN_COLUMNS = 3 * min(KNOWN_COUNTS)
_MAX_PREAMBLE = 60


def is_row_of_points(line: str) -> bool:
    """Return whether a line consists of numbers, of as many points as a layout has or more."""
    delimiter = sniff_delimiter(line)
    if line.count(delimiter or " ") > MAX_COLUMNS:
        return False
    if delimiter in (";", "\t"):
        line = line.replace(",", ".")
    cells = [cell.strip() for cell in (line.split(delimiter) if delimiter else line.split())]
    return len(cells) >= _MIN_COLUMNS and all(map(is_number, filter(None, cells))) and any(cells)


def find_numbers(lines: Sequence[str], path: Path) -> int | None:
    """Return the index of the first row of a table of numbers; None if it has names."""
    for index, line in enumerate(lines[:_MAX_PREAMBLE]):
        if line.strip() and not is_comment(line):
            return index if is_row_of_points(line) and not has_header(lines[:index], path) else None
    return None


def read_numbers(lines: list[str], start: int, path: Path) -> list[RawRecording]:
    """Read a table of numbers that begins at line *start*; a row 0, 1, 2 .. above it and a first column are counters.

    Raises:
        TrackFileError: rows hold something else, or do not hold points of x, y, z.
    """
    delimiter = sniff_delimiter(lines[start])
    width = len(split_cells(lines[start], delimiter, path))
    table = TextTable(lines, start, delimiter, path, width, keeps_empty=True)
    table.check_end(width)
    values = table.numbers(range(width))
    if len(values) > 1 and np.array_equal(values[0], np.arange(width)):
        values = values[1:]
    has_counter = width % 3 == 1 and not (width % 4 == 0 and width // 4 in KNOWN_COUNTS) and _counts(values[:, 0])
    recordings = people_of_array(values[:, has_counter:], None, Metadata(), KIND, path)
    if not has_counter or len(recordings) != 1:
        return recordings
    counts, recording = values[:, 0], recordings[0]
    is_numbered = bool((counts == np.round(counts)).all())
    timeline = build_timeline(
        len(values), path, num_points=recording.num_points,
        frames=counts if is_numbered else None, times_s=None if is_numbered else counts,
    )  # fmt: skip
    return [
        replace(
            recording, positions=timeline.place(recording.positions),
            confidence=np.nan_to_num(timeline.place(recording.confidence), nan=0.0), fps=timeline.fps,
            first_frame=timeline.first_frame, start_s=timeline.start_s,
            notes=("The first column counts the frames.", *recording.notes, *timeline.notes),
        )
    ]  # fmt: skip


def _counts(values: np.ndarray) -> bool:
    """Return whether numbers (R,) rise from row to row."""
    return bool(len(values) > 1 and np.isfinite(values).all() and (np.diff(values) > 0.0).all())
