"""Tidy tables: one row per point and frame, as written by FreeMoCap and by scripts built on data frames. R rows."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..errors import TrackFileError
from .freemocap import is_skipped_model, name_freemocap_points
from .mediapipe import name_numbered_points
from .people_rows import person_column
from .raw import MAX_PEOPLE, RawRecording, check_counts
from .textfile import TextTable
from .timeline import Timeline, build_timeline, times_in_seconds

_POINT_COLUMNS = (
    "keypoint", "marker", "landmark", "joint", "bodypart", "body_part", "part", "point", "bone", "segment",
    *(f"{word}_{what}" for what in ("name", "id", "index", "idx")
      for word in ("keypoint", "marker", "landmark", "joint", "bodypart", "body_part", "point", "bone")),
    "name", "label",
)  # fmt: skip
_FRAME_COLUMNS = (
    "frame",
    "frame_number",
    "frame_id",
    "frame_idx",
    "frame_index",
    "frame_no",
    "frame_num",
    "frame#",
    "fnum",
)
_TIME_COLUMNS = ("timestamp", "time", "time_s", "time_ms", "timestamp_ms", "timestamp_s", "seconds", "t")
_CONFIDENCE_COLUMNS = ("visibility", "confidence", "score", "likelihood")
_AXIS = re.compile(r"(?:(?:pos|position|world|coord|p)[_.])?([xyz])(?:_(?:pos|position|world|3d))?")
_RAW_TRAJECTORY = "3d_xyz"


def _words(header: list[str]) -> dict[str, int]:
    """Return the columns by their names in lower case; those of x, y, z by their letter alone."""
    columns: dict[str, int] = {}
    for index, cell in enumerate(header):
        word = re.sub(r"\s+", "_", re.sub(r"\s*[(\[].*?[)\]]", "", cell.lower()).strip())
        axis = _AXIS.fullmatch(word)
        columns.setdefault(axis.group(1) if axis else word, index)
    return columns


def is_tidy(header: list[str]) -> bool:
    """Return whether a header names a frame or a time, a point, and x, y, z."""
    words = set(_words(header))
    return (
        {"x", "y", "z"} <= words
        and bool(words & set(_POINT_COLUMNS))
        and bool(words & {*_FRAME_COLUMNS, *_TIME_COLUMNS})
    )


def read_tidy(header: list[str], table: TextTable, units: str | None) -> list[RawRecording]:
    """Read a table with one row per point and frame, in which a column may name the person, as a recording of each.

    Raises:
        TrackFileError: a cell is not a number, or a frame has a point twice.
    """
    column_of = _words(header)
    point = column_of[next(word for word in _POINT_COLUMNS if word in column_of)]
    time_name = next((word for word in _TIME_COLUMNS if word in column_of), None)
    time = None if time_name is None else column_of[time_name]
    frame = next((column_of[word] for word in _FRAME_COLUMNS if word in column_of), time)
    score = next((column_of[word] for word in _CONFIDENCE_COLUMNS if word in column_of), None)
    person = person_column(header)
    columns = [column for column in (frame, *(column_of[axis] for axis in "xyz"), score) if column is not None]
    table.check_end(max(*columns, point) + 1)
    points: dict[tuple[str, str], int] = {}
    indices, values, stamps, labels = array("q"), array("d"), array("d"), []
    for number, cells in _used_rows(column_of, table):
        cells += [""] * (len(header) - len(cells))
        key = (cells[column_of["model"]] if "model" in column_of else "", cells[point])
        indices.append(points.setdefault(key, len(points)))
        values.fromlist([table.to_float(cells[column], number) for column in columns])
        stamps.append(_to_time(cells[time]) if time is not None else np.nan)
        labels.append(cells[person].strip() if person is not None else "")
    if not indices:
        wanted = f"trajectory {_RAW_TRAJECTORY!r}" if "trajectory" in column_of else "body points"
        raise TrackFileError(f"expected rows of {wanted}, found none in {table.path}; export the raw 3D points")
    people = list(dict.fromkeys(labels))
    if len(people) > MAX_PEOPLE:
        raise TrackFileError(f"expected up to {MAX_PEOPLE} people, found {len(people)} in {table.path}; split it")
    rows, kept = np.frombuffer(values).reshape(len(indices), -1), np.array(labels)
    frames, row_frames = _frames(rows[:, 0], table)
    times = np.full(len(frames), np.nan)
    times[row_frames] = np.frombuffer(stamps)
    times_s = times_in_seconds(times, time_name)[0] if time_name and np.isfinite(times).all() else None
    check_counts(len(frames) * len(people), len(points), table.path)
    timeline = build_timeline(
        len(frames), table.path, num_points=len(points), frames=None if frame == time else frames, times_s=times_s
    )
    recordings = []
    for label in people:
        own = kept == label
        recording = _assemble(
            rows[own], row_frames[own], np.frombuffer(indices, dtype=np.int64)[own], list(points), timeline, table
        )
        recording = replace(recording, units=units, person=label if len(people) > 1 else "")
        recordings.append(
            name_freemocap_points(recording, list(points)) if "model" in column_of else name_numbered_points(recording)
        )
    return recordings


def _frames(numbers: np.ndarray, table: TextTable) -> tuple[np.ndarray, np.ndarray]:
    """Return the frames, by number or time, and the index of the frame of each row (R,)."""
    if not np.isfinite(numbers).all():
        raise TrackFileError(f"expected a frame number in every row, found empty ones in {table.path}; fill them in")
    frames, row_frames = np.unique(numbers, return_inverse=True)
    return frames, row_frames.reshape(-1)


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
    rows: np.ndarray,
    row_frames: np.ndarray,
    indices: np.ndarray,
    points: list[tuple[str, str]],
    timeline: Timeline,
    table: TextTable,
) -> RawRecording:
    """Arrange one person's rows (R, 4 or 5) of frame, x, y, z and confidence by frame and point."""
    if len(np.unique(row_frames * len(points) + indices)) < len(rows):
        raise TrackFileError(
            f"expected each point once per frame, found duplicates in {table.path}; export one person and one kind of "
            "trajectory"
        )
    positions = np.full((len(timeline.rows), len(points), 3), np.nan)
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
