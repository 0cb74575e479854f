"""Make the pictures of the README and the guide: ``bash .ci/pictures``.

Run where the tests of this folder run, with the same settings. Each picture is of a real window, cut to what the page
speaks of, and reduced to a few dozen colours, so that it stays small in the repository.

Characters are not in the repository: with ``CHARACTERS=FOLDER``, a folder that holds the files of `CHARACTERS`, the
pictures with them are made too; without it they stay as they are.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from .harness.installation import clean_user, install
from .harness.screen import Screen
from .harness.session import Session

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = REPOSITORY / "characters"
"""Where `.ci/real-blender` puts them."""
WIDTH, HEIGHT = 1280, 900
COLOURS = 96
FIT_S = 240.0
FITS = "windows.addon('background.fit_session').FITS"
FAULTY = "walk_with_faults.npz"
CHARACTERS = ("m2m_male.glb", "mpfb_mixamo.blend", "m2m_zombie.glb", "kaykit_barbarian_rig.blend")
"""Free characters (CC0): Mesh2Motion's man and zombie, MPFB's body with Mixamo's skeleton, KayKit's Barbarian."""
ROW = (900, 360)
ROW_FRAME = 127
LEFT_LEG, RIGHT_WRIST, LEGS = (13, 14, 19, 20, 21), 4, ((9, 12), (10, 13), (11, 14), (22, 19), (23, 20), (24, 21))
"""Points of OpenPose's BODY25; of the legs, pairs of right and left."""


def save(picture: Image.Image, path: Path, colours: int = COLOURS) -> None:
    """Write a picture with few *colours*."""
    picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {picture.width} x {picture.height}, {path.stat().st_size} bytes")


def write_faulty_track(samples: Path) -> None:
    """Write the sample with the faults of a tracker: a leg hidden, a wrist on a wall, left and right leg exchanged."""
    with np.load(samples / "walk.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    positions, confidence = arrays["positions"], arrays["confidence"]
    confidence[80:140, LEFT_LEG] = 0.0
    positions[190:215, RIGHT_WRIST] = positions[190, RIGHT_WRIST] + (0.9, 0.4, 0.0)
    for right, left in LEGS:
        for values in (positions, confidence):
            values[300:330, [right, left]] = values[300:330, [left, right]]
    np.savez(samples / FAULTY, **arrays)


def viewport_and_sidebar(blender: Session) -> Image.Image:
    """Return the 3D viewport with its sidebar."""
    return blender.picture().crop(blender.viewport.box())


def boxes_between(blender: Session, first: str, last: str) -> Image.Image:
    """Return the part of the sidebar from one text to above another one; both must be in view."""
    left, _, right, _ = blender.sidebar.box()
    top, bottom = (blender.sidebar.find(text)[1] for text in (first, last))
    return blender.picture().crop((left, top - 14, right, bottom - 14))


def open_track(blender: Session, name: str, state: str = "read") -> None:
    """Start anew and open a file of the folder of samples, beside a saved project, so that its path is short."""
    blender.new_scene()
    blender.run("windows.set_stage()")
    blender.open_tab()
    blender.run("bpy.ops.wm.save_as_mainfile(filepath=str(windows.Path.home() / 'project.blend'))")
    blender.run("bpy.context.scene.smplify.fit.timing = 'CLIP'")  # as in a new file
    blender.run(f"bpy.ops.smplify.open_track(filepath='//samples/{name}')")
    blender.wait_until(f"windows.track_state() == {state!r}")
    blender.sidebar.scroll_to_top()


def fit(blender: Session, frame: int) -> None:
    """Fit the track and go to a frame."""
    blender.sidebar.click("Fit")
    blender.wait_until(f"{FITS}.state.name == 'DONE'", FIT_S)
    blender.run(f"windows.set_stage(frame={frame})")
    blender.viewport.hover()


def make_first_figure(blender: Session, folder: Path) -> None:
    """Go the way of the first figure: read, fit, export."""
    open_track(blender, "walk.trc")
    save(viewport_and_sidebar(blender), folder / "track.png")
    fit(blender, 100)
    blender.sidebar.find("Root Motion")
    save(viewport_and_sidebar(blender), folder / "result.png")
    blender.run("bpy.context.scene.smplify_export.preset = 'UNREAL'")
    blender.sidebar.find("What It Writes")
    save(boxes_between(blender, "6. Export", "What It Writes"), folder / "export.png")


def make_doubts(blender: Session, folder: Path) -> None:
    """Show a file that is refused, and a fit with doubtful stretches."""
    open_track(blender, "walk_wrong_units.trc", "bad file")
    save(boxes_between(blender, "1. Track", "2. Body"), folder / "refused.png")
    open_track(blender, FAULTY)
    save(boxes_between(blender, "1. Track", "2. Body"), folder / "doubts.png")
    fit(blender, 110)
    blender.run("bpy.context.object.smplify.flag_index = 0; bpy.context.scene.smplify.track.show_preview = False")
    blender.sidebar.find("Root Motion")
    save(viewport_and_sidebar(blender), folder / "flags.png")


def make_characters(blender: Session, folder: Path, files: Path) -> None:
    """Show the box Character before and after, and render characters beside the figure."""
    open_track(blender, "walk.trc")
    fit(blender, ROW_FRAME)
    blender.run("bpy.context.object.smplify.foot_lock = 1.0; bpy.context.object.smplify.ground = 'contacts'")
    blender.run("bpy.context.scene.smplify.track.show_preview = False")
    for title in ("1. Track", "2. Body", "3. Fit", "4. Result", "5. Character"):
        blender.sidebar.click(title)
    blender.run(f"bpy.ops.smplify.open_character(filepath={str(files / CHARACTERS[1])!r})")
    blender.run(f"hero = bpy.context.scene.smplify_character.armature; bpy.context.scene.frame_set({ROW_FRAME})")
    blender.run("bpy.context.window_manager.smplify_bone_colors = True; hero.location.x = 1.1; hero.select_set(False)")
    blender.sidebar.click("Bones")
    save(viewport_and_sidebar(blender), folder / "bones.png", 256)
    blender.run("bpy.context.window_manager.smplify_bone_colors = False")
    blender.sidebar.click("Bones")
    blender.sidebar.click("Apply")
    blender.run("hero.location = (0.7, 1.3, 0.0)")
    blender.sidebar.click("Options")
    save(viewport_and_sidebar(blender), folder / "character.png")
    blender.run("bpy.ops.smplify.remove_character(); bpy.data.batch_remove([hero, *hero.children_recursive])")
    blender.run(f"row = characters.put_on({[str(files / name) for name in CHARACTERS]!r})")
    blender.run("characters.hide(row[-1], ('Axe', 'Shield', 'Mug')); from mathutils import Vector")
    blender.run(f"middle = characters.line_up(row, {ROW_FRAME}, Vector((0.87, 0.5, 0.0)))")
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "row.png"
        blender.run(f"characters.render({str(path)!r}, middle, Vector((0.34, -0.94, 0.0)), {ROW}, 11.0)")
        save(Image.open(path).convert("RGB"), folder / "characters.png")


def main() -> None:
    """Start a Blender and make the pictures."""
    folder = Path(os.environ["SMPLIFY_PICTURES"])
    with tempfile.TemporaryDirectory() as temporary:
        user = clean_user(Path(temporary) / "user")
        install(os.environ["BLENDER"], Path(os.environ["SMPLIFY_ZIP"]), user)
        samples = Path(user["HOME"]) / "samples"
        shutil.copytree(REPOSITORY / "samples", samples)
        write_faulty_track(samples)
        with Screen(WIDTH, HEIGHT) as screen, Session(os.environ["BLENDER"], screen, Path(temporary), user) as blender:
            make_first_figure(blender, folder)
            make_doubts(blender, folder)
            if FILES.is_dir():
                make_characters(blender, folder, FILES)


if __name__ == "__main__":
    main()
