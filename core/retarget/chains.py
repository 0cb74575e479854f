"""Complete the bones of a role to a chain: the twist bones of a limb's segments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..smpl_skeleton import SIDES
from .bone_tree import BoneTree

_SEGMENTS = (("upper_arm", "forearm"), ("forearm", "hand"), ("thigh", "shin"), ("shin", "foot"))
_OFF_LINE, _NAMED_OFF_LINE = 0.06, 0.25
"""Largest distance of a twist bone, and of one whose name says so, from the line between its joints, relative to their
distance."""
_INSIDE, _NAMED_INSIDE = (0.05, 0.95), (-0.1, 1.05)
"""Where between its joints a leaf has to be to count as a twist bone, and one whose name says so."""


def limb_chains(tree: BoneTree, limbs: Mapping[str, int], twists: frozenset[int]) -> dict[str, tuple[int, ...]]:
    """Return each role's bones: the joint, then the twist bones of its segment, from the trunk outwards.

    Twist bones are what lies on the way to the next joint, and leaves along it (Unreal's ``upperarm_twist_01_l``);
    *twists* are the bones whose names say so.
    """
    chains: dict[str, tuple[int, ...]] = {role: (bone,) for role, bone in limbs.items()}
    taken = set(limbs.values())
    for side in SIDES:
        for upper, lower in _SEGMENTS:
            role, next_role = f"{side}_{upper}", f"{side}_{lower}"
            if role not in limbs or next_role not in limbs or not tree.is_below(limbs[next_role], limbs[role]):
                continue
            start, end = limbs[role], limbs[next_role]
            between = [bone for bone in tree.path(start, end)[:-1] if bone not in taken]
            beside = [
                bone
                for owner in (start, *between)
                for bone in tree.children[owner]
                if bone not in taken and bone not in between and _is_twist(tree, bone, start, end, bone in twists)
            ]
            along = {bone: _place(tree, bone, start, end)[0] for bone in (*between, *beside)}
            chains[role] = (start, *sorted(along, key=along.__getitem__))
    return chains


def _is_twist(tree: BoneTree, bone: int, start: int, end: int, is_named: bool) -> bool:
    """Return whether the leaf *bone* lies along the segment from *start* to *end*."""
    along, off = _place(tree, bone, start, end)
    low, high = _NAMED_INSIDE if is_named else _INSIDE
    return not tree.children[bone] and low <= along <= high and off <= (_NAMED_OFF_LINE if is_named else _OFF_LINE)


def _place(tree: BoneTree, bone: int, start: int, end: int) -> tuple[float, float]:
    """Return where *bone* is along the segment (0 to 1), and how far off its line, relative to its length."""
    line = tree.heads[end] - tree.heads[start]
    length = max(float(np.linalg.norm(line)), 1e-9)
    step = (tree.heads[bone] - tree.heads[start]) / length
    along = float(step @ line) / length
    return along, float(np.linalg.norm(step - along * line / length))
