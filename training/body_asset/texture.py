"""The texture coordinates of the final mesh, from MakeHuman's: each corner of a face gets one that its vertex has.

A vertex on a seam has several. Those of a face are chosen so that it is smallest in the texture: a face on one side of
a seam stays there. A face that has vertices of both sides alone, as where a hole was closed, is laid beside one of
its edges, as large as its surface is there.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from .makehuman import MakeHuman
from .surface import NUM_BODY_VERTICES, Surface

_STRETCHED = 4.0
"""A face that is larger in the texture than usual by this factor lies across a seam."""


def texture_of(human: MakeHuman, surface: Surface, vertices: np.ndarray) -> np.ndarray:
    """Return the texture coordinates (F, 3, 2) of the corners of the faces, 0 to 1.

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
        corner, point = _beside_an_edge(points[face], places[face], usual)
        points[face, corner] = point
    return np.clip(points, 0.0, 1.0)


def _smallest(face: list[int], choices: list[list[int]], texture: np.ndarray) -> tuple[int, ...]:
    """Return the texture points of the three vertices of *face* that lie closest together."""
    options = list(product(*(choices[vertex] for vertex in face)))
    return options[int(np.argmin(_perimeters(texture[np.array(options)])))]


def _beside_an_edge(points: np.ndarray, places: np.ndarray, scale: float) -> tuple[int, np.ndarray]:
    """Return the corner of a face that is moved in the texture, and where to: to the side of the opposite edge.

    Args:
        points: (3, 2) its corners in the texture.
        places: (3, 3) its corners, metres.
        scale: the usual length in the texture of a metre.
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
