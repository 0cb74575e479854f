"""Archives that are no NPZ: say what they are and what to do."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ..errors import TrackFileError

_MEMBERS = (
    ("xl/workbook.xml", "an Excel table", "save it as CSV"),
    ("xl/", "an Excel table", "save it as CSV"),
    ("content.xml", "an OpenDocument table", "save it as CSV"),
    ("word/", "a Word document", "give the keypoints"),
)  # fmt: skip


def refuse_other_archives(path: Path) -> None:
    """Raise for a ZIP archive that belongs to a known program.

    Raises:
        TrackFileError: the archive is a spreadsheet or a text document.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:1000]
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError):
        return
    for mark, kind, remedy in _MEMBERS:
        if any(mark in name for name in names):
            raise TrackFileError(f"expected 3D keypoints, found {kind} in {path}; {remedy}")
