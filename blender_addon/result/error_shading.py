"""Map errors to colours of the skin and of the error strip. Needs no Blender. K points, V vertices, F frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core_access import BodyData, landmark_regressor

_REACH_M = 0.06
"""Length scale with which the weight of a point falls off beyond the nearest point."""

_STOPS = np.array([0.0, 0.5, 1.0])
_COLORS = np.array([(0.04, 0.20, 0.55), (0.95, 0.80, 0.15), (0.75, 0.03, 0.03)])
_UNKNOWN = np.array([0.35, 0.35, 0.35])
_BLOCK = 1024
_HEADROOM, _LOWEST_TOP_MM = 1.1, 5.0


def ramp(errors_mm: np.ndarray, limit_mm: float) -> np.ndarray:
    """Return the colours (..., 3) of errors: blue at 0, yellow halfway, red from *limit_mm* on, grey where NaN."""
    share = np.clip(np.nan_to_num(errors_mm) / limit_mm, 0.0, 1.0)
    colors = np.stack([np.interp(share, _STOPS, column) for column in _COLORS.T], axis=-1)
    return np.where(np.isfinite(errors_mm)[..., None], colors, _UNKNOWN)


def point_shares(body: BodyData, names: tuple[str, ...]) -> np.ndarray:
    """Return the weights (V, K) of the solver points *names* for each vertex of *body*; rows sum to 1.

    The weights are Gaussian in the rest distance, relative to that of the nearest point.
    """
    vertices = body.v_template.astype(np.float64)
    points = landmark_regressor(body, names) @ vertices
    shares = np.empty((len(vertices), len(names)), dtype=np.float32)
    for start in range(0, len(vertices), _BLOCK):
        part = vertices[start : start + _BLOCK]
        squares = ((part[:, None] - points) ** 2).sum(axis=-1)
        shares[start : start + _BLOCK] = np.exp((squares.min(axis=1, keepdims=True) - squares) / _REACH_M**2)
    return shares / shares.sum(axis=1, keepdims=True)


def vertex_colors(shares: np.ndarray, errors_mm: np.ndarray, limit_mm: float) -> np.ndarray:
    """Return the colours (V, 4) float32 of a body.

    Args:
        shares: (V, K) from `point_shares`.
        errors_mm: (K,), NaN where a point was not measured; skin near only such points fades to grey.
        limit_mm: the error shown in full red.
    """
    known = np.isfinite(errors_mm)
    weight = shares @ known.astype(np.float32)
    error = (shares @ np.where(known, errors_mm, 0.0).astype(np.float32)) / np.maximum(weight, 1e-6)
    colors = np.ones((len(shares), 4), dtype=np.float32)
    colors[:, :3] = weight[:, None] * ramp(error, limit_mm) + (1.0 - weight[:, None]) * _UNKNOWN
    return colors


@dataclass(frozen=True)
class StripPlace:
    """The rectangle and frame range of an error strip.

    Attributes:
        left: x of the first frame's left edge, pixels.
        right: x of the last frame's right edge.
        bottom: y of error 0.
        height: height of the largest error shown.
        first: scene frame at the left.
        last: scene frame at the right.
    """

    left: float
    right: float
    bottom: float
    height: float
    first: int
    last: int

    def x(self, frame: float) -> float:
        """Return the x coordinate of the centre of a scene frame."""
        return self.left + (frame - self.first + 0.5) / (self.last - self.first + 1) * (self.right - self.left)


def strip_top(errors_mm: np.ndarray, limit_mm: float) -> float:
    """Return the error at the top of a strip: slightly above the worst, but at most the one shown in full red."""
    worst = float(np.nanmax(errors_mm, initial=0.0))
    return min(max(_HEADROOM * worst, _LOWEST_TOP_MM), limit_mm)


def strip_bars(
    errors_mm: np.ndarray, first_frame: int, place: StripPlace, limit_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the triangles of one bar per frame, or one per pixel, of the worst frame, if frames are narrower.

    Args:
        errors_mm: (F,) errors of the scene frames from *first_frame* on; frames without an error have no bar.
        first_frame: scene frame of the first error.
        place: the rectangle and frame range to draw.
        limit_mm: the error shown in full red; bars are clipped at `strip_top`.

    Returns:
        Corners (6 N, 2) in pixels, and colours (6 N, 4) of the corners.
    """
    frames = np.arange(place.first, place.last + 1)
    inside = (frames >= first_frame) & (frames < first_frame + len(errors_mm))
    shown = np.full(len(frames), np.nan)
    shown[inside] = errors_mm[frames[inside] - first_frame]
    columns = max(min(len(frames), int(place.right - place.left)), 1)
    worst = np.full(columns, np.nan)
    np.fmax.at(worst, np.arange(len(frames)) * columns // len(frames), shown)
    at = np.flatnonzero(np.isfinite(worst))
    edges = place.left + np.arange(columns + 1) / columns * (place.right - place.left)
    low, high = edges[at], edges[at + 1]
    top = place.bottom + place.height * np.clip(worst[at] / strip_top(errors_mm, limit_mm), 0.02, 1.0)
    base = np.full(len(at), place.bottom)
    corners = np.stack([low, base, high, base, high, top, low, base, high, top, low, top], axis=-1).reshape(-1, 2)
    colors = np.ones((len(at), 4))
    colors[:, :3] = ramp(worst[at], limit_mm)
    return corners.astype(np.float32), np.repeat(colors, 6, axis=0).astype(np.float32)
