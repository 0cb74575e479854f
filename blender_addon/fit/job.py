"""A fit, set up on the main thread; the work itself needs no Blender data and runs on any thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..background.task import Progress
from ..batch.convert import FitOrder, FittedTrack, fit_people
from ..core_access import (
    BodyData,
    BodyError,
    BodyModel,
    FitCancelled,
    FitOptions,
    FitReport,
    Motion,
    Reading,
    TrackError,
    fit_track,
    person_labels,
    read_all,
    read_betas,
    resolve_body,
)
from ..figure.create import joint_shape_of
from ..figure.placing import Place
from ..track.persons import choose, names_of
from ..track.request import TrackRequest

_SAME_JOINTS_M = 1e-3


@dataclass(frozen=True, eq=False)
class HeldShape:
    """The shape of a figure in the scene.

    Attributes:
        betas: (10,) the shape.
        joints: (24, 3) rest joints of the mean shape of its body, which identify the body; metres.
        name: name of the figure, for messages.
    """

    betas: np.ndarray
    joints: np.ndarray
    name: str


@dataclass(frozen=True, eq=False)
class FitJob:
    """A fit.

    Attributes:
        request: the keypoint file and its reading options.
        readings: the readings of the file; empty if it has to be read first.
        person: name or number (from 1) of the only person to fit, "" for everyone.
        body_file: absolute path of a licensed body, "" for the free body.
        betas_file: absolute path of fixed betas, "" for none.
        held: a figure whose shape is used, or None.
        options: the fit options; `run` sets the betas.
        fit: the function that fits a track; same signature as the core's `fit_track`.
        place: how the figures will be placed.
    """

    request: TrackRequest
    readings: tuple[Reading, ...] = ()
    person: str = ""
    body_file: str = ""
    betas_file: str = ""
    held: HeldShape | None = None
    options: FitOptions = field(default_factory=FitOptions)
    fit: Callable[..., tuple[Motion, FitReport]] = fit_track
    place: Place = field(default_factory=Place)

    def run(self, progress: Progress) -> list[FittedTrack]:
        """Read the file if needed, and fit.

        Raises:
            CoreError: the file, the body or the shape cannot be used.
            FitCancelled: *progress* returned False.
        """
        _report(progress, "Reading")
        readings = self.readings or tuple(read_all(Path(self.request.path), self.request.options()))
        _report(progress, "Loading the body")
        body = resolve_body(self.body_file or None)
        betas = self._betas(body)
        tracks = [reading.track for reading in readings]
        people = choose(self.person, names_of(tracks))
        if not people:
            names = ", ".join(names_of(tracks))
            raise TrackError(f"expected a person {self.person!r} in {self.request.path}, found {names}; choose one")
        order = FitOrder(
            source=Path(self.request.path),
            reading=self.request.options(),
            body=body,
            body_file=self.body_file,
            betas_file=self.betas_file,
            options=_with_betas(self.options, betas),
            fit=self.fit,
            place=self.place,
        )
        return fit_people(tracks, person_labels(tracks), people, order, progress)

    def _betas(self, body: BodyData) -> np.ndarray | None:
        if self.betas_file:
            return read_betas(Path(self.betas_file))
        if self.held is None:
            return None
        joints = joint_shape_of(BodyModel(body)).template
        if np.abs(joints - self.held.joints).max() > _SAME_JOINTS_M:
            raise BodyError(
                f"expected {self.held.name!r} to be made of the body {body.name} ({body.gender}), but its joints are "
                "those of another body, and betas of two bodies never mix; choose the body of that figure"
            )
        return self.held.betas


def _with_betas(options: FitOptions, betas: np.ndarray | None) -> FitOptions:
    return options if betas is None else replace(options, betas=betas)


def _report(progress: Progress, what: str) -> None:
    if not progress(0.0, what):
        raise FitCancelled("the fit was cancelled; nothing was changed")
