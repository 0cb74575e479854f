"""What converts the inputs of a batch; here, processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from .console import Display
from .conversion import BatchOptions, Claims, Outcome, convert_one
from .jobs import Job
from .workers import Worker, WorkerPool


class Engine(Protocol):
    """What converts inputs, several at a time."""

    @property
    def window(self) -> int:
        """How many tasks may be handed over at a time."""

    @property
    def group(self) -> int:
        """How many inputs the next task should have."""

    def submit(self, jobs: Sequence[Job]) -> Future[list[Outcome]]:
        """Begin a task: to convert *jobs*, now or when there is room."""

    def outcomes(self, jobs: Sequence[Job], future: Future[list[Outcome]]) -> list[Outcome]:
        """Return the outcomes of the inputs of a task, whose *future* has ended.

        Raises:
            CoreError: the batch cannot go on.
        """

    def stop(self) -> None:
        """End all work, finished or not, and release everything."""


class Processes:
    """Workers of this machine, each with a thread that waits for it."""

    group = 1

    def __init__(
        self, start_worker: Callable[[], Worker], options: BatchOptions, claims: Claims, display: Display
    ) -> None:
        """Use workers that *start_worker* starts, and show on *display* how far each is."""
        self.window = 2 * options.jobs
        self._options, self._claims, self._display = options, claims, display
        self._pool = WorkerPool(start_worker)
        self._threads = ThreadPoolExecutor(options.jobs)

    def submit(self, jobs: Sequence[Job]) -> Future[list[Outcome]]:
        """Begin to convert *jobs*, now or when there is room."""
        return self._threads.submit(lambda: [self._convert(job) for job in jobs])

    def _convert(self, job: Job) -> Outcome:
        def on_progress(share: float, what: str) -> None:
            self._pool.check_running()
            self._display.update(job.source.name, share, what)

        return convert_one(
            job, self._options, self._pool.convert, claims=self._claims, on_progress=on_progress, create_folder=False
        )

    def outcomes(self, jobs: Sequence[Job], future: Future[list[Outcome]]) -> list[Outcome]:
        """Return the outcomes of *jobs*.

        Raises:
            CoreError: no worker can be started, or the report would replace a file that is read.
        """
        return future.result()

    def stop(self) -> None:
        """End all workers, and remove their unfinished files."""
        self._pool.stop()
        self._threads.shutdown(cancel_futures=True)
        self._pool.close()
