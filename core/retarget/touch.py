"""Contacts of hands with the body: where, how closely, and the same contact on a character. F frames.

A hand touches a part of the body at the part's nearest point. On the character it belongs at the same share of the
part's length, in the same direction from its axis, with the same gap from the skin, scaled by the length of the arms.
One rule serves for the other hand, the head, the trunk, the thighs and the other arm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.frames_last import apply, apply_transposed
from .surfaces import HANDS, Part
from .tree import Pose

_TOUCH_M = {"head": 0.06, "hand": 0.06, "trunk": 0.05, "arm": 0.04, "thigh": 0.03}
"""Gap between the middle of the hand and the skin up to which the hand touches, on a body with the hands below. Fingers
that touch the head hold the middle of the hand farther away than a palm on a thigh."""
_FADING_M = 0.05
"""Beyond that a touch fades over this gap ..."""
_NEAREST_M = 0.03
"""... and over this one if the hand touches something else more closely."""
_HAND_M = 0.026
"""Radius of the hands of that body."""
FADE_S = 0.15
"""Time over which touches are smoothed."""
_LEAST_WEIGHT = 0.01
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Touch:
    """The touches of one hand with one part of the body.

    Attributes:
        hand: name of the hand.
        part: name of the part.
        frames: (T,) indices of the frames.
        weight: (T,) 1 for a touch, fading to 0 with the gap.
        share: (T,) where along the part.
        direction: (3, T) from the part's axis to the hand, in the rest axes of the part's first joint.
        gap: (T,) from the skin to the middle of the hand, metres; below 0 inside.
    """

    hand: str
    part: str
    frames: np.ndarray
    weight: np.ndarray
    share: np.ndarray
    direction: np.ndarray
    gap: np.ndarray

    def anchor(self, parts: dict[str, Part], pose: Pose, frames: np.ndarray) -> np.ndarray:
        """Return the point (3, T) of the part's axis, on a body with these *parts*, in *frames* (T,) of its pose."""
        start, end = parts[self.part].ends(pose, frames)
        on_axis: np.ndarray = start + self.share * (end - start)
        return on_axis

    def goal(self, parts: dict[str, Part], pose: Pose, frames: np.ndarray, scale: float) -> np.ndarray:
        """Return where the hand should be relative to the anchor (3, T), with the gap multiplied by *scale*."""
        part = parts[self.part]
        turn = pose.rotations[:, :, part.joints[0]][..., frames]
        direction = apply(turn, self.direction)
        vector: np.ndarray = direction * (part.radius(self.share, direction, turn) + scale * self.gap)
        return vector


@dataclass(frozen=True, eq=False)
class FloorReach:
    """A hand that is moved to a place on the floor; used like a `Touch`.

    Attributes:
        hand: name of the hand.
        frames: (T,) indices of the frames.
        weight: (T,) 1 to bring it there.
        places: (3, T) where the middle of the hand belongs.
        part: what it touches, which is no part of the body.
    """

    hand: str
    frames: np.ndarray
    weight: np.ndarray
    places: np.ndarray
    part: str = "floor"

    def anchor(self, parts: dict[str, Part], pose: Pose, frames: np.ndarray) -> np.ndarray:
        """Return the origin (3, T), which the places are relative to."""
        return np.zeros_like(self.places)

    def goal(self, parts: dict[str, Part], pose: Pose, frames: np.ndarray, scale: float) -> np.ndarray:
        """Return where the hand should be (3, T)."""
        return self.places


def find_touches(parts: dict[str, Part], pose: Pose, names: set[str], fade: int, inner: slice) -> list[Touch]:
    """Return the touches of both hands.

    Args:
        parts: the surface of the body, as far as it is known.
        pose: its joints, in consecutive frames.
        names: the parts to consider; the character may have fewer.
        fade: number of frames over which the weights are smoothed.
        inner: the frames to return, counted from the first of *pose*; those around them only fade.
    """
    found = []
    for hand in [hand for hand in HANDS if hand in names and hand in parts]:
        point = pose.point(parts[hand].joints[0], parts[hand].offsets[0])
        own = [hand.replace("hand", role) for role in ("hand", "forearm", "upper_arm")]
        others = [name for name in parts if name in names and name not in own]
        if not others:
            continue
        nearest = [nearest_on(parts[name], pose, point) for name in others]
        scale = float(parts[hand].radii[0, 0]) / _HAND_M
        limits = np.array([[_TOUCH_M[_kind(name)]] for name in others])
        beyond = np.stack([gap for _, _, gap in nearest]) / scale - limits
        behind = (beyond - beyond.min(axis=0)) / _NEAREST_M
        beyond = np.maximum(beyond, 0.0) / _FADING_M
        for name, (share, direction, gap), far, rank in zip(others, nearest, beyond, behind, strict=True):
            weight = np.exp(-(far**2) - rank**2)
            weight = (smoothed(weight, fade) if weight.max(initial=0.0) > _LEAST_WEIGHT else weight)[inner]
            frames = np.flatnonzero(weight > _LEAST_WEIGHT)
            if len(frames) and (hand, name) != HANDS[::-1]:  # both hands touch each other in one
                at = frames + inner.start
                found.append(Touch(hand, name, frames, weight[frames], share[at], direction[:, at], gap[at]))
    return found


def smoothed(values: np.ndarray, fade: int) -> np.ndarray:
    """Return values (F,) as weighted means over *fade* frames before and after."""
    if fade == 0 or not values.any():
        return values
    kernel = np.hanning(2 * fade + 3)[1:-1]
    return np.convolve(np.pad(values, fade, mode="edge"), kernel / kernel.sum(), mode="valid")


def _kind(name: str) -> str:
    return "arm" if name.endswith("arm") else name.rpartition("_")[2]


def nearest_on(part: Part, pose: Pose, point: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return share (F,), direction (3, F) in the part's rest axes, and gap (F,) of *point* (3, F) from a part."""
    start, end = part.ends(pose)
    axis, away = end - start, point - start
    length = (axis * axis).sum(axis=0)
    share = np.clip((axis * away).sum(axis=0) / np.maximum(length, _TINY), 0.0, 1.0)
    away = away - share * axis
    distance = np.sqrt((away * away).sum(axis=0))
    direction = away / np.maximum(distance, _TINY)
    turn = pose.rotations[:, :, part.joints[0]]
    return share, apply_transposed(turn, direction), distance - part.radius(share, direction, turn)
