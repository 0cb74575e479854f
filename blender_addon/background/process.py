"""Child processes of the add-on: each in its own process group, ended with its children, its last output kept.

Needs neither Blender nor the core.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

STOP_S = 10.0
_LOG_TAIL = 12
if sys.platform == "win32":
    _WINDOWS = True
    NO_WINDOW = subprocess.CREATE_NO_WINDOW
    _OWN_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP | NO_WINDOW
else:
    _WINDOWS = False
    NO_WINDOW = _OWN_GROUP = 0
_NOT_FOR_ANOTHER_PYTHON = (
    "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONSAFEPATH", "PYTHONPLATLIBDIR", "VIRTUAL_ENV",
    "__PYVENV_LAUNCHER__",
)  # fmt: skip


class Process:
    """A running process; its standard error is kept in a log."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        text: bool = True,
    ) -> None:
        """Start the process.

        Args:
            command: the program and its arguments.
            folder: the working directory; None for the current one.
            environment: the environment variables; None for those of this process.
            text: standard input and output carry UTF-8 text rather than bytes.

        Raises:
            OSError: the process cannot be started.
        """
        self._log = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
                encoding="utf-8" if text else None, errors="replace" if text else None,
                start_new_session=not _WINDOWS,
                creationflags=_OWN_GROUP,
            )  # fmt: skip
        except OSError:
            self._log.close()
            raise
        assert self._process.stdin is not None and self._process.stdout is not None, "both are pipes"
        self.stdin: IO[Any] = self._process.stdin
        self.stdout: IO[Any] = self._process.stdout

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

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
        try:
            self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            pass
        self._signal_all(gentle=False)  # the process, or children it left behind
        self._process.wait()

    def kill(self) -> None:
        """Kill the process and its children immediately."""
        if self.running:
            self._signal_all(gentle=False)
        self._process.wait()

    def close(self) -> None:
        """Close the pipes of a process that has ended; must be called by the thread that uses them."""
        for stream in (self.stdin, self.stdout, self._log):
            try:
                stream.close()
            except OSError:  # buffered data that the process no longer reads
                continue

    def _signal_all(self, *, gentle: bool) -> None:
        if _WINDOWS:
            subprocess.run(
                ["taskkill", "/T", "/F", "/PID", str(self.pid)],
                capture_output=True, check=False, creationflags=NO_WINDOW,
            )  # fmt: skip
            return
        try:
            os.killpg(self.pid, signal.SIGTERM if gentle else signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # already gone; macOS raises the latter
            return


def environment_for_another_python() -> dict[str, str]:
    """Return environment variables for another Python, without those that point to this Python's modules."""
    variables = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_ANOTHER_PYTHON}
    # The other Python imports modules of the add-on; its byte code must not end up in the add-on's folder.
    return {**variables, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
