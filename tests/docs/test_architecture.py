"""The page on the architecture: every package has one row, and every file that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
PARTS = ("core", "blender_addon", "training")


def names_in_table() -> list[str]:
    """Return the first column's paths; one without a folder is beside the path before it."""
    names: list[str] = []
    for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", row):
            names.append(name if "/" in name else f"{names[-1].rpartition('/')[0]}/{name}")
    return names


def test_every_package_is_in_the_table_once() -> None:
    packages = [
        path.parent.relative_to(REPOSITORY).as_posix()
        for part in PARTS
        for path in sorted((REPOSITORY / part).glob("*/__init__.py"))
    ]
    assert sorted(name for name in names_in_table() if not name.endswith(".py")) == sorted(packages)


def test_every_named_file_exists() -> None:
    names = {*re.findall(r"`([\w/]+/\w+\.py)`", PAGE), *(name for name in names_in_table() if name.endswith(".py"))}
    assert len(names) > 40
    assert [name for name in sorted(names) if not (REPOSITORY / name).is_file()] == []
