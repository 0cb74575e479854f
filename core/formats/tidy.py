"""Tidy tables: one row per point and frame, as written by FreeMoCap and by scripts built on data frames. R rows."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np

from ..errors import TrackFileError
from .freemocap import is_skipped_model, name_freemocap_points
from .raw import RawRecording, check_counts
from .textfile import TextTable
from .timeline import build_timeline, times_in_seconds

_POINT_COLUMNS = ("keypoint", "marker", "landmark", "joint", "bodypart", "point", "name")
_FRAME_COLUMNS = ("frame", "frame_number", "frame_id", "fnum")
_CONFIDENCE_COLUMNS = ("visibility", "confidence", "score")
_RAW_TRAJECTORY = "3d_xyz"


def is_tidy(header: list[str]) -> bool:
    """Return whether a header names a frame, a point and x, y, z."""
    words = {cell.lower() for cell in header}
    return {"x", "y", "z"} <= words and bool(words & set(_POINT_COLUMNS)) and bool(words & set(_FRAME_COLUMNS))


def read_tidy(header: list[str], table: TextTable) -> RawRecording:
    """Read a table with one row per point and frame.

    Raises:
        TrackFileError: a cell is not a number, or a frame has a point twice.
    """
    words = [cell.lower() for cell in header]
    column_of = {word: words.index(word) for word in words}
    point = column_of[next(word for word in _POINT_COLUMNS if word in column_of)]
    frame = column_of[next(word for word in _FRAME_COLUMNS if word in column_of)]
    score = next((column_of[word] for word in _CONFIDENCE_COLUMNS if word in column_of), None)
    time = column_of.get("timestamp")
    columns = [frame, column_of["x"], column_of["y"], column_of["z"], *([] if score is None else [score])]
    table.check_end(max(*columns, point) + 1)
    points: dict[tuple[str, str], int] = {}
    indices, values, stamps = array("q"), array("d"), array("d")
    for number, cells in _used_rows(column_of, table):
        cells += [""] * (len(header) - len(cells))
        key = (cells[column_of["model"]] if "model" in column_of else "", cells[point])
        indices.append(points.setdefault(key, len(points)))
        values.fromlist([table.to_float(cells[column], number) for column in columns])
        stamps.append(_to_time(cells[time]) if time is not None else np.nan)
    if not indices:
        wanted = f"trajectory {_RAW_TRAJECTORY!r}" if "trajectory" in column_of else "body points"
        raise TrackFileError(f"expected rows of {wanted}, found none in {table.path}; export the raw 3D points")
    recording = _assemble(
        np.frombuffer(values).reshape(len(indices), -1),
        np.frombuffer(indices, dtype=np.int64),
        np.frombuffer(stamps),
        list(points),
        table,
    )
    if "model" in column_of:
        return name_freemocap_points(recording, list(points))
    return recording


def _used_rows(column_of: dict[str, int], table: TextTable) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are used: FreeMoCap lists each point once per trajectory (raw, rigid, centres of mass)."""
    trajectory, model = column_of.get("trajectory"), column_of.get("model")
    for number, cells in table.rows():
        if trajectory is not None and (trajectory >= len(cells) or cells[trajectory].strip() != _RAW_TRAJECTORY):
            continue
        if model is not None and model < len(cells) and is_skipped_model(cells[model].strip().lower()):
            continue
        yield number, cells


def _assemble(
    rows: np.ndarray, indices: np.ndarray, stamps: np.ndarray, points: list[tuple[str, str]], table: TextTable
) -> RawRecording:
    """Arrange rows (R, 4 or 5) of frame, x, y, z and confidence by frame and point."""
    if not np.isfinite(rows[:, 0]).all():
        raise TrackFileError(f"expected a frame number in every row, found empty ones in {table.path}; fill them in")
    frames, row_frames = np.unique(rows[:, 0], return_inverse=True)
    row_frames = row_frames.reshape(-1)
    if len(np.unique(row_frames * len(points) + indices)) < len(rows):
        raise TrackFileError(
            f"expected each point once per frame, found duplicates in {table.path}; export one person and one kind of "
            "trajectory"
        )
    times = np.full(len(frames), np.nan)
    times[row_frames] = stamps
    times_s = times_in_seconds(times, "timestamp")[0] if np.isfinite(times).all() else None
    check_counts(len(frames), len(points), table.path)
    timeline = build_timeline(len(frames), table.path, num_points=len(points), frames=frames, times_s=times_s)
    positions = np.full((len(frames), len(points), 3), np.nan)
    positions[row_frames, indices] = rows[:, 1:4]
    confidence = np.zeros(positions.shape[:2])
    confidence[row_frames, indices] = np.nan_to_num(rows[:, 4], nan=0.0) if rows.shape[1] > 4 else 1.0
    return RawRecording(
        timeline.place(positions),
        np.nan_to_num(timeline.place(confidence), nan=0.0),
        "tidy CSV",
        table.path,
        names=tuple(name.strip() for _, name in points),
        fps=timeline.fps,
        first_frame=timeline.first_frame,
        start_s=timeline.start_s,
        notes=timeline.notes,
    )


def _to_time(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan
