"""The takes of a figure: actions of one armature, each with what was stored of its fit.

The custom properties of the armature are those of its present take. Those of the others are kept with their actions, so
that live settings, errors and flags go with the action that is chosen (`result.takes`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from .custom_properties import APPLIED_KEY, KEYS_KEY, MARK_KEY, RECORD_KEY, text_of
from .fcurves import take_suitable_slot

_TAKES_KEY = "smplify_takes"
"""Custom property with what a figure and the actions of its takes have in common."""
_PRESENT_KEY = "smplify_present_take"
"""Custom property of the armature: the action that its record belongs to."""
_KEPT_KEYS = (RECORD_KEY, MARK_KEY, KEYS_KEY, APPLIED_KEY)


def takes_of(armature: bpy.types.Object) -> list[bpy.types.Action]:
    """Return the actions of the takes of *armature*, by name; empty for a figure with one motion."""
    mark = text_of(armature, _TAKES_KEY)
    return [action for action in bpy.data.actions if text_of(action, _TAKES_KEY) == mark] if mark else []


def present_take(armature: bpy.types.Object) -> bpy.types.Action | None:
    """Return the action that the record of *armature* belongs to; None for a figure with one motion."""
    action = armature.get(_PRESENT_KEY)
    return action if isinstance(action, bpy.types.Action) else None


def keep_take(armature: bpy.types.Object) -> None:
    """Keep what is stored of the present take of *armature* with its action, which becomes one of several."""
    action = present_take(armature) or armature.animation_data.action
    if action is None:  # the present take was deleted
        return
    armature[_TAKES_KEY] = action[_TAKES_KEY] = text_of(armature, _TAKES_KEY) or uuid.uuid4().hex
    armature[_PRESENT_KEY] = action
    action.use_fake_user = True
    _copy(armature, action)


def begin_take(armature: bpy.types.Object) -> None:
    """Make the action of *armature* its present take, of which nothing is stored yet."""
    action = armature.animation_data.action
    action[_TAKES_KEY] = armature[_TAKES_KEY]
    action.use_fake_user = True
    armature[_PRESENT_KEY] = action
    for key in _KEPT_KEYS:
        if key in armature:
            del armature[key]


def recall_take(armature: bpy.types.Object, action: bpy.types.Action) -> None:
    """Make *action*, one of `takes_of`, the present take of *armature*, and give it its action back."""
    if present_take(armature) != action:
        keep_take(armature)
        _copy(action, armature)
        armature[_PRESENT_KEY] = action
    set_action(armature, action)


@contextmanager
def recalled(armature: bpy.types.Object, take: bpy.types.Action | None) -> Iterator[None]:
    """Temporarily make *take* the present take of *armature*; None for a figure with one motion, which stays as it is.

    What the figure shows is restored, not only its present take: its action, or the strips of its NLA alone.
    """
    present = present_take(armature)
    if take is None or present is None:
        yield
        return
    action = armature.animation_data.action
    try:
        recall_take(armature, take)
        yield
    finally:
        recall_take(armature, present)
        set_action(armature, action)


def shows_strips(armature: bpy.types.Object) -> bool:
    """Return whether *armature* shows the strips of its NLA alone, without an action."""
    animation = armature.animation_data
    return animation is not None and animation.action is None and len(animation.nla_tracks) > 0


def set_action(armature: bpy.types.Object, action: bpy.types.Action | None) -> None:
    """Give *armature* an action, and the slot that is for objects; None for that of its NLA alone."""
    animation = armature.animation_data_create()
    animation.action = action
    if action is not None:
        take_suitable_slot(animation)


def push_strip(armature: bpy.types.Object, action: bpy.types.Action, start: int) -> int:
    """Add an NLA track with a strip of *action* that begins at the scene frame *start*; return its last frame."""
    track = armature.animation_data_create().nla_tracks.new()
    track.name = action.name
    strip = track.strips.new(action.name, start, action)
    strip.extrapolation = "NOTHING"
    take_suitable_slot(strip)
    return round(strip.frame_end)


def _copy(source: bpy.types.ID, target: bpy.types.ID) -> None:
    for key in _KEPT_KEYS:
        if key in target:
            del target[key]  # assigning bytes over bytes would cut them off at the first zero
        if key in source:
            target[key] = source[key]
