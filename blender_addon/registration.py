"""Register the add-on's modules in order of dependency.

Each module lists its classes in ``CLASSES``. A module may add properties, handlers or menus in ``register``, which runs
after its classes are registered, and remove them in ``unregister``, which runs before its classes are unregistered.
"""

from __future__ import annotations

import atexit

import bpy

from . import menu, preferences, scene_properties
from .background import modal_operator
from .batch import blender_command
from .body import panel as body_panel
from .body import properties as body_properties
from .character import bone_colors
from .character import operators as character_operators
from .character import panel as character_panel
from .character import properties as character_properties
from .export import operators as export_operators
from .export import panel as export_panel
from .export import properties as export_properties
from .figure import shape_operators
from .fit import operators as fit_operators
from .fit import panel as fit_panel
from .fit import properties as fit_properties
from .motion_import import operators as motion_operators
from .package import HAS_LIVE
from .result import cleanup_cache, error_colors, error_strip, flag_list, refit_operators
from .result import operators as result_operators
from .result import panel as result_panel
from .result import properties as result_properties
from .torch_access import HAS_TORCH_BACKEND
from .track import operators as track_operators
from .track import panel as track_panel
from .track import point_labels, point_list, point_operators, preview, reader
from .track import properties as track_properties
from .ui import announcing, box_errors, sidebar, translations

if HAS_LIVE:
    from .live import operators as live_operators
    from .live import panel as live_panel
    from .live import properties as live_properties
    from .live import watching as live_watching
if HAS_TORCH_BACKEND:
    from .torch_backend import operators as torch_operators

_OPERATORS = (
    *((torch_operators,) if HAS_TORCH_BACKEND else ()),
    track_operators,
    point_operators,
    fit_operators,
    shape_operators,
    result_operators,
    refit_operators,
    character_operators,
    export_operators,
    motion_operators,
    *((live_operators,) if HAS_LIVE else ()),
    announcing,
    menu,
)
_PANELS = (point_list, track_panel, body_panel, fit_panel, result_panel, character_panel, export_panel)
_LIVE_PANELS = (live_panel,) if HAS_LIVE else ()

MODULES = (
    translations,
    box_errors,
    sidebar,
    preferences,
    track_properties,
    body_properties,
    fit_properties,
    scene_properties,
    reader,
    preview,
    point_labels,
    modal_operator,
    result_properties,
    flag_list,
    cleanup_cache,
    error_colors,
    error_strip,
    character_properties,
    bone_colors,
    export_properties,
    *((live_properties, live_watching) if HAS_LIVE else ()),
    *_OPERATORS,
    *_PANELS,
    *_LIVE_PANELS,
    blender_command,
)


def register() -> None:
    """Register everything.

    Blender's Python module crashes at exit if a draw handler or a command is left then, so a script's end unregisters.
    """
    if not bpy.app.binary_path:
        atexit.register(unregister)
    for module in MODULES:
        for cls in module.CLASSES:
            bpy.utils.register_class(cls)
        if hasattr(module, "register"):
            module.register()


def unregister() -> None:
    """Unregister everything, in reverse order."""
    atexit.unregister(unregister)
    for module in reversed(MODULES):
        if hasattr(module, "unregister"):
            module.unregister()
        for cls in reversed(module.CLASSES):
            bpy.utils.unregister_class(cls)
