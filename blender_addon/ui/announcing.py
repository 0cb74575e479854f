"""Report events outside of operators: in the status bar, errors also in a popup.

Blender shows reports only of operators that the user started or that ended in an event; what a timer has done is
therefore reported by an operator that ends in the next event.
"""

from __future__ import annotations

import bpy

_SOON_S = 0.01

_timers: list[bpy.types.Timer] = []


class SMPLIFY_OT_announce(bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Show a message in the status bar, and an error in a popup too"""

    bl_idname = "smplify.announce"
    bl_label = "Announce"
    bl_options = {"INTERNAL"}

    kind: bpy.props.EnumProperty(
        name="Kind",
        description="What the message is",
        items=(
            ("INFO", "Info", "Something was done"),
            ("WARNING", "Warning", "Something was done, but is in doubt"),
            ("ERROR", "Error", "Something could not be done"),
        ),
        options={"HIDDEN", "SKIP_SAVE"},
    )
    message: bpy.props.StringProperty(
        name="Message", description="The text, already translated", options={"HIDDEN", "SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Report the message to the script that called the operator."""
        self.report({self.kind}, self.message)
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Report the message in the next event."""
        _timers.append(context.window_manager.event_timer_add(_SOON_S, window=context.window))
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Report the message."""
        _remove_timers(context)
        return self.execute(context)


def announce(kind: str, message: str) -> None:
    """Report *message*, already translated, in the first window; *kind* is "INFO", "WARNING" or "ERROR"."""
    windows = bpy.context.window_manager.windows
    if bpy.app.background or not windows:
        return
    with bpy.context.temp_override(window=windows[0]):
        bpy.ops.smplify.announce("INVOKE_DEFAULT", kind=kind, message=message)


def _remove_timers(context: bpy.types.Context) -> None:
    while _timers:
        context.window_manager.event_timer_remove(_timers.pop())


CLASSES = (SMPLIFY_OT_announce,)


def unregister() -> None:
    """Remove the timers of messages that were not reported yet."""
    _remove_timers(bpy.context)
