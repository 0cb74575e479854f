"""An import with the sidebar closed, as in Blender's factory state, shows what came of it and what to do next."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.window.test_drop import drop
from tests.window.test_journey import open_file

SIDEBAR = "windows.box('VIEW_3D', 'UI')"
READ = "Read walk.trc: 432 frames, people: 1. Next: Fit, in the SMPLify tab of the sidebar"


@pytest.fixture
def closed(blender):
    """The running Blender with the sidebar closed, and another tab in front when it opens."""
    blender.open_tab("View")
    blender.run("windows.hide_sidebar()")
    blender.wait_until(f"{SIDEBAR} is None")
    return blender


def import_by_menu(blender, operator: str, path: Path) -> None:
    """Choose a file in the browser that File > Import or the search opens."""
    blender.run(f"windows.invoke({operator!r})")
    blender.wait_until("'FILE_BROWSER' in windows.area_types()")
    blender.files.click(path.name)
    blender.press("Return")
    blender.wait_until("'FILE_BROWSER' not in windows.area_types()")


def import_track(blender, way: str, path: Path) -> None:
    if way == "drop":
        drop(blender, blender.viewport, path)
    elif way == "menu":
        import_by_menu(blender, "smplify.open_track", path)
    else:
        blender.run(f"bpy.ops.smplify.open_track(filepath={str(path)!r})")
    blender.wait_until("windows.track_state() in ('read', 'bad file')")


@pytest.mark.parametrize("way", ["drop", "menu", "python"])
def test_a_track_is_reported_and_the_tab_opens(closed, user, pictures, way: str) -> None:
    import_track(closed, way, Path(user["HOME"]) / "walk.trc")

    closed.window.find(READ)
    closed.wait_until(f"{SIDEBAR} is not None")
    closed.sidebar.find("432 frames at 60 fps, 7.18 s")
    closed.picture().save(pictures / f"imported-{way}.png")


@pytest.mark.parametrize("way", ["drop", "menu", "python"])
def test_a_track_that_cannot_be_read_is_reported_in_a_popup_and_in_its_box(closed, user, pictures, way: str) -> None:
    import_track(closed, way, Path(user["HOME"]) / "walk_wrong_units.trc")

    closed.window.find("Report: Error")
    closed.picture().save(pictures / f"refused-{way}.png")
    closed.press("Escape")
    closed.viewport.hover()
    closed.sidebar.find("Set it here:")


@pytest.mark.parametrize("is_good", [True, False])
def test_a_motion_is_reported_and_the_tab_opens(closed, user, pictures, is_good: bool) -> None:
    path = Path(user["HOME"]) / "motion.npz"
    frames = 20 if is_good else 0
    np.savez(
        path, poses=np.zeros((frames, 72)), betas=np.zeros(10), trans=np.zeros((frames, 3)), mocap_framerate=30.0,
        gender="neutral",
    )  # fmt: skip
    import_by_menu(closed, "smplify.import_motion", path)

    if is_good:
        closed.wait_until("'motion' in bpy.data.objects")
    else:
        closed.window.find("Report: Error")
        closed.press("Escape")
        closed.viewport.hover()
    closed.wait_until(f"{SIDEBAR} is not None")
    closed.sidebar.find("4. Result")
    closed.picture().save(pictures / f"motion-{is_good}.png")
    path.unlink()


def test_a_wrong_scale_is_settled_in_the_box(blender, user, pictures) -> None:
    path = Path(user["HOME"]) / "far.trc"
    text = (path.parent / "walk.trc").read_text(encoding="utf-8")
    path.write_text(text.replace("\tm\t60\t1\t432", "\tft\t60\t1\t432"), encoding="utf-8")
    blender.run(f"bpy.ops.smplify.open_track(filepath={str(path)!r}, stature=1.8)")
    blender.wait_until("windows.track_state() == 'read'")
    blender.sidebar.find("Person's Height")
    blender.picture().save(pictures / "height.png")
    blender.sidebar.click("Options")
    blender.run("bpy.context.scene.smplify.fit.begin = 'RECORDING'")
    blender.sidebar.find("As in Recording")
    blender.picture().save(pictures / "begin.png")
    path.unlink()


def test_an_error_stands_in_the_box_of_its_button(blender, pictures) -> None:
    open_file(blender, "walk.trc")
    blender.run("bpy.context.scene.smplify.body.betas = 'FILE'")
    blender.sidebar.click("Fit")
    blender.wait_until("windows.addon('background.fit_session').FITS.state.name == 'FAILED'")
    blender.press("Escape")
    blender.viewport.hover()
    blender.picture().save(pictures / "error-in-box.png")
    assert "Betas File" in blender.evaluate("windows.error_in('FIT')")
