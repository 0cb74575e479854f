"""A keypoint file that is dragged from a file manager and dropped on Blender's window."""

from __future__ import annotations

from pathlib import Path

TRACK = "bpy.context.scene.smplify.track"


def drop(blender, path: Path, part) -> None:
    """Drag a file over the window and let it go in the middle of a part of it."""
    from tests.window.harness.dropping import FileDrag

    left, top, right, bottom = part.box()
    FileDrag(blender.screen.display, path).drop((left + right) // 2, (top + bottom) // 2)
    blender.settle()


def test_a_file_that_is_dropped_on_the_viewport_is_read(blender, user, pictures) -> None:
    path = Path(user["HOME"]) / "walk.trc"

    drop(blender, path, blender.viewport)

    blender.wait_until("windows.track_state() == 'read'")
    assert blender.evaluate(f"{TRACK}.filepath") == str(path)
    blender.sidebar.find("432 frames at 60 fps, 7.18 s")
    blender.picture().save(pictures / "dropped.png")


def test_a_file_that_is_dropped_elsewhere_is_not(blender, user) -> None:
    from tests.window.harness.part import Part

    drop(blender, Path(user["HOME"]) / "walk.trc", Part(blender, "OUTLINER", "WINDOW"))

    assert blender.evaluate(f"{TRACK}.filepath") == ""
    assert blender.evaluate("windows.track_state()") == "no file"
