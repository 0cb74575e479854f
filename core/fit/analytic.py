"""The closed-form start: a pose from one frame's keypoints alone. F frames, K keypoints.

Pelvis, chest, head, feet and hands by the best rotation of their rigid point groups (Kabsch, 1976); limbs by the
smallest swing onto the measured bone, then, where the limb is bent, by the twist that brings its bend plane onto the
measured one; the spine by sharing the turn from pelvis to chest. Every group also leans on its parent's rotation,
slightly, so a group with too few points still has one answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import Array, at_least, at_most, like, namespace
from ..body.keypoints import ShapedKeypoints
from ..body.model import local_rotations
from ..rotations import (
    axis_angle_to_matrix,
    cross,
    dot,
    matrix_to_axis_angle,
    nearest_rotation,
    swing_between,
    unit,
)
from ..skeletons import JOINT_INDEX, NUM_JOINTS
from .refine import Targets

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
        self.rest = {name: rest[..., index, :] for index, name in enumerate(names)}
        self.seen = {name: targets.points[:, index] for index, name in enumerate(names)}
        self.weight = {name: targets.weights[:, index] for index, name in enumerate(names)}
        for name, (first, second) in _COMPOSITES.items():
            if name not in self.rest and first in self.rest and second in self.rest:
                self.rest[name] = 0.5 * (self.rest[first] + self.rest[second])
                self.seen[name] = 0.5 * (self.seen[first] + self.seen[second])
                self.weight[name] = xp.minimum(self.weight[first], self.weight[second])

    def has(self, *names: str) -> bool:
        """Whether all *names* are there."""
        return all(name in self.rest for name in names)


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
    world["pelvis"] = _group(points, _PELVIS, identity)
    chest = _group(points, _CHEST, world["pelvis"])
    _share_spine(world, chest)
    head = _group(points, _HEAD, chest)
    lean = matrix_to_axis_angle(xp.matrix_transpose(chest) @ head)
    world["neck"] = chest @ axis_angle_to_matrix(0.5 * lean)
    world["head"] = head
    for side in ("left", "right"):
        world[f"{side}_collar"] = chest
        _limb(world, points, _arm(side), chest)
        _limb(world, points, _leg(side), world["pelvis"])
        world[f"{side}_ankle"] = _group(points, _foot(side), world[f"{side}_knee"])
        world[f"{side}_foot"] = world[f"{side}_ankle"]
        world[f"{side}_wrist"] = _group(points, _hand(side), world[f"{side}_elbow"])
        world[f"{side}_hand"] = world[f"{side}_wrist"]
    ordered = sorted(JOINT_INDEX, key=JOINT_INDEX.__getitem__)
    assert len(ordered) == NUM_JOINTS
    rotations = local_rotations(xp.stack([world[name] for name in ordered], axis=1))
    return rotations, placed(keypoints, rotations, targets)[0]


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


def _group(points: _Points, shares: dict[str, float], parent: Array) -> Array:
    """Return the rotation (F, 3, 3) of a rigid group of points, leaning on *parent* (F, 3, 3)."""
    xp = namespace(parent)
    names = [name for name in shares if points.has(name)]
    lean = _LEAN_M2 * parent
    if len(names) < 2:
        return parent
    weight = xp.stack([shares[name] * points.weight[name] for name in names], axis=1)[..., None]
    rest = xp.stack([points.rest[name] for name in names], axis=-2)
    seen = xp.stack([points.seen[name] for name in names], axis=1)
    total = at_least(xp.sum(weight, axis=1, keepdims=True), 1e-9)
    rest = rest - xp.sum(weight * rest, axis=1, keepdims=True) / total
    seen = seen - xp.sum(weight * seen, axis=1, keepdims=True) / total
    return nearest_rotation(xp.matrix_transpose(weight * seen) @ rest + lean)


def _share_spine(world: dict[str, Array], chest: Array) -> None:
    """Give the three spine joints equal shares of the turn from pelvis to chest."""
    pelvis = world["pelvis"]
    turn = matrix_to_axis_angle(namespace(pelvis).matrix_transpose(pelvis) @ chest)
    for index, name in enumerate(("spine1", "spine2", "spine3")):
        world[name] = pelvis @ axis_angle_to_matrix(turn * ((index + 1) / 3.0))


def _arm(side: str) -> tuple[str, str, str, float]:
    return f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist", 1.0


def _leg(side: str) -> tuple[str, str, str, float]:
    return f"{side}_hip", f"{side}_knee", f"{side}_ankle", -1.0


def _limb(world: dict[str, Array], points: _Points, limb: tuple[str, str, str, float], parent: Array) -> None:
    """Set the rotations of a limb's two bones.

    Args:
        world: joint rotations so far; gains the limb's root and middle joint.
        points: the points.
        limb: names of root, middle and end, and the sign of the Z axis that the limb bends towards at rest.
        parent: (F, 3, 3) the rotation it hangs from.
    """
    root, middle, end, bend_sign = limb
    if not points.has(root, middle):
        world[root] = world[middle] = parent
        return
    upper, known_upper = _bone(points, root, middle)
    along = unit(upper)
    swung = swing_between((parent @ (points.rest[middle] - points.rest[root])[..., None])[..., 0], upper) @ parent
    swung = _where(known_upper, swung, parent)
    if not points.has(end):
        world[root] = world[middle] = swung
        return
    lower, known_lower = _bone(points, middle, end)
    square = lower - dot(lower, along)[..., None] * along
    bend_axis = bend_sign * swung[..., :, 2]
    bend_axis = bend_axis - dot(bend_axis, along)[..., None] * along
    xp = namespace(parent)
    angle = xp.atan2(dot(cross(bend_axis, square), along), dot(bend_axis, square))
    sine = xp.sqrt(dot(square, square)) / at_least(xp.sqrt(dot(lower, lower)), 1e-9)
    needed = _BEND_SIN_LOW + _BACKWARD_SIN * (angle / np.pi) ** 2
    trust = at_most(at_least((sine - needed) / (_BEND_SIN_HIGH - _BEND_SIN_LOW), 0.0), 1.0)
    twisted = axis_angle_to_matrix(along * (angle * trust)[..., None]) @ swung
    known = known_upper & known_lower
    world[root] = _where(known, twisted, swung)
    rest_lower = points.rest[end] - points.rest[middle]
    bent = swing_between((world[root] @ rest_lower[..., None])[..., 0], lower) @ world[root]
    world[middle] = _where(known_lower, bent, world[root])


def _bone(points: _Points, start: str, end: str) -> tuple[Array, Array]:
    """Return the measured vector (F, 3) between two points, and whether both were seen (F,)."""
    known = (points.weight[start] > 0) & (points.weight[end] > 0)
    return points.seen[end] - points.seen[start], known


def _where(mask: Array, chosen: Array, other: Array) -> Array:
    return namespace(chosen).where(mask[..., None, None], chosen, other)


def placed(keypoints: ShapedKeypoints, rotations: Array, targets: Targets) -> tuple[Array, Array]:
    """Return the trans (F, 3) that brings the posed points onto the targets in the mean, and the points (F, K, 3)."""
    xp = namespace(rotations)
    points = keypoints.points(rotations, xp.zeros_like(targets.points[:, 0]))
    weights = targets.weights[..., None]
    trans = xp.sum(weights * (targets.points - points), axis=1) / at_least(xp.sum(weights, axis=1), 1e-9)
    return trans, points + trans[:, None]
