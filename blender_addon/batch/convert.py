"""Convert keypoint files to figures and figures to files: the steps that the operator and the batch share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import bpy

from ..core_access import (
    BodyData,
    FitCancelled,
    FitOptions,
    FitReport,
    KeypointTrack,
    Motion,
    ReadOptions,
    fit_track,
    person_labels,
    read_betas,
    read_tracks,
    resolve_body,
)
from ..export.writers import export_figures, save_session, write_amass
from ..figure.create import Figure, FigureOptions, add_figures
from ..figure.keyframe_hash import mark_keys
from ..figure.placing import Person, Place, place_motion
from ..figure.record import FigureRecord, FitSource, plain_options, store
from ..result.error_curve import key_errors
from ..result.live_settings import adjust, store_cleanup_source
from ..torch_backend.fitting import run_fit
from .jobs import ConvertOptions

Progress = Callable[[float, str], bool | None]


@dataclass(frozen=True, eq=False)
class FittedTrack:
    """A track and its fit.

    Attributes:
        track: the keypoints.
        label: distinguishes the person from others in the file; empty when there is only one.
        person: the fitted person, ready to be added to a scene.
        report: the quality of the fit.
        source: the file of the track, and how it was read and fitted.
    """

    track: KeypointTrack
    label: str
    person: Person
    report: FitReport
    source: FitSource = field(default_factory=FitSource)


@dataclass(frozen=True, eq=False)
class FitOrder:
    """How to fit the people in a file.

    Attributes:
        source: the keypoint file.
        reading: the options it was read with.
        body: the body model to fit.
        body_file: the file of the body model, "" for the free body.
        options: the fit options.
        fit: the function that fits a track; same signature as the core's `fit_track`.
        betas_file: the file that the shape was read from, "" if it was not read from a file.
        place: where the people will be placed; their motions are prepared for it. None skips this.
    """

    source: Path
    reading: ReadOptions
    body: BodyData
    body_file: str
    options: FitOptions
    fit: Callable[..., tuple[Motion, FitReport]] = fit_track
    betas_file: str = ""
    place: Place | None = None


def fit_file(
    source: Path, options: ConvertOptions, progress: Progress, *, workers: int | None = None
) -> list[FittedTrack]:
    """Read a keypoint file and fit everyone in it. Needs no scene.

    Args:
        source: the file, or a folder with one file per frame.
        options: how to read and fit the file.
        progress: called with the completed fraction (0 to 1) and the name of the step; an exception it raises ends
            the work.
        workers: number of threads for the fit; None for the number of cores.

    Raises:
        CoreError: the file or the body cannot be used.
    """
    progress(0.0, "reading")
    body = resolve_body(options.body or None)
    betas = read_betas(Path(options.betas)) if options.betas else None
    tracks = read_tracks(source, options.reading)
    fit_options = FitOptions(betas=betas, quality=options.quality, device=options.device, workers=workers)
    python = Path(options.torch_python) if options.torch_python else None
    fit = partial(run_fit, python=python)
    order = FitOrder(source, options.reading, body, options.body, fit_options, fit, betas_file=options.betas)
    return fit_people(tracks, person_labels(tracks), range(len(tracks)), order, progress)


def fit_people(
    tracks: Sequence[KeypointTrack],
    labels: Sequence[str],
    chosen: Sequence[int],
    order: FitOrder,
    progress: Progress,
) -> list[FittedTrack]:
    """Fit the chosen people of a file. Needs no scene, and runs on any thread.

    Args:
        tracks: one track per person in the file.
        labels: one label per track.
        chosen: indices of the tracks to fit.
        order: how to fit.
        progress: as for `fit_file`; may return False to cancel.

    Raises:
        CoreError: the tracks or the body cannot be used.
        FitCancelled: *progress* returned False.
    """
    stem = order.source.name if order.source.is_dir() else order.source.stem
    frames = [tracks[number].num_frames for number in chosen]
    place = order.place
    fitted: list[FittedTrack] = []
    for turn, number in enumerate(chosen):

        def on_progress(done: int, total: int, what: str, turn: int = turn) -> bool | None:
            before, part = sum(frames[:turn]), frames[turn] * done / max(total, 1)
            return progress((before + part) / sum(frames), what)

        motion, report = order.fit(tracks[number], order.body, order.options, on_progress)
        name = f"{stem}_{labels[number]}" if labels[number] else stem
        fit_source = FitSource(
            file=str(order.source),
            number=number,
            reading=order.reading,
            body=order.body_file,
            betas_file=order.betas_file,
            fit=plain_options(order.options),
        )
        person = Person(name, motion, order.body, report.flags, tracks[number].fps)
        if place is not None:
            if progress(sum(frames[: turn + 1]) / sum(frames), "Finding the floor") is False:
                raise FitCancelled("the fit was cancelled; nothing was changed")
            place = place if place.rate is not None else replace(place, rate=motion.fps)
            person = replace(person, placed=place_motion(person, place))
        fitted.append(FittedTrack(tracks[number], labels[number], person, report, fit_source))
    return fitted


def show(fitted: Sequence[FittedTrack], name: str, *, floor: bool = True) -> list[Figure]:
    """Add fitted people to the current scene, in a new collection; see `figure.create.add_figures`."""
    people = [item.person for item in fitted]
    figures = add_figures(people, bpy.context.scene, name=name, options=FigureOptions(floor=floor))
    for figure, item in zip(figures, fitted, strict=True):
        store_fit(figure, item)
        if figure.source is not None:
            store_cleanup_source(figure.armature, figure.source)
    return figures


def store_fit(figure: Figure, fitted: FittedTrack) -> None:
    """Store the result of the fit with a new figure; must be called after the figure is added to a scene."""
    offset = figure.motion.trans[0] - fitted.person.motion.trans[0]
    record = FigureRecord(
        motion=figure.motion,
        first_frame=figure.first_frame,
        source=fitted.source,
        report=fitted.report,
        track_fps=fitted.track.fps,
        offset=offset,
    )
    store(figure.armature, record)
    key_errors(figure.armature, record)
    mark_keys(figure.armature)


def convert(request: Mapping[str, Any], progress: Progress) -> dict[str, object]:
    """Convert one input for the batch. The current session is replaced by an empty one.

    Args:
        request: ``source``, ``folder`` (output folder), ``stem`` (name of the outputs) and ``options``; optionally
            ``workers``, the number of threads for the fit.
        progress: as for `fit_file`.

    Returns:
        ``outputs`` (file names), ``people`` (one dictionary per person) and ``blender`` (Blender's version).

    Raises:
        CoreError: the input cannot be used, or a file cannot be written.
    """
    source, folder, stem = Path(str(request["source"])), Path(str(request["folder"])), str(request["stem"])
    options = ConvertOptions.from_dict(request["options"])
    workers = request.get("workers")
    fitted = fit_file(source, options, lambda share, what: progress(0.7 * share, what), workers=workers)
    bpy.ops.wm.read_homefile(use_empty=True)
    figures = show(fitted, stem, floor=options.cleanup.ground == "contacts")
    for figure, item in zip(figures, fitted, strict=True):
        progress(0.7, "cleaning up")
        adjust(figure.armature, options.cleanup.without_place() if item.track.root_relative else options.cleanup)
    outputs = []
    for number, kind in enumerate(options.formats):
        progress(0.7 + 0.3 * number / len(options.formats), f"writing {kind}")
        outputs += _write(fitted, figures, kind, folder / stem)
    people = [_person_report(item, figure) for item, figure in zip(fitted, figures, strict=True)]
    return {"outputs": outputs, "people": people, "blender": bpy.app.version_string}


def _write(fitted: Sequence[FittedTrack], figures: Sequence[Figure], kind: str, target: Path) -> list[str]:
    """Write one format to *target*, a path without suffix; return the file names."""
    if kind == "blend":
        return [save_session(target.with_name(f"{target.name}.blend")).name]
    names = []
    for item, figure in zip(fitted, figures, strict=True):
        path = target.with_name(f"{target.name}{f'_{item.label}' if item.label else ''}.{kind}")
        if kind == "npz":
            error = {"keypoint_error_mm": item.report.keypoint_error_mm}
            write_amass(figure.armature, path, scene=bpy.context.scene, extra=error)
        else:
            export_figures([figure.armature], path)
        names.append(path.name)
    return names


def _person_report(item: FittedTrack, figure: Figure) -> dict[str, object]:
    """Return a person's entry in the report."""
    return {
        "name": item.person.name,
        "label": item.track.person,
        "layout": item.track.layout.name,
        "root_relative": item.track.root_relative,
        "notes": list(item.track.notes),
        "doubts": list(item.track.doubts),
        "frames": figure.motion.num_frames,
        "fps": figure.motion.fps,
        "betas": [float(beta) for beta in figure.motion.betas],
        "fit": item.report.to_dict(),
    }
