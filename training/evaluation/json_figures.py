"""Write the metrics of an evaluation as JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from core.io.atomic_files import atomic_path


def write_json(path: Path, metrics: dict[str, Any]) -> None:
    """Write *metrics* atomically; non-finite numbers, which JSON cannot represent, become null."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(_plain(metrics), indent=1, allow_nan=False), encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
