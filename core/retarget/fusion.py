"""Combine the evidence of structure and names on the limbs, with confidences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..smpl_skeleton import SIDES
from .bone_map import DOUBTFUL
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
"""Confidence in such names where the structure gives another bone of the same chain, or all limbs are named."""
NAMED_ELSEWHERE = 0.65
"""Confidence in such names where the structure gives a bone elsewhere."""
STRUCTURE = 0.75
"""Confidence where only the structure of a standing person tells; below that of a bone that needs no check."""
LOOSE = 0.6
"""Confidence in a named foot or hand that does not hang from its limb."""
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
    """The bones of arms and legs, as indices into the tree, by role, with confidences.

    Attributes:
        bones: the bone of each role.
        confidence: from 0 to 1.
        named: the roles whose bone has the name of the role.
        notes: what the user should know, a clause each.
    """

    bones: dict[str, int] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def has(self, roles: tuple[str, ...]) -> bool:
        """Return whether both sides have all *roles*."""
        return all(f"{side}_{role}" in self.bones for side in SIDES for role in roles)


def fuse_limbs(tree: BoneTree, structure: Structure | None, named: NamedBones) -> Limbs:
    """Return the limbs that *structure* and *named* bones of *tree* give together."""
    by_name, certainty = _limbs_by_name(tree, named, structure)
    if structure is None:
        structure = Structure({}, 0.0, knows_front=False)
    fused = Limbs()
    structure, is_mirrored = _same_sides(tree, structure, by_name)
    _settle_meanings(structure, named, by_name, certainty)
    complete = all(certainty.get(f"{side}_{role}") == NAMED for side in SIDES for role in _NEEDED)
    for role in dict.fromkeys((*structure.limbs, *by_name)):
        bone, confidence = _fuse(
            tree, structure.limbs.get(role), by_name.get(role), certainty.get(role, 0.0), structure
        )
        if complete and confidence == NAMED_ELSEWHERE:
            confidence = NAMED_NEARBY
        fused.bones[role], fused.confidence[role] = bone, confidence
    _drop_doubles(fused)
    fused.named = frozenset(role for role, bone in fused.bones.items() if by_name.get(role) == bone)
    if is_mirrored and structure.knows_front:
        fused.notes = ("left and right are those of the names, but the feet point the other way",)
        fused.confidence = {role: min(value, NAMED_ELSEWHERE) for role, value in fused.confidence.items()}
    elif structure.limbs and not by_name and not structure.knows_front:
        fused.notes = ("nothing shows where the front is, so left and right may be exchanged",)
        fused.confidence = {role: min(value, DOUBTFUL) for role, value in fused.confidence.items()}
    loose = [role for role in fused.bones if role in fused.named and certainty[role] == LOOSE]
    if loose:
        fused.notes += (f"{', '.join(role.replace('_', ' ') for role in loose)} hang from no bone of the limb",)
    return fused


def _limbs_by_name(
    tree: BoneTree, named: NamedBones, structure: Structure | None
) -> tuple[dict[str, int], dict[str, float]]:
    """Return the named bone of each role, and the confidence in it as far as the tree tells."""
    found: dict[str, int] = {}
    certainty: dict[str, float] = {}
    picked = set(structure.limbs.values()) if structure is not None else set()
    for roles in (_ARM, _LEG):
        lengths = []
        for side in SIDES:
            limb = _chain_by_name(tree, named, side, roles, picked)
            found |= {role: bone for role, (bone, _) in limb.items()}
            certainty |= {role: sure for role, (_, sure) in limb.items()}
            lengths.append(_length(tree, [limb[name][0] for role in roles if (name := f"{side}_{role}") in limb]))
        if max(lengths) > _MOST_UNEQUAL * min(lengths):
            certainty |= {role: UNSURE for side in SIDES for name in roles if (role := f"{side}_{name}") in found}
    for outer, inner in (("clavicle", "upper_arm"), ("toe", "foot")):
        for side in SIDES:
            role, anchor = f"{side}_{outer}", found.get(f"{side}_{inner}", -1)
            candidates = named.limbs.get(role, ())
            fitting = [bone for bone in candidates if anchor >= 0 and _in_order(tree, outer, bone, anchor)]
            if candidates:
                found[role] = (fitting or candidates)[0]
                certainty[role] = certainty[f"{side}_{inner}"] if fitting else UNSURE
    return found, certainty


def _in_order(tree: BoneTree, role: str, bone: int, anchor: int) -> bool:
    """Return whether a clavicle is above, or a toe below its *anchor*."""
    return bone != anchor and (tree.is_below(anchor, bone) if role == "clavicle" else tree.is_below(bone, anchor))


def _chain_by_name(
    tree: BoneTree, named: NamedBones, side: str, roles: tuple[str, ...], picked: set[int]
) -> dict[str, tuple[int, float]]:
    """Return the bones named after the *roles* of one limb, and the confidence in each.

    Of several bones with the same name (copies for IK and FK) those are preferred that hang from the bone before, and
    then those that the structure has *picked*. The end of a limb may hang elsewhere: feet of IK rigs do.
    """
    chain: dict[str, tuple[int, float]] = {}
    previous, certainty = -1, NAMED
    for number, role in enumerate(roles):
        candidates = named.limbs.get(f"{side}_{role}", ())
        if not candidates:
            certainty = UNSURE if number < 2 else certainty
            continue
        below = [bone for bone in candidates if previous < 0 or tree.is_below(bone, previous)]
        pool = below or candidates
        bone = next((bone for bone in pool if bone in picked), pool[0])
        if not below:
            certainty = min(certainty, LOOSE if number == len(roles) - 1 else UNSURE)
        chain[f"{side}_{role}"] = bone, certainty
        previous = bone
    return chain


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


def _settle_meanings(
    structure: Structure, named: NamedBones, by_name: dict[str, int], certainty: dict[str, float]
) -> None:
    """Move a named bone to the role that *structure* gives it, where its name can mean both.

    A shoulder is a collar bone or an upper arm, a leg is a thigh or a shin, a foot is a foot or its toes.
    """
    roles = {bone: role for role, bone in structure.limbs.items()} if structure.likeness > UNSURE else {}
    for role, bone in list(by_name.items()):
        other = roles.get(bone, role)
        if other != role and role in structure.limbs and other in named.meanings.get(bone, ()):
            del by_name[role]
            if other not in by_name:
                by_name[other], certainty[other] = bone, certainty[role]


def _side_of(by_name: Mapping[str, int], bone: int) -> str:
    """Return the side of the role that *bone* has *by_name*, empty if it has none."""
    return next((role.partition("_")[0] for role, other in by_name.items() if other == bone), "")


def _fuse(
    tree: BoneTree, by_structure: int | None, by_name: int | None, certainty: float, structure: Structure
) -> tuple[int, float]:
    """Return the bone of one role and the confidence in it; at least one of the two bones is given.

    *certainty* is the confidence in the named bone as far as the tree tells.
    """
    if by_name is None:
        assert by_structure is not None
        return by_structure, STRUCTURE * structure.likeness
    if by_structure is None:
        return by_name, certainty
    holds = certainty == NAMED
    if by_name == by_structure:
        return by_name, AGREED if holds or structure.likeness > UNSURE else NAMED_NEARBY
    extent = float(np.ptp(tree.heads[:, 1])) or 1.0
    if np.linalg.norm(tree.heads[by_name] - tree.heads[by_structure]) < _SAME_PLACE * extent:
        return by_name, SAME_PLACE if holds else NAMED_NEARBY
    if certainty == LOOSE:
        return by_name, LOOSE
    if not holds:
        return (by_structure, UNSURE) if structure.likeness > UNSURE else (by_name, certainty)
    if structure.likeness < UNSURE:
        return by_name, certainty
    nearby = tree.is_below(by_name, by_structure) or tree.is_below(by_structure, by_name)
    return by_name, NAMED_NEARBY if nearby else NAMED_ELSEWHERE


def _drop_doubles(limbs: Limbs) -> None:
    """Leave each bone the role that is surest."""
    for role in sorted(limbs.bones, key=lambda item: limbs.confidence[item]):
        if sum(bone == limbs.bones[role] for bone in limbs.bones.values()) > 1:
            del limbs.bones[role], limbs.confidence[role]
