"""Place points that cannot be interpreted roughly upright for display. F frames, K points."""

from __future__ import annotations

import numpy as np

from ..formats.raw import RawRecording
from .options import parse_up
from .up_axis import rotation_to_y_up

_HEIGHT_M = 1.5
_LOW, _HIGH = 5.0, 95.0
"""Percentiles between which the points of a frame extend: a stray must not shrink the rest."""


def rough_placement(recording: RawRecording) -> tuple[np.ndarray, np.ndarray]:
    """Return a guess (3, 3) and (3,) that turns and scales file coordinates to metres, Y up, and moves them.

    The points are as high as a person, stand on the floor, and are at the origin on the whole. Up is the axis that the
    file states, or else the one along which the points extend most.
    """
    positions = recording.positions[recording.confidence.any(axis=1)]
    if len(positions) == 0:
        return np.eye(3), np.zeros(3)
    with np.errstate(invalid="ignore"):
        low, high = np.nanpercentile(positions, (_LOW, _HIGH), axis=1)
    extent = np.median(high - low, axis=0)
    up = parse_up(recording.up_axis or "") or f"+{'XYZ'[int(np.argmax(extent))]}"
    height = float(extent["XYZ".index(up[1])])
    turn = rotation_to_y_up(up) * (_HEIGHT_M / height if height > 0.0 else 1.0)
    corners = np.stack([low, high]) @ turn.T
    middle = np.median(corners, axis=(0, 1))
    middle[1] = np.median(corners[..., 1].min(axis=0))
    return turn, -middle
