"""Box 4 in a window: sliders and looks, each taken back by Ctrl+Z."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.window.test_journey import FIT_S, FITS, changed_pixels, differing, hashes

FIGURE = "bpy.context.object.smplify"


@pytest.fixture
def fitted(blender, user):
    """The running Blender with the sample fitted, and its figure in view."""
    path = str(Path(user["HOME"]) / "walk.trc")
    blender.run("windows.set_stage(); bpy.context.preferences.system.viewport_aa = 'OFF'")
    blender.run("bpy.context.scene.smplify.fit.quality = 'FAST'")
    blender.run(f"bpy.ops.smplify.open_track(filepath={path!r}, wait=True)")
    blender.sidebar.click("Fit")
    blender.wait_until(f"{FITS}.state.name == 'DONE'", FIT_S)
    blender.run("bpy.context.scene.smplify.track.show_preview = False")
    blender.run("bpy.ops.ed.undo_push(message='ready')")
    return blender


def undone(blender, before: dict[str, str], what: str) -> None:
    """Check that something was changed and that Ctrl+Z takes it back."""
    assert differing(before, hashes(blender)) != [], f"{what} changed nothing"
    blender.viewport.hover()
    blender.press("ctrl+z")
    blender.picture()
    assert differing(before, hashes(blender)) == [], f"after {what} was taken back"


def test_a_live_setting_that_is_dragged_or_chosen_is_one_step_to_undo(fitted, pictures) -> None:
    before = hashes(fitted)
    for name, setting in (("Foot Lock", "foot_lock"), ("Height", "height_m")):
        x, y = fitted.sidebar.find(name)
        fitted.drag((x + 110, y), 40)
        fitted.wait_until(f"{FIGURE}.{setting} > 0.0")
        undone(fitted, before, name)

    x, y = fitted.sidebar.find("Root Motion")
    fitted.click_at(x + 110, y)
    fitted.window.click("In Place")
    fitted.wait_until(f"{FIGURE}.root == 'in_place'")
    fitted.picture().save(pictures / "in-place.png")
    undone(fitted, before, "Root Motion")


def test_the_strip_and_the_colours_of_the_error_are_seen_and_go_again(fitted, pictures) -> None:
    fitted.viewport.hover()
    with_strip = fitted.viewport.picture()
    fitted.sidebar.click("Error Strip")
    fitted.wait_until("not bpy.context.window_manager.smplify_error_strip")
    fitted.viewport.hover()
    plain = fitted.viewport.picture()
    width, height = plain.size
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
