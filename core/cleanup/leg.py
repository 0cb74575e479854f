"""A leg of two bones that reaches for a place, closed form. F frames.

Convention: all vectors relative to the hip, metres, in the world. The knee keeps the plane that the leg bends in, and
where the leg is so straight that it has none, the plane that the thigh's own side axis (+X at rest) is square to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..rotations import cross, dot, unit

_STRAIGHT = 0.12
"""Sine of the bend at which the bones and the thigh's side axis say as much about the plane of the bend."""
_SHORTEST = 0.35
"""A leg is never folded to less than that share of its length."""


@dataclass(frozen=True, eq=False)
class Bones:
    """Thighs and shanks of one leg.

    Attributes:
        thigh: (F, 3) from hip to knee.
        shank: (F, 3) from knee to ankle.
        side: (F, 3) the thigh's side axis, of length 1.
    """

    thigh: np.ndarray
    shank: np.ndarray
    side: np.ndarray

    @property
    def lengths(self) -> tuple[float, float]:
        """Lengths of thigh and shank, metres."""
        return float(np.linalg.norm(self.thigh[0])), float(np.linalg.norm(self.shank[0]))


def reach_for(bones: Bones, target: np.ndarray, engaged: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the directions (F, 3) of thigh and shank that bring the ankle to *target*.

    Args:
        bones: where they are.
        target: (F, 3) where the ankle shall be; what is out of reach is reached for.
        engaged: (F,) 0 where target and ankle are the same and nothing may change, 1 where the ankle shall be exact;
            between, what tells the knee from one that bends forward in its plane fades.
    """
    ankle = bones.thigh + bones.shank
    long, short = bones.lengths
    bend = cross(unit(bones.thigh), unit(bones.shank))
    axis = unit(ankle)
    normal = unit(bend + _STRAIGHT * bones.side)
    normal = unit(normal - dot(normal, axis)[:, None] * axis)
    before = _thigh(axis, normal, np.linalg.norm(ankle, axis=-1), long, short)
    odd = unit(bones.thigh) - before
    turned = unit(target)
    swung = _swing(normal, axis, turned)
    after = _thigh(turned, swung, np.linalg.norm(target, axis=-1), long, short)
    thigh = unit(after + (1.0 - engaged)[:, None] * _swing(odd, axis, turned))
    return thigh, unit(target - long * thigh)


def _thigh(axis: np.ndarray, normal: np.ndarray, distance: np.ndarray, long: float, short: float) -> np.ndarray:
    """Return the thigh's direction (F, 3) of a leg along *axis* whose ankle is *distance* (F,) away, knee in front."""
    distance = np.clip(distance, _SHORTEST * (long + short), long + short)
    cosine = np.clip((long**2 + distance**2 - short**2) / (2.0 * long * distance), -1.0, 1.0)
    sine = np.sqrt(1.0 - cosine**2)
    return np.asarray(cosine[:, None] * axis + sine[:, None] * cross(axis, normal))


def _swing(vectors: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Turn *vectors* (F, 3) by the smallest rotation from the unit vectors *start* to *end* (F, 3)."""
    axis = cross(start, end)
    along = dot(axis, vectors) / np.maximum(1.0 + dot(start, end), 1e-6)
    return np.asarray(dot(start, end)[:, None] * vectors + cross(axis, vectors) + along[:, None] * axis)
