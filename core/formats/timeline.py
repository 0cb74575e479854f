"""Place the rows of a file on evenly spaced frames: skipped frames, frame rates. R rows, F frames, K points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .raw import check_counts

_REGULAR_SHARE = 0.9
"""Gaps are derived from times only if this fraction of time steps is near whole multiples of the median step."""
_REGULAR_STEP = 0.2
"""Largest distance of such a step from a whole multiple, in steps."""
_RATE_TOLERANCE = 2e-4
"""A rate within this relative distance of a whole number is rounded to it; 59.94 is not 60."""
_MIN_STEPS_FOR_STRIDE = 8
"""With at least this many steps, a common divisor of the frame numbers' steps is a stride, not chance."""
_MAX_GRID_FACTOR = 10
_FREE_GRID_ROWS = 10_000
_MIN_TRIAL_ROWS = 5
"""Rows before and after a place where a count begins again that are trials of their own, not a wrong number."""
_VALID_RATES = (0.01, 10_000.0)
"""Rates outside this range mean damaged times."""
_PLAUSIBLE_RATES = (2.0, 1500.0)
_LONGEST_TAKE_S = 86_400.0
"""Times that begin later are those of a clock, which do not count from the beginning of a recording."""
_TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


@dataclass(frozen=True)
class Timeline:
    """The frames of a file's rows.

    Attributes:
        rows: (R,) frame index of each row of the file, increasing.
        num_frames: F, the number of frames.
        first_frame: the file's number of the first row.
        fps: frame rate from the times, None without times.
        start_s: time of the first row, seconds; 0 without times, and where they are those of a clock.
        notes: what was found, for the user.
    """

    rows: np.ndarray
    num_frames: int
    first_frame: int = 0
    fps: float | None = None
    start_s: float = 0.0
    notes: tuple[str, ...] = ()

    def place(self, values: np.ndarray) -> np.ndarray:
        """Return values (R, ...) by frame (F, ...), NaN where the file has no row."""
        if len(self.rows) == self.num_frames:
            return values
        grid = np.full((self.num_frames, *values.shape[1:]), np.nan)
        grid[self.rows] = values
        return grid


def build_timeline(
    num_rows: int,
    path: Path,
    *,
    num_points: int = 1,
    frames: np.ndarray | None = None,
    times_s: np.ndarray | None = None,
) -> Timeline:
    """Place rows on evenly spaced frames by their frame numbers and times, whichever the file has.

    Args:
        num_rows: R.
        path: the file, for messages.
        num_points: K, to check the size of the result.
        frames: (R,) frame numbers, or None.
        times_s: (R,) times in seconds, or None.

    Raises:
        TrackFileError: the result would be far larger than the file, or the file holds more than one trial.
    """
    check_counts(num_rows, num_points, path)
    _refuse_trials(frames, times_s, path)
    notes: list[str] = []
    first = 0
    steps = None
    if frames is not None:
        if _are_frame_numbers(frames):
            first = int(frames[0])
            steps = np.diff(frames.astype(np.int64))
            stride = int(np.gcd.reduce(steps)) if len(steps) >= _MIN_STEPS_FOR_STRIDE else 1
            if stride > 1:
                steps = steps // stride
                notes.append(f"Frames are numbered in steps of {stride}.")
        else:
            notes.append("The frame numbers do not increase by whole numbers, so the rows are read in file order.")
    times = times_s if times_s is not None and _are_times(times_s) else None
    if times is not None:
        time_steps = _time_steps(times)
        if time_steps is not None:
            steps = time_steps if steps is None else np.maximum(steps, time_steps)
    elif times_s is not None and np.isfinite(times_s).any() and num_rows > 1:
        notes.append("The times do not increase, so they are ignored.")
    rows = np.arange(num_rows) if steps is None else np.concatenate([[0], np.cumsum(steps)])
    num_frames = int(rows[-1]) + 1
    if num_frames > _MAX_GRID_FACTOR * num_rows + _FREE_GRID_ROWS:
        raise TrackFileError(
            f"expected frame numbers and times without large holes, found {num_rows} rows spread over {num_frames} "
            f"frames in {path}; correct the frame or time column"
        )
    check_counts(num_frames, num_points, path)
    if num_frames > num_rows:
        notes.append(f"{num_frames - num_rows} of {num_frames} frames are not in the file; they are missing frames.")
    fps, start = None, 0.0
    if times is not None:
        start = float(times[0]) if abs(times[0]) < _LONGEST_TAKE_S else 0.0
        fps = _round_rate((num_frames - 1) / float(times[-1] - times[0]))
        if not _VALID_RATES[0] <= fps <= _VALID_RATES[1]:
            notes.append(f"The times give {fps:g} fps, so they are ignored.")
            fps = None
    return Timeline(rows, num_frames, first, fps, start, tuple(notes))


def stated_start(value: Any) -> float:
    """Return the time of the first frame that a file states, seconds; 0 if *value* is no such number."""
    if not isinstance(value, (int, float, np.ndarray)) or np.size(value) != 1:
        return 0.0
    array = np.asarray(value).reshape(-1)
    start = float(array[0]) if array.dtype.kind in "iuf" else 0.0
    return start if abs(start) < _LONGEST_TAKE_S else 0.0


def _refuse_trials(frames: np.ndarray | None, times_s: np.ndarray | None, path: Path) -> None:
    """Refuse a file whose times, or frame numbers if it has no times, begin again: it holds several trials."""
    counts, what = (times_s, "times") if times_s is not None else (frames, "frame numbers")
    starts = _restarts(counts) if counts is not None else []
    if counts is not None and starts:
        row = starts[0]
        raise TrackFileError(
            f"expected one trial, found {len(starts) + 1} in {path}: the {what} begin again in row {row + 1} of the "
            f"data, with {counts[row]:.6g} after {counts[row - 1]:.6g}; save each trial as a file of its own, and "
            "people with their number in a column person_id"
        )


def _restarts(counts: np.ndarray) -> list[int]:
    """Return the rows at which increasing *counts* (R,) fall back by many steps; none if they are irregular besides."""
    if not np.isfinite(counts).all() or len(counts) < 2 * _MIN_TRIAL_ROWS:
        return []
    steps = np.diff(counts)
    starts = (np.flatnonzero(steps < 0.0) + 1).tolist()
    bounds = [0, *starts, len(counts)]
    trials = [counts[begin:end] for begin, end in zip(bounds, bounds[1:], strict=False)]
    are_trials = all(len(trial) >= _MIN_TRIAL_ROWS and (np.diff(trial) > 0.0).all() for trial in trials)
    fall = _MIN_TRIAL_ROWS * float(np.median(np.abs(steps)))
    goes_on = all((steps[start : start + _MIN_TRIAL_ROWS - 1] < fall).all() for start in starts)
    return starts if are_trials and goes_on and all(steps[start - 1] <= -fall for start in starts) else []


def times_in_seconds(times: np.ndarray, column: str) -> tuple[np.ndarray | None, str]:
    """Return times in seconds and their original unit, found from the column's name or a plausible frame rate."""
    steps = np.diff(times[np.isfinite(times)])
    steps = steps[steps > 0.0]
    name = column.lower().strip()
    unit = next(
        (unit for unit in _TIME_UNITS if name.endswith((f"_{unit}", f"({unit})", f"[{unit}]")) or name == unit), ""
    )
    if not unit and len(steps):
        low, high = _PLAUSIBLE_RATES
        rates = {unit: 1.0 / (float(np.median(steps)) * scale) for unit, scale in _TIME_UNITS.items()}
        unit = next((unit for unit, rate in rates.items() if low <= rate <= high), "")
    return (times * _TIME_UNITS[unit], unit) if unit else (None, "")


def _are_frame_numbers(frames: np.ndarray) -> bool:
    if not np.isfinite(frames).all() or np.abs(frames).max(initial=0.0) > 2.0**52:
        return False
    return bool((frames == np.round(frames)).all() and (np.diff(frames) > 0.0).all())


def _are_times(times: np.ndarray) -> bool:
    return len(times) > 1 and bool(np.isfinite(times).all() and (np.diff(times) > 0.0).all())


def _time_steps(times: np.ndarray) -> np.ndarray | None:
    """Return the frame steps between rows (R - 1,); None if the times are too uneven to separate gaps from jitter."""
    multiples = np.diff(times) / np.median(np.diff(times))
    nearest = np.maximum(np.round(multiples), 1.0)
    regular = np.abs(multiples - nearest) < _REGULAR_STEP
    if regular.mean() < _REGULAR_SHARE or multiples.max() > 2.0**40:
        return None
    return np.asarray(nearest, dtype=np.int64)


def _round_rate(rate: float) -> float:
    if not np.isfinite(rate):
        return rate
    return float(round(rate)) if abs(rate - round(rate)) <= _RATE_TOLERANCE * rate else rate
