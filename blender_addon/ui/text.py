"""Draw text with line breaks in Blender's layouts."""

from __future__ import annotations

import blf
import bpy

_FONT = 0
"""blf's id of the interface font."""
_MARGIN_PX, _TABS_PX = 66.0, 26.0
"""Horizontal space beside a text in a box: icon and margins; in a sidebar also the tabs."""
_NARROWEST_PX, _SIDEBAR_PX = 120.0, 272.0
"""The width below which no line gets, and that of the sidebar as Blender opens it, for layouts without a region."""
_LINE_SCALE = 0.75


def draw_text(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, *, icon: str = "NONE") -> None:
    """Draw *text*, already translated, wrapped to the width of the region."""
    column = layout.column(align=True)
    column.scale_y = _LINE_SCALE
    for number, line in enumerate(_lines(context, text)):
        shown = icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE"
        column.label(text=line, icon=shown, translate=False)


def _lines(context: bpy.types.Context, text: str) -> list[str]:
    """Wrap *text* to the width of the region; break words that are longer than a line."""
    scale = context.preferences.system.ui_scale or 1.0  # 0 if no window was ever opened
    region = context.region
    margin = _MARGIN_PX + (_TABS_PX if region is None or region.type == "UI" else 0.0)
    width = max((_SIDEBAR_PX * scale if region is None else region.width) - margin * scale, _NARROWEST_PX * scale)
    blf.size(_FONT, context.preferences.ui_styles[0].widget.points * scale)
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".lstrip()
        if _width(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        while _width(word) > width and len(word) > 1:
            length = next(end for end in range(len(word) - 1, 0, -1) if end == 1 or _width(word[:end]) <= width)
            lines[-1], word = word[:length], word[length:]
            lines.append("")
        lines[-1] = word
    return lines


def _width(text: str) -> float:
    return float(blf.dimensions(_FONT, text)[0])
