"""The names of Unity's humanoid bones (`HumanBodyBones`), which the VMC protocol and exports for Unity use."""

from __future__ import annotations

from .smpl_skeleton import SIDES

_BODY = {
    "pelvis": "Hips", "spine1": "Spine", "spine2": "Chest", "spine3": "UpperChest", "neck": "Neck", "head": "Head",
    "left_collar": "LeftShoulder", "left_shoulder": "LeftUpperArm", "left_elbow": "LeftLowerArm",
    "left_wrist": "LeftHand", "right_collar": "RightShoulder", "right_shoulder": "RightUpperArm",
    "right_elbow": "RightLowerArm", "right_wrist": "RightHand", "left_hip": "LeftUpperLeg",
    "left_knee": "LeftLowerLeg", "left_ankle": "LeftFoot", "left_foot": "LeftToes", "right_hip": "RightUpperLeg",
    "right_knee": "RightLowerLeg", "right_ankle": "RightFoot", "right_foot": "RightToes",
}  # fmt: skip
_FINGERS = {"thumb": "Thumb", "index": "Index", "middle": "Middle", "ring": "Ring", "pinky": "Little"}
_PARTS = ("Proximal", "Intermediate", "Distal")

UNITY_BONES = _BODY | {
    f"{side}_{finger}{number}": f"{side.capitalize()}{name}{part}"
    for side in SIDES
    for finger, name in _FINGERS.items()
    for number, part in enumerate(_PARTS, start=1)
}
"""The names by SMPL-H's joints."""
