"""The worker process of a batch: answers its requests, see `background.messages`.

A worker does not outlive its batch: when the batch no longer listens, it removes unfinished files and ends.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import bpy

from ..background.messages import Channel, Message, PipeError
from ..core_access import ConvertOptions, CoreError, failure
from ..figure.custom_properties import has_live_settings
from ..result import properties
from .character_check import CHECK
from .convert import convert
from .onto_character import check_character

_REPORT_INTERVAL_S = 0.1


class _BatchGone(Exception):  # noqa: N818 - an event, not a fault of the conversion
    """The batch no longer listens."""


def serve() -> NoReturn:
    """Answer requests until standard input ends or the batch no longer listens, then end this process."""
    _register_live_settings()
    channel = Channel()
    tempfile.tempdir = bpy.app.tempdir  # the process that ends this one removes that folder
    folder = ""
    try:
        _send(channel, Message("ready", {"temporary": bpy.app.tempdir}))
        while (request := channel.receive()) is not None:
            folder = request.get("folder", str)
            _send(channel, Message("answer", {"answer": _answer(request.content, channel)}))
    except _BatchGone:
        pass
    except PipeError as error:  # the batch was killed while it wrote
        print(error, file=sys.stderr)
    _leave(folder)


def _answer(request: dict[str, Any], channel: Channel) -> dict[str, object]:
    """Return the result of the conversion or, if only the character is to be checked, nothing; or the error."""
    try:
        Path(str(request["folder"])).mkdir(mode=0o700, exist_ok=True)
        if request.get(CHECK):
            options = ConvertOptions.from_dict(request["options"])
            check_character(options.character, options.armature, options.bones)
            return {}
        return convert(request, _reporter(channel))
    except (CoreError, OSError) as error:
        return failure(error, Path(str(request["folder"])))


def _leave(folder: str) -> NoReturn:
    """Remove the unfinished *folder* and Blender's temporary files, and exit immediately.

    Python's regular exit would hang: once it has written a file, the bpy module's library destroys a condition variable
    that one of its threads still waits on.
    """
    for path in (folder, bpy.app.tempdir):
        if path:
            shutil.rmtree(path, ignore_errors=True)
    sys.stderr.flush()
    os._exit(0)


def _register_live_settings() -> None:
    """Register the live settings of figures if the add-on is not enabled, so that they are saved with a figure."""
    # An add-on enabled by --addons may be missing from the preferences, so check the registered property instead.
    if not has_live_settings():
        for cls in properties.CLASSES:
            bpy.utils.register_class(cls)
        properties.register()


def _send(channel: Channel, message: Message) -> None:
    try:
        channel.send(message)
    except OSError as error:  # a broken pipe
        raise _BatchGone from error


def _reporter(channel: Channel) -> Callable[[float, str], None]:
    """Return a progress callback that sends at most ten messages per second."""
    last = [0.0]

    def report(share: float, what: str) -> None:
        now = time.monotonic()
        if now - last[0] >= _REPORT_INTERVAL_S:
            last[0] = now
            _send(channel, Message("progress", {"share": float(share), "what": what}))

    return report
