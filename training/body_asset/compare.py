"""Compare a rebuilt free body with a file: equal bytes on one machine, equal up to rounding across machines."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.body.data import BodyData
from core.body.free_body import decode_fingers, decode_free_body

TOLERANCE = {
    "v_template": 1e-5,
    "shapedirs": 1e-5,
    "posedirs": 2e-4,
    "joint_regressor": 1e-3,
    "weights": 1e-4,
    "texture": 1e-3,
}
"""Largest allowed difference per array of the body: metres, or shares of 1."""


def differences(built: Mapping[str, np.ndarray], stored: Mapping[str, np.ndarray]) -> list[str]:
    """Return a line for each array of two compact files that differs beyond rounding."""
    faults = [
        f"{name} differs"
        for name in ("format_version", "name", "gender", "source", "faces", "mirror", "source_vertex")
        if not np.array_equal(built[name], stored[name])
    ]
    ours, theirs = decode_free_body(built), decode_free_body(stored)
    fingered = decode_fingers(built, ours), decode_fingers(stored, theirs)
    for name, tolerance in TOLERANCE.items():
        difference = max(_largest(ours, theirs, name), _largest(*fingered, name))
        if difference > tolerance:
            faults.append(f"{name} differs by {difference:.2g}, more than {tolerance:.2g}")
    return faults


def _largest(first: BodyData, second: BodyData, name: str) -> float:
    """Return the largest difference of the array *name* of two bodies."""
    return float(np.abs(getattr(first, name) - getattr(second, name)).max())
