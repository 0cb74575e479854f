"""The scene's frame rate and range."""

from __future__ import annotations

import bpy

_WHOLE = 1e-5
"""Relative tolerance for rounding a rate to a whole number (30.00012 from a rounded frame time)."""


def scene_rate(scene: bpy.types.Scene) -> float:
    """Return the frame rate of *scene*, frames per second."""
    return scene.render.fps / scene.render.fps_base


def set_scene_rate(scene: bpy.types.Scene, fps: float) -> None:
    """Set the frame rate of *scene*; fractional rates (59.94, 90.69) use a base slightly off 1."""
    whole = max(1, round(fps))
    scene.render.fps = whole
    scene.render.fps_base = 1.0 if abs(fps / whole - 1.0) < _WHOLE else whole / fps


def has_animation(scene: bpy.types.Scene) -> bool:
    """Return whether the file already has animation that depends on the frames of *scene*: an action or a strip."""
    if any(action.users > int(action.use_fake_user) for action in bpy.data.actions):
        return True
    editor = scene.sequence_editor
    if editor is None:
        return False
    return len(editor.strips if bpy.app.version >= (4, 4, 0) else editor.sequences) > 0


def show_frames(scene: bpy.types.Scene, first: int, last: int, *, extend: bool) -> None:
    """Set the frame range of *scene* to *first*..*last*, or only extend it to include them (*extend*)."""
    scene.frame_start = min(scene.frame_start, first) if extend else first
    scene.frame_end = max(scene.frame_end, last) if extend else max(last, first)
