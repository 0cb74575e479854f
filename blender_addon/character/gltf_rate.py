"""The frame rate at which a glTF file is keyed, which the format does not state. Needs no Blender."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any

_LEAST_RATE, _COMMON_RATE, _LARGEST_RATE = 20.0, 30.0, 10_000.0
"""Keys nearer than 1/20 s are those of frames; others say nothing about frames, and the common rate is used."""
_GLB_MAGIC = b"glTF"
_MAX_JSON_BYTES = 1 << 28


def gltf_rate(path: Path) -> float:
    """Return the rate of the most densely keyed channel of a .gltf, .glb or .vrm file, frames per second.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        content = _gltf_json(path)
        accessors, rates = content.get("accessors", []), [0.0]
        for animation in content.get("animations", []):
            for sampler in animation["samplers"]:
                times = accessors[sampler["input"]]
                duration = times["max"][0] - times["min"][0]
                if duration > 0.0:
                    rates.append((times["count"] - 1) / duration)
        if not all(isfinite(rate) and rate <= _LARGEST_RATE for rate in rates):
            raise ValueError(f"its keys are more than {_LARGEST_RATE:g} a second")
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise ValueError(f"its animation is damaged ({type(error).__name__}: {str(error)[:100]})") from error
    return max(rates) if max(rates) > _LEAST_RATE else _COMMON_RATE


def _gltf_json(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(20)
        if not head.startswith(_GLB_MAGIC):
            file.seek(0)
        size = int.from_bytes(head[12:16], "little") if head.startswith(_GLB_MAGIC) else _MAX_JSON_BYTES
        return json.loads(file.read(min(size, _MAX_JSON_BYTES)))
