"""Redraw editors after changes that Blender does not track."""

from __future__ import annotations

from collections.abc import Iterator

import bpy


def redraw_viewports() -> None:
    """Redraw every 3D viewport, with its sidebar."""
    for area in areas("VIEW_3D"):
        area.tag_redraw()


def redraw_sidebars() -> None:
    """Redraw the sidebar of every 3D viewport, but not the scene, which may be slow."""
    for area in areas("VIEW_3D"):
        for region in area.regions:
            if region.type == "UI":
                region.tag_redraw()


def redraw_preferences() -> None:
    """Redraw every preferences editor."""
    for area in areas("PREFERENCES"):
        area.tag_redraw()


def areas(kind: str) -> Iterator[bpy.types.Area]:
    """Yield the editors of a kind in all windows; *kind* is an `Area.type`."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == kind:
                yield area
