"""The tracks of the session. They last until the session ends or another .blend file is opened.

Needs no Blender. A file is read on a thread, one at a time, because a large one takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from ..background.task import Task
from .request import TrackRequest

if TYPE_CHECKING:
    from ..core_access import Reading


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
        task = _reading(request) if read is None else Task(lambda progress: read())
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
        error = task.error
        self.request, self.readings, self.lifts_m = request, task.result or [], {}
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


def _reading(request: TrackRequest) -> Task:
    """Return the task of reading *request*."""
    from ..core_access import read_all

    return Task(lambda progress: read_all(Path(request.path), request.options()))


TRACKS = TrackSession()
"""The tracks of this Blender session: one file at a time, that of the scene that asked last."""
