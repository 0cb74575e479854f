"""JSON exports of Qualisys Track Manager: the parts in which each marker was seen, in millimetres.

``{"Timebase": {"Frequency": 100}, "Markers": [{"Name": "RKNE", "Parts": [{"Range": {"Start": 1, "End": 9}, "Values":
[[x, y, z, residual], ..]}]}]}``; keys as in public readers of these files, no file was available. Z is usually up.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .people_clip import number_array
from .raw import MAX_FRAMES, RawRecording
from .timeline import build_timeline

KIND = "Qualisys JSON"
_MARKERS, _TIMEBASE = "Markers", "Timebase"


def is_qualisys_json(document: Any) -> bool:
    """Return whether a document is an export of Qualisys Track Manager."""
    return isinstance(document, Mapping) and isinstance(document.get(_TIMEBASE), Mapping)


def read_qualisys_json(document: Mapping[str, Any], path: Path) -> list[RawRecording]:
    """Return the labelled markers as one recording.

    Raises:
        TrackFileError: there are none, or they are damaged.
    """
    markers = document.get(_MARKERS)
    rows = [row for row in markers if isinstance(row, Mapping)] if isinstance(markers, list) else []
    names = tuple(str(row.get("Name")) for row in rows)
    if not names or len(set(names)) < len(names):
        found = "names twice" if names else str(sorted(map(str, document)))[:160]
        raise _wrong("Markers with a name each", found, path)
    parts = [(column, *_part(part, path)) for column, row in enumerate(rows) for part in _parts(row, path)]
    parts = [part for part in parts if len(part[2])]
    if not parts:
        raise _wrong("markers that were seen", "none", path)
    frames = np.unique(np.concatenate([start + np.arange(len(values)) for _, start, values in parts]))
    timeline = build_timeline(len(frames), path, num_points=len(names), frames=frames.astype(np.float64))
    seen = np.full((len(frames), len(names), 3), np.nan)
    for column, start, values in parts:
        row = int(np.searchsorted(frames, start))
        seen[row : row + len(values), column] = values
    positions = timeline.place(seen)
    rate = document[_TIMEBASE].get("Frequency")
    return [
        RawRecording(
            positions,
            np.ones(positions.shape[:2]),
            KIND,
            path,
            names=names,
            fps=float(rate) if isinstance(rate, (int, float)) and 0.0 < rate < 1e5 else None,
            units="mm",
            first_frame=timeline.first_frame,
            start_s=timeline.start_s,
            notes=timeline.notes,
        )
    ]


def _parts(row: Mapping[str, Any], path: Path) -> list[Any]:
    parts = row.get("Parts")
    if not isinstance(parts, list):
        raise _wrong("Parts of each marker", str(parts)[:60], path)
    return parts


def _part(part: Any, path: Path) -> tuple[int, np.ndarray]:
    """Return the number of the first frame of a part, and its positions (N, 3)."""
    span = part.get("Range") if isinstance(part, Mapping) else None
    start = span.get("Start") if isinstance(span, Mapping) else None
    if not isinstance(start, int) or not 0 <= start <= MAX_FRAMES:
        raise _wrong(f"a Start from 0 to {MAX_FRAMES} in the Range of each part", str(span)[:60], path)
    values = number_array(part.get("Values", []), "the Values of a part", path)
    if not values.size:
        return start, np.zeros((0, 3))
    if values.ndim != 2 or values.shape[1] not in (3, 4):
        raise _wrong("Values of x, y, z and the residual", str(values.shape), path)
    return start, values[:, :3]


def _wrong(expected: str, found: str, path: Path) -> TrackFileError:
    return TrackFileError(
        f"expected {expected} in a Qualisys export, found {found} in {path}; export the 3D data of the labelled markers"
    )
