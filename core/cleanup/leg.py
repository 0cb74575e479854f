"""Closed-form two-bone leg IK. F frames.

Convention: vectors are (3, ..., F), relative to the hip, metres, world axes. The knee keeps the plane in which the leg
bends. A leg too straight to have one uses the plane perpendicular to the thigh's own side axis (+X at rest).

The knee angle follows from the distance between hip and ankle, and changes faster the straighter the leg is: the last
millimetres change it as much as the centimetres before. A knee that followed them exactly would jump. So beyond a
certain distance the angle changes at a constant rate, and the last millimetres of the target are not reached.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.frames_last import cross, dot, unit

_STRAIGHT = 0.12
"""Sine of the knee angle at which the bones and the thigh's side axis count equally for the plane of the leg."""
_STEADY = 0.975
"""Distance, as a fraction of the leg length, beyond which the knee angle changes at a constant rate."""
_LOAD_BEARING = (0.5, 0.7)
"""A leg begins to bear weight, and bears it fully, with its foot below the hip by these fractions of the distance."""
_MIN_REACH = 0.35
"""A leg is never folded to less than this fraction of its length; one that was folded more is not folded further."""


@dataclass(frozen=True, eq=False)
class Bones:
    """Bone vectors of one leg, or of several along the middle axes.

    Attributes:
        thigh: (3, ..., F) from hip to knee.
        shank: (3, ..., F) from knee to ankle.
        side: (3, ..., F) the thigh's side axis, unit length.
    """

    thigh: np.ndarray
    shank: np.ndarray
    side: np.ndarray

    @property
    def lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """Lengths of thigh and shank (..., 1), metres."""
        thigh, shank = (np.linalg.norm(bone[..., :1], axis=0) for bone in (self.thigh, self.shank))
        return thigh, shank

    @property
    def ankle(self) -> np.ndarray:
        """Position of the ankle (3, ..., F)."""
        ankle: np.ndarray = self.thigh + self.shank
        return ankle


def reach_for(bones: Bones, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the directions (3, ..., F) of thigh and shank that bring the ankle to *target*, or as near as is smooth.

    Args:
        bones: the current bones.
        target: (3, ..., F) wanted position of the ankle; where it equals the current one, nothing changes.
    """
    thigh, shank, axis = unit(bones.thigh), unit(bones.shank), unit(bones.ankle)
    bend = cross(thigh, shank)
    normal = unit(bend + _STRAIGHT * bones.side)
    normal = unit(normal - dot(normal, axis) * axis)
    angle = np.arctan2(dot(bend, normal), dot(thigh, shank))
    bent = _bent(bones, angle, np.sqrt(dot(target, target)))
    turned = unit(_move_vertically(target, _distance_at(bent, bones)))
    before = _in_plane(axis, normal, angle, bones)
    after = _in_plane(turned, _swing(normal, axis, turned), bent, bones)
    return (
        unit(after[0] + _swing(thigh - before[0], axis, turned)),
        unit(after[1] + _swing(shank - before[1], axis, turned)),
    )


def reached_distance(bones: Bones, distance: np.ndarray) -> np.ndarray:
    """Return how far (..., F) from the hip `reach_for` puts the ankle for a target at *distance* (..., F), metres."""
    thigh, shank = bones.thigh, bones.shank
    bend = cross(thigh, shank)
    angle = np.arctan2(np.sqrt(dot(bend, bend)), dot(thigh, shank))
    return _distance_at(_bent(bones, angle, distance), bones)


def _bent(bones: Bones, angle: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Return the knee angle (..., F), now *angle*, for an ankle at *distance* (..., F)."""
    current = np.sqrt(dot(bones.ankle, bones.ankle))
    nearest = np.minimum(current, _MIN_REACH * sum(bones.lengths))
    change = _bend_at(np.maximum(distance, nearest), bones) - _bend_at(current, bones)
    start = np.maximum(angle, 1e-6)
    return np.asarray(angle + np.maximum(change, 0.0) + start * np.expm1(np.minimum(change, 0.0) / start))


def _bend_at(distance: np.ndarray, bones: Bones) -> np.ndarray:
    """Return the knee angle, radians, for an ankle at *distance* (..., F); linear where the leg is nearly straight."""
    long, short = bones.lengths
    steady = _STEADY * (long + short)
    exact = np.minimum(distance, steady)
    angle = np.arccos(np.clip((exact**2 - long**2 - short**2) / (2.0 * long * short), -1.0, 1.0))
    last = np.arccos((steady**2 - long**2 - short**2) / (2.0 * long * short))
    rate = steady / (long * short * np.sin(last))
    return np.asarray(angle - rate * np.maximum(distance - steady, 0.0))


def _distance_at(angle: np.ndarray, bones: Bones) -> np.ndarray:
    """Return the distance (..., F) between hip and ankle at the knee angle *angle* (..., F)."""
    long, short = bones.lengths
    return np.asarray(np.sqrt(long**2 + short**2 + 2.0 * long * short * np.cos(angle)))


def _move_vertically(target: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Move *target* vertically to be *distance* (..., F) from the hip: a foot may miss the floor, not its spot."""
    lying, upright = _LOAD_BEARING
    carries = np.clip((-target[1] / distance - lying) / (upright - lying), 0.0, 1.0)
    down = np.sqrt(np.maximum(distance**2 - target[0] ** 2 - target[2] ** 2, (lying * distance) ** 2))
    moved = target.copy()
    moved[1] -= carries * (down + target[1])
    return moved


def _in_plane(axis: np.ndarray, normal: np.ndarray, angle: np.ndarray, bones: Bones) -> tuple[np.ndarray, np.ndarray]:
    """Return the directions of thigh and shank of a leg along *axis*, bent by *angle* (..., F) about *normal*."""
    long, short = bones.lengths
    front = cross(axis, normal)
    lean = np.arctan2(short * np.sin(angle), long + short * np.cos(angle))
    back = lean - angle
    return np.cos(lean) * axis + np.sin(lean) * front, np.cos(back) * axis + np.sin(back) * front


def _swing(vectors: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Rotate *vectors* by the smallest rotation from the unit vectors *start* to *end*, all (3, ..., F)."""
    axis, cosine = cross(start, end), dot(start, end)
    along = dot(axis, vectors) / np.maximum(1.0 + cosine, 1e-6)
    return np.asarray(cosine * vectors + cross(axis, vectors) + along * axis)
