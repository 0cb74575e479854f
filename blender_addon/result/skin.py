"""Switch the pose correctives of a figure by its setting."""

from __future__ import annotations

import bpy

from ..core_access import CoreError, has_fingers, resolve_body
from ..figure.armature import skeleton_of
from ..figure.correctives import add_correctives, remove_correctives
from ..figure.record import adjustable


def follow_correctives(armature: bpy.types.Object) -> None:
    """Add or remove the pose correctives of *armature* by its setting; show the reason if that fails."""
    properties = armature.smplify
    if properties.quiet:
        return
    properties.trouble = ""
    try:
        if properties.correctives:
            body = resolve_body(adjustable(armature).source.body, fingers=has_fingers(skeleton_of(armature)))
            add_correctives(armature, body)
        else:
            remove_correctives(armature)
    except CoreError as error:
        properties.trouble = str(error)
