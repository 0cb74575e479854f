"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputMissingError


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
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=target.parent) as folder:
        temporary = Path(folder) / target.name
        yield temporary
        if not temporary.is_file():
            raise InputMissingError(f"expected a file to be written for {target}, but nothing was; the old file stays")
        os.replace(temporary, target)
