"""Markers of constant screen size: discs and rings that face the viewer. N markers. Needs no Blender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CORNERS = 10
_ANGLES = np.linspace(0.0, 2.0 * np.pi, CORNERS, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=-1)


@dataclass(frozen=True, eq=False)
class View:
    """The view of a 3D viewport.

    Attributes:
        view: (4, 4) matrix from world to view space.
        window: (4, 4) matrix from view to clip space.
        width_px: width of the region, pixels.
    """

    view: np.ndarray
    window: np.ndarray
    width_px: int

    def metres_per_pixel(self, points: np.ndarray) -> np.ndarray:
        """Return the size (N,) of a pixel at *points* (N, 3), metres; undefined for points behind the viewer."""
        clip = self.window @ self.view
        depth = points @ clip[3, :3] + clip[3, 3]
        return 2.0 * np.abs(depth) / (abs(self.window[0, 0]) * self.width_px)

    def circles(self, points: np.ndarray, radius_px: float) -> np.ndarray:
        """Return the corners (N, 10, 3) of circles around *points* (N, 3)."""
        right, up = self.view[0, :3], self.view[1, :3]
        arms = _CIRCLE[:, :1] * right + _CIRCLE[:, 1:] * up
        radius = radius_px * self.metres_per_pixel(points)
        return points[:, None, :] + radius[:, None, None] * arms[None]


def disc_triangles(circles: np.ndarray) -> np.ndarray:
    """Return the corners (N * 24, 3) of the triangles that fill *circles* (N, 10, 3)."""
    fan = np.array([(0, corner, corner + 1) for corner in range(1, CORNERS - 1)])
    return circles[:, fan].reshape(-1, 3)


def ring_lines(circles: np.ndarray) -> np.ndarray:
    """Return the ends (N * 20, 3) of the lines along *circles* (N, 10, 3)."""
    pairs = np.array([(corner, (corner + 1) % CORNERS) for corner in range(CORNERS)])
    return circles[:, pairs].reshape(-1, 3)
