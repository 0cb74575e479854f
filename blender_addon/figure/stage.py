"""Prepare a file of figures for viewing: framed and selected, with camera and lights."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Euler, Vector

from .axes import to_axes
from .create import Figure

STAGE = "Camera and Lights"
"""Name of the collection that camera and lights are in, apart from the figures."""

_FROM = Vector((0.5, -1.0, 0.3))
"""From the figures to the camera: in front of them, as Blender's front is -Y, to one side and above."""
_REACH_M = 0.45
"""How far the body reaches around the path of its pelvis, apart from head and feet."""
_LENS_MM, _SENSOR_MM, _ASPECT = 50.0, 36.0, 9.0 / 16.0
_VIEW_TANGENT = 0.36
"""Half the height of a viewport of 50 mm over the distance, where it is half as high as wide."""
_ROOM = 1.05
_STEPS = 5
"""The centre and the distance depend on each other; after this many steps neither changes visibly."""
_SUNS = {"Key Light": ((0.9, 0.0, 0.6), 3.0), "Fill Light": ((0.9, 0.0, -1.2), 1.0)}
"""Rotation (Euler, radians) and strength of each sun."""


def set_stage(figures: Sequence[Figure], scene: bpy.types.Scene) -> None:
    """Add a camera and lights that show the whole clip, turn the viewports to it, and select the figures."""
    if scene.world is None:
        scene.world = bpy.data.worlds.new("World")
    collection = bpy.data.collections.new(STAGE)
    scene.collection.children.link(collection)
    for name, (turn, strength) in _SUNS.items():
        light = bpy.data.lights.new(name, "SUN")
        light.energy = strength
        sun = bpy.data.objects.new(name, light)
        sun.rotation_euler = Euler(turn)
        collection.objects.link(sun)
    points = np.concatenate([_surroundings(figure) for figure in figures])
    half = _SENSOR_MM / 2.0 / _LENS_MM
    centre, distance = _framing(points, half, half * _ASPECT)
    turn = _FROM.to_track_quat("Z", "Y")
    lens = bpy.data.cameras.new("Camera")
    lens.lens, lens.sensor_width, lens.clip_end = _LENS_MM, _SENSOR_MM, max(1000.0, 3.0 * distance)
    camera = bpy.data.objects.new("Camera", lens)
    camera.location = centre + _FROM.normalized() * distance
    camera.rotation_euler = turn.to_euler()
    collection.objects.link(camera)
    scene.camera = camera
    _, distance = _framing(points, _VIEW_TANGENT, _VIEW_TANGENT)
    for space in _viewports():
        space.region_3d.view_perspective = "PERSP"
        space.region_3d.view_rotation = turn
        space.region_3d.view_location = centre
        space.region_3d.view_distance = distance
    for figure in figures:
        figure.armature.select_set(True)
    bpy.context.view_layer.objects.active = figures[0].armature
    scene.frame_set(scene.frame_start)


def _surroundings(figure: Figure) -> np.ndarray:
    """Return points (N, 3), in Blender's axes, around the path of *figure*: beside it, at its feet, over its head."""
    rest = np.array(figure.armature.data.bones[0].head_local)
    path = rest + to_axes(figure.motion.trans)
    heights = np.array(figure.mesh.bound_box)[:, 2] - rest[2]
    low, high = (-_REACH_M, -_REACH_M, heights.min()), (_REACH_M, _REACH_M, heights.max())
    corners = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)
    return (path[:, None] + corners).reshape(-1, 3)


def _framing(points: np.ndarray, across: float, upwards: float) -> tuple[Vector, float]:
    """Return the point to look at along `_FROM`, and the distance from there that shows all of *points* (N, 3).

    Args:
        points: what should be seen.
        across: half the width of the view over the distance.
        upwards: half the height of the view over the distance.
    """
    axes = np.array(_FROM.to_track_quat("Z", "Y").to_matrix())
    x, y, z = (points @ axes).T
    centre = np.array([x.mean(), y.mean(), (z.min() + z.max()) / 2.0])
    for _ in range(_STEPS):
        ahead = z - centre[2]
        needed = np.maximum(np.abs(x - centre[0]) / across, np.abs(y - centre[1]) / upwards) * _ROOM + ahead
        distance = float(needed.max())
        for axis, seen in enumerate((x, y)):
            slope = (seen - centre[axis]) / (distance - ahead)
            centre[axis] += distance * (slope.min() + slope.max()) / 2.0
    return Vector(axes @ centre), distance * _ROOM


def _viewports() -> list[bpy.types.SpaceView3D]:
    return [
        space
        for screen in bpy.data.screens
        for area in screen.areas
        for space in area.spaces
        if isinstance(space, bpy.types.SpaceView3D)
    ]
