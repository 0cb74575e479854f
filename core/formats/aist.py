"""AIST++ keypoints: a pickle with `keypoints3d_optim` and `keypoints3d`, (F, 17, 3) in COCO order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .raw import RawRecording, check_counts

KIND = "AIST++ PKL"
_FPS = 60.0
_NUM_POINTS = 17
_KEYS = ("keypoints3d_optim", "keypoints3d")
_LARGEST_M = 3.0
"""Nobody spans more than this in metres."""


def is_aist(content: Mapping[Any, Any]) -> bool:
    """Return whether a dictionary has AIST++'s keys; `keypoints3d` alone is of it only if it is in centimetres."""
    points = content.get(_KEYS[1])
    if _KEYS[0] in content or not isinstance(points, np.ndarray) or points.ndim != 3 or points.dtype.kind not in "fiu":
        return any(key in content for key in _KEYS)
    sizes = (points.max(axis=1) - points.min(axis=1)).astype(np.float64) if points.size else np.zeros(1)
    sizes = sizes[np.isfinite(sizes)]
    return bool(sizes.size) and float(np.median(sizes)) > _LARGEST_M


def read_points(content: Mapping[Any, Any], path: Path) -> list[RawRecording]:
    """Read the dictionary of an AIST++ pickle.

    Raises:
        TrackFileError: it has no keypoints.
    """
    key = next((key for key in _KEYS if key in content), None)
    points = content[key] if key is not None else None
    if (
        not isinstance(points, np.ndarray)
        or points.shape[1:] != (_NUM_POINTS, 3)
        or not (points.dtype.kind in "fiu" and points.dtype.itemsize > 1)
    ):
        keys = str(sorted(map(str, content)))[:200]
        found = keys if points is None else type(points).__name__
        if isinstance(points, np.ndarray):
            found = f"{points.dtype} {points.shape}"
        raise TrackFileError(
            f"expected a dictionary with 'keypoints3d_optim' or 'keypoints3d' (frames, 17, 3), found {found} in "
            f"{path}; give AIST++ keypoints3d, or save the points as NPZ"
        )
    check_counts(len(points), _NUM_POINTS, path)
    return [
        RawRecording(
            points.astype(np.float64),
            np.ones(points.shape[:2]),
            KIND,
            path,
            fps=_FPS,
            units="cm",
            layout="coco17",
            notes=(f"Read from {key!r}; AIST++ is in centimetres at 60 fps.",),
        )
    ]
