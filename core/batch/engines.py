"""What converts the inputs of a batch: processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from .console import Display
from .conversion import BatchOptions, Claims, Outcome, convert_one
from .jobs import BatchError, Job
from .workers import Worker, WorkerPool

_TASKS_PER_THREAD = 4
"""How many inputs for each thread of a cluster are handed to its scheduler at a time: enough that none has to wait."""
_TRIES = 3
"""After how many workers have died of an input it counts as failed."""
_CONNECT_S = 10.0


class Engine(Protocol):
    """What converts inputs, several at a time.

    Attributes:
        window: how many inputs may be handed over at a time.
    """

    window: int

    def submit(self, job: Job) -> Future[Outcome]:
        """Begin to convert an input, now or when there is room."""

    def outcome(self, job: Job, future: Future[Outcome]) -> Outcome:
        """Return the outcome of an input, whose *future* has ended.

        Raises:
            CoreError: the batch cannot go on.
        """

    def stop(self) -> None:
        """End all work, finished or not, and release everything."""


class Processes:
    """Workers of this machine, each with a thread that waits for it."""

    def __init__(
        self, start_worker: Callable[[], Worker], options: BatchOptions, claims: Claims, display: Display
    ) -> None:
        """Use workers that *start_worker* starts, and show on *display* how far each is."""
        self.window = 2 * options.jobs
        self._options, self._claims, self._display = options, claims, display
        self._pool = WorkerPool(start_worker)
        self._threads = ThreadPoolExecutor(options.jobs)

    def submit(self, job: Job) -> Future[Outcome]:
        """Begin to convert an input, now or when there is room."""
        return self._threads.submit(self._convert, job)

    def _convert(self, job: Job) -> Outcome:
        def on_progress(share: float, what: str) -> None:
            self._display.update(job.source.name, share, what)

        return convert_one(job, self._options, self._pool.convert, claims=self._claims, on_progress=on_progress)

    def outcome(self, job: Job, future: Future[Outcome]) -> Outcome:
        """Return the outcome of an input.

        Raises:
            CoreError: no worker can be started, or the report would replace a file that is read.
        """
        return future.result()

    def stop(self) -> None:
        """End all workers, and remove their unfinished files."""
        self._pool.stop()
        self._threads.shutdown(cancel_futures=True)
        self._pool.close()


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
            threads = sum(self._client.nthreads().values())
        except (OSError, ValueError, TimeoutError) as error:
            raise BatchError(
                f"expected a Dask scheduler at {self._scheduler}, found none that answers ({str(error)[:200]}); start "
                "one with `dask scheduler`, and give its address or its --scheduler-file"
            ) from error
        self.window = _TASKS_PER_THREAD * max(threads, 1)
        written_to = {job.target.parent for job in jobs}
        inputs = {job.source: "an input" for job in jobs if job.source.parent in written_to}
        protected = {**options.protected, **inputs}
        # As many jobs as cores: one thread for each fit, since a machine has many workers.
        self._options = replace(options, jobs=os.cpu_count() or 1, protected=protected)
        self._executor = self._client.get_executor(pure=False, retries=_TRIES - 1)

    def submit(self, job: Job) -> Future[Outcome]:
        """Hand an input to the scheduler."""
        future: Future[Outcome] = self._executor.submit(convert_one, job, self._options)
        return future

    def outcome(self, job: Job, future: Future[Outcome]) -> Outcome:
        """Return the outcome of an input; it has failed if workers died of it.

        Raises:
            CoreError: the scheduler is gone, or the report would replace a file that is read.
        """
        try:
            return future.result()
        except self._killed as error:
            return Outcome(job, "failed", message=f"{_TRIES} workers of the cluster died of it: {str(error)[:300]}")
        except (CancelledError, OSError) as error:
            raise BatchError(
                f"expected the Dask scheduler at {self._scheduler} to go on, but it is gone; start it and run this "
                "again: what is done stays done"
            ) from error

    def stop(self) -> None:
        """Take back what has not begun, and disconnect."""
        self._executor.shutdown(wait=False)
        self._client.close()
