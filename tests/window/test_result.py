"""Box 4 and the menu in a window: sliders, looks and operators, each taken back by Ctrl+Z."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S, poll
from tests.window.test_journey import FIT_S, FITS, changed_pixels, differing, hashes

FIGURE = "bpy.context.object.smplify"
POPUP_PX = 5000
BONE = "bpy.data.objects['walk'].pose.bones['left_knee']"
EDIT_A_KEY = (
    "bpy.context.scene.frame_set(50)\n"
    f"{BONE}.rotation_quaternion = (1.0, 0.0, 0.0, 0.0)\n"
    f"{BONE}.keyframe_insert('rotation_quaternion')\n"
    "bpy.ops.ed.undo_push(message='edited')"
)


@pytest.fixture
def fitted(fitted):
    """The running Blender with the sample fitted and nothing but its figure in view."""
    fitted.run("bpy.context.scene.smplify.track.show_preview = False")
    fitted.run("bpy.ops.ed.undo_push(message='ready')")
    return fitted


def search(blender, name: str) -> None:
    """Have Blender's search find an operator by its name, and do it."""
    blender.viewport.hover()
    closed = blender.picture()
    blender.run("windows.open_search()")
    # What is typed before it is open goes to the viewport, where every letter does something.
    poll(lambda: changed_pixels(closed, blender.screen.picture()) > POPUP_PX, PATIENCE_S, "the search to open")
    blender.write(name)
    blender.picture()
    blender.press("Return")


def assert_undone(blender, before: dict[str, str], what: str) -> None:
    """Check that something was changed and that Ctrl+Z takes it back."""
    assert differing(before, hashes(blender)) != [], f"{what} changed nothing"
    blender.viewport.hover()
    blender.press("ctrl+z")
    blender.picture()
    assert differing(before, hashes(blender)) == [], f"after {what} was taken back"


def test_a_live_setting_that_is_dragged_or_chosen_is_one_step_to_undo(fitted, pictures) -> None:
    fitted.run(f"{FIGURE}.foot_lock = 0.0")  # a fit begins with 1
    fitted.run("bpy.ops.ed.undo_push(message='unlocked')")
    before = hashes(fitted)
    for name, setting in (("Foot Lock", "foot_lock"), ("Height", "height_m")):
        fitted.sidebar.find(name)
        fitted.picture().save(pictures / f"{setting}.png")
        x, y = fitted.sidebar.find(name)
        fitted.drag((x + 110, y), 40)
        fitted.wait_until(f"{FIGURE}.{setting} > 0.0")
        assert_undone(fitted, before, name)

    x, y = fitted.sidebar.find("Root Motion")
    fitted.click_at(x + 110, y)
    fitted.window.click("In Place")
    fitted.wait_until(f"{FIGURE}.root == 'in_place'")
    fitted.picture().save(pictures / "in-place.png")
    assert_undone(fitted, before, "Root Motion")


def test_the_strip_and_the_colours_of_the_error_are_seen_and_go_again(fitted, pictures) -> None:
    fitted.sidebar.find("Error Strip")  # scrolls to it, before the picture
    fitted.viewport.hover()
    with_strip = fitted.viewport.picture()
    fitted.sidebar.click("Error Strip")
    fitted.wait_until("not bpy.context.window_manager.smplify_error_strip")
    fitted.viewport.hover()
    plain = fitted.viewport.picture()
    width, height = fitted.sidebar.box()[0] - fitted.viewport.box()[0], plain.height  # the sidebar lies over it
    strip = (0, height - 90, width, height)
    assert changed_pixels(with_strip.crop(strip), plain.crop(strip)) > 2000
    assert changed_pixels(with_strip.crop((0, 0, width, height - 90)), plain.crop((0, 0, width, height - 90))) == 0

    before = hashes(fitted)
    fitted.sidebar.click("Colour by Error")
    fitted.wait_until(f"{FIGURE}.color_by_error")
    fitted.viewport.hover()
    coloured = fitted.viewport.picture()
    coloured.save(pictures / "coloured.png")
    assert changed_pixels(plain, coloured) > 2000
    fitted.sidebar.click("Colour by Error")
    fitted.wait_until(f"not {FIGURE}.color_by_error")
    fitted.viewport.hover()
    assert changed_pixels(plain, fitted.viewport.picture()) == 0
    assert differing(before, hashes(fitted)) == []


def test_what_is_found_by_the_search_can_be_taken_back(fitted, user, pictures) -> None:
    fitted.run(f"{FIGURE}.smoothing = 0.5")
    fitted.run(EDIT_A_KEY)
    for name in ("Keep My Edits", "Overwrite My Edits", "Back to the Fit"):
        before = hashes(fitted)
        search(fitted, name)
        fitted.picture()
        assert_undone(fitted, before, name)

    fitted.run("bpy.data.objects['walk body'].data.shape_keys.key_blocks['beta_0'].value = 2.0")
    fitted.run("bpy.ops.ed.undo_push(message='taller')")
    before = hashes(fitted)
    search(fitted, "Bones to Shape")
    assert_undone(fitted, before, "Bones to Shape")


def test_a_range_is_fitted_again_and_a_motion_imported_and_both_can_be_taken_back(fitted, user) -> None:
    fitted.run(f"{FIGURE}.range_first, {FIGURE}.range_last = 100, 140")
    fitted.run("bpy.context.scene.smplify.fit.smoothing = 0.0")
    fitted.run("bpy.ops.ed.undo_push(message='range')")
    before = hashes(fitted)
    search(fitted, "Fit Range Again")
    fitted.wait_until(f"not {FITS}.busy and {FITS}.message.startswith('Fitted frames 100 to 140')", FIT_S)
    assert_undone(fitted, before, "Fit Range Again")

    motion = str(Path(user["HOME"]) / "again.npz")
    fitted.run(f"bpy.ops.smplify.export(filepath={motion!r})")
    before = hashes(fitted)
    search(fitted, "Import AMASS Motion")
    fitted.wait_until("'FILE_BROWSER' in windows.area_types()")
    fitted.files.click("again.npz")
    fitted.press("Return")
    fitted.wait_until("'again' in bpy.data.objects")
    assert_undone(fitted, before, "Import AMASS Motion")
