"""Text that is longer than a line, in a layout that knows only lines."""

from __future__ import annotations

import textwrap

import bpy

_LETTER_PX = 6.4
_MARGIN_PX = 50.0
_FEWEST_LETTERS = 18
_LINE_SCALE = 0.75


def draw_text(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, *, icon: str = "NONE") -> None:
    """Draw *text*, which is in the user's language or has none, broken into lines as wide as the sidebar."""
    width = context.region.width / context.preferences.system.ui_scale if context.region is not None else 0.0
    letters = max(int((width - _MARGIN_PX) / _LETTER_PX), _FEWEST_LETTERS)
    column = layout.column(align=True)
    column.scale_y = _LINE_SCALE
    for number, line in enumerate(textwrap.wrap(text, letters) or [""]):
        shown = icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE"
        column.label(text=line, icon=shown, translate=False)
