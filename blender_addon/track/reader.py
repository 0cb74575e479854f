"""When the file of box 1 is read: soon after a setting changed, on a thread, or at once for a script.

bpy is touched on the main thread only: a timer looks after the thread and ends with it.
"""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from ..ui.redraw import redraw_viewports
from .session import TRACKS, TrackState
from .settings import track_request

CLASSES = ()

_SOON_S = 0.1
_MAX_WAIT_S = 30.0


def read_now(scene: bpy.types.Scene) -> TrackState:
    """Read the file of *scene* on this thread, unless it is read already."""
    request = track_request(scene.smplify.track)
    state = TRACKS.state(request)
    return state if state is TrackState.READ else TRACKS.read(request)


def read_soon() -> None:
    """Read the file of the current scene on a thread, after what is being set now; nothing happens without a window."""
    if not bpy.app.background and not bpy.app.timers.is_registered(_look_after):
        bpy.app.timers.register(_look_after, first_interval=_SOON_S)


def _look_after() -> float | None:
    """Start the read that is wanted, wait for it; Blender calls this again after the seconds that are returned."""
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
def _forget(*_: object) -> None:
    """Forget the tracks of the file that is left."""
    TRACKS.clear()


def register() -> None:
    """Forget the tracks when another file is opened."""
    bpy.app.handlers.load_pre.append(_forget)


def unregister() -> None:
    """Leave neither timer, thread nor track behind."""
    bpy.app.handlers.load_pre.remove(_forget)
    if bpy.app.timers.is_registered(_look_after):
        bpy.app.timers.unregister(_look_after)
    TRACKS.clear()
    TRACKS.wait(_MAX_WAIT_S)
