"""Atomic writing: a file appears whole or not at all."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import CoreError, InputMissingError, OutputError
from .temporary_folders import temporary_folder

_WAITS_S = (0.1, 0.2, 0.4, 0.8)
"""Windows cannot replace an open file; these waits outlast a virus scanner, but not another program."""


@contextmanager
def atomic_path(path: Path | str, *, create_folder: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside *path* whose file replaces *path* when the block ends without an error.

    If the block raises, the temporary file is removed and *path* is untouched. The temporary file has the name of
    *path*, so writers that check the suffix see the right one. What a killed process left is removed by the next one
    that writes to the same folder, as `temporary_folder` says.

    Args:
        path: the file to write.
        create_folder: whether to create its folder if that is missing.

    Raises:
        InputMissingError: the block ended without writing the file.
        OutputError: the folder cannot be written to, the disk is full, or the existing file cannot be replaced; it is
            unchanged.
    """
    target = Path(path)
    try:
        with temporary_folder(target.parent, create=create_folder) as folder:
            temporary = folder / target.name
            yield temporary
            if not temporary.is_file():
                raise InputMissingError(f"expected a file to be written for {target}, but none was; the old one stays")
            replace_file(temporary, target)
    except OutputError as error:
        if error.path is None or error.path.name != target.name:
            raise
        raise not_written(target, error.reason) from error  # the temporary file's name tells the user nothing
    except CoreError:
        raise
    except OSError as error:
        raise not_written(target, error.strerror or str(error)) from error


def check_can_be_written(path: Path) -> None:
    """Check, before long work, that a file *path* can be created, by a temporary folder beside it.

    Raises:
        OutputError: its folder, or the one in which that would be created, cannot be written to.
    """
    folder = next((parent for parent in path.absolute().parents if os.path.lexists(parent)), path.absolute().parent)
    try:
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        with temporary_folder(folder):
            pass
    except OSError as error:
        raise not_written(path, error.strerror or str(error)) from error


def not_written(path: Path, reason: str) -> OutputError:
    """Return the error that the system did not write the file *path*, for a *reason* in its own words."""
    reason = " ".join(reason.removeprefix("Error: ").split())
    return OutputError(
        f"expected to write {path}, but this failed: {reason}; check the path, its permissions and the space left",
        path=path,
        reason=reason,
    )


def replace_file(source: Path, target: Path) -> None:
    """Move the file *source* to *target*, replacing an existing file.

    Raises:
        OutputError: the existing file cannot be replaced.
    """
    for wait_s in (*_WAITS_S, None):
        try:
            os.replace(source, target)
            return
        except IsADirectoryError as error:
            raise OutputError(f"expected a file at {target}, found a folder there; choose another name") from error
        except OSError as error:
            if wait_s is None or os.name != "nt" or not isinstance(error, PermissionError):
                raise OutputError(
                    f"expected to replace {target}, but this failed: {error.strerror or error}; close it where it is "
                    "open, check that it is not write-protected, and try again"
                ) from error
            time.sleep(wait_s)
