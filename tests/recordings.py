"""Where the tests find recordings: twins (`tests.twins`), which they write, and the originals beside the repository.

The originals are no part of it. A fast test runs on both; a slow one on the originals where they are, else on twins.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
ORIGINALS = REPOSITORY.parent / "shared" / "data"

TWIN, ORIGINAL = "twin", "original"
SOURCES = (TWIN, ORIGINAL) if ORIGINALS.is_dir() else (TWIN,)


def cases(table: Iterable[tuple[str, Any]]) -> list[Any]:
    """Return parameters (source, ...) of a test, without those whose source is not here."""
    here = [values for values in table if values[0] in SOURCES]
    return [pytest.param(*values, id="-".join(str(value) for value in values[:2])) for values in here]
