"""Have the viewports drawn again, when something that they show is not Blender's own data."""

from __future__ import annotations

import bpy


def redraw_viewports() -> None:
    """Have every 3D viewport, with its sidebar, drawn again."""
    _redraw("VIEW_3D")


def redraw_preferences() -> None:
    """Have every preferences editor drawn again."""
    _redraw("PREFERENCES")


def _redraw(kind: str) -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == kind:
                area.tag_redraw()
