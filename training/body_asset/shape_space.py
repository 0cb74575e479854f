"""Fit ten betas: area-weighted principal components of a population in the T-pose. N people, V vertices, B betas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_NUM_BETAS = 10
_CLEAR_CORRELATION = 0.3


@dataclass(frozen=True)
class ShapeSpace:
    """A linear shape space.

    Attributes:
        mean: (V, 3) the mean body.
        directions: (V, 3, B) offset per unit beta; the population's betas have variance 1.
        betas: (N, B) betas of the population.
        explained: (B,) share of the (area-weighted) variance.
    """

    mean: np.ndarray
    directions: np.ndarray
    betas: np.ndarray
    explained: np.ndarray


def vertex_areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return a third of the area of the faces around each vertex (V,)."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    share = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return np.bincount(faces.ravel(), weights=np.repeat(share, 3), minlength=len(vertices))


def fit_shape_space(people: np.ndarray, faces: np.ndarray, mirror: np.ndarray, weight: np.ndarray) -> ShapeSpace:
    """Fit the shape space of *people*.

    The sign of each beta is chosen so that a larger beta is taller, or heavier if stature hardly depends on it.

    Args:
        people: (N, V, 3) float32, symmetric.
        faces: (F, 3).
        mirror: (V,) mirror vertex of each vertex.
        weight: (N,) values of MakeHuman's weight axis.
    """
    mean = people.mean(0, dtype=np.float64)
    areas = vertex_areas(mean, faces)
    areas = (areas + areas[mirror]) / 2
    centred = (people - mean).reshape(len(people), -1)
    scaled = centred * np.repeat(np.sqrt(areas / areas.mean()), 3)
    values, vectors = np.linalg.eigh(scaled @ scaled.T)
    values, vectors = values[::-1], vectors[:, ::-1]
    betas = vectors[:, :_NUM_BETAS] * np.sqrt(len(people))
    stature = np.ptp(people[:, :, 1], axis=1)
    for column in betas.T:
        taller, heavier = np.corrcoef(column, stature)[0, 1], np.corrcoef(column, weight)[0, 1]
        column *= np.sign(taller if abs(taller) > _CLEAR_CORRELATION else heavier)
    directions = (betas.T @ centred / len(people)).T.reshape(-1, 3, _NUM_BETAS)
    return ShapeSpace(mean, directions, betas, values[:_NUM_BETAS] / values.sum())
