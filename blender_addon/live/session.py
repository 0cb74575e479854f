"""The live session: the receiver with its threads, the figure that shows what it fits, and the characters that follow.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
from bpy.app.translations import pgettext_iface as iface_

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
    """At most one session runs.

    Attributes:
        saved: where a recording is that could not become keys, translated, or why it was lost; empty if all could
            since Listen was pressed.
        troubles: why a recording that became keys could not be put onto a character; empty if it could.
    """

    def __init__(self) -> None:
        """Begin without a session."""
        self._running: _Running | None = None
        self.saved = self.troubles = ""

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
        self.saved = self.troubles = ""
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
        """End the session, free the port and put the characters back.

        What was recorded is saved to a file, and `saved` says where.
        """
        running = self._end()
        recording = None if running is None else running.receiver.end_recording()
        if recording:
            self._save(recording)

    def finish(self) -> int | None:
        """End the session and key what was recorded, on characters too; `troubles` says why not on one.

        Returns:
            The number of frames; None if nothing was being recorded.

        If that cannot be done, it is saved to a file, and `saved` says where.

        Raises:
            CoreError: the recording cannot be keyed.
        """
        is_recording = self.num_recorded is not None
        running = self._end()
        if running is None or not is_recording:
            return None
        recording = running.receiver.end_recording()
        if not recording:
            return 0
        armature = running.figure.find()
        scene = next((scene for scene in bpy.data.scenes if scene.session_uid == running.scene_uid), None)
        if armature is None or not armature.users_scene or scene is None:
            self._save(recording)
            return len(recording)
        try:
            with _shown(scene):
                running.figure.key(armature, recording, scene, running.begin)
                self.troubles = running.characters.apply_recording(armature)
        except BaseException:  # whatever it is, what was recorded cannot be recorded again
            self._save(recording)
            raise
        return len(recording)

    def _end(self) -> _Running | None:
        """End the session, free the port and put the characters back; return the session, None if none runs."""
        running, self._running = self._running, None
        if running is not None:
            running.receiver.close()
            running.characters.restore()
        return running

    def _save(self, recording: LiveRecording) -> None:
        """Save *recording* to a file."""
        from ..core_access import CoreError
        from .rescue import save

        try:
            path = save(recording)
        except (CoreError, OSError) as error:
            self.saved = iface_("The recording could not be saved: {:s}").format(str(error))
        else:
            text = iface_("The recording was saved as {:s}; Import AMASS Motion opens it")
            self.saved = text.format(str(path))
        print(self.saved)


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
