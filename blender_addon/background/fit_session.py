"""The running fit, at most one at a time, and the outcome of the last one. Needs no Blender."""

from __future__ import annotations

from enum import Enum

from .task import Task, TaskState


class FitState(Enum):
    """The states of box 3."""

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
        task: the running task, or None.
        waiting: the fit has ended and waits for Object Mode to add its figures to the scene.
        message: the outcome of the last fit, for the user; "" before the first one.
    """

    def __init__(self) -> None:
        self.task: Task | None = None
        self.waiting = False
        self.message = ""
        self._ended = FitState.IDLE

    @property
    def state(self) -> FitState:
        """The state of box 3."""
        if self.task is None:
            return self._ended
        if self.task.state in (TaskState.CANCELLING, TaskState.CANCELLED):
            return FitState.CANCELLING
        return FitState.WAITING if self.waiting else FitState.RUNNING

    @property
    def busy(self) -> bool:
        """Whether a fit is running or waiting."""
        return self.task is not None

    def begin(self, task: Task) -> None:
        """Set *task* as the running fit."""
        assert self.task is None, "one fit at a time"
        self.task, self.waiting, self.message, self._ended = task, False, "", FitState.IDLE

    def cancel(self) -> None:
        """Request the running fit to end."""
        if self.task is not None:
            self.task.cancel()

    def end(self, state: FitState, message: str) -> None:
        """Clear the task and store its outcome."""
        self.task, self.waiting, self.message, self._ended = None, False, message, state

    def forget_success(self) -> None:
        """Clear the outcome of the last fit if it succeeded: undo or redo may have removed or restored its figures."""
        if self.task is None and self._ended is FitState.DONE:
            self.end(FitState.IDLE, "")

    def abandon(self) -> None:
        """Cancel the running fit and reset the session, because the file is closed or the add-on disabled."""
        self.cancel()
        self.end(FitState.IDLE, "")


FITS = FitSession()
"""The fit of this Blender session."""
