"""Box 7: a figure that follows the points which another program sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..ui.box_errors import Box, draw_error
from ..ui.sidebar import SidebarPanel
from ..ui.text import draw_text
from .operators import SMPLIFY_OT_record_live, SMPLIFY_OT_start_live, SMPLIFY_OT_stop_live
from .session import LIVE

if TYPE_CHECKING:
    from ..core_access import LiveStatus


class SMPLIFY_PT_live(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's naming convention
    """Box 7."""

    bl_idname = "SMPLIFY_PT_live"
    bl_label = "7. Live"
    bl_order = 7
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout = self.layout
        settings = context.scene.smplify_live
        column = layout.column()
        column.enabled = not LIVE.is_running
        column.use_property_split = True
        column.use_property_decorate = False
        for name in ("kind", "port", "person"):
            column.prop(settings, name)
        for name in ("moves_characters", "sends_vmc"):
            row = column.row()
            row.use_property_split = False  # the text has the whole width, and is not cut off
            row.prop(settings, name)
        if settings.sends_vmc:
            column.prop(settings, "vmc_port")
        status = LIVE.status
        if status is None:
            layout.operator(SMPLIFY_OT_start_live.bl_idname, icon="PLAY")
        else:
            _draw_status(layout, context, status)
            row = layout.row(align=True)
            row.operator(SMPLIFY_OT_record_live.bl_idname, icon="REC")
            row.operator(SMPLIFY_OT_stop_live.bl_idname, icon="SNAP_FACE")
        draw_error(layout, context, Box.LIVE)
        if LIVE.saved:
            draw_text(layout, context, LIVE.saved, icon="INFO")


def _draw_status(layout: bpy.types.UILayout, context: bpy.types.Context, status: LiveStatus) -> None:
    """Draw how the session goes."""
    draw_text(layout, context, iface_("Listening on {:s}").format(LIVE.address), icon="URL")
    if status.is_receiving:
        text = iface_("{:s}, {:.0f} ms from message to pose").format(status.layout, status.latency_ms)
        draw_text(layout, context, text, icon="CHECKMARK")
    elif status.num_fitted:
        draw_text(layout, context, iface_("The sender has stopped; it may go on"), icon="PAUSE")
    else:
        draw_text(layout, context, iface_("Waiting for points"), icon="TIME")
    draw_text(layout, context, iface_("Frames: {:d}").format(status.num_fitted), icon="BLANK1")
    text = iface_("Dropped: {:d}, refused: {:d}")  # a line of its own, which fits into the default width
    draw_text(layout, context, text.format(status.num_dropped, status.num_refused), icon="BLANK1")
    if status.problem:
        draw_text(layout, context, status.problem, icon="ERROR")
    if LIVE.characters is not None:
        if LIVE.characters.names:
            text = iface_("Moved too: {:s}").format(", ".join(LIVE.characters.names))
            draw_text(layout, context, text, icon="ARMATURE_DATA")
        for note in LIVE.characters.notes:
            draw_text(layout, context, note, icon="INFO")
    if LIVE.num_recorded is not None:
        draw_text(layout, context, iface_("Recorded frames: {:d}").format(LIVE.num_recorded), icon="REC")


CLASSES = (SMPLIFY_PT_live,)
