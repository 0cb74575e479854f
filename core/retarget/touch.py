"""Contacts of hands with the body: where, how closely, and the same contact on a character. F frames.

A hand touches a part of the body at the part's nearest point. On the character it belongs at the same share of the
part's length, in the same direction from its axis, with the same gap from the skin, scaled by the length of the arms.
One rule serves for the other hand, the head, the trunk, the thighs and the other arm. What touches is the middle of the
hand, a finger tip if that is nearer, or a mean of them; of two hands their middles, two finger tips, or means of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..math.frames_last import apply, apply_transposed
from .surfaces import HANDS, Part
from .tree import Pose

_TOUCH_M = {"head": 0.06, "hand": 0.06, "trunk": 0.05, "arm": 0.04, "thigh": 0.03}
"""Gap between the middle of the hand and the skin up to which the hand touches, on a body with the hands below. Fingers
that touch the head hold the middle of the hand farther away than a palm on a thigh."""
_TIP_M = 0.015
"""The same for a finger tip."""
_FADING_M, _TIP_FADING_M = 0.05, 0.02
"""Beyond that a touch fades over this gap; that of a finger tip sooner, since fingers of hanging arms are near thighs
without touching them ..."""
_NEAREST_M, _NEAREST_POINT_M = 0.012, 0.03
"""... and over the first if the hand touches something else more closely: with other proportions it could not reach
both. Over the second, one point of a hand takes over from another."""
_HAND_M = 0.026
"""Radius of the hands of that body."""
FADE_S = 0.15
"""Time over which touches are smoothed."""
_LEAST_WEIGHT = 0.01
_SURE = 0.5
"""A hand that touches the other one with this weight does not touch that arm."""
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
        gap: (T,) from the skin to the point that touches, metres; below 0 inside.
        points: (P, T) the shares of the middle of the hand, and of each finger tip, in the point that touches.
        others: (P, T) the same of the other hand in the point that is touched; None if that is another part.
    """

    hand: str
    part: str
    frames: np.ndarray
    weight: np.ndarray
    share: np.ndarray
    direction: np.ndarray
    gap: np.ndarray
    points: np.ndarray
    others: np.ndarray | None = None

    def offset(self, middle: np.ndarray, tips: np.ndarray) -> np.ndarray:
        """Return the point (3, T) that touches, of a hand with its *middle* (3,) and *tips* (3, P - 1, T)."""
        return point_of(self.points, middle, tips)

    def anchor(self, parts: dict[str, Part], pose: Pose, frames: np.ndarray, tips: np.ndarray) -> np.ndarray:
        """Return the point (3, T) that is touched or whose surroundings are, on a body with these *parts*.

        Args:
            parts: the parts.
            pose: a pose of the body.
            frames: (T,) frames of the pose.
            tips: (3, P - 1, T) finger tips of the part, if it is a hand.
        """
        part = parts[self.part]
        if self.others is not None:
            return pose.point(part.joints[0], point_of(self.others, part.offsets[0], tips), frames)
        start, end = part.ends(pose, frames)
        on_axis: np.ndarray = start + self.share * (end - start)
        return on_axis

    def goal(self, parts: dict[str, Part], pose: Pose, frames: np.ndarray, scale: float) -> np.ndarray:
        """Return where the hand should be relative to the anchor (3, T), with the gap multiplied by *scale*."""
        part = parts[self.part]
        turn = pose.rotations[:, :, part.joints[0]][..., frames]
        direction = apply(turn, self.direction)
        radius = part.radius(self.share, direction, turn)
        if self.others is not None:
            radius = radius * self.others[0]
        vector: np.ndarray = direction * (radius + scale * self.gap)
        return vector

    def at(self, chosen: np.ndarray) -> Touch:
        """Return the touch in those of its frames alone that are *chosen* (T,), bool."""
        arrays = ("frames", "weight", "share", "direction", "gap", "points")
        others = None if self.others is None else self.others[:, chosen]
        return replace(self, others=others, **{name: getattr(self, name)[..., chosen] for name in arrays})


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

    def offset(self, middle: np.ndarray, tips: np.ndarray) -> np.ndarray:
        """Return the point (3,) of the hand: its *middle* (3,)."""
        return middle

    def anchor(self, parts: dict[str, Part], pose: Pose, frames: np.ndarray, tips: np.ndarray) -> np.ndarray:
        """Return the origin (3, T), which the places are relative to."""
        return np.zeros_like(self.places)

    def goal(self, parts: dict[str, Part], pose: Pose, frames: np.ndarray, scale: float) -> np.ndarray:
        """Return where the hand should be (3, T)."""
        return self.places

    def at(self, chosen: np.ndarray) -> FloorReach:
        """Return the hand in those of its frames alone that are *chosen* (T,), bool."""
        return replace(self, frames=self.frames[chosen], weight=self.weight[chosen], places=self.places[:, chosen])


def find_touches(
    parts: dict[str, Part],
    pose: Pose,
    names: set[str],
    fade: int,
    inner: slice,
    tips: Mapping[str, np.ndarray] | None = None,
) -> list[Touch]:
    """Return the touches of both hands.

    A hand on the other hand does not touch that arm besides: with other proportions it could not reach both.

    Args:
        parts: the surface of the body, as far as it is known.
        pose: its joints, in consecutive frames.
        names: the parts to consider; the character may have fewer.
        fade: number of frames over which the weights are smoothed.
        inner: the frames to return, counted from the first of *pose*; those around them only fade.
        tips: (3, P - 1, F) finger tips of each hand by its name, relative to its joint, in its rest axes; None if the
            fingers are not known.
    """
    tips, none, found = tips or {}, np.zeros((3, 0, pose.positions.shape[-1])), []
    for hand in [hand for hand in HANDS if hand in names and hand in parts]:
        own = [hand.replace("hand", role) for role in ("hand", "forearm", "upper_arm")]
        others = [name for name in parts if name in names and name not in own]
        if not others:
            continue
        reach = _Reach(pose, parts[hand], tips.get(hand, none))
        nearest = [
            reach.to_hand(parts[name], tips.get(name, none)) if name in HANDS else reach.to(parts[name], name)
            for name in others
        ]
        beyond = np.stack([one.beyond for one in nearest])
        behind = (beyond - beyond.min(axis=0)) / _NEAREST_M
        weights = {}
        for name, one, rank in zip(others, nearest, behind, strict=True):
            weight = np.exp(-((np.maximum(one.beyond, 0.0) / one.fading) ** 2) - rank**2)
            weights[name] = held_up(weight, fade // 2) if name in HANDS else smoothed(weight, fade)
        off_hand = np.maximum(1.0 - weights.get(HANDS[1 - HANDS.index(hand)], np.zeros(1)) / _SURE, 0.0)
        for name, one in zip(others, nearest, strict=True):
            weight = (weights[name] * off_hand if _kind(name) == "arm" else weights[name])[inner]
            frames = np.flatnonzero(weight > _LEAST_WEIGHT)
            if len(frames) and (hand, name) != HANDS[::-1]:  # both hands touch each other in one
                at = frames + inner.start
                places = one.share[at], one.direction[:, at], one.gap[at], one.points[:, at]
                touched = None if one.others is None else one.others[:, at]
                found.append(Touch(hand, name, frames, weight[frames], *places, touched))
    return found


@dataclass(frozen=True, eq=False)
class _Nearest:
    """Where a hand is nearest to a part, as in a `Touch` but in all frames.

    Attributes:
        beyond: (F,) how far the hand is from touching, metres on the body that the limits are for.
        fading: (F,) the distance over which the touch fades.
        others: (Q, F) as in a `Touch`.
    """

    share: np.ndarray
    direction: np.ndarray
    gap: np.ndarray
    points: np.ndarray
    beyond: np.ndarray
    fading: np.ndarray
    others: np.ndarray | None = None


class _Reach:
    """A hand with the points that it touches with: its middle, and its finger tips as far as they are known."""

    def __init__(self, pose: Pose, hand: Part, tips: np.ndarray) -> None:
        """Place the points of *hand*, with *tips* (3, P - 1, F) relative to its joint."""
        self.pose, self.joint, self.middle, self.tips = pose, hand.joints[0], hand.offsets[0], tips
        self.scale = float(hand.radii[0, 0]) / _HAND_M

    def to(self, part: Part, name: str) -> _Nearest:
        """Return where the hand is nearest to the *part* called *name*, which is no hand."""
        count = self.tips.shape[1]
        limits = np.array([_TOUCH_M[_kind(name)], *[_TIP_M] * count])
        offsets = [self.middle, *self.tips.transpose(1, 0, 2)]
        nearest = [nearest_on(part, self.pose, self._placed(offset)) for offset in offsets]
        beyond = np.stack([gap for _, _, gap in nearest]) / self.scale - limits[:, None]
        points = _shares(beyond)
        share, direction, gap = nearest[0]
        if len(nearest) > 1:
            share, direction, gap = nearest_on(part, self.pose, self._placed(point_of(points, self.middle, self.tips)))
        fading = np.array([_FADING_M, *[_TIP_FADING_M] * count]) @ points
        return _Nearest(share, direction, gap, points, gap / self.scale - limits @ points, fading)

    def to_hand(self, other: Part, tips: np.ndarray) -> _Nearest:
        """Return where the hand is nearest to the *other* one, with *tips* (3, Q - 1, F): by middles or by tips."""
        joint, turn = other.joints[0], self.pose.rotations[:, :, other.joints[0]]
        _, _, of_middles = nearest_on(other, self.pose, self._placed(self.middle))
        ours, theirs = np.empty_like(self.tips), np.empty_like(tips)
        for hand, offsets, placed in ((self.joint, self.tips, ours), (joint, tips, theirs)):
            for number in range(offsets.shape[1]):
                placed[:, number] = self.pose.point(hand, offsets[:, number])
        apart = np.linalg.norm(ours[:, :, None] - theirs[:, None], axis=0)
        of_tips = apart.reshape(-1, apart.shape[-1]) / self.scale - _TIP_M
        shares = _shares(np.concatenate([of_middles[None] / self.scale - _TOUCH_M["hand"], of_tips]))
        middle, pairs = shares[0], shares[1:].reshape(apart.shape)
        points = np.concatenate([middle[None], pairs.sum(axis=1)])
        others = np.concatenate([middle[None], pairs.sum(axis=0)])
        away = self._placed(point_of(points, self.middle, self.tips))
        away -= self.pose.point(joint, point_of(others, other.offsets[0], tips))
        distance = np.sqrt((away * away).sum(axis=0))
        direction = away / np.maximum(distance, _TINY)
        share = np.zeros_like(distance)
        gap = distance - middle * other.radius(share, direction, turn)
        limit, fading = (
            middle * of_middle + (1.0 - middle) * of_tip
            for of_middle, of_tip in ((_TOUCH_M["hand"], _TIP_M), (_FADING_M, _TIP_FADING_M))
        )
        local = apply_transposed(turn, direction)
        return _Nearest(share, local, gap, points, gap / self.scale - limit, fading, others)

    def _placed(self, offset: np.ndarray) -> np.ndarray:
        return self.pose.point(self.joint, offset)


def _shares(beyond: np.ndarray) -> np.ndarray:
    """Return the shares (P, F) of points in a touch, by how far they are *beyond* (P, F) touching, metres."""
    shares: np.ndarray = np.exp(-(((beyond - beyond.min(axis=0)) / _NEAREST_POINT_M) ** 2))
    shares /= shares.sum(axis=0)
    return shares


def point_of(shares: np.ndarray, middle: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """Return the mean (3, T), with *shares* (P, T), of the *middle* (3,) of a hand and its *tips* (3, P - 1, T)."""
    point: np.ndarray = shares[0] * middle[:, None] + (shares[1:] * tips[:, : len(shares) - 1]).sum(axis=1)
    return point


def smoothed(values: np.ndarray, fade: int) -> np.ndarray:
    """Return values (F,) as weighted means over *fade* frames before and after."""
    if fade == 0 or not values.any():
        return values
    kernel = np.hanning(2 * fade + 3)[1:-1]
    return np.convolve(np.pad(values, fade, mode="edge"), kernel / kernel.sum(), mode="valid")


def held_up(values: np.ndarray, fade: int) -> np.ndarray:
    """Return smooth values (F,) that are nowhere below those given, over twice *fade* frames before and after."""
    if not values.any():
        return values
    padded = np.pad(values, fade, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * fade + 1).max(axis=1)
    return smoothed(highest, fade)


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
