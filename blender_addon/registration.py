"""What the add-on gives to Blender, module by module, in order of dependence.

Each module names its classes in ``CLASSES``. One that has more to add (properties, handlers, menus) does so in
``register``, which runs after its classes are registered, and takes it away in ``unregister``, which runs before they
are taken away.
"""

from __future__ import annotations

import bpy

from . import (
    command_line,
    error_colors,
    error_strip,
    export_properties,
    figure_properties,
    flag_list,
    preferences,
    prepared,
    scene_properties,
    translations,
)
from .fitting import running
from .operators import acceleration, export, figure, fit, menu, motion, refit, result, track
from .panels import body as body_panel
from .panels import export as export_panel
from .panels import fit as fit_panel
from .panels import result as result_panel
from .panels import track as track_panel
from .tracks import preview, reading

_OPERATORS = (acceleration, track, fit, figure, result, refit, export, motion, menu)
_PANELS = (track_panel, body_panel, fit_panel, result_panel, export_panel)

MODULES = (
    translations,
    preferences,
    scene_properties,
    reading,
    preview,
    running,
    figure_properties,
    flag_list,
    prepared,
    error_colors,
    error_strip,
    export_properties,
    *_OPERATORS,
    *_PANELS,
    command_line,
)


def register() -> None:
    """Register everything."""
    for module in MODULES:
        for cls in module.CLASSES:
            bpy.utils.register_class(cls)
        if hasattr(module, "register"):
            module.register()


def unregister() -> None:
    """Unregister everything, in reverse."""
    for module in reversed(MODULES):
        if hasattr(module, "unregister"):
            module.unregister()
        for cls in reversed(module.CLASSES):
            bpy.utils.unregister_class(cls)
