"""The fifth box: the active figure, or all selected ones, as files."""

from __future__ import annotations

import bpy

from ..operators.export import SMPLIFY_OT_export
from .sidebar import SidebarPanel

_WITH_BONE_NAMES = ("fbx", "glb", "usd")


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
        column.prop(settings, "figures")
        if settings.file_format in _WITH_BONE_NAMES:
            column.prop(settings, "bones")
            column.prop(settings, "root_bone")
        if settings.figures == "SELECTED":
            column.prop(settings, "one_each")
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator(SMPLIFY_OT_export.bl_idname, icon="EXPORT")


CLASSES = (SMPLIFY_PT_export,)
