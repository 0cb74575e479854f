"""Claims on the inputs of a batch, so that runs which share an output folder do nothing twice.

A claim is a hidden file beside the outputs of an input. It says which process converts the input, and is touched while
that process lives. It has expired if its process, on this machine, has ended, or if it was not touched for two minutes.
Two runs may then still convert the same input, on a drive whose clocks differ by more than that: they replace each
other's whole files.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..io.atomic_files import not_written

CLAIM_SUFFIX = ".smplify-claim"
_TOUCHED_EVERY_S = 20.0
_EXPIRES_S = 120.0
_MAX_BYTES = 1000
_RUN = secrets.token_hex(4)
"""With the number of the process, a mark of it that those in other containers of the machine do not have."""


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Hold the claim *path* within the context; yield False if another run holds it.

    Raises:
        OSError: its folder cannot be written to.
    """
    token = f"{_RUN}-{secrets.token_hex(8)}"
    with _HELD.during(token, path):
        ours = _take(path, token)
        try:
            yield ours
        finally:
            if ours and _read(path).get("token") == token:
                with suppress(OSError):
                    path.unlink()


def remove_expired_claims(folder: Path) -> None:
    """Remove the claims in *folder* that a killed run left."""
    for path in folder.glob(f".*{CLAIM_SUFFIX}"):
        if _has_expired(path):
            with suppress(OSError):
                _remove_expired(path)


def _take(path: Path, token: str) -> bool:
    """Create the claim *path* with its *token*; return False if another run holds it."""
    for _ in range(2):
        if _create(path, token):
            return True
        if path.exists() and not (_has_expired(path) and _remove_expired(path)):
            return False
    return False


def _create(path: Path, token: str) -> bool:
    """Create the claim *path* unless there is one; return whether it is ours.

    Raises:
        OutputError: it cannot be written; there is none then.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(json.dumps({"host": socket.gethostname(), "process": os.getpid(), "token": token}))
    except OSError as error:  # an empty claim would keep everybody from the input until it expired
        with suppress(OSError):
            path.unlink()
        raise not_written(path, error.strerror or str(error)) from error
    return True


def _remove_expired(path: Path) -> bool:
    """Remove the claim *path* if it has expired; return whether it has.

    Of several runs that find the same one, the later must not remove what the first has put in its place. So they look
    again while they hold a lock on the folder, where its file system has locks.
    """
    with _locked(path.parent):
        expired = _has_expired(path)
        if expired:
            path.unlink(missing_ok=True)
        return expired


def _has_expired(path: Path) -> bool:
    """Return whether the process that made the claim *path* has ended, or must have; False if it was given back."""
    try:
        age_s = time.time() - path.stat().st_mtime
    except OSError:
        return False
    holder = _read(path)
    return age_s > _EXPIRES_S or (
        holder.get("host") == socket.gethostname() and (_has_ended(holder.get("process")) or _is_forgotten(holder))
    )


def _is_forgotten(holder: dict[str, object]) -> bool:
    """Return whether a claim is of this process, which no longer holds it: the disk was gone as it gave it back."""
    token = holder.get("token")
    ours = holder.get("process") == os.getpid() and isinstance(token, str) and token.startswith(_RUN)
    return ours and not _HELD.has(str(token))


def _read(path: Path) -> dict[str, object]:
    """Return what a claim says; empty if it is gone, being written or damaged."""
    try:
        with path.open("rb") as stream:
            content = json.loads(stream.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _has_ended(process: object) -> bool:
    """Return whether there is no process of this number on this machine; False where that cannot be found out."""
    if not isinstance(process, int) or not 0 < process < 1 << 31 or sys.platform == "win32":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


class _Held:
    """The claims of this process, touched now and then by a thread while there are any."""

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def during(self, token: str, path: Path) -> Iterator[None]:
        """Count the claim *path* with its *token* as held within the context."""
        with self._lock:
            self._paths[token] = path
            if self._thread is None:
                self._thread = threading.Thread(target=self._touch, name="claims", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                del self._paths[token]

    def has(self, token: str) -> bool:
        """Return whether the claim with this token is held."""
        with self._lock:
            return token in self._paths

    def _touch(self) -> None:
        while True:
            time.sleep(_TOUCHED_EVERY_S)
            with self._lock:
                if not self._paths:
                    self._thread = None
                    return
                held = list(self._paths.values())
            for path in held:
                with suppress(OSError):
                    os.utime(path)


_HELD = _Held()


if sys.platform == "win32":

    @contextmanager
    def _locked(folder: Path) -> Iterator[None]:
        """Do nothing: a folder cannot be locked."""
        yield

else:
    import fcntl

    @contextmanager
    def _locked(folder: Path) -> Iterator[None]:
        """Hold a lock on *folder* within the context, if its file system has locks; it ends with the process."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
