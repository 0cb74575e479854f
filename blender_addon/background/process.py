"""Processes that the add-on starts: each in a group of its own, ended with all that it started, its last words kept.

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
    """A running process; what it writes to standard error is kept in a log of its own."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        text: bool = True,
    ) -> None:
        """Start it.

        Args:
            command: the program and its arguments.
            folder: where it starts; None for here.
            environment: its variables; None for those of this process.
            text: standard input and output carry UTF-8 text rather than bytes.

        Raises:
            OSError: it cannot be started.
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
        """Its number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def exit_code(self) -> int:
        """Return its exit code; one that has closed its output and does not end soon is ended."""
        try:
            return self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.end()
            return self._process.wait()

    def last_lines(self) -> str:
        """Return the last lines of its log, without blank ones; none once it is closed."""
        if self._log.closed:
            return ""
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", errors="replace").splitlines()
        return "\n".join(line for line in lines[-_LOG_TAIL:] if line.strip())

    def end(self) -> None:
        """End it and all that it started, whatever they are doing; may be called by any thread, and again."""
        if not self.running:
            return
        self._signal_all(gentle=True)
        try:
            self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            pass
        self._signal_all(gentle=False)  # it, or what it started and left behind
        self._process.wait()

    def kill(self) -> None:
        """End it and all that it started at once."""
        if self.running:
            self._signal_all(gentle=False)
        self._process.wait()

    def close(self) -> None:
        """Close the pipes of a process that has ended; called by the thread that uses it."""
        for stream in (self.stdin, self.stdout, self._log):
            try:
                stream.close()
            except OSError:  # what was not read by the other side any more
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
        except (ProcessLookupError, PermissionError):  # nothing is left of it; macOS says the latter
            return


def environment_for_another_python() -> dict[str, str]:
    """Return the variables for a Python that is not this one: without what leads this one to its own modules."""
    variables = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_ANOTHER_PYTHON}
    # It reads modules of the add-on; its byte code does not belong into the add-on's folder.
    return {**variables, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
