"""Tasks on a thread that the preferences show, with progress and outcome. Needs neither Blender nor the core."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

from .environment import EnvironmentFault, remove
from .probe import ProbeError, PythonInfo, probe


class TaskCancelled(Exception):  # noqa: N818 - a fulfilled request, not a fault
    """The user has cancelled the task."""


class Task(ABC):
    """A long-running task; call `start` once, read the attributes from any thread.

    Attributes:
        share: the completed fraction, 0 to 1.
        what: the name of the current step.
        error: why the task failed; empty if it did not.
        info: the Python that the task checked, if any.
    """

    def __init__(self, what: str) -> None:
        self.share = 0.0
        self.what = what
        self.error = ""
        self.info: PythonInfo | None = None
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._work, name="SMPLify task", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the thread is running; once it has ended, unfinished files are removed."""
        return self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether cancelling was requested."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Request the end of the task; it ends shortly after."""
        self._cancelled.set()
        self.what = "Cancelling"

    def wait(self) -> None:
        """Wait until the task has ended."""
        self._thread.join()

    def _work(self) -> None:
        with suppress(TaskCancelled):
            try:
                self.info = self._do()
            except (EnvironmentFault, ProbeError, OSError) as error:
                self.error = "" if self.cancelled else str(error)

    @abstractmethod
    def _do(self) -> PythonInfo | None:
        """Run the task, on the thread."""

    def _report(self, share: float, what: str) -> None:
        if not self.cancelled:
            self.share, self.what = share, what

    def _check(self) -> None:
        """Raise `TaskCancelled` if the user has cancelled."""
        if self.cancelled:
            raise TaskCancelled


class Check(Task):
    """Check a Python."""

    def __init__(self, python: Path) -> None:
        super().__init__("Looking at that Python")
        self._python = python

    def _do(self) -> PythonInfo:
        return probe(self._python, cancelled=self._cancelled)


class Removal(Task):
    """Remove the private environment."""

    def __init__(self, user_folder: Path) -> None:
        super().__init__("Removing the environment")
        self._user_folder = user_folder

    def _do(self) -> None:
        remove(self._user_folder)
