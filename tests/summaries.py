"""Read the summary of a batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_summary(out: Path, name: str = "summary.jsonl") -> dict[str, Any]:
    """Return the totals of the summary *name* in *out*, with its inputs under ``inputs``."""
    totals, *inputs = map(json.loads, (out / name).read_text(encoding="utf-8").splitlines())
    return {**totals, "inputs": inputs}


def statuses(out: Path) -> dict[str, str]:
    """Return the status of each input, by its file name, from the summary in *out*."""
    return {Path(entry["input"]).name: entry["status"] for entry in read_summary(out)["inputs"]}
