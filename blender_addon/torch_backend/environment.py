"""Create, locate and remove the private environment.

It is in the extension's user folder, so that it survives updates of the extension. It appears complete or not at all.
Needs neither Blender nor the core.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "pytorch"
_UNFINISHED = f"{NAME}.unfinished-"
_DISCARDED = f"{NAME}.discarded-"
_LOCK = f"{NAME}.lock"
_WINDOWS = sys.platform == "win32"
_MOVE_TRIES = 20
_MOVE_WAIT_S = 0.25


class EnvironmentFault(Exception):  # noqa: N818 - EnvironmentError is a name of Python's own
    """The environment cannot be created or removed; the message says why and what to do.

    Attributes:
        output: the output of a failed program; empty if none failed.
    """

    def __init__(self, message: str, *, output: str = "") -> None:
        """Create the error with a *message* for the user and the output of a failed program."""
        super().__init__(message)
        self.output = output


def python_of(folder: Path) -> Path:
    """Return the path of the Python in the environment *folder*."""
    return folder / ("Scripts/python.exe" if _WINDOWS else "bin/python")


def environment_python(user_folder: Path) -> Path | None:
    """Return the Python of the private environment, or None when there is no environment."""
    python = python_of(user_folder / NAME)
    return python if python.is_file() else None


def short_paths_only() -> bool:
    """Return whether this is Windows with its default limit of 260 characters per path.

    The licences in PyTorch's package alone have paths of 170 characters, below a user folder of 100 or more.
    """
    if sys.platform != "win32":
        return False
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem") as key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0] != 1)
    except OSError:
        return True


def of_any_length(path: str) -> str:
    """Return an absolute Windows path in the form without a length limit."""
    if path.startswith("\\\\?\\"):
        return path
    return f"\\\\?\\UNC\\{path[2:]}" if path.startswith("\\\\") else f"\\\\?\\{path}"


def has_environment(user_folder: Path) -> bool:
    """Return whether there is a private environment, even one whose Python is missing."""
    return (user_folder / NAME).is_dir()


def base_python() -> Path:
    """Return the Python that creates the environment: the current one, which comes with Blender.

    Raises:
        EnvironmentFault: it has no executable.
    """
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    names = ("python.exe",) if _WINDOWS else (f"bin/{version}", "bin/python3")
    candidates = [Path(prefix) / name for prefix in (sys.prefix, sys.base_prefix) for name in names]
    if Path(sys.executable).name.lower().startswith("python"):  # some builds name Blender itself
        candidates.insert(0, Path(sys.executable))
    for candidate in candidates:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    raise EnvironmentFault(
        f"expected a Python executable in this Blender, found none in {sys.prefix}; choose a Python of your own "
        "under More Options > Made with"
    )


@contextmanager
def unfinished_environment(user_folder: Path) -> Iterator[Path]:
    """Yield an empty folder for a new environment; it is removed afterwards unless `publish` moved it.

    Raises:
        EnvironmentFault: another Blender is changing the environment.
    """
    user_folder.mkdir(parents=True, exist_ok=True)
    with _locked(user_folder):
        _remove_leftovers(user_folder)
        folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=user_folder))
        try:
            yield folder
        finally:
            _remove_tree(folder)


def publish(folder: Path, user_folder: Path) -> None:
    """Make the finished *folder* the private environment, replacing an existing one."""
    target = user_folder / NAME
    if target.exists():
        _discard(target)
    _move(folder, target)
    _remove_leftovers(user_folder)


def remove(user_folder: Path) -> None:
    """Remove the private environment, if there is one, and leftovers of unfinished ones.

    Raises:
        EnvironmentFault: the environment is in use, or another Blender is changing it.
    """
    if not user_folder.is_dir():
        return
    with _locked(user_folder):
        if (user_folder / NAME).exists():
            _discard(user_folder / NAME)
        _remove_leftovers(user_folder)


def free_mb(user_folder: Path) -> int:
    """Return the free disk space for *user_folder*, megabytes."""
    folder = user_folder
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free // 1_000_000


def _discard(target: Path) -> None:
    """Move the environment aside in one step, since removing it takes a while, then leave it to `_remove_leftovers`."""
    aside = Path(tempfile.mkdtemp(prefix=_DISCARDED, dir=target.parent))
    try:
        _move(target, aside / NAME)
    except EnvironmentFault:
        _remove_tree(aside)
        raise


def _move(source: Path, target: Path) -> None:
    """Rename *source*; retry on Windows, where a process that reads a file in it blocks it briefly."""
    for number in range(_MOVE_TRIES):
        try:
            source.rename(target)
            return
        except OSError as error:
            if not isinstance(error, PermissionError) or number == _MOVE_TRIES - 1:
                raise EnvironmentFault(
                    f"{source} cannot be moved to {target}: {error.strerror or error}; end the programs "
                    "that use it, and try again"
                ) from error
            time.sleep(_MOVE_WAIT_S)


def _remove_leftovers(user_folder: Path) -> None:
    for folder in user_folder.iterdir():
        if folder.name.startswith((_UNFINISHED, _DISCARDED)):
            _remove_tree(folder)


def _remove_tree(folder: Path) -> None:
    shutil.rmtree(of_any_length(str(folder.absolute())) if _WINDOWS else folder, ignore_errors=True)


@contextmanager
def _locked(user_folder: Path) -> Iterator[None]:
    """Lock the user folder against other Blenders; the lock ends with the process."""
    with (user_folder / _LOCK).open("w") as stream:
        try:
            _lock(stream.fileno())
        except OSError as error:
            raise EnvironmentFault(
                f"another Blender is changing the environment in {user_folder}; wait until it is done, or end it there"
            ) from error
        yield


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
