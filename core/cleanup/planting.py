"""Where the feet go: contacts held, soles on the floor, skin that bears a foot at rest. F frames, V vertices.

Convention: frames last. The axes before are the side (left, right) and, for points, the part of the foot (heel, ball):
points are (3, 2, 2, F). Metres, Y up.

Each contact moves its point horizontally to where it is held; before and after, the displacement at that end fades out.
A point that is not in contact moves with the other point of its foot, so a foot on its ball is translated, and a foot
on heel and ball is turned too. Toes in contact lie flat. Then the foot is pitched and lifted so far that its skin meets
the floor, and moved and turned back by what the skin that bears it still slides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.frames_last import (
    apply,
    cross,
    dot,
    from_rotation_vectors,
    rotation_vectors,
    swing_between,
    times,
    times_transposed,
    unit,
)
from ..math.runs import find_runs
from ..math.smoothstep import smoothstep
from .clearance import plan_lifts
from .contacts import median_of
from .feet import Feet
from .pelvis import smooth_above
from .slip import slip_of
from .standing import Holds

_MAX_MOVE = 0.12
"""Longest horizontal displacement of a point, as a fraction of the leg length."""
_MAX_LIFT = 0.2
"""Longest vertical displacement of a point, as a fraction of the leg length."""
_OTHER_LEVEL = 0.1
"""A foot whose heel and ball both go deeper below the floor than this fraction of the leg length is on a lower level,
from where it went below the floor to where it comes back."""
_BENT, _STRAIGHT = 0.55, 0.75
"""A foot begins to bear the body, and bears it fully, with the hip above it by these fractions of the leg length: who
sits or kneels does not stand on the feet."""
_STEEP = 0.5, 0.9
"""A foot begins to be lifted as a whole, and is not pitched at all, where its ball is this much of its length above or
below its heel: which way a foot that points straight down should be pitched is not known, and would change abruptly."""
_STEEP_S = 0.06
"""It is lifted as a whole this long before and after, too, unless it is in contact."""
_LYING_RAD = np.deg2rad([60.0, 90.0])
"""Toes are laid flat in a contact in which their median tilt is less than the first, and not at all if it is more than
the second."""


@dataclass(frozen=True, eq=False)
class FootPose:
    """Pose of both feet.

    Attributes:
        ankle: (3, 2, F) positions of the ankles.
        foot: (3, 3, 2, F) world rotations of the feet.
        toe: (3, 3, 2, F) world rotations of the toes.
    """

    ankle: np.ndarray
    foot: np.ndarray
    toe: np.ndarray


@dataclass(frozen=True, eq=False)
class PlantedFeet:
    """Where the feet should be, and what the body must do for it.

    Attributes:
        pose: the feet.
        clearance: (2, F) height of each foot's lowest point above the floor.
        rise: (F,) by how much the body should rise with its feet; negative is down.
    """

    pose: FootPose
    clearance: np.ndarray
    rise: np.ndarray


def plant_feet(
    pose: FootPose, hips: np.ndarray, feet: Feet, holds: Holds, *, fps: float, strength: float
) -> PlantedFeet:
    """Return where the feet of a motion should be.

    Args:
        pose: the feet as they are.
        hips: (3, 2, F) positions of the hips.
        feet: the body's legs and feet.
        holds: when and where each contact point is held.
        fps: frames per second.
        strength: 0 (unchanged) to 1 (fully planted).
    """
    share = np.ascontiguousarray(holds.share.T).reshape(2, 2, -1)
    held = _flat_toes(_hold(pose, feet, holds, share), holds, share[:, 1])
    heights = _sole_heights(held, feet, holds)
    needed, on_floor = _needed(held, feet, holds, heights)
    standing = holds.share * np.repeat(on_floor, 2, axis=0).T
    upright = (_height_of(hips - pose.ankle, holds.ground.slope) / feet.leg_lengths[:, None] - _BENT) / (
        _STRAIGHT - _BENT
    )
    bears = np.repeat(np.clip(upright, 0.0, 1.0), 2, axis=0).T
    lifts, rise = plan_lifts(needed.reshape(4, -1).T, standing, bears, fps)
    lifted = _lift(held, feet, share, lifts.T.reshape(2, 2, -1), fps)
    heights = _sole_heights(lifted, feet, holds)
    planted = _without_slip(lifted, feet, holds, heights, share.max(axis=1))
    if strength < 1.0:
        planted = _between(pose, planted, strength)
        heights = _sole_heights(planted, feet, holds)
    return PlantedFeet(planted, np.stack([height.min(axis=0) for height in heights]), strength * rise)


def _without_slip(pose: FootPose, feet: Feet, holds: Holds, heights: list[np.ndarray], share: np.ndarray) -> FootPose:
    """Return the feet moved and turned back by *share* (2, F) of how far their skin, at *heights*, has slid."""
    slip, turn = slip_of(pose.ankle, pose.foot, pose.toe, feet.soles, heights, holds)
    ankle = pose.ankle.copy()
    ankle[[0, 2]] -= share * slip
    back = from_rotation_vectors(np.array([0.0, 1.0, 0.0])[:, None, None] * (-share * turn))
    return FootPose(ankle, times(back, pose.foot), times(back, pose.toe))


def _between(start: FootPose, end: FootPose, share: float) -> FootPose:
    """Return the feet at *share* of the way from *start* to *end*."""
    foot, toe = (
        times(from_rotation_vectors(share * rotation_vectors(times_transposed(last, first))), first)
        for first, last in ((start.foot, end.foot), (start.toe, end.toe))
    )
    return FootPose(start.ankle + share * (end.ankle - start.ankle), foot, toe)


def _points(pose: FootPose, feet: Feet) -> np.ndarray:
    """Return the contact points (3, 2, 2, F)."""
    ankles, toes = ([feet.joint(side, name) for side in ("left", "right")] for name in ("ankle", "foot"))
    offsets = np.stack([feet.heels, feet.rest[toes] - feet.rest[ankles]], axis=1)
    return np.asarray(pose.ankle[:, :, None] + apply(pose.foot[:, :, :, None], offsets.transpose(2, 0, 1)[..., None]))


def _weights(share: np.ndarray) -> np.ndarray:
    """Return how much each point of a foot (2, 2, F) decides where it goes; the two sum to 1."""
    weight = share / (1.001 - share) + 1e-6
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _hold(pose: FootPose, feet: Feet, holds: Holds, share: np.ndarray) -> FootPose:
    """Return the feet moved horizontally to where their contacts are held."""
    points = _points(pose, feet)
    nearest = np.ascontiguousarray(holds.nearest.T).reshape(1, 2, 2, -1)
    target = holds.target[..., [0, 2]].T.reshape(2, 2, 2, -1)
    off = target - np.take_along_axis(points[[0, 2]], nearest, axis=-1)
    farthest = _MAX_MOVE * feet.leg_m
    off *= np.minimum(1.0, farthest / np.maximum(np.hypot(off[0], off[1]), 1e-9))
    drawn = share * off
    moves = np.zeros_like(points)
    moves[[0, 2]] = drawn + (1.0 - share) * drawn[:, :, ::-1]
    aimed = points + moves
    turn = swing_between(points[:, :, 1] - points[:, :, 0], aimed[:, :, 1] - aimed[:, :, 0])
    weight = _weights(share)
    arm = pose.ankle - (weight * points).sum(axis=2)
    return FootPose((weight * aimed).sum(axis=2) + apply(turn, arm), times(turn, pose.foot), times(turn, pose.toe))


def _flat_toes(pose: FootPose, holds: Holds, share: np.ndarray) -> FootPose:
    """Return the feet with their toes laid flat by *share* (2, F)."""
    up = pose.toe[:, 1]
    level = np.broadcast_to(holds.ground.up[:, None, None], up.shape)
    flat, upright = _LYING_RAD
    tilt = np.arccos(np.clip(dot(up, level), -1.0, 1.0))
    for side, of_side in enumerate(tilt):
        number, inside = holds.contact[:, 2 * side + 1], holds.inside[:, 2 * side + 1]
        for frames in np.split(np.arange(len(number)), np.flatnonzero(np.diff(number)) + 1):
            held = of_side[frames[inside[frames]]]
            if len(held):
                of_side[frames] = median_of(held)
    turn = swing_between(up, level, share * smoothstep((upright - tilt) / (upright - flat)))
    return FootPose(pose.ankle, pose.foot, times(turn, pose.toe))


def _sole_heights(pose: FootPose, feet: Feet, holds: Holds) -> list[np.ndarray]:
    """Return the heights (V, F) of the skin of each sole above the floor."""
    slope = holds.ground.slope
    level = _height_of(pose.ankle, slope) - holds.ground.height_m
    rows = np.concatenate([_height_of(pose.foot, slope), _height_of(pose.toe, slope), level[None]])
    sides = np.ascontiguousarray(rows.swapaxes(0, 1), dtype=np.float32)
    return [sole.basis @ side for sole, side in zip(feet.soles, sides, strict=True)]


def _height_of(vectors: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Return the height of vectors (3, ...) over a floor that rises by *slope* (2,) along x and z."""
    return np.asarray(vectors[1] - slope[0] * vectors[0] - slope[1] * vectors[2])


def _needed(pose: FootPose, feet: Feet, holds: Holds, heights: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much the skin of each part (2, 2, F) is below the floor, negative above it.

    Returns:
        The need (2, 2, F), metres, and where each foot (2, F) is not on a lower level.
    """
    lowest = np.stack(
        [[height[part].min(axis=0) for part in sole.parts] for sole, height in zip(feet.soles, heights, strict=True)]
    )
    needed: np.ndarray = -np.clip(lowest.astype(np.float64), -_MAX_LIFT * feet.leg_m, _MAX_LIFT * feet.leg_m)
    points = _height_of(_points(pose, feet), holds.ground.slope) - holds.ground.height_m
    points[:, 1] -= feet.toe_heights[:, None]
    deep = points.max(axis=1) < -_OTHER_LEVEL * feet.leg_m
    on_floor = np.ones(deep.shape, dtype=bool)
    for side in np.flatnonzero(deep.any(axis=1)):
        for run in find_runs((lowest[side] < 0.0).any(axis=0)):
            if deep[side, run].any():
                needed[side, :, run] = -_MAX_LIFT * feet.leg_m
                on_floor[side, run] = False
    return needed, on_floor


def _lift(pose: FootPose, feet: Feet, share: np.ndarray, lifts: np.ndarray, fps: float) -> FootPose:
    """Return the feet pitched and lifted so that heels and balls rise by *lifts* (2, 2, F).

    A steep foot is not pitched: its heel and its ball rise by the lift of the lower one.
    """
    points = _points(pose, feet)
    along = points[:, :, 1] - points[:, :, 0]
    length = np.sqrt(dot(along, along))
    begins, whole = _STEEP
    steep = smoothstep((np.abs(along[1]) / length - begins) / (whole - begins))
    near = np.stack([smooth_above(one, max(1, round(_STEEP_S * fps))) for one in steep])
    steep = np.maximum(steep, near * (1.0 - share.max(axis=1)))
    to_ball = 0.5 - 0.5 * np.clip(along[1] / (begins * length), -1.0, 1.0)
    of_lower = lifts[:, 0] + to_ball * (lifts[:, 1] - lifts[:, 0])
    lifts = lifts + steep[:, None] * (of_lower[:, None] - lifts)
    rise = along[1] + lifts[:, 1] - lifts[:, 0]
    pitch = np.arcsin(np.clip(rise / length, -1.0, 1.0)) - np.arcsin(np.clip(along[1] / length, -1.0, 1.0))
    axis = unit(cross(along, np.broadcast_to(np.array([0.0, 1.0, 0.0])[:, None, None], along.shape)))
    turn = from_rotation_vectors(axis * pitch)
    of_toes = from_rotation_vectors(axis * (pitch * (1.0 - share[:, 1])))
    weight = _weights(share)
    pivot = (weight * points).sum(axis=2)
    ankle = pivot + apply(turn, pose.ankle - pivot)
    ankle[1] += (weight * lifts).sum(axis=1)
    return FootPose(ankle, times(turn, pose.foot), times(of_toes, pose.toe))
