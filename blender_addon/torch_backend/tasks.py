"""Work on a thread of its own that a panel shows: how far it is, how it ended. Needs neither Blender nor the core."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

from .environment import EnvironmentFault, remove
from .probe import ProbeError, PythonInfo, probe


class TaskCancelled(Exception):  # noqa: N818 - it is a request that was honoured, not a fault
    """The user wants no more."""


class Task(ABC):
    """Something that takes a while; `start` it once, look at it from any thread.

    Attributes:
        share: how much of it is done, 0 to 1.
        what: what is being done.
        error: why it failed; empty when it did not.
        info: the Python that it found, if it found one.
    """

    def __init__(self, what: str) -> None:
        self.share = 0.0
        self.what = what
        self.error = ""
        self.info: PythonInfo | None = None
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._work, name="SMPLify task", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is not over: done, failed, or cancelled with everything unfinished removed."""
        return self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether it was told to stop."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Tell it to stop; it is over a moment later."""
        self._cancelled.set()
        self.what = "Cancelling"

    def wait(self) -> None:
        """Wait until it is over."""
        self._thread.join()

    def _work(self) -> None:
        with suppress(TaskCancelled):
            try:
                self.info = self._do()
            except (EnvironmentFault, ProbeError, OSError) as error:
                self.error = "" if self.cancelled else str(error)

    @abstractmethod
    def _do(self) -> PythonInfo | None:
        """Do it, on the thread."""

    def _tell(self, share: float, what: str) -> None:
        if not self.cancelled:
            self.share, self.what = share, what

    def _check(self) -> None:
        """Raise `TaskCancelled` when the user wants no more."""
        if self.cancelled:
            raise TaskCancelled


class Check(Task):
    """Ask a Python what it is."""

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
