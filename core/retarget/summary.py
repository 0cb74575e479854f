"""Say in one line what was found of a character."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bone_map import REQUIRED_ROLES, ROLES, SIDES, BoneMap
from .rig import Rig

_T_POSE, _ARMS_DOWN = 20.0, 75.0
"""Angle in degrees of the arms below the horizontal, up to which a rest pose is a T, and from which the arms hang."""
_UPRIGHT = 30.0
"""Largest angle in degrees of trunk and legs to the vertical in the rest pose of a standing person."""


@dataclass(frozen=True)
class MapSummary:
    """What is known of a character.

    Attributes:
        kind: the family of its skeleton, empty if unknown.
        pose: "T-pose", "A-pose", "arms down" or "unusual rest pose"; empty if arms or legs are missing.
        found: number of roles with a bone.
        total: number of all roles.
        to_check: roles whose bone is in doubt.
        missing: required roles without a bone.
    """

    kind: str
    pose: str
    found: int
    total: int
    to_check: tuple[str, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        """Return one line: "Mixamo skeleton, T-pose, 20 of 20 bones found", "Skeleton, A-pose, 3 bones to check"."""
        parts = [f"{self.kind} skeleton" if self.kind else "Skeleton", *([self.pose] if self.pose else [])]
        if self.missing:
            parts.append(f"{len(self.missing)} required bone{'s' if len(self.missing) > 1 else ''} missing")
        if self.to_check:
            parts.append(f"{len(self.to_check)} bone{'s' if len(self.to_check) > 1 else ''} to check")
        if not self.missing and not self.to_check:
            parts.append(f"{self.found} of {self.total} bones found")
        return ", ".join(parts)


def summarize(rig: Rig, bone_map: BoneMap) -> MapSummary:
    """Return what *bone_map* says of *rig*."""
    return MapSummary(
        kind=bone_map.kind,
        pose=rest_pose(rig, bone_map),
        found=len(bone_map.bones),
        total=len(ROLES),
        to_check=bone_map.doubtful,
        missing=bone_map.missing,
    )


def rest_pose(rig: Rig, bone_map: BoneMap) -> str:
    """Return how *rig* holds arms and legs at rest: "T-pose", "A-pose", "arms down" or "unusual rest pose"."""
    if any(role not in bone_map.bones for role in REQUIRED_ROLES):
        return ""
    arms = [_rise(rig, bone_map, f"{side}_upper_arm", f"{side}_forearm") for side in SIDES]
    legs = [_rise(rig, bone_map, f"{side}_thigh", f"{side}_foot") for side in SIDES]
    shoulders, hips = (
        np.mean([_joint(rig, bone_map, f"{side}_{role}") for side in SIDES], axis=0) for role in ("upper_arm", "thigh")
    )
    is_upright = max(legs) < _UPRIGHT - 90.0 and _angle(shoulders - hips) > 90.0 - _UPRIGHT
    if not is_upright or max(arms) > _T_POSE or max(arms) - min(arms) > 2.0 * _T_POSE:
        return "unusual rest pose"
    down = -float(np.mean(arms))
    return "T-pose" if down < _T_POSE else "A-pose" if down < _ARMS_DOWN else "arms down"


def _joint(rig: Rig, bone_map: BoneMap, role: str) -> np.ndarray:
    head: np.ndarray = rig.heads[rig.index[bone_map.bones[role][0]]]
    return head


def _rise(rig: Rig, bone_map: BoneMap, start: str, end: str) -> float:
    """Return the angle in degrees above the horizontal from one joint to another."""
    return _angle(_joint(rig, bone_map, end) - _joint(rig, bone_map, start))


def _angle(step: np.ndarray) -> float:
    return float(np.degrees(np.arctan2(step[1], np.hypot(step[0], step[2]))))
