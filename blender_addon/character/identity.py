"""Which armatures are characters. Needs no core."""

from __future__ import annotations

import bpy

from ..figure.custom_properties import RECORD_KEY, TEMPLATE_KEY
from ..figure.scene_state import is_among

STORED_KEY = "smplify_character"
"""Custom property of the armature of a character that has been given a motion; see `keeper_of`."""
ACTION_KEY = "smplify_character_action"
"""Custom property of an action that a character was given, so that a duplicate's copy of it is known."""


def may_be_character(item: bpy.types.Object) -> bool:
    """Return whether *item* is an armature that is not a figure of this add-on."""
    return item.type == "ARMATURE" and TEMPLATE_KEY not in item.data


def is_figure(item: bpy.types.Object) -> bool:
    """Return whether *item* is a figure whose motion can be put onto a character."""
    return item.type == "ARMATURE" and RECORD_KEY in item


def is_animated(item: bpy.types.Object) -> bool:
    """Return whether *item* is an armature with an action or NLA tracks."""
    animation = item.animation_data
    return item.type == "ARMATURE" and animation is not None and bool(animation.action or animation.nla_tracks)


def picked(scene: bpy.types.Scene) -> bpy.types.Object | None:
    """Return the character that is picked in the box, None if it was deleted from *scene* since."""
    armature = scene.smplify_character.armature
    return armature if armature is not None and is_among(armature, scene.objects) else None


def keeper_of(armature: bpy.types.Object) -> bpy.types.ID:
    """Return the owner of the property `STORED_KEY`: *armature*, or one of its actions if it is an override.

    Blender does not save custom properties that are added to an override.
    """
    animation = armature.animation_data
    if armature.override_library is None or animation is None:
        return armature
    strips = [strip for track in animation.nla_tracks for strip in track.strips]
    actions = [user.action for user in (animation, *strips) if user.action is not None]
    return next((action for action in actions if STORED_KEY in action), actions[0] if actions else armature)


def has_motion(item: bpy.types.Object) -> bool:
    """Return whether *item* is a character with a retargeted motion."""
    return item.type == "ARMATURE" and STORED_KEY in keeper_of(item)


def characters_in(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Return the characters in *scene* that have a retargeted motion, by name; linked ones are left out."""
    return sorted((item for item in scene.objects if item.library is None and has_motion(item)), key=lambda i: i.name)


def characters_of(figure: bpy.types.Object) -> list[bpy.types.Object]:
    """Return the characters of this file that have the motion of *figure*."""
    found = []
    for item in bpy.data.objects:
        kept = keeper_of(item)[STORED_KEY] if item.library is None and has_motion(item) else None
        if kept is not None and hasattr(kept, "get") and kept.get("figure") == figure:
            found.append(item)
    return found
