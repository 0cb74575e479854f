"""How well the bones of characters are found, with their names and without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.retarget.bone_map import CERTAIN, BoneMap, BoneMapError
from core.retarget.mapping import map_bones
from core.retarget.rig import Rig

_LIMBS = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")
_SAME_JOINT = 0.012
"""Distance of two bones that stand for the same joint, relative to the height of the skeleton."""


def mapping_metrics(rig: Rig, truth: BoneMap) -> dict[str, float]:
    """Return how well the bones of *rig* are found, whose right ones are *truth*.

    Returns:
        named_limbs, named_roles: share of the bones of limbs, and of all roles, that are right and certain.
        nameless_limbs, nameless_roles: share of those that are right with names that say nothing.
        certain_wrong: number of wrong bones, with names or without, that are certain.
    """
    hidden = replace(rig, names=tuple(f"bone_{number}" for number in range(len(rig.names))))
    named, nameless = _found(rig, rig, truth), _found(hidden, rig, truth)
    right = {
        "named": {role for role, (is_right, sure) in named.items() if is_right and sure >= CERTAIN},
        "nameless": {role for role, (is_right, _) in nameless.items() if is_right},
    }
    shares = {}
    for kind, roles in right.items():
        shares[f"{kind}_limbs"] = float(np.mean([role in roles for role in truth.bones if _is_limb(role)]))
        shares[f"{kind}_roles"] = float(np.mean([role in roles for role in truth.bones]))
    wrong = [sure for is_right, sure in (*named.values(), *nameless.values()) if not is_right]
    return shares | {"certain_wrong": float(sum(sure >= CERTAIN for sure in wrong))}


def _is_limb(role: str) -> bool:
    return role.partition("_")[2] in _LIMBS


def _found(rig: Rig, original: Rig, truth: BoneMap) -> dict[str, tuple[bool, float]]:
    """Return for each role that is found in *rig* whether its joint is right, and the confidence in it."""
    try:
        found = map_bones(rig)
    except BoneMapError:
        return {}
    reach = _SAME_JOINT * float(np.ptp(rig.heads[:, 1]))
    result = {}
    for role, chain in found.bones.items():
        joint = rig.heads[rig.index[chain[0]]]
        wanted = truth.bones.get(role)
        is_right = wanted is not None and np.linalg.norm(joint - original.heads[original.index[wanted[0]]]) <= reach
        result[role] = bool(is_right), found.confidence.get(role, 1.0)
    return result
