"""Fixtures of the tests of boxes 2 and 3."""

from __future__ import annotations

import pytest


@pytest.fixture
def walk(addon, write_track, tmp_path):
    """The settings of a scene whose track is read."""
    import bpy

    bpy.ops.smplify.open_track(filepath=str(write_track(tmp_path / "walk.npz")))
    return addon.smplify


@pytest.fixture
def contents(addon):
    """A function that returns what is in the file: names of all data, the scene's range, rate, frame, active object."""
    import bpy

    kinds = ("objects", "armatures", "meshes", "actions", "collections", "materials", "shape_keys")

    def read():
        scene, active = bpy.context.scene, bpy.context.view_layer.objects.active
        data = {kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in kinds}
        return data, scene.frame_start, scene.frame_end, scene.frame_current, scene.render.fps, active and active.name

    return read
