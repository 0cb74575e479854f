"""The takes of a figure on a character: an action each, of which the character shows the one that the figure shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TypeAlias

import bpy

from ..core_access import CoreError
from ..figure.fcurves import take_suitable_slot
from ..figure.takes import present_take, push_strip, set_action, shows_strips, takes_of
from . import stored as storage
from .action import remove_strips
from .identity import STORED_KEY, is_figure
from .stored import OtherTake, Stored

Take: TypeAlias = "bpy.types.Action | None"
"""The action of a figure's take; None for a source with one motion."""


def takes_to_apply(source: bpy.types.Object) -> list[Take]:
    """Return the takes of a figure that has several, or None alone."""
    takes = takes_of(source) if is_figure(source) else []
    return list(takes) if len(takes) > 1 and present_take(source) in takes else [None]


def show_same_take(armature: bpy.types.Object, kept: Stored) -> Stored:
    """Show the take on *armature* that its figure shows, or its strips; return what is stored then."""
    take = present_take(kept.figure) if kept.figure is not None else None
    other = next((other for other in kept.others if take is not None and other.source == take), None)
    storage.forget(armature)  # the property of an override moves with its action
    if other is not None and other.action is not None:
        mine = OtherTake(kept.take, kept.action, kept.facts, kept.digest)
        others = tuple(mine if item is other else item for item in kept.others)
        kept = replace(
            kept, take=take, action=other.action, facts=other.facts, digest=other.digest, others=others, trouble=""
        )
    show_like_figure(armature, kept)
    storage.save(armature, kept)
    return kept


def show_like_figure(armature: bpy.types.Object, kept: Stored) -> None:
    """Give *armature* the action of its present take, or its strips alone where the figure shows its own."""
    only_strips = bool(kept.others) and kept.figure is not None and shows_strips(kept.figure)
    set_action(armature, None if only_strips else kept.action)


def push_strips(armature: bpy.types.Object, figure: bpy.types.Object, actions: Mapping[Take, bpy.types.Action]) -> None:
    """Give *armature* a strip for each strip of a take of *figure*, at the same frames; earlier ones are removed."""
    remove_strips(armature.animation_data, actions.values())
    tracks = armature.animation_data.nla_tracks
    active = tracks.active
    for track in figure.animation_data.nla_tracks:
        for strip in track.strips:
            if strip.action in actions:
                push_strip(armature, actions[strip.action], round(strip.frame_start))
    if active is not None:  # a new track becomes the active one
        tracks.active = active


def with_own_takes(armature: bpy.types.Object, kept: Stored) -> Stored:
    """Copy the actions of takes that another character has too, as duplicates do; return what is stored then."""
    animation = armature.animation_data
    shared = _actions_of_others(armature) if kept.others and animation is not None else set()
    copies = {action: action.copy() for action in kept.actions if action in shared}
    strips = [strip for track in animation.nla_tracks for strip in track.strips] if copies else []
    for user in (animation, *strips) if copies else ():
        if user.action in copies:
            user.action = copies[user.action]
            take_suitable_slot(user)
    others = tuple(replace(other, action=copies.get(other.action, other.action)) for other in kept.others)
    return replace(kept, action=copies.get(kept.action, kept.action), others=others)


def _actions_of_others(armature: bpy.types.Object) -> Collection[bpy.types.Action]:
    found: set[bpy.types.Action] = set()
    for item in bpy.data.objects:
        if item != armature and item.library is None and STORED_KEY in item:
            try:
                found.update(storage.load(item).actions)
            except CoreError:  # reported where that character is shown
                continue
    return found
