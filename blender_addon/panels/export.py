"""The fifth box: the active figure, or all selected ones, as files."""

from __future__ import annotations

import bpy

from ..export_properties import settings_of_format
from ..operators.export import SMPLIFY_OT_export
from .sidebar import SidebarPanel


class SMPLIFY_PT_export(SidebarPanel, bpy.types.Panel):  # noqa: N801 - the form that Blender asks for
    """The tab's fifth box."""

    bl_label = "5. Export"
    bl_order = 5

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
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator(SMPLIFY_OT_export.bl_idname, icon="EXPORT")


CLASSES = (SMPLIFY_PT_export,)
