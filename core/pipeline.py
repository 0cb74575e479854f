"""The pipeline of a keypoint file: read, body, shape, fit, clean-up, report, AMASS file. F frames.

The window, the batches and the command line all take these steps::

    given = read_input(Path("walk.trc"), ConvertOptions())
    for person in fit_people(given):
        motion, notes = clean_person(person, PLANTED)
        write_person(Path(f"{person.name}.npz"), person, motion)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from . import opensim
from .amass import write_motion
from .body.betas_file import read_betas
from .body.catalog import resolve_body
from .body.data import BodyData
from .body.model import BodyModel
from .body.smpl_file import read_regressor
from .cleanup import CleanupOptions, analyse_motion, clean_up, held_joints
from .convert_options import ConvertOptions, plain_options
from .errors import FitCancelled, InputMissingError
from .fingers import DEFAULT_HANDS, HANDS, on_skeleton
from .fit import FitOptions, FitReport, fit_track
from .fit import Progress as FitProgress
from .fit.fingers import add_fingers, fits_fingers
from .fit.options import report_progress
from .fit.pose_solver import known_betas
from .fit.solved_motion import take_solved
from .formats.dispatch import read_recordings
from .motion import Motion
from .person_labels import person_labels
from .placement import Person, Place, place_motion
from .reading import Reading, ReadOptions, read_all
from .reading.identities import check_groups
from .track import KeypointTrack

Progress = Callable[[float, str], bool | None]
"""Called with the completed fraction (0 to 1) and the step's name; returning False cancels, an exception ends."""

Fit = Callable[..., tuple[Motion, FitReport]]
"""A function with the signature of `core.fit.fit_track`, such as one that fits in another process."""


@dataclass(frozen=True)
class FitSource:
    """The source of a figure and the options of its fit, so that frames can be fitted again.

    Attributes:
        file: the keypoint file or folder; the motion file for a figure that was not fitted.
        number: index of the person in the file, from 0.
        reading: the reading options.
        body: the body model file, empty for the free body.
        betas_file: the file that the shape was read from, empty if it was estimated.
        hands: how fingers are held that nothing shows, a key of `core.fingers.HANDS`.
        fit: the fit options that are plain values, by name.
    """

    file: str = ""
    number: int = 0
    reading: ReadOptions = field(default_factory=ReadOptions)
    body: str = ""
    betas_file: str = ""
    fit: Mapping[str, Any] = field(default_factory=dict)
    hands: str = DEFAULT_HANDS


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedPerson(Person):
    """A person of a file, fitted.

    Attributes:
        track: the keypoints.
        report: the quality of the fit.
        label: distinguishes the person from others in the file; empty when there is only one.
        source: the file of the track, and how it was read and fitted.
        solved_by: the tool that solved the motion, which was taken as it is; empty if it was fitted to the track.
    """

    track: KeypointTrack
    report: FitReport
    label: str = ""
    source: FitSource = field(default_factory=FitSource)
    solved_by: str = ""

    def frame_errors_mm(self) -> np.ndarray:
        """Return the error (F,) of each frame of the motion, that of the nearest frame of the track."""
        error, step = self.report.keypoint_error_mm, self.track.fps / self.motion.fps
        nearest = np.minimum((np.arange(self.motion.num_frames) * step).round().astype(int), len(error) - 1)
        picked: np.ndarray = error[nearest]
        return picked


@dataclass(frozen=True, eq=False)
class FitInput:
    """A keypoint file that was read, and what to fit to it.

    Attributes:
        source: the file, and the options it was read with.
        readings: one for each person in the file.
        body: the body to fit, of SMPL's joints.
        options: the fit options.
        fingered: the same body with its fingers, if it has any; the people are on this one.
    """

    source: FitSource
    readings: Sequence[Reading]
    body: BodyData
    options: FitOptions
    fingered: BodyData

    @cached_property
    def labels(self) -> list[str]:
        """A label for each person; empty for the only one."""
        return person_labels([reading.track for reading in self.readings])

    def fit_person(self, number: int, progress: FitProgress | None = None, fit: Fit | None = None) -> FittedPerson:
        """Fit the person *number*, counted from 0, or take the motion that the file holds; see `fit_people`."""
        reading, label = self.readings[number], self.labels[number]
        track = reading.track
        if reading.solved is None:
            motion, report = self._fitted(track, progress, fit or fit_track)
        else:
            motion, report = take_solved(reading.solved, track, self.fingered, self.options)
        motion = on_skeleton(motion, self.fingered.skeleton, HANDS[self.source.hands])
        file = Path(self.source.file)
        stem = file.name if file.is_dir() else file.stem
        return FittedPerson(
            name=f"{stem}_{label}" if label else stem,
            motion=motion,
            body=self.fingered,
            flags=report.flags,
            track_fps=track.fps,
            start_s=track.start_s,
            track=track,
            report=report,
            label=label,
            source=replace(self.source, number=number, fit=plain_options(self.options)),
            solved_by="" if reading.solved is None else reading.solved.tool,
        )

    def _fitted(self, track: KeypointTrack, progress: FitProgress | None, fit: Fit) -> tuple[Motion, FitReport]:
        """Return the fit of the body by *fit*, with fingers if the track shows them."""
        if not fits_fingers(track, self.fingered, self.options):
            return fit(track, self.body, self.options, progress)
        self.options.check_length(track)
        fitted = fit(track, self.body, replace(self.options, fps=None), progress)
        if progress is not None:
            report_progress(progress, track.num_frames, track.num_frames, "Fitting the fingers")
        return add_fingers(track, fitted, self.fingered, self.options, unseen=HANDS[self.source.hands])


def _ignore_progress(share: float, what: str) -> None:
    pass


def report_step(progress: Progress, share: float, what: str) -> None:
    """Call *progress*; raise `FitCancelled` if it returns False."""
    if progress(share, what) is False:
        raise FitCancelled("the fit was cancelled; nothing was changed")


def read_input(
    source: Path, options: ConvertOptions, progress: Progress = _ignore_progress, *, readings: Sequence[Reading] = ()
) -> FitInput:
    """Load the body and the shape, and read a keypoint file.

    Args:
        source: the file, or a folder with one file per frame.
        options: how to read and fit it.
        progress: see `Progress`.
        readings: what the file was read as before; empty to read it now.

    Raises:
        CoreError: the body, the shape or the file cannot be used.
        FitCancelled: *progress* returned False.
    """
    report_step(progress, 0.0, "Loading the body")
    body, fingered, fit = _read_own_files(options)
    if not readings:
        report_step(progress, 0.0, "Reading")
        readings = read_all(source, options.reading)
    origin = FitSource(
        str(source), reading=options.reading, body=options.body, betas_file=options.betas, hands=options.hands
    )
    return FitInput(origin, readings, body, fit, fingered)


def check_options(options: ConvertOptions) -> None:
    """Check what can be checked of *options* before any input is begun, reading the files that they name for a fit.

    Those of a character are not among them: only Blender can read it.

    Raises:
        CoreError: the body, the betas, the regressor, the network, the prior or the static trial cannot be used, or
            people to join are not named.
    """
    check_groups(options.reading.join)
    try:
        body, _, fit = _read_own_files(options)
        if fit.betas is not None:
            known_betas(fit.betas, body)
        fit.predictor("numpy")
        if options.reading.static:
            read_recordings(Path(options.reading.static))
    except OSError as error:
        raise InputMissingError(
            f"expected a readable file, found {error.strerror or error} at {error.filename}; check its permissions"
        ) from error


def _read_own_files(options: ConvertOptions) -> tuple[BodyData, BodyData, FitOptions]:
    """Return the body without and with fingers, and the fit options with the arrays of the files."""
    body, fingered = (resolve_body(options.body, fingers=fingers) for fingers in (False, True))
    betas = read_betas(options.betas) if options.betas else None
    regressor = read_regressor(options.regressor, len(body.v_template)) if options.regressor else None
    return body, fingered, replace(options.fit, betas=betas, regressor=regressor)


def fit_people(
    given: FitInput,
    progress: Progress = _ignore_progress,
    *,
    chosen: Sequence[int] | None = None,
    fit: Fit | None = None,
    place: Place | None = None,
) -> list[FittedPerson]:
    """Fit the people of a file; may be called on any thread.

    Args:
        given: what `read_input` returned.
        progress: see `Progress`.
        chosen: indices of the people to fit; None for all.
        fit: the function that fits a track; None for `core.fit.fit_track`.
        place: where the people will be placed; their motions are prepared for it. None skips this.

    Raises:
        CoreError: the tracks or the body cannot be used.
        FitCancelled: *progress* returned False.
    """
    numbers = range(len(given.readings)) if chosen is None else chosen
    ends = np.cumsum([0, *(given.readings[number].track.num_frames for number in numbers)]).tolist()
    fitted: list[FittedPerson] = []
    for begin, end, number in zip(ends, ends[1:], numbers, strict=False):

        def on_progress(done: int, total: int, what: str, begin: int = begin, end: int = end) -> bool | None:
            return progress((begin + (end - begin) * done / max(total, 1)) / ends[-1], what)

        person = given.fit_person(number, on_progress, fit)
        if place is not None:
            report_step(progress, end / ends[-1], "Finding the floor")
            place = place if place.rate is not None else replace(place, rate=person.motion.fps)
            person = replace(person, placed=place_motion(person, place))
        fitted.append(person)
    return fitted


def fit_file(
    source: Path, options: ConvertOptions, progress: Progress = _ignore_progress, *, workers: int | None = None,
    fit: Fit | None = None, readings: Sequence[Reading] = (),
) -> list[FittedPerson]:  # fmt: skip
    """Read a keypoint file and fit everyone in it.

    Args:
        source: the file, or a folder with one file per frame.
        options: how to read and fit it.
        progress: see `Progress`.
        workers: number of threads for the fit; None for one per core.
        fit: as for `fit_people`.
        readings: as for `read_input`.

    Raises:
        CoreError: as for `read_input` and `fit_people`.
    """
    given = read_input(source, options, progress, readings=readings)
    return fit_people(replace(given, options=replace(given.options, workers=workers)), progress, fit=fit)


def clean_person(person: FittedPerson, options: CleanupOptions) -> tuple[Motion, tuple[str, ...]]:
    """Return the motion of *person* cleaned up, and notes for the user."""
    if options == CleanupOptions():
        return person.motion, ()
    motion, track = person.motion, person.track
    source = analyse_motion(motion, person.body, held_joints(person.flags, motion, track.fps))
    name = track.person or "the person"
    note = f"no foot of {name} ever stands: none is locked, and the floor is at the clip's lowest point"
    cleaned = clean_up(source, options.without_place() if track.root_relative else options)
    return cleaned, (note,) if source.holds is None else ()


def person_report(person: FittedPerson, motion: Motion, notes: Sequence[str] = ()) -> dict[str, object]:
    """Return the entry of *person* in the report of a batch, as plain values.

    Args:
        person: the person.
        motion: the motion that is written.
        notes: what the user should know besides the notes of the track.
    """
    return {
        "name": person.name,
        "label": person.track.person,
        "layout": person.track.layout.name,
        "root_relative": person.track.root_relative,
        "notes": [*person.track.notes, *notes],
        "doubts": list(person.track.doubts),
        "frames": motion.num_frames,
        "fps": motion.fps,
        "betas": [float(beta) for beta in motion.betas],
        "fit": person.report.to_dict(),
        **({"solved_by": person.solved_by} if person.solved_by else {}),
    }


def write_person(
    path: Path, person: FittedPerson, motion: Motion, *, up_axis: str = "Z", layout: str = "smplh"
) -> None:
    """Write *motion*, that of *person* cleaned up, in the format that the suffix of *path* names.

    Args:
        path: the file. An .npz in AMASS layout also has the errors of the fit if there was one.
        person: the person.
        motion: the motion to write.
        up_axis: "Y" or "Z", of an .npz.
        layout: "smplh" or "smplx", of an .npz.
    """
    suffix = path.suffix.lower().lstrip(".")
    if suffix in opensim.WRITERS:
        opensim.WRITERS[suffix](path, motion, person.body, person.start_s)
        return
    rest_pelvis = BodyModel(person.body).rest_joints(motion.betas.astype(np.float32))[0]
    errors = {}
    if not person.solved_by:
        errors = {name: np.asarray(part) for name, part in person.report.error_parts_mm().items()}
        errors["keypoint_error_mm"] = person.frame_errors_mm()
    write_motion(
        path, motion, up_axis=up_axis, rest_pelvis=rest_pelvis, extra=errors, layout=layout, start_s=person.start_s
    )
