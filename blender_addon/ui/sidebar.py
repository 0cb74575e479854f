"""The SMPLify tab of the 3D viewport's sidebar: the base of its panels, and bringing it to the front."""

from __future__ import annotations

import bpy

from .redraw import areas

CLASSES = ()

TAB = "SMPLify"
_TICK_S = 0.05
_MOST_TICKS = 40
"""A sidebar has its tabs once it was drawn; on a slow computer that takes a while."""

_wanted: list[int] = []
"""The viewports, by address, whose sidebar is to show the tab, each as often as it will be tried."""


class SidebarPanel:
    """Mixin that places a panel in the SMPLify tab of the 3D viewport's sidebar; list it before `bpy.types.Panel`."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = TAB


def show_tab(context: bpy.types.Context) -> None:
    """Open the sidebar of the active or largest 3D viewport, and bring the tab to the front once it is drawn."""
    area = context.area if context.area is not None and context.area.type == "VIEW_3D" else _largest_viewport()
    if bpy.app.background or area is None:
        return
    area.spaces.active.show_region_ui = True
    _wanted[:] = [area.as_pointer()] * _MOST_TICKS
    if not bpy.app.timers.is_registered(_bring_to_front):
        bpy.app.timers.register(_bring_to_front, first_interval=_TICK_S)


def _bring_to_front() -> float | None:
    """Make the tab the active one; return the seconds until the next try, None to stop."""
    if not _wanted:
        return None
    pointer = _wanted.pop()
    area = next((area for area in areas("VIEW_3D") if area.as_pointer() == pointer), None)
    if area is None:
        return None
    region = next(item for item in area.regions if item.type == "UI")
    if region.bl_rna.properties["active_panel_category"].is_readonly:
        return None
    if region.active_panel_category == TAB:
        return None
    try:
        region.active_panel_category = TAB
    except (TypeError, AttributeError):  # the sidebar was not drawn yet and has no tabs
        area.tag_redraw()
        return _TICK_S
    region.tag_redraw()
    return None


def _largest_viewport() -> bpy.types.Area | None:
    return max(areas("VIEW_3D"), key=lambda area: area.width * area.height, default=None)


def unregister() -> None:
    """Stop trying."""
    _wanted.clear()
    if bpy.app.timers.is_registered(_bring_to_front):
        bpy.app.timers.unregister(_bring_to_front)
