"""Foot lock: keep planted feet in place by leg IK, within the reach of the legs. F frames.

Each contact moves its point to where it is held; before and after the contact, the displacement at that end fades out.
A point that is not in contact moves with the other point of its foot. So a foot on its toes is translated, and a foot
on heel and toes is rotated too. A heel keeps its own rise and fall, but stays above the floor, and toes that the rising
heel would push through the floor are bent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.rotations import axis_angle_to_matrix, dot, swing_between, transposed, unit
from .feet import SIDES, Feet
from .leg import Bones, reach_for
from .standing import Holds

_OTHER = [1, 0, 3, 2]
"""The other point of the same foot."""
_SOFT_M = 0.003
"""Softness of the limit that stops a heel from sinking below the floor."""
_MAX_TOE_LIFT_RAD = np.deg2rad(60.0)
_MAX_MOVE = 0.12
"""Longest displacement of a point, as a fraction of the leg length."""
_REACH = 0.9985
"""Longest reach of a leg, as a fraction of its length; a leg that was straighter stays so."""
_MAX_DROP = 0.04
"""Most that the pelvis is lowered for a foot out of reach, as a fraction of the leg length."""
_TOLERATED_GAP_M = 0.008
"""A foot out of reach may stay this far above the floor."""
_EASE_S = 0.08


@dataclass(frozen=True, eq=False)
class Legs:
    """Local rotations (F, 3, 3) of the leg joints, by joint, and the translation of the body (F, 3)."""

    rotations: dict[int, np.ndarray]
    trans: np.ndarray


def lock_feet(
    rotations: np.ndarray, trans: np.ndarray, feet: Feet, holds: Holds, *, fps: float, strength: float
) -> Legs:
    """Return the leg rotations and the translation of a motion whose feet are locked.

    Args:
        rotations: (F, J, 3, 3) local rotations.
        trans: (F, 3) metres.
        feet: the body's legs and feet.
        holds: when and where each contact point is held.
        fps: frames per second.
        strength: 0 (unchanged) to 1 (fully locked).
    """
    world, positions = feet.chain(rotations, trans)
    points = feet.points(world, positions)
    moves = _displacements(points, holds, _MAX_MOVE * feet.leg_m)
    ankles, turns = {}, {}
    for number, side in enumerate(SIDES):
        pair = slice(2 * number, 2 * number + 2)
        ankle = positions[feet.joint(side, "ankle")]
        ankles[side], turns[side] = _place_foot(points[:, pair], ankle, strength * moves[:, pair], holds.share[:, pair])
    drop = _lower_pelvis(world, positions, ankles, feet, fps)
    found: dict[int, np.ndarray] = {}
    for number, side in enumerate(SIDES):
        found |= _solve_leg(world, positions, feet, side, ankles[side] + drop, turns[side])
        toe, point = feet.joint(side, "foot"), 2 * number + 1
        ankle = turns[side] @ world[feet.joint(side, "ankle")]
        above = points[:, point, 1] + strength * moves[:, point, 1] - holds.floor[:, point]
        lift = _lift_toes(ankle @ rotations[:, toe] @ feet.tips[number], above, strength * holds.share[:, point])
        found[toe] = transposed(ankle) @ lift @ ankle @ rotations[:, toe]
    return Legs(found, trans - drop)


def _displacements(points: np.ndarray, holds: Holds, farthest: float) -> np.ndarray:
    """Return the faded displacement of each contact point (F, 4, 3); the two points of a foot move together."""
    off = holds.target - np.take_along_axis(points, holds.nearest[..., None], axis=0)
    length = np.linalg.norm(off, axis=-1, keepdims=True)
    off = off * np.minimum(1.0, farthest / np.maximum(length, 1e-9))
    share = holds.share[..., None]
    other = share[:, _OTHER] * off[:, _OTHER]
    moves: np.ndarray = share * off + (1.0 - share) * other
    heels = slice(0, None, 2)
    moves[:, heels, 1] = (other + (1.0 - share[:, _OTHER]) * share * off)[:, heels, 1]
    below = holds.target[:, heels, 1] - _SOFT_M - points[:, heels, 1] - moves[:, heels, 1]
    lift = 0.5 * (below + np.sqrt(below**2 + _SOFT_M**2))
    moves[:, heels, 1] += holds.share[:, heels] * lift
    return moves


def _place_foot(
    points: np.ndarray, ankle: np.ndarray, moves: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ankle (F, 3) and the rotation (F, 3, 3) of a foot whose heel and toe (F, 2, 3) move by *moves*."""
    weight = share / (1.001 - share) + 1e-6
    weight = (weight / weight.sum(axis=1, keepdims=True))[..., None]
    aimed = points + moves
    turn = swing_between(points[:, 1] - points[:, 0], aimed[:, 1] - aimed[:, 0])
    arm = ankle - (weight * points).sum(axis=1)
    return (weight * aimed).sum(axis=1) + (turn @ arm[..., None])[..., 0], turn


def _lift_toes(tips: np.ndarray, above: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the rotations (F, 3, 3) that keep the toes from going through the floor.

    Args:
        tips: (F, 3) from the toe joint to the tip of the toes, world axes.
        above: (F,) height of the toe joint above the floor.
        share: (F,) weight of the toes' contact.
    """
    length = np.linalg.norm(tips, axis=-1)
    under = -above - tips[:, 1]
    raised = tips[:, 1] + 0.5 * (under + np.sqrt(under**2 + _SOFT_M**2)) - 0.5 * _SOFT_M
    angle = np.arcsin(np.clip(raised / length, -1.0, 1.0)) - np.arcsin(np.clip(tips[:, 1] / length, -1.0, 1.0))
    angle = share * np.clip(angle, 0.0, _MAX_TOE_LIFT_RAD)
    side = unit(np.stack([-tips[:, 2], np.zeros_like(length), tips[:, 0]], axis=-1))
    return np.asarray(axis_angle_to_matrix(side * angle[:, None]))


def _lower_pelvis(
    world: dict[int, np.ndarray],
    positions: dict[int, np.ndarray],
    ankles: dict[str, np.ndarray],
    feet: Feet,
    fps: float,
) -> np.ndarray:
    """Return the drop (F, 3) of the pelvis that lets both legs reach their feet: metres along Y, 0 or more."""
    needed = np.zeros(len(positions[0]))
    for side in SIDES:
        hip, before = positions[feet.joint(side, "hip")], positions[feet.joint(side, "ankle")]
        reach = np.maximum(_REACH * feet.leg_lengths[SIDES.index(side)], np.linalg.norm(before - hip, axis=-1) + 1e-6)
        reach_vector = ankles[side] - hip
        beyond = dot(reach_vector, reach_vector) - reach**2
        down = np.maximum(-reach_vector[:, 1], 1e-3)
        short = down - np.sqrt(np.maximum(down**2 - beyond, 0.0))
        needed = np.maximum(needed, np.where(beyond > 0.0, short - _TOLERATED_GAP_M, 0.0))
    needed = np.minimum(needed, _MAX_DROP * feet.leg_m)
    drop = np.zeros((len(needed), 3))
    drop[:, 1] = _smooth_above(needed, max(1, round(_EASE_S * fps)))
    return drop


def _smooth_above(values: np.ndarray, reach: int) -> np.ndarray:
    """Return a smooth curve (F,) that is nowhere below *values*: a running maximum, then a weighted mean."""
    if not values.any():
        return values
    padded = np.pad(values, 2 * reach, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=-1)
    kernel = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(highest, kernel / kernel.sum(), mode="valid")


def _solve_leg(
    world: dict[int, np.ndarray],
    positions: dict[int, np.ndarray],
    feet: Feet,
    side: str,
    target: np.ndarray,
    turn: np.ndarray,
) -> dict[int, np.ndarray]:
    """Return the local rotations of hip, knee and ankle that bring the ankle to *target* (F, 3)."""
    hip, knee, ankle = (feet.joint(side, name) for name in ("hip", "knee", "ankle"))
    bones = Bones(positions[knee] - positions[hip], positions[ankle] - positions[knee], world[hip][..., 0])
    thigh, shank = reach_for(bones, target - positions[hip])
    upper = swing_between(unit(bones.thigh), thigh) @ world[hip]
    lower = swing_between(unit(bones.shank), shank) @ world[knee]
    return {
        hip: transposed(world[feet.skeleton.parents[hip]]) @ upper,
        knee: transposed(upper) @ lower,
        ankle: transposed(lower) @ turn @ world[ankle],
    }
