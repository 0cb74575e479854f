"""A second process that converts, seen from the batch: Blender never runs in the batch's own process.

So a crash costs one input, an interrupt leaves nothing behind, and several can work at once. The worker is never a fork
of this process: it is a Python that imports bpy, or another background Blender when this is one.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..background.process import Process
from ..core_access import VENDORED, CoreError

MARK = "@smplify "
"""Begins the lines that are messages; everything else that a worker prints is Blender's own chatter."""

SCRIPT = Path(__file__).resolve().parents[1] / "run_in_blender.py"
_PACKAGE = __package__.rpartition(".")[0]


class WorkerStartError(CoreError, RuntimeError):
    """No worker can be started here; the text says what is missing."""


class WorkerDied(Exception):  # noqa: N818 - it is what happened, told to the batch, which makes it an error of one input
    """The worker ended before it answered; the text has the last lines it printed."""


def worker_command() -> tuple[list[str], Path | None]:
    """Return the command line that starts a worker, and the folder to start it in."""
    bpy = sys.modules.get("bpy")
    binary = bpy.app.binary_path if bpy is not None else ""
    if not binary:
        return [sys.executable, "-m", _PACKAGE, "--worker"], SCRIPT.parent.parent
    blender = [binary, "--background", "--factory-startup"]
    if not sys.flags.ignore_environment:
        blender.append("--python-use-system-env")
    if VENDORED and _PACKAGE.startswith("bl_ext."):
        return [*blender, "--addons", _PACKAGE, "--command", "smplify", "--worker"], None
    return [*blender, "--python-exit-code", "1", "--python", str(SCRIPT), "--", "--worker"], None


class WorkerProcess:
    """A running worker; one request at a time."""

    def __init__(self) -> None:
        """Begin to start it; `wait_until_ready` comes next."""
        command, folder = worker_command()
        self._process = Process(command, folder=folder)
        self._temporary = ""

    def convert(self, request: dict[str, object], on_progress: Callable[[float, str], None]) -> dict[str, Any]:
        """Send *request* and return the answer; *on_progress* hears the share done, 0 to 1, and of what.

        Raises:
            WorkerDied: it ended without an answer.
        """
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:  # a broken pipe, which Windows calls an invalid argument
            raise WorkerDied(self._last_words()) from None
        while "answer" not in (message := self._receive()):
            on_progress(float(message["share"]), str(message["what"]))
        return message["answer"]

    def wait_until_ready(self) -> None:
        """Wait until its Blender is up.

        Raises:
            WorkerStartError: it could not be started.
        """
        try:
            self._temporary = str(self._receive().get("temporary", ""))
        except WorkerDied as error:
            raise WorkerStartError(str(error)) from error

    def _receive(self) -> dict[str, Any]:
        """Return the next message; what else it prints is passed over."""
        for line in self._process.stdout:
            if line.startswith(MARK):
                return json.loads(line[len(MARK) :])
        raise WorkerDied(self._last_words())

    def _last_words(self) -> str:
        code, told = self._process.exit_code(), self._process.last_lines()
        return f"the converting process ended early (exit code {code})" + (f":\n{told}" if told else "")

    def end(self) -> None:
        """End it, whatever it is doing; may be called by any thread, and again."""
        self._process.end()

    def close(self) -> None:
        """Close the pipes of a worker that has ended, and remove its Blender's temporary files.

        Called by the thread that uses it.
        """
        self._process.close()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)
