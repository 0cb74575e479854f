"""The batch's handle to a worker process: Blender never runs in the batch's own process.

So a crash costs one input, an interrupt leaves nothing behind, and several workers can run in parallel. A worker is not
a fork of this process: it is a Python that imports bpy, or another background Blender if this process is Blender.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..background.messages import Message, PipeError, read_messages
from ..background.process import Process
from ..core_access import VENDORED, WorkerDied, WorkerStartError

SCRIPT = Path(__file__).resolve().parents[1] / "run_in_blender.py"
_PACKAGE = __package__.rpartition(".")[0]
_KNOWN_TO_ANY_BLENDER = ("bl_ext.blender_org.", "bl_ext.user_default.", "bl_ext.system.")
"""Packages of the repositories that Blender has without the user's preferences; then it finds no others."""


def worker_command() -> tuple[list[str], Path]:
    """Return the command that starts a worker, and its working directory, which is never the user's."""
    bpy = sys.modules.get("bpy")
    binary = bpy.app.binary_path if bpy is not None else ""
    if not binary:
        return [sys.executable, "-m", _PACKAGE, "--worker"], SCRIPT.parent.parent
    blender = [binary, "--background", "--factory-startup"]
    if not sys.flags.ignore_environment:
        blender.append("--python-use-system-env")
    if VENDORED and _PACKAGE.startswith(_KNOWN_TO_ANY_BLENDER):
        return [*blender, "--addons", _PACKAGE, "--command", "smplify", "--worker"], SCRIPT.parent
    return [*blender, "--python-exit-code", "1", "--python", str(SCRIPT), "--", "--worker"], SCRIPT.parent


class WorkerProcess:
    """A running worker; handles one request at a time."""

    def __init__(self) -> None:
        """Start the process; call `wait_until_ready` next."""
        command, folder = worker_command()
        self._process = Process(command, read_messages, folder=folder)
        self._temporary = ""

    def convert(self, request: dict[str, object], on_progress: Callable[[float, str], None]) -> dict[str, Any]:
        """Send *request* and return the answer.

        Args:
            request: as for `convert.convert`.
            on_progress: called with the completed fraction (0 to 1) and the name of the step.

        Raises:
            WorkerDied: the worker ended without an answer, or sent an invalid one.
        """
        self._process.send(Message("convert", request))
        try:
            while (message := self._receive()).kind == "progress":
                on_progress(min(max(0.0, message.get("share", float)), 1.0), message.get("what", str))
            return message.get("answer", dict)
        except PipeError as error:
            self._process.end()
            raise WorkerDied(f"the converting process sent an invalid answer: {error}") from error

    def wait_until_ready(self) -> None:
        """Wait until Blender is running in the worker.

        Raises:
            WorkerStartError: the worker could not be started.
        """
        try:
            self._temporary = str(self._receive().content.get("temporary", ""))
        except WorkerDied as error:
            raise WorkerStartError(str(error)).with_lines(error.lines) from error
        except PipeError as error:
            raise WorkerStartError(str(error)) from error

    def _receive(self) -> Message:
        message = next(self._process.items(), None)
        if message is None:
            code, last_lines = self._process.exit_code(), self._process.last_lines()
            raise WorkerDied(f"the converting process ended early (exit code {code})", last_lines)
        return message

    def end(self) -> None:
        """End the worker, whatever it is doing; may be called from any thread, and repeatedly."""
        self._process.end()

    def close(self) -> None:
        """Close the pipes of a worker that has ended, and remove its temporary files."""
        self._process.close()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)
