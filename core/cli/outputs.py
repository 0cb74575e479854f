"""The files that a command writes: checked before it begins, and listed if it is interrupted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import CoreError
from ..io.atomic_files import check_can_be_written
from ..io.own_files import check_replaceable
from ..io.protected_files import Files, check_outputs


class Outputs:
    """The files that a command may write."""

    def __init__(self, inputs: Mapping[str, Files], *, overwrite: bool) -> None:
        """Protect *inputs*, by role; if *overwrite*, other files that are not this program's may be replaced."""
        self._inputs = inputs
        self._overwrite = overwrite
        self._before: dict[Path, tuple[int, int] | None] = {}

    def check(self, outputs: Mapping[str, Path]) -> None:
        """Check the names of files that may be written, by role.

        Raises:
            OutputError: one is a folder, an input or another output.
        """
        check_outputs(outputs, self._inputs)

    def plan(self, outputs: Iterable[Mapping[str, Path]]) -> None:
        """Check the files that will be written, by role, for each person.

        Raises:
            OutputError: one is a folder, an input, another output, a file that may not be replaced, or in a folder
                that cannot be written to.
        """
        for files in outputs:
            self.check(files)
            for path in files.values():
                check_can_be_written(path)
            if not self._overwrite:
                check_replaceable(files.values())
            self._before |= {path: _state(path) for path in files.values()}

    def interrupted(self) -> str:
        """Return what to say after an interrupt: which files were written."""
        written = [str(path) for path, before in self._before.items() if _state(path) != before]
        if not written:
            return "interrupted; nothing was written"
        missing = len(self._before) - len(written)
        rest = "" if not missing else "; run it again to write the rest"
        return f"interrupted after it wrote {', '.join(written)}{rest}"


def check_suffix(output: Path, formats: Sequence[str] = ("npz",)) -> None:
    """Check that *output* ends in the suffix of one of *formats*.

    Raises:
        CoreError: it does not.
    """
    wanted = " or ".join(f".{suffix}" for suffix in formats)
    if not output.name:
        raise CoreError(f"expected the name of a file that ends in {wanted}, got {output}, a folder; name a file in it")
    if output.suffix.lower().lstrip(".") not in formats:
        named = output.with_suffix(f".{formats[0]}")
        raise CoreError(f"expected an output that ends in {wanted}, got {output}; name it {named}")


def _state(path: Path) -> tuple[int, int] | None:
    """Return what differs once another file was moved to *path*; None if there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
