"""Describe the rest pose of a character."""

from __future__ import annotations

import numpy as np

from ..smpl_skeleton import SIDES
from .bone_map import REQUIRED_ROLES, BoneMap
from .rig import Rig

_T_POSE, _ARMS_DOWN = 20.0, 75.0
"""Angle in degrees of the arms below the horizontal, up to which a rest pose is a T, and from which the arms hang."""
_UPRIGHT = 30.0
"""Largest angle in degrees of trunk and legs to the vertical in the rest pose of a standing person."""


def rest_pose(rig: Rig, bone_map: BoneMap) -> str:
    """Return the kind of rest pose of *rig*: "T-pose", "A-pose", "arms down" or "unusual rest pose"."""
    if any(role not in bone_map.bones for role in REQUIRED_ROLES):
        return ""
    arms = [_rise(rig, bone_map, f"{side}_upper_arm", f"{side}_forearm") for side in SIDES]
    if not stands(rig, bone_map) or max(arms) > _T_POSE or max(arms) - min(arms) > 2.0 * _T_POSE:
        return "unusual rest pose"
    down = -float(np.mean(arms))
    return "T-pose" if down < _T_POSE else "A-pose" if down < _ARMS_DOWN else "arms down"


def stands(rig: Rig, bone_map: BoneMap) -> bool:
    """Return whether trunk and legs of *rig*, which has all required bones, are upright."""
    legs = [_rise(rig, bone_map, f"{side}_thigh", f"{side}_foot") for side in SIDES]
    shoulders, hips = (
        np.mean([_joint(rig, bone_map, f"{side}_{role}") for side in SIDES], axis=0) for role in ("upper_arm", "thigh")
    )
    return max(legs) < _UPRIGHT - 90.0 and _angle(shoulders - hips) > 90.0 - _UPRIGHT


def _joint(rig: Rig, bone_map: BoneMap, role: str) -> np.ndarray:
    head: np.ndarray = rig.heads[rig.index[bone_map.bones[role][0]]]
    return head


def _rise(rig: Rig, bone_map: BoneMap, start: str, end: str) -> float:
    """Return the angle in degrees above the horizontal from one joint to another."""
    return _angle(_joint(rig, bone_map, end) - _joint(rig, bone_map, start))


def _angle(step: np.ndarray) -> float:
    return float(np.degrees(np.arctan2(step[1], np.hypot(step[0], step[2]))))
