"""The skin of a foot that can touch the floor. F frames, V vertices, J joints.

A vertex moves with the bones of ankle and toes; what it moves with others, above the ankle, counts for the ankle. Its
position is linear in both rotations, so the heights of all vertices over all frames are one product of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.rotations import unit

_NEAR_SOLE_M = 0.01
"""Vertices within this height of the sole, at rest, are kept ..."""
_DIRECTIONS = 150
_HIGHEST = 0.5
"""... and the outermost in directions from straight down to this much upwards: the foot may rest on any of them."""


@dataclass(frozen=True, eq=False)
class Sole:
    """Skin of one foot, the heel's vertices first.

    Attributes:
        basis: (V, 7) float32: a vertex is the first three times the foot's rotation, plus the next three times the
            toes', plus the last, which is 1, times the position of the ankle.
        num_heel: number of vertices of the heel; all others are ball and toes.
    """

    basis: np.ndarray
    num_heel: int

    @classmethod
    def of_points(cls, points: np.ndarray, toe_share: np.ndarray, toe: np.ndarray) -> Sole:
        """Return the sole with all *points*.

        Args:
            points: (V, 3) relative to the ankle at rest, Y up, Z forwards; those nearer to the rearmost than to the toe
                joint are the heel.
            toe_share: (V,) how far each moves with the toes, 0 to 1.
            toe: (3,) the toe joint, relative to the ankle.
        """
        order = np.argsort(points[:, 2])
        num_heel = int((points[:, 2] < 0.5 * (points[:, 2].min() + toe[2])).sum())
        with_toe = toe_share[order, None] * (points[order] - toe)
        basis = np.concatenate([points[order] - with_toe, with_toe, np.ones((len(points), 1))], axis=1)
        return cls(basis.astype(np.float32), max(1, num_heel))

    @classmethod
    def of_skin(cls, vertices: np.ndarray, weights: np.ndarray, ankle: np.ndarray, toe: np.ndarray) -> Sole:
        """Return the sole of a foot's skin.

        Args:
            vertices: (V, 3) the foot's vertices at rest.
            weights: (V, 2) their weights on ankle and toes.
            ankle: (3,) the ankle.
            toe: (3,) the toe joint.
        """
        lowest = lowest_points(vertices, weights.argmax(axis=1), spread_directions(_DIRECTIONS, _HIGHEST))
        near = np.flatnonzero(vertices[:, 1] < vertices[:, 1].min() + _NEAR_SOLE_M)
        kept = np.union1d(lowest, near)
        share = weights[kept, 1] / weights[kept].sum(axis=1)
        return cls.of_points(vertices[kept] - ankle, share, toe - ankle)

    @property
    def parts(self) -> tuple[slice, slice]:
        """The vertices of heel and ball, at least one each."""
        return slice(0, self.num_heel), slice(min(self.num_heel, len(self.basis) - 1), None)


def lowest_points(vertices: np.ndarray, joints: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return the numbers of the vertices (V, 3) on which a foot can rest, for each of its *joints* (V,) by itself.

    They are the outermost in any of *directions* (D, 3). Foot and toes turn against each other, so each must find its
    own.
    """
    found = []
    for joint in np.unique(joints):
        own = np.flatnonzero(joints == joint)
        found.append(own[np.unique((vertices[own] @ directions.T).argmax(axis=0))])
    return np.concatenate(found)


def spread_directions(count: int, highest: float = 1.0) -> np.ndarray:
    """Return unit vectors (D, 3) spread evenly over a sphere up to the height *highest*, in a Fibonacci lattice."""
    number = np.arange(count)
    height = (1.0 + highest) * (number + 0.5) / count - 1.0
    angle = number * np.pi * (3.0 - np.sqrt(5.0))
    level = np.sqrt(1.0 - height**2)
    directions: np.ndarray = unit(np.stack([level * np.cos(angle), height, level * np.sin(angle)], axis=1))
    return directions
