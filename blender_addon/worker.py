"""The worker's side of a batch: requests come on standard input, answers go to standard output."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import TextIO

from .core_access import CoreError
from .worker_process import MARK

_SECONDS_BETWEEN_REPORTS = 0.1


def serve() -> int:
    """Answer requests until standard input ends; return the exit code.

    Whatever else prints, Blender included, is led to standard error, so that messages stay whole.
    """
    from .conversion import convert

    _know_figures()
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _send(channel, {"ready": True})
    for line in sys.stdin:
        try:
            answer = convert(json.loads(line), _reporter(channel))
        except (CoreError, OSError) as error:
            answer = {"error": str(error), "kind": type(error).__name__}
        _send(channel, {"answer": answer})
    return 0


def _know_figures() -> None:
    """Register the live settings of figures where the add-on is not enabled, so that they are saved with a figure."""
    import bpy

    from . import figure_properties

    # An add-on enabled by --addons need not be in the preferences, so what is asked is what is there.
    if not figure_properties.is_registered():
        for cls in figure_properties.CLASSES:
            bpy.utils.register_class(cls)
        figure_properties.register()


def _send(channel: TextIO, message: dict[str, object]) -> None:
    channel.write(f"\n{MARK}{json.dumps(message)}\n")
    channel.flush()


def _reporter(channel: TextIO) -> Callable[[float, str], None]:
    """Return a progress callback that sends at most ten messages a second."""
    last = [0.0]

    def report(share: float, what: str) -> None:
        now = time.monotonic()
        if now - last[0] >= _SECONDS_BETWEEN_REPORTS:
            last[0] = now
            _send(channel, {"share": share, "what": what})

    return report
