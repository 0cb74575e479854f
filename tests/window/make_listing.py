"""Make the pictures of the extension's page on Blender's platform: ``bash .ci/pictures``.

Whole windows of 1920 x 1080 pixels, as the platform asks for, and an icon of 256 x 256 with the figure. Run where the
tests of this folder run, with the same settings.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from PIL import Image

from .harness.installation import clean_user, install
from .harness.screen import Screen
from .harness.session import Session
from .make_pictures import REPOSITORY, fit, open_track, save

WIDTH, HEIGHT = 1920, 1080
ICON = 256
COLOURS = 128
BLUE = (0.05, 0.2, 0.55, 1.0)
FRAME = 100


def make_listing(blender: Session, folder: Path) -> None:
    """Show the sample's points, then the fitted figure with its report, then the figure alone."""
    open_track(blender, "walk.trc")
    save(blender.picture(), folder / "track.png", COLOURS)
    fit(blender, FRAME)
    blender.sidebar.find("Root Motion")
    save(blender.picture(), folder / "result.png", COLOURS)
    blender.run("bpy.context.scene.smplify.track.show_preview = False; from mathutils import Vector")
    blender.run("middle = bpy.context.object.matrix_world @ bpy.context.object.pose.bones['spine1'].head")
    blender.run("(mesh,) = (item.data for item in bpy.context.object.children if item.type == 'MESH')")
    blender.run(f"mesh.materials.clear(); mesh.materials.append(characters.new_material('icon', {BLUE}))")
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "icon.png"
        size = (2 * ICON, 2 * ICON)
        blender.run(f"characters.render({str(path)!r}, middle, Vector((0.5, -0.85, 0.0)), {size}, 4.2)")
        save(
            Image.open(path).convert("RGB").resize((ICON, ICON), Image.Resampling.LANCZOS),
            folder / "icon.png",
            COLOURS,
        )


def main() -> None:
    """Start a Blender and make the pictures."""
    folder = Path(os.environ["SMPLIFY_PICTURES"])
    with tempfile.TemporaryDirectory() as temporary:
        user = clean_user(Path(temporary) / "user")
        install(os.environ["BLENDER"], Path(os.environ["SMPLIFY_ZIP"]), user)
        shutil.copytree(REPOSITORY / "samples", Path(user["HOME"]) / "samples")
        with Screen(WIDTH, HEIGHT) as screen, Session(os.environ["BLENDER"], screen, Path(temporary), user) as blender:
            make_listing(blender, folder)


if __name__ == "__main__":
    main()
