"""Where the tests find real recordings: the originals beside the repository, and excerpts of them.

Neither is part of the repository. Where the originals are, excerpts are cut from them into ``tests/data`` once, and a
test of recordings runs on both; where they are not, it is skipped. Twins (`tests.twins`) are written by the tests.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.excerpts import write_excerpts

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = Path(__file__).resolve().parent / "data"
CMU = DATA / "cmu_smpl"
"""Excerpts of motions in AMASS layout."""
ORIGINALS = REPOSITORY.parent / "shared" / "data"

CARRIED, ORIGINAL = "carried", "original"
SOURCES = (CARRIED, ORIGINAL) if ORIGINALS.is_dir() else (CARRIED,)


def _cut_excerpts() -> None:
    """Cut the excerpts and copy the network's reference, each folder whole or not at all."""
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        write_excerpts(ORIGINALS, Path(folder))
        (Path(folder) / "reference").mkdir()
        for path in (ORIGINALS.parent / "reference").glob("reference_*"):
            shutil.copy(path, Path(folder) / "reference")
        for part in Path(folder).iterdir():
            if not (DATA / part.name).exists():
                shutil.move(part, DATA / part.name)


if ORIGINALS.is_dir() and not (DATA / "reference").is_dir():
    _cut_excerpts()


def cases(table: Iterable[tuple[str, Any]]) -> list[Any]:
    """Return parameters (source, ...) of a test, without those whose source is not here."""
    here = [values for values in table if values[0] in SOURCES]
    return [pytest.param(*values, id="-".join(str(value) for value in values[:2])) for values in here]
