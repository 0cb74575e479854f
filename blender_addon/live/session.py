"""The live session: the receiver with its threads, the figure that shows what it fits, and the characters that follow.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from ..core_access import LiveReceiver, LiveRecording, LiveStatus
    from .character import LiveCharacters
    from .figure import LiveFigure


@dataclass
class _Running:
    receiver: LiveReceiver
    figure: LiveFigure
    characters: LiveCharacters
    scene_uid: int
    status: LiveStatus
    begin: int = 1


class LiveSession:
    """At most one session runs."""

    def __init__(self) -> None:
        """Begin without a session."""
        self._running: _Running | None = None

    @property
    def is_running(self) -> bool:
        """Whether a session runs."""
        return self._running is not None

    @property
    def status(self) -> LiveStatus | None:
        """How the session went at the last update; None without a session."""
        return None if self._running is None else self._running.status

    @property
    def address(self) -> str:
        """The address that is listened on; empty without a session."""
        return "" if self._running is None else str(self._running.receiver.address)

    @property
    def num_recorded(self) -> int | None:
        """Number of frames recorded so far; None if nothing is being recorded."""
        return None if self._running is None else self._running.receiver.num_recorded

    @property
    def characters(self) -> LiveCharacters | None:
        """The characters that follow the figure; None without a session."""
        return None if self._running is None else self._running.characters

    def start(
        self, receiver: LiveReceiver, figure: LiveFigure, characters: LiveCharacters, scene: bpy.types.Scene
    ) -> None:
        """Show what *receiver* fits by *figure* and *characters*, in *scene*; a session that runs is stopped."""
        self.stop()
        self._running = _Running(receiver, figure, characters, scene.session_uid, receiver.status)

    def record(self, scene: bpy.types.Scene) -> None:
        """Record from now on, to keys from the current frame of *scene* on."""
        if self._running is not None:
            self._running.begin = scene.frame_current
            self._running.receiver.begin_recording()

    def update(self) -> str:
        """Show the newest frame; return why the session cannot go on, or "". Nothing without a session.

        Raises:
            CoreError: the figure cannot be posed.
        """
        if self._running is None:
            return ""
        running = self._running
        running.status = running.receiver.status
        windows = bpy.context.window_manager.windows
        window = next((window for window in windows if window.scene.session_uid == running.scene_uid), None)
        if window is None:
            return "Another scene is shown; listening has ended"
        armature = running.figure.find()
        if armature is None or not armature.users_scene:
            return "The live figure was removed; listening has ended"
        frame = running.receiver.newest
        if frame is not None and frame is not running.figure.shown:
            with bpy.context.temp_override(window=window):  # a timer has none of its own
                running.figure.show(armature, frame)
                running.characters.show(frame)
        return ""

    def stop(self) -> None:
        """End the session, free the port and put the characters back; what was recorded is dropped."""
        if self._running is not None:
            self._running.receiver.close()
            self._running.characters.restore()
            self._running = None

    def finish(self) -> int | None:
        """End the session and key what was recorded, on characters too.

        Returns:
            The number of frames; None if nothing was being recorded.

        Raises:
            CoreError: the recording cannot be keyed.
        """
        if self._running is None:
            return None
        running, recorded = self._running, self.num_recorded is not None
        self.stop()
        if not recorded:
            return None
        recording: LiveRecording = running.receiver.end_recording()
        armature = running.figure.find()
        scene = next((scene for scene in bpy.data.scenes if scene.session_uid == running.scene_uid), None)
        if armature is None or scene is None or not len(recording):
            return 0
        with _shown(scene):
            running.figure.key(armature, recording, scene, running.begin)
            running.characters.apply_recording(armature)
        return len(recording)


@contextmanager
def _shown(scene: bpy.types.Scene) -> Iterator[None]:
    """Show *scene* in the first window for the time being: bones can be edited only there."""
    window = bpy.context.window_manager.windows[0]
    before = window.scene
    try:
        if before != scene:
            window.scene = scene
        with bpy.context.temp_override(window=window):
            yield
    finally:
        if before != scene:
            window.scene = before


LIVE = LiveSession()
