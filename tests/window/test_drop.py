"""Keypoint files that are dragged from a file manager and dropped on Blender's window."""

from __future__ import annotations

from pathlib import Path

import numpy as np

TRACK = "bpy.context.scene.smplify.track"
FITS = "windows.addon('background.fit_session').FITS"
FIT_S = 240.0
ACTION = "bpy.context.object.animation_data.action.name"


def drop(blender, part, *paths: Path) -> None:
    """Drag files over the window and let them go in the middle of a part of it."""
    from tests.window.harness.dropping import FileDrag

    left, top, right, bottom = part.box()
    FileDrag(blender.screen.display, *paths).drop((left + right) // 2, (top + bottom) // 2)
    blender.settle()


def test_a_file_that_is_dropped_on_the_viewport_is_read(blender, user, pictures) -> None:
    path = Path(user["HOME"]) / "walk.trc"

    drop(blender, blender.viewport, path)

    blender.wait_until("windows.track_state() == 'read'")
    assert blender.evaluate(f"{TRACK}.filepath") == str(path)
    blender.sidebar.find("432 frames at 60 fps, 7.18 s")
    blender.picture().save(pictures / "dropped.png")


def test_a_file_that_is_dropped_elsewhere_is_not(blender, user) -> None:
    from tests.window.harness.part import Part

    drop(blender, Part(blender, "OUTLINER", "WINDOW"), Path(user["HOME"]) / "walk.trc")

    assert blender.evaluate(f"{TRACK}.filepath") == ""
    assert blender.evaluate("windows.track_state()") == "no file"


def test_several_files_become_takes_of_one_figure(blender, user, pictures) -> None:
    home = Path(user["HOME"])
    with np.load(home / "walk.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name, frames in (("first", slice(0, 60)), ("second", slice(200, 280))):
        cut = {key: arrays[key][frames] for key in ("positions", "confidence")}
        np.savez(home / f"{name}.npz", **{**arrays, **cut})

    drop(blender, blender.viewport, home / "first.npz", home / "second.npz")
    blender.wait_until("windows.track_state() == 'read'")
    blender.picture().save(pictures / "takes-read.png")
    blender.sidebar.click("Fit")
    blender.wait_until(f"{FITS}.state.name == 'DONE'", FIT_S)
    assert blender.evaluate(ACTION) == "first"

    blender.sidebar.click("first")
    blender.window.click("second")
    blender.wait_until(f"{ACTION} == 'second'")
    assert blender.evaluate("bpy.context.object.animation_data.action.frame_range[1] == 80.0")
    blender.picture().save(pictures / "takes-second.png")
