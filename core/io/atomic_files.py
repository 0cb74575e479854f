"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputMissingError, OutputError

TEMPORARY_PREFIX = ".writing-"
"""What the folders begin with in which files are written; one that is left was cut off by a kill."""

_WAITS_S = (0.1, 0.2, 0.4, 0.8)
"""Windows replaces no file that is open: for a virus scanner it is worth waiting, for another program it is not."""


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside *path* that takes its place when the block ends well.

    If the block raises, the temporary file is removed and whatever stood at *path* is untouched. The temporary name
    ends in the name of *path*, so writers that look at the suffix see the right one; folders that are missing are
    made.

    Args:
        path: the file to write.

    Raises:
        InputMissingError: the block ended without having written the file.
        OutputError: the file that stands there cannot be replaced; it is as it was.
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
    """Move the file *source* to *target*, in place of what stands there.

    Raises:
        OutputError: that cannot be replaced.
    """
    for wait_s in (*_WAITS_S, None):
        try:
            os.replace(source, target)
            return
        except OSError as error:
            if wait_s is None or os.name != "nt" or not isinstance(error, PermissionError):
                raise OutputError(
                    f"expected to replace {target}, but it cannot be: {error.strerror or error}; close it where it is "
                    "open, see that it is not write-protected, and do this again"
                ) from error
            time.sleep(wait_s)
