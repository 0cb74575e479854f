"""The SMPL tree for the builder: mirrored joints, and which SMPL joint each MakeHuman bone follows."""

from __future__ import annotations

import numpy as np

from core.skeletons import JOINT_INDEX, JOINT_NAMES

from .makehuman import Rig

SIDES = (("left", "L", 1.0), ("right", "R", -1.0))
"""SMPL's word, MakeHuman's suffix, and the sign of x on that side."""


def _swap_side(name: str) -> str:
    side, _, rest = name.partition("_")
    return {"left": "right_", "right": "left_"}.get(side, name) + rest if rest else name


JOINT_MIRROR = np.array([JOINT_INDEX[_swap_side(name)] for name in JOINT_NAMES])
"""(24,) the joint across the body of each joint."""


def smpl_joint_of_bone(rig: Rig) -> np.ndarray:
    """Return the SMPL joint (bones,) that moves each MakeHuman bone; a bone not listed follows its parent."""
    owner = {
        "root": "pelvis",
        "spine05": "pelvis",
        "spine04": "pelvis",
        "spine03": "spine1",
        "spine02": "spine2",
    }
    owner |= {"spine01": "spine3", "neck01": "neck", "head": "head"}
    for side, suffix, _ in SIDES:
        limbs = {"upperleg01": "hip", "lowerleg01": "knee", "foot": "ankle", "clavicle": "collar"}
        limbs |= {"upperarm01": "shoulder", "lowerarm01": "elbow", "wrist": "wrist"}
        limbs |= {f"toe{toe}-1": "foot" for toe in range(1, 6)} | {
            f"finger{finger}-1": "hand" for finger in range(2, 6)
        }
        owner |= {f"{bone}.{suffix}": f"{side}_{joint}" for bone, joint in limbs.items()}
        owner[f"pelvis.{suffix}"] = "pelvis"
    result: list[int] = []
    for bone, parent in zip(rig.bones, rig.parents, strict=True):
        result.append(JOINT_INDEX[owner[bone]] if bone in owner else result[parent])
    return np.array(result)


def smpl_joint_centres(heads: dict[str, np.ndarray]) -> np.ndarray:
    """Return the SMPL joint centres (N, 24, 3) that MakeHuman's bone heads (each (N, 3)) stand for."""
    hips = (heads["upperleg01.L"] + heads["upperleg01.R"]) / 2
    pelvis = hips.copy()
    pelvis[:, 0] = 0
    pelvis[:, 1] += 0.15 * (heads["neck01"][:, 1] - hips[:, 1])
    centres = {
        "pelvis": pelvis,
        "spine1": heads["spine03"],
        "spine2": heads["spine02"],
        "spine3": heads["spine01"],
    }
    centres |= {"neck": heads["neck01"], "head": heads["head"]}
    for side, suffix, _ in SIDES:
        plain = {"hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot"}
        plain |= {"shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist"}
        centres |= {f"{side}_{joint}": heads[f"{bone}.{suffix}"] for joint, bone in plain.items()}
        centres[f"{side}_foot"] = np.mean([heads[f"toe{toe}-1.{suffix}"] for toe in range(1, 6)], axis=0)
        centres[f"{side}_hand"] = np.mean([heads[f"finger{finger}-1.{suffix}"] for finger in range(2, 6)], axis=0)
        centres[f"{side}_collar"] = (heads[f"clavicle.{suffix}"] + heads[f"shoulder01.{suffix}"]) / 2
    return np.stack([centres[name] for name in JOINT_NAMES], axis=1)
