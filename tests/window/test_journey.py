"""From a file to an export, as an animator goes: by clicks and keys in the sidebar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

FITS = "windows.addon('background.fit_session').FITS"
FIT_S = 240.0
STATUS_BAR_PX, STATUS_TEXT_PX = 18, 300


def changed_pixels(before, after) -> int:
    difference = np.asarray(before).astype(int) - np.asarray(after)
    return int((abs(difference).max(axis=2) > 30).sum())


def open_file(blender, name: str) -> None:
    """Open a file of the home folder through the panel's button and Blender's file browser."""
    blender.sidebar.click("Open Keypoints")
    blender.wait_until("'FILE_BROWSER' in windows.area_types()")
    blender.files.click(name)
    blender.window.click("Open Keypoints")
    blender.wait_until("'FILE_BROWSER' not in windows.area_types()")
    blender.wait_until("windows.track_state() in ('read', 'bad file')")


def hashes(blender) -> dict[str, str]:
    return blender.evaluate("data_hash.hashes()")


def differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


@pytest.fixture(scope="module")
def long_track(user) -> str:
    """The name of a track in the home folder that takes a while to fit: the sample, twenty times over."""
    with np.load(Path(user["HOME"]) / "walk.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name in ("positions", "confidence"):
        arrays[name] = np.concatenate([arrays[name]] * 20)
    np.savez(Path(user["HOME"]) / "long.npz", **arrays)
    return "long.npz"


def test_a_file_becomes_a_figure_that_can_be_adjusted_and_exported(blender, user, pictures) -> None:
    # 1. Track: what was detected is shown, and the preview can be seen and hidden.
    open_file(blender, "walk.trc")
    blender.sidebar.find("432 frames at 60 fps, 7.18 s")
    blender.picture().save(pictures / "read.png")
    shown = blender.viewport.picture()
    blender.sidebar.click("Preview")
    blender.wait_until("not bpy.context.scene.smplify.track.show_preview")
    assert changed_pixels(shown, blender.viewport.picture()) > 200
    blender.sidebar.click("Preview")

    # 3. Fit: one step to undo, and to do again.
    before = hashes(blender)
    blender.sidebar.click("Fit")
    blender.wait_until(f"{FITS}.state.name == 'DONE'", FIT_S)
    blender.sidebar.find("Stature 1.77 m")
    assert "objects/walk" in differing(before, hashes(blender))
    blender.picture().save(pictures / "done.png")
    blender.viewport.hover()
    blender.press("ctrl+z")
    blender.wait_until("'walk' not in bpy.data.objects")
    assert differing(before, hashes(blender)) == []
    blender.press("ctrl+shift+z")
    blender.wait_until("'walk' in bpy.data.objects")

    # 4. Result: a slider changes the keys at once, as one step.
    fitted = hashes(blender)
    x, y = blender.sidebar.find("Smoothing")
    blender.drag((x + 110, y), 40)
    assert blender.evaluate("bpy.context.object.smplify.smoothing") > 0.0
    assert any(name.startswith("actions/") for name in differing(fitted, hashes(blender)))
    blender.picture().save(pictures / "smoothed.png")
    blender.viewport.hover()
    blender.press("ctrl+z")
    blender.wait_until("bpy.context.object.smplify.smoothing == 0")
    assert not any(name.startswith("actions/") for name in differing(fitted, hashes(blender)))

    # 6. Export: a file on the disk.
    blender.sidebar.click("Export Figures")
    blender.wait_until("'FILE_BROWSER' in windows.area_types()")
    blender.picture().save(pictures / "export.png")
    blender.press("Return")
    blender.wait_until("'FILE_BROWSER' not in windows.area_types()")
    blender.wait_until("windows.home_files('walk.blend')")


@pytest.mark.parametrize("way", ["button", "Escape"])
def test_a_fit_that_is_cancelled_in_the_middle_changes_nothing(blender, long_track, pictures, way: str) -> None:
    open_file(blender, long_track)
    before = hashes(blender)

    blender.sidebar.click("Fit")
    blender.wait_until(f"{FITS}.busy and {FITS}.task.status.share > 0.02", FIT_S)
    blender.sidebar.find("Cancel")
    blender.picture().save(pictures / f"fitting-{way}.png")
    # Blender can be used meanwhile: N hides the sidebar and shows it again.
    blender.viewport.hover()
    blender.press("n")
    blender.wait_until("windows.box('VIEW_3D', 'UI') is None")
    blender.press("n")
    blender.wait_until("windows.box('VIEW_3D', 'UI') is not None")
    assert blender.evaluate(f"{FITS}.busy")
    if way == "button":
        blender.sidebar.click("Cancel")
    else:
        blender.press("Escape")
    blender.wait_until(f"{FITS}.state.name == 'CANCELLED'")

    blender.sidebar.find("Cancelled; nothing was changed")
    blender.picture().save(pictures / f"cancelled-{way}.png")
    assert differing(before, hashes(blender)) == []
    assert blender.evaluate("[t.name for t in __import__('threading').enumerate() if 'SMPLify' in t.name]") == []


def test_a_fit_leaves_no_progress_in_the_status_bar_of_a_workspace_that_was_left(blender, long_track, pictures) -> None:
    """Blender keeps a text of the status bar for each workspace."""
    open_file(blender, long_track)
    blender.sidebar.click("Fit")
    blender.wait_until(f"{FITS}.busy and {FITS}.task.status.share > 0.02", FIT_S)
    height = blender.screen.height
    text = (0, height - STATUS_BAR_PX, STATUS_TEXT_PX, height)  # the left end of the bar, which reports do not reach
    blender.viewport.hover()
    fitting = blender.screen.picture().crop(text)
    blender.run("windows.show_workspace('Animation')")
    blender.wait_until("windows.main_window().workspace.name == 'Animation'")
    blender.viewport.hover()
    blender.press("Escape")
    blender.wait_until(f"{FITS}.state.name == 'CANCELLED'")
    shown = blender.picture().crop(text)
    assert changed_pixels(fitting, shown) > 200
    blender.run("windows.show_workspace('Layout')")
    blender.wait_until("windows.main_window().workspace.name == 'Layout'")
    blender.viewport.hover()
    left = blender.picture()
    left.save(pictures / "status-bar.png")
    assert changed_pixels(shown, left.crop(text)) == 0


def test_a_new_scene_asks_for_a_file(blender, pictures) -> None:
    blender.picture().save(pictures / "no-file.png")

    for text in ("1. Track", "Open Keypoints", "Or drop a file on the viewport", "2. Body", "3. Fit", "Fit"):
        blender.sidebar.find(text)
    blender.sidebar.click("Fit")
    assert not blender.evaluate(f"{FITS}.busy")


def test_a_bad_file_says_what_is_wrong_and_the_menu_beside_it_settles_it(blender, pictures) -> None:
    open_file(blender, "walk_wrong_units.trc")
    blender.viewport.hover()
    blender.press("Escape")  # closes the error's popup, which would take the next click

    blender.sidebar.find("Set it here:")
    blender.picture().save(pictures / "bad-file.png")
    x, y = blender.sidebar.find("Units")
    blender.click_at(x + 110, y)
    blender.window.click("Millimetres")
    blender.wait_until("windows.track_state() == 'read'")
    blender.sidebar.find("432 frames at 60 fps, 7.18 s")


def test_a_fit_that_fails_says_why_and_changes_nothing(blender, pictures) -> None:
    open_file(blender, "walk.trc")
    blender.run("body = bpy.context.scene.smplify.body; body.betas = 'FILE'; body.betas_file = '/nowhere/betas.npy'")
    before = hashes(blender)

    blender.sidebar.click("Fit")
    blender.wait_until(f"{FITS}.state.name == 'FAILED'", FIT_S)

    blender.picture().save(pictures / "failed.png")
    assert "/nowhere/betas.npy" in blender.evaluate(f"{FITS}.message")
    blender.press("Escape")
    assert differing(before, hashes(blender)) == []
