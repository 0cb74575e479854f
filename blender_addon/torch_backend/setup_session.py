"""The task of the preferences: a Python is checked, or the private environment installed or removed.

A timer polls the task, so that it continues when the preferences are closed; bpy is used on the main thread only.
"""

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..background.task import Task, TaskState
from ..package import addon_preferences
from ..ui.announcing import announce
from ..ui.redraw import redraw_preferences
from .environment import EnvironmentFault
from .probe import ProbeError

_POLL_S = 0.25


def has_window() -> bool:
    """Return whether Blender has a window; without one, tasks are waited for."""
    return not bpy.app.background


class SetupSession:
    """Runs one task at a time, and stores its outcome in the preferences.

    Attributes:
        task: the running task, or None.
        error: the error of the last task; empty if it had none.
    """

    def __init__(self) -> None:
        self.task: Task | None = None
        self.error = ""
        self._place = ""
        self._is_check = False

    @property
    def busy(self) -> bool:
        """Whether a task runs."""
        return self.task is not None

    def start(self, task: Task, *, place: str = "", is_check: bool = False) -> None:
        """Start *task*.

        Args:
            task: its result is a `PythonInfo` or None.
            place: where fits run from then on if the task succeeds; "" for no change.
            is_check: if the task fails, what was known of the Python no longer holds.
        """
        assert self.task is None, "one task at a time"
        self.task, self.error, self._place, self._is_check = task, "", place, is_check
        task.start()
        if has_window():
            bpy.app.timers.register(_poll_task, first_interval=_POLL_S, persistent=True)

    def cancel(self) -> None:
        """Request the task to end."""
        if self.task is not None:
            self.task.cancel()

    def finish(self) -> None:
        """Wait for the task and store its outcome."""
        if self.task is not None:
            self.task.wait()
            self.poll()

    def stop(self) -> None:
        """Cancel the task, wait for its end, and remove the timer."""
        self.cancel()
        self.finish()
        if bpy.app.timers.is_registered(_poll_task):
            bpy.app.timers.unregister(_poll_task)
        self.error = ""

    def poll(self) -> None:
        """Store the outcome of the task once it has ended.

        Raises:
            BaseException: an exception of the task that is not an error of the Python or the environment.
        """
        if self.task is None or not self.task.ended:
            return
        task, self.task = self.task, None
        if task.state is TaskState.CANCELLED:
            return
        if task.error is not None:
            self.error = str(task.error)
        preferences = addon_preferences(bpy.context)
        if preferences is not None:
            if task.error is None or self._is_check:
                preferences.findings = task.result.to_json() if task.result is not None else ""
            if self._place and task.error is None:
                preferences.fit_place = self._place
            bpy.context.preferences.is_dirty = True
        if task.error is not None and not isinstance(task.error, (EnvironmentFault, ProbeError, OSError)):
            raise task.error  # a bug: the traceback must be visible


SETUP = SetupSession()


def _poll_task() -> float | None:
    """Poll and redraw the task and report its end; return the seconds until the next call, None to stop."""
    task = SETUP.task
    try:
        SETUP.poll()
    except BaseException as error:
        announce("ERROR", f"{type(error).__name__}: {error}")  # a bug: the traceback must be visible too
        raise
    finally:
        redraw_preferences()
    if SETUP.busy:
        return _POLL_S
    if SETUP.error:
        announce("ERROR", SETUP.error)
    elif task is not None:
        is_cancelled = task.state is TaskState.CANCELLED
        announce("INFO", iface_("Cancelled") if is_cancelled else iface_("GPU Acceleration: done"))
    return None
