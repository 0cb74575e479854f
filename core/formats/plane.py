"""Points that all lie in one plane: 2D points in a file of 3D. F frames, K points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .raw import RawRecording

_MIN_POINTS = 9
"""Fewer points may lie in a plane by chance or in a test object."""
_FLAT = 1e-6
"""Extent along an axis over the largest extent, below which all points lie in a plane."""
_FEW = 32
"""So many frames are looked at first; most files are not flat in these."""


def _extents(positions: np.ndarray, present: np.ndarray) -> list[float]:
    """Return how far the present points extend along each axis, minus infinity without points."""
    seen = positions[present]
    return [float(extent) for extent in np.ptp(seen, axis=0)] if len(seen) else [-np.inf] * 3


def _is_flat(extents: list[float]) -> bool:
    return min(extents) <= _FLAT * max(extents) and max(extents) != 0.0


def describe_plane(recording: RawRecording) -> RawRecording:
    """Say in `image_space` that one coordinate is the same in all points and frames, if it is."""
    if recording.image_space is not None or recording.num_points < _MIN_POINTS:
        return recording
    present = recording.confidence > 0.0
    few = slice(None, None, max(1, recording.num_frames // _FEW))
    if not _is_flat(_extents(recording.positions[few], present[few])) or not present.any():
        return recording
    extents = _extents(recording.positions, present)
    if not _is_flat(extents):
        return recording
    flat = int(np.argmin(extents))
    value = float(recording.positions[..., flat][present][0])
    reason = (
        f"all points lie in one plane ({'xyz'[flat]} is {value:g} throughout), so they are 2D, as of Sports2D or of an "
        "image; a body cannot be found from them"
    )
    return replace(recording, image_space=reason)
