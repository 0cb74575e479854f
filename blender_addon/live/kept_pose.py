"""The pose that a character had before it followed, kept with its armature while it follows.

Undo steps, and files that Blender saves by itself, hold live poses; with what is kept they are put right.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

import bpy

from ..character.action import set_value, value_of
from ..character.keys import Channel
from ..character.rotation_values import POSE_CHANNELS
from ..character.stored import plain_values, read_values
from ..figure.custom_properties import KEPT_KEY


def keep_pose(armature: bpy.types.Object, channels: Iterable[Channel]) -> None:
    """Keep the present values of *channels* with *armature*, unless its pose is kept already."""
    if not hasattr(armature.get(KEPT_KEY), "get"):  # none, or one that was damaged
        values = {channel: value_of(armature, channel) for channel in channels}
        armature[KEPT_KEY] = {"armature": armature.name, "values": json.dumps(plain_values(values))}
    elif not _has_own(armature):
        armature[KEPT_KEY]["armature"] = armature.name  # it was renamed meanwhile


def put_back(armature: bpy.types.Object) -> None:
    """Put *armature*, which has followed, back into the pose that is kept with it."""
    if KEPT_KEY in armature:
        for channel, values in _read(armature[KEPT_KEY]).items():
            set_value(armature, channel, values)
        armature.update_tag(refresh={"OBJECT", "DATA", "TIME"})
        del armature[KEPT_KEY]


def put_right(armature: bpy.types.Object) -> None:
    """Put *armature*, which does not follow, back if its pose is kept; a duplicate of a live pose stays as it is."""
    if _has_own(armature):
        put_back(armature)
    elif KEPT_KEY in armature:
        del armature[KEPT_KEY]


def put_all_right(leaving: Collection[int] = ()) -> None:
    """Put all armatures of this file right, but those with the session numbers *leaving*."""
    for item in bpy.data.objects:
        if item.type == "ARMATURE" and item.library is None and item.session_uid not in leaving:
            put_right(item)


def _has_own(armature: bpy.types.Object) -> bool:
    """Return whether a pose is kept with *armature*, rather than copied with it from another character."""
    kept = armature.get(KEPT_KEY)
    return hasattr(kept, "get") and kept.get("armature") == armature.name


def _read(kept: Any) -> dict[Channel, list[float]]:
    """Return the values of channels; none if the file was damaged."""
    try:
        values = read_values(json.loads(kept["values"]))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        return {}
    return {channel: numbers for channel, numbers in values.items() if channel[1] in POSE_CHANNELS}
