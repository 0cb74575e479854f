"""The background task of the preferences: its progress is shown, its outcome stored in the preferences.

A timer monitors the task, so that it continues when the preferences are closed; bpy is used on the main thread only.
"""

from __future__ import annotations

import bpy

from ..package import addon_preferences
from ..ui.redraw import redraw_preferences
from .tasks import Check, Task

_POLL_S = 0.25


def has_window() -> bool:
    """Return whether Blender has a window; without one, tasks are waited for."""
    return not bpy.app.background


class Background:
    """Runs one task at a time.

    Attributes:
        task: the running task, or None.
        error: the error of the last task; empty if it had none.
    """

    def __init__(self) -> None:
        self.task: Task | None = None
        self.error = ""
        self._place = ""

    @property
    def busy(self) -> bool:
        """Whether a task runs."""
        return self.task is not None

    def start(self, task: Task, *, place: str = "") -> None:
        """Start *task*; if it succeeds and *place* is given, fits run there from then on."""
        assert self.task is None, "one task at a time"
        self.task, self.error, self._place = task, "", place
        task.start()
        if has_window():
            bpy.app.timers.register(_poll_task, first_interval=_POLL_S, persistent=True)

    def finish(self) -> None:
        """Wait for the task and store its outcome."""
        if self.task is not None:
            self.task.wait()
            self.poll()

    def stop(self) -> None:
        """Cancel the task, wait for its end, and remove the timer."""
        if self.task is not None:
            self.task.cancel()
            self.finish()
        if bpy.app.timers.is_registered(_poll_task):
            bpy.app.timers.unregister(_poll_task)
        self.error = ""

    def poll(self) -> None:
        """Store the outcome of the task once it has ended."""
        if self.task is None or self.task.running:
            return
        task, self.task = self.task, None
        self.error = task.error
        preferences = addon_preferences(bpy.context)
        if preferences is None or task.cancelled:
            return
        if not task.error or isinstance(task, Check):
            preferences.findings = task.info.to_json() if task.info is not None else ""
        if self._place and not task.error:
            preferences.fit_place = self._place
        bpy.context.preferences.is_dirty = True


BACKGROUND = Background()


def _poll_task() -> float | None:
    """Poll and redraw the task; return the seconds until the next call, None to stop."""
    BACKGROUND.poll()
    redraw_preferences()
    return _POLL_S if BACKGROUND.busy else None
