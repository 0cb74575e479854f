"""The pose that a character had before it followed, kept with its armature while it follows.

Undo steps, and files that Blender saves by itself, hold live poses; with what is kept they are put right.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

import bpy

from ..character.action import set_value, value_of
from ..character.keys import Channel
from ..character.stored import plain_values, read_values
from ..figure.custom_properties import KEPT_KEY


def keep_pose(armature: bpy.types.Object, channels: Iterable[Channel]) -> None:
    """Keep the present values of *channels* with *armature*, unless its pose is kept already."""
    if not _has_own(armature):
        values = {channel: value_of(armature, channel) for channel in channels}
        armature[KEPT_KEY] = {"armature": armature.name, "values": json.dumps(plain_values(values))}


def put_back(armature: bpy.types.Object) -> None:
    """Put *armature* back into the pose that is kept with it, if one is."""
    if KEPT_KEY not in armature:
        return
    kept = armature[KEPT_KEY]
    if _has_own(armature):
        for channel, values in _read(kept.get("values")).items():
            set_value(armature, channel, values)
        armature.update_tag(refresh={"OBJECT", "DATA", "TIME"})
    del armature[KEPT_KEY]


def put_all_back(leaving: Collection[int] = ()) -> None:
    """Put the armatures of this file back for which a pose is kept, but those with the session numbers *leaving*."""
    for item in bpy.data.objects:
        if KEPT_KEY in item and item.library is None and item.type == "ARMATURE" and item.session_uid not in leaving:
            put_back(item)


def _has_own(armature: bpy.types.Object) -> bool:
    """Return whether a pose is kept with *armature*, rather than copied with it from another character."""
    kept = armature.get(KEPT_KEY)
    return hasattr(kept, "get") and kept.get("armature") == armature.name


def _read(text: object) -> dict[Channel, list[float]]:
    """Return the values of channels; none if the file was damaged."""
    try:
        return read_values(json.loads(str(text)))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        return {}
