"""Figures in a file, so that they are made once and read by each test that needs them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import bpy

from blender_addon.figure.create import add_figures
from blender_addon.figure.keyframe_hash import mark_keys
from blender_addon.figure.record import FigureRecord, FitSource, store
from blender_addon.figure.scene_time import set_scene_rate, show_frames
from core.body.data import BodyData
from core.motion import Motion
from core.placement import Person


def write_figures(path: Path, body: BodyData, motions: Mapping[str, Motion]) -> Path:
    """Write a figure with a record, as if imported from a motion file, for each of *motions*; return *path*.

    Each is in a collection of its name. The session is replaced.
    """
    bpy.ops.wm.read_homefile(use_empty=True)
    for name, motion in motions.items():
        (added,) = add_figures([Person(name, motion, body)], bpy.context.scene, name=name)
        source = FitSource()
        record = FigureRecord(added.motion, added.first_frame, source, None, added.motion.fps, added.motion.trans[0])
        store(added.armature, record)
        mark_keys(added.armature)
    bpy.data.libraries.write(str(path), {bpy.data.collections[name] for name in motions})
    return path


def read_figures(path: Path, scene: bpy.types.Scene, num_frames: int) -> list[bpy.types.Object]:
    """Add the figures of a file to *scene*, which gets their 30 fps and *num_frames*; return them in order of name."""
    with bpy.data.libraries.load(str(path)) as (inside, loaded):
        loaded.collections = sorted(inside.collections)
    for collection in loaded.collections:
        scene.collection.children.link(collection)
    set_scene_rate(scene, 30.0)
    show_frames(scene, 1, num_frames, extend=False)
    return [bpy.data.objects[collection.name] for collection in loaded.collections]
