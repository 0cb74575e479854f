"""The fit that runs now, one at a time, and how the last one ended. Needs no Blender."""

from __future__ import annotations

from enum import Enum

from .task import Task, TaskState

_MAX_WAIT_S = 60.0


class FitState(Enum):
    """What box 3 shows."""

    IDLE = "idle"
    RUNNING = "running"
    CANCELLING = "cancelling"
    WAITING = "waiting for Object Mode"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class FitSession:
    """The running fit, if there is one.

    Attributes:
        task: what runs, or None.
        waiting: the fit has ended and waits for Object Mode to put its figures into the scene.
        message: how the last fit ended, for the user; "" before the first.
    """

    def __init__(self) -> None:
        self.task: Task | None = None
        self.waiting = False
        self.message = ""
        self._ended = FitState.IDLE

    @property
    def state(self) -> FitState:
        """What box 3 shows."""
        if self.task is None:
            return self._ended
        if self.task.state in (TaskState.CANCELLING, TaskState.CANCELLED):
            return FitState.CANCELLING
        return FitState.WAITING if self.waiting else FitState.RUNNING

    @property
    def busy(self) -> bool:
        """Whether a fit runs or waits."""
        return self.task is not None

    def begin(self, task: Task) -> None:
        """Take *task* for the one that runs."""
        assert self.task is None, "one fit at a time"
        self.task, self.waiting, self.message, self._ended = task, False, "", FitState.IDLE

    def cancel(self) -> None:
        """Ask the running fit to end."""
        if self.task is not None:
            self.task.cancel()

    def end(self, state: FitState, message: str) -> None:
        """Forget the task, remember how it ended."""
        self.task, self.waiting, self.message, self._ended = None, False, message, state

    def step_taken_back(self) -> None:
        """Forget how the last fit ended, if it added something: that may be gone now, or be there again."""
        if self.task is None and self._ended is FitState.DONE:
            self.end(FitState.IDLE, "")

    def abandon(self, *, wait: bool = False) -> None:
        """Cancel the running fit and forget everything, because the file or the add-on goes.

        Args:
            wait: until its thread has ended.
        """
        task = self.task
        self.end(FitState.IDLE, "")
        if task is not None:
            task.cancel()
            if wait:
                task.wait(_MAX_WAIT_S)


FITS = FitSession()
"""The session's fit."""
