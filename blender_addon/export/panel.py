"""Box 6: write the active figure, or all selected ones, to files."""

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_
from bpy.app.translations import pgettext_tip as tip_

from ..figure.shape_operators import figures_of
from ..ui.box_errors import Box, draw_error
from ..ui.sidebar import SidebarPanel
from ..ui.text import draw_text
from .files import has_takes
from .operators import SMPLIFY_OT_export
from .properties import settings_explained, settings_of_format


class SMPLIFY_PT_export(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's naming convention
    """Box 6."""

    bl_idname = "SMPLIFY_PT_export"
    bl_label = "6. Export"
    bl_order = 6

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        settings = context.scene.smplify_export
        layout.prop(settings, "preset")
        column = layout.column()
        column.prop(settings, "file_format")
        for name in settings_of_format(settings.file_format, settings.figures):
            column.prop(settings, name)
        if has_takes(figures_of(context, selected=settings.figures == "SELECTED")):
            column.prop(settings, "takes")
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator(SMPLIFY_OT_export.bl_idname, icon="EXPORT")
        draw_error(layout, context, Box.EXPORT)


class SMPLIFY_PT_export_details(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's naming convention
    """Descriptions of the preset and the format."""

    bl_idname = "SMPLIFY_PT_export_details"
    bl_label = "What It Writes"
    bl_parent_id = SMPLIFY_PT_export.bl_idname
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the descriptions of the chosen menu items."""
        settings = context.scene.smplify_export
        for name in ("preset", *settings_explained(settings.file_format)):
            chosen = settings.bl_rna.properties[name].enum_items[getattr(settings, name)]
            text = f"{iface_(chosen.name)}: {tip_(chosen.description)}"
            draw_text(self.layout, context, text, icon="DOT")


CLASSES = (SMPLIFY_PT_export, SMPLIFY_PT_export_details)
