"""The add-on's preferences: settings of the user and the computer, not of a scene."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import bpy
from bpy.app.translations import pgettext_iface as iface_

from .background.task import Task
from .package import PACKAGE, body_file
from .torch_backend.preferences_box import draw_acceleration
from .torch_backend.probe import probe
from .torch_backend.settings import known_info, python_to_check
from .torch_backend.setup_session import SETUP
from .ui.text import draw_text

SMPL_PAGE = "https://smpl.is.tue.mpg.de"
_FREE_BODY = (
    "The extension includes a free body. SMPL's own bodies need a licence of your own: register at its page, download "
    "SMPL for Python, and choose one of its .pkl or .npz files here."
)
_NEVER_COPIED = "The file is read in place. It is never copied, and no code in it is run."
_PLACES = (
    (
        "BLENDER",
        "Blender's Python",
        "Use PyTorch if Blender's own Python has it; else fit on the processor, with NumPy",
    ),
    (
        "CHOSEN",
        "A Python of Mine",
        "Use a Python on this computer that has PyTorch; fits run in a process of their own",
    ),
    (
        "PRIVATE",
        "Private Environment",
        "Have PyTorch in a folder of the extension's own; fits run in a process of their own",
    ),
)


def _place_changed(preferences: bpy.types.AddonPreferences, context: bpy.types.Context) -> None:
    """Check the chosen Python, if there is one and Blender has a window."""
    if bpy.app.background or SETUP.busy:
        return
    SETUP.error = ""
    python = python_to_check(preferences)
    if python is not None and known_info(preferences) is None:
        SETUP.start(Task(partial(probe, python)), is_check=True)


class SMPLIFY_AP_preferences(bpy.types.AddonPreferences):  # noqa: N801 - Blender's naming convention
    """Settings of the add-on."""

    bl_idname = PACKAGE

    body_file: bpy.props.StringProperty(
        name="Licensed SMPL File",
        description="A file of the SMPL body that you have a licence for (.pkl or .npz). It is read in place and "
        "never copied; empty, only the free body is offered",
        subtype="FILE_PATH",
    )
    fit_place: bpy.props.EnumProperty(
        name="PyTorch in",
        description="Where fits on a GPU run",
        items=_PLACES,
        update=_place_changed,
    )
    python_file: bpy.props.StringProperty(
        name="Python",
        description="The Python executable (python, python.exe) of an environment that has PyTorch and NumPy",
        subtype="FILE_PATH",
        update=_place_changed,
    )
    show_install_options: bpy.props.BoolProperty(
        name="More Options", description="Show settings that an installation rarely needs", default=False
    )
    base_python_file: bpy.props.StringProperty(
        name="Made with",
        description="The Python that the environment is made with; empty for the one that comes with Blender",
        subtype="FILE_PATH",
    )
    index_url: bpy.props.StringProperty(
        name="Package Index",
        description="Address of a package index that has PyTorch, besides those that pip is set up for; empty for "
        "PyTorch's own where it is needed",
    )
    findings: bpy.props.StringProperty(options={"HIDDEN"})

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the page."""
        _draw_body(self.layout.box(), context, self)
        draw_acceleration(self.layout.box(), context, self)


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
