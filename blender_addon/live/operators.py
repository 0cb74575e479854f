"""Operators of the Live box: listen, record, stop."""

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..figure.scene_state import select_alone
from ..ui.box_errors import Box
from ..ui.message_terms import in_panel_words
from ..ui.modes import in_object_mode, in_object_or_pose_mode
from ..ui.operator_mixin import OperatorMixin
from ..ui.sidebar import show_tab
from .session import LIVE
from .watching import watch


class SMPLIFY_OT_start_live(OperatorMixin, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Listen on this machine, and let a figure follow the points that are sent: the active one, or a new one"""

    bl_idname = "smplify.start_live"
    bl_label = "Listen"
    bl_options = {"REGISTER", "UNDO"}
    box = Box.LIVE

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a session can begin now."""
        if LIVE.is_running:
            cls.poll_message_set("A live session runs already")
            return False
        return in_object_mode(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Listen, and add the figure."""
        show_tab(context)
        return self.done(self._start, context)

    def _start(self, context: bpy.types.Context) -> None:
        from ..core_access import Address, LiveReceiver, VmcSender, resolve_body
        from ..figure.create import add_at_rest
        from ..fit.settings import body_path
        from .character import LiveCharacters, followers_of
        from .figure import LiveFigure, live_figure, mark_live, release_action

        settings, path = context.scene.smplify_live, body_path(context)
        body, fingered = (resolve_body(path, fingers=fingers) for fingers in (False, True))
        vmc = VmcSender(fingered, port=settings.vmc_port) if settings.sends_vmc else None
        receiver = LiveReceiver(
            Address(settings.kind.lower(), port=settings.port),
            body,
            fingered,
            person=settings.person or None,
            vmc=vmc,
        )
        armature = live_figure(context.active_object, path)
        if armature is not None:
            release_action(armature)
        else:
            armature = add_at_rest("Live", fingered, context.scene)
            mark_live(armature, path)
            select_alone([armature])
        followers = followers_of(armature, context.scene) if settings.moves_characters else []
        LIVE.start(receiver, LiveFigure(armature, path), LiveCharacters(followers, fingered), context.scene)
        watch()


class SMPLIFY_OT_record_live(OperatorMixin, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Record from now on; Stop makes keys of it, from the current frame on"""

    bl_idname = "smplify.record_live"
    bl_label = "Record"
    bl_options = {"REGISTER"}
    box = Box.LIVE

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a session runs that does not record yet."""
        if not LIVE.is_running or LIVE.num_recorded is not None:
            cls.poll_message_set("Listen first; one recording at a time")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin to record."""
        return self.done(LIVE.record, context.scene)


class SMPLIFY_OT_stop_live(OperatorMixin, bpy.types.Operator):  # noqa: N801 - Blender's naming convention
    """Stop listening; what was recorded becomes keys of the figure, as a new action, and its characters follow"""

    bl_idname = "smplify.stop_live"
    bl_label = "Stop"
    bl_options = {"REGISTER", "UNDO"}
    box = Box.LIVE

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Return whether a session runs and its figure can be keyed now."""
        if not LIVE.is_running:
            cls.poll_message_set("No live session runs")
            return False
        return in_object_or_pose_mode(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Stop, and key what was recorded."""
        from ..core_access import CoreError

        try:
            recorded = LIVE.finish()
        except CoreError as error:
            return self.failed(str(error))
        text = LIVE.saved if recorded is None or LIVE.saved else iface_("Recorded frames: {:d}").format(recorded)
        return self.succeeded(text, doubts=in_panel_words(LIVE.troubles))


CLASSES = (SMPLIFY_OT_start_live, SMPLIFY_OT_record_live, SMPLIFY_OT_stop_live)
