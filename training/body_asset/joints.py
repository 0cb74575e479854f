"""The SMPL skeleton for the builder: mirrored joints, and the SMPL joint of each MakeHuman bone."""

from __future__ import annotations

import numpy as np

from core.smpl_skeleton import JOINT_INDEX, JOINT_NAMES, SMPL

from .makehuman import Rig

SIDES = (("left", "L", 1.0), ("right", "R", -1.0))
"""SMPL's side name, MakeHuman's suffix, and the sign of x on that side."""


JOINT_MIRROR = np.array(SMPL.mirror)
"""(24,) index of each joint's mirror joint."""

_HIP_WIDTH, _HIP_FORWARD = 0.82, 0.12
"""Distance between the hip centres and their forward offset from MakeHuman's, relative to MakeHuman's hip distance."""
_KNEE_BELOW = 0.035
"""Offset of the knee centre below MakeHuman's knee, as a share of the shank."""


def anatomical_heads(heads: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return MakeHuman's bone heads with hips and knees moved to anatomical positions.

    MakeHuman's mean adult of 1.705 m has its hip centres 223 mm apart, in the middle of the thigh seen from the side,
    and its knees at 30 % of stature. From the pelvis' bones, as Bell, Harrington and Hara do, hips are about 180 mm
    apart (190 in OpenSim's model of a person of 1.70 m with a broad pelvis), and on this skin 35 to 45 mm farther
    forward; the line of MakeHuman's own femur (`upperleg02` to the knee) says 22 mm. At 27 mm the lowest joint of the
    spine is 43 mm behind and 165 mm above the hips, in OpenSim's model 44 and 160. The knee's axis goes through the
    femur's epicondyles, at the middle of the kneecap: 29 % of stature, as in Winter's and de Leva's tables (28.5 to
    29 %), and shank to thigh is 1.05, as between markers of two people (OpenCap's laboratory). The skin's weights
    agree: halfway between thigh and shank lies 37 mm below MakeHuman's knee.

    Args:
        heads: (N, 3) head of each bone, in the A-pose; X left, Y up, Z front.
    """
    middle = (heads["upperleg01.L"] + heads["upperleg01.R"]) / 2
    width = np.linalg.norm(heads["upperleg01.L"] - heads["upperleg01.R"], axis=1, keepdims=True)
    forward = _HIP_FORWARD * width * np.array([0.0, 0.0, 1.0])
    moved = dict(heads)
    for _, suffix, _ in SIDES:
        hip, knee, ankle = (heads[f"{bone}.{suffix}"] for bone in ("upperleg01", "lowerleg01", "foot"))
        moved[f"upperleg01.{suffix}"] = middle + _HIP_WIDTH * (hip - middle) + forward
        moved[f"lowerleg01.{suffix}"] = knee + _KNEE_BELOW * (ankle - knee)
    return moved


def smpl_joint_of_bone(rig: Rig) -> np.ndarray:
    """Return the SMPL joint (bones,) that drives each MakeHuman bone; unlisted bones follow their parents."""
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
    """Return the SMPL joint centres (N, 24, 3) from MakeHuman's bone heads (each (N, 3))."""
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
        bone_of_joint = {"hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot"}
        bone_of_joint |= {"shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist"}
        centres |= {f"{side}_{joint}": heads[f"{bone}.{suffix}"] for joint, bone in bone_of_joint.items()}
        centres[f"{side}_foot"] = np.mean([heads[f"toe{toe}-1.{suffix}"] for toe in range(1, 6)], axis=0)
        centres[f"{side}_hand"] = np.mean([heads[f"finger{finger}-1.{suffix}"] for finger in range(2, 6)], axis=0)
        centres[f"{side}_collar"] = (heads[f"clavicle.{suffix}"] + heads[f"shoulder01.{suffix}"]) / 2
    return np.stack([centres[name] for name in JOINT_NAMES], axis=1)
