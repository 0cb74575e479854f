"""Hidden folders beside a file to be written, which are removed even if the process that made them is killed.

A folder is locked while the process that made it runs; the operating system drops the lock when the process ends,
however it ends. The next process that writes to the same place removes what a killed one left: at once if the lock is
free, else (no locks on this file system, or a folder of another machine) when it has not been changed for a day. A
process number would not do: on a shared drive it is another machine's.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

TEMPORARY_PREFIX = ".writing-"
"""Prefix of the folders in which files are written; a leftover folder is from a killed process."""

_ABANDONED_S = 86400.0
"""Age in seconds after which an unchanged folder counts as abandoned, whichever process made it."""


@contextmanager
def temporary_folder(parent: Path, *, create: bool = True) -> Iterator[Path]:
    """Yield a new hidden folder in *parent*, and remove it with what is in it.

    What killed processes left in *parent* is removed first, once in a process.

    Args:
        parent: the folder.
        create: whether to create *parent* if it is missing. A hidden one never is: it was there, so the disk is gone.

    Raises:
        OSError: the folder cannot be made.
    """
    if create and not any(part.startswith(TEMPORARY_PREFIX) for part in parent.parts):
        parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers_once(os.path.realpath(parent))
    folder, lock = parent, None
    try:
        while lock is None:
            folder = parent / f"{TEMPORARY_PREFIX}{_machine()}-{secrets.token_hex(6)}"
            folder.mkdir(mode=0o700)
            lock = _lock_new(folder)
        yield folder
    finally:
        if lock is not None:
            os.close(lock)
        if folder != parent:
            try:
                shutil.rmtree(folder, ignore_errors=True)
            except KeyboardInterrupt:
                shutil.rmtree(folder, ignore_errors=True)
                raise


def remove_leftovers(parent: Path) -> None:
    """Remove the hidden folders in *parent* that killed processes left; those in use stay, and so does all else."""
    for path in parent.glob(f"{TEMPORARY_PREFIX}*"):
        try:
            age_s = time.time() - path.lstat().st_mtime
        except OSError:  # removed in the meantime
            continue
        if path.is_symlink() or not path.is_dir():
            continue
        if age_s > _ABANDONED_S:
            shutil.rmtree(path, ignore_errors=True)
        elif path.name.startswith(f"{TEMPORARY_PREFIX}{_machine()}-"):
            _remove_if_unlocked(path)


@cache
def _remove_leftovers_once(parent: str) -> None:
    remove_leftovers(Path(parent))


@cache
def _machine() -> str:
    """Return a mark of this machine. On certain shared drives the locks of other machines cannot be seen."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


if sys.platform == "win32":
    # A folder cannot be locked, but a file in it that is open cannot be removed.
    _HELD = ".held"

    def _lock_new(folder: Path) -> int | None:
        """Lock *folder*; return an open descriptor, or None if another process removed the folder."""
        try:
            return os.open(folder / _HELD, os.O_CREAT | os.O_WRONLY)
        except FileNotFoundError:
            return None

    def _remove_if_unlocked(folder: Path) -> None:
        with suppress(OSError):  # in use, or not locked yet
            os.unlink(folder / _HELD)
            shutil.rmtree(folder, ignore_errors=True)

else:
    import fcntl

    def _lock_new(folder: Path) -> int | None:
        """Lock *folder*; return an open descriptor, or None if another process removed the folder, or is about to."""
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            removed = not os.path.samestat(os.stat(folder), os.fstat(lock))
        except (BlockingIOError, FileNotFoundError):
            removed = True
        except OSError:  # no locks on this file system, so no other process finds the folder unlocked
            removed = False
        if removed:
            os.close(lock)
        return None if removed else lock

    def _remove_if_unlocked(folder: Path) -> None:
        try:
            lock = os.open(folder, os.O_RDONLY)
        except OSError:  # removed in the meantime
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # in use, or no locks on this file system
            pass
        finally:
            os.close(lock)
