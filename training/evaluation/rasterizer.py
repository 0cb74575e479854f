"""A small software renderer with NumPy alone: shaded triangles with hidden surfaces removed, lines, dots and numbers.

Convention: a picture is (height, width, 3) uint8. A screen point is (column, row, depth), in pixels from the upper left
corner; depth increases towards the viewer. V vertices, T triangles.
"""

from __future__ import annotations

import numpy as np

_DOT = 2
"""Pixels per dot of the font."""
_LIGHT = np.array([0.35, -0.5, 0.79])
"""Direction towards the light: right, down, towards the viewer."""
_AMBIENT = 0.4
_DIGITS = {
    "0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717", "6": "74757", "7": "71222",
    "8": "75757", "9": "75717", ".": "00002", " ": "00000",
}  # fmt: skip
"""Five rows from the top, each an octal digit of three bits."""


def draw_mesh(picture: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, colours: np.ndarray) -> None:
    """Draw a closed mesh with back-face culling; nearer triangles hide farther ones.

    All pixels whose centres a triangle covers are painted from far to near.

    Args:
        picture: the picture to draw on.
        vertices: (V, 3) screen points.
        triangles: (T, 3) indices, counter-clockwise when seen from outside.
        colours: (T, 3) 0 to 255, in full light.
    """
    height, width = picture.shape[:2]
    corners = vertices[triangles].astype(np.float64)
    normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 1] - corners[:, 0])
    front = normal[:, 2] > 0.0
    corners, normal, colours = corners[front], normal[front], colours[front]
    low = np.clip(np.ceil(corners[..., :2].min(axis=1)), 0, [width, height]).astype(np.int64)
    high = np.clip(np.floor(corners[..., :2].max(axis=1)) + 1, 0, [width, height]).astype(np.int64)
    size = np.maximum(high - low, 0)
    count = size[:, 0] * size[:, 1]
    owner = np.repeat(np.arange(len(count)), count)
    index = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    columns = low[owner, 0] + index % size[owner, 0]
    rows = low[owner, 1] + index // size[owner, 0]
    inside, depth = _inside(corners[owner], columns, rows)
    owner, columns, rows, depth = owner[inside], columns[inside], rows[inside], depth[inside]
    normal = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    light = _AMBIENT + (1.0 - _AMBIENT) * np.clip(normal @ _LIGHT, 0.0, 1.0)
    order = np.argsort(depth, kind="stable")
    owner = owner[order]
    picture[rows[order], columns[order]] = (colours[owner] * light[owner, None]).astype(np.uint8)


def _inside(corners: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return whether pixels lie in their triangles (N, 3, 3), and the triangles' depths there (N,)."""
    x, y = corners[..., 0] - columns[:, None], corners[..., 1] - rows[:, None]
    shares = np.stack([x[:, 2] * y[:, 1] - x[:, 1] * y[:, 2], x[:, 0] * y[:, 2] - x[:, 2] * y[:, 0]], axis=1)
    shares = np.concatenate([shares, (x[:, 1] * y[:, 0] - x[:, 0] * y[:, 1])[:, None]], axis=1)
    total = np.maximum(shares.sum(axis=1), 1e-12)
    return (shares >= 0.0).all(axis=1), (shares * corners[..., 2]).sum(axis=1) / total


def draw_line(picture: np.ndarray, start: np.ndarray, end: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Draw a line, two pixels wide, between two screen points, over everything else."""
    steps = int(np.ceil(np.abs(end[:2] - start[:2]).max())) + 1
    along = np.linspace(0.0, 1.0, steps)[:, None]
    pixels = np.round((1.0 - along) * start[:2] + along * end[:2]).astype(np.int64)
    corners = np.concatenate([pixels + (right, down) for right in (0, 1) for down in (0, 1)])
    _paint(picture, corners, colour)


def draw_dot(picture: np.ndarray, centre: np.ndarray, radius: int, colour: tuple[int, int, int]) -> None:
    """Draw a filled circle around a screen point, over everything else."""
    reach = np.arange(-radius, radius + 1)
    right, down = (grid.ravel() for grid in np.meshgrid(reach, reach))
    disc = np.stack([right, down], axis=1)[right**2 + down**2 <= (radius + 0.5) ** 2]
    _paint(picture, np.round(centre[:2]).astype(np.int64) + disc, colour)


def draw_number(picture: np.ndarray, text: str, corner: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Draw digits, points and spaces, ten pixels high, from the upper left *corner* (column, row)."""
    for index, letter in enumerate(text):
        bits = np.array([[int(row) >> shift & 1 for shift in (2, 1, 0)] for row in _DIGITS[letter]])
        down, right = np.nonzero(np.kron(bits, np.ones((_DOT, _DOT), dtype=np.int64)))
        _paint(picture, np.stack([right + corner[0] + 4 * _DOT * index, down + corner[1]], axis=1), colour)


def _paint(picture: np.ndarray, pixels: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Set the pixels at *pixels* (N, 2), column and row, that lie inside the picture."""
    height, width = picture.shape[:2]
    pixels = pixels[((pixels >= 0) & (pixels < (width, height))).all(axis=1)]
    picture[pixels[:, 1], pixels[:, 0]] = colour


def halved(picture: np.ndarray) -> np.ndarray:
    """Return the picture at half the size, each pixel the mean of four, for antialiasing."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    fours = picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3)
    return np.asarray(fours.mean(axis=(1, 3)).astype(np.uint8))
