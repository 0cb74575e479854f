"""CSV files of any tool: choose the kind of table, and read wide tables (x, y, z columns). R rows, K points."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .captury_csv import is_captury_csv, read_captury_csv
from .freemocap import is_freemocap_names, name_freemocap_points
from .mediapipe import is_indexed_dump, name_numbered_points, read_indexed_dump
from .motive_csv import is_motive_csv, read_motive_csv
from .numeric_table import find_numbers, read_numbers
from .people_rows import people_labels, person_column, split_rows
from .position_columns import is_neuron, position_names
from .raw import RawRecording, check_counts
from .table_header import find_header
from .textfile import MAX_TEXT_BYTES, TextTable, decode_text, read_bytes, split_lines
from .tidy import is_tidy, read_tidy
from .timeline import Timeline, build_timeline, times_in_seconds
from .triple_cells import TOTALCAPTURE_JOINTS, name_totalcapture, with_single_cells
from .vicon_csv import is_vicon_csv, read_vicon_csv

_SUFFIX = re.compile(r"(.*[^\s._:-])[\s._:-]*([xyz])$", re.IGNORECASE)
_PREFIX = re.compile(r"([xyz])[\s._:-]*(.+)$", re.IGNORECASE)
_SUFFIX_CONFIDENCE = re.compile(
    r"(.*[^\s._:-])[\s._:-]+(?:visibility|vis|v|score|conf|confidence|c|likelihood|prob)$", re.IGNORECASE
)
_PREFIX_CONFIDENCE = re.compile(r"(?:visibility|vis|v|score|conf|confidence|c|likelihood)[\s._:-]*(.+)$", re.IGNORECASE)
_FRAME = re.compile(r"#?\s*(?:frame|frames|fnum)(?:[\s_]*(?:#|number|num|no|id|idx|index))?$", re.IGNORECASE)
_TIME = re.compile(
    r"(?:time|times|timestamp|timestamps|t|ms|seconds|sec)(?:[\s_]*[(\[]?(?:s|ms|us|ns)[)\]]?)?$", re.IGNORECASE
)
_MAX_NAME_LENGTH = 200
"""Longer header cells are not names."""
_SECONDS = {"seconds": "s", "sec": "s"}
_ANIPOSE_COLUMNS = {"fnum", "M_00", "center_0"}
_FILLED_CONFIDENCE = 0.5
"""Confidence of a point that Anipose filled in (score above 1)."""


@dataclass(frozen=True)
class _Columns:
    """Column indices of a wide table."""

    names: tuple[str, ...]
    coordinates: tuple[int, ...]
    confidence: tuple[int | None, ...]
    frame: int | None
    time: int | None
    is_anipose: bool


def read_csv(path: Path) -> list[RawRecording]:
    """Read a table of keypoints as one recording per person.

    Raises:
        TrackFileError: the table is damaged or its header names no points.
    """
    lines = split_lines(decode_text(read_bytes(path, MAX_TEXT_BYTES), path), path)
    if is_vicon_csv(lines):
        return read_vicon_csv(lines, path)
    if is_motive_csv(lines):
        return read_motive_csv(lines, path)
    if is_captury_csv(lines):
        return read_captury_csv(lines, path)
    first = find_numbers(lines, path)
    if first is not None:
        return read_numbers(lines, first, path)
    lines = with_single_cells(lines, path) or lines
    found = find_header(lines, path)
    header = found.cells
    table = TextTable(lines, found.start, found.delimiter, path, len(header))
    if is_tidy(header):
        return read_tidy(header, table, found.units)
    if is_indexed_dump(header):
        return [read_indexed_dump(header, table)]
    return _read_wide(header, table, found.units)


def _read_wide(header: list[str], table: TextTable, units: str | None) -> list[RawRecording]:
    path = table.path
    columns = _find_columns(header, path)
    if columns.frame is None and columns.time is None:
        table = replace(table, keeps_empty=True)
    check_counts(1, len(columns.names), path)
    table.check_end(max(columns.coordinates) + 1)
    values = table.numbers(columns.coordinates)
    if not len(values):
        raise TrackFileError(f"expected rows of frames below the header, found none in {path}; export it again")
    positions = values.reshape(len(values), -1, 3)
    confidence = _read_confidence(columns, table, positions)
    person = person_column(header)
    labels = people_labels(table, person) if person is not None else []
    if len(set(labels)) > 1:
        return _read_people(columns, header, table, positions, confidence, labels, units)
    timeline, notes = _read_timeline(columns, header, table, len(positions))
    recording = RawRecording(
        timeline.place(positions),
        np.nan_to_num(timeline.place(confidence), nan=0.0),
        "CSV",
        path,
        names=columns.names,
        fps=timeline.fps,
        units=units,
        first_frame=timeline.first_frame,
        start_s=timeline.start_s,
        notes=(*notes, *timeline.notes),
    )
    return [_recognise_tool(recording, header)]


def _read_people(
    columns: _Columns,
    header: list[str],
    table: TextTable,
    positions: np.ndarray,
    confidence: np.ndarray,
    labels: list[str],
    units: str | None,
) -> list[RawRecording]:
    """Return one recording per person of a table in which a column names the person of each row."""
    frames, times, notes = _read_counters(columns, header, table)
    recording = RawRecording(
        positions,
        np.nan_to_num(confidence, nan=0.0),
        "CSV",
        table.path,
        names=columns.names,
        units=units,
        notes=notes,
    )
    return [_recognise_tool(person, header) for person in split_rows(recording, labels, frames, times)]


def _recognise_tool(recording: RawRecording, header: list[str]) -> RawRecording:
    """Adapt the recording to the tool that wrote the wide table."""
    names = recording.names or ()
    if is_neuron(cell[:-2] for cell in header if cell[-2:].lower() == "-x"):
        return replace(recording, kind="Perception Neuron")
    if names == TOTALCAPTURE_JOINTS:
        return name_totalcapture(recording)
    if _ANIPOSE_COLUMNS <= set(header):
        note = "Positions are as Anipose stored them, after its own rotation (M, center)."
        return replace(recording, kind="Anipose CSV", notes=(*recording.notes, note))
    if "timestamp_by_camera" in header or is_freemocap_names(names):
        return name_freemocap_points(recording, [("", name) for name in names])
    return name_numbered_points(recording)


def _find_columns(header: list[str], path: Path) -> _Columns:
    by_suffix = _group_columns(header, _SUFFIX, name_first=True)
    by_prefix = _group_columns(header, _PREFIX, name_first=False)
    candidates = ((by_suffix, _SUFFIX_CONFIDENCE), (by_prefix, _PREFIX_CONFIDENCE))
    groups, pattern = max(candidates, key=lambda pair: _num_complete(pair[0]))
    complete = {name: axes for name, axes in groups.items() if len(axes) == 3}
    plain = position_names(complete)
    if plain is not None:
        complete = {plain[name]: axes for name, axes in complete.items() if name in plain}
    if not complete:
        flat = sum(axes.keys() == {"x", "y"} for axes in by_suffix.values())
        found = f"{flat} points with only x and y (2D)" if flat else f"columns {', '.join(header[:8])[:160]!r}"
        raise TrackFileError(
            f"expected columns name_x, name_y, name_z for each point, found {found} in {path}; "
            "export 3D points with a header line that names them"
        )
    confidence: dict[str, int] = {}
    for index, cell in enumerate(header):
        match = pattern.fullmatch(cell) if len(cell) <= _MAX_NAME_LENGTH else None
        name = (plain or {}).get(match.group(1), match.group(1)) if match else None
        if name in complete:
            confidence.setdefault(name, index)
    return _Columns(
        names=tuple(complete),
        coordinates=tuple(axes[axis] for axes in complete.values() for axis in "xyz"),
        confidence=tuple(confidence.get(name) for name in complete),
        frame=next((index for index, cell in enumerate(header) if _FRAME.fullmatch(cell)), None),
        time=next((index for index, cell in enumerate(header) if _TIME.fullmatch(cell)), None),
        is_anipose=_ANIPOSE_COLUMNS <= set(header),
    )


def _group_columns(header: list[str], pattern: re.Pattern[str], *, name_first: bool) -> dict[str, dict[str, int]]:
    groups: dict[str, dict[str, int]] = {}
    for index, cell in enumerate(header):
        match = pattern.fullmatch(cell) if len(cell) <= _MAX_NAME_LENGTH else None
        if match:
            name, axis = match.groups() if name_first else match.groups()[::-1]
            groups.setdefault(name, {}).setdefault(axis.lower(), index)
    return groups


def _num_complete(groups: dict[str, dict[str, int]]) -> int:
    return sum(len(axes) == 3 for axes in groups.values())


def _read_confidence(columns: _Columns, table: TextTable, positions: np.ndarray) -> np.ndarray:
    """Return the confidence (R, K): 1 for points without a confidence column, 0 where the cell is empty."""
    confidence = np.ones(positions.shape[:2])
    points = [index for index, column in enumerate(columns.confidence) if column is not None]
    if points:
        values = table.numbers([column for column in columns.confidence if column is not None])
        if columns.is_anipose:
            values[values > 1.0] = _FILLED_CONFIDENCE
        confidence[:, points] = np.nan_to_num(values, nan=0.0)
    return confidence


def _read_timeline(
    columns: _Columns, header: list[str], table: TextTable, num_rows: int
) -> tuple[Timeline, tuple[str, ...]]:
    frames, times, notes = _read_counters(columns, header, table)
    timeline = build_timeline(num_rows, table.path, num_points=len(columns.names), frames=frames, times_s=times)
    return timeline, notes


def _read_counters(
    columns: _Columns, header: list[str], table: TextTable
) -> tuple[np.ndarray | None, np.ndarray | None, tuple[str, ...]]:
    """Return frame numbers (R,) and times (R,) in seconds of the rows, as far as there are any, and notes."""
    notes = []
    frames = None if columns.frame is None else table.numbers([columns.frame])[:, 0]
    times = None
    if columns.time is not None:
        name = header[columns.time]
        stamps = _read_times(table, columns.time)
        if stamps is None:
            notes.append(f"Column {name!r} has no readable times.")
        elif np.isfinite(stamps).any():
            times, unit = times_in_seconds(stamps, _SECONDS.get(name.lower(), name))
            notes.append(f"Times in column {name!r} were read as {unit}." if unit else f"Column {name!r} is not used.")
    return frames, times, tuple(notes)


def _read_times(table: TextTable, column: int) -> np.ndarray | None:
    """Return a column of times, seconds if written as dates; None if it holds neither numbers nor dates."""
    times = []
    for number, cells in table.rows():
        cell = cells[column].strip() if column < len(cells) else ""
        try:
            times.append(table.to_float(cell, number))
        except TrackFileError:
            try:
                times.append(datetime.fromisoformat(cell).timestamp())
            except (ValueError, OverflowError, OSError):
                return None
    return np.array(times)
