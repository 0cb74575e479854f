"""Figures that are hidden, and figures and scenes that are linked from another file."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.figure.armature import betas_of_bones  # noqa: E402
from blender_addon.figure.create import set_betas  # noqa: E402

BETAS = np.array([2.0, -1.0, *[0.0] * 8])


def hide_object(armature) -> None:
    armature.hide_viewport = True


def exclude_collection(armature) -> None:
    layers = bpy.context.view_layer.layer_collection.children
    layers[armature.users_collection[0].name].exclude = True


def hide_collection(armature) -> None:
    armature.users_collection[0].hide_viewport = True


def show_other_scene(armature) -> None:
    bpy.context.window.scene = bpy.data.scenes.new("other")


@pytest.mark.parametrize("hide", [hide_object, exclude_collection, hide_collection, show_other_scene])
def test_the_bones_of_a_hidden_figure_follow_its_shape(addon, add_person, make_motion, hide):
    armature = add_person(make_motion(2)).armature
    hide(armature)
    before = {item.name for item in bpy.data.objects}
    set_betas(armature, BETAS)
    np.testing.assert_allclose(betas_of_bones(armature), BETAS, atol=1e-3)
    assert {item.name for item in bpy.data.objects} == before


@pytest.fixture
def linked(addon, add_person, make_motion, tmp_path):
    """The scene with the figure "walk", linked from a file."""
    add_person(make_motion(4))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (there, wanted):
        wanted.scenes = there.scenes
    return wanted.scenes[0]


@pytest.mark.parametrize("override", [False, True])
@pytest.mark.parametrize("kind", ["fbx", "glb", "bvh"])
def test_a_linked_figure_is_exported_but_keeps_its_shape(linked, tmp_path, kind, override):
    (collection,) = linked.collection.children
    bpy.context.scene.collection.children.link(collection)
    if override:
        collection = collection.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    armature = next(item for item in collection.all_objects if item.type == "ARMATURE")
    bpy.context.view_layer.objects.active = armature
    names = sorted(mesh.name for mesh in bpy.data.meshes)
    assert bpy.ops.smplify.export(filepath=str(tmp_path / f"walk.{kind}")) == {"FINISHED"}
    assert (tmp_path / f"walk.{kind}").stat().st_size > 1000
    assert sorted(mesh.name for mesh in bpy.data.meshes) == names
    assert bpy.context.view_layer.objects.active == armature
    with pytest.raises(RuntimeError, match="expected a figure of this file|expected a mesh with shape keys"):
        bpy.ops.smplify.move_bones()


def test_nothing_is_added_to_a_linked_scene(linked, write_track, tmp_path):
    bpy.context.window.scene = linked
    track = write_track(tmp_path / "walk.npz")
    bpy.ops.smplify.open_track(filepath=str(track), wait=True)
    for operator in (bpy.ops.smplify.fit, bpy.ops.smplify.start_live, bpy.ops.smplify.open_character):
        with pytest.raises(RuntimeError, match="linked from another file; show a scene of this file"):
            operator()
