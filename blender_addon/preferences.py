"""The add-on's preferences: settings of the user and the computer, not of a scene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.app.translations import pgettext_iface as iface_

from .package import PACKAGE, body_file
from .torch_access import HAS_TORCH_BACKEND
from .ui.text import draw_text

if TYPE_CHECKING or HAS_TORCH_BACKEND:
    from .torch_backend.properties import TorchPreferences
else:

    class TorchPreferences:
        """The settings of this edition's fits, which have none."""

        def draw_torch(self, context: bpy.types.Context) -> None:
            """Draw nothing."""


SMPL_PAGE = "https://smpl.is.tue.mpg.de"
_FREE_BODY = (
    "The extension includes a free body. SMPL's own bodies need a licence of your own: register at its page, download "
    "SMPL for Python, and choose one of its .pkl or .npz files here."
)
_NEVER_COPIED = "The file is read in place. It is never copied, and no code in it is run."


class SMPLIFY_AP_preferences(TorchPreferences, bpy.types.AddonPreferences):  # noqa: N801 - Blender's naming convention
    """Settings of the add-on."""

    bl_idname = PACKAGE

    body_file: bpy.props.StringProperty(
        name="Licensed SMPL File",
        description="A file of the SMPL body that you have a licence for (.pkl or .npz). It is read in place and "
        "never copied; empty, only the free body is offered",
        subtype="FILE_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the page."""
        _draw_body(self.layout.box(), context, self)
        self.draw_torch(context)


def _draw_body(layout: bpy.types.UILayout, context: bpy.types.Context, preferences: bpy.types.AddonPreferences) -> None:
    layout.label(text="SMPL Body", icon="OUTLINER_OB_ARMATURE")
    layout.prop(preferences, "body_file")
    path = body_file(preferences)
    if path and not Path(path).is_file():
        layout.label(text="There is no file at this place", icon="ERROR")
    for text in (_FREE_BODY, _NEVER_COPIED):
        draw_text(layout, context, iface_(text))
    layout.operator("wm.url_open", text="Open SMPL's Page", icon="URL").url = SMPL_PAGE


CLASSES = (SMPLIFY_AP_preferences,)
