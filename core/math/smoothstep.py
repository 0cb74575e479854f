"""A smooth passage from 0 to 1."""

from __future__ import annotations

import numpy as np


def smoothstep(share: np.ndarray) -> np.ndarray:
    """Return ``3 s^2 - 2 s^3`` of *share*, clipped to 0 to 1: it begins and ends without a slope."""
    bounded = np.clip(share, 0.0, 1.0)
    step: np.ndarray = bounded * bounded * (3.0 - 2.0 * bounded)
    return step
