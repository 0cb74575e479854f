"""The one task that the preferences wait for: shown while it runs, its outcome kept in the preferences.

A timer looks after it, so that it goes on when the preferences are closed; bpy is touched on the main thread only.
"""

from __future__ import annotations

import bpy

from ..package import addon_preferences
from ..ui.redraw import redraw_preferences
from .tasks import Check, Task

_LOOK_S = 0.25


def has_window() -> bool:
    """Return whether somebody can watch a task; without a window it is waited for."""
    return not bpy.app.background


class Background:
    """Runs one task at a time.

    Attributes:
        task: what runs, or None.
        error: how the last task failed; empty when it did not.
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
        """Start *task*; once it succeeds, *place* is where fits run, if given."""
        assert self.task is None, "one task at a time"
        self.task, self.error, self._place = task, "", place
        task.start()
        if has_window():
            bpy.app.timers.register(_look_after, first_interval=_LOOK_S, persistent=True)

    def finish(self) -> None:
        """Wait for the task and keep its outcome."""
        if self.task is not None:
            self.task.wait()
            self.look()

    def stop(self) -> None:
        """Cancel the task and wait until it is over, leaving no timer behind."""
        if self.task is not None:
            self.task.cancel()
            self.finish()
        if bpy.app.timers.is_registered(_look_after):
            bpy.app.timers.unregister(_look_after)
        self.error = ""

    def look(self) -> None:
        """Keep the outcome of the task once it is over."""
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


def _look_after() -> float | None:
    """Look at the task and have it drawn; Blender calls this again after the seconds that are returned."""
    BACKGROUND.look()
    redraw_preferences()
    return _LOOK_S if BACKGROUND.busy else None
