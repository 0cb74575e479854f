"""TSV exports of Qualisys Track Manager: lines of a property and its value, then rows of x, y, z of each marker.

The columns Frame and Time, and the line that names them, are optional in the export. Z is usually up.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import TrackFileError
from .raw import RawRecording, check_counts
from .textfile import MAX_TEXT_BYTES, TextTable, decode_text, read_bytes, split_cells, split_lines
from .timeline import build_timeline

KIND = "Qualisys TSV"
_MAX_HEADER = 40


def is_qualisys_tsv(head: str) -> bool:
    """Return whether text begins like a Qualisys export of positions."""
    return head.lstrip()[:20].upper().startswith(("NO_OF_FRAMES\t", "NO_OF_CAMERAS\t"))


def read_qualisys_tsv(path: Path) -> list[RawRecording]:
    """Read the markers as one recording.

    Raises:
        TrackFileError: the header or the rows are damaged.
    """
    lines = split_lines(decode_text(read_bytes(path, MAX_TEXT_BYTES), path), path)
    settings: dict[str, list[str]] = {}
    start = 0
    while start < min(len(lines) - 1, _MAX_HEADER):
        line = lines[start]
        cells = [cell.strip() for cell in split_cells(line, "\t", path)]
        if cells[0] and not _is_number(cells[0]) and cells[0].lower() != "frame":
            settings[cells[0].upper()] = cells[1:]
        elif cells[0] or len(cells) > 1:
            break
        start += 1
    names = tuple(name for name in settings.get("MARKER_NAMES", []) if name)
    if not names and "BODY_NAMES" in settings:
        raise TrackFileError(
            f"expected markers, found rigid bodies (6DOF) alone in {path}; export the 3D data of the labelled markers"
        )
    if not names or len(set(names)) < len(names):
        found = "names twice" if names else str(sorted(settings))[:160]
        raise TrackFileError(
            f"expected a line MARKER_NAMES with the labels, found {found} in {path}; export 3D data as TSV with its "
            "header"
        )
    check_counts(1, len(names), path)
    has_column_line = split_cells(lines[start], "\t", path)[0].strip().lower() == "frame"
    table = TextTable(lines, start + has_column_line, "\t", path)
    num_cells = max((len(cells) for _, cells in table.rows()), default=0)
    lead = 2 if has_column_line or num_cells in (3 * len(names) + 2, 3 * len(names) + 3) else 0
    if num_cells < 3 * len(names) + lead:
        raise TrackFileError(
            f"expected {3 * len(names)} coordinates of {len(names)} markers in each row, found {num_cells} cells in "
            f"{path}; export 3D data"
        )
    table.check_end(3 * len(names) + lead)
    values = table.numbers(range(lead + 3 * len(names)))
    timeline = build_timeline(
        len(values),
        path,
        num_points=len(names),
        frames=values[:, 0] if lead else None,
        times_s=values[:, 1] if lead else None,
    )
    positions = timeline.place(values[:, lead:].reshape(len(values), -1, 3))
    rate = settings.get("FREQUENCY", [""])[0]
    return [
        RawRecording(
            positions,
            np.ones(positions.shape[:2]),
            KIND,
            path,
            names=names,
            fps=float(rate) if _is_number(rate) and float(rate) > 0.0 else timeline.fps,
            units="mm",
            first_frame=timeline.first_frame,
            start_s=timeline.start_s,
            notes=("Qualisys writes millimetres.", *timeline.notes),
        )
    ]


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False
