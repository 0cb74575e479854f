"""PyTorch for fits: a Python of the user's, or a private environment."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

from ..package import PACKAGE, addon_preferences
from ..ui.operator_mixin import OperatorMixin
from . import background
from .background import BACKGROUND
from .builds import NoBuildError, build_for_this_computer
from .environment import EnvironmentFault, base_python, has_environment
from .installation import Installation, Plan
from .settings import python_to_check, user_folder, what_it_takes
from .tasks import Check, Removal, Task

_ONLINE = (
    "Blender is not allowed to go online. Allow it under Preferences > System > Network > Allow Online Access, then "
    "install again"
)
_DIALOG_WIDTH = 540


class _Acts(OperatorMixin):
    """What the operators share: they need the preferences, and a task at a time."""

    wait: bpy.props.BoolProperty(
        name="Wait",
        description="Return when it is done; without a window it always waits",
        default=False,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether the add-on is enabled and nothing else is being done."""
        if addon_preferences(context) is None:
            cls.poll_message_set("Enable the add-on first")
            return False
        if BACKGROUND.busy:
            cls.poll_message_set("Wait for what is being done, or cancel it")
            return False
        return True

    def _act(self, task: Task, *, place: str = "") -> set[str]:
        """Start *task*; wait for it where that is wanted."""
        BACKGROUND.start(task, place=place)
        if background.has_window() and not self.wait:
            return {"FINISHED"}
        BACKGROUND.finish()
        if BACKGROUND.error:
            self.report({"ERROR"}, BACKGROUND.error)
            return {"CANCELLED"}
        return {"FINISHED"}


class SMPLIFY_OT_check_python(_Acts, bpy.types.Operator):  # noqa: N801 - the form that Blender asks for
    """Find out whether that Python has PyTorch, and which GPUs it can compute on"""

    bl_idname = "smplify.check_python"
    bl_label = "Check"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask the Python that the preferences name."""
        preferences = addon_preferences(context)
        assert preferences is not None, "poll asks for them"
        python = python_to_check(preferences)
        if python is None:
            self.report({"ERROR"}, "Choose a Python first; Blender's own has no PyTorch")
            return {"CANCELLED"}
        return self._act(Check(python))


class SMPLIFY_OT_install_torch(_Acts, bpy.types.Operator):  # noqa: N801 - the form that Blender asks for
    """Download PyTorch into a folder of the extension's own; Blender's own Python is not changed"""

    bl_idname = "smplify.install_torch"
    bl_label = "Install PyTorch"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Tell the sizes and ask."""
        return context.window_manager.invoke_props_dialog(self, width=_DIALOG_WIDTH, confirm_text="Install")

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what would be done."""
        column = self.layout.column(align=True)
        try:
            build = build_for_this_computer()
        except NoBuildError as error:
            column.label(text=str(error), icon="ERROR", translate=False)
            return
        for line in what_it_takes(build):
            column.label(text=line, translate=False)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make the environment."""
        preferences = addon_preferences(context)
        assert preferences is not None, "poll asks for them"
        if not bpy.app.online_access:
            self.report({"ERROR"}, _ONLINE)
            return {"CANCELLED"}
        try:
            chosen = preferences.base_python_file
            plan = Plan(
                base=Path(bpy.path.abspath(chosen)) if chosen else base_python(),
                build=build_for_this_computer(),
                user_folder=user_folder(),
                index_url=preferences.index_url,
            )
        except (EnvironmentFault, NoBuildError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        _end_fits()
        return self._act(Installation(plan), place="PRIVATE")


class SMPLIFY_OT_cancel_torch(bpy.types.Operator):  # noqa: N801 - the form that Blender asks for
    """Stop what is being done and remove what is unfinished"""

    bl_idname = "smplify.cancel_torch"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether something is being done."""
        return BACKGROUND.busy

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Tell it to stop."""
        if BACKGROUND.task is not None:
            BACKGROUND.task.cancel()
        return {"FINISHED"}


class SMPLIFY_OT_remove_torch(_Acts, bpy.types.Operator):  # noqa: N801 - the form that Blender asks for
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
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it."""
        _end_fits()
        return self._act(Removal(user_folder()))


def _end_fits() -> None:
    """End the process that fits: it holds the environment's files. Where no fit was made there, none runs."""
    fitting = sys.modules.get(f"{PACKAGE}.torch_backend.fitting")
    if fitting is not None:
        fitting.end_servers()


def unregister() -> None:
    """Leave neither task, timer nor process behind."""
    BACKGROUND.stop()
    _end_fits()


CLASSES = (SMPLIFY_OT_check_python, SMPLIFY_OT_install_torch, SMPLIFY_OT_cancel_torch, SMPLIFY_OT_remove_torch)
