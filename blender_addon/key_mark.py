"""Tell whether a figure's keys are still those that the add-on wrote, or were edited since."""

from __future__ import annotations

import hashlib

import bpy

from .channels import Channels, keys_of
from .core_access import JOINT_NAMES

KEYS_KEY = "smplify_keys"
"""A hash of the keys as they were last written, kept with the armature."""

MOTION_PATHS = (
    f'pose.bones["{JOINT_NAMES[0]}"].location',
    *(f'pose.bones["{joint}"].rotation_quaternion' for joint in JOINT_NAMES),
)
"""The properties that a motion is keyed on."""


def mark_keys(armature: bpy.types.Object) -> None:
    """Take the keys of *armature* as they are now for those that the add-on wrote."""
    armature[KEYS_KEY] = _digest(armature)


def keys_edited(armature: bpy.types.Object) -> bool:
    """Return whether a key of the motion was moved, added or removed since they were written last."""
    return armature.get(KEYS_KEY) != _digest(armature)


def _digest(armature: bpy.types.Object) -> str:
    digest = hashlib.blake2b(digest_size=16)
    animation = armature.animation_data
    if animation is None or animation.action is None:
        return ""
    channels = Channels(armature)
    for path in MOTION_PATHS:
        for index in range(3 if path.endswith("location") else 4):
            curve = channels.find(path, index)
            if curve is None:
                digest.update(b"none")
                continue
            digest.update(keys_of(curve).tobytes())
    return digest.hexdigest()
