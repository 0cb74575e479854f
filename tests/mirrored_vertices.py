"""The vertices of the free body across its plane of symmetry. V vertices."""

from __future__ import annotations

import numpy as np

from core.body.free_body import FREE_BODY_PATH


def free_body_mirror() -> np.ndarray:
    """Return the index (V,) of the vertex that mirrors each vertex on the plane x = 0."""
    with np.load(FREE_BODY_PATH) as stored:
        return stored["mirror"].astype(np.intp)
