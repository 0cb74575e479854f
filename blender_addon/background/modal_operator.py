"""Base of operators whose work runs on a thread, so that Blender stays responsive.

bpy is used on the main thread only: before the work starts and after it has ended. Work that needs neither Esc nor an
undo step runs without an operator, because Blender puts off its automatic saving while one is running: a timer polls it
(`track.reader`, `torch_backend.setup_session`), or the code that needs the result does (`result.cleanup_cache`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import bpy
from bpy.app.handlers import persistent
from bpy.app.translations import pgettext_iface as iface_

from ..ui.box_errors import clear_error, show_error
from ..ui.operator_mixin import OperatorMixin
from ..ui.redraw import redraw_sidebars, redraw_viewports
from .fit_session import FITS, FitState
from .task import Progress, Task, TaskState, end_tasks, time_left

CLASSES = ()

_TICK_S = 0.1
_timers: list[bpy.types.Timer] = []
_workspaces: set[int] = set()
"""Session uids of the workspaces whose status bar shows the progress: Blender keeps a text for each."""


class RunsFit(OperatorMixin):
    """Mixin to list before `bpy.types.Operator`; subclasses implement `prepare` and `finish`.

    Without a window, or when a script calls the operator, the work runs before the operator returns. When the user
    clicks, it runs on a thread: box 3 shows the progress, Esc or Cancel ends it, and nothing is changed before
    `finish`. With ``"UNDO"`` in the operator's options, everything `finish` does is one undo step.
    """

    @abstractmethod
    def prepare(self, context: bpy.types.Context) -> Callable[[Progress], object]:
        """Read everything the work needs from Blender and return the work; called on the main thread.

        Raises:
            CoreError: the work cannot be done.
        """

    @abstractmethod
    def finish(self, context: bpy.types.Context, result: Any) -> str:
        """Add the result to the current scene, in Object Mode; return the message for the user.

        Raises:
            CoreError: the result cannot be added; nothing is changed.
        """

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Run the work before returning."""
        if FITS.busy:
            return self.failed("Expected no other fit to be running; wait for it, or cancel it")
        window = context.window_manager

        def listen(share: float, what: str) -> bool:
            window.progress_update(share)
            return True

        fault = self._begin(context, listen)
        if fault:
            return self.failed(fault)
        window.progress_begin(0.0, 1.0)
        try:
            self._task.run()
        finally:
            window.progress_end()
        return self._conclude(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start the work on a thread and monitor it."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        fault = self._begin(context, None)
        if fault:
            return self.failed(fault)
        self._task.start()
        _timers.append(context.window_manager.event_timer_add(_TICK_S, window=context.window))
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Monitor the thread; pass every event but Esc on to Blender."""
        if FITS.task is not self._task:  # the file was closed or the add-on disabled
            return {"CANCELLED"}
        if event.type == "ESC" and event.value == "PRESS":
            FITS.cancel()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        self._show_progress(context)
        if not self._task.ended:
            return {"PASS_THROUGH"}
        if self._task.state is TaskState.DONE and context.mode != "OBJECT":
            FITS.waiting = True
            return {"PASS_THROUGH"}
        _clear_window(context)
        return self._conclude(context)

    def cancel(self, context: bpy.types.Context) -> None:
        """Cancel the work because Blender ends the operator: the window or the file is closed."""
        if FITS.task is self._task:
            FITS.abandon()
        _clear_window(context)

    def _begin(self, context: bpy.types.Context, listener: Progress | None) -> str:
        """Prepare the work and the session; return why it cannot be done, or ""."""
        from ..core_access import CoreError

        try:
            work = self.prepare(context)
        except CoreError as error:
            FITS.end(FitState.FAILED, str(error))
            return str(error)
        self._scene_uid = context.scene.session_uid
        self._task = Task(work, listener)
        self._shown: object = None
        FITS.begin(self._task)
        clear_error(self.box)
        return ""

    def _show_progress(self, context: bpy.types.Context) -> None:
        """Redraw the progress if it has changed; redrawing slows the fit down."""
        status = (self._task.status, FITS.state)
        if status != self._shown:
            self._shown = status
            redraw_sidebars()
            _show_in_status_bar(context, self._task)

    def _conclude(self, context: bpy.types.Context) -> set[str]:
        """Add the result to the scene, or report why there is none."""
        from ..core_access import CoreError

        task = self._task
        if task.state is TaskState.CANCELLED:
            return self._end(FitState.CANCELLED, "Cancelled; nothing was changed")
        scene = next((scene for scene in bpy.data.scenes if scene.session_uid == self._scene_uid), None)
        if task.error is None and scene is None:
            return self._end(FitState.FAILED, "The scene that the fit was for is gone; nothing was changed")
        try:
            if task.error is not None:
                raise task.error
            message = self._finish_in(context, scene, task.result)
        except CoreError as error:
            return self._end(FitState.FAILED, str(error))
        except BaseException as error:
            # A bug: box 3 must not show a running fit for ever, and the traceback must be visible.
            FITS.end(FitState.FAILED, f"{type(error).__name__}: {error}")
            show_error(self.box, FITS.message)
            raise
        return self._end(FitState.DONE, message)

    def _finish_in(self, context: bpy.types.Context, scene: bpy.types.Scene, result: Any) -> str:
        """Call `finish` with *scene* as the window's scene, even if the user has switched to another one."""
        if context.scene == scene:
            return self.finish(context, result)
        window, shown = context.window, context.scene
        window.scene = scene
        try:
            message = self.finish(bpy.context, result)
        finally:
            window.scene = shown
        return f"{message} {iface_('It is in the scene {:s}.').format(scene.name)}"

    def _end(self, state: FitState, message: str) -> set[str]:
        FITS.end(state, message)
        redraw_viewports()
        if state is FitState.DONE:
            return self.succeeded(message)
        if state is FitState.FAILED:
            return self.failed(message)
        self.report({"WARNING"}, iface_(message))
        return {"CANCELLED"}


def describe(task: Task) -> str:
    """Return the current step of a task and the time left, for the user."""
    status = task.status
    what = iface_(status.what) if status.what else ""
    if status.seconds_left is None:
        return what
    return iface_("{:s}, about {:s} left").format(what, time_left(status.seconds_left))


def _show_in_status_bar(context: bpy.types.Context, task: Task) -> None:
    text = iface_("SMPLify: {:s} ({:.0%}) | Esc cancels")
    context.workspace.status_text_set(text.format(describe(task), task.status.share))
    _workspaces.add(context.workspace.session_uid)


def _clear_window(context: bpy.types.Context) -> None:
    """Remove the timer and the text in the status bar of each workspace that was shown meanwhile."""
    while _timers:
        context.window_manager.event_timer_remove(_timers.pop())
    shown = [item for item in bpy.data.workspaces if item.session_uid in _workspaces]
    for workspace in shown if context.window is not None else ():
        with context.temp_override(workspace=workspace):  # the context's is set, whatever this is called on
            workspace.status_text_set(None)
    _workspaces.clear()


@persistent
def _abandon(*_: object) -> None:
    """Cancel the fit when the file is closed; its thread ends by itself and its result is dropped."""
    FITS.abandon()


@persistent
def _undo_or_redo_done(*_: object) -> None:
    """Update the session after undo or redo."""
    FITS.forget_success()


def register() -> None:
    """Add the handlers for loading, undo and redo."""
    bpy.app.handlers.load_pre.append(_abandon)
    bpy.app.handlers.undo_post.append(_undo_or_redo_done)
    bpy.app.handlers.redo_post.append(_undo_or_redo_done)


def unregister() -> None:
    """Remove the handlers, and end all tasks and the timer."""
    bpy.app.handlers.load_pre.remove(_abandon)
    bpy.app.handlers.undo_post.remove(_undo_or_redo_done)
    bpy.app.handlers.redo_post.remove(_undo_or_redo_done)
    FITS.abandon()
    end_tasks()
    _clear_window(bpy.context)
