"""Detect whether a figure's keys were edited since the add-on wrote them."""

from __future__ import annotations

import hashlib

import bpy

from .armature import skeleton_of
from .custom_properties import KEYS_KEY
from .fcurves import Channels, Keys, bone_path, keys_of


def _motion_channels(armature: bpy.types.Object) -> list[tuple[str, int]]:
    """Return the data path and index of each channel that a motion of *armature* is keyed on."""
    names = skeleton_of(armature).names
    location = bone_path(names[0], "location")
    rotations = [bone_path(name, "rotation_quaternion") for name in names]
    return [(location, index) for index in range(3)] + [(path, index) for path in rotations for index in range(4)]


def motion_keys(armature: bpy.types.Object) -> Keys:
    """Return the motion keys of *armature*. Reading them is slow in a long clip: do it once."""
    animation = armature.animation_data
    if animation is None or animation.action is None:
        return {}
    channels = Channels(armature)
    curves = {number: channels.find(*number) for number in _motion_channels(armature)}
    return {number: keys_of(curve) for number, curve in curves.items() if curve is not None}


def mark_keys(armature: bpy.types.Object, keys: Keys | None = None) -> None:
    """Mark the keys of *armature* as written by the add-on; *keys* are its keys, if already read."""
    armature[KEYS_KEY] = _digest(armature, keys)


def keys_edited(armature: bpy.types.Object, keys: Keys | None = None) -> bool:
    """Return whether a motion key was changed, added or removed since the keys were last written.

    Args:
        armature: a figure's armature.
        keys: its keys, if already read.
    """
    return armature.get(KEYS_KEY) != _digest(armature, keys)


def _digest(armature: bpy.types.Object, keys: Keys | None) -> str:
    """Return the hash of *keys*, by default those of *armature*; empty if there are none."""
    keys = motion_keys(armature) if keys is None else keys
    if not keys:
        return ""
    digest = hashlib.blake2b(digest_size=16)
    for channel in _motion_channels(armature):
        digest.update(keys[channel].tobytes() if channel in keys else b"none")
    return digest.hexdigest()
