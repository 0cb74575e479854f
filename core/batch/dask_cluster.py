"""The workers of a Dask cluster convert the inputs of a batch, several in a task if they are short."""

from __future__ import annotations

import logging
import os
import time
from bisect import bisect_left
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..errors import OutputError
from .conversion import BatchOptions, Outcome, convert_one
from .jobs import BatchError, Job

_TASKS_PER_THREAD = 2
"""How many tasks for each thread of a cluster are handed to its scheduler at a time: one waits while one is done."""
_TASK_S = 4.0
"""Seconds that a task should take: inputs that take less are grouped, since each task costs a few milliseconds."""
_MOST_IN_TASK = 64
_NEWS_WEIGHT = 0.1
"""How much the last input counts for the seconds that the next one is expected to take."""
_COUNT_AGAIN_S = 5.0
"""How often the threads of a cluster are counted: its workers come and go."""
_RETRIES = 2
"""How often a task that raised an error is tried again: of an input it raises none, so it may be its machine's."""
_CONNECT_S = 10.0
_LOGGERS = ("distributed", "distributed.client", "tornado.application")
"""Loggers that print tracebacks when the scheduler is gone, which one line says."""


class DaskCluster:
    """The workers of a Dask cluster, which see the same folders by the same paths."""

    def __init__(self, options: BatchOptions, jobs: Sequence[Job]) -> None:
        """Connect to the scheduler that *options* name.

        Args:
            options: the options of the batch.
            jobs: all its inputs, of which none may be replaced by the output of another.

        Raises:
            BatchError: Dask is not installed, or no scheduler answers.
        """
        try:
            from distributed import Client, KilledWorker
        except ImportError as error:
            raise BatchError(
                "expected Dask for --scheduler, found none in this Python; install learnable-smplify[cluster], or "
                "leave the option out"
            ) from error
        self._killed: type[Exception] = KilledWorker
        self._scheduler = options.scheduler
        where = {"scheduler_file" if Path(self._scheduler).is_file() else "address": self._scheduler}
        try:
            self._client = Client(timeout=_CONNECT_S, set_as_default=False, **where)
            self._count_threads()
        except (OSError, ValueError, TimeoutError) as error:
            raise BatchError(
                f"expected a Dask scheduler at {self._scheduler}, found none that answers ({str(error)[:200]}); start "
                "one with `dask scheduler`, and give its address or its --scheduler-file"
            ) from error
        self._log_levels = {name: logging.getLogger(name).level for name in _LOGGERS}
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._inputs = InputsAmongOutputs(jobs)
        # As many jobs as cores: one thread for each fit, since a machine has many workers.
        self._options = replace(options, jobs=os.cpu_count() or 1, shard=None)
        self._executor = self._client.get_executor(pure=False, retries=_RETRIES)
        self._seconds = _TASK_S

    def _count_threads(self) -> None:
        self._num_threads: int = sum(self._client.nthreads().values())
        self._counted = time.monotonic()

    @property
    def window(self) -> int:
        """How many tasks may be handed over at a time: a few for each thread that the cluster has now.

        Raises:
            BatchError: the scheduler is gone. Not every task that was under way then ends.
        """
        if self._client.status == "closed":
            raise self._gone()
        if time.monotonic() - self._counted > _COUNT_AGAIN_S and self._client.status == "running":
            with suppress(OSError, TimeoutError):  # the scheduler is gone, as the client finds out in a moment
                self._count_threads()
        return _TASKS_PER_THREAD * max(self._num_threads, 1)

    @property
    def group(self) -> int:
        """How many inputs the next task should have: as many as take a few seconds."""
        return next_group_size(self._seconds)

    def submit(self, jobs: Sequence[Job]) -> Future[list[Outcome]]:
        """Hand *jobs* to the scheduler as one task."""
        protected = {path: "an input" for job in jobs for path in self._inputs.near(job)}
        options = replace(self._options, protected={**self._options.protected, **protected})
        future: Future[list[Outcome]] = self._executor.submit(_convert, tuple(jobs), options)
        return future

    def outcomes(self, jobs: Sequence[Job], future: Future[list[Outcome]]) -> list[Outcome]:
        """Return the outcomes of *jobs*; they are "killed" if workers died of one of them.

        Raises:
            CoreError: the scheduler is gone, or the report would replace a file that is read.
        """
        try:
            found = future.result()
        except self._killed as error:
            return [Outcome(job, "killed", message=f"workers of the cluster died: {str(error)[:300]}") for job in jobs]
        except OutputError:
            raise
        except (CancelledError, OSError) as error:
            raise self._gone() from error
        for outcome in found:
            self._seconds += _NEWS_WEIGHT * (outcome.seconds - self._seconds)
        return found

    def _gone(self) -> BatchError:
        return BatchError(
            f"expected the Dask scheduler at {self._scheduler} to go on, but it is gone; start it and run this again: "
            "what is done stays done"
        )

    def stop(self) -> None:
        """Take back what has not begun, and disconnect."""
        if self._client.status != "closed":
            self._executor.shutdown(wait=False)
            self._client.close()
        for name, level in self._log_levels.items():
            logging.getLogger(name).setLevel(level)


def next_group_size(seconds: float) -> int:
    """Return how many inputs a task should have that take *seconds* each."""
    return max(1, min(_MOST_IN_TASK, int(_TASK_S / max(seconds, 1e-6))))


def _convert(jobs: Sequence[Job], options: BatchOptions) -> list[Outcome]:
    """Convert *jobs* on a worker. The folders of their outputs exist, or its disk is lost."""
    return [convert_one(job, options, create_folder=False) for job in jobs]


class InputsAmongOutputs:
    """The inputs in folders that are written to; a task gets only those that it could replace."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        """Find the inputs of *jobs* that lie among their outputs."""
        folders = {job.target.parent for job in jobs}
        self._paths = sorted((str(job.source).lower(), job.source) for job in jobs if job.source.parent in folders)

    def near(self, job: Job) -> list[Path]:
        """Return the inputs whose name begins like those of the outputs of *job*, in upper or lower case."""
        start = str(job.target).lower()
        first = end = bisect_left(self._paths, (start,))
        while end < len(self._paths) and self._paths[end][0].startswith(start):
            end += 1
        return [path for _, path in self._paths[first:end]]
