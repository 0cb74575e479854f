"""Where the tests find real recordings: those carried in the repository, and the originals beside it.

Carried are excerpts in ``tests/data`` (see its README), and twins of what may not be carried (`tests.twins`). The
originals are larger and not part of the repository. A test of recordings runs on what is carried and, where the
originals are, on those as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = Path(__file__).resolve().parent / "data"
CMU = DATA / "cmu_smpl"
"""Excerpts of motions in AMASS layout."""
ORIGINALS = REPOSITORY.parent / "shared" / "data"

CARRIED, ORIGINAL = "carried", "original"
SOURCES = (CARRIED, ORIGINAL) if ORIGINALS.is_dir() else (CARRIED,)


def cases(table: Iterable[tuple[str, Any]]) -> list[Any]:
    """Return parameters (source, ...) of a test, without those whose source is not here."""
    here = [values for values in table if values[0] in SOURCES]
    return [pytest.param(*values, id="-".join(str(value) for value in values[:2])) for values in here]
