"""The tracks of the session. They last until the session ends or another .blend file is opened.

Needs no Blender. A file is read on a thread, one at a time, because a large one takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from ..background.task import Task
from .request import TrackRequest

if TYPE_CHECKING:
    from ..core_access import RawRecording, Reading, ReadOptions, Recognition


class TrackState(Enum):
    """The states of the chosen file."""

    NO_FILE = "no file"
    UNREAD = "not read"
    READING = "reading"
    BAD_FILE = "bad file"
    READ = "read"


class TrackSession:
    """The tracks of one file.

    Attributes:
        request: the request that was read, or could not be read.
        readings: one reading per person; empty if nothing is read.
        recordings: what the file holds, per person, whether or not it could be interpreted.
        recognition: what the first person's points are taken for; None if the file has no points that could be named.
        joins: groups of people ("3+7") who seem to be one person each.
        error: why the file could not be read.
        options: the core's reading options that could resolve the error.
        lifts_m: vertical offset of each fitted person to stand on the floor, metres, by index in `readings`.
    """

    def __init__(self) -> None:
        self._running: Task | None = None
        self._wanted: tuple[TrackRequest, Task] | None = None
        self.clear()

    def clear(self) -> None:
        """Clear the session; the result of a running read is dropped."""
        self.request = TrackRequest()
        self.readings: list[Reading] = []
        self.recordings: list[RawRecording] = []
        self.recognition: Recognition | None = None
        self.joins: list[str] = []
        self.error = ""
        self.options: tuple[str, ...] = ()
        self.lifts_m: dict[int, float] = {}
        self._wanted = None

    def state(self, request: TrackRequest) -> TrackState:
        """Return the state of the file of *request*."""
        if not request.path:
            return TrackState.NO_FILE
        if self._wanted is not None and self._wanted[0] == request:
            return TrackState.READING
        if self.request != request:
            return TrackState.UNREAD
        return TrackState.READ if self.readings else TrackState.BAD_FILE

    def read(self, request: TrackRequest, read: Callable[[], list[Reading]] | None = None) -> TrackState:
        """Read on this thread; return `READ` or `BAD_FILE`.

        Args:
            request: what to read.
            read: the function that reads it; None for the core's readers.
        """
        task = _reading(request) if read is None else Task(lambda progress: _Found(readings=read()))
        self._wanted = request, task
        task.run()
        self._collect()
        return self.state(request)

    def start(self, request: TrackRequest) -> bool:
        """Read on a thread; return False if another read has to end first."""
        if self.busy:
            return False
        self._running = _reading(request)
        self._wanted = request, self._running
        self._running.start()
        return True

    @property
    def busy(self) -> bool:
        """Whether a read is running."""
        return self._running is not None and not self._running.ended

    def poll(self) -> bool:
        """Collect the result of a finished read; return whether a read is running.

        Raises:
            BaseException: an exception of the reader that is not an error in the file.
        """
        if self.busy:
            return True
        if self._running is not None:
            self._running = None
            self._collect()
        return False

    def _collect(self) -> None:
        from ..core_access import CoreError, TrackError

        if self._wanted is None:
            return
        (request, task), self._wanted = self._wanted, None
        found: _Found = task.result or _Found()
        error = task.error or found.error
        self.request, self.readings, self.lifts_m = request, found.readings, {}
        self.recordings, self.recognition, self.joins = found.recordings, found.recognition, found.joins
        self.error, self.options = "", error.options if isinstance(error, TrackError) else ()
        if isinstance(error, CoreError):
            self.error = str(error)
        elif error is not None:
            # A bug: the panel must not wait for ever, and the traceback must be visible.
            self.error = f"{type(error).__name__}: {error}"
            raise error

    def wait(self) -> None:
        """Wait for a running read and collect its result."""
        if self._running is not None:
            self._running.wait()
        self.poll()


@dataclass
class _Found:
    """The result of reading a file; see `TrackSession`."""

    recordings: list[RawRecording] = field(default_factory=list)
    recognition: Recognition | None = None
    joins: list[str] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    error: Exception | None = None


def _reading(request: TrackRequest) -> Task:
    """Return the task of reading *request*."""
    return Task(lambda progress: _read(request))


def _read(request: TrackRequest) -> _Found:
    from ..core_access import TrackError, interpret_people, read_people, suggested_joins

    options = request.options()
    found = _Found(read_people(Path(request.path), options))
    if found.recordings[0].solved is None:
        found.joins = suggested_joins(found.recordings)
        found.recognition = _recognised(found.recordings[0], options)
    try:
        found.readings = interpret_people(found.recordings, options)
    except TrackError as error:
        found.error = error
    return found


def _recognised(recording: RawRecording, options: ReadOptions) -> Recognition:
    """Return the recognised points; without the user's names if these do not fit them."""
    from ..core_access import TrackError, recognise

    try:
        return recognise(recording, options)
    except TrackError:
        return recognise(recording, replace(options, names=None))


TRACKS = TrackSession()
"""The tracks of this Blender session: one file at a time, that of the scene that asked last."""
