"""The action that a character gets, and a backup of its previous animation, from which everything is restored.

The values of the keyed channels, the old action with its blending, and the NLA tracks that were unmuted are stored
when the action is given, and restored when it is taken away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np

from ..figure.fcurves import HAS_SLOTS, Channels, Keys, keys_of
from .identity import ACTION_KEY
from .keys import Channel, Curve, custom_name, is_custom, owner_of, path_of

BLENDING = (
    "action_blend_type",
    "action_extrapolation",
    "action_influence",
    *(("last_slot_identifier",) if HAS_SLOTS else ()),
)
_PLAIN = {"action_blend_type": "REPLACE", "action_extrapolation": "HOLD", "action_influence": 1.0}


Track = tuple[str, int]
"""An NLA track: its name, and its number, from 0, among those of this name, since names may be equal."""


@dataclass(frozen=True)
class Before:
    """The animation of a character before it got a motion.

    Attributes:
        values: the values of the channels that are keyed.
        animated: whether it had animation data at all.
        blending: the settings of its animation data, by name.
        slot: the handle of the old action's slot.
        fake_user: whether the old action was kept by a fake user.
        tracks: the NLA tracks that were not muted.
        solo: the NLA track that was soloed, None if none was.
        bones: the names of all bones in order, by which bones that were renamed since are known.
    """

    values: Mapping[Channel, Sequence[float]] = field(default_factory=dict)
    animated: bool = False
    blending: Mapping[str, Any] = field(default_factory=dict)
    slot: int = 0
    fake_user: bool = False
    tracks: tuple[Track, ...] = ()
    solo: Track | None = None
    bones: tuple[str, ...] = ()


def remember(armature: bpy.types.Object) -> Before:
    """Return the present animation of *armature*; the values of channels are added by `keep_values`."""
    animation, bones = armature.animation_data, tuple(armature.data.bones.keys())
    if animation is None:
        return Before(bones=bones)
    action, tracks = animation.action, list(_numbered(animation.nla_tracks))
    return Before(
        bones=bones,
        animated=True,
        blending={name: getattr(animation, name) for name in BLENDING},
        slot=animation.action_slot_handle if HAS_SLOTS else 0,
        fake_user=action is not None and action.use_fake_user,
        tracks=tuple(place for place, track in tracks if not track.mute),
        solo=next((place for place, track in tracks if track.is_solo), None),
    )


def _numbered(tracks: Iterable[bpy.types.NlaTrack]) -> Iterator[tuple[Track, bpy.types.NlaTrack]]:
    counts: dict[str, int] = {}
    for track in tracks:
        number = counts[track.name] = counts.get(track.name, -1) + 1
        yield (track.name, number), track


def value_of(armature: bpy.types.Object, channel: Channel) -> list[float]:
    """Return the present values of *channel*."""
    owner, name = owner_of(armature, channel), channel[1]
    if is_custom(channel):
        return [float(owner[custom_name(channel)])]
    return [float(value) for value in np.atleast_1d(getattr(owner, name))]


def set_value(armature: bpy.types.Object, channel: Channel, values: Sequence[float]) -> None:
    """Set the values of *channel*, if the character still has its bone and its property."""
    if channel[0] and channel[0] not in armature.pose.bones:
        return
    owner = owner_of(armature, channel)
    name = custom_name(channel) if is_custom(channel) else channel[1]
    if not is_custom(channel):
        setattr(owner, name, values[0] if name == "ik_stretch" else values)
    elif name in owner:
        owner[name] = type(owner[name])(values[0])


@contextmanager
def suspended(armature: bpy.types.Object, values: Mapping[Channel, Iterable[float]]) -> Iterator[None]:
    """Temporarily suspend all animation of *armature*, and set the channels in *values* to these values."""
    animation = armature.animation_data
    now = {channel: value_of(armature, channel) for channel in values}
    if animation is not None:
        action, slot, use_nla = animation.action, getattr(animation, "action_slot", None), animation.use_nla
        animation.action, animation.use_nla = None, False
    try:
        for channel, numbers in values.items():
            set_value(armature, channel, list(numbers))
        armature.update_tag()
        bpy.context.view_layer.update()
        yield
    finally:
        if animation is not None:
            animation.action, animation.use_nla = action, use_nla
            if slot is not None:
                animation.action_slot = slot
        for channel, numbers in now.items():
            set_value(armature, channel, numbers)
        bpy.context.view_layer.update()


def give_action(armature: bpy.types.Object, name: str) -> None:
    """Give *armature* a new, empty action called *name*; keep the old one and mute the NLA tracks."""
    animation = armature.animation_data or armature.animation_data_create()
    if animation.action is not None:
        animation.action.use_fake_user = True
    for track in animation.nla_tracks:
        if track.is_solo:
            track.is_solo = False
    for track in animation.nla_tracks:
        if not track.mute:
            track.mute = True
    animation.action = new_action(name)
    for setting, value in _PLAIN.items():
        setattr(animation, setting, value)


def new_action(name: str) -> bpy.types.Action:
    """Return a new, empty action of a character, called *name*."""
    action = bpy.data.actions.new(name)
    action[ACTION_KEY] = True
    return action


def write_curves(
    armature: bpy.types.Object, curves: Iterable[Curve], first_frame: int, stale: Iterable[Channel] = ()
) -> str:
    """Key *curves* from *first_frame* on in the present action of *armature*, and remove the *stale* channels.

    Keys whose frame does not change only get new values.

    Returns:
        The hash of the keys, as `keys_hash` gives it.
    """
    channels = Channels(armature)
    for channel in stale:
        channels.remove(path_of(channel))
    written = list(curves)
    keys = _read_keys(channels, [curve.channel for curve in written])
    for curve in written:
        frames = np.arange(first_frame, first_frame + len(curve.values), dtype=np.float32)
        group = curve.channel[0] or "Object Transforms"
        channels.rewrite(path_of(curve.channel), frames, curve.values, group=group, keys=keys)
    channels.action.update_tag()
    armature.update_tag(refresh={"OBJECT", "DATA", "TIME"})
    return _hash(keys, [curve.channel for curve in written])


def keys_hash(armature: bpy.types.Object, keyed: Iterable[Channel]) -> str:
    """Return the hash of the keys of the channels *keyed* in the present action of *armature*."""
    channels = list(keyed)
    return _hash(_read_keys(Channels(armature), channels), channels)


def _read_keys(channels: Channels, keyed: Iterable[Channel]) -> Keys:
    paths = [path_of(channel) for channel in keyed]
    found = {(path, index): channels.find(path, index) for path in paths for index in range(4)}
    return {number: keys_of(curve) for number, curve in found.items() if curve is not None}


def _hash(keys: Keys, keyed: Iterable[Channel]) -> str:
    """Return a hash of *keys* that does not depend on the names of the bones, which the user may change."""
    names = {path_of(channel): channel[1] for channel in keyed}
    curves = [f"{names[path]} {index}".encode() + curve.tobytes() for (path, index), curve in keys.items()]
    digest = hashlib.blake2b(digest_size=16)
    for curve in sorted(hashlib.blake2b(curve, digest_size=16).digest() for curve in curves):
        digest.update(curve)
    return digest.hexdigest()


def take_action(
    armature: bpy.types.Object, before: Before, old: bpy.types.Action | None, *, ours: Sequence[bpy.types.Action]
) -> None:
    """Remove the actions *ours* of *armature* with their data-blocks and strips, and restore everything in *before*.

    If the character has another action by now, that one stays.
    """
    animation = armature.animation_data
    if animation is not None:
        had_strips = remove_strips(animation, ours)
        if animation.action in ours or (animation.action is None and (had_strips or not ours)):
            _restore_action(animation, before, old)
        _restore_tracks(animation, before)
        if animation.action is None and not before.animated and not animation.nla_tracks and not animation.drivers:
            armature.animation_data_clear()
    remove_unused(ours)
    for channel, values in before.values.items():
        set_value(armature, channel, values)
    armature.update_tag(refresh={"OBJECT", "DATA", "TIME"})


def remove_strips(animation: bpy.types.AnimData, actions: Iterable[bpy.types.Action]) -> bool:
    """Remove the NLA tracks with strips of *actions* alone; return whether there were any."""
    ours = set(actions)
    tracks = [
        track for track in animation.nla_tracks if track.strips and all(strip.action in ours for strip in track.strips)
    ]
    for track in tracks:
        animation.nla_tracks.remove(track)
    return bool(tracks)


def remove_unused(actions: Iterable[bpy.types.Action]) -> None:
    """Remove those of *actions* that nothing uses."""
    for action in actions:
        if action.users == 0:
            bpy.data.actions.remove(action)


def _restore_action(animation: bpy.types.AnimData, before: Before, old: bpy.types.Action | None) -> None:
    animation.action = old
    if old is not None:
        old.use_fake_user = before.fake_user
        slot = next((slot for slot in old.slots if slot.handle == before.slot), None) if HAS_SLOTS else None
        if slot is not None:
            animation.action_slot = slot
    for name, value in before.blending.items():
        setattr(animation, name, value)


def _restore_tracks(animation: bpy.types.AnimData, before: Before) -> None:
    for place, track in _numbered(animation.nla_tracks):
        if place in before.tracks:
            track.mute = False
        if place == before.solo:
            track.is_solo = True
