"""Refuse a character that cannot be used once, before a batch begins, instead of with every input.

Only Blender can open it, which never runs in the batch's own process: a worker does.
"""

from __future__ import annotations

from tempfile import TemporaryDirectory

from ..core_access import BatchError, ConvertOptions, WorkerDied
from .worker_process import WorkerProcess

CHECK = "check"
"""Key of a request to open the character of the options, instead of converting an input."""


def check_character_file(options: ConvertOptions) -> None:
    """Let a worker open the character of *options* and find its bones; do nothing without a character.

    Raises:
        BatchError: the file cannot be opened, or its bones are missing or in doubt.
        WorkerStartError: no worker can be started.
    """
    if not options.character:
        return
    worker = WorkerProcess()
    try:
        worker.wait_until_ready()
        with TemporaryDirectory(prefix="smplify-check-") as folder:
            answer = worker.convert({CHECK: True, "options": options.as_dict(), "folder": folder}, lambda *_: None)
    except WorkerDied as error:
        raise BatchError(
            f"expected a character that Blender can open, found {options.character}, with which {error}; open the file "
            "in Blender, and export it again"
        ).with_lines(error.lines) from error
    finally:
        worker.end()
        worker.close()
    if "error" in answer:
        message, _, lines = str(answer["error"]).partition("\n")
        raise BatchError(message).with_lines(lines)
