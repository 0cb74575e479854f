"""What keeps a character from following keys: links, constraints, drivers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import bpy

from .errors import CharacterError

_CHANNEL = re.compile(r'^pose\.bones\["(?P<bone>(?:[^"\\]|\\.)*)"\]\.(?:location|rotation_\w+|scale)$')


def check_editable(armature: bpy.types.Object) -> None:
    """Check that *armature* can be given an action and shows its pose.

    Raises:
        CharacterError: it is linked from another file, has no override that can be edited, is at rest or being tweaked.
    """
    override = armature.override_library
    if armature.library is not None or (override is not None and override.is_system_override):
        raise CharacterError(
            f"expected an armature of this file, but {armature.name} is linked; make an override that can be edited "
            "(Object > Library Override > Make), then choose that one"
        )
    if armature.data.pose_position == "REST":
        raise CharacterError(
            f"expected {armature.name} to show its pose, but it is set to its rest position; set Pose Position in the "
            "armature's properties"
        )
    if armature.animation_data is not None and armature.animation_data.use_tweak_mode:
        raise CharacterError(f"expected no strip of {armature.name} to be edited; leave the NLA's tweak mode (Tab)")


def moved_otherwise(armature: bpy.types.Object, bones: Sequence[str]) -> list[str]:
    """Return those of *bones* that a constraint or a driver moves, so that keys of theirs would not do alone."""
    driven = driven_bones(armature)
    return [name for name in bones if name in driven or any(map(is_at_work, armature.pose.bones[name].constraints))]


def driven_bones(armature: bpy.types.Object) -> set[str]:
    """Return the bones of *armature* whose location, rotation or scale a driver sets."""
    animation = armature.animation_data
    drivers = () if animation is None else animation.drivers
    matches = [_CHANNEL.match(curve.data_path) for curve in drivers if not curve.mute]
    return {bpy.utils.unescape_identifier(match["bone"]) for match in matches if match is not None}


def locked_bones(armature: bpy.types.Object, bones: Iterable[str]) -> list[str]:
    """Return those of *bones* whose rotation is locked in the viewport; keys rotate them nevertheless."""
    return [name for name in bones if all(armature.pose.bones[name].lock_rotation)]


def is_at_work(constraint: bpy.types.Constraint) -> bool:
    """Return whether *constraint* moves its bone."""
    return not constraint.mute and constraint.influence > 0.0 and constraint.is_valid
