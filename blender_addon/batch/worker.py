"""The worker's side of a batch: requests come on standard input, answers go to standard output.

A worker outlives no batch: where nobody listens any more, it removes what it was at and ends.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TextIO

import bpy

from ..core_access import CoreError
from ..figure.custom_properties import has_live_settings
from ..result import properties
from .convert import convert
from .worker_process import MARK

_SECONDS_BETWEEN_REPORTS = 0.1


class _BatchGone(Exception):  # noqa: N818 - it is what happened, and nothing of the conversion's
    """The batch does not listen any more."""


def serve() -> NoReturn:
    """Answer requests until standard input ends or nobody listens, then end this process.

    Whatever else prints, Blender included, is led to standard error, so that messages stay whole.
    """
    _know_figures()
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    folder = ""
    try:
        _send(channel, {"ready": True, "temporary": bpy.app.tempdir})
        for line in sys.stdin:
            if not line.endswith("\n"):  # the batch was killed while it wrote
                raise _BatchGone
            request = json.loads(line)
            folder = request["folder"]
            _send(channel, {"answer": _answer(request, channel)})
    except _BatchGone:
        pass
    _leave(folder)


def _answer(request: dict[str, object], channel: TextIO) -> dict[str, object]:
    """Return what converting gave, or why it failed."""
    try:
        Path(str(request["folder"])).mkdir(mode=0o700)
        return convert(request, _reporter(channel))
    except (CoreError, OSError) as error:
        return {"error": str(error), "kind": type(error).__name__}


def _leave(folder: str) -> NoReturn:
    """Remove the unfinished *folder* and Blender's temporary files, and end at once.

    Python's own end would wait for ever: once it has written a file, the bpy module's library destroys a condition
    variable that one of its threads still waits on.
    """
    for path in (folder, bpy.app.tempdir):
        if path:
            shutil.rmtree(path, ignore_errors=True)
    sys.stderr.flush()
    os._exit(0)


def _know_figures() -> None:
    """Register the live settings of figures where the add-on is not enabled, so that they are saved with a figure."""
    # An add-on enabled by --addons need not be in the preferences, so what is asked is what is there.
    if not has_live_settings():
        for cls in properties.CLASSES:
            bpy.utils.register_class(cls)
        properties.register()


def _send(channel: TextIO, message: dict[str, object]) -> None:
    try:
        channel.write(f"\n{MARK}{json.dumps(message)}\n")
        channel.flush()
    except OSError as error:  # a broken pipe
        raise _BatchGone from error


def _reporter(channel: TextIO) -> Callable[[float, str], None]:
    """Return a progress callback that sends at most ten messages a second."""
    last = [0.0]

    def report(share: float, what: str) -> None:
        now = time.monotonic()
        if now - last[0] >= _SECONDS_BETWEEN_REPORTS:
            last[0] = now
            _send(channel, {"share": share, "what": what})

    return report
