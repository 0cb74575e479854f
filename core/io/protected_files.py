"""Protect input files from being overwritten, and find free names for new files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import OutputError

Files = Path | Iterable[Path] | None
"""One file, several, or none."""

_PACKAGE = Path(__file__).resolve().parents[1]
"""Folder with the body, the regressions and the network weights that every fit reads."""


class ProtectedFiles:
    """Files that must not be overwritten, whatever path leads to them.

    Two paths mean the same file if they do for the operating system: through symbolic links, hard links, relative parts
    or, where the file system ignores case, another case. A file that does not exist is protected by its path. For a
    folder, the files directly in it are protected: it is a clip with one file per frame.
    """

    def __init__(self, files: Mapping[Path, str], *, own_data: bool = True) -> None:
        """Protect *files*.

        Args:
            files: paths of files or folders, each with its role for messages ("the input", "the body").
            own_data: also protect the core's own data; False for the commands that generate it.
        """
        self._own_data = own_data
        self._by_path: dict[str, str] = {}
        self._by_identity: dict[tuple[int, int], str] = {}
        for path, role in files.items():
            self._add(path, role)
            for name in _names_in(path):
                self._add(path / name, f"a file of {role}")

    def _add(self, path: Path, role: str) -> None:
        self._by_path.setdefault(_real_path(path), role)
        identity = _identity(path)
        if identity is not None:
            self._by_identity.setdefault(identity, role)

    def _role_of(self, path: Path) -> str | None:
        """Return the role of the file at *path*, or None if it is not protected."""
        identity = _identity(path)
        by_identity = None if identity is None else self._by_identity.get(identity)
        return self._by_path.get(_real_path(path), by_identity)

    def check(self, path: Path, what: str = "the output") -> None:
        """Raise if *path* leads to a protected file.

        Args:
            path: the file to write.
            what: the role of the new file, for the message.

        Raises:
            OutputError: *path* leads to a protected file.
        """
        role = self._role_of(path)
        if role is None and self._own_data and Path(_real_path(path)).is_relative_to(os.path.normcase(_PACKAGE)):
            role = "a file of this program"
        if role is not None:
            raise OutputError(
                f"expected {what} to be another file than {role}, got {path}, which is that file; choose another name"
            )

    def free_path(self, path: Path, files_of: Callable[[Path], Sequence[Path]] = lambda path: (path,)) -> Path:
        """Return *path*, or the first of ``NAME_1``, ``NAME_2``, ... beside it that replaces no file.

        A name that differs from an existing one only in case is not free: on many systems it is the same.

        Args:
            path: the name to begin with; its suffix is kept.
            files_of: returns the files that would be written for a name, all in the folder of *path*.
        """
        existing = {name.lower() for name in _names_in(path.parent)}
        candidate, number = path, 0
        while any(file.name.lower() in existing or self._role_of(file) for file in files_of(candidate)):
            number += 1
            candidate = path.with_name(f"{path.stem}_{number}{path.suffix}")
        return candidate


def check_outputs(outputs: Mapping[str, Files], inputs: Mapping[str, Files], *, own_data: bool = True) -> None:
    """Refuse, before any work, outputs that cannot be files or that would replace an input or each other.

    Args:
        outputs: the files to write, by role ("the metrics"); None for an output that was not requested.
        inputs: the files to read, by role.
        own_data: whether to protect the core's own data too; False for the commands that create it.

    Raises:
        OutputError: an output is a folder, or resolves to an input or to another output.
    """
    protected = {path: role for role, files in inputs.items() for path in _paths(files)}
    for what, files in outputs.items():
        for path in _paths(files):
            if path.is_dir():
                raise OutputError(f"expected a file for {what}, found a folder at {path}; name a file in it")
            ProtectedFiles(protected, own_data=own_data).check(path, what)
        protected |= dict.fromkeys(_paths(files), what)


def _paths(files: Files) -> list[Path]:
    return [] if files is None else [files] if isinstance(files, Path) else list(files)


def _real_path(path: Path) -> str:
    """Return the absolute path that *path* leads to, with links resolved, in a form that can be compared."""
    place = os.path.realpath(path)
    if os.name == "posix":  # where two leading slashes are kept
        place = f"/{place.lstrip('/')}"
    return os.path.normcase(place)


def _names_in(folder: Path) -> list[str]:
    """Return the names in *folder*; empty if it is not a folder or cannot be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _identity(path: Path) -> tuple[int, int] | None:
    """Return the device and file numbers of the file that *path* leads to, or None if it cannot be found."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_ino else None
