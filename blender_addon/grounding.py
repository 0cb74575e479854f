"""Put a figure's feet on the floor.

The floor is where the feet stand in most of their contacts, so a noisy frame or a foot that a fit pushed too low does
not lift the clip. In a clip without contacts (a jump, somebody who hangs) it is the lowest vertex of all frames. The
whole clip is moved by one offset, so jumps and steps stay as they were recorded.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .core_access import NUM_BETAS, BodyModel, Motion, prepare


def shape_of(motion: Motion) -> np.ndarray:
    """Return the first ten betas (10,) float32 of *motion*, filled with zeros where it has fewer."""
    betas = np.zeros(NUM_BETAS, dtype=np.float32)
    given = np.asarray(motion.betas)[:NUM_BETAS]
    betas[: len(given)] = given
    return betas


def on_floor(motion: Motion, model: BodyModel) -> Motion:
    """Return *motion* moved up or down, as a whole, so that the floor below it is at height 0."""
    lift = np.array([0.0, -prepare(motion, model).floor_height_m, 0.0])
    return replace(motion, trans=motion.trans + lift)
