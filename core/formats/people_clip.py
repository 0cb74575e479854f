"""People collected frame by frame, as estimators list them, to one recording per person. F frames, K points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .raw import MAX_PEOPLE, RawRecording, check_counts
from .timeline import Timeline, build_timeline

_MAX_DEPTH, _MAX_LISTED = 4, 8_000_000
"""Levels and items of nested lists that are read as an array."""
_MAX_LEVELS = 12
BY_ORDER = "The file does not identify people; they are assigned by their order in each frame."


@dataclass
class PeopleClip:
    """The people of a clip while it is being read.

    Attributes:
        path: the file.
        kind: format of the file, for the user.
        people: person -> index of the row -> points (K, 3), or (K, 4) with confidence.
    """

    path: Path
    kind: str
    people: dict[str, dict[int, np.ndarray]] = field(default_factory=dict)

    def add(self, person: str, row: int, points: np.ndarray) -> None:
        """Add the points of *person* in the frame of *row*.

        Raises:
            TrackFileError: the person is there twice, or there are too many people.
        """
        rows = self.people.setdefault(person, {})
        if row in rows or len(self.people) > MAX_PEOPLE:
            found = f"person {person!r} twice in one frame" if row in rows else f"{len(self.people)} people"
            raise TrackFileError(
                f"expected each of up to {MAX_PEOPLE} people once per frame, found {found} in {self.path}; "
                "export the people with one number each"
            )
        rows[row] = points

    def recordings(
        self,
        num_rows: int,
        *,
        frames: np.ndarray | None = None,
        times_s: np.ndarray | None = None,
        fps: float | None = None,
        names: tuple[str, ...] | None = None,
        layout: str | None = None,
        units: str | None = None,
        notes: Iterable[str] = (),
    ) -> list[RawRecording]:
        """Return one recording per person, all on the frames of the whole clip.

        Args:
            num_rows: number of rows, with people or without.
            frames: frame number of each row, or None.
            times_s: time of each row in seconds, or None.
            fps: the file's own frame rate; else that of the times.
            names: K point names, or None.
            layout: the layout that the file states, or None.
            units: the unit that the file states, or None.
            notes: what was found, for the user.

        Raises:
            TrackFileError: there are no people, or their points differ in number.
        """
        counts = {len(points) for rows in self.people.values() for points in rows.values()}
        if len(counts) != 1:
            found = f"{sorted(counts)[:6]} points" if counts else "frames without any"
            raise TrackFileError(
                f"expected people with the same points in every frame, found {found} in {self.path}; export a clip "
                "with detected people and one kind of skeleton"
            )
        num_points = counts.pop()
        check_counts(num_rows * len(self.people), num_points, self.path)
        timeline = build_timeline(num_rows, self.path, num_points=num_points, frames=frames, times_s=times_s)
        check_counts(timeline.num_frames * len(self.people), num_points, self.path)
        return [
            RawRecording(
                *_place(rows, timeline, num_points),
                self.kind,
                self.path,
                names=names if names is not None and len(names) == num_points else None,
                fps=fps or timeline.fps,
                units=units,
                layout=layout,
                person=person if len(self.people) > 1 else "",
                first_frame=timeline.first_frame,
                start_s=timeline.start_s,
                notes=(*notes, *timeline.notes),
            )
            for person, rows in self.people.items()
        ]


def _place(rows: dict[int, np.ndarray], timeline: Timeline, num_points: int) -> tuple[np.ndarray, np.ndarray]:
    points = np.full((timeline.num_frames, num_points, 4), np.nan)
    for row, values in rows.items():
        points[timeline.rows[row], :, : values.shape[1]] = values
        if values.shape[1] == 3:
            points[timeline.rows[row], :, 3] = 1.0
    return points[..., :3], np.nan_to_num(points[..., 3], nan=0.0)


def label_of(person: Mapping[Any, object], keys: Iterable[str], index: int) -> str:
    """Return the label of a person under the first of *keys* that the file has, or else the *index* in the frame."""
    value = next((person[key] for key in keys if key in person), index)
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0].item()
    if isinstance(value, np.generic):
        value = value.item()
    return str(value)[:60] if isinstance(value, (int, str)) else str(index)


def number_array(value: Any, what: str, path: Path) -> np.ndarray:
    """Return numbers in an array or in nested lists as float64.

    The lists of a pickle may hold each other many times, so they are counted before NumPy unfolds them.

    Raises:
        TrackFileError: they are no numbers, of unequal lengths, nested too deeply, or too many.
    """
    try:
        if isinstance(value, np.ndarray) and value.dtype.hasobject:
            value = value.tolist()
        if isinstance(value, (list, tuple)) and _count(value, _MAX_DEPTH, _MAX_LISTED) > _MAX_LISTED:
            raise ValueError("too many numbers in lists")
        with np.errstate(over="ignore", invalid="ignore"):
            array = np.asarray(value)
            if array.dtype.kind not in "fiub":
                raise TypeError(f"{array.dtype} in {type(value).__name__}")
            return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise TrackFileError(
            f"expected {what} as numbers, found {str(error)[:80]} in {path}; save it again, as a NumPy array"
        ) from error


def _count(value: Any, depth: int, limit: int) -> int:
    """Return the number of items in nested lists, or one more than *limit*."""
    if isinstance(value, np.ndarray):
        return int(value.size)
    if not isinstance(value, (list, tuple)):
        return 1
    if depth == 0:
        raise ValueError(f"lists nested deeper than {_MAX_DEPTH} levels")
    total = 0
    for item in value:
        total += _count(item, depth - 1, limit - total)
        if total > limit:
            return limit + 1
    return total


def as_document(value: Any, path: Path) -> Any:
    """Return plain data as JSON would hold it: arrays as lists, keys as texts.

    Raises:
        TrackFileError: it is nested too deeply, or holds too much.
    """
    left = [_MAX_LISTED]

    def convert(item: Any, depth: int) -> Any:
        left[0] -= int(item.size) if isinstance(item, np.ndarray) else 1
        if left[0] < 0 or depth == 0:
            raise TrackFileError(
                f"expected points in lists and dictionaries, found too much or too many levels of them in {path}; save "
                "the points as an array (frames, points, 3)"
            )
        if isinstance(item, Mapping):
            return {str(key)[:200]: convert(inner, depth - 1) for key, inner in item.items()}
        if isinstance(item, np.ndarray) and item.dtype.hasobject:
            item = item.tolist()
        if isinstance(item, (list, tuple)):
            return [convert(inner, depth - 1) for inner in item]
        return item.tolist() if isinstance(item, (np.ndarray, np.generic)) else item

    return convert(value, _MAX_LEVELS)
