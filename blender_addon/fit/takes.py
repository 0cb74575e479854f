"""The fit of several takes; runs on any thread and needs no Blender data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..background.task import Progress
from ..core_access import CoreError, FitCancelled, FittedPerson
from .job import FitJob


class TakesError(CoreError, ValueError):
    """None of several takes could be fitted."""


@dataclass(frozen=True, eq=False)
class FittedTakes:
    """Takes that were fitted.

    Attributes:
        people: the people of each take, by the path of its file.
        refused: why the others could not be fitted, by their paths.
    """

    people: dict[str, list[FittedPerson]]
    refused: dict[str, str]


@dataclass(frozen=True, eq=False)
class FitTakes:
    """The fit of several takes, one after the other. One that cannot be read or fitted does not stop the others.

    Attributes:
        jobs: a fit for each take.
        one_figure: whether they are takes of the same people: all have the shapes, and the frame rate, of the first.
        refused: takes that are known not to be readable, and why, by their paths.
    """

    jobs: Sequence[FitJob]
    one_figure: bool
    refused: dict[str, str]

    def run(self, progress: Progress) -> FittedTakes:
        """Read and fit.

        Raises:
            TakesError: no take could be fitted.
            FitCancelled: *progress* returned False.
        """
        done = FittedTakes({}, dict(self.refused))
        for number, job in enumerate(self.jobs):

            def on_progress(share: float, what: str, number: int = number) -> bool:
                return progress((number + share) / len(self.jobs), what)

            try:
                done.people[job.path] = self._like_the_first(job, done).run(on_progress)
            except FitCancelled:
                raise
            except CoreError as error:
                done.refused[job.path] = str(error)
        if not done.people:
            raise TakesError(
                f"expected a take that can be fitted, found none among {len(done.refused)}: {listed(done.refused)}"
            )
        return done

    def _like_the_first(self, job: FitJob, done: FittedTakes) -> FitJob:
        """Return *job* with the shapes and the frame rate of the first take that was fitted, if it is of the same."""
        first = next(iter(done.people.values()), None)
        if first is None or not self.one_figure:
            return job
        rate = job.place.rate if job.place.rate is not None else first[0].motion.fps
        shapes = tuple(np.asarray(person.motion.betas) for person in first)
        return replace(job, shapes=shapes, place=replace(job.place, rate=rate))


def listed(refused: dict[str, str]) -> str:
    """Return why takes were refused, as one line of text."""
    return "; ".join(f"{Path(path).name}: {reason.rstrip('.')}" for path, reason in refused.items())
