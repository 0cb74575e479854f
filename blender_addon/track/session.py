"""The tracks of the session. They last until the session ends or another .blend file is opened.

Needs no Blender. A file is read on a thread, one at a time, because a large one takes seconds.
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
    """The states of the chosen file."""

    NO_FILE = "no file"
    UNREAD = "not read"
    READING = "reading"
    BAD_FILE = "bad file"
    READ = "read"


class _Read:
    """One read operation; `run` may be called on any thread."""

    def __init__(self, request: TrackRequest) -> None:
        self.request = request
        self.readings: list[Reading] = []
        self.error = ""
        self.options: tuple[str, ...] = ()
        self.fault: BaseException | None = None

    def run(self) -> None:
        """Read the file; store errors."""
        from ..core_access import CoreError, TrackError, read_all

        try:
            self.readings = read_all(Path(self.request.path), self.request.options())
        except CoreError as error:
            self.error = str(error)
            self.options = error.options if isinstance(error, TrackError) else ()
        except BaseException as fault:
            # A bug: the panel must not wait for ever, and `TrackSession.poll` raises it on the main thread.
            self.error = f"{type(fault).__name__}: {fault}"
            self.fault = fault


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
        self._thread: threading.Thread | None = None
        self._read: _Read | None = None
        self.clear()

    def clear(self) -> None:
        """Clear the session; the result of a running read is dropped."""
        self.request = TrackRequest()
        self.readings: list[Reading] = []
        self.error = ""
        self.options: tuple[str, ...] = ()
        self.lifts_m: dict[int, float] = {}
        self._read = None

    def state(self, request: TrackRequest) -> TrackState:
        """Return the state of the file of *request*."""
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
        self._collect()
        return self.state(request)

    def start(self, request: TrackRequest) -> bool:
        """Read on a thread; return False if another read has to end first."""
        if self.busy:
            return False
        self._read = _Read(request)
        self._thread = threading.Thread(target=self._read.run, name="SMPLify reader", daemon=True)
        self._thread.start()
        return True

    @property
    def busy(self) -> bool:
        """Whether a read is running."""
        return self._thread is not None and self._thread.is_alive()

    def poll(self) -> bool:
        """Collect the result of a finished read; return whether a read is running.

        Raises:
            BaseException: an exception of the reader that is not an error in the file.
        """
        if self.busy:
            return True
        if self._thread is not None:
            self._thread = None
            self._collect()
        return False

    def _collect(self) -> None:
        read, self._read = self._read, None
        if read is None:
            return
        self.request, self.readings, self.lifts_m = read.request, read.readings, {}
        self.error, self.options = read.error, read.options
        if read.fault is not None:
            raise read.fault

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for a running read."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        self.poll()


TRACKS = TrackSession()
"""The tracks of this Blender session: one file at a time, that of the scene that asked last."""
