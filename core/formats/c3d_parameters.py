"""Read the parameters of a C3D file, which the `c3d` package holds as bytes."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np


def strings(reader: Any, name: str) -> list[str]:
    """Decode a string parameter, such as POINT:UNITS; its first dimension is the width of the strings."""
    parameter = reader.get(name)
    if parameter is None or not parameter.dimensions or parameter.bytes_per_element != -1:
        return []
    raw = bytes(parameter.bytes).decode("latin-1")
    width = parameter.dimensions[0]
    if len(parameter.dimensions) == 1 or not width:
        return [raw.strip(" \0")] if raw else []
    return [raw[start : start + width].strip(" \0") for start in range(0, len(raw), width)]


def numbered_strings(reader: Any, name: str) -> list[str]:
    """Return a parameter's strings and their continuations: more than 255 labels continue in LABELS2, LABELS3, ..."""
    found = strings(reader, name)
    number = 2
    while more := strings(reader, f"{name}{number}"):
        found += more
        number += 1
    return found


def value(reader: Any, name: str) -> float | None:
    """Return a parameter as one number, float or integer by its width; None if it is absent or damaged."""
    parameter = reader.get(name)
    if parameter is None:
        return None
    width = parameter.bytes_per_element
    if width not in (2, 4) or len(parameter.bytes) < width:
        return None
    return float(parameter.float_value if width == 4 else parameter.uint16_value)


def integer(reader: Any, name: str, default: int) -> int:
    """Return a parameter as a whole number, *default* if it is absent or damaged."""
    found = value(reader, name)
    return default if found is None or not np.isfinite(found) else int(found)


def field(reader: Any, name: str) -> int:
    """Return a frame number stored as two 16-bit words; 0 if absent."""
    parameter = reader.get(name)
    if parameter is None or parameter.bytes_per_element != 2 or len(parameter.bytes) < 4:
        return 0
    low, high = struct.unpack(">HH" if reader.proc_type == "MIPS" else "<HH", bytes(parameter.bytes)[:4])
    return int(low) + (int(high) << 16)


def ieee_floats(words: np.ndarray) -> np.ndarray:
    """Return VAX floats as IEEE floats: a VAX float has swapped halves and an exponent larger by 2.

    Args:
        words: (..., 2 N) 16-bit words.

    Returns:
        (..., N) float32.
    """
    halves = words.reshape(*words.shape[:-1], -1, 2)[..., ::-1]
    numbers: np.ndarray = np.ascontiguousarray(halves).view("<f4")[..., 0] / np.float32(4.0)
    return numbers
