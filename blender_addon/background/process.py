"""Child processes of the add-on: each in its own process group and folder, ended with its children.

The output of a process is received on a thread: messages of one that runs the add-on's code (see `messages`), and plain
lines of any other, such as pip or a Python that is checked, which may be old and lack NumPy. Needs neither Blender nor
the core.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Generic, TypeVar

from .messages import Message, PipeError, message_parts, write_parts

Item = TypeVar("Item")

STOP_S = 10.0
_LOG_TAIL = 12
_INBOX_ITEMS = 100
_MAX_LINE_BYTES = 1 << 16
_JOIN_S = 0.05
if sys.platform == "win32":
    _WINDOWS = True
    NO_WINDOW = subprocess.CREATE_NO_WINDOW
    _OWN_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP | NO_WINDOW
else:
    _WINDOWS = False
    NO_WINDOW = _OWN_GROUP = 0


class Process(Generic[Item]):
    """A running process; its standard error is kept in a log."""

    def __init__(
        self,
        command: Sequence[str],
        receive: Callable[[IO[bytes]], Iterator[Item]],
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the process.

        Args:
            command: the program and its arguments.
            receive: yields what the process says from its standard output: `read_lines` or `messages.read_messages`.
            folder: the working directory; None for an empty one, which `close` removes.
            environment: the environment variables; None for those of this process.

        Raises:
            OSError: the process cannot be started.
        """
        self._stack = ExitStack()
        self._log = self._stack.enter_context(tempfile.TemporaryFile())
        if folder is None:  # removed when this Python exits, too
            own = tempfile.TemporaryDirectory(prefix="smplify-", ignore_cleanup_errors=True)
            folder = Path(self._stack.enter_context(own))
        try:
            self._process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=self._log, start_new_session=not _WINDOWS, creationflags=_OWN_GROUP,
            )  # fmt: skip
        except OSError:
            self._stack.close()
            raise
        assert self._process.stdin is not None and self._process.stdout is not None, "both are pipes"
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._receive = receive
        self._closing = False
        self._inbox: queue.Queue[Item | EOFError | PipeError] = queue.Queue(_INBOX_ITEMS)
        self._outbox: queue.SimpleQueue[list[bytes | memoryview] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=work, name="SMPLify pipe", daemon=True) for work in (self._read, self._write)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def send(self, message: Message) -> None:
        """Send *message*, on a thread, since the process may not be reading.

        Raises:
            TypeError: as for `messages.message_parts`.
        """
        self._outbox.put(message_parts(message))

    def end_input(self) -> None:
        """Close the standard input of the process once everything is sent."""
        self._outbox.put(None)

    def items(self, poll_s: float | None = None) -> Iterator[Item | None]:
        """Yield the output of the process until its end; yield None whenever nothing came for *poll_s* seconds.

        Raises:
            PipeError: the process sent something that is not a message.
        """
        while True:
            try:
                item = self._inbox.get(timeout=poll_s)
            except queue.Empty:
                yield None
                continue
            if isinstance(item, (EOFError, PipeError)):
                self._inbox.put(item)  # for the next call
                if isinstance(item, PipeError):
                    raise item
                return
            yield item

    def exit_code(self) -> int:
        """Return the exit code; end the process if it does not exit within `STOP_S` seconds."""
        try:
            return self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.end()
            return self._process.wait()

    def last_lines(self) -> str:
        """Return the last lines of the log, without blank ones; empty once the log is closed."""
        if self._log.closed:
            return ""
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", errors="replace").splitlines()
        return "\n".join(line for line in lines[-_LOG_TAIL:] if line.strip())

    def end(self) -> None:
        """End the process and its children, whatever they are doing; may be called from any thread, and repeatedly."""
        if not self.running:
            return
        self._signal_all(gentle=True)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=STOP_S)
        self._signal_all(gentle=False)  # the process, or children it left behind
        self._process.wait()

    def kill(self) -> None:
        """Kill the process and its children immediately."""
        if self.running:
            self._signal_all(gentle=False)
        self._process.wait()

    def close(self) -> None:
        """Close the pipes of a process that has ended and remove its folder; may be called repeatedly."""
        self._closing = True
        self.end_input()
        for thread in self._threads:
            while thread.is_alive():
                with suppress(queue.Empty):  # the reading thread may be waiting for room
                    self._inbox.get_nowait()
                thread.join(_JOIN_S)
        with suppress(queue.Full):  # wakes a waiting consumer; a full inbox already contains the end
            self._inbox.put_nowait(EOFError())
        for stream in (self._stdin, self._stdout):
            with suppress(OSError):  # buffered data that the process no longer reads
                stream.close()
        self._stack.close()

    def _read(self) -> None:
        """Receive items until the output ends."""
        end: EOFError | PipeError = EOFError()
        try:
            for item in self._receive(self._stdout):
                if self._closing:
                    break
                self._inbox.put(item)
        except PipeError as error:
            end = error
        finally:
            self._inbox.put(end)

    def _write(self) -> None:
        """Write what is sent; a process that does not read blocks only this thread."""
        with suppress(OSError):  # it ended; the reading thread reports that
            while (parts := self._outbox.get()) is not None:
                write_parts(self._stdin, parts)
            self._stdin.close()

    def _signal_all(self, *, gentle: bool) -> None:
        if _WINDOWS:
            # By its full path: Windows looks for programs in the working directory too.
            taskkill = os.path.join(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "taskkill.exe")
            subprocess.run(
                [taskkill, "/T", "/F", "/PID", str(self.pid)],
                capture_output=True, check=False, creationflags=NO_WINDOW,
            )  # fmt: skip
            return
        try:
            os.killpg(self.pid, signal.SIGTERM if gentle else signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # already gone; macOS raises the latter
            return


def read_lines(stream: IO[bytes]) -> Iterator[str]:
    """Yield the lines of *stream* as text; a line of more than 64 KiB is cut into several."""
    while line := stream.readline(_MAX_LINE_BYTES):
        yield line.decode("utf-8", errors="replace")
