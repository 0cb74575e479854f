"""Time what Blender does between a slider's step and the picture that shows it, for `measure_sliders`."""

from __future__ import annotations

import time

import bpy
import numpy as np
import windows


def step_ms(setting: str, values: list[float]) -> list[dict[str, float]]:
    """Give the active figure's live setting one value after the other, and have each shown.

    Args:
        setting: its name.
        values: what it is set to.

    Returns:
        For each value, in milliseconds of the clock on the wall: "keys", until the keys are written; "pose", from then
        until Blender has evaluated them; "picture", from then until the window is drawn; and "idle", drawing the window
        once more without any change. "work" is the processor's time until the keys are written, whatever else the
        machine does.
    """
    figure = bpy.context.object.smplify
    return [_one(figure, setting, value) for value in values]


def _one(figure: bpy.types.PropertyGroup, setting: str, value: float) -> dict[str, float]:
    before = getattr(figure, setting)
    worked = time.thread_time()
    marks = [time.perf_counter()]
    setattr(figure, setting, value)
    marks.append(time.perf_counter())
    work = 1000.0 * (time.thread_time() - worked)
    bpy.context.view_layer.update()
    marks.append(time.perf_counter())
    windows.draw_now()
    marks.append(time.perf_counter())
    windows.draw_now()
    marks.append(time.perf_counter())
    assert not figure.edited and not figure.trouble, f"{setting} was not carried out: {figure.trouble}"
    assert getattr(figure, setting) != before
    keys, pose, picture, idle = 1000.0 * np.diff(marks)
    return {"work": work, "keys": keys, "pose": pose, "picture": picture, "idle": idle}


def undo_push_ms() -> float:
    """Return how long Blender takes to keep the file as it is for undo, as it does when a slider is let go."""
    started = time.perf_counter()
    bpy.ops.ed.undo_push(message="a slider was let go")
    return 1000.0 * (time.perf_counter() - started)
