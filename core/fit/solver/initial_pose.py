"""The closed-form start: a pose from one frame's keypoints alone. F frames, K keypoints.

Pelvis, chest, head, feet and hands by the best rotation of their rigid point groups (Kabsch, 1976); limbs by the
smallest swing onto the measured bone, then, where the limb is bent, by the twist that brings its bend plane onto the
measured one; the spine by sharing the turn from pelvis to chest. Every group also leans on its parent's rotation,
slightly, so a group with too few points still has one answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...body.keypoints import ShapedKeypoints
from ...body.model import local_rotations
from ...math.arrays import Array, at_least, at_most, like, namespace
from ...math.rotations import (
    axis_angle_to_matrix,
    cross,
    dot,
    matrix_to_axis_angle,
    nearest_rotation,
    swing_between,
    unit,
)
from ...smpl_skeleton import JOINT_INDEX, NUM_JOINTS
from .gauss_newton import Targets

_COMPOSITES = {
    "mid_hip": ("left_hip", "right_hip"),
    "mid_shoulder": ("left_shoulder", "right_shoulder"),
}
_LEAN_M2 = 1e-4
"""How much a point group leans on its parent's rotation, square metres."""
_BEND_SIN_LOW, _BEND_SIN_HIGH = 0.1, 0.3
"""A limb's bend plane is ignored below the first sine of its bend and trusted fully from the second."""
_BACKWARD_SIN = 0.4
"""How much more bend it takes to believe a twist of half a turn: a nearly straight limb that seems to bend backwards
is a straight limb measured badly."""


class _Points:
    """Rest and measured points by name, with the composites that a layout may lack."""

    def __init__(self, names: Sequence[str], rest: Array, targets: Targets) -> None:
        xp = namespace(rest)
        self._place = dict(zip(names, range(len(names)), strict=True))
        lacking = {
            name: (self._place[first], self._place[second])
            for name, (first, second) in _COMPOSITES.items()
            if name not in self._place and first in self._place and second in self._place
        }
        self._rest, self._seen, self._weight = rest, targets.points, targets.weights
        if lacking:
            first, second = (list(places) for places in zip(*lacking.values(), strict=True))
            middles = [0.5 * (array[..., first, :] + array[..., second, :]) for array in (rest, targets.points)]
            least = xp.minimum(targets.weights[:, first], targets.weights[:, second])
            self._rest = xp.concat([rest, middles[0]], axis=-2)
            self._seen = xp.concat([targets.points, middles[1]], axis=-2)
            self._weight = xp.concat([targets.weights, least], axis=-1)
            self._place |= {name: len(names) + place for place, name in enumerate(lacking)}

    def has(self, name: str) -> bool:
        """Whether a point is there."""
        return name in self._place

    def of_group(self, shares: dict[str, float]) -> list[str]:
        """Return the points of a group that are there."""
        return [name for name in shares if name in self._place]

    def places(self, names: Sequence[str]) -> list[int]:
        """Return the places of points that are there."""
        return [self._place[name] for name in names]

    def groups(self, places: list[list[int]]) -> tuple[Array, Array, Array]:
        """Return rest (..., G, N, 3) and measured points (F, G, N, 3), and weights (F, G, N), at G times N places."""
        return self._rest[..., places, :], self._seen[:, places], self._weight[:, places]

    def bones(self, starts: Sequence[str], ends: Sequence[str]) -> tuple[Array, Array, Array]:
        """Return bones between points, (..., L, 3) at rest and (F, L, 3) measured, and where both ends are seen."""
        first, second = self.places(starts), self.places(ends)
        known = (self._weight[:, first] > 0) & (self._weight[:, second] > 0)
        rest = self._rest[..., second, :] - self._rest[..., first, :]
        return rest, self._seen[:, second] - self._seen[:, first], known


def analytic_start(names: Sequence[str], keypoints: ShapedKeypoints, targets: Targets) -> tuple[Array, Array]:
    """Return local rotations (F, 24, 3, 3) and trans (F, 3) from each frame's points alone.

    Args:
        names: the solver points, in the order of *targets*.
        keypoints: those points on the shaped body.
        targets: where they were measured; points of weight 0 are not looked at.
    """
    xp = namespace(targets.points)
    points = _Points(names, keypoints.rest_points, targets)
    identity = xp.broadcast_to(like(np.eye(3), targets.points), (targets.points.shape[0], 3, 3))
    world: dict[str, Array] = {}
    world["pelvis"] = pelvis = _groups(points, [_PELVIS], [identity])[0]
    chest = _groups(points, [_CHEST], [pelvis])[0]
    head = _groups(points, [_HEAD], [chest])[0]
    _share_spine(world, chest, head)
    world["head"] = head
    world["left_collar"] = world["right_collar"] = chest
    _set_limbs(world, points, [*map(_arm, _SIDES), *map(_leg, _SIDES)], [chest, chest, pelvis, pelvis])
    ends = [*map(_foot, _SIDES), *map(_hand, _SIDES)]
    knees, elbows = ([world[f"{side}_{name}"] for side in _SIDES] for name in ("knee", "elbow"))
    found = _groups(points, ends, [*knees, *elbows])
    for side, foot, hand in zip(_SIDES, found[:2], found[2:], strict=True):
        world[f"{side}_ankle"] = world[f"{side}_foot"] = foot
        world[f"{side}_wrist"] = world[f"{side}_hand"] = hand
    ordered = sorted(JOINT_INDEX, key=JOINT_INDEX.__getitem__)
    assert len(ordered) == NUM_JOINTS
    rotations = local_rotations(xp.stack([world[name] for name in ordered], axis=1))
    return rotations, align_translation(keypoints, rotations, targets)[0]


_SIDES = ("left", "right")
_PELVIS = {"left_hip": 1.0, "right_hip": 1.0, "mid_hip": 1.0, "pelvis": 1.0, "spine1": 1.0, "mid_shoulder": 0.7}
_CHEST = {
    "left_shoulder": 1.0, "right_shoulder": 1.0, "mid_shoulder": 1.0, "mid_hip": 0.7, "spine3": 1.0, "spine2": 0.5,
    "neck": 1.0, "left_collar": 1.0, "right_collar": 1.0,
}  # fmt: skip
_HEAD = {
    "nose": 1.0, "left_eye": 1.0, "right_eye": 1.0, "left_ear": 1.0, "right_ear": 1.0, "head": 1.0, "head_top": 1.0,
    "neck": 0.3, "mid_shoulder": 0.1,
}  # fmt: skip


def _foot(side: str) -> dict[str, float]:
    return {f"{side}_{name}": 1.0 for name in ("ankle", "heel", "big_toe", "small_toe", "foot")}


def _hand(side: str) -> dict[str, float]:
    fingers = ("index", "middle", "ring", "pinky")
    group = {f"{side}_wrist": 1.0, f"{side}_hand": 1.0, f"{side}_thumb_knuckle": 0.3}
    return group | {f"{side}_{finger}_knuckle": 1.0 for finger in fingers}


def _groups(points: _Points, groups: Sequence[dict[str, float]], parents: Sequence[Array]) -> list[Array]:
    """Return the rotations (F, 3, 3) of rigid groups of points, each leaning on its parent's (F, 3, 3).

    Args:
        points: the points.
        groups: each group's points, and how much each counts.
        parents: of each group; the rotation of one with fewer than two points.
    """
    names = [points.of_group(shares) for shares in groups]
    told = [group for group, some in enumerate(names) if len(some) >= 2]
    found = list(parents)
    if not told:
        return found
    xp = namespace(parents[0])
    longest = max(len(names[group]) for group in told)
    places, counted = [], np.zeros((len(told), longest))
    for row, group in enumerate(told):
        own = points.places(names[group])
        places.append(own + own[:1] * (longest - len(own)))
        counted[row, : len(own)] = [groups[group][name] for name in names[group]]
    rest, seen, weight = points.groups(places)
    weight = (weight * like(counted, weight))[..., None]
    total = at_least(xp.sum(weight, axis=-2, keepdims=True), 1e-9)
    rest = rest - xp.sum(weight * rest, axis=-2, keepdims=True) / total
    seen = seen - xp.sum(weight * seen, axis=-2, keepdims=True) / total
    lean = _LEAN_M2 * xp.stack([parents[group] for group in told], axis=1)
    rotations = nearest_rotation(xp.matrix_transpose(weight * seen) @ rest + lean)
    for row, group in enumerate(told):
        found[group] = rotations[:, row]
    return found


def _share_spine(world: dict[str, Array], chest: Array, head: Array) -> None:
    """Give the three spine joints equal shares of the turn from pelvis to chest, and the neck half of that to head."""
    pelvis = world["pelvis"]
    xp = namespace(pelvis)
    begin = xp.stack([pelvis, pelvis, pelvis, chest], axis=1)
    end = xp.stack([chest, chest, chest, head], axis=1)
    turns = matrix_to_axis_angle(xp.matrix_transpose(begin) @ end)
    shares = like(np.array([1 / 3, 2 / 3, 1.0, 0.5])[:, None], turns)
    shared = begin @ axis_angle_to_matrix(turns * shares)
    for place, name in enumerate(("spine1", "spine2", "spine3", "neck")):
        world[name] = shared[:, place]


def _arm(side: str) -> tuple[str, str, str, float]:
    return f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist", 1.0


def _leg(side: str) -> tuple[str, str, str, float]:
    return f"{side}_hip", f"{side}_knee", f"{side}_ankle", -1.0


def _set_limbs(
    world: dict[str, Array],
    points: _Points,
    limbs: Sequence[tuple[str, str, str, float]],
    parents: Sequence[Array],
) -> None:
    """Set the rotations of limbs' two bones. L limbs.

    Args:
        world: joint rotations so far; gains each limb's root and middle joint.
        points: the points.
        limbs: names of root, middle and end, and the sign of the Z axis that the limb bends towards at rest.
        parents: (F, 3, 3) the rotations they hang from.
    """
    xp = namespace(parents[0])
    for (root, middle, _, _), parent in zip(limbs, parents, strict=True):
        world[root] = world[middle] = parent
    told = [place for place, limb in enumerate(limbs) if points.has(limb[0]) and points.has(limb[1])]
    if not told:
        return
    roots, middles, ends, signs = zip(*(limbs[place] for place in told), strict=True)
    parent = xp.stack([parents[place] for place in told], axis=1)
    rest, upper, known_upper = points.bones(roots, middles)
    swung = _where(known_upper, swing_between(_turned(parent, rest), upper) @ parent, parent)
    for place, (root, middle) in enumerate(zip(roots, middles, strict=True)):
        world[root] = world[middle] = swung[:, place]
    whole = [place for place, end in enumerate(ends) if points.has(end)]
    if not whole:
        return
    roots, middles, ends, signs = zip(*(limbs[told[place]] for place in whole), strict=True)
    sign = like(np.array(signs)[:, None], upper)
    swung, upper, known_upper = swung[:, whole], upper[:, whole], known_upper[:, whole]
    rest, lower, known_lower = points.bones(middles, ends)
    twisted = _where(known_upper & known_lower, _twisted(swung, upper, lower, sign), swung)
    bent = _where(known_lower, swing_between(_turned(twisted, rest), lower) @ twisted, twisted)
    for place, (root, middle) in enumerate(zip(roots, middles, strict=True)):
        world[root], world[middle] = twisted[:, place], bent[:, place]


def _twisted(swung: Array, upper: Array, lower: Array, sign: Array) -> Array:
    """Return rotations *swung* (F, L, 3, 3) twisted about the upper bones, to bend the way the lower bones go.

    Args:
        swung: of the limbs' roots, with the upper bones where they are.
        upper: (F, L, 3) from root to middle.
        lower: (F, L, 3) from middle to end.
        sign: (L, 1) of the Z axis that each limb bends towards at rest.
    """
    xp = namespace(swung)
    along = unit(upper)
    square = lower - dot(lower, along)[..., None] * along
    bend_axis = sign * swung[..., :, 2]
    bend_axis = bend_axis - dot(bend_axis, along)[..., None] * along
    angle = xp.atan2(dot(cross(bend_axis, square), along), dot(bend_axis, square))
    sine = xp.sqrt(dot(square, square)) / at_least(xp.sqrt(dot(lower, lower)), 1e-9)
    needed = _BEND_SIN_LOW + _BACKWARD_SIN * (angle / np.pi) ** 2
    trust = at_most(at_least((sine - needed) / (_BEND_SIN_HIGH - _BEND_SIN_LOW), 0.0), 1.0)
    return axis_angle_to_matrix(along * (angle * trust)[..., None]) @ swung


def _turned(rotations: Array, vectors: Array) -> Array:
    return (rotations @ vectors[..., None])[..., 0]


def _where(mask: Array, chosen: Array, other: Array) -> Array:
    return namespace(chosen).where(mask[..., None, None], chosen, other)


def align_translation(keypoints: ShapedKeypoints, rotations: Array, targets: Targets) -> tuple[Array, Array]:
    """Return the trans (F, 3) that brings the posed points onto the targets in the mean, and the points (F, K, 3)."""
    xp = namespace(rotations)
    points = keypoints.points(rotations, xp.zeros_like(targets.points[:, 0]))
    weights = targets.weights[..., None]
    trans = xp.sum(weights * (targets.points - points), axis=1) / at_least(xp.sum(weights, axis=1), 1e-9)
    return trans, points + trans[:, None]
