"""Operators that check, install and remove PyTorch for fits."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import bpy

from ..background.task import Task
from ..package import PACKAGE, addon_preferences, user_folder
from ..ui.box_errors import Box
from ..ui.operator_mixin import OperatorMixin
from . import setup_session
from .builds import NoBuildError, build_for_this_computer
from .environment import EnvironmentFault, base_python, has_environment, remove
from .installation import Installation, Plan
from .probe import probe
from .settings import python_to_check, what_it_takes
from .setup_session import SETUP

_ONLINE = (
    "Blender is not allowed to go online. Allow it under Preferences > System > Network > Allow Online Access, then "
    "install again"
)
_DIALOG_WIDTH = 540


class _TaskOperator(OperatorMixin):
    """Mixin of the operators: they need the preferences and run one task at a time."""

    box = Box.ACCELERATION

    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Return when the task is done; without a window this is always so",
        default=False,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether the add-on is enabled and no task is running."""
        if addon_preferences(context) is None:
            cls.poll_message_set("Enable the add-on first")
            return False
        if SETUP.busy:
            cls.poll_message_set("Wait for the running task, or cancel it")
            return False
        return True

    def _run_task(self, task: Task, *, place: str = "", is_check: bool = False) -> set[str]:
        """Start *task*; wait for it if requested or without a window."""
        SETUP.start(task, place=place, is_check=is_check)
        if setup_session.has_window() and not self.wait:
            return self.succeeded()
        SETUP.finish()
        return self.failed(SETUP.error, is_shown=True) if SETUP.error else self.succeeded()


class SMPLIFY_OT_check_python(_TaskOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Check whether that Python has PyTorch, and which GPUs it can use"""

    bl_idname = "smplify.check_python"
    bl_label = "Check"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Check the Python set in the preferences."""
        preferences = addon_preferences(context)
        assert preferences is not None, "checked by poll"
        python = python_to_check(preferences)
        if python is None:
            return self.failed("Choose a Python first; Blender's own has no PyTorch")
        return self._run_task(Task(partial(probe, python)), is_check=True)


class SMPLIFY_OT_install_torch(_TaskOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Download PyTorch into a folder of the extension's own; Blender's own Python is not changed"""

    bl_idname = "smplify.install_torch"
    bl_label = "Install PyTorch"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Show the sizes and ask for confirmation."""
        return context.window_manager.invoke_props_dialog(self, width=_DIALOG_WIDTH, confirm_text="Install")

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what would be installed."""
        column = self.layout.column(align=True)
        try:
            build = build_for_this_computer()
        except NoBuildError as error:
            column.label(text=str(error), icon="ERROR", translate=False)
            return
        for line in what_it_takes(build):
            column.label(text=line, translate=False)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Create the environment."""
        preferences = addon_preferences(context)
        assert preferences is not None, "checked by poll"
        if not bpy.app.online_access:
            return self.failed(_ONLINE)
        try:
            chosen = preferences.base_python_file
            plan = Plan(
                base=Path(bpy.path.abspath(chosen)) if chosen else base_python(),
                build=build_for_this_computer(),
                user_folder=user_folder(),
                index_url=preferences.index_url,
            )
        except (EnvironmentFault, NoBuildError) as error:
            return self.failed(str(error))
        _end_fits()
        return self._run_task(Task(lambda progress: Installation(plan, progress).run()), place="PRIVATE")


class SMPLIFY_OT_cancel_torch(OperatorMixin, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Cancel the running task and remove unfinished files"""

    bl_idname = "smplify.cancel_torch"
    bl_label = "Cancel"
    box = Box.ACCELERATION

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a task is running."""
        return SETUP.busy

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Cancel the task."""
        return self.done(SETUP.cancel)


class SMPLIFY_OT_remove_torch(_TaskOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Remove the private environment from the disk"""

    bl_idname = "smplify.remove_torch"
    bl_label = "Remove"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether there is an environment to remove."""
        if not super().poll(context):
            return False
        if not has_environment(user_folder()):
            cls.poll_message_set("There is no private environment")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for confirmation."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove the environment."""
        _end_fits()
        folder = user_folder()
        return self._run_task(Task(lambda progress: remove(folder), what="Removing the environment"))


def _end_fits() -> None:
    """End the fitting process, which uses the environment's files; it only runs if `fitting` was imported."""
    fitting = sys.modules.get(f"{PACKAGE}.torch_backend.fitting")
    if fitting is not None:
        fitting.end_servers()


def unregister() -> None:
    """End the task, the timer and the process."""
    SETUP.stop()
    _end_fits()


CLASSES = (SMPLIFY_OT_check_python, SMPLIFY_OT_install_torch, SMPLIFY_OT_cancel_torch, SMPLIFY_OT_remove_torch)
