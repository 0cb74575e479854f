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
    operators,
    panels,
    preferences,
    prepared,
    scene_properties,
    translations,
)
from .fitting import running
from .tracks import preview, reading

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
    *operators.MODULES,
    *panels.MODULES,
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
