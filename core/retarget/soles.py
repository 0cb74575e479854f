"""Feet of a character: where they stand, and the skin of their soles. F frames, V vertices.

All points of a foot are relative to its joint, in SMPL's rest axes, in which the sole of a standing foot is level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..cleanup.soles import lowest_points, spread_directions
from ..smpl_skeleton import SIDES
from .rig import Rig, Skin
from .tree import Pose, Tree

_TINY = 1e-9
_LEAST_VERTICES = 6
_MAIN_WEIGHT, _LEAST_WEIGHT = 0.5, 0.1
"""Weight of a foot's bones from which a vertex belongs to the foot, and from which it can touch the floor with it."""
_HEEL_SHARE = 0.25
"""The heel lies in the last quarter of the foot ..."""
_SOLE_SHARE = 0.1
"""... among the vertices lowest by this share of the foot's height."""
_BALL_SHARE = 0.55
"""Where the ball of a foot without a toe bone lies, from the ankle to the tip."""
_HEEL_BEHIND = 0.35
"""How far the heel of a foot without skin lies behind the ankle, as a share of the distance to the toes."""
_USUAL_BALL, _USUAL_TOES = np.array([0.0, -0.35, 0.6]), 0.3
"""The ball relative to the ankle, and the length of the toes, of a foot of length 1."""
_ONE_LINE = 1.0 - 1e-4
"""Cosine of the angle up to which a bone goes on in the direction of the one before."""
_LONG = 1.4
"""Feet up to this many times longer than fits the legs, as shoes make them, tilt fully."""
_DIRECTIONS = 200
"""Directions all around in which the outermost vertices are kept, for contacts of a foot in any pose, kneeling too."""


@dataclass(frozen=True, eq=False)
class Support:
    """The lowest points of a foot, skinned: those that can touch the floor.

    Attributes:
        ankle: the foot's joint.
        points: (V, 3) relative to the ankle.
        joints: the N joints that move them.
        levers: (N, V, 3) position relative to each joint, times its weight.
        weights: (N, V) weight of each joint.
        toes: (T, 3) the points that move mainly with the toes, relative to the toe joint.
    """

    ankle: int
    points: np.ndarray
    joints: tuple[int, ...]
    levers: np.ndarray
    weights: np.ndarray
    toes: np.ndarray

    def lowest(self, pose: Pose) -> np.ndarray:
        """Return the height (F,) of the lowest point in a pose of all joints."""
        rows = {joint: pose.rotations[1, :, joint] for joint in self.joints if joint >= 0}
        levels = {joint: pose.positions[1, joint] for joint in (*rows, self.ankle)}
        rows[self.ankle] = pose.rotations[1, :, self.ankle]
        lowest: np.ndarray = self.heights(rows, levels).min(axis=0)
        return lowest

    def share_of(self, joint: int | None) -> np.ndarray:
        """Return how far each point (V,) moves with *joint*."""
        found = self.joints.index(joint) if joint in self.joints else None
        return np.zeros(len(self.points)) if found is None else self.weights[found]

    def heights(self, rows: Mapping[int, np.ndarray], levels: Mapping[int, np.ndarray]) -> np.ndarray:
        """Return the heights (V, F) of the points; what moves with joints that are not given moves with the ankle.

        Args:
            rows: (3, F) the second row of each joint's world rotation, which gives heights.
            levels: (F,) height of each joint.
        """
        total = np.zeros((len(self.points), levels[self.ankle].shape[-1]))
        other = np.ones(len(self.points))
        for number, joint in enumerate(self.joints):
            if joint in rows:
                total += self.levers[number] @ rows[joint] + self.weights[number][:, None] * levels[joint]
                other = other - self.weights[number]
        if other.max() > _TINY:
            total += other[:, None] * (self.points @ rows[self.ankle] + levels[self.ankle])
        return total


@dataclass(frozen=True, eq=False)
class Foot:
    """One foot.

    Attributes:
        ankle: index of its joint.
        toe: index of the toe joint; None if it has none.
        heel: (3,) the bottom of the heel.
        ball: (3,) the toe joint, about which the foot rolls off.
        ball_height: height of the ball above the sole.
        has_skin: whether the sole is known from the skin.
        tilt: how far the foot tilts, of the source's tilt: below 1 if it is much too long for the legs.
        support: the skin of the sole; without a skin, heel, ball and tip of the toes.
    """

    ankle: int
    toe: int | None
    heel: np.ndarray
    ball: np.ndarray
    ball_height: float
    support: Support
    has_skin: bool
    tilt: float = 1.0

    @property
    def sole(self) -> float:
        """Height of the sole relative to the ankle, metres, below 0."""
        return float(self.heel[1])


def measure_feet(rig: Rig, tree: Tree, fitting_m: float) -> tuple[Foot, Foot]:
    """Return the left and the right foot of a character.

    A foot that is much longer than *fitting_m*, metres, tilts less than the source's: on tiptoe it would lift the
    ankle by more than the leg can bend.
    """
    left, right = (_measure_foot(rig, tree, side, fitting_m) for side in SIDES)
    lengths = [float(np.ptp(foot.support.points[:, 2])) for foot in (left, right)]
    tilt = min(1.0, _LONG * fitting_m / max(0.5 * sum(lengths), _TINY))
    return replace(left, tilt=tilt), replace(right, tilt=tilt)


def _measure_foot(rig: Rig, tree: Tree, side: str, fitting_m: float) -> Foot:
    ankle, toe = tree.index[f"{side}_foot"], tree.index.get(f"{side}_toe")
    owners = tree.owners(rig)
    skin = rig.skin
    is_foot = np.isin(owners[skin.bones], [ankle, ankle if toe is None else toe])
    share = (skin.weights * is_foot).sum(axis=1) / np.maximum(skin.weights.sum(axis=1), _TINY)
    numbers = np.flatnonzero(share > _MAIN_WEIGHT)
    end = rig.heads[tree.bones[toe]] if toe is not None else rig.tails[tree.bones[ankle]]
    ball = tree.local(ankle, end)
    if len(numbers) < _LEAST_VERTICES:
        tip = rig.tails[tree.bones[ankle if toe is None else toe]]
        return _foot_without_skin(tree, ankle, toe, ball, tree.local(ankle, tip), fitting_m)
    vertices = tree.local(ankle, skin.vertices[numbers])
    low, along = float(vertices[:, 1].min()), vertices[:, 2]
    back = vertices[along < along.min() + _HEEL_SHARE * np.ptp(along)]
    near_floor = back[:, 1] <= back[:, 1].min() + _SOLE_SHARE * np.ptp(vertices[:, 1])
    heel = back[near_floor].mean(axis=0)
    heel[1] = low
    if toe is None:
        ball = np.array([heel[0], low, _BALL_SHARE * along.max()])
    near = np.flatnonzero(share > _LEAST_WEIGHT)
    # A flat sole that moves partly with the shin bends: its vertices that move most and least with the foot count too.
    directions, length = spread_directions(_DIRECTIONS), float(np.ptp(along))
    bent = [np.hstack([directions, np.full((_DIRECTIONS, 1), length * sign)]) for sign in (-1.0, 0.0, 1.0)]
    placed = np.hstack([tree.local(ankle, skin.vertices[near]), share[near, None]])
    lowest = lowest_points(placed, movers(skin, owners)[near], np.concatenate(bent))
    support = skinned_support(rig, tree, owners, near[lowest], ankle, toe)
    return Foot(ankle, toe, heel, ball, float(ball[1]) - low, support, True)


def _foot_without_skin(
    tree: Tree, ankle: int, toe: int | None, ball: np.ndarray, tip: np.ndarray, fitting_m: float
) -> Foot:
    """Return a foot whose sole is at the height of the ball or the tip of the toes, whichever is lower.

    Importers let bones without children end anywhere: straight below, or on the line from the bone before. Such an end
    tells nothing: a foot is then *fitting_m* long, and toes are level.
    """
    if toe is None and not _is_ahead(ball):
        ball = tip = fitting_m * _USUAL_BALL
    step = tip - ball
    if not _is_ahead(step) or step @ ball > _ONE_LINE * np.linalg.norm(step) * np.linalg.norm(ball):
        tip = ball + [0.0, 0.0, _USUAL_TOES * fitting_m]
    low = min(float(ball[1]), float(tip[1]), -1e-3 * float(np.linalg.norm(ball)))
    heel = np.array([0.0, low, 0.0]) - _HEEL_BEHIND * np.array([ball[0], 0.0, ball[2]])
    points = np.stack([heel, [ball[0], low, ball[2]], [tip[0], low, tip[2]]])
    weights = np.array([[1.0, 1.0, 1.0 if toe is None else 0.0], [0.0, 0.0, 0.0 if toe is None else 1.0]])
    joints = (ankle, -1 if toe is None else toe)
    levers = weights[..., None] * np.stack([points, points - ball])
    toes = (points - ball)[weights[1] > _MAIN_WEIGHT]
    return Foot(
        ankle, toe, heel, ball, float(ball[1]) - low, Support(ankle, points, joints, levers, weights, toes), False
    )


def _is_ahead(step: np.ndarray) -> bool:
    return bool(step[2] > abs(step[1]))


def movers(skin: Skin, owners: np.ndarray) -> np.ndarray:
    """Return a number (V,) that vertices share which the same one or two joints move.

    Where two joints meet, the vertices between them move differently from those of either, and need to be looked at by
    themselves.

    Args:
        skin: the skin.
        owners: (B,) the joint that each bone moves with.
    """
    if len(skin.vertices) == 0:
        return np.zeros(0, dtype=np.int64)
    joints = owners[skin.bones]
    totals = (skin.weights[:, None] * (joints[:, :, None] == joints[:, None])).sum(axis=2)
    main = joints[np.arange(len(joints)), totals.argmax(axis=1)]
    totals = np.where(joints == main[:, None], 0.0, totals)
    second = joints[np.arange(len(joints)), totals.argmax(axis=1)]
    is_shared = totals.max(axis=1) > _LEAST_WEIGHT * skin.weights.sum(axis=1)
    count = int(owners.max()) + 1
    numbers: np.ndarray = main * count + np.where(is_shared, second, main)
    return numbers


def skinned_support(
    rig: Rig, tree: Tree, owners: np.ndarray, numbers: np.ndarray, joint: int, toe: int | None = None
) -> Support:
    """Return the skin's vertices *numbers* (V,) around *joint*, moved by the joints that own their bones.

    Args:
        rig: the character.
        tree: its joints.
        owners: (B,) the joint that each bone moves with.
        numbers: (V,) indices of vertices.
        joint: the joint that the points are relative to.
        toe: the toe joint of a foot.
    """
    by_bone, share, vertices = owners[rig.skin.bones[numbers]], rig.skin.weights[numbers], rig.skin.vertices[numbers]
    share = share / share.sum(axis=1, keepdims=True)
    joints = tuple(int(moving) for moving in np.unique(by_bone[share > 0.0]))
    weights = np.stack([np.where(by_bone == moving, share, 0.0).sum(axis=1) for moving in joints])
    levers = weights[..., None] * np.stack([tree.local(moving, vertices) for moving in joints])
    toes = np.zeros((0, 3))
    if toe in joints:
        toes = tree.local(toe, vertices[weights[joints.index(toe)] > _MAIN_WEIGHT])
    return Support(joint, tree.local(joint, vertices), joints, levers, weights, toes)
