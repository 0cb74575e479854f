"""Number the points of the file in the viewport while the list of point names is open, whether or not they can be read.

The colour shows how a point is read: white if it is a point of the body, orange if it is ignored, and yellow
if it is the one chosen in the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import blf
import bpy
import gpu
import numpy as np

from ..figure.axes import to_axes
from ..figure.scene_time import scene_rate
from ..ui.drawing import draw_triangles
from .playback import PointPlayback
from .preview import start_frame
from .session import TRACKS, TrackState
from .settings import track_request

if TYPE_CHECKING:
    from ..core_access import RawRecording, Reading

CLASSES = ()

_TAKEN, _LEFT_OUT, _CHOSEN = (1.0, 1.0, 1.0, 0.9), (1.0, 0.55, 0.15, 0.9), (1.0, 0.95, 0.1, 1.0)
_DOT_PX, _TEXT_PX, _GAP_PX = 3.5, 11.0, 6.0
_MOST_WITH_NAMES = 60
"""With more points than this, only numbers are drawn: names would cover each other."""

_handles: list[object] = []
_shown: list[tuple[object, object, PointPlayback]] = []
"""The recording and the reading that the points were prepared from, and the points."""


def shown_points(context: bpy.types.Context) -> PointPlayback | None:
    """Return the file's points if they are numbered in the viewport of *context*, else None."""
    settings, space = context.scene.smplify.track, context.space_data
    if not settings.show_points or space is None or space.type != "VIEW_3D" or not space.overlay.show_overlays:
        return None
    if TRACKS.state(track_request(settings)) not in (TrackState.READ, TrackState.BAD_FILE):
        return None
    if TRACKS.recognition is None:
        return None
    recording, reading = TRACKS.recordings[0], _reading_of(TRACKS.recordings[0])
    if not _shown or _shown[0][0] is not recording or _shown[0][1] is not reading:
        _shown[:] = [(recording, reading, _prepared(recording, reading))]
    points = _shown[0][2]
    return points if points.is_seen else None


def extent(context: bpy.types.Context) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper corner (3,) of the bounding box of the numbered points; they must be shown."""
    points = shown_points(context)
    assert points is not None
    return points.extent()


def labels(settings: bpy.types.PropertyGroup) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Return the text and the colour of each point's label."""
    with_names = len(settings.points) <= _MOST_WITH_NAMES
    return [
        (
            f"{row.index} {row.name}" if with_names and row.name else str(row.index),
            _CHOSEN if number == settings.point_index else _TAKEN if row.body_point else _LEFT_OUT,
        )
        for number, row in enumerate(settings.points)
    ]


def on_screen(points: np.ndarray, perspective: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where points are in a region.

    Args:
        points: (K, 3) in the world.
        perspective: (4, 4) from the world to clip space.
        width: of the region, pixels.
        height: of the region, pixels.

    Returns:
        Pixels (K, 2) from the lower left corner, and which points (K,) are before the viewer and within the region.
    """
    clip = np.column_stack([points, np.ones(len(points))]) @ perspective.T
    depth = clip[:, 3]
    with np.errstate(invalid="ignore", divide="ignore"):
        pixels = (clip[:, :2] / depth[:, None] + 1.0) / 2.0 * (width, height)
        inside = (depth > 0.0) & (pixels >= 0.0).all(axis=1) & (pixels <= (width, height)).all(axis=1)
    return pixels, inside


def _reading_of(recording: RawRecording) -> Reading | None:
    """Return the reading of the person of *recording*, or None."""
    return next((reading for reading in TRACKS.readings if reading.track.person == recording.person), None)


def _prepared(recording: RawRecording, reading: Reading | None) -> PointPlayback:
    """Return all points of *recording* where the track of *reading* has them; without one, roughly upright."""
    from ..core_access import rough_placement

    turn, offset = (reading.placement, np.zeros(3)) if reading is not None else rough_placement(recording)
    fps = reading.track.fps if reading is not None else recording.fps or 0.0
    return PointPlayback(recording.positions @ turn.T + offset, recording.confidence > 0.0, fps)


def _lift() -> np.ndarray:
    """Return by how much the person stands above the track's floor (3,), in the scene's axes."""
    reading = _reading_of(TRACKS.recordings[0])
    number = next((index for index, other in enumerate(TRACKS.readings) if other is reading), -1)
    return to_axes(np.array([0.0, TRACKS.lifts_m.get(number, 0.0), 0.0]))


def _draw() -> None:
    context = bpy.context
    points = shown_points(context)
    texts = labels(context.scene.smplify.track)
    if points is None or len(texts) != points.num_points:
        return
    scene, region = context.scene, context.region
    frames = scene.frame_current_final - start_frame(scene)
    pose = points.pose_at(frames / scene_rate(scene)) if points.fps > 0.0 else points.pose_in(round(frames))
    perspective = np.array(context.region_data.perspective_matrix)
    pixels, inside = on_screen(pose.positions + _lift(), perspective, region.width, region.height)
    shown = np.flatnonzero(inside & pose.known)
    scale = context.preferences.system.ui_scale
    gpu.state.blend_set("ALPHA")
    _draw_dots(pixels[shown], np.array([texts[index][1] for index in shown], dtype=np.float32), _DOT_PX * scale)
    blf.size(0, _TEXT_PX * scale)
    for index in shown:
        text, color = texts[index]
        blf.color(0, *color)
        blf.position(0, pixels[index, 0] + _GAP_PX * scale, pixels[index, 1] - _DOT_PX * scale, 0.0)
        blf.draw(0, text)
    gpu.state.blend_set("NONE")


def _draw_dots(pixels: np.ndarray, colors: np.ndarray, radius: float) -> None:
    """Draw diamonds around *pixels* (N, 2) in *colors* (N, 4)."""
    left, right, low, high = ((-radius, 0.0), (radius, 0.0), (0.0, -radius), (0.0, radius))
    corners = (pixels[:, None] + np.array([left, low, right, right, high, left])).reshape(-1, 2)
    draw_triangles(corners, np.repeat(colors, 6, axis=0))


def register() -> None:
    """Add the draw handler."""
    _handles.append(bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL"))


def unregister() -> None:
    """Remove the draw handler and clear the cache."""
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")
    _shown.clear()
