"""What is done to a clip's points before anything is fitted to them, so that no wrong one reaches another frame.

They are measured from their own middle, left and right are put back where they were exchanged, and what is not where
the body can have it is left out. F frames, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..observations import SolverPoints
from .label_swaps import LabelSwaps, find_label_swaps
from .outlier_runs import find_outlier_runs

_SAMPLE_FRAMES = 400
"""The middle is found from about so many frames, spread over the clip."""


@dataclass(frozen=True, eq=False)
class Screened:
    """Points to fit.

    Attributes:
        points: places about *origin*; what is wrong is missing.
        origin: (3,) float64, metres, in the middle of the clip: far from it, places would not fit into float32.
        outliers: (F, K) bool, points that were measured and are left out.
        swaps: what was exchanged left for right, and is put back.
    """

    points: SolverPoints
    origin: np.ndarray
    outliers: np.ndarray
    swaps: LabelSwaps


def screen(points: SolverPoints, fps: float) -> Screened:
    """Centre the points, put left and right back, and leave out points that are not where the body can have them.

    Args:
        points: as they were measured.
        fps: frames a second.
    """
    seen = points.weights > 0
    some = slice(None, None, max(1, len(seen) // _SAMPLE_FRAMES))
    sample = points.positions[some][seen[some]]
    origin = np.median(sample, axis=0) if len(sample) else np.zeros(3)
    positions = np.where(seen[..., None], points.positions - origin, 0.0)
    swaps = find_label_swaps(points.names, positions, seen, fps)
    positions, weights = (swaps.put_back(points.names, values) for values in (positions, points.weights))
    seen = weights > 0
    outliers = find_outlier_runs(points.names, positions, seen, fps)
    kept = seen & ~outliers
    positions = np.where(kept[..., None], positions, np.nan)
    points = replace(points, positions=positions, weights=np.where(kept, weights, 0.0))
    return Screened(points, origin, outliers, swaps)
