"""Detect whether a figure's keys were edited since the add-on wrote them."""

from __future__ import annotations

import hashlib

import bpy

from ..core_access import JOINT_NAMES
from .fcurves import Channels, Keys, keys_of

KEYS_KEY = "smplify_keys"
"""Custom property of the armature: hash of the keys as they were last written."""

MOTION_PATHS = (
    f'pose.bones["{JOINT_NAMES[0]}"].location',
    *(f'pose.bones["{joint}"].rotation_quaternion' for joint in JOINT_NAMES),
)
"""The data paths that a motion is keyed on."""


def motion_keys(armature: bpy.types.Object) -> Keys:
    """Return the motion keys of *armature*. Reading them is slow in a long clip: do it once."""
    animation = armature.animation_data
    if animation is None or animation.action is None:
        return {}
    channels = Channels(armature)
    numbers = [(path, index) for path in MOTION_PATHS for index in range(3 if path.endswith("location") else 4)]
    curves = {number: channels.find(*number) for number in numbers}
    return {number: keys_of(curve) for number, curve in curves.items() if curve is not None}


def mark_keys(armature: bpy.types.Object, keys: Keys | None = None) -> None:
    """Mark the keys of *armature* as written by the add-on; *keys* are its keys, if already read."""
    armature[KEYS_KEY] = _digest(motion_keys(armature) if keys is None else keys)


def keys_edited(armature: bpy.types.Object, keys: Keys | None = None) -> bool:
    """Return whether a motion key was changed, added or removed since the keys were last written.

    Args:
        armature: a figure's armature.
        keys: its keys, if already read.
    """
    return armature.get(KEYS_KEY) != _digest(motion_keys(armature) if keys is None else keys)


def _digest(keys: Keys) -> str:
    if not keys:
        return ""
    digest = hashlib.blake2b(digest_size=16)
    for path in MOTION_PATHS:
        for index in range(3 if path.endswith("location") else 4):
            digest.update(keys[path, index].tobytes() if (path, index) in keys else b"none")
    return digest.hexdigest()
