"""Recognise the family of skeletons that bone names belong to."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Valve", (r"ValveBiped",)),
    ("Character Creator", (r"CC_Base_",)),
    ("VRoid", (r"J_Bip_C_Hips",)),
    ("Rigify", (r"(DEF-|ORG-)?upper_arm\.L", r"(DEF-|ORG-)?forearm\.L", r"(DEF-|ORG-)?spine\.001")),
    ("Auto-Rig Pro", (r"arm_stretch\.l", r"forearm_stretch\.l")),
    ("MetaHuman", (r"thigh_l", r"upperarm_l", r"(FACIAL_\w*|upperarm_correctiveRoot_l)")),
    ("Unreal", (r"thigh_l", r"calf_l", r"upperarm_l", r"lowerarm_l")),
    ("Daz", (r"l(ShldrBend|ThighBend)",)),
    ("Daz", (r"l_thightwist1", r"l_shin")),
    ("MPFB", (r"upperarm01\.L", r"lowerleg01\.L")),
    ("MMD", (r"(上半身|upper body)",)),
    ("MHR", (r"l_uparm", r"l_upleg", r"c_spine0")),
    ("3ds Max Biped", (r"Bip\d+.L.UpperArm",)),
    ("CMU BVH", (r"LHipJoint", r"LowerBack")),
    ("Mixamo", (r"mixamorig\d*:?_?Hips",)),
    ("Ready Player Me", (r"LeftUpLeg", r"LeftForeArm", r"HeadTop_End", r"LeftEye")),
    ("Mixamo", (r"LeftUpLeg", r"LeftForeArm", r"LeftToeBase", r"Spine2")),
    ("Rokoko", (r"LeftThigh", r"LeftShin", r"LeftForeArm")),
    ("Xsens", (r"L5", r"T12", r"\w*Pelvis")),
    ("Xsens", (r"Chest4", r"LeftCollar", r"LeftElbow")),
    ("SMPL", (r"(left_hip|L_Hip)", r"(left_collar|L_Collar)")),
    ("Poser", (r"lThigh", r"lShin", r"lShldr")),
    ("Unity", (r"Left_?UpperLeg", r"Left_?LowerLeg")),
    ("VRM", (r"upper_leg\.L", r"lower_leg\.L")),
    ("BVH", (r"LeftUpLeg", r"LeftForeArm", r"LeftHand")),
)
"""Patterns of each family; every one must match the beginning of at least one bone's name."""


def family_of(names: Sequence[str]) -> str:
    """Return the family that *names* of bones belong to, empty if none is known."""
    plain = [name.rpartition(":")[2] if "mixamorig" not in name else name for name in names]
    for family, patterns in _FAMILIES:
        if all(any(re.match(pattern + r"(?![a-z])", name) for name in plain) for pattern in patterns):
            return family
    return ""
