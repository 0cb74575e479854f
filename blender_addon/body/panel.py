"""Box 2: the body model and its shape."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.app.translations import pgettext_iface as iface_

from ..figure.shape_operators import active_armature
from ..fit.settings import chosen_body_file, genders
from ..preferences import SMPL_PAGE
from ..ui.sidebar import SidebarPanel
from ..ui.text import draw_text

_HOW_TO_GET = (
    "SMPL needs a licence of your own: register at its page, download SMPL for Python, and choose one of its .pkl or "
    ".npz files here."
)
_NEVER_COPIED = "The file is read in place and never copied."


class SMPLIFY_PT_body(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's naming convention
    """The body model and its shape."""

    bl_idname = "SMPLIFY_PT_body"
    bl_label = "2. Body"
    bl_order = 2

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the box."""
        settings = context.scene.smplify.body
        layout = self.layout
        layout.row().prop(settings, "kind", expand=True)
        if settings.kind == "SMPL":
            _draw_licensed(layout, context, settings)
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "betas")
        if settings.betas == "FILE":
            column.prop(settings, "betas_file")
        elif settings.betas == "FIGURE":
            _draw_figure(layout, context)


def _draw_licensed(layout: bpy.types.UILayout, context: bpy.types.Context, settings: bpy.types.PropertyGroup) -> None:
    """Draw the choice of a licensed file, or how to get one."""
    layout.prop(settings, "file", text="")
    path = chosen_body_file(context)
    if not path:
        box = layout.box()
        draw_text(box, context, iface_(_HOW_TO_GET), icon="INFO")
        draw_text(box, context, iface_(_NEVER_COPIED), icon="LOCKED")
        box.operator("wm.url_open", text="Open SMPL's Page", icon="URL").url = SMPL_PAGE
        return
    if not Path(path).is_file():
        draw_text(layout, context, iface_("There is no file at {:s}").format(path), icon="ERROR")
        return
    if not settings.file:
        draw_text(layout, context, iface_("Remembered: {:s}").format(Path(path).name), icon="FILE_TICK")
    if len(genders(context)) > 1:
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "gender")
    draw_text(layout, context, iface_(_NEVER_COPIED), icon="LOCKED")


def _draw_figure(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the figure whose shape is used."""
    armature = active_armature(context)
    if armature is None:
        layout.label(text="Make a figure active", icon="ERROR")
    else:
        draw_text(layout, context, armature.name, icon="ARMATURE_DATA")


CLASSES = (SMPLIFY_PT_body,)
