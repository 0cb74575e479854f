"""Tables in which a column names the person of each row: interleaved rows of people, or consecutive blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import TrackFileError
from .people_clip import PeopleClip
from .raw import RawRecording
from .textfile import TextTable

PERSON_COLUMNS = (
    "person_id", "personid", "person", "track_id", "trackid", "track", "subject", "subject_id", "body_id", "bodyid",
    "people_id", "skeleton_id", "skeletonid", "actor", "player_id", "instance_id", "human_id",
)  # fmt: skip
"""Columns that name the person of a row."""


def person_column(header: list[str]) -> int | None:
    """Return the column that names the person of each row, or None."""
    words = [cell.lower().replace(" ", "_") for cell in header]
    return next((words.index(word) for word in PERSON_COLUMNS if word in words), None)


def people_labels(table: TextTable, column: int) -> list[str]:
    """Return the person of each row."""
    return [cells[column].strip() if column < len(cells) else "" for _, cells in table.rows()]


def split_rows(
    recording: RawRecording,
    labels: list[str],
    frames: np.ndarray | None,
    times_s: np.ndarray | None,
) -> list[RawRecording]:
    """Return one recording per person of a table's rows (R), all on the same frames.

    Args:
        recording: the rows in file order.
        labels: R labels of people.
        frames: (R,) frame numbers, or None.
        times_s: (R,) times in seconds, or None.

    Raises:
        TrackFileError: rows cannot be assigned to people, or a frame has a person twice.
    """
    keys = frames if frames is not None else times_s
    if keys is None:
        count = {label: 0 for label in labels}
        order = []
        for label in labels:
            order.append(float(count[label]))
            count[label] += 1
        keys = np.array(order)
    if not np.isfinite(keys).all():
        raise TrackFileError(
            f"expected a frame number or time in every row of a table of people, found empty ones in "
            f"{recording.source}; fill them in"
        )
    instants, rows = np.unique(keys, return_inverse=True)
    clip = PeopleClip(recording.source, recording.kind)
    points = np.concatenate([recording.positions, recording.confidence[..., None]], axis=-1)
    for label, row, values in zip(labels, rows.reshape(-1).tolist(), points, strict=True):
        clip.add(label, row, values)
    times = None
    if times_s is not None and np.isfinite(times_s).all():
        times = np.full(len(instants), np.nan)
        times[rows.reshape(-1)] = times_s
    found = clip.recordings(
        len(instants),
        frames=instants if frames is not None else None,
        times_s=times,
        names=recording.names,
        units=recording.units,
        notes=recording.notes,
    )
    return [replace(person, layout=recording.layout) for person in found]
