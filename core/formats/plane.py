"""Points that all lie in one plane: 2D points in a file of 3D. F frames, K points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .raw import RawRecording

_MIN_POINTS = 9
"""Fewer points may lie in a plane by chance or in a test object."""
_FLAT = 1e-6
"""Extent along an axis over the largest extent, below which all points lie in a plane."""


def describe_plane(recording: RawRecording) -> RawRecording:
    """Say in `image_space` that one coordinate is the same in all points and frames, if it is."""
    if recording.image_space is not None or recording.num_points < _MIN_POINTS:
        return recording
    present = recording.confidence > 0.0
    if not present.any():
        return recording
    extents = []
    for axis in range(3):
        values = recording.positions[..., axis]
        low = values.min(where=present, initial=np.inf)
        extents.append(float(values.max(where=present, initial=-np.inf) - low))
    flat = int(np.argmin(extents))
    if extents[flat] > _FLAT * max(extents):
        return recording
    value = float(recording.positions[..., flat][present][0])
    reason = (
        f"all points lie in one plane ({'xyz'[flat]} is {value:g} throughout), so they are 2D, as of Sports2D or of an "
        "image; a body cannot be found from them"
    )
    return replace(recording, image_space=reason)
