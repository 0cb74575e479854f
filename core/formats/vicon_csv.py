"""CSV exports of Vicon Nexus, whose section "Trajectories" holds the markers of all subjects."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .raw import MAX_PEOPLE, RawRecording, check_counts
from .textfile import TextTable, sniff_delimiter, split_cells
from .timeline import build_timeline

KIND = "Vicon CSV"
_SECTION = "trajectories"
_SECTIONS = (_SECTION, "devices", "joints", "model outputs", "segments", "events", "trajectory count")
_FORCE_SECTIONS = ("devices", "model outputs")


def is_vicon_csv(lines: list[str]) -> bool:
    """Return whether the first line names one of Nexus's sections."""
    first = next((line for line in lines if line.strip()), "")
    return _first_cell(first) in _SECTIONS


def read_vicon_csv(lines: list[str], path: Path) -> list[RawRecording]:
    """Read the trajectories as one recording per subject.

    Raises:
        TrackFileError: the section of trajectories is missing or damaged.
    """
    start = next((index for index, line in enumerate(lines) if _first_cell(line) == _SECTION), None)
    if start is None and any(_first_cell(line) in _FORCE_SECTIONS for line in lines):
        raise TrackFileError(
            f"expected trajectories of markers, found forces and other devices alone in {path}; export the "
            "trajectories from Nexus too"
        )
    if start is None or start + 5 > len(lines):
        raise TrackFileError(
            f"expected a section 'Trajectories' with frame rate, names, columns and units, found none in {path}; "
            "export the trajectories from Nexus"
        )
    delimiter = sniff_delimiter(lines[start + 3])
    end = next((index for index in range(start + 5, len(lines)) if not lines[index].strip(f"{delimiter} \"'")), None)
    columns = [cell.strip().lower() for cell in split_cells(lines[start + 3], delimiter, path)]
    labels = [cell.strip() for cell in split_cells(lines[start + 2], delimiter, path)]
    first_columns = [
        first_column
        for first_column in range(2, len(columns) - 2)
        if columns[first_column : first_column + 3] == ["x", "y", "z"]
    ]
    subjects: dict[str, dict[str, int]] = {}
    for first_column in first_columns:
        label = labels[first_column] if first_column < len(labels) else ""
        subject, _, name = label.rpartition(":")
        if name and not name.startswith("*"):
            subjects.setdefault(subject.strip(), {}).setdefault(name.strip(), first_column)
    if columns[:1] != ["frame"] or not subjects or len(subjects) > MAX_PEOPLE:
        raise TrackFileError(
            f"expected columns Frame, Sub Frame and X, Y, Z of labelled markers, found {str(columns[:5])[:80]} and "
            f"{len(subjects)} subjects in {path}; label the markers and export again"
        )
    table = TextTable(lines[: len(lines) if end is None else end], start + 5, delimiter, path)
    if end is None:
        table.check_end(max(first_columns) + 3)
    units = {cell.strip().lower() for cell in split_cells(lines[start + 4], delimiter, path)} - {"", "frame"}
    return _recordings(table, subjects, lines[start + 1], units.pop() if len(units) == 1 else None)


def _first_cell(line: str) -> str:
    return line[:40].split(",")[0].split(";")[0].split("\t")[0].strip(" \"'").lower()


def _recordings(
    table: TextTable, subjects: dict[str, dict[str, int]], rate_line: str, units: str | None
) -> list[RawRecording]:
    path = table.path
    num_points = sum(map(len, subjects.values()))
    columns = [
        first_column + axis for markers in subjects.values() for first_column in markers.values() for axis in range(3)
    ]
    values = table.numbers([0, *columns])
    frames, points = values[:, 0], values[:, 1:].reshape(len(values), num_points, 3)
    check_counts(len(frames), num_points, path)
    timeline = build_timeline(len(frames), path, num_points=num_points, frames=frames)
    rate = table.to_float(rate_line.strip(f"{table.delimiter} \"'\t"), table.start - 3)
    recordings, start = [], 0
    for subject, markers in subjects.items():
        positions = timeline.place(points[:, start : start + len(markers)])
        start += len(markers)
        recordings.append(
            RawRecording(
                positions,
                np.ones(positions.shape[:2]),
                KIND,
                path,
                names=tuple(markers),
                fps=rate if np.isfinite(rate) and rate > 0.0 else None,
                units=units,
                person=subject,
                first_frame=timeline.first_frame,
                start_s=timeline.start_s,
                notes=timeline.notes,
            )
        )
    return recordings
