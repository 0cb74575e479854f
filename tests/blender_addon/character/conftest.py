"""Fixtures: a figure that walks, and the test character."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def figure_file(body, make_motion, tmp_path_factory) -> Path:
    """A .blend with the collection of `figure`."""
    import bpy

    from blender_addon.figure.create import add_figures
    from blender_addon.figure.keyframe_hash import mark_keys
    from blender_addon.figure.record import FigureRecord, FitSource, store
    from core.placement import Person

    bpy.ops.wm.read_homefile(use_empty=True)
    (added,) = add_figures([Person("walk", make_motion(num_frames=24), body)], bpy.context.scene, name="walk")
    record = FigureRecord(added.motion, added.first_frame, FitSource(), None, added.motion.fps, added.motion.trans[0])
    store(added.armature, record)
    mark_keys(added.armature)
    path = tmp_path_factory.mktemp("figure") / "figure.blend"
    bpy.data.libraries.write(str(path), {bpy.data.collections["walk"]})
    return path


@pytest.fixture
def figure(figure_file, addon):
    """A figure with a record, as if imported from a motion file of 24 frames; the scene has its rate and range."""
    import bpy

    from blender_addon.figure.scene_time import set_scene_rate, show_frames

    with bpy.data.libraries.load(str(figure_file)) as (_, loaded):
        loaded.collections = ["walk"]
    addon.collection.children.link(loaded.collections[0])
    set_scene_rate(addon, 30.0)
    show_frames(addon, 1, 24, extend=False)
    return bpy.data.objects["walk"]


@pytest.fixture
def hero(addon):
    """The test character."""
    from tests.blender_addon.character.rigs import make_character

    return make_character(roll=1)
