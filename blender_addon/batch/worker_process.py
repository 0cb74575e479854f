"""The batch's handle to a worker process: Blender never runs in the batch's own process.

So a crash costs one input, an interrupt leaves nothing behind, and several workers can run in parallel. A worker is not
a fork of this process: it is a Python that imports bpy, or another background Blender if this process is Blender.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..background.process import Process
from ..core_access import VENDORED, WorkerDied, WorkerStartError

MARK = "@smplify "
"""Prefix of the lines that are messages; all other lines that a worker prints come from Blender."""

SCRIPT = Path(__file__).resolve().parents[1] / "run_in_blender.py"
_PACKAGE = __package__.rpartition(".")[0]


def worker_command() -> tuple[list[str], Path | None]:
    """Return the command that starts a worker, and its working directory."""
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
    """A running worker; handles one request at a time."""

    def __init__(self) -> None:
        """Start the process; call `wait_until_ready` next."""
        command, folder = worker_command()
        self._process = Process(command, folder=folder)
        self._temporary = ""

    def convert(self, request: dict[str, object], on_progress: Callable[[float, str], None]) -> dict[str, Any]:
        """Send *request* and return the answer.

        Args:
            request: as for `convert.convert`.
            on_progress: called with the completed fraction (0 to 1) and the name of the step.

        Raises:
            WorkerDied: the worker ended without an answer.
        """
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:  # a broken pipe; an invalid argument on Windows
            raise WorkerDied(self._failure_message()) from None
        while "answer" not in (message := self._receive()):
            on_progress(float(message["share"]), str(message["what"]))
        return message["answer"]

    def wait_until_ready(self) -> None:
        """Wait until Blender is running in the worker.

        Raises:
            WorkerStartError: the worker could not be started.
        """
        try:
            self._temporary = str(self._receive().get("temporary", ""))
        except WorkerDied as error:
            raise WorkerStartError(str(error)) from error

    def _receive(self) -> dict[str, Any]:
        """Return the next message; skip other output."""
        for line in self._process.stdout:
            if line.startswith(MARK):
                return json.loads(line[len(MARK) :])
        raise WorkerDied(self._failure_message())

    def _failure_message(self) -> str:
        code, last_lines = self._process.exit_code(), self._process.last_lines()
        return f"the converting process ended early (exit code {code})" + (f":\n{last_lines}" if last_lines else "")

    def end(self) -> None:
        """End the worker, whatever it is doing; may be called from any thread, and repeatedly."""
        self._process.end()

    def close(self) -> None:
        """Close the pipes of a worker that has ended, and remove its temporary files.

        Must be called by the thread that uses the worker.
        """
        self._process.close()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)
