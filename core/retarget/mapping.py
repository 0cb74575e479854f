"""Map the bones of a character to roles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..smpl_skeleton import SIDES
from .bone_map import DOUBTFUL, REQUIRED_ROLES, ROLES, BoneMap, BoneMapError
from .bone_tree import BoneTree, bone_trees
from .chains import limb_chains
from .families import family_of
from .fusion import AGREED, NAMED, NAMED_NEARBY, STRUCTURE, UNSURE, Limbs, fuse_limbs
from .names import NamedBones, find_by_names
from .posture import Posture
from .rig import Rig
from .structure import Structure, find_by_structure
from .trunk import Trunk, find_trunk

_ARMS, _LEGS = ("upper_arm", "forearm"), ("thigh", "shin", "foot")
_HIPS_REACH = 0.25
"""Largest distance of a named hips bone above the one that carries legs and arms, relative to the height: a bone called
root may stand on the floor."""
_HELP = "choose a character that has them, or name the bones in a bone map"


def map_bones(rig: Rig) -> BoneMap:
    """Return the bone of each role in *rig*, from its structure and its names, with confidences.

    Raises:
        BoneMapError: *rig* is not the skeleton of a person, or neither its names nor its rest pose show where arms and
            legs are.
    """
    found = [_map_tree(tree) for tree in bone_trees(rig)]
    best = max(found, key=_certainty)
    _check_person(best)
    tree = best.tree
    return BoneMap(
        bones={role: tuple(tree.name(bone) for bone in best.chains[role]) for role in ROLES if role in best.chains},
        confidence={role: best.confidence[role] for role in ROLES if role in best.chains},
        kind=family_of(rig.names),
        notes=best.notes,
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """What was found in one tree: chains of bones by role, the confidence in them, those named so, and notes."""

    tree: BoneTree
    chains: dict[str, tuple[int, ...]]
    confidence: dict[str, float]
    named: frozenset[str]
    notes: tuple[str, ...]


def _certainty(found: _Found) -> float:
    return sum(found.confidence.get(role, 0.0) for role in REQUIRED_ROLES)


def _map_tree(tree: BoneTree) -> _Found:
    """Return the mapping of *tree* from its structure and names."""
    named = find_by_names(tree)
    structure = None if tree.has_controls else find_by_structure(tree)
    limbs = fuse_limbs(tree, structure, named)
    chains = limb_chains(tree, limbs.bones, named.twists)
    confidence = dict(limbs.confidence)
    notes = limbs.notes
    if limbs.has((*_ARMS, *_LEGS)):
        posture = _posture(tree, limbs)
        trunk = find_trunk(tree, limbs.bones, posture)
        trunk_chains, trunk_confidence = _fuse_trunk(tree, trunk, named, limbs, structure)
        chains |= trunk_chains
        confidence |= trunk_confidence
        notes += _trunk_notes(trunk, len(named.heads))
        if posture.is_on_all_fours:
            notes += ("it stands on arms and legs like an animal",)
            confidence = {role: min(value, UNSURE) for role, value in confidence.items()}
    return _Found(tree, chains, confidence, limbs.named, notes)


def _posture(tree: BoneTree, limbs: Limbs) -> Posture:
    """Return how *limbs* lie; an arm without a hand ends at its elbow."""
    bones = limbs.bones
    legs = [[bones[f"{side}_{role}"] for role in _LEGS] for side in SIDES]
    has_hands = limbs.has(("hand",))
    arms = [[bones[f"{side}_{role}"] for role in (*_ARMS, "hand" if has_hands else "forearm")] for side in SIDES]
    return Posture(tree.heads[np.array(legs)], tree.heads[np.array(arms)])


def _fuse_trunk(
    tree: BoneTree, trunk: Trunk, named: NamedBones, limbs: Limbs, structure: Structure | None
) -> tuple[dict[str, tuple[int, ...]], dict[str, float]]:
    """Return the chains of hips, spine, neck and head, and the confidence in each.

    Once the limbs are known, hips and chest follow from the tree: they are what the limbs hang from.
    """
    chains: dict[str, tuple[int, ...]] = {}
    sure: dict[str, float] = {}
    limb_certainty = min(limbs.confidence[f"{side}_{role}"] for side in SIDES for role in (*_ARMS, *_LEGS))
    likeness = structure.likeness if structure is not None else 0.0
    hips, sure["hips"] = _fuse_hips(tree, trunk, named, limb_certainty)
    head, sure["head"] = _fuse_head(tree, trunk, named, min(STRUCTURE * likeness, limb_certainty))
    if hips >= 0:
        chains["hips"] = (hips,)
    spine = tree.path(hips, trunk.chest) if trunk.chest >= 0 and tree.is_below(trunk.chest, hips) else []
    if spine:
        chains["spine"] = tuple(spine)
        sure["spine"] = min(AGREED if set(spine) & named.spine else NAMED, limb_certainty, sure["hips"])
    if head >= 0:
        chains["head"] = (head,)
        neck = tree.path(trunk.chest, head)[:-1] if trunk.chest in tree.ancestors(head) else []
        if neck:
            chains["neck"] = tuple(neck)
            sure["neck"] = min(sure["head"], AGREED if set(neck) & named.necks else NAMED)
    return chains, {role: sure[role] for role in chains}


def _fuse_hips(tree: BoneTree, trunk: Trunk, named: NamedBones, limb_certainty: float) -> tuple[int, float]:
    """Return the hips and the confidence in them: what legs and arms hang from, or a bone above it with that name."""
    if trunk.hips < 0:
        return (named.hips[0], UNSURE) if named.hips else (-1, 0.0)
    carriers = tree.ancestors(trunk.hips)
    reach = _HIPS_REACH * float(np.ptp(tree.heads[:, 1]))
    near = np.linalg.norm(tree.heads - tree.heads[trunk.hips], axis=1) <= reach
    best_first = [bone for bone in named.hips if bone in carriers and near[bone]]
    if not best_first:
        return trunk.hips, min(limb_certainty, NAMED)
    hips = trunk.hips if trunk.hips in best_first else best_first[0]
    return hips, min(limb_certainty, UNSURE if trunk.is_cut else AGREED if hips == trunk.hips else NAMED)


def _fuse_head(tree: BoneTree, trunk: Trunk, named: NamedBones, structure_certainty: float) -> tuple[int, float]:
    """Return the head and the confidence in it."""
    fitting = [bone for bone in named.heads if trunk.chest < 0 or tree.is_below(bone, trunk.chest)]
    if len(fitting) > 1 or trunk.has_two_heads and not fitting:
        return (trunk.head if trunk.head in fitting or not fitting else fitting[0]), UNSURE
    if not fitting:
        return trunk.head, structure_certainty
    if trunk.head in (-1, fitting[0]):
        return fitting[0], NAMED if trunk.head < 0 else AGREED
    nearby = tree.is_below(fitting[0], trunk.head) or tree.is_below(trunk.head, fitting[0])
    return fitting[0], NAMED if nearby else NAMED_NEARBY


def _trunk_notes(trunk: Trunk, named_heads: int) -> tuple[str, ...]:
    notes = ("the legs hang from no bone of the trunk",) if trunk.is_cut else ()
    two_heads = named_heads > 1 or trunk.has_two_heads and not named_heads
    return (*notes, "there is more than one head") if two_heads else notes


def _check_person(found: _Found) -> None:
    """Check that arms and legs were found, by name or in a standing person's pose; raise `BoneMapError`."""
    known = found.named | {role for role, value in found.confidence.items() if value >= DOUBTFUL}
    lacking = [
        text
        for text, roles in (("arms", _ARMS), ("legs", _LEGS))
        if not all(f"{side}_{role}" in known for side in SIDES for role in roles)
    ]
    if not lacking:
        return
    why = "; ".join(found.notes) or "neither the names nor the rest pose of its bones show them"
    reason = f"no two {' and no two '.join(lacking)} ({why})"
    raise BoneMapError(f"expected the skeleton of a person, found none: {reason}; {_HELP}", reason=reason)
