"""Show live frames from a timer, and end the session when its file, scene or figure is gone."""

from __future__ import annotations

import time
from contextlib import suppress

import bpy
from bpy.app.handlers import persistent
from bpy.app.translations import pgettext_iface as iface_

from ..character.releasing import RELEASERS
from ..figure.custom_properties import KEPT_KEY
from ..ui.announcing import announce
from ..ui.box_errors import Box, show_error
from ..ui.redraw import redraw_sidebars, redraw_viewports
from .session import LIVE

CLASSES = ()

_TICK_S = 0.004
"""Blender's idle main loop goes round every 5 ms; a tick that is no longer than that never skips a round."""
_STATUS_S = 0.5
"""The box is redrawn so often, the figure with each new frame."""

_drawn: list[float] = []
"""When the box was redrawn last."""
_unannounced: list[str] = []
"""What is to be announced once the next file is open."""


def watch() -> None:
    """Show the frames of the session from now on; does nothing without a window."""
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_TICK_S)


def update() -> bool:
    """Show the newest frame; return whether the session goes on. If it cannot, it is ended and the box says why.

    What was being recorded is keyed if the figure and its scene still exist, else saved to a file.
    """
    from ..core_access import CoreError

    try:
        fault = LIVE.update()
    except CoreError as error:
        fault = str(error)
    except BaseException as error:
        # A bug: the box must not show a running session for ever, and the traceback must be visible.
        LIVE.stop()
        show_error(Box.LIVE, f"{type(error).__name__}: {error}")
        raise
    if fault:
        with suppress(CoreError):  # the fault that ends the session is the one to show
            LIVE.finish()
        show_error(Box.LIVE, iface_(fault))
        announce("ERROR", ". ".join(filter(None, (iface_(fault), LIVE.saved))))
        redraw_sidebars()
    return LIVE.is_running


def _tick() -> float | None:
    """Show the newest frame; return the seconds until the next call, None to stop."""
    if not update():
        return None
    now = time.monotonic()
    if not _drawn or now - _drawn[0] > _STATUS_S:
        _drawn[:] = [now]
        redraw_viewports()
    return _TICK_S


@persistent
def _end_session(*_: object) -> None:
    """End the session when the file is closed."""
    if LIVE.is_running:
        LIVE.stop()
        _unannounced[:] = [LIVE.saved] if LIVE.saved else []


@persistent
def _announce_saved(*_: object) -> None:
    """Tell in the file that was opened that a recording was saved when the one before was closed."""
    while _unannounced:
        announce("WARNING", _unannounced.pop())


@persistent
def _show_again(*_: object) -> None:
    """Show the live pose of characters that the timeline has moved."""
    if LIVE.characters is not None:
        LIVE.characters.show_again()


@persistent
def _restore(*_: object) -> None:
    """Put the characters back while the file is saved; the next frame poses them again."""
    if LIVE.characters is not None:
        LIVE.characters.restore()


@persistent
def _put_back(*_: object) -> None:
    """Put characters back that follow no session, but are in a live pose: undo or a recovered file has brought it."""
    if any(KEPT_KEY in item for item in bpy.data.objects):
        from .kept_pose import put_all_right

        put_all_right(leaving=() if LIVE.characters is None else LIVE.characters.uids)


def _release(armature: bpy.types.Object) -> None:
    """Let go of a character whose motion is about to be changed."""
    if LIVE.characters is not None:
        LIVE.characters.release(armature)


_HANDLERS = (
    ("load_pre", _end_session),
    ("load_post", _announce_saved),
    ("load_post_fail", _announce_saved),
    ("save_pre", _restore),
    ("frame_change_post", _show_again),
    ("undo_post", _put_back),
    ("redo_post", _put_back),
    ("load_post", _put_back),
)


def register() -> None:
    """Add the handlers: the session ends when another file is opened, and characters follow it, not the timeline."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    RELEASERS.append(_release)


def unregister() -> None:
    """Remove the handlers and the timer, and end the session; Blender calls this when it quits, too."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    RELEASERS.remove(_release)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    LIVE.stop()
