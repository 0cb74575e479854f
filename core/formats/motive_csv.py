"""CSV exports of OptiTrack Motive: the joints of a solved skeleton (bones), or its markers. Rows of several headers.

The first line is pairs of a property and its value. Rows named Type, Name, ID and, since 1.24, Parent stand above a row
of Position and Rotation and one of Frame, Time and the axes. Y is up.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .raw import RawRecording, check_counts
from .textfile import TextTable, sniff_delimiter, split_cells
from .timeline import build_timeline

KIND = "OptiTrack CSV"
_BONES, _MARKERS = ("bone",), ("marker", "bone marker", "skeleton marker", "rigid body marker")
_MAX_HEADER = 20


def is_motive_csv(lines: list[str]) -> bool:
    """Return whether the first line is that of a Motive export."""
    return next((line for line in lines if line.strip()), "")[:20].strip('" ').lower().startswith("format version")


def read_motive_csv(lines: list[str], path: Path) -> list[RawRecording]:
    """Read the bones, or without bones the markers, of all skeletons as one recording, named ``Skeleton:Name``.

    Raises:
        TrackFileError: the header is damaged, or names neither.
    """
    first = next(index for index, line in enumerate(lines) if line.strip())
    delimiter = sniff_delimiter(lines[first])
    rows = [
        [cell.strip() for cell in split_cells(line, delimiter, path)] for line in lines[first : first + _MAX_HEADER]
    ]
    below = next((index for index, row in enumerate(rows) if row and row[0].lower() == "frame"), None)
    settings = {key.lower(): value for key, value in zip(rows[0][::2], rows[0][1::2], strict=False)}
    words = {row[1].lower(): row for row in rows[1:below] if len(row) > 1}
    if below is None or below < 2 or "type" not in words or "name" not in words:
        raise TrackFileError(
            f"expected rows Type, Name and Frame, Time (Seconds), X, Y, Z as Motive writes them, found others in "
            f"{path}; export the take as CSV again, with its header"
        )
    if settings.get("coordinate space", "").strip().lower() == "local":
        raise TrackFileError(
            f"expected positions in the room, found bones relative to each other (Coordinate Space: Local) in {path}; "
            "export the take with Global"
        )
    picks = _columns(words["type"], words["name"], rows[below - 1], rows[below])
    bones, markers = (picks.get(kind, {}) for kind in ("bones", "markers"))
    chosen, notes = (bones or markers), []
    if not chosen:
        raise TrackFileError(
            f"expected positions of bones or labelled markers, found none in {path}; export the take with its skeleton "
            "or its markers, as positions"
        )
    if bones and markers:
        notes.append(f"{len(bones)} bones are read; the {len(markers)} markers beside them are left out.")
    return [_read_rows(TextTable(lines, first + below + 1, delimiter, path), chosen, settings, notes)]


def _columns(types: list[str], names: list[str], values: list[str], axes: list[str]) -> dict[str, dict[str, int]]:
    """Return the first column of each bone's and each marker's position."""
    found: dict[str, dict[str, int]] = {}
    for column in range(2, len(axes) - 2):
        if [axis.lower() for axis in axes[column : column + 3]] != ["x", "y", "z"]:
            continue
        kind, name, value = (row[column].lower() if column < len(row) else "" for row in (types, names, values))
        group = "bones" if kind in _BONES else "markers" if kind in _MARKERS else ""
        if group and value.startswith("position") and "unlabeled" not in name and name:
            found.setdefault(group, {}).setdefault(names[column], column)
    return found


def _read_rows(table: TextTable, picks: dict[str, int], settings: dict[str, str], notes: list[str]) -> RawRecording:
    check_counts(1, len(picks), table.path)
    table.check_end(max(picks.values()) + 3)
    values = table.numbers([0, 1, *(first + axis for first in picks.values() for axis in range(3))])
    if not len(values):
        raise TrackFileError(f"expected rows of frames below the header, found none in {table.path}; export it again")
    timeline = build_timeline(len(values), table.path, num_points=len(picks), frames=values[:, 0], times_s=values[:, 1])
    positions = timeline.place(values[:, 2:].reshape(len(values), -1, 3))
    return RawRecording(
        positions,
        np.ones(positions.shape[:2]),
        KIND,
        table.path,
        names=tuple(_unquoted(name) for name in picks),
        fps=_rate(settings) or timeline.fps,
        units=settings.get("length units", "").strip().lower() or None,
        first_frame=timeline.first_frame,
        start_s=timeline.start_s,
        notes=(*notes, *timeline.notes),
    )


def _unquoted(name: str) -> str:
    """Return the name of a point; a skeleton's own bone is "Skel01" before Motive 2 and "Skel01:Hip" since."""
    return name.strip("\"' ")


def _rate(settings: dict[str, str]) -> float | None:
    for key in ("export frame rate", "capture frame rate"):
        try:
            rate = float(settings.get(key, ""))
        except ValueError:
            continue
        if np.isfinite(rate) and rate > 0.0:
            return rate
    return None
