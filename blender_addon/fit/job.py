"""A fit, set up on the main thread; the work itself needs no Blender data and runs on any thread."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..background.task import Progress
from ..core_access import (
    NUM_BODY_ROTATIONS,
    BodyData,
    BodyError,
    BodyModel,
    ConvertOptions,
    Fit,
    FittedPerson,
    Place,
    Reading,
    TrackError,
    fit_people,
    fit_track,
    read_input,
)
from ..figure.create import joint_shape_of
from ..track.persons import choose, names_of

_SAME_JOINTS_M = 1e-3


@dataclass(frozen=True, eq=False)
class HeldShape:
    """The shape of a figure in the scene.

    Attributes:
        betas: (10,) the shape.
        joints: (J, 3) rest joints of the mean shape of its body, which identify the body; metres.
        name: name of the figure, for messages.
    """

    betas: np.ndarray
    joints: np.ndarray
    name: str

    def betas_for(self, body: BodyData) -> np.ndarray:
        """Return the betas (10,) if they belong to *body*; raise `BodyError` if they do not."""
        joints = joint_shape_of(BodyModel(body)).template
        if np.abs(joints[:NUM_BODY_ROTATIONS] - self.joints[:NUM_BODY_ROTATIONS]).max() > _SAME_JOINTS_M:
            raise BodyError(
                f"expected {self.name!r} to be made of the body {body.name} ({body.gender}), but its joints are "
                "those of another body, and betas of two bodies never mix; choose the body of that figure"
            )
        return self.betas


@dataclass(frozen=True, eq=False)
class FitJob:
    """A fit.

    Attributes:
        path: the keypoint file.
        options: how to read and fit it.
        readings: the readings of the file; empty if it has to be read first.
        person: name or number (from 1) of the only person to fit, "" for everyone.
        held: a figure whose shape is used, or None.
        fit: the function that fits a track.
        place: how the figures will be placed.
        shapes: the betas of each person who is fitted, in order; empty to estimate them, or to take those of *held*.
    """

    path: str
    options: ConvertOptions = field(default_factory=ConvertOptions)
    readings: tuple[Reading, ...] = ()
    person: str = ""
    held: HeldShape | None = None
    fit: Fit = fit_track
    place: Place = field(default_factory=Place)
    shapes: tuple[np.ndarray, ...] = ()

    def run(self, progress: Progress) -> list[FittedPerson]:
        """Read the file if needed, and fit.

        Raises:
            CoreError: the file, the body or the shape cannot be used.
            FitCancelled: *progress* returned False.
        """
        given = read_input(Path(self.path), self.options, progress, readings=self.readings)
        if self.held is not None:
            given = replace(given, options=replace(given.options, betas=self.held.betas_for(given.body)))
        names = names_of([reading.track for reading in given.readings])
        people = choose(self.person, names)
        if not people:
            raise TrackError(f"expected a person {self.person!r} in {self.path}, found {', '.join(names)}; choose one")
        if not self.shapes:
            return fit_people(given, progress, chosen=people, fit=self.fit, place=self.place)
        if len(people) != len(self.shapes):
            raise TrackError(
                f"expected as many people as in the first take, {len(self.shapes)}, found {len(people)} in "
                f"{self.path}; choose one person, or give each take a figure of its own"
            )
        return [
            person
            for number, place in enumerate(people)
            for person in fit_people(
                replace(given, options=replace(given.options, betas=self.shapes[number])),
                self._part(progress, number),
                chosen=[place],
                fit=self.fit,
                place=self.place,
            )
        ]

    def _part(self, progress: Progress, number: int) -> Progress:
        """Return a progress for the fit of the person *number* among all."""
        return lambda share, what: progress((number + share) / len(self.shapes), what)
