"""Have what shows something that is not Blender's own data drawn again."""

from __future__ import annotations

from collections.abc import Iterator

import bpy


def redraw_viewports() -> None:
    """Have every 3D viewport, with its sidebar, drawn again."""
    for area in _areas("VIEW_3D"):
        area.tag_redraw()


def redraw_sidebars() -> None:
    """Have the sidebar of every 3D viewport drawn again, but not the scene, which may take long."""
    for area in _areas("VIEW_3D"):
        for region in area.regions:
            if region.type == "UI":
                region.tag_redraw()


def redraw_preferences() -> None:
    """Have every preferences editor drawn again."""
    for area in _areas("PREFERENCES"):
        area.tag_redraw()


def _areas(kind: str) -> Iterator[bpy.types.Area]:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == kind:
                yield area
