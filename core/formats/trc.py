"""TRC: the marker text files of OpenSim, Pose2Sim, OpenCap and motion capture systems. Line 4 names the points."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .raw import RawRecording, check_counts
from .textfile import MAX_TEXT_BYTES, TextTable, decode_text, read_bytes, sniff_delimiter, split_cells, split_lines
from .timeline import build_timeline

KIND = "TRC"
_MAX_HEADER_LINES = 30
"""The line of names is searched for in this many lines."""
_RATE_TOLERANCE = 0.02
"""Relative difference of DataRate and the Time column above which the Time column is used."""
_PERSON = re.compile(r"_(P\d{1,2})(?:_\d+-\d+|$)")


@dataclass(frozen=True)
class _Header:
    names: tuple[str, ...]
    rate: float
    num_frames: int | None
    units: str | None
    start: int
    delimiter: str


def is_trc(head: str) -> bool:
    """Return whether text begins like a TRC file; the header of a CSV may also begin with frame and time."""
    lines = head.lstrip().splitlines()[:_MAX_HEADER_LINES]
    if not lines or lines[0].startswith("PathFileType"):
        return bool(lines)
    index = _name_line(lines)
    if index is None:
        return False
    below = lines[index + 1].split() if index + 1 < len(lines) else []
    below = below if len(below) > 1 else re.split("[,;]", "".join(below))
    has_settings = any(line.strip().lower().startswith("datarate") for line in lines[:index])
    return has_settings or _are_coordinates([cell for cell in below if cell])


def read_trc(path: Path) -> list[RawRecording]:
    """Read a TRC file of any dialect as one recording.

    Raises:
        TrackFileError: the file is truncated or not a TRC file.
    """
    text = decode_text(read_bytes(path, MAX_TEXT_BYTES), path)
    lines = split_lines(text, path)
    header = _read_header(lines, path)
    width = 2 + 3 * len(header.names)
    table = TextTable(lines, header.start, header.delimiter, path, width)
    values = table.numbers(range(width), width=width)
    if not len(values):
        raise TrackFileError(f"expected rows of frames below the names, found none in {path}; export it again")
    timeline = build_timeline(
        len(values), path, num_points=len(header.names), frames=values[:, 0], times_s=values[:, 1]
    )
    notes = list(timeline.notes)
    doubts = _check_length(table, (len(values), timeline.num_frames), header, notes)
    positions = timeline.place(values[:, 2:].reshape(len(values), -1, 3))
    person = _PERSON.search(path.stem)
    return [
        RawRecording(
            positions,
            np.ones(positions.shape[:2]),
            KIND,
            path,
            names=header.names,
            fps=_choose_rate(header.rate, timeline.fps, notes),
            units=header.units,
            person=person.group(1) if person else "",
            first_frame=timeline.first_frame,
            start_s=timeline.start_s,
            notes=tuple(notes),
            doubts=doubts,
        )
    ]


def _name_line(lines: list[str]) -> int | None:
    for index, line in enumerate(lines[:_MAX_HEADER_LINES]):
        words = [word.strip('"') for word in re.split("[\t,; ]+", line.lower().lstrip(), maxsplit=3)]
        if words[1:2] == ["#"]:
            del words[1]
        if words[0] in ("frame", "frame#") and len(words) > 1 and re.match(r"times?\b", words[1]):
            return index
    return None


def _are_coordinates(cells: list[str]) -> bool:
    return bool(cells) and all(re.fullmatch(r"[XYZxyz]\d*", cell) for cell in cells)


def _read_header(lines: list[str], path: Path) -> _Header:
    index = _name_line(lines)
    if index is None:
        raise TrackFileError(
            f"expected a line 'Frame#  Time  names' near the top, found none in {path}; export the file as TRC again"
        )
    delimiter = sniff_delimiter(lines[index])
    settings = _read_settings(lines[:index], path)
    coordinates = split_cells(lines[index + 1], delimiter, path) if index + 1 < len(lines) else []
    coordinates = [cell.strip() for cell in coordinates if cell.strip()]
    is_coordinate_line = _are_coordinates(coordinates)
    cells = [cell.strip() for cell in split_cells(lines[index], delimiter, path)]
    names = _read_names(cells, _number(settings.get("nummarkers")), len(coordinates), path)
    check_counts(1, len(names), path)
    rate, frames = _number(settings.get("datarate")), _number(settings.get("numframes"))
    units = settings.get("units", "").strip().lower()
    return _Header(
        names=names,
        rate=rate if np.isfinite(rate) and rate > 0.0 else 0.0,
        num_frames=int(frames) if np.isfinite(frames) else None,
        units=units or None,
        start=index + (2 if is_coordinate_line else 1),
        delimiter=delimiter,
    )


def _read_settings(lines: list[str], path: Path) -> dict[str, str]:
    """Read the line of labels (DataRate ..) and the line of values; fields may be padded or separated twice."""
    for index, line in enumerate(lines[:-1]):
        if line.strip().lower().startswith("datarate"):
            delimiter = sniff_delimiter(line)
            labels, values = (
                [cell.strip() for cell in split_cells(text, delimiter, path) if cell.strip()]
                for text in (line, lines[index + 1])
            )
            return {label.lower(): value for label, value in zip(labels, values, strict=False)}
    return {}


def _number(text: str | None) -> float:
    try:
        return float(text) if text else float("nan")
    except ValueError:
        return float("nan")


def _read_names(cells: list[str], num_markers: float, num_coordinates: int, path: Path) -> tuple[str, ...]:
    """Return the point names, one per three columns; some writers put one separator between names, some omit names."""
    compact = tuple(cell for cell in cells[2:] if cell)
    by_column = tuple(cells[column] or f"unnamed_{column // 3}" for column in range(2, len(cells), 3))
    wanted = int(num_markers) if np.isfinite(num_markers) else num_coordinates // 3
    counts = (wanted, num_coordinates // 3)
    for names in (compact, by_column, by_column[: int(wanted)] if 0 < wanted <= len(by_column) else ()):
        if names and len(names) in counts:
            return names
    if compact and not num_coordinates and not np.isfinite(num_markers):
        return compact
    raise TrackFileError(
        f"expected {wanted} point names as NumMarkers says, found {len(compact)} names and {num_coordinates} "
        f"coordinate columns in {path}; correct the header"
    )


def _check_length(table: TextTable, counts: tuple[int, int], header: _Header, notes: list[str]) -> tuple[str, ...]:
    """Reject a file that ends within a row, or has fewer frames than its header says and no last line end.

    Args:
        table: the text.
        counts: the number of rows, and the number of frames, which includes those that have no row.
        header: the file's header, which may state either number.
        notes: remarks on the file; one is added if it has more rows than its header says.

    Returns:
        The doubt that a file of whole rows was cut off, if it has fewer frames than its header says.

    Raises:
        TrackFileError: the file was cut off.
    """
    table.check_end(2 + 3 * len(header.names))
    num_rows, num_frames = counts
    if header.num_frames is None or header.num_frames in counts:
        return ()
    if num_frames > header.num_frames:
        notes.append(f"The header says {header.num_frames} frames, the file has {num_rows}.")
        return ()
    if table.lines[-1].strip():
        raise TrackFileError(
            f"expected {header.num_frames} frames as in the header, found {num_frames} and no last line end in "
            f"{table.path}; the file was cut off, copy or export it again"
        )
    return (f"the file was cut off: its header says {header.num_frames} frames, it has {num_frames}",)


def _choose_rate(header_rate: float, time_rate: float | None, notes: list[str]) -> float | None:
    if time_rate is None:
        return header_rate or None
    if header_rate and abs(header_rate - time_rate) <= _RATE_TOLERANCE * time_rate:
        return header_rate
    notes.append(f"DataRate is {header_rate:g}, but the Time column gives {time_rate:.6g} fps, which is used.")
    return time_rate
