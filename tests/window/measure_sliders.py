"""Measure how soon a live slider's step is seen in a real window: ``bash .ci/real-blender sliders ZIP``.

Prints, for figures of several lengths, the median over the steps of a drag in milliseconds of the clock on the wall:
until the keys are written, until Blender has evaluated the pose, until the window is drawn. Without a graphics card the
processor draws the window; the time of drawing without any change is printed too. The first step after the fit, and the
first one in another Blender that has opened the .blend, find what the others only use. On a busy machine look at
"work", the processor's time until the keys are written.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np

from .harness.installation import clean_user, install
from .harness.screen import Screen
from .harness.session import Session

REPOSITORY = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 1280, 900
FRAMES = (1000, 10_000)
STEPS = 9
DRAGS = {
    "smoothing": np.linspace(0.1, 0.9, STEPS),
    "foot_lock": np.linspace(0.1, 0.9, STEPS),
    "height_m": np.linspace(0.05, 0.5, STEPS),
}
PARTS = ("work", "keys", "pose", "picture", "idle")
FITS = "windows.addon('background.fit_session').FITS"
READY = "not any(item.name == 'SMPLify clean-up' for item in __import__('threading').enumerate())"
FIT_S = 600.0


def write_walk(path: Path, num_frames: int) -> None:
    """Write the sample's walk, again and again until it is that long."""
    with np.load(REPOSITORY / "samples" / "walk.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    for name in ("positions", "confidence"):
        arrays[name] = np.resize(arrays[name], (num_frames, *arrays[name].shape[1:]))
    np.savez(path, **arrays)


def drag(blender: Session, setting: str, values: np.ndarray) -> list[dict[str, float]]:
    """Return the times of each step of a drag of the active figure's slider."""
    return blender.evaluate(f"step_times.step_ms({setting!r}, {values.tolist()})")


def print_times(name: str, steps: list[dict[str, float]]) -> None:
    """Print the medians over *steps*."""
    parts = {part: float(np.median([step[part] for step in steps])) for part in PARTS}
    shown = parts["keys"] + parts["pose"] + parts["picture"]
    print(f"{name:<28}" + "".join(f"{parts[part]:9.1f}" for part in PARTS) + f"{shown:9.1f}", flush=True)


def measure_fitted(blender: Session, folder: Path, num_frames: int) -> None:
    """Fit a walk that is *num_frames* long, drag its sliders, print how long the steps took, and save the file."""
    track = folder / f"walk_{num_frames}.npz"
    write_walk(track, num_frames)
    blender.new_scene()
    blender.run("windows.set_stage()")
    blender.open_tab()
    blender.run(f"bpy.ops.smplify.open_track(filepath={str(track)!r}, wait=True)")
    blender.sidebar.click("Fit")
    blender.wait_until(f"{FITS}.state.name in ('DONE', 'FAILED')", FIT_S)
    assert blender.evaluate(f"{FITS}.state.name") == "DONE", blender.evaluate(f"{FITS}.message")
    print_times(f"{num_frames} frames, first step", drag(blender, "smoothing", np.array([0.05])))
    for setting, values in DRAGS.items():
        print_times(f"{num_frames} frames, {setting}", drag(blender, setting, values))
    print(f"{num_frames} frames, kept for undo: {blender.evaluate('step_times.undo_push_ms()'):.1f} ms", flush=True)
    blender.run(f"bpy.ops.wm.save_as_mainfile(filepath={saved_file(folder, num_frames)!r})")


def measure_opened(blender: Session, folder: Path, num_frames: int) -> None:
    """Print how long the first step takes in a Blender that has only opened the file, and shown the Result box."""
    blender.run(f"bpy.ops.wm.open_mainfile(filepath={saved_file(folder, num_frames)!r})")
    blender.sidebar.find("Root Motion")
    started = time.monotonic()
    blender.wait_until(READY)
    ready_s = time.monotonic() - started
    print_times(f"{num_frames} frames, opened", drag(blender, "smoothing", np.array([0.3])))
    print(f"{num_frames} frames, opened: ready {ready_s:.1f} s after the box was shown", flush=True)


def saved_file(folder: Path, num_frames: int) -> str:
    """Return the path of the .blend of a walk."""
    return str(folder / f"walk_{num_frames}.blend")


def main() -> None:
    """Start a Blender and measure, then another one for the files that the first one saved."""
    program = os.environ["BLENDER"]
    with tempfile.TemporaryDirectory() as temporary, Screen(WIDTH, HEIGHT) as screen:
        user = clean_user(Path(temporary) / "user")
        install(program, Path(os.environ["SMPLIFY_ZIP"]), user)
        print(f"{'ms':<28}" + "".join(f"{part:>9}" for part in (*PARTS, "shown")))
        for number, measure in enumerate((measure_fitted, measure_opened)):
            run = Path(temporary) / f"run{number}"
            run.mkdir()
            with Session(program, screen, run, user) as blender:
                for num_frames in FRAMES:
                    measure(blender, Path(user["HOME"]), num_frames)


if __name__ == "__main__":
    main()
