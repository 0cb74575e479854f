"""The scene's frame rate and range."""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose

import bpy
from bpy.app.translations import pgettext_iface as iface_

_SAME_RATE = 1e-4
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


@dataclass(frozen=True)
class SceneTime:
    """The frame rate and range of a scene.

    Attributes:
        rate: frames per second.
        first: first frame of the range.
        last: last frame of the range.
    """

    rate: float
    first: int
    last: int

    @classmethod
    def of(cls, scene: bpy.types.Scene) -> SceneTime:
        """Return the current rate and range of *scene*."""
        return cls(scene_rate(scene), scene.frame_start, scene.frame_end)

    def changes(self, scene: bpy.types.Scene, rate: float, last: int) -> list[str]:
        """Return what a user should know after a clip was added to *scene*, one translated sentence each.

        Args:
            scene: the scene, whose rate and range were these before.
            rate: frame rate of the clip before it was added, frames per second.
            last: the last frame of the clip in the scene.
        """
        now, said = SceneTime.of(scene), []
        if not isclose(now.rate, self.rate, rel_tol=_SAME_RATE):
            said.append(iface_("The scene now has {:g} fps instead of {:g}.").format(now.rate, self.rate))
        elif not isclose(rate, now.rate, rel_tol=_SAME_RATE):
            said.append(iface_("The scene keeps its {:g} fps; the motion had {:g}.").format(now.rate, rate))
        if (now.first, now.last) != (self.first, self.last):
            text = iface_("Its range is now {:d}–{:d} instead of {:d}–{:d}.")
            said.append(text.format(now.first, now.last, self.first, self.last))
        elif last > now.last:
            text = iface_("Its range {:d}–{:d} was kept; the motion goes on to {:d}.")
            said.append(text.format(now.first, now.last, last))
        return said


_START_UP = SceneTime(24.0, 1, 250)
"""What Blender starts with."""

TIMINGS = ("AUTO", "SCENE", "CLIP")
"""Whose frame rate and range a scene has after a clip is added to it.

- "CLIP": the clip's.
- "SCENE": its own.
- "AUTO": its own if they differ from those that Blender starts with, or the file was saved. A scene with animation
  keeps its rate, and its range is extended to include the clip. Any other scene takes the clip's.
"""


def keeps_time(scene: bpy.types.Scene, timing: str = "AUTO") -> bool:
    """Return whether *scene* keeps its frame rate and range when a clip is added; *timing* is one of `TIMINGS`."""
    return timing == "SCENE" or (timing == "AUTO" and (has_animation(scene) or _is_set_up(scene)))


def _is_set_up(scene: bpy.types.Scene) -> bool:
    return bool(bpy.data.filepath) or SceneTime.of(scene) != _START_UP


def show_frames(scene: bpy.types.Scene, first: int, last: int, *, extend: bool) -> None:
    """Set the frame range of *scene* to *first*..*last*, or only extend it to include them (*extend*)."""
    scene.frame_start = min(scene.frame_start, first) if extend else first
    scene.frame_end = max(scene.frame_end, last) if extend else max(last, first)
