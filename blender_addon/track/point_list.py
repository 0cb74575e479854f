"""The list of point names in the Track box."""

from __future__ import annotations

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..ui.text import draw_text
from .point_operators import SMPLIFY_OT_detect_points, SMPLIFY_OT_load_points, SMPLIFY_OT_save_points
from .session import TRACKS

_NAME_SHARE, _NUMBER_SHARE = 0.42, 0.14
_ROWS = 8


class SMPLIFY_UL_points(bpy.types.UIList):  # noqa: N801 - Blender's naming convention
    """The points of the file, each with its body point."""

    def draw_item(  # noqa: PLR0913 - Blender's signature
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: bpy.types.PropertyGroup,
        item: bpy.types.PropertyGroup,
        icon: int,
        active_data: bpy.types.PropertyGroup,
        active_property: str,
        index: int = 0,
        flag: int = 0,
    ) -> None:
        """Draw a point."""
        split = layout.split(factor=_NAME_SHARE if item.name else _NUMBER_SHARE, align=True)
        split.label(text=f"{item.index} {item.name}".rstrip(), translate=False)
        split.prop(item, "body_point", text="", icon=icon_of(item))

    def filter_items(
        self, context: bpy.types.Context, data: bpy.types.PropertyGroup, property_name: str
    ) -> tuple[list[int], list[int]]:
        """Return which points match the search text, by name in the file or on the body; in the file's order."""
        wanted = self.filter_name.casefold()
        rows = getattr(data, property_name)
        found = [wanted in f"{row.index} {row.name} {row.body_point}".casefold() for row in rows]
        return [self.bitflag_filter_item if item else 0 for item in found] if wanted else [], []


def icon_of(row: bpy.types.PropertyGroup) -> str:
    """Return the icon of a point: named by the user, recognised by its name, or ignored."""
    if row.is_given:
        return "USER" if row.body_point else "X"
    return "CHECKMARK" if row.body_point else "BLANK1"


def draw_points(layout: bpy.types.UILayout, context: bpy.types.Context, settings: bpy.types.PropertyGroup) -> None:
    """Draw the collapsible list and what a fit still needs; without points, only the button that clears names."""
    if TRACKS.recognition is None:
        if settings.point_names:
            layout.operator(SMPLIFY_OT_detect_points.bl_idname, icon="LOOP_BACK")
        return
    row = layout.row()
    row.alignment = "LEFT"
    icon = "DOWNARROW_HLT" if settings.show_points else "RIGHTARROW"
    row.prop(settings, "show_points", icon=icon, emboss=False)
    if not settings.show_points:
        return
    column = layout.column()
    column.template_list(
        SMPLIFY_UL_points.__name__, "", settings, "points", settings, "point_index", rows=_ROWS
    )  # fmt: skip
    lacking = TRACKS.recognition.lacking
    if lacking:
        draw_text(column, context, iface_("A fit also needs:"), icon="ERROR")
        for text in lacking:
            draw_text(column, context, text, icon="DOT")
    else:
        column.label(text="Enough for a fit", icon="CHECKMARK")
    row = column.row(align=True)
    row.operator(SMPLIFY_OT_load_points.bl_idname, icon="IMPORT", text="Load")
    row.operator(SMPLIFY_OT_save_points.bl_idname, icon="EXPORT", text="Save")
    row.operator(SMPLIFY_OT_detect_points.bl_idname, icon="LOOP_BACK", text="")
    row.operator("smplify.view_track", icon="ZOOM_SELECTED", text="")


CLASSES = (SMPLIFY_UL_points,)
