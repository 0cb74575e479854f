"""Figures of an evaluation as a JSON file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from core.io.atomic_files import atomic_path


def write_json(path: Path, figures: dict[str, Any]) -> None:
    """Write *figures*, whole or not at all; a number that is not finite, which JSON cannot hold, becomes null."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(_plain(figures), indent=1, allow_nan=False), encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
