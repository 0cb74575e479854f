"""The tracks that are read now. They live as long as the session or the .blend file; settings are the scene's.

Needs no Blender. A file is read on a thread, because a large one takes seconds; one at a time.
"""

from __future__ import annotations

import threading
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from .request import TrackRequest

if TYPE_CHECKING:
    from ..core_access import Reading


class TrackState(Enum):
    """What the panel shows of the file that is set."""

    NO_FILE = "no file"
    UNREAD = "not read"
    READING = "reading"
    BAD_FILE = "bad file"
    READ = "read"


class _Read:
    """One read, on whatever thread `run` is called."""

    def __init__(self, request: TrackRequest) -> None:
        self.request = request
        self.readings: list[Reading] = []
        self.error = ""
        self.options: tuple[str, ...] = ()
        self.fault: BaseException | None = None

    def run(self) -> None:
        """Read; what goes wrong is kept."""
        from ..core_access import CoreError, TrackError, read_all

        try:
            self.readings = read_all(Path(self.request.path), self.request.options())
        except CoreError as error:
            self.error = str(error)
            self.options = error.options if isinstance(error, TrackError) else ()
        except BaseException as fault:
            # A fault of ours: the panel must not wait for ever, and `TrackSession.poll` raises it where it is seen.
            self.error = f"{type(fault).__name__}: {fault}"
            self.fault = fault


class TrackSession:
    """The tracks of one file.

    Attributes:
        request: what `readings` were read from, or what could not be read.
        readings: one a person; empty when nothing is read.
        error: why it could not be read.
        options: the core's reading options that could settle it.
        lifts_m: by how much the fit moved a person up to stand on the floor, by number in `readings`.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._read: _Read | None = None
        self.clear()

    def clear(self) -> None:
        """Forget everything; a read that runs is dropped when it ends."""
        self.request = TrackRequest()
        self.readings: list[Reading] = []
        self.error = ""
        self.options: tuple[str, ...] = ()
        self.lifts_m: dict[int, float] = {}
        self._read = None

    def state(self, request: TrackRequest) -> TrackState:
        """Return how far the file of *request* is."""
        if not request.path:
            return TrackState.NO_FILE
        if self._read is not None and self._read.request == request:
            return TrackState.READING
        if self.request != request:
            return TrackState.UNREAD
        return TrackState.READ if self.readings else TrackState.BAD_FILE

    def read(self, request: TrackRequest) -> TrackState:
        """Read on this thread; return `READ` or `BAD_FILE`."""
        self._read = _Read(request)
        self._read.run()
        self._take()
        return self.state(request)

    def start(self, request: TrackRequest) -> bool:
        """Read on a thread of its own; return False when another read has to end first."""
        if self.busy:
            return False
        self._read = _Read(request)
        self._thread = threading.Thread(target=self._read.run, name="SMPLify reader", daemon=True)
        self._thread.start()
        return True

    @property
    def busy(self) -> bool:
        """Whether a thread reads."""
        return self._thread is not None and self._thread.is_alive()

    def poll(self) -> bool:
        """Take over what a thread has read; return whether one still reads.

        Raises:
            BaseException: a fault in the reader, other than an error about the file.
        """
        if self.busy:
            return True
        if self._thread is not None:
            self._thread = None
            self._take()
        return False

    def _take(self) -> None:
        read, self._read = self._read, None
        if read is None:
            return
        self.request, self.readings, self.lifts_m = read.request, read.readings, {}
        self.error, self.options = read.error, read.options
        if read.fault is not None:
            raise read.fault

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for a thread that reads."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        self.poll()


TRACKS = TrackSession()
"""The session's tracks: one file at a time, of whichever scene asked last."""
