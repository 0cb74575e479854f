"""All of a character as text, to compare: that applying and removing a motion leave nothing behind."""

from __future__ import annotations

import json
from typing import Any

import bpy
import numpy as np

_OF_THE_SESSION = ("select", "is_evaluated", "session_uid", "tag", "bound_box")
"""Properties of what is selected or evaluated, not of the character."""


def snapshot(armature: bpy.types.Object) -> str:
    """Return every property of *armature*: object, bones, pose, constraints, drivers, custom properties, animation."""
    animation = armature.animation_data
    found: dict[str, Any] = {
        "object": _properties(armature),
        "data": _properties(armature.data),
        "custom": _custom(armature),
        "bones": [_properties(bone) for bone in armature.data.bones],
        "pose": [{**_properties(bone), "custom": _custom(bone)} for bone in armature.pose.bones],
        "constraints": [_properties(item) for bone in armature.pose.bones for item in bone.constraints],
        "actions": sorted((action.name, action.use_fake_user, action.users) for action in bpy.data.actions),
    }
    if animation is not None:
        found["animation"] = _properties(animation)
        found["action"] = animation.action and animation.action.name
        found["tracks"] = [_properties(track) for track in animation.nla_tracks]
        found["strips"] = [_properties(strip) for track in animation.nla_tracks for strip in track.strips]
        found["drivers"] = [_properties(driver) for driver in animation.drivers]
    for part in (found["object"], found["data"], *found["pose"]):
        for name in _OF_THE_SESSION:
            part.pop(name, None)
    return json.dumps(found, sort_keys=True, default=str)


def _properties(item: bpy.types.bpy_struct) -> dict[str, Any]:
    """Return the plain properties of a part of Blender's data."""
    found = {}
    for entry in item.bl_rna.properties:
        if entry.type in ("BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"):
            value = getattr(item, entry.identifier)
            found[entry.identifier] = np.array(value).tolist() if getattr(entry, "is_array", False) else value
    return found


def _custom(item: bpy.types.bpy_struct) -> dict[str, Any]:
    return {key: _plain(item[key]) for key in item.keys()}


def _plain(value: Any) -> Any:
    """Return a custom property's value as something that can be compared."""
    if isinstance(value, bpy.types.ID):
        return value.name_full
    if hasattr(value, "to_dict"):
        return repr(value.to_dict())
    return tuple(value) if hasattr(value, "__len__") and not isinstance(value, str | bytes) else value
