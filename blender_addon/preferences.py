"""The add-on's preferences: what belongs to the user and their computer, not to a scene."""

from __future__ import annotations

from pathlib import Path

import bpy

SMPL_PAGE = "https://smpl.is.tue.mpg.de"


class SMPLIFY_AP_preferences(bpy.types.AddonPreferences):  # noqa: N801 - the form that Blender asks for
    """What the user sets once."""

    bl_idname = __package__

    body_file: bpy.props.StringProperty(
        name="Licensed SMPL File",
        description="A file of the SMPL body that you have a licence for (.pkl or .npz). It is read where it lies and "
        "never copied; empty, only the free body is offered",
        subtype="FILE_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the page."""
        _draw_body(self.layout.box(), self)


def _draw_body(layout: bpy.types.UILayout, preferences: SMPLIFY_AP_preferences) -> None:
    layout.label(text="SMPL Body", icon="OUTLINER_OB_ARMATURE")
    layout.prop(preferences, "body_file")
    path = body_file(preferences)
    if path and not Path(path).is_file():
        layout.label(text="There is no file at this place", icon="ERROR")
    column = layout.column(align=True)
    column.label(text="The extension brings a free body. SMPL's own bodies need a licence of your own:")
    column.label(text="register at its page, download SMPL for Python, and choose one of its .pkl or .npz files here.")
    column.label(text="The file is read where it lies. It is never copied, and nothing in it is run.")
    layout.operator("wm.url_open", text="Open SMPL's Page", icon="URL").url = SMPL_PAGE


def addon_preferences(context: bpy.types.Context) -> SMPLIFY_AP_preferences | None:
    """Return the preferences, or None where the add-on runs without being enabled, as on a command line."""
    addon = context.preferences.addons.get(__package__)
    return None if addon is None else addon.preferences


def body_file(preferences: SMPLIFY_AP_preferences | None) -> str:
    """Return the absolute path of the licensed body that the user chose, or "" for none."""
    return bpy.path.abspath(preferences.body_file) if preferences is not None else ""


CLASSES = (SMPLIFY_AP_preferences,)
