"""Switch the pose correctives of a figure on and off."""

from __future__ import annotations

import bpy

from ..core_access import CoreError, has_fingers, resolve_body
from ..figure.armature import skeleton_of
from ..figure.correctives import add_correctives, remove_correctives
from ..figure.record import adjustable


def show_correctives(armature: bpy.types.Object, shown: bool) -> None:
    """Add the pose correctives of *armature* or remove them; show the reason if that fails."""
    properties = armature.smplify
    properties.trouble = ""
    try:
        if shown:
            body = resolve_body(adjustable(armature).source.body or None, fingers=has_fingers(skeleton_of(armature)))
            add_correctives(armature, body)
        else:
            remove_correctives(armature)
    except CoreError as error:
        properties.trouble = str(error)
