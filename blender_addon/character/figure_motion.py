"""The motion of a figure or of an animated armature, as the source of the retargeting."""

from __future__ import annotations

import bpy

from ..core_access import BoneMap, RetargetSource, armature_source, map_bones
from ..figure.record import adjustable
from ..result.live_settings import keyed_source
from .identity import has_motion, is_figure
from .read_animation import animated_frames, read_animation
from .read_rig import read_rig
from .stored import load


def source_of(item: bpy.types.Object, foot_lock: float) -> RetargetSource:
    """Return the motion of *item*, a figure of this add-on or any animated armature, with the contacts of its feet.

    Args:
        item: the armature.
        foot_lock: how firmly feet of an armature are locked, 0 to 1; a figure has its own setting.

    Raises:
        CoreError: its motion, its bones or its body cannot be read.
    """
    if is_figure(item):
        return RetargetSource.of(*keyed_source(item))
    rig = read_rig(item)
    bone_map = bones_of(item)
    bone_map.check(rig)
    bones = [name for chain in bone_map.bones.values() for name in chain]
    return armature_source(read_animation(item, bones, animated_frames(item)), rig, bone_map, foot_lock)


def bones_of(item: bpy.types.Object) -> BoneMap:
    """Return the bones by role of an animated armature: those stored with it as a character, or the detected ones.

    Raises:
        CoreError: its bones cannot be read.
    """
    return load(item).bone_map if has_motion(item) else map_bones(read_rig(item))


def first_frame_of(item: bpy.types.Object) -> int:
    """Return the frame of the scene in which the motion of *item* begins.

    Raises:
        CoreError: it has no motion.
    """
    return adjustable(item).first_frame if is_figure(item) else animated_frames(item).start
