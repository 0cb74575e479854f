"""Draw coloured triangles in a viewport's draw handler."""

from __future__ import annotations

import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader


def draw_triangles(corners: np.ndarray, colors: np.ndarray) -> None:
    """Draw a triangle for every three *corners*, each corner in its own colour.

    Args:
        corners: (3 N, 3) in the scene, or (3 N, 2) in pixels from the lower left corner of the region.
        colors: (3 N, 4) RGBA.
    """
    if len(corners) == 0:
        return
    if corners.shape[1] == 2:
        corners = np.column_stack([corners, np.zeros(len(corners))])
    shader = gpu.shader.from_builtin("FLAT_COLOR")
    buffers = {"pos": corners.astype(np.float32), "color": colors.astype(np.float32)}
    batch_for_shader(shader, "TRIS", buffers).draw(shader)
