"""Write the metrics of an evaluation as JSON."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from core.io.own_files import write_own_json


def write_json(path: Path, metrics: dict[str, Any]) -> None:
    """Write *metrics*, whole or not at all; non-finite numbers, which JSON cannot represent, become null."""
    write_own_json(path, _plain(metrics))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
