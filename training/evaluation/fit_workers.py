"""Run the fit's evaluation in worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import repeat
from multiprocessing import get_context
from typing import Protocol

from core.fit import FitOptions

from ..data.motion_folder import Clip
from .fit_conditions import Condition
from .fit_metrics import Evaluation, Row

_evaluation: Evaluation
"""Set once in each worker process, when it starts."""


class Measure(Protocol):
    """Measures clips under a condition."""

    def __call__(self, clips: Sequence[Clip], condition: Condition) -> list[Row | str | None]:
        """Return the result of `Evaluation.measure_or_refuse` for each clip."""


@contextmanager
def measuring(options: FitOptions, jobs: int) -> Iterator[Measure]:
    """Yield a function that measures clips in *jobs* single-threaded processes, or in this process for 1 job."""
    if jobs == 1:
        evaluation = Evaluation(options)
        yield lambda clips, condition: [evaluation.measure_or_refuse(clip, condition) for clip in clips]
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), _start_worker, (replace(options, workers=1),)) as pool:
        yield lambda clips, condition: list(pool.map(_measure, clips, repeat(condition)))


def _start_worker(options: FitOptions) -> None:
    global _evaluation
    _evaluation = Evaluation(options)


def _measure(clip: Clip, condition: Condition) -> Row | str | None:
    return _evaluation.measure_or_refuse(clip, condition)
