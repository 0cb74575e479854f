"""Find the trunk between legs and arms: hips, spine, neck and head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..smpl_skeleton import SIDES
from .bone_tree import BoneTree
from .posture import Posture, unit

_HEAD_HEIGHT = 0.185
"""Height of the joint of the head above the shoulders, relative to the legs: 0.14 to 0.22 in 25 skeletons."""
_OFF_MIDDLE = 0.12
"""Largest distance of neck and head from the middle of the body, relative to the legs."""
_TWIN_HEADS = 0.1
"""Largest difference in height of two heads, relative to the legs."""
_MAX_NECK = 12
"""Most bones of neck and head that are looked at."""


@dataclass(frozen=True, eq=False)
class Trunk:
    """The bones of a trunk, as indices into the tree.

    Attributes:
        hips: the last bone that both the legs and the arms hang from, -1 if there is none.
        chest: the last bone that both arms hang from, -1 if there is none.
        head: the bone whose joint is where a head's is, -1 if there is none.
        has_two_heads: whether a second branch could be the head.
        is_cut: whether the legs hang from no bone of the trunk; *hips* is then the lowest one.
    """

    hips: int
    chest: int
    head: int
    has_two_heads: bool
    is_cut: bool


def find_trunk(tree: BoneTree, limbs: Mapping[str, int], posture: Posture) -> Trunk:
    """Return the trunk between the *limbs* (role: bone), which lie as in *posture*."""
    thighs, shoulders = ([limbs[f"{side}_{role}"] for side in SIDES] for role in ("thigh", "upper_arm"))
    chest = tree.common_ancestor(*shoulders)
    hips = tree.common_ancestor(*thighs, *shoulders)
    is_cut = hips < 0 <= chest
    if is_cut:
        hips = tree.ancestors(chest)[-1]
    taken = {bone for limb in (*thighs, *shoulders) for bone in tree.ancestors(limb)}
    found = []
    for branch in tree.children[chest] if chest >= 0 else tree.roots:
        path = _middle_path(tree, branch, posture) if branch not in taken else []
        heights = (tree.heads[path] - posture.shoulders) @ posture.up / posture.leg_length
        if len(path) and heights.max() > 0.0:
            found.append((float(heights.max()), _head_in(tree, path, posture)))
    found.sort(reverse=True)
    has_two_heads = len(found) > 1 and found[0][0] - found[1][0] < _TWIN_HEADS
    return Trunk(hips, chest, found[0][1] if found else -1, has_two_heads, is_cut)


def _middle_path(tree: BoneTree, branch: int, posture: Posture) -> list[int]:
    """Return the bones from *branch* up to the highest one, as far as they are in the middle of the body."""
    path: list[int] = []
    bone = branch
    while bone >= 0 and len(path) < _MAX_NECK:
        if abs((tree.heads[bone] - posture.shoulders) @ posture.across) > _OFF_MIDDLE * posture.leg_length:
            break
        path.append(bone)
        bone = max(tree.children[bone], key=lambda child: float(tree.heads[child] @ posture.up), default=-1)
    return path


def _head_in(tree: BoneTree, path: list[int], posture: Posture) -> int:
    """Return the head out of *path*: a bone at a head's height, above the one before, not in front of it as a face is.

    One that carries eyes, a jaw or hair is preferred.
    """
    heights = (tree.heads[path] - posture.shoulders) @ posture.up / posture.leg_length
    before = tree.heads[[int(tree.parents[bone]) if tree.parents[bone] >= 0 else bone for bone in path]]
    rise = np.array([unit(step) @ posture.up for step in tree.heads[path] - before])
    forks = np.array([len(tree.children[bone]) >= 3 for bone in path])
    return path[int((np.abs(heights - _HEAD_HEIGHT) + 0.4 * np.maximum(0.8 - rise, 0.0) - 0.05 * forks).argmin())]
