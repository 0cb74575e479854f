"""Read the file of box 1: on a thread shortly after a setting changed, or immediately for a script.

bpy is used on the main thread only: a timer monitors the thread and ends with it.
"""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.app.handlers import persistent
from bpy.app.translations import pgettext_iface as iface_

from ..ui.announcing import announce
from ..ui.box_errors import Box, clear_error
from ..ui.message_terms import in_panel_words
from ..ui.redraw import redraw_viewports
from .description import doubts
from .point_rows import fill
from .request import TrackRequest
from .session import TRACKS, TrackState
from .settings import track_request

CLASSES = ()

_SOON_S = 0.1

_reports: list[bool] = []
"""Not empty if an operator asked for a report of the reading once it has ended."""


def read_now(scene: bpy.types.Scene) -> TrackState:
    """Read the file of *scene* on this thread, unless it is already read."""
    request = track_request(scene.smplify.track)
    state = TRACKS.state(request)
    if state is not TrackState.READ:
        state = read_request(request)
    fill(scene.smplify.track)
    return state


def read_request(request: TrackRequest) -> TrackState:
    """Read what *request* names before returning; armatures are evaluated by Blender."""
    if not request.is_armature:
        return TRACKS.read(request)
    from .armatures import read_armatures

    return TRACKS.read(request, lambda: read_armatures(request.path, request.options()))


def what_was_read() -> str:
    """Return a summary of what was read and the next step, for a user who may not see box 1."""
    track, name = TRACKS.readings[0].track, Path(TRACKS.request.path).name
    text = iface_("Read {:s}: {:d} frames, people: {:d}").format(name, track.num_frames, len(TRACKS.readings))
    found = dict.fromkeys(doubt for reading in TRACKS.readings for doubt in doubts(reading))
    parts = [f"{text}."]
    if found:
        parts.append(iface_("Doubts about the track: {:d}, see box 1.").format(len(found)))
    return " ".join([*parts, iface_("Next: Fit, in the SMPLify tab of the sidebar")])


def read_soon(*, report: bool = False) -> None:
    """Schedule reading the file of the current scene on a thread; does nothing without a window.

    Args:
        report: report the outcome; else only box 1 shows it.
    """
    if report:
        _reports[:] = [True]
    if not bpy.app.background and not bpy.app.timers.is_registered(_poll_thread):
        bpy.app.timers.register(_poll_thread, first_interval=_SOON_S)


def _poll_thread() -> float | None:
    """Start a pending read or poll the running one; return the seconds until the next call, None to stop."""
    scene = bpy.context.scene
    was_busy = TRACKS.busy
    busy = TRACKS.poll()
    if not busy and scene is not None:
        request = track_request(scene.smplify.track)
        if TRACKS.state(request) is TrackState.UNREAD and request.is_armature:
            _read_armature(request)
        elif TRACKS.state(request) is TrackState.UNREAD:
            busy = TRACKS.start(request)
        if not busy:
            fill(scene.smplify.track)
    if not (was_busy and busy):
        redraw_viewports()
    if not busy:
        _report()
    return _SOON_S if busy else None


def _read_armature(request: TrackRequest) -> None:
    """Read an armature from a timer, in a window's context, which importers need but a timer lacks."""
    window = bpy.context.window or bpy.context.window_manager.windows[0]
    with bpy.context.temp_override(window=window):
        read_request(request)


def _report() -> None:
    """Report the outcome of a read that an operator has started; a setting may have changed what is read since."""
    if not _reports or bpy.context.scene is None:
        return
    _reports.clear()
    state = TRACKS.state(track_request(bpy.context.scene.smplify.track))
    if state is TrackState.READ:
        clear_error(Box.TRACK)
        announce("INFO", what_was_read())
    elif state is TrackState.BAD_FILE:
        announce("ERROR", in_panel_words(TRACKS.error))


@persistent
def _clear_tracks(*_: object) -> None:
    """Clear the tracks when the .blend file is closed."""
    TRACKS.clear()
    _reports.clear()


@persistent
def _read_undone(*_: object) -> None:
    """Read the file by the settings that undo or redo has brought back."""
    read_soon()


def register() -> None:
    """Add the handlers that clear the tracks when another file is opened, and read again after undo and redo."""
    bpy.app.handlers.load_pre.append(_clear_tracks)
    for handlers in _undo_handlers():
        handlers.append(_read_undone)


def _undo_handlers() -> tuple[list[object], list[object]]:
    return bpy.app.handlers.undo_post, bpy.app.handlers.redo_post


def unregister() -> None:
    """Remove the handler and timer, and clear the tracks."""
    bpy.app.handlers.load_pre.remove(_clear_tracks)
    for handlers in _undo_handlers():
        handlers.remove(_read_undone)
    if bpy.app.timers.is_registered(_poll_thread):
        bpy.app.timers.unregister(_poll_thread)
    TRACKS.clear()
    _reports.clear()
