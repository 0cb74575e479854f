"""A piece of work on a thread of its own: how far it is, how long it will take, and how it ended. Needs no Blender."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

Progress = Callable[[float, str], bool]
"""Called by the work with the share done, 0 to 1, and of what; False asks it to end."""

THREAD_NAME = "SMPLify fit"
_TELLING_SHARE = 0.03
"""Before this share is done, the time that is left cannot be told."""


class TaskState(Enum):
    """How far a task is."""

    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Standing:
    """How far the work is.

    Attributes:
        share: of the work that is done, 0 to 1.
        what: is being done.
        seconds_left: None while that cannot be told.
    """

    share: float = 0.0
    what: str = ""
    seconds_left: float | None = None


class Task:
    """Runs a function once.

    Attributes:
        standing: how far it is; replaced as a whole, so any thread may read it.
        result: what the function returned; None until it is done.
        error: what the function raised; None when it raised nothing.
    """

    def __init__(self, work: Callable[[Progress], object], listener: Progress | None = None) -> None:
        """Prepare to run *work*.

        Args:
            work: gets a `Progress`; raises the core's `FitCancelled` when that answered False.
            listener: is told of the progress too, on the thread that works; False cancels.
        """
        self._work = work
        self._listener = listener
        self._cancel = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._began = 0.0
        self._first_share: tuple[float, float] | None = None
        self.standing = Standing()
        self.result: Any = None
        self.error: BaseException | None = None

    def start(self) -> None:
        """Run on a thread."""
        self._thread = threading.Thread(target=self.run, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Run on this thread; what goes wrong is kept in `error`."""
        try:
            self.result = self._work(self._heard)
        except BaseException as error:
            self.error = error  # whoever looks after the task raises what is no error of the user's data
        finally:
            self._ended.set()

    def cancel(self) -> None:
        """Ask the work to end; it does at its next progress."""
        self._cancel.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the work has ended; return whether it has."""
        ended = self._ended.wait(timeout_s)
        if ended and self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        return ended

    @property
    def state(self) -> TaskState:
        """How far the task is; a task that was told to stop too late is cancelled all the same."""
        if not self._ended.is_set():
            return TaskState.CANCELLING if self._cancel.is_set() else TaskState.RUNNING
        if self._cancel.is_set():
            return TaskState.CANCELLED
        return TaskState.DONE if self.error is None else TaskState.FAILED

    def _heard(self, share: float, what: str) -> bool:
        self.standing = Standing(share, what, self._seconds_left(share))
        if self._listener is not None and not self._listener(share, what):
            self._cancel.set()
        return not self._cancel.is_set()

    def _seconds_left(self, share: float) -> float | None:
        """Return the time left by the pace since the first share was done: what comes before it tells no pace."""
        now = time.monotonic()
        if share <= 0.0:
            return None
        if self._first_share is None:
            self._first_share = (now, share)
        began, before = self._first_share
        done = share - before
        return (now - began) / done * max(1.0 - share, 0.0) if done >= _TELLING_SHARE else None


def time_left(seconds: float) -> str:
    """Return a duration for a reader: "8 s", "2 min 10 s", "1 h 5 min"."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
