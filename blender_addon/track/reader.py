"""Read the file of box 1: on a thread shortly after a setting changed, or immediately for a script.

bpy is used on the main thread only: a timer monitors the thread and ends with it.
"""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from ..ui.redraw import redraw_viewports
from .session import TRACKS, TrackState
from .settings import track_request

CLASSES = ()

_SOON_S = 0.1


def read_now(scene: bpy.types.Scene) -> TrackState:
    """Read the file of *scene* on this thread, unless it is already read."""
    request = track_request(scene.smplify.track)
    state = TRACKS.state(request)
    return state if state is TrackState.READ else TRACKS.read(request)


def read_soon() -> None:
    """Schedule reading the file of the current scene on a thread; does nothing without a window."""
    if not bpy.app.background and not bpy.app.timers.is_registered(_poll_thread):
        bpy.app.timers.register(_poll_thread, first_interval=_SOON_S)


def _poll_thread() -> float | None:
    """Start a pending read or poll the running one; return the seconds until the next call, None to stop."""
    scene = bpy.context.scene
    was_busy = TRACKS.busy
    busy = TRACKS.poll()
    if not busy and scene is not None:
        request = track_request(scene.smplify.track)
        if TRACKS.state(request) is TrackState.UNREAD:
            busy = TRACKS.start(request)
    if not (was_busy and busy):
        redraw_viewports()
    return _SOON_S if busy else None


@persistent
def _clear_tracks(*_: object) -> None:
    """Clear the tracks when the .blend file is closed."""
    TRACKS.clear()


def register() -> None:
    """Add the handler that clears the tracks when another file is opened."""
    bpy.app.handlers.load_pre.append(_clear_tracks)


def unregister() -> None:
    """Remove the handler and timer, and clear the tracks."""
    bpy.app.handlers.load_pre.remove(_clear_tracks)
    if bpy.app.timers.is_registered(_poll_thread):
        bpy.app.timers.unregister(_poll_thread)
    TRACKS.clear()
