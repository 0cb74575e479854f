"""Put together what structure and names say of the limbs, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .bone_map import SIDES
from .bone_tree import BoneTree
from .names import NamedBones
from .structure import Structure

AGREED = 1.0
"""Confidence where structure and name give the same bone."""
SAME_PLACE = 0.95
"""Confidence where they give two bones in one place; the named one is taken."""
NAMED = 0.85
"""Confidence in names whose bones hang from each other as the roles demand, where there is no structure to ask."""
NAMED_NEARBY = 0.8
"""Confidence in such names where the structure gives another bone of the same chain."""
NAMED_ELSEWHERE = 0.65
"""Confidence in such names where the structure gives a bone elsewhere."""
STRUCTURE = 0.75
"""Confidence where only the structure of a standing person tells; below that of a bone that needs no check."""
UNSURE = 0.5
"""Confidence where names contradict the tree, or names and structure each other: the bone is not used unasked."""

_ARM, _LEG = ("upper_arm", "forearm", "hand"), ("thigh", "shin", "foot")
_NEEDED = ("upper_arm", "forearm", "thigh", "shin", "foot")
_MOST_UNEQUAL = 1.5
"""Largest ratio of the lengths of a left and a right limb that names are believed for."""
_SAME_PLACE = 0.01
"""Distance of two joints in one place, relative to the height of the skeleton."""


@dataclass
class Limbs:
    """The bones of arms and legs, as indices into the tree, by role; and how sure they are.

    Attributes:
        bones: the bone of each role.
        confidence: from 0 to 1.
        notes: what the user should know, a sentence each.
    """

    bones: dict[str, int] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def has(self, roles: tuple[str, ...]) -> bool:
        """Return whether both sides have all *roles*."""
        return all(f"{side}_{role}" in self.bones for side in SIDES for role in roles)


def fuse_limbs(tree: BoneTree, structure: Structure | None, named: NamedBones) -> Limbs:
    """Return the limbs that *structure* and *named* bones of *tree* give together."""
    by_name, holds = _limbs_by_name(tree, named, structure)
    if structure is None:
        structure = Structure({}, 0.0, knows_front=False)
    fused = Limbs()
    structure, is_mirrored = _same_sides(tree, structure, by_name)
    for role in dict.fromkeys((*structure.limbs, *by_name)):
        bone, confidence = _fuse(tree, structure.limbs.get(role), by_name.get(role), holds.get(role, False), structure)
        fused.bones[role], fused.confidence[role] = bone, confidence
    _drop_doubles(fused)
    if is_mirrored and structure.knows_front:
        fused.notes = ("left and right are those of the names, but the feet point the other way",)
        fused.confidence = {role: min(value, NAMED_ELSEWHERE) for role, value in fused.confidence.items()}
    elif not by_name and not structure.knows_front:
        fused.notes = ("nothing shows where the front is, so left and right may be exchanged",)
        fused.confidence = {role: min(value, UNSURE) for role, value in fused.confidence.items()}
    return fused


def _limbs_by_name(
    tree: BoneTree, named: NamedBones, structure: Structure | None
) -> tuple[dict[str, int], dict[str, bool]]:
    """Return the named bone of each role, and whether its limb hangs together and is like that of the other side."""
    found: dict[str, int] = {}
    holds: dict[str, bool] = {}
    picked = set(structure.limbs.values()) if structure is not None else set()
    for roles in (_ARM, _LEG):
        lengths = []
        for side in SIDES:
            limb, is_chain = _chain_by_name(tree, named, side, roles, picked)
            found |= limb
            holds |= {role: is_chain for role in limb}
            lengths.append(_length(tree, [limb[name] for role in roles if (name := f"{side}_{role}") in limb]))
        if max(lengths) > _MOST_UNEQUAL * min(lengths):
            holds |= {f"{side}_{role}": False for side in SIDES for role in roles}
    for outer, inner in (("clavicle", "upper_arm"), ("toe", "foot")):
        for side in SIDES:
            role, anchor = f"{side}_{outer}", found.get(f"{side}_{inner}", -1)
            candidates = named.limbs.get(role, ())
            if candidates:
                fitting = [bone for bone in candidates if anchor >= 0 and _in_order(tree, outer, bone, anchor)]
                found[role] = (fitting or candidates)[0]
                holds[role] = bool(fitting) and holds[f"{side}_{inner}"]
    return found, holds


def _in_order(tree: BoneTree, role: str, bone: int, anchor: int) -> bool:
    """Return whether a clavicle is above, or a toe below its *anchor*."""
    return bone != anchor and (tree.is_below(anchor, bone) if role == "clavicle" else tree.is_below(bone, anchor))


def _chain_by_name(
    tree: BoneTree, named: NamedBones, side: str, roles: tuple[str, ...], picked: set[int]
) -> tuple[dict[str, int], bool]:
    """Return the bones named after the *roles* of one limb, and whether they are all there and hang from each other.

    Of several bones with the same name (copies for IK and FK) those are preferred that hang from the bone before, and
    then those that the structure has *picked*.
    """
    chain: dict[str, int] = {}
    holds = True
    previous = -1
    for role in roles:
        candidates = named.limbs.get(f"{side}_{role}", ())
        if not candidates:
            holds = holds and role not in _NEEDED
            continue
        below = [bone for bone in candidates if previous < 0 or tree.is_below(bone, previous)] or list(candidates)
        bone = next((bone for bone in below if bone in picked), below[0])
        holds = holds and (previous < 0 or tree.is_below(bone, previous))
        chain[f"{side}_{role}"] = previous = bone
    return chain, holds


def _length(tree: BoneTree, chain: list[int]) -> float:
    return float(np.linalg.norm(np.diff(tree.heads[chain], axis=0), axis=1).sum()) if len(chain) > 1 else 0.0


def _same_sides(tree: BoneTree, structure: Structure, by_name: Mapping[str, int]) -> tuple[Structure, bool]:
    """Return *structure* with the sides of the names, and whether they were the other ones."""
    mirrored = structure.mirrored()
    as_is, swapped = (
        sum(_side_of(by_name, bone) == role.partition("_")[0] for role, bone in option.limbs.items())
        for option in (structure, mirrored)
    )
    return (mirrored, True) if swapped > as_is else (structure, False)


def _side_of(by_name: Mapping[str, int], bone: int) -> str:
    """Return the side of the role that *bone* has *by_name*, empty if it has none."""
    return next((role.partition("_")[0] for role, other in by_name.items() if other == bone), "")


def _fuse(
    tree: BoneTree, by_structure: int | None, by_name: int | None, holds: bool, structure: Structure
) -> tuple[int, float]:
    """Return the bone of one role and the confidence in it; at least one of the two bones is given."""
    if by_name is None:
        assert by_structure is not None
        return by_structure, STRUCTURE * structure.likeness
    if by_structure is None:
        return by_name, NAMED if holds else UNSURE
    if by_name == by_structure:
        return by_name, AGREED if holds or structure.likeness > UNSURE else NAMED_NEARBY
    extent = float(np.ptp(tree.heads[:, 1])) or 1.0
    if np.linalg.norm(tree.heads[by_name] - tree.heads[by_structure]) < _SAME_PLACE * extent:
        return by_name, SAME_PLACE if holds else NAMED_NEARBY
    if not holds:
        return (by_structure if structure.likeness > UNSURE else by_name), UNSURE
    if structure.likeness < UNSURE:
        return by_name, NAMED
    nearby = tree.is_below(by_name, by_structure) or tree.is_below(by_structure, by_name)
    return by_name, NAMED_NEARBY if nearby else NAMED_ELSEWHERE


def _drop_doubles(limbs: Limbs) -> None:
    """Leave each bone the role that is surest."""
    for role in sorted(limbs.bones, key=lambda item: limbs.confidence[item]):
        if sum(bone == limbs.bones[role] for bone in limbs.bones.values()) > 1:
            del limbs.bones[role], limbs.confidence[role]
