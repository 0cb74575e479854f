"""The list of point names in a window: it opens, numbers the points, takes what is typed, and undo takes it back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.waiting import PATIENCE_S
from tests.window.test_journey import changed_pixels

TRACK = "bpy.context.scene.smplify.track"
MANY_PX = 400
FIRST_ROW_PX = 30
"""How far below its title the list's first row is."""


@pytest.fixture
def unnamed(blender, user):
    """The running Blender with a file of points without names, in an order that no layout has."""
    folder = Path(user["HOME"])
    positions = np.load(folder / "walk.npz")["positions"]
    np.save(folder / "points.npy", positions[:, ::-1][:, np.r_[0:25, 3, 7, 11]])
    # As typed into the box: an operator would report the error over the sidebar.
    blender.run(f"{TRACK}.frame_rate = '60'\n{TRACK}.filepath = {str(folder / 'points.npy')!r}")
    blender.wait_until("windows.track_state() == 'bad file'", PATIENCE_S)
    return blender


def test_points_are_numbered_named_and_taken_back(unnamed, pictures) -> None:
    unnamed.viewport.hover()
    plain = unnamed.viewport.picture()
    unnamed.sidebar.click("Point Names")
    unnamed.wait_until(f"{TRACK}.show_points and len({TRACK}.points) == 28")
    unnamed.viewport.hover()
    unnamed.run("bpy.ops.ed.undo_push(message='opened')")
    numbered = unnamed.viewport.picture()
    assert changed_pixels(plain, numbered) > MANY_PX
    unnamed.picture().save(pictures / "points-numbered.png")
    x, y = unnamed.sidebar.find("Point Names")
    unnamed.click_at(x + 100, y + FIRST_ROW_PX)
    unnamed.write("left hip")
    unnamed.picture().save(pictures / "points-search.png")
    unnamed.press("Return")
    unnamed.wait_until(f"{TRACK}.points[0].body_point == 'left_hip' and {TRACK}.points[0].is_given")
    unnamed.wait_until("windows.track_state() == 'bad file'", PATIENCE_S)
    unnamed.viewport.hover()
    unnamed.press("ctrl+z")
    unnamed.wait_until(f"{TRACK}.points[0].body_point == '' and {TRACK}.point_names == ''")
    unnamed.wait_until("windows.track_state() == 'bad file'", PATIENCE_S)


def test_a_file_whose_points_are_all_named_is_read_and_its_list_closed_again(unnamed, pictures) -> None:
    layout = (
        "nose mid_shoulder right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip "
        "right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear "
        "left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel"
    )
    unnamed.sidebar.click("Point Names")
    unnamed.wait_until(f"len({TRACK}.points) == 28")
    unnamed.run(f"for row, name in zip({TRACK}.points, {layout!r}.split()[::-1]): row.body_point = name")
    unnamed.wait_until("windows.track_state() == 'read'", PATIENCE_S)
    unnamed.run("bpy.ops.ed.undo_push(message='named')")
    unnamed.viewport.hover()
    shown = unnamed.viewport.picture()
    view = "next(area for area in windows.main_window().screen.areas if area.type == 'VIEW_3D')"
    unnamed.run(
        f"area = {view}\n"
        "region = next(item for item in area.regions if item.type == 'WINDOW')\n"
        "with bpy.context.temp_override(window=windows.main_window(), area=area, region=region):\n"
        "    bpy.ops.smplify.view_track()"
    )
    unnamed.picture().save(pictures / "points-named.png")
    unnamed.sidebar.click("Point Names")
    unnamed.wait_until(f"not {TRACK}.show_points and not {TRACK}.points")
    unnamed.viewport.hover()
    assert changed_pixels(shown, unnamed.viewport.picture()) > MANY_PX
