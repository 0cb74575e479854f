"""The preferences of this folder: where PyTorch is."""

from __future__ import annotations

from functools import partial

import bpy

from ..background.task import Task
from .preferences_box import draw_acceleration
from .probe import probe
from .settings import known_info, python_to_check
from .setup_session import SETUP

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


class TorchPreferences:
    """Mixin of the add-on's preferences."""

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

    def draw_torch(self, context: bpy.types.Context) -> None:
        """Draw the box of these settings."""
        draw_acceleration(self.layout.box(), context, self)  # type: ignore[attr-defined]
