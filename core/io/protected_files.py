"""The rule for every file that is written: never onto one that is read. And names for new files that are still free."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..errors import OutputError

_PACKAGE = Path(__file__).resolve().parents[1]
"""Holds the body, the regressions and the network weights that every fit reads."""


class ProtectedFiles:
    """Files that must not be written onto, whatever path leads to them.

    Two paths mean the same file when they do so for the operating system: through symbolic links, hard links, relative
    parts or, where the file system ignores it, another case. A file that does not exist yet, or any more, is protected
    by its place. Of a folder, the files directly in it are protected: it is a clip of one file a frame.
    """

    def __init__(self, files: Mapping[Path, str], *, own_data: bool = True) -> None:
        """Protect *files*.

        Args:
            files: paths of files or folders, each with what it is ("the input", "the body").
            own_data: protect the core's own data too; False for the commands that make them.
        """
        self._own_data = own_data
        self._by_place: dict[str, str] = {}
        self._by_identity: dict[tuple[int, int], str] = {}
        for path, role in files.items():
            self._add(path, role)
            for name in _names_in(path):
                self._add(path / name, f"a file of {role}")

    def _add(self, path: Path, role: str) -> None:
        self._by_place.setdefault(_place(path), role)
        identity = _identity(path)
        if identity is not None:
            self._by_identity.setdefault(identity, role)

    def _role_of(self, path: Path) -> str | None:
        """Return what the file at *path* is, or None for one that was not named."""
        identity = _identity(path)
        by_identity = None if identity is None else self._by_identity.get(identity)
        return self._by_place.get(_place(path), by_identity)

    def check(self, path: Path, what: str = "the output") -> None:
        """Refuse to write *path* if it leads to a protected file.

        Args:
            path: the file to write.
            what: what it is to be, for the message.

        Raises:
            OutputError: it leads to a protected file.
        """
        role = self._role_of(path)
        if role is None and self._own_data and Path(_place(path)).is_relative_to(os.path.normcase(_PACKAGE)):
            role = "a file of this program"
        if role is not None:
            raise OutputError(
                f"expected {what} to be another file than {role}, got {path}, which is that file; choose another name"
            )

    def free_path(self, path: Path, files_of: Callable[[Path], Sequence[Path]] = lambda path: (path,)) -> Path:
        """Return *path*, or the first of ``NAME_1``, ``NAME_2``, ... beside it at which nothing would be replaced.

        A name that differs from an existing one only in case is not free: on many systems it is the same.

        Args:
            path: the name to begin with; its suffix is kept.
            files_of: returns the files that are written when a name is chosen, all in the folder of *path*.
        """
        existing = {name.lower() for name in _names_in(path.parent)}
        candidate, number = path, 0
        while any(file.name.lower() in existing or self._role_of(file) for file in files_of(candidate)):
            number += 1
            candidate = path.with_name(f"{path.stem}_{number}{path.suffix}")
        return candidate


def _place(path: Path) -> str:
    """Return the absolute path that *path* leads to, links followed, as text that compares equal for equal places."""
    place = os.path.realpath(path)
    if os.name == "posix":  # which leaves two slashes at the beginning as they are
        place = f"/{place.lstrip('/')}"
    return os.path.normcase(place)


def _names_in(folder: Path) -> list[str]:
    """Return the names in *folder*; none where it is no folder, or may not be looked into."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _identity(path: Path) -> tuple[int, int] | None:
    """Return the volume and file numbers of what *path* leads to; None where nothing can be found there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_ino else None
