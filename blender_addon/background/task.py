"""Run a function on a thread, with progress, time left and outcome. Needs no Blender.

All that the add-on does on a thread is a `Task`: a fit, reading a file, the clean-up's analysis, setting up PyTorch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

Progress = Callable[[float, str], bool]
"""Called by the work with the completed fraction (0 to 1) and the name of the step; returns False to cancel."""

THREAD_NAME = "SMPLify task"
_MAX_WAIT_S = 60.0
_MIN_SHARE_FOR_ESTIMATE = 0.03
"""The time left is estimated once this fraction is completed."""


class TaskCancelled(Exception):  # noqa: N818 - a fulfilled request, not a fault
    """The work has ended because it was cancelled; a fit raises the core's `FitCancelled` instead."""


class TaskState(Enum):
    """The states of a task."""

    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class TaskStatus:
    """The progress of a task.

    Attributes:
        share: the completed fraction, 0 to 1.
        what: the name of the current step.
        seconds_left: the estimated time left; None while there is no estimate.
    """

    share: float = 0.0
    what: str = ""
    seconds_left: float | None = None


class Task:
    """Runs a function once.

    Attributes:
        status: the progress; replaced as a whole, so any thread may read it.
        result: the function's return value; None until it has returned.
        error: the exception the function raised; None if it raised none.
    """

    def __init__(self, work: Callable[[Progress], object], listener: Progress | None = None, *, what: str = "") -> None:
        """Prepare to run *work*.

        Args:
            work: called with a `Progress`; ends with any exception if that returns False.
            listener: also called with the progress, on the thread of the work; returns False to cancel.
            what: the name of the first step.
        """
        self._work = work
        self._listener = listener
        self._cancel = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._first_share: tuple[float, float] | None = None
        self.status = TaskStatus(what=what)
        self.result: Any = None
        self.error: BaseException | None = None

    def start(self) -> None:
        """Run on a thread."""
        self._thread = threading.Thread(target=self.run, name=THREAD_NAME, daemon=True)
        for thread in [thread for thread in _cancels if not thread.is_alive()]:
            del _cancels[thread]
        _cancels[self._thread] = self._cancel
        self._thread.start()

    def run(self) -> None:
        """Run on this thread; an exception is stored in `error`."""
        try:
            self.result = self._work(self._report)
        except BaseException as error:
            self.error = error  # the owner of the task re-raises anything that is not a user error
        finally:
            self._ended.set()

    def cancel(self) -> None:
        """Request the work to end; it does so at its next progress call."""
        self._cancel.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the work has ended; return whether it has."""
        ended = self._ended.wait(timeout_s)
        if ended and self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        return ended

    @property
    def ended(self) -> bool:
        """Whether the work has ended."""
        return self._ended.is_set()

    @property
    def state(self) -> TaskState:
        """The state of the task; cancelling counts even if the work had already completed."""
        if not self.ended:
            return TaskState.CANCELLING if self._cancel.is_set() else TaskState.RUNNING
        if self._cancel.is_set():
            return TaskState.CANCELLED
        return TaskState.DONE if self.error is None else TaskState.FAILED

    def _report(self, share: float, what: str) -> bool:
        self.status = TaskStatus(share, what, self._seconds_left(share))
        if self._listener is not None and not self._listener(share, what):
            self._cancel.set()
        return not self._cancel.is_set()

    def _seconds_left(self, share: float) -> float | None:
        """Return the time left, extrapolated from the rate since the first progress; None while unknown."""
        now = time.monotonic()
        if share <= 0.0:
            return None
        if self._first_share is None:
            self._first_share = (now, share)
        began, before = self._first_share
        done = share - before
        return (now - began) / done * max(1.0 - share, 0.0) if done >= _MIN_SHARE_FOR_ESTIMATE else None


_cancels: dict[threading.Thread, threading.Event] = {}
"""The threads of the tasks, each with the event that cancels it."""


def end_tasks() -> None:
    """Cancel all tasks and wait until their threads have ended, for a minute at most: reading cannot be cancelled."""
    for cancel in _cancels.values():
        cancel.set()
    for thread in _cancels:
        thread.join(_MAX_WAIT_S)
    _cancels.clear()


def time_left(seconds: float) -> str:
    """Format a duration for the user: "8 s", "2 min 10 s", "1 h 5 min"."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
