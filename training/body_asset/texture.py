"""Texture coordinates of the final mesh, from MakeHuman's: each face corner gets one of its vertex's coordinates.

A vertex on a seam has several; those that make the face smallest in the texture are chosen, so that it stays on one
side of the seam. A face across a seam, as where a hole was closed, is unfolded over an edge, at the usual scale.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from .makehuman import MakeHuman
from .surface import NUM_BODY_VERTICES, Surface

_STRETCHED = 4.0
"""Faces enlarged in the texture by more than this factor of the usual scale lie across a seam."""


def texture_coordinates(human: MakeHuman, surface: Surface, vertices: np.ndarray) -> np.ndarray:
    """Return the texture coordinates (F, 3, 2) of the faces' corners, 0 to 1.

    Args:
        human: MakeHuman's mesh.
        surface: the final mesh.
        vertices: (V, 3) its vertices, metres.
    """
    choices: list[list[int]] = [[] for _ in range(NUM_BODY_VERTICES)]
    pairs = np.unique(np.stack([human.quads["body"].ravel(), human.body_uv.ravel()], axis=1), axis=0)
    for vertex, point in pairs.tolist():
        choices[vertex].append(point)
    corners = np.array([_smallest(face, choices, human.texture) for face in surface.source[surface.faces].tolist()])
    points, places = human.texture[corners], vertices[surface.faces]
    scale = _perimeters(points) / _perimeters(places)
    usual = float(np.median(scale))
    for face in np.flatnonzero(scale > _STRETCHED * usual):
        corner, point = _unfold_over_edge(points[face], places[face], usual)
        points[face, corner] = point
    return np.clip(points, 0.0, 1.0)


def _smallest(face: list[int], choices: list[list[int]], texture: np.ndarray) -> tuple[int, ...]:
    """Return the texture points of *face*'s three vertices that lie closest together."""
    options = list(product(*(choices[vertex] for vertex in face)))
    return options[int(np.argmin(_perimeters(texture[np.array(options)])))]


def _unfold_over_edge(points: np.ndarray, places: np.ndarray, scale: float) -> tuple[int, np.ndarray]:
    """Return the corner to move in the texture and its new point, which unfolds the face over the opposite edge.

    Args:
        points: (3, 2) the face's corners in the texture.
        places: (3, 3) the face's corners, metres.
        scale: usual length in the texture per metre.
    """
    edges = np.linalg.norm(np.roll(points, -1, axis=0) - np.roll(points, -2, axis=0), axis=1)
    corner = int(np.argmin(edges))
    first, second = (corner + 1) % 3, (corner + 2) % 3
    along, up = places[second] - places[first], places[corner] - places[first]
    length = max(float(np.linalg.norm(along)), 1e-9)
    forward = float(up @ along) / length
    side = float(np.sqrt(max(float(up @ up) - forward**2, 0.0)))
    edge = points[second] - points[first]
    direction = edge / max(float(np.linalg.norm(edge)), 1e-9)
    return corner, points[first] + scale * (forward * direction + side * np.array([-direction[1], direction[0]]))


def _perimeters(triangles: np.ndarray) -> np.ndarray:
    """Return the perimeters (N,) of *triangles* (N, 3, D)."""
    sums: np.ndarray = np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=2).sum(axis=1)
    return sums
