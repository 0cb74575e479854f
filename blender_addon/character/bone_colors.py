"""Colour the bones of the picked character in the viewports by their side, to show the detected mapping."""

from __future__ import annotations

from typing import Any

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from ..figure.scene_state import is_among
from ..ui.redraw import redraw_viewports

_LEFT, _RIGHT, _TRUNK = (1.0, 0.35, 0.25, 1.0), (0.25, 0.55, 1.0, 1.0), (0.95, 0.8, 0.25, 1.0)
_WIDTH_PX = 6.0

_drawn: list[Any] = []
"""The draw callback while the colours are shown."""


def bone_lines(properties: bpy.types.PropertyGroup) -> dict[tuple[float, ...], np.ndarray]:
    """Return the ends (N, 3) of the mapped bones as posed, in the world, two rows each, by colour."""
    armature = properties.armature
    lines: dict[tuple[float, ...], list[Any]] = {_LEFT: [], _RIGHT: [], _TRUNK: []}
    if armature is None or not is_among(armature, properties.id_data.objects):
        return {}
    for row in properties.bones:
        posed = armature.pose.bones.get(row.bone)
        if posed is not None:
            color = {"left": _LEFT, "right": _RIGHT}.get(row.name.partition("_")[0], _TRUNK)
            lines[color] += [tuple(armature.matrix_world @ end) for end in (posed.head, posed.tail)]
    return {color: np.array(ends) for color, ends in lines.items() if ends}


def _draw() -> None:
    context = bpy.context
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    region = context.region
    gpu.state.depth_test_set("NONE")
    for color, ends in bone_lines(context.scene.smplify_character).items():
        batch = batch_for_shader(shader, "LINES", {"pos": ends.tolist()})
        shader.bind()
        shader.uniform_float("viewportSize", (region.width, region.height))
        shader.uniform_float("lineWidth", _WIDTH_PX)
        shader.uniform_float("color", color)
        batch.draw(shader)


def _switched(manager: bpy.types.WindowManager, context: bpy.types.Context) -> None:
    if manager.smplify_bone_colors and not _drawn:
        _drawn.append(bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW"))
    elif not manager.smplify_bone_colors:
        _stop()
    redraw_viewports()


def _stop() -> None:
    while _drawn:
        bpy.types.SpaceView3D.draw_handler_remove(_drawn.pop(), "WINDOW")


CLASSES = ()


def register() -> None:
    """Add the switch."""
    bpy.types.WindowManager.smplify_bone_colors = bpy.props.BoolProperty(
        name="Colour the Bones",
        description="Draw the bones of the list over the viewport: left red, right blue, trunk yellow",
        options={"SKIP_SAVE"}, update=_switched,
    )  # fmt: skip


def unregister() -> None:
    """Remove the switch and stop drawing."""
    _stop()
    del bpy.types.WindowManager.smplify_bone_colors
