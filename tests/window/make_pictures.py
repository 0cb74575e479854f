"""Make the README's pictures: ``bash .ci/pictures``.

Run where the tests of this folder run, with the same settings. Each picture is of a real window, cut to what the README
speaks of, and reduced to a few dozen colours, so that it stays small in the repository.
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

REPOSITORY = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 1280, 900
COLOURS = 96
FIT_S = 240.0
FITS = "windows.addon('background.fit_session').FITS"


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture with few colours."""
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {picture.width} x {picture.height}, {path.stat().st_size} bytes")


def viewport_and_sidebar(blender: Session) -> Image.Image:
    """Return the 3D viewport with its sidebar."""
    left, top, right, bottom = blender.viewport.box()
    return blender.picture().crop((left, top, right, bottom))


def make(blender: Session, folder: Path) -> None:
    """Go the way of the how-to and take its pictures."""
    blender.new_scene()
    blender.run("windows.set_stage()")
    blender.open_tab()
    blender.run(f"bpy.ops.smplify.open_track(filepath={str(REPOSITORY / 'samples' / 'walk.trc')!r})")
    blender.wait_until("windows.track_state() == 'read'")
    blender.sidebar.scroll_to_top()
    save(viewport_and_sidebar(blender), folder / "track.png")

    blender.sidebar.click("Fit")
    blender.wait_until(f"{FITS}.state.name == 'DONE'", FIT_S)
    blender.run("windows.set_stage(frame=100)")
    blender.viewport.hover()
    blender.sidebar.find("Root Motion")
    save(viewport_and_sidebar(blender), folder / "result.png")


def main() -> None:
    """Start a Blender and make the pictures."""
    folder = Path(os.environ["SMPLIFY_PICTURES"])
    with tempfile.TemporaryDirectory() as temporary:
        user = clean_user(Path(temporary) / "user")
        install(os.environ["BLENDER"], Path(os.environ["SMPLIFY_ZIP"]), user)
        shutil.copytree(REPOSITORY / "samples", Path(user["HOME"]) / "samples")
        with Screen(WIDTH, HEIGHT) as screen, Session(os.environ["BLENDER"], screen, Path(temporary), user) as blender:
            make(blender, folder)


if __name__ == "__main__":
    main()
