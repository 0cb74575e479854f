"""The doubtful stretches of a figure's fit as rows of a UI list.

Panels may not write while drawing: a panel that finds the rows out of date requests an update, which a one-shot timer
carries out.
"""

from __future__ import annotations

import bpy

from ..figure.custom_properties import MARK_KEY, RECORD_KEY, text_of
from ..ui.redraw import redraw_viewports

_WHY = {
    "held": "not seen: interpolated between observed poses",
    "missing": "person not seen",
    "implausible": "points rejected as outliers, or out of the body's reach",
    "swapped": "left and right were swapped, and have been corrected",
    "strained": "the points bend it beyond its joint limits",
}


def why(kind: str) -> str:
    """Return the reason, as text, why a stretch of this kind is doubtful."""
    return _WHY.get(kind, kind)


def is_current(armature: bpy.types.Object) -> bool:
    """Return whether the rows of *armature* match its record."""
    return armature.smplify.flags_mark == text_of(armature, MARK_KEY)


def fill(armature: bpy.types.Object) -> None:
    """Fill the rows of *armature* from its record.

    Raises:
        CoreError: the record is damaged.
    """
    from ..figure.record import load

    properties = armature.smplify
    record = load(armature)
    properties.flags.clear()
    properties.flag_index = -1
    if record is not None:
        if properties.range_first == properties.range_last == 0:
            properties.range_first, properties.range_last = record.first_frame, record.last_frame
        for flag in () if record.report is None else record.report.flags:
            row = properties.flags.add()
            row.name, row.kind = flag.what, flag.kind
            row.first, row.last = record.scene_frame(flag.first), record.scene_frame(flag.last)
    properties.flags_mark = text_of(armature, MARK_KEY)


def ask_for_rows() -> None:
    """Schedule an update of the rows of all figures for when Blender is not drawing."""
    if not bpy.app.timers.is_registered(_fill_all):
        bpy.app.timers.register(_fill_all, first_interval=0.0)


def _fill_all() -> None:
    from ..core_access import CoreError

    for item in bpy.data.objects:
        if item.library is None and RECORD_KEY in item and not is_current(item):
            try:
                fill(item)
            except CoreError:  # shown by the panel
                item.smplify.flags_mark = text_of(item, MARK_KEY)
    redraw_viewports()


CLASSES = ()


def unregister() -> None:
    """Cancel a pending update."""
    if bpy.app.timers.is_registered(_fill_all):
        bpy.app.timers.unregister(_fill_all)
