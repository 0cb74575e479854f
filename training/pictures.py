"""Draw small pictures of predictions with NumPy: two views of the vertices as points."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from core.io.own_files import write_own_bytes

SIZE = 240
_SPAN_M = 2.2
_RED_AT_M = 0.05
_VIEWS = ((0, 1, 2), (2, 1, 0))
"""By view: the axes pointing right, up, and out of the picture."""


def draw_pair(predicted: np.ndarray, true: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return a picture (2 SIZE, 3 SIZE, 3) uint8: start, truth and prediction, each from the front and from the side.

    The prediction is coloured from green (no error) to red (50 mm or more).

    Args:
        predicted: (V, 3) vertices relative to the pelvis, metres.
        true: (V, 3).
        start: (V, 3) in the start pose.
    """
    grey, blue = np.array([150, 150, 150]), np.array([90, 130, 200])
    share = np.clip(np.linalg.norm(predicted - true, axis=-1) / _RED_AT_M, 0.0, 1.0)[:, None]
    graded = (1.0 - share) * np.array([60, 170, 80]) + share * np.array([220, 40, 40])
    shown = (
        (start, np.broadcast_to(grey, start.shape)),
        (true, np.broadcast_to(blue, true.shape)),
        (predicted, graded),
    )
    rows = [np.concatenate([_view(points, colours, axes) for points, colours in shown], axis=1) for axes in _VIEWS]
    return np.concatenate(rows, axis=0)


def _view(points: np.ndarray, colours: np.ndarray, axes: tuple[int, int, int]) -> np.ndarray:
    """Draw points (V, 3) with their colours (V, 3); nearer points cover farther ones and are brighter."""
    right, up, out = axes
    image = np.full((SIZE, SIZE, 3), 255, dtype=np.uint8)
    columns = np.round((points[:, right] / _SPAN_M + 0.5) * (SIZE - 1)).astype(np.int64)
    rows = np.round((0.5 - points[:, up] / _SPAN_M) * (SIZE - 1)).astype(np.int64)
    order = np.argsort(points[:, out], kind="stable")
    order = order[((columns >= 0) & (columns < SIZE - 1) & (rows >= 0) & (rows < SIZE - 1))[order]]
    depth = points[order, out]
    shade = 0.65 + 0.35 * (depth - depth.min()) / max(float(np.ptp(depth)), 1e-6) if len(order) else depth
    colour = (colours[order] * shade[:, None]).astype(np.uint8)
    for down in (0, 1):
        for along in (0, 1):
            image[rows[order] + down, columns[order] + along] = colour
    return image


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write a picture (H, W, 3) uint8 as PNG, atomically, marked as this program's."""
    height, width = pixels.shape[:2]
    lines = np.concatenate([np.zeros((height, 1), dtype=np.uint8), pixels.reshape(height, -1)], axis=1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines.tobytes()))
        + chunk(b"IEND", b"")
    )
    write_own_bytes(path, data)
