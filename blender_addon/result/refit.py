"""Fit a range of a figure's frames again and blend the result into its motion. Needs no Blender. F frames.

The track is read again from its file; the shape is kept. A margin of frames on both sides is fitted too, to give the
ends of the range context. Within the range the new motion is faded in and out, so that there are no jumps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..core_access import (
    ConvertOptions,
    CoreError,
    Fit,
    FitOptions,
    FitReport,
    FitSource,
    Flag,
    Motion,
    Progress,
    Reading,
    fit_people,
    on_skeleton,
    read_input,
    smoothstep,
)
from ..figure.record import FigureRecord

_MARGIN_S = 1.0
_FADE_S = 0.2
_NOT_REUSED = ("betas", "regressor", "fps")


class RefitError(CoreError, ValueError):
    """Frames of a figure cannot be fitted again."""


@dataclass(frozen=True)
class RefitOrder:
    """Which frames to fit again, and how.

    Attributes:
        first: first scene frame of the range.
        last: last scene frame of the range.
        changes: fit options, by name, that differ from those of the figure's fit.
        file: the track's file if it was moved; empty if it was not.
    """

    first: int
    last: int
    changes: Mapping[str, Any]
    file: str = ""


@dataclass(frozen=True, eq=False)
class Refit:
    """The result of fitting a part of a track.

    Attributes:
        motion: the motion of the fitted track frames, at the track's rate.
        report: the report of the same frames.
        start: index of the first of these frames in the track.
    """

    motion: Motion
    report: FitReport
    start: int


def fit_again(
    record: FigureRecord,
    order: RefitOrder,
    progress: Progress,
    fit: Fit | None = None,
    readings: Sequence[Reading] = (),
) -> FigureRecord:
    """Return *record* with the frames of *order* fitted again.

    Args:
        record: the record of a figure that was fitted.
        order: the range and the options.
        progress: called with the completed fraction and the name of the step.
        fit: the function that fits a track; None for the core's `fit_track`.
        readings: what Blender has read the track as; empty to read it from its file.

    Raises:
        CoreError: the range contains no frame of the figure, or the track cannot be read or fitted.
        FitCancelled: *progress* returned False.
    """
    if record.report is None:
        raise RefitError("expected a figure that was fitted to keypoints, but this one came from a motion file")
    first, last = max(order.first, record.first_frame), min(order.last, record.last_frame)
    if first > last:
        raise RefitError(
            f"expected a range within the figure's frames {record.first_frame} to {record.last_frame}, "
            f"got {order.first} to {order.last}"
        )
    source = replace(record.source, file=order.file or record.source.file)
    options = ConvertOptions(fit=_options(record, order), reading=source.reading, body=source.body, hands=source.hands)
    if not readings and not Path(source.file).exists():
        raise RefitError(
            f"expected the figure's keypoints at {source.file}, found none; if they were moved, name the file in Moved "
            "To"
        )
    given = read_input(Path(source.file), options, progress, readings=readings)
    reading = _reading(given.readings, source, record)
    track = reading.track
    margin = round(_MARGIN_S * track.fps)
    start = max(record.track_frame(first) - margin, 0)
    stop = min(record.track_frame(last) + margin + 1, track.num_frames)
    part = replace(
        track,
        positions=track.positions[start:stop],
        confidence=track.confidence[start:stop],
        left_out=track.left_out[start:stop],
        start_s=track.start_s + start / track.fps,
    )
    shaped = replace(given.options, betas=record.report.betas)
    part_only = replace(given, readings=[replace(reading, track=part)], options=shaped)
    (fitted,) = fit_people(part_only, progress, fit=fit)
    missing = [name for name in record.report.point_names if name not in fitted.report.point_names]
    if missing:
        raise RefitError(
            f"expected the points that the figure was fitted to, found none for {', '.join(missing)} in {source.file}; "
            "it was changed since: import it again"
        )
    return replace(merged(record, Refit(fitted.motion, fitted.report, start), first, last), source=source)


def _reading(readings: Sequence[Reading], source: FitSource, record: FigureRecord) -> Reading:
    """Return the reading of the figure's person, if the file is as long as it was."""
    assert record.report is not None, "a fitted figure"
    if source.number >= len(readings):
        raise RefitError(
            f"expected person {source.number + 1} in {source.file}, found {len(readings)} people; was it changed?"
        )
    reading = readings[source.number]
    expected = len(record.report.point_error_mm), record.track_fps
    if (reading.track.num_frames, reading.track.fps) != expected:
        raise RefitError(
            f"expected {expected[0]} frames at {expected[1]:g} fps, as when the figure was fitted, found "
            f"{reading.track.num_frames} at {reading.track.fps:g} fps in {source.file}; it was changed since: import "
            "it again"
        )
    return reading


def _options(record: FigureRecord, order: RefitOrder) -> FitOptions:
    known = {item.name for item in fields(FitOptions)}
    values = {**record.source.fit, **order.changes}
    kept = {name: value for name, value in values.items() if name in known and name not in _NOT_REUSED}
    return FitOptions(**kept)


def merged(record: FigureRecord, refit: Refit, first: int, last: int) -> FigureRecord:
    """Return *record* with the scene frames *first* to *last* replaced by *refit*, faded within the range."""
    assert record.report is not None, "a fitted figure"
    old = record.motion
    frames = np.arange(old.num_frames)
    found = on_skeleton(refit.motion, old.skeleton).sampled(frames / record.scale - refit.start)
    new = replace(old, poses=found.poses, trans=found.trans + record.offset)
    share = _fade(record, first, last)
    blended = old.blended(new, share)
    outside = share == 0.0
    motion = replace(
        old,
        poses=np.where(outside[:, None], old.poses, blended.poses),
        trans=np.where(outside[:, None], old.trans, blended.trans),
    )
    report = _merged_report(record.report, refit, record.track_frame(first), record.track_frame(last))
    return replace(
        record,
        motion=motion,
        report=report,
        original=record.original or old,
        original_report=record.original_report or record.report,
    )


def _fade(record: FigureRecord, first: int, last: int) -> np.ndarray:
    """Return the weight (F,) of the new motion in each frame: 0 outside the range, 1 in its middle.

    Where an end of the range is an end of the motion, there is no fade.
    """
    num_frames = record.motion.num_frames
    low, high = first - record.first_frame, last - record.first_frame
    width = min(round(_FADE_S * record.motion.fps), (high - low) // 2)
    frames = np.arange(num_frames, dtype=np.float64)
    rise = np.ones(num_frames) if low == 0 else (frames - low + 1) / (width + 1)
    fall = np.ones(num_frames) if high == num_frames - 1 else (high + 1 - frames) / (width + 1)
    return smoothstep(np.minimum(rise, fall))


def _merged_report(report: FitReport, refit: Refit, first: int, last: int) -> FitReport:
    """Return *report* with the track frames *first* to *last* replaced by those of *refit*."""
    part = refit.report
    errors = report.point_error_mm.copy()
    column = {name: index for index, name in enumerate(part.point_names)}
    for index, name in enumerate(report.point_names):
        errors[first : last + 1, index] = part.point_error_mm[
            first - refit.start : last + 1 - refit.start, column[name]
        ]
    flags = [piece for flag in report.flags for piece in _without(flag, first, last)]
    for flag in part.flags:
        low, high = max(flag.first + refit.start, first), min(flag.last + refit.start, last)
        if low <= high:
            flags.append(replace(flag, first=low, last=high))
    flags.sort(key=lambda flag: (flag.first, flag.kind, flag.what))
    return replace(report, point_error_mm=errors, flags=tuple(flags))


def _without(flag: Flag, first: int, last: int) -> list[Flag]:
    """Return the parts of *flag* outside the frames *first* to *last*."""
    before = [replace(flag, last=min(flag.last, first - 1))] if flag.first < first else []
    after = [replace(flag, first=max(flag.first, last + 1))] if flag.last > last else []
    return before + after
