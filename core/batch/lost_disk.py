"""A disk that a machine loses for a moment: tell that from other failures, and wait for it.

Without this, a machine of a cluster that has lost a shared disk would fail one input after the other, faster than all
others convert them.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

from .jobs import BatchError, Job

_PATIENCE_S = 60.0
"""How long to wait for a disk."""
_POLL_S = 0.5
_NAMES = (
    "ENOENT", "ENOTDIR", "EIO", "ENXIO", "ENODEV", "ESTALE", "ENOTCONN", "ETIMEDOUT", "EHOSTDOWN", "EHOSTUNREACH",
    "EREMOTEIO",
)  # fmt: skip
_ERRNOS = {getattr(errno, name) for name in _NAMES if hasattr(errno, name)}


class DiskLostError(BatchError):
    """An input could not be read, or its outputs not be written, as if the disk were gone."""


def is_of_lost_disk(error: BaseException | None) -> bool:
    """Return whether *error*, or what it came from, is one that a lost disk gives; a missing file gives it too."""
    while error is not None:
        if isinstance(error, FileNotFoundError | DiskLostError):
            return True
        if isinstance(error, OSError) and error.errno in _ERRNOS:
            return True
        error = error.__cause__ or error.__context__
    return False


def wait_for_disk(job: Job, on_progress: Callable[[float, str], None]) -> bool:
    """Wait for the folders of an input and of its outputs; return whether they are there.

    Args:
        job: the input.
        on_progress: called while waiting; what it raises ends the wait.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while not (_is_there(job.source.parent, filled=True) and _is_there(job.target.parent, filled=False)):
        if time.monotonic() > deadline:
            return False
        on_progress(0.0, "Waiting for the disk")
        time.sleep(_POLL_S)
    return True


def _is_there(folder: Path, *, filled: bool) -> bool:
    """Return whether *folder* can be listed; if it must be *filled*, an empty one is where the disk would be."""
    try:
        with os.scandir(folder) as entries:
            return not filled or next(entries, None) is not None
    except OSError:
        return False
