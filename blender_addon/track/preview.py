"""The preview: points and bones of the track, drawn over the 3D viewport at the current time.

Nothing is added to the file. A missing point is a ring at its last observed position, and its bones are faint.
"""

from __future__ import annotations

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from ..figure.scene_time import scene_rate
from ..figure.units import metres_per_unit
from ..fit.settings import figure_options
from ..ui.drawing import draw_triangles
from .playback import Playback, Side
from .session import TRACKS, TrackState
from .settings import chosen_people, track_request
from .viewport_markers import View, disc_triangles, ring_lines

CLASSES = ()

_SIDE_COLOURS = {Side.MIDDLE: (0.95, 0.95, 0.95), Side.LEFT: (0.25, 0.6, 1.0), Side.RIGHT: (1.0, 0.5, 0.2)}
_COLOURS = np.array([_SIDE_COLOURS[side] for side in Side], dtype=np.float32)
_MISSING_COLOUR = (1.0, 0.15, 0.75)
_FAINT, _SOLID = 0.35, 1.0
_POINT_PX, _MISSING_PX, _LINE_PX = 4.0, 6.0, 2.0

_handles: list[object] = []
_playbacks: list[Playback] = []
_played: list[object] = []
"""The readings that `_playbacks` were made from."""


def start_frame(scene: bpy.types.Scene, start_s: float = 0.0) -> int:
    """Return the frame of *scene* at which the fit of a track begins that starts at *start_s* of its recording."""
    options = figure_options(scene)
    return options.begin(scene) + options.lead(start_s, scene_rate(scene))


def playbacks() -> list[Playback]:
    """Return the tracks prepared for display, in the order of the session's readings."""
    if len(_played) != len(TRACKS.readings) or any(a is not b for a, b in zip(_played, TRACKS.readings, strict=True)):
        _played[:] = TRACKS.readings
        _playbacks[:] = [Playback(reading.track) for reading in TRACKS.readings]
    return _playbacks


def shown_people(context: bpy.types.Context) -> list[int]:
    """Return the indices (in the session's readings) of the people shown in the viewport of *context*."""
    settings = context.scene.smplify.track
    space = context.space_data
    if not settings.show_preview or space is None or not space.overlay.show_overlays:
        return []
    if TRACKS.state(track_request(settings)) is not TrackState.READ:
        return []
    return chosen_people(settings)


def extent(context: bpy.types.Context) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper corner (3,) of the bounding box of the shown people; at least one must be shown."""
    corners = []
    for number in shown_people(context):
        lift = np.array([0.0, 0.0, TRACKS.lifts_m.get(number, 0.0)])
        corners.append((np.stack(playbacks()[number].extent()) + lift) / metres_per_unit(context.scene))
    return np.min(corners, axis=(0, 1)), np.max(corners, axis=(0, 1))


def _draw() -> None:
    context = bpy.context
    people = shown_people(context)
    if not people:
        return
    scene = context.scene
    region = context.region_data
    view = View(np.array(region.view_matrix), np.array(region.window_matrix), context.region.width)
    scale = context.preferences.system.ui_scale
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("NONE")
    for number in people:
        lift = np.array([0.0, 0.0, TRACKS.lifts_m.get(number, 0.0)], dtype=np.float32)
        first = start_frame(scene, TRACKS.readings[number].track.start_s)
        time_s = (scene.frame_current_final - first) / scene_rate(scene)
        _draw_person(playbacks()[number], time_s, lift, metres_per_unit(scene), view, scale)
    gpu.state.blend_set("NONE")


def _draw_person(  # noqa: PLR0913 - all of it differs by person or by region
    playback: Playback, time_s: float, lift: np.ndarray, unit: float, view: View, scale: float
) -> None:
    pose = playback.pose_at(time_s)
    points = (pose.positions + lift) / np.float32(unit)
    colours = _COLOURS[playback.sides]
    missing = pose.known & ~pose.seen
    bones = playback.bones
    solid = pose.seen[bones].all(axis=1)
    ends = bones.ravel()
    line_colours = np.column_stack([colours[ends], np.repeat(np.where(solid, _SOLID, _FAINT), 2)])
    _draw_lines(points[ends], line_colours, _LINE_PX * scale)
    discs = disc_triangles(view.circles(points[pose.seen], _POINT_PX * scale))
    disc_colours = np.repeat(colours[pose.seen], len(discs) // max(int(pose.seen.sum()), 1), axis=0)
    draw_triangles(discs, np.column_stack([disc_colours, np.ones(len(discs))]))
    rings = ring_lines(view.circles(points[missing], _MISSING_PX * scale))
    _draw_lines(rings, np.tile((*_MISSING_COLOUR, _SOLID), (len(rings), 1)), _LINE_PX * scale)


def _draw_lines(ends: np.ndarray, colours: np.ndarray, width_px: float) -> None:
    """Draw lines between consecutive pairs of *ends* (2 N, 3); *colours* (2 N, 4)."""
    if len(ends) == 0:
        return
    shader = gpu.shader.from_builtin("POLYLINE_FLAT_COLOR")
    batch = batch_for_shader(shader, "LINES", {"pos": ends.astype(np.float32), "color": colours.astype(np.float32)})
    shader.bind()
    shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
    shader.uniform_float("lineWidth", width_px)
    batch.draw(shader)


def register() -> None:
    """Add the draw handler."""
    _handles.append(bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW"))


def unregister() -> None:
    """Remove the draw handler and clear the cache."""
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")
    _playbacks.clear()
    _played.clear()
