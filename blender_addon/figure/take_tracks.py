"""Takes as NLA tracks with a strip each, which Blender's exporters write as separate animations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import bpy
import numpy as np

from .fcurves import HAS_SLOTS
from .takes import push_strip, set_action


@contextmanager
def takes_as_tracks(armature: bpy.types.Object, takes: Sequence[bpy.types.Action]) -> Iterator[tuple[int, int]]:
    """Temporarily give *armature* an NLA track for each of *takes*, at the frames of its keys, and nothing else.

    Each track and its strip are named like the action. Yields the first and last frame of all takes.
    """
    animation = armature.animation_data_create()
    action, slot, use_nla = animation.action, getattr(animation, "action_slot", None), animation.use_nla
    solo = next((track for track in animation.nla_tracks if track.is_solo), None)
    # The strips are muted, not their tracks: Blender's exporter of glTF does not heed muted tracks.
    others = [(strip, strip.mute) for track in animation.nla_tracks for strip in track.strips]
    count, active = len(animation.nla_tracks), animation.nla_tracks.active
    try:
        if solo is not None:
            solo.is_solo = False
        for strip, _ in others:
            strip.mute = True
        set_action(armature, None)
        animation.use_nla = True
        for take in takes:
            push_strip(armature, take, int(np.floor(take.frame_range[0])))
        ranges = [take.frame_range for take in takes]
        yield int(np.floor(min(first for first, _ in ranges))), int(np.ceil(max(last for _, last in ranges)))
    finally:
        for track in list(animation.nla_tracks)[count:]:
            animation.nla_tracks.remove(track)
        for strip, mute in others:
            strip.mute = mute
        if solo is not None:
            solo.is_solo = True
        if active is not None:
            animation.nla_tracks.active = active
        animation.use_nla = use_nla
        set_action(armature, action)
        if HAS_SLOTS and action is not None and slot is not None:
            animation.action_slot = slot
