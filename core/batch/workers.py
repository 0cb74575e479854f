"""Workers of a batch: what converts one input after the other, and may die of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ..errors import CoreError, OutputError
from ..io.atomic_files import not_written
from .lost_disk import is_of_lost_disk

OnProgress = Callable[[float, str], None]
"""Called with the completed fraction (0 to 1) and the name of the step."""

Convert = Callable[[dict[str, Any], OnProgress], dict[str, Any]]
"""Converts one input: a request becomes an answer, both plain values for JSON.

The request has ``source``, ``folder`` (to write the outputs to; it exists), ``stem`` (the name of the outputs),
``options`` (`ConvertOptions.as_dict`) and ``workers`` (the number of threads for the fit). The answer has ``outputs``
(file names), ``people`` (one dictionary each) and further entries of the report; or it is that of `failure`:
``error``, a message, and ``disk_lost``, whether a lost disk can be the reason.
"""


def failure(error: Exception, folder: Path) -> dict[str, Any]:
    """Return the answer for an input that failed; it names a file that could not be written by its place.

    Args:
        error: the error.
        folder: the ``folder`` of the request, from which the outputs would be moved to the folder it is in.
    """
    text = str(error)
    if isinstance(error, OutputError) and error.path is not None:
        text = str(not_written(folder.parent / error.path.name, error.reason))
    return {"error": text, "disk_lost": is_of_lost_disk(error)}


class WorkerStartError(CoreError, RuntimeError):
    """No worker can be started; the message says what is missing."""


class WorkerDied(Exception):  # noqa: N818 - an event, which the batch turns into an error of one input
    """The worker ended before it answered.

    Attributes:
        lines: its last lines of output.
    """

    def __init__(self, message: str, lines: str = "") -> None:
        """Store how it ended, and its last *lines*."""
        super().__init__(message)
        self.lines = lines


class Worker(Protocol):
    """A process that converts inputs, one at a time."""

    def wait_until_ready(self) -> None:
        """Wait until the process answers requests; raise `WorkerStartError` if it cannot."""

    def convert(self, request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
        """Convert one input, as `Convert` says; raise `WorkerDied` if the process ended."""

    def end(self) -> None:
        """End the process, whatever it is doing; may be called from any thread, and repeatedly."""

    def close(self) -> None:
        """Release what belongs to a process that has ended; called by the thread that used it."""


class WorkerPool:
    """Workers that are started when all others are busy, and kept for the next request."""

    def __init__(self, start: Callable[[], Worker]) -> None:
        """Let *start* start each worker."""
        self._start = start
        self._idle: list[Worker] = []
        self._all: list[Worker] = []
        self._lock = threading.Lock()
        self._stopped = False

    def convert(self, request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
        """Let a worker convert one input, as `Convert` says; may be called on several threads.

        If the worker dies, a new one tries once more: it may have been short of memory, or ended by somebody.

        Raises:
            WorkerStartError: no worker can be started.
            WorkerDied: `stop` was called.
        """
        try:
            return self._convert_once(request, on_progress)
        except WorkerDied:
            if self._stopped:
                raise
        try:
            return self._convert_once(request, on_progress)
        except WorkerDied as error:
            if self._stopped:
                raise
            return {"error": f"{error}; it was tried twice" + (f":\n{error.lines}" if error.lines else "")}

    def _convert_once(self, request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
        worker = self._take()
        try:
            answer = worker.convert(request, on_progress)
        except WorkerDied:
            self._drop(worker)
            raise
        with self._lock:
            self._idle.append(worker)
        return answer

    def _take(self) -> Worker:
        with self._lock:
            self.check_running()
            if self._idle:
                return self._idle.pop()
            worker = self._start()
            self._all.append(worker)
        worker.wait_until_ready()
        return worker

    def _drop(self, worker: Worker) -> None:
        worker.end()
        worker.close()
        with self._lock:
            self._all.remove(worker)

    def check_running(self) -> None:
        """Raise `WorkerDied` if `stop` was called."""
        if self._stopped:
            raise WorkerDied("the batch is stopping")

    def stop(self) -> None:
        """End all workers, so that conversions under way raise `WorkerDied`."""
        with self._lock:
            self._stopped = True
            for worker in self._all:
                worker.end()

    def close(self) -> None:
        """Release the ended workers; called when no conversion is under way."""
        while self._all:
            self._drop(self._all[0])
