"""Feet held where they stand, by the legs alone as far as they reach. F frames.

Each contact moves its point by what it is away from where it is held; before and after the contact the displacement
that it has at that end fades. A point that does not stand goes along with the other one of its foot; so a foot on its
toes is moved, and a foot that stands on heel and toes is turned too. A heel may rise and sink as it did, but not below
the floor, and toes that the rising heel would push through the floor are bent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.rotations import axis_angle_to_matrix, dot, swing_between, transposed, unit
from ..smpl_skeleton import JOINT_INDEX
from .feet import SIDES, Feet
from .leg import Bones, reach_for
from .standing import Holds

_OTHER = [1, 0, 3, 2]
"""The other point of the same foot."""
_SOFT_M = 0.003
"""Over so much a heel that would sink below the floor is stopped."""
_MOST_LIFTED_RAD = np.deg2rad(60.0)
_FARTHEST = 0.12
"""No point is moved farther than that share of a leg's length."""
_REACH = 0.9985
"""Share of its length that a leg stretches to; one that was straighter may stay so."""
_LOWEST = 0.04
"""The pelvis is lowered by no more than that share of a leg's length for a foot that would be out of reach."""
_MISSED_M = 0.008
"""So far above the floor a foot may stay that is out of reach."""
_EASE_S = 0.08


@dataclass(frozen=True, eq=False)
class Legs:
    """Local rotations of the legs' joints, by joint (F, 3, 3), and the way of the body (F, 3)."""

    rotations: dict[int, np.ndarray]
    trans: np.ndarray


def lock_feet(
    rotations: np.ndarray, trans: np.ndarray, feet: Feet, holds: Holds, *, fps: float, strength: float
) -> Legs:
    """Return the legs' rotations and the way of a motion whose feet are held.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        trans: (F, 3) metres.
        feet: the body's.
        holds: when and where each contact point is held.
        fps: frames a second.
        strength: 0 to 1.
    """
    world, places = feet.chain(rotations, trans)
    points = feet.points(world, places)
    moves = _displacements(points, holds, _FARTHEST * feet.leg_m)
    ankles, turns = {}, {}
    for number, side in enumerate(SIDES):
        pair = slice(2 * number, 2 * number + 2)
        ankle = places[JOINT_INDEX[f"{side}_ankle"]]
        ankles[side], turns[side] = _place_foot(points[:, pair], ankle, strength * moves[:, pair], holds.share[:, pair])
    drop = _lowered(world, places, ankles, feet, fps)
    found: dict[int, np.ndarray] = {}
    for number, side in enumerate(SIDES):
        found |= _bent_leg(world, places, side, ankles[side] + drop, turns[side])
        toe, point = JOINT_INDEX[f"{side}_foot"], 2 * number + 1
        ankle = turns[side] @ world[JOINT_INDEX[f"{side}_ankle"]]
        above = points[:, point, 1] + strength * moves[:, point, 1] - holds.floor[:, point]
        lift = _lifted(ankle @ rotations[:, toe] @ feet.tips[number], above, strength * holds.share[:, point])
        found[toe] = transposed(ankle) @ lift @ ankle @ rotations[:, toe]
    return Legs(found, trans - drop)


def _displacements(points: np.ndarray, holds: Holds, farthest: float) -> np.ndarray:
    """Return by how much each contact point (F, 4, 3) is to be moved, faded, the two of a foot together."""
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
    """Return the ankle (F, 3) and the turn (F, 3, 3) of a foot whose heel and toe (F, 2, 3) are moved by *moves*."""
    weight = share / (1.001 - share) + 1e-6
    weight = (weight / weight.sum(axis=1, keepdims=True))[..., None]
    aimed = points + moves
    turn = swing_between(points[:, 1] - points[:, 0], aimed[:, 1] - aimed[:, 0])
    arm = ankle - (weight * points).sum(axis=1)
    return (weight * aimed).sum(axis=1) + (turn @ arm[..., None])[..., 0], turn


def _lifted(tips: np.ndarray, above: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the rotations (F, 3, 3) that lift toes which would go through the floor.

    Args:
        tips: (F, 3) from toe joint to the tip of the toes, in the world.
        above: (F,) how high the toe joint is above the floor.
        share: (F,) how much the toes stand.
    """
    length = np.linalg.norm(tips, axis=-1)
    under = -above - tips[:, 1]
    raised = tips[:, 1] + 0.5 * (under + np.sqrt(under**2 + _SOFT_M**2)) - 0.5 * _SOFT_M
    angle = np.arcsin(np.clip(raised / length, -1.0, 1.0)) - np.arcsin(np.clip(tips[:, 1] / length, -1.0, 1.0))
    angle = share * np.clip(angle, 0.0, _MOST_LIFTED_RAD)
    side = unit(np.stack([-tips[:, 2], np.zeros_like(length), tips[:, 0]], axis=-1))
    return np.asarray(axis_angle_to_matrix(side * angle[:, None]))


def _lowered(
    world: dict[int, np.ndarray], places: dict[int, np.ndarray], ankles: dict[str, np.ndarray], feet: Feet, fps: float
) -> np.ndarray:
    """Return how far up (F, 3) the feet are seen from a pelvis that is lowered until both legs reach them."""
    needed = np.zeros(len(places[0]))
    for side in SIDES:
        hip, before = places[JOINT_INDEX[f"{side}_hip"]], places[JOINT_INDEX[f"{side}_ankle"]]
        reach = np.maximum(_REACH * feet.leg_lengths[SIDES.index(side)], np.linalg.norm(before - hip, axis=-1) + 1e-6)
        way = ankles[side] - hip
        beyond = dot(way, way) - reach**2
        down = np.maximum(-way[:, 1], 1e-3)
        short = down - np.sqrt(np.maximum(down**2 - beyond, 0.0))
        needed = np.maximum(needed, np.where(beyond > 0.0, short - _MISSED_M, 0.0))
    needed = np.minimum(needed, _LOWEST * feet.leg_m)
    drop = np.zeros((len(needed), 3))
    drop[:, 1] = _eased(needed, max(1, round(_EASE_S * fps)))
    return drop


def _eased(values: np.ndarray, reach: int) -> np.ndarray:
    """Return a smooth curve (F,) that is nowhere below *values*: the highest around each frame, then averaged."""
    if not values.any():
        return values
    padded = np.pad(values, 2 * reach, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=-1)
    kernel = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(highest, kernel / kernel.sum(), mode="valid")


def _bent_leg(
    world: dict[int, np.ndarray],
    places: dict[int, np.ndarray],
    side: str,
    target: np.ndarray,
    turn: np.ndarray,
) -> dict[int, np.ndarray]:
    """Return the local rotations of a leg's hip, knee and ankle whose ankle is brought to *target* (F, 3)."""
    hip, knee, ankle = (JOINT_INDEX[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
    bones = Bones(places[knee] - places[hip], places[ankle] - places[knee], world[hip][..., 0])
    thigh, shank = reach_for(bones, target - places[hip])
    upper = swing_between(unit(bones.thigh), thigh) @ world[hip]
    lower = swing_between(unit(bones.shank), shank) @ world[knee]
    return {
        hip: transposed(world[0]) @ upper,
        knee: transposed(upper) @ lower,
        ankle: transposed(lower) @ turn @ world[ankle],
    }
