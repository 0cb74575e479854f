"""Where the parts of Blender's window are, for a test that clicks on them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import bpy


def main_window() -> bpy.types.Window:
    """Return the window that Blender opened first."""
    return bpy.context.window_manager.windows[0]


def box(area_type: str, region_type: str) -> list[int] | None:
    """Return left, top, width and height in pixels from the window's upper left corner, or None if it is not shown.

    Of several areas of a kind, the largest.
    """
    window = main_window()
    areas = [area for area in window.screen.areas if area.type == area_type]
    for area in sorted(areas, key=lambda item: -item.width * item.height):
        for region in area.regions:
            if region.type == region_type and region.width > 1 and region.height > 1:
                return [region.x, window.height - region.y - region.height, region.width, region.height]
    return None


def area_types() -> list[str]:
    """Return the kinds of the areas that the window shows."""
    return sorted(area.type for area in main_window().screen.areas)


def new_scene() -> None:
    """Open the start-up scene. Its areas can be used once Blender has drawn them."""
    bpy.ops.wm.read_homefile()


def show_workspace(name: str) -> None:
    """Show a workspace of the start-up file. Its areas can be used once Blender has drawn them."""
    main_window().workspace = bpy.data.workspaces[name]


def show_sidebar() -> None:
    """Show the sidebar of every 3D viewport."""
    for area in main_window().screen.areas:
        if area.type == "VIEW_3D":
            area.spaces.active.show_region_ui = True


def hide_sidebar() -> None:
    """Hide the sidebar of every 3D viewport."""
    for area in main_window().screen.areas:
        if area.type == "VIEW_3D":
            area.spaces.active.show_region_ui = False


def invoke(operator: str) -> None:
    """Start an operator over the largest 3D viewport, as a menu or the search does."""
    window = main_window()
    views = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    area = max(views, key=lambda item: item.width * item.height)
    region = next(region for region in area.regions if region.type == "WINDOW")
    group, name = operator.split(".")
    with bpy.context.temp_override(window=window, area=area, region=region):
        getattr(getattr(bpy.ops, group), name)("INVOKE_DEFAULT")


def error_in(box: str) -> str:
    """Return the error that a box shows, by the box's name in the add-on."""
    boxes = addon("ui.box_errors")
    return boxes.error_in(boxes.Box[box])


def open_search() -> None:
    """Open Blender's search over the largest 3D viewport, as F3 does there: not every virtual screen sends that key."""
    window = main_window()
    views = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    area = max(views, key=lambda item: item.width * item.height)
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.wm.search_menu("INVOKE_DEFAULT")


def redraw() -> None:
    """Have everything drawn again."""
    for area in main_window().screen.areas:
        area.tag_redraw()


def draw_now() -> None:
    """Draw the first window before returning."""
    with bpy.context.temp_override(window=main_window()):
        bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)


def addon(name: str) -> object:
    """Return a module of the installed add-on, by its name within it."""
    return import_module(f"bl_ext.user_default.learnable_smplify.{name}")


def track_state() -> str:
    """Return how far the file of box 1 is."""
    request = addon("track.settings").track_request(bpy.context.scene.smplify.track)
    return addon("track.session").TRACKS.state(request).value


def home_files(pattern: str) -> list[str]:
    """Return the names of the files of the home folder that are like *pattern*."""
    return sorted(path.name for path in Path.home().glob(pattern))


def close_others() -> None:
    """Close all windows but the first."""
    for window in list(bpy.context.window_manager.windows)[1:]:
        with bpy.context.temp_override(window=window):
            bpy.ops.wm.window_close()


def set_stage(frame: int = 1) -> None:
    """Show people as large as the viewport: without the start-up cube, seen from the side of a walk."""
    cube = bpy.data.objects.get("Cube")
    if cube is not None:
        bpy.data.objects.remove(cube)
    bpy.context.preferences.system.viewport_aa = "8"
    bpy.context.scene.frame_set(frame)
    for area in main_window().screen.areas:
        if area.type == "VIEW_3D":
            view = area.spaces.active.region_3d
            view.view_location = (0.45, 0.0, 0.85)
            view.view_distance = 4.2
