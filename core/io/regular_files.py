"""Check that a path names a file, and say what is there if not."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputMissingError


def what_is_at(path: Path) -> str:
    """Return what is at *path*, for messages: "a file", "a folder", "a pipe or a device", or "nothing"."""
    if path.is_file():
        return "a file"
    if path.is_dir():
        return "a folder"
    return "a pipe or a device" if path.exists() else "nothing"


def check_is_file(path: Path, what: str, advice: str = "check the path") -> None:
    """Check that there is a file at *path*; pipes and devices are none, since reading them may never end.

    Args:
        path: the file.
        what: what is expected in it, for the message.
        advice: what to do if there is none.

    Raises:
        InputMissingError: there is none; the message says what is there.
    """
    found = what_is_at(path)
    if found != "a file":
        raise InputMissingError(f"expected {what}, found {found} at {path}; {advice}")
