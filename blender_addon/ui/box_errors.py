"""The last error of each box; the box shows it until one of its operators succeeds.

The errors last until then, until another .blend file is opened, or until the session ends.
"""

from __future__ import annotations

from enum import Enum

import bpy
from bpy.app.handlers import persistent

from .text import draw_text

CLASSES = ()


class Box(Enum):
    """The boxes that have buttons of operators, by their names in the sidebar or in the preferences."""

    TRACK = "1. Track"
    FIT = "3. Fit"
    RESULT = "4. Result"
    CHARACTER = "5. Character"
    EXPORT = "6. Export"
    LIVE = "7. Live"
    ACCELERATION = "GPU Acceleration"


_errors: dict[Box, str] = {}


def show_error(box: Box, message: str) -> None:
    """Show *message*, already in the words of the panels, in *box* from now on."""
    _errors[box] = message


def clear_error(box: Box) -> None:
    """Show no error in *box* any more."""
    _errors.pop(box, None)


def error_in(box: Box) -> str:
    """Return the error that *box* shows, or ""."""
    return _errors.get(box, "")


def draw_error(layout: bpy.types.UILayout, context: bpy.types.Context, box: Box) -> None:
    """Draw the error of *box*, if there is one."""
    message = error_in(box)
    if message:
        frame = layout.box()
        frame.alert = True
        draw_text(frame, context, message, icon="ERROR")


@persistent
def _clear_errors(*_: object) -> None:
    """Clear all errors when another .blend file is opened."""
    _errors.clear()


def register() -> None:
    """Add the handler that clears the errors when another file is opened."""
    bpy.app.handlers.load_pre.append(_clear_errors)


def unregister() -> None:
    """Remove the handler and clear the errors."""
    bpy.app.handlers.load_pre.remove(_clear_errors)
    _errors.clear()
