"""Atomic writing: a file appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputMissingError, OutputError

TEMPORARY_PREFIX = ".writing-"
"""Prefix of the temporary folders in which files are written; a leftover folder is from a killed process."""

_WAITS_S = (0.1, 0.2, 0.4, 0.8)
"""Windows cannot replace an open file; these waits outlast a virus scanner, but not another program."""


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside *path* whose file replaces *path* when the block ends without an error.

    If the block raises, the temporary file is removed and *path* is untouched. The temporary file has the name of
    *path*, so writers that check the suffix see the right one. Missing folders are created.

    Args:
        path: the file to write.

    Raises:
        InputMissingError: the block ended without writing the file.
        OutputError: the existing file cannot be replaced; it is unchanged.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=target.parent, ignore_cleanup_errors=True) as folder:
        temporary = Path(folder) / target.name
        yield temporary
        if not temporary.is_file():
            raise InputMissingError(f"expected a file to be written for {target}, but nothing was; the old file stays")
        replace_file(temporary, target)


def replace_file(source: Path, target: Path) -> None:
    """Move the file *source* to *target*, replacing an existing file.

    Raises:
        OutputError: the existing file cannot be replaced.
    """
    for wait_s in (*_WAITS_S, None):
        try:
            os.replace(source, target)
            return
        except OSError as error:
            if wait_s is None or os.name != "nt" or not isinstance(error, PermissionError):
                raise OutputError(
                    f"expected to replace {target}, but this failed: {error.strerror or error}; close it where it is "
                    "open, check that it is not write-protected, and try again"
                ) from error
            time.sleep(wait_s)
