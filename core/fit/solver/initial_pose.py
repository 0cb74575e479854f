"""The closed-form initial pose, from each frame's keypoints alone. F frames, K keypoints.

Pelvis, chest, head, feet and hands get the best rotation of their rigid point groups (Kabsch, 1976). Limbs get the
smallest swing onto the measured bone, then, where the limb is bent, the twist that aligns its bend plane with the
measured one. The spine joints share the rotation from pelvis to chest. A small regularisation towards the parent's
rotation keeps groups with too few points well defined.
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
from ...smpl_skeleton import JOINT_INDEX, NUM_JOINTS, SIDES
from ..point_groups import FOOT
from .gauss_newton import Targets

_COMPOSITES = {
    "mid_hip": ("left_hip", "right_hip"),
    "mid_shoulder": ("left_shoulder", "right_shoulder"),
}
_PARENT_WEIGHT_M2 = 1e-4
"""Weight of the regularisation of a point group towards its parent's rotation, square metres."""
_BEND_SIN_LOW, _BEND_SIN_HIGH = 0.1, 0.3
"""Sines of a limb's bend angle: its bend plane is ignored below the first and fully trusted from the second."""
_BACKWARD_SIN = 0.4
"""How much larger this sine must be for a twist of half a turn to be trusted: a nearly straight limb that seems to bend
backwards is a straight limb measured badly."""


class _Points:
    """Rest and measured points by name, including midpoints that a layout lacks."""

    def __init__(self, names: Sequence[str], rest: Array, targets: Targets) -> None:
        xp = namespace(rest)
        self._index = dict(zip(names, range(len(names)), strict=True))
        missing = {
            name: (self._index[first], self._index[second])
            for name, (first, second) in _COMPOSITES.items()
            if name not in self._index and first in self._index and second in self._index
        }
        self._rest, self._seen, self._weight = rest, targets.points, targets.weights
        if missing:
            first, second = (list(indices) for indices in zip(*missing.values(), strict=True))
            middles = [0.5 * (array[..., first, :] + array[..., second, :]) for array in (rest, targets.points)]
            least = xp.minimum(targets.weights[:, first], targets.weights[:, second])
            self._rest = xp.concat([rest, middles[0]], axis=-2)
            self._seen = xp.concat([targets.points, middles[1]], axis=-2)
            self._weight = xp.concat([targets.weights, least], axis=-1)
            self._index |= {name: len(names) + index for index, name in enumerate(missing)}

    def has(self, name: str) -> bool:
        """Return whether the point exists."""
        return name in self._index

    def of_group(self, shares: dict[str, float]) -> list[str]:
        """Return the group's points that exist."""
        return [name for name in shares if name in self._index]

    def indices(self, names: Sequence[str]) -> list[int]:
        """Return the indices of existing points."""
        return [self._index[name] for name in names]

    def groups(self, indices: list[list[int]]) -> tuple[Array, Array, Array]:
        """Return rest points (..., G, N, 3), measured points (F, G, N, 3) and weights (F, G, N) at *indices* (G, N)."""
        return self._rest[..., indices, :], self._seen[:, indices], self._weight[:, indices]

    def bones(self, starts: Sequence[str], ends: Sequence[str]) -> tuple[Array, Array, Array]:
        """Return rest bones (..., L, 3), measured bones (F, L, 3), and where both ends are seen (F, L)."""
        first, second = self.indices(starts), self.indices(ends)
        known = (self._weight[:, first] > 0) & (self._weight[:, second] > 0)
        rest = self._rest[..., second, :] - self._rest[..., first, :]
        return rest, self._seen[:, second] - self._seen[:, first], known


def analytic_start(names: Sequence[str], keypoints: ShapedKeypoints, targets: Targets) -> tuple[Array, Array]:
    """Return local rotations (F, 24, 3, 3) and trans (F, 3) from each frame's points alone.

    Args:
        names: the solver points, in the order of *targets*.
        keypoints: those points on the shaped body.
        targets: measured positions; points of weight 0 are ignored.
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
    _set_limbs(world, points, [*map(_arm, SIDES), *map(_leg, SIDES)], [chest, chest, pelvis, pelvis])
    ends = [*map(_foot, SIDES), *map(_hand, SIDES)]
    knees, elbows = ([world[f"{side}_{name}"] for side in SIDES] for name in ("knee", "elbow"))
    end_rotations = _groups(points, ends, [*knees, *elbows])
    for side, foot, hand in zip(SIDES, end_rotations[:2], end_rotations[2:], strict=True):
        world[f"{side}_ankle"] = world[f"{side}_foot"] = foot
        world[f"{side}_wrist"] = world[f"{side}_hand"] = hand
    ordered = sorted(JOINT_INDEX, key=JOINT_INDEX.__getitem__)
    assert len(ordered) == NUM_JOINTS
    rotations = local_rotations(xp.stack([world[name] for name in ordered], axis=1))
    return rotations, align_translation(keypoints, rotations, targets)[0]


_PELVIS = {
    "left_hip": 1.0, "right_hip": 1.0, "mid_hip": 1.0, "pelvis": 1.0, "spine1": 1.0, "mid_shoulder": 0.7,
    "left_asis": 1.0, "right_asis": 1.0, "left_psis": 1.0, "right_psis": 1.0, "sacrum": 1.0,
}  # fmt: skip
_CHEST = {
    "left_shoulder": 1.0, "right_shoulder": 1.0, "mid_shoulder": 1.0, "mid_hip": 0.7, "spine3": 1.0, "spine2": 0.5,
    "neck": 1.0, "left_collar": 1.0, "right_collar": 1.0, "c7": 1.0, "t10": 1.0, "manubrium": 1.0, "sternum": 1.0,
    "left_sternoclavicular": 1.0, "right_sternoclavicular": 1.0,
}  # fmt: skip
_HEAD = {
    "nose": 1.0, "left_eye": 1.0, "right_eye": 1.0, "left_ear": 1.0, "right_ear": 1.0, "head": 1.0, "head_top": 1.0,
    "neck": 0.3, "mid_shoulder": 0.1,
}  # fmt: skip


def _foot(side: str) -> dict[str, float]:
    return {f"{side}_{name}": 1.0 for name in FOOT}


def _hand(side: str) -> dict[str, float]:
    fingers = ("index", "middle", "ring", "pinky")
    group = {f"{side}_wrist": 1.0, f"{side}_hand": 1.0, f"{side}_thumb_knuckle": 0.3}
    return group | {f"{side}_{finger}_knuckle": 1.0 for finger in fingers}


def _groups(points: _Points, groups: Sequence[dict[str, float]], parents: Sequence[Array]) -> list[Array]:
    """Return the world rotations (F, 3, 3) of rigid groups of points, regularised towards their parents' rotations.

    Args:
        points: rest and measured points.
        groups: the weight of each point, by group.
        parents: (F, 3, 3) each group's parent rotation; also the result of a group with fewer than two points.
    """
    names = [points.of_group(shares) for shares in groups]
    solvable = [group for group, existing in enumerate(names) if len(existing) >= 2]
    result = list(parents)
    if not solvable:
        return result
    xp = namespace(parents[0])
    longest = max(len(names[group]) for group in solvable)
    indices, point_weights = [], np.zeros((len(solvable), longest))
    for row, group in enumerate(solvable):
        own = points.indices(names[group])
        indices.append(own + own[:1] * (longest - len(own)))
        point_weights[row, : len(own)] = [groups[group][name] for name in names[group]]
    rest, seen, weight = points.groups(indices)
    weight = (weight * like(point_weights, weight))[..., None]
    total = at_least(xp.sum(weight, axis=-2, keepdims=True), 1e-9)
    rest = rest - xp.sum(weight * rest, axis=-2, keepdims=True) / total
    seen = seen - xp.sum(weight * seen, axis=-2, keepdims=True) / total
    regularisation = _PARENT_WEIGHT_M2 * xp.stack([parents[group] for group in solvable], axis=1)
    rotations = nearest_rotation(xp.matrix_transpose(weight * seen) @ rest + regularisation)
    for row, group in enumerate(solvable):
        result[group] = rotations[:, row]
    return result


def _share_spine(world: dict[str, Array], chest: Array, head: Array) -> None:
    """Give the spine joints equal shares of the rotation from pelvis to chest, and the neck half of chest to head."""
    pelvis = world["pelvis"]
    xp = namespace(pelvis)
    begin = xp.stack([pelvis, pelvis, pelvis, chest], axis=1)
    end = xp.stack([chest, chest, chest, head], axis=1)
    turns = matrix_to_axis_angle(xp.matrix_transpose(begin) @ end)
    shares = like(np.array([1 / 3, 2 / 3, 1.0, 0.5])[:, None], turns)
    shared = begin @ axis_angle_to_matrix(turns * shares)
    for index, name in enumerate(("spine1", "spine2", "spine3", "neck")):
        world[name] = shared[:, index]


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
    """Set the world rotations of the limbs' two bones. L limbs.

    Args:
        world: (F, 3, 3) rotations by joint so far; each limb's root and middle joint are added.
        points: rest and measured points.
        limbs: names of root, middle and end, and the sign of the Z axis that the limb bends towards at rest.
        parents: (F, 3, 3) the rotation of each limb's parent.
    """
    xp = namespace(parents[0])
    for (root, middle, _, _), parent in zip(limbs, parents, strict=True):
        world[root] = world[middle] = parent
    solvable = [index for index, limb in enumerate(limbs) if points.has(limb[0]) and points.has(limb[1])]
    if not solvable:
        return
    roots, middles, ends, signs = zip(*(limbs[index] for index in solvable), strict=True)
    parent = xp.stack([parents[index] for index in solvable], axis=1)
    rest, upper, known_upper = points.bones(roots, middles)
    swung = _where(known_upper, swing_between(_turned(parent, rest), upper) @ parent, parent)
    for index, (root, middle) in enumerate(zip(roots, middles, strict=True)):
        world[root] = world[middle] = swung[:, index]
    complete = [index for index, end in enumerate(ends) if points.has(end)]
    if not complete:
        return
    roots, middles, ends, signs = zip(*(limbs[solvable[index]] for index in complete), strict=True)
    sign = like(np.array(signs)[:, None], upper)
    swung, upper, known_upper = swung[:, complete], upper[:, complete], known_upper[:, complete]
    rest, lower, known_lower = points.bones(middles, ends)
    twisted = _where(known_upper & known_lower, _twisted(swung, upper, lower, sign), swung)
    bent = _where(known_lower, swing_between(_turned(twisted, rest), lower) @ twisted, twisted)
    for index, (root, middle) in enumerate(zip(roots, middles, strict=True)):
        world[root], world[middle] = twisted[:, index], bent[:, index]


def _twisted(swung: Array, upper: Array, lower: Array, sign: Array) -> Array:
    """Return rotations (F, L, 3, 3) twisted about the upper bones so that the limbs bend towards their lower bones.

    Args:
        swung: (F, L, 3, 3) rotations of the limbs' roots, with the upper bones aligned.
        upper: (F, L, 3) measured bones from root to middle.
        lower: (F, L, 3) measured bones from middle to end.
        sign: (L, 1) sign of the Z axis that each limb bends towards at rest.
    """
    xp = namespace(swung)
    along = unit(upper)
    perpendicular = lower - dot(lower, along)[..., None] * along
    bend_axis = sign * swung[..., :, 2]
    bend_axis = bend_axis - dot(bend_axis, along)[..., None] * along
    angle = xp.atan2(dot(cross(bend_axis, perpendicular), along), dot(bend_axis, perpendicular))
    sine = xp.sqrt(dot(perpendicular, perpendicular)) / at_least(xp.sqrt(dot(lower, lower)), 1e-9)
    needed = _BEND_SIN_LOW + _BACKWARD_SIN * (angle / np.pi) ** 2
    trust = at_most(at_least((sine - needed) / (_BEND_SIN_HIGH - _BEND_SIN_LOW), 0.0), 1.0)
    return axis_angle_to_matrix(along * (angle * trust)[..., None]) @ swung


def _turned(rotations: Array, vectors: Array) -> Array:
    return (rotations @ vectors[..., None])[..., 0]


def _where(mask: Array, chosen: Array, other: Array) -> Array:
    return namespace(chosen).where(mask[..., None, None], chosen, other)


def align_translation(keypoints: ShapedKeypoints, rotations: Array, targets: Targets) -> tuple[Array, Array]:
    """Return the trans (F, 3) that aligns the weighted means of posed points and targets, and the points (F, K, 3)."""
    xp = namespace(rotations)
    points = keypoints.points(rotations, xp.zeros_like(targets.points[:, 0]))
    weights = targets.weights[..., None]
    trans = xp.sum(weights * (targets.points - points), axis=1) / at_least(xp.sum(weights, axis=1), 1e-9)
    return trans, points + trans[:, None]
