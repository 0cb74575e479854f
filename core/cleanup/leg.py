"""A leg of two bones that reaches for a place, closed form. F frames.

Convention: all vectors relative to the hip, metres, in the world. The knee keeps the plane that the leg bends in, and
where the leg is so straight that it has none, the plane that the thigh's own side axis (+X at rest) is square to.

The bend of a leg follows from the distance between hip and ankle, ever faster the straighter the leg is: the last
millimetres take as much of it as the centimetres before. A knee that followed would jump. So from some distance on the
bend follows it at a steady rate, and the last millimetres are not made good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.rotations import cross, dot, unit

_STRAIGHT = 0.12
"""Sine of the bend at which the bones and the thigh's side axis say as much about the plane of the bend."""
_STEADY = 0.975
"""Share of its length from which on a leg's bend follows the distance at a steady rate."""
_UPRIGHT = (0.5, 0.7)
"""A leg whose foot is below the hip by these shares of the way between them begins to carry the body, and does."""
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


def reach_for(bones: Bones, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the directions (F, 3) of thigh and shank that bring the ankle to *target*, or as near as is smooth.

    Args:
        bones: where they are.
        target: (F, 3) where the ankle shall be; where that is where it is, nothing changes.
    """
    thigh, shank, ankle = unit(bones.thigh), unit(bones.shank), bones.thigh + bones.shank
    axis, bend = unit(ankle), cross(thigh, shank)
    normal = unit(bend + _STRAIGHT * bones.side)
    normal = unit(normal - dot(normal, axis)[:, None] * axis)
    angle = np.arctan2(dot(bend, normal), dot(thigh, shank))
    more = _bend_at(np.linalg.norm(target, axis=-1), bones) - _bend_at(np.linalg.norm(ankle, axis=-1), bones)
    less = np.maximum(angle, 1e-6) * np.expm1(np.minimum(more, 0.0) / np.maximum(angle, 1e-6))
    bent = angle + np.maximum(more, 0.0) + less
    turned = unit(_over(target, _distance_at(bent, bones)))
    before = _in_plane(axis, normal, angle, bones)
    after = _in_plane(turned, _swing(normal, axis, turned), bent, bones)
    return (
        unit(after[0] + _swing(thigh - before[0], axis, turned)),
        unit(after[1] + _swing(shank - before[1], axis, turned)),
    )


def _bend_at(distance: np.ndarray, bones: Bones) -> np.ndarray:
    """Return the bend (F,), radians, of a leg whose ankle is *distance* (F,) away, steady where nearly straight."""
    long, short = bones.lengths
    steady = _STEADY * (long + short)
    exact = np.clip(distance, _SHORTEST * (long + short), steady)
    angle = np.arccos(np.clip((exact**2 - long**2 - short**2) / (2.0 * long * short), -1.0, 1.0))
    last = np.arccos((steady**2 - long**2 - short**2) / (2.0 * long * short))
    rate = steady / (long * short * np.sin(last))
    return np.asarray(angle - rate * np.maximum(distance - steady, 0.0))


def _distance_at(angle: np.ndarray, bones: Bones) -> np.ndarray:
    """Return how far (F,) the ankle of a leg is away that is bent by *angle* (F,)."""
    long, short = bones.lengths
    return np.asarray(np.sqrt(long**2 + short**2 + 2.0 * long * short * np.cos(angle)))


def _over(target: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Return *target* (F, 3) moved up or down to be *distance* (F,) away: a foot may miss the floor, not its place."""
    lying, upright = _UPRIGHT
    carries = np.clip((-target[:, 1] / distance - lying) / (upright - lying), 0.0, 1.0)
    down = np.sqrt(np.maximum(distance**2 - target[:, 0] ** 2 - target[:, 2] ** 2, (lying * distance) ** 2))
    moved = target.copy()
    moved[:, 1] -= carries * (down + target[:, 1])
    return moved


def _in_plane(axis: np.ndarray, normal: np.ndarray, angle: np.ndarray, bones: Bones) -> tuple[np.ndarray, np.ndarray]:
    """Return the directions (F, 3) of thigh and shank of a leg along *axis* that is bent by *angle* (F,) in a plane."""
    long, short = bones.lengths
    front = cross(axis, normal)
    lean = np.arctan2(short * np.sin(angle), long + short * np.cos(angle))
    back = lean - angle
    thigh = np.cos(lean)[:, None] * axis + np.sin(lean)[:, None] * front
    return thigh, np.cos(back)[:, None] * axis + np.sin(back)[:, None] * front


def _swing(vectors: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Turn *vectors* (F, 3) by the smallest rotation from the unit vectors *start* to *end* (F, 3)."""
    axis = cross(start, end)
    along = dot(axis, vectors) / np.maximum(1.0 + dot(start, end), 1e-6)
    return np.asarray(dot(start, end)[:, None] * vectors + cross(axis, vectors) + along[:, None] * axis)
