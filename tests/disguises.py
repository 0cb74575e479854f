"""Other paths to a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DISGUISES = ("plain", "relative", "detour", "symlink", "symlink to a symlink", "folder symlink", "hard link", "case")
IN_EVERY_BLENDER = ("plain", *(pytest.param(kind, marks=pytest.mark.main_blender) for kind in DISGUISES[1:]))
"""`DISGUISES` for tests in Blender: Python resolves the paths, so one Blender shows it for all."""


def disguise(path: Path, kind: str) -> Path:
    """Return another path to the file *path*; links are made in a folder beside it.

    Skips the test where this file system has no such path.
    """
    if kind == "relative":
        return Path(os.path.relpath(path))
    if kind == "detour":
        return path.parent / ".." / path.parent.name / path.name
    if kind == "case":
        other = path.with_name(f"{path.stem.swapcase()}{path.suffix}")
        if not other.exists():
            pytest.skip("names that differ in case are different files here")
        return other
    return path if kind == "plain" else _link(path, kind)


def _link(path: Path, kind: str) -> Path:
    folder = path.parent / f"{kind} to {path.name}"
    folder.mkdir()
    link = folder / path.name
    try:
        if kind == "symlink":
            link.symlink_to(path)
        elif kind == "symlink to a symlink":
            (folder / "first").symlink_to(path)
            link.symlink_to("first")
        elif kind == "folder symlink":
            (folder / "again").symlink_to(path.parent, target_is_directory=True)
            return folder / "again" / path.name
        else:
            assert kind == "hard link"
            link.hardlink_to(path)
    except OSError:
        pytest.skip("links cannot be made here")
    return link
