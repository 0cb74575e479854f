"""Screen a clip's points before the fit, so that wrong points do not affect other frames.

The points are centred, jumps of the whole person are taken out, swapped left and right labels are corrected, and
outliers are removed. F frames, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...body_jumps import find_body_jumps
from ..observations import SolverPoints
from .label_swaps import LabelSwaps, find_label_swaps
from .outlier_runs import find_outlier_runs

_SAMPLE_FRAMES = 400
"""The centre is the median over about this many frames, spread over the clip."""


@dataclass(frozen=True, eq=False)
class Screened:
    """The screened points.

    Attributes:
        points: positions relative to *origin*; outliers are missing.
        origin: (F, 3) float64, metres, the centre of the clip, which moves with jumps of the whole person: far from it,
            float32 would not be precise enough, and across a jump, nothing is smooth.
        outliers: (F, K) bool, measured points that are removed.
        swaps: the swapped labels that are corrected.
    """

    points: SolverPoints
    origin: np.ndarray
    outliers: np.ndarray
    swaps: LabelSwaps


def screen(points: SolverPoints, fps: float) -> Screened:
    """Centre the points, take out jumps of the whole person, correct swapped labels, and remove outliers.

    Args:
        points: the measured points.
        fps: frames per second.
    """
    seen = points.weights > 0
    sampled = slice(None, None, max(1, len(seen) // _SAMPLE_FRAMES))
    sample = points.positions[sampled][seen[sampled]]
    centre = np.median(sample, axis=0) if len(sample) else np.zeros(3)
    positions = np.where(seen[..., None], points.positions - centre, 0.0)
    moved = np.cumsum(find_body_jumps(positions, seen, fps), axis=0)
    positions = np.where(seen[..., None], positions - moved[:, None], 0.0)
    swaps = find_label_swaps(points.names, positions, seen, fps)
    positions, weights = (swaps.put_back(points.names, values) for values in (positions, points.weights))
    seen = weights > 0
    outliers = find_outlier_runs(points.names, positions, seen, fps)
    inliers = seen & ~outliers
    positions = np.where(inliers[..., None], positions, np.nan)
    points = replace(points, positions=positions, weights=np.where(inliers, weights, 0.0))
    return Screened(points, centre + moved, outliers, swaps)
