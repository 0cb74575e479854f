"""The error of each frame as a strip at the bottom of the 3D viewport, with the doubtful stretches above it.

Nothing is added to the file. The strip shows the active figure, over the playback range of the timeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import blf
import bpy
import gpu
import numpy as np

from ..figure.shape_operators import active_figure
from ..ui.drawing import draw_triangles
from ..ui.redraw import redraw_viewports

if TYPE_CHECKING:
    from ..core_access import Flag
    from ..figure.record import FigureRecord
    from .error_shading import StripPlace

CLASSES = ()

_HEIGHT_PX, _BOTTOM_PX, _MARGIN_PX, _FLAG_PX, _TEXT_PX = 40.0, 12.0, 16.0, 4.0, 11.0
_NARROWEST_PX = 120.0
_BACK = (0.0, 0.0, 0.0, 0.45)
_HERE = (1.0, 1.0, 1.0, 0.9)
_FLAG_COLORS = {
    "held": (0.95, 0.65, 0.1, 1.0),
    "missing": (1.0, 0.15, 0.75, 1.0),
    "implausible": (1.0, 0.25, 0.2, 1.0),
    "swapped": (0.35, 0.6, 1.0, 1.0),
    "strained": (0.95, 0.9, 0.2, 1.0),
}

_handles: list[object] = []


def _draw() -> None:
    from ..core_access import CoreError
    from ..figure.record import load

    context = bpy.context
    if not context.window_manager.smplify_error_strip or not context.space_data.overlay.show_overlays:
        return
    armature = active_figure(context)
    if armature is None:
        return
    try:
        record = load(armature)
    except CoreError:  # shown in the Result box
        return
    if record is not None and record.report is not None:
        _draw_strip(context, armature, record, record.report.flags)


def _place(context: bpy.types.Context) -> StripPlace | None:
    """Return the place of the strip between toolbar and sidebar, None if there is no room."""
    from .error_shading import StripPlace

    margin = _MARGIN_PX * context.preferences.system.ui_scale
    left, right = _free_width(context.region, context.area.regions)
    left, right = left + margin, right - margin
    if right - left < _NARROWEST_PX * context.preferences.system.ui_scale:
        return None
    scene = context.scene
    preview = scene.use_preview_range
    first = scene.frame_preview_start if preview else scene.frame_start
    last = scene.frame_preview_end if preview else scene.frame_end
    scale = context.preferences.system.ui_scale
    return StripPlace(left, right, _BOTTOM_PX * scale, _HEIGHT_PX * scale, first, max(first, last))


def _free_width(region: bpy.types.Region, regions: bpy.types.AreaRegions) -> tuple[float, float]:
    """Return the left and right edge of the part of *region* that toolbar and sidebar do not cover."""
    left, right = 0.0, float(region.width)
    for side in regions:
        if side.type in ("TOOLS", "UI") and side.width > 1:
            begin = side.x - region.x
            if begin + side.width / 2.0 < region.width / 2.0:
                left = max(left, float(begin + side.width))
            else:
                right = min(right, float(begin))
    return left, right


def _draw_strip(
    context: bpy.types.Context, armature: bpy.types.Object, record: FigureRecord, flags: tuple[Flag, ...]
) -> None:
    from .error_shading import strip_bars, strip_top

    place = _place(context)
    if place is None:
        return
    scale, limit = context.preferences.system.ui_scale, armature.smplify.color_limit_mm
    errors = record.error_mm()
    top = place.bottom + place.height
    boxes = [(place.left, place.bottom, place.right, top + 2.0 * _FLAG_PX * scale, _BACK)]
    for flag in flags:
        ends = (place.x(record.scene_frame(flag.first) - 0.5), place.x(record.scene_frame(flag.last) + 0.5))
        low, high = np.clip(ends, place.left, place.right)
        if high > low:
            color = _FLAG_COLORS.get(flag.kind, _HERE)
            boxes.append((low, top + _FLAG_PX * scale, max(high, low + 1.0), top + 2.0 * _FLAG_PX * scale, color))
    gpu.state.blend_set("ALPHA")
    _draw_boxes(boxes)
    draw_triangles(*strip_bars(errors, record.first_frame, place, limit))
    frame = context.scene.frame_current
    if place.first <= frame <= place.last:
        x = place.x(frame)
        _draw_boxes([(x - scale, place.bottom, x + scale, top + 2.0 * _FLAG_PX * scale, _HERE)])
    gpu.state.blend_set("NONE")
    index = frame - record.first_frame
    error = errors[index] if 0 <= index < len(errors) else np.nan
    now = "-" if np.isnan(error) else f"{error:.1f} mm"
    text = bpy.app.translations.pgettext_iface("Error {:s}; the top is {:.0f} mm").format(now, strip_top(errors, limit))
    _draw_text(text, place.left, top + 3.5 * _FLAG_PX * scale, scale)


def _draw_boxes(boxes: list[tuple[float, float, float, float, tuple[float, float, float, float]]]) -> None:
    corners = [
        corner
        for left, bottom, right, top, _ in boxes
        for corner in (
            (left, bottom), (right, bottom), (right, top), (left, bottom), (right, top), (left, top),
        )
    ]  # fmt: skip
    colors = np.repeat([box[4] for box in boxes], 6, axis=0)
    draw_triangles(np.array(corners), colors)


def _draw_text(text: str, left: float, bottom: float, scale: float) -> None:
    blf.size(0, _TEXT_PX * scale)
    blf.color(0, 1.0, 1.0, 1.0, 0.9)
    blf.position(0, left, bottom, 0.0)
    blf.draw(0, text)


def _toggled(manager: bpy.types.WindowManager, context: bpy.types.Context) -> None:
    redraw_viewports()


def register() -> None:
    """Add the switch and the draw handler."""
    bpy.types.WindowManager.smplify_error_strip = bpy.props.BoolProperty(
        name="Error Strip",
        description="Draw the error of each frame of the active figure, and its doubtful stretches, at the bottom of "
        "the 3D viewport",
        default=True,
        update=_toggled,
    )
    _handles.append(bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL"))


def unregister() -> None:
    """Remove the draw handler and the switch."""
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")
    del bpy.types.WindowManager.smplify_error_strip
