"""Find a person's arms and legs in a skeleton without names: two pairs of limbs that fit together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..smpl_skeleton import SIDES
from .bone_tree import BoneTree
from .limbs import MAX_JOINTS, Limb, find_pairs, fit_arms, fit_legs
from .posture import Posture, unit

_UP = np.array([0.0, 1.0, 0.0])
_ARM_SHARE, _WHOLE_ARM_SHARE, _TRUNK_SHARE = 0.75, 1.0, 0.65
"""Usual length of the arms, of the arms with collar bone and hand, and of the trunk, relative to the legs."""
_MIN_SHARE = 0.01
_LOWEST_HEAD = 0.1
"""Lowest height of a head above the chest, relative to the legs."""
_SHORTEST_BONE = 0.05
"""Shortest collar bone and foot, relative to arm and leg."""
_INDIVIDUAL_TOES = 3
"""Bones of a foot from which on they are single toes."""


@dataclass(frozen=True, eq=False)
class Structure:
    """Arms and legs found in a tree of bones.

    Attributes:
        limbs: the bone of each role of a limb ("left_hand"), an index into the tree.
        likeness: from 0 to 1, how much it is built like a standing person.
        knows_front: whether the feet show where the front is, and so which side is left.
    """

    limbs: dict[str, int]
    likeness: float
    knows_front: bool

    def mirrored(self) -> Structure:
        """Return the same with left for right."""
        left, right = SIDES
        swapped = {
            (right + role.removeprefix(left) if role.startswith(left) else left + role.removeprefix(right)): bone
            for role, bone in self.limbs.items()
        }
        return Structure(swapped, self.likeness, self.knows_front)


@dataclass(frozen=True, eq=False)
class _Body:
    """Candidate legs and arms of one body; the sides of the arms are ordered like those of the legs."""

    tree: BoneTree
    legs: Limb
    arms: Limb
    posture: Posture

    @classmethod
    def of(cls, tree: BoneTree, legs: Limb, arms: Limb) -> _Body:
        """Combine *legs* and *arms*."""
        if legs.pair.normal @ arms.pair.normal < 0.0:
            arms = arms.mirrored()
        return cls(tree, legs, arms, Posture(legs.points, arms.points))

    def score(self) -> float:
        """Return how well legs and arms fit together: the higher, the better.

        Beside the fit of each limb: the trunk is in line with the legs and above them, the sides lie alike, lengths are
        a person's, the feet are the lowest joints, a head rises between the arms, and the arms hang from what carries
        the legs and not the other way round.
        """
        posture, leg = self.posture, self.legs.length
        trunk_share = float(np.linalg.norm(posture.shoulders - posture.hips)) / leg
        hips = self.legs.pair.parent
        arms_first = hips >= 0 and not self.tree.is_below(self.arms.pair.sides[0][0], hips)
        return (
            self.legs.score
            + self.arms.score
            + posture.uprightness
            + 0.5 * float(_UP @ unit(posture.hips - self.legs.points[:, 2].mean(axis=0)))
            + 0.5 * posture.symmetry
            + 0.5 * posture.straightness
            - 0.5 * abs(float(np.log(self.arms.length / leg / _ARM_SHARE)))
            - abs(float(np.log(self.arms.pair.length / leg / _WHOLE_ARM_SHARE)))
            - abs(float(np.log(max(trunk_share, _MIN_SHARE) / _TRUNK_SHARE)))
            + 0.5 * (self.arms.pair.neighbours_rise > _LOWEST_HEAD * leg)
            - min(self._height_of_feet() / leg, 1.0)
            - 0.3 * arms_first
        )

    def _height_of_feet(self) -> float:
        """Return how high the ankles are above the lowest joint."""
        return float(self.legs.points[:, 2, 1].mean()) - self.tree.lowest


def find_by_structure(tree: BoneTree) -> Structure | None:
    """Return the arms and legs in *tree* that fit together best; None if there are no two such pairs of limbs."""
    pairs = find_pairs(tree)
    legs = [limb for pair in pairs for limb in fit_legs(pair)]
    arms = [limb for pair in pairs for limb in fit_arms(tree, pair)]
    bodies = [_Body.of(tree, leg, arm) for leg in legs for arm in arms if not _overlap(tree, leg, arm)]
    body = max(bodies, key=_Body.score, default=None)
    if body is None:
        return None
    front = _front(tree, body)
    knows_front = bool(np.linalg.norm(front) > _SHORTEST_BONE * body.legs.length)
    left = np.cross(body.posture.up, front if knows_front else np.array([0.0, 0.0, 1.0]))
    order = (1, 0) if body.posture.across @ left > 0.0 else (0, 1)
    limbs: dict[str, int] = {}
    for side, number in zip(SIDES, order, strict=True):
        roles = {**_arm_roles(tree, body.arms, number), **_leg_roles(tree, body.legs, number)}
        limbs |= {f"{side}_{role}": bone for role, bone in roles.items()}
    return Structure(limbs, body.posture.likeness, knows_front)


def _overlap(tree: BoneTree, legs: Limb, arms: Limb) -> bool:
    """Return whether two limbs share branches, or one is a descendant of the other."""
    first, second = legs.pair.sides, arms.pair.sides
    return any(tree.is_below(one[0], other[0]) or tree.is_below(other[0], one[0]) for one in first for other in second)


def _arm_roles(tree: BoneTree, arms: Limb, side: int) -> dict[str, int]:
    """Return the bones of one arm."""
    path, (first, middle, last) = arms.pair.sides[side], arms.joints
    roles = {"upper_arm": path[first], "forearm": path[middle], "hand": path[last]}
    gaps = np.linalg.norm(tree.heads[path[:first]] - tree.heads[path[first]], axis=1)
    collars = np.flatnonzero(gaps > _SHORTEST_BONE * arms.length)
    return roles | ({"clavicle": path[int(collars[0])]} if len(collars) else {})


def _leg_roles(tree: BoneTree, legs: Limb, side: int) -> dict[str, int]:
    """Return the bones of one leg."""
    path, (first, middle, last) = legs.pair.sides[side], legs.joints
    foot = path[last]
    roles = {"thigh": path[first], "shin": path[middle], "foot": foot}
    gaps = {bone: float(np.linalg.norm(tree.heads[bone] - tree.heads[foot])) for bone in tree.children[foot]}
    toes = [bone for bone, gap in gaps.items() if gap > _SHORTEST_BONE * legs.length]
    return roles | ({"toe": max(toes, key=gaps.__getitem__)} if 0 < len(toes) < _INDIVIDUAL_TOES else {})


def _front(tree: BoneTree, body: _Body) -> np.ndarray:
    """Return where the feet point (3,), across the body's up direction; as long as both feet together."""
    front = np.zeros(3)
    for side in body.legs.pair.sides:
        foot = side[body.legs.joints[2]]
        tip = tree.longest_path(foot, MAX_JOINTS)[-1]
        step = (tree.heads[tip] if tip != foot else _foot_end(tree, foot)) - tree.heads[foot]
        front += step - body.posture.up * (step @ body.posture.up)
    return front


def _foot_end(tree: BoneTree, foot: int) -> np.ndarray:
    """Return the point (3,) that a *foot* without toes points to: the middle of its skin, else the end of its bone."""
    bone = tree.bones[foot]
    skin = tree.rig.skin
    moved = skin.vertices[skin.main_bones == bone] if len(skin.vertices) else skin.vertices
    point: np.ndarray = moved.mean(axis=0) if len(moved) else tree.rig.tails[bone]
    return point
