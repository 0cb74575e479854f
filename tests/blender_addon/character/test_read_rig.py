"""An armature read as the core sees it: at rest, in the world, with its skin."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character.read_rig import read_rig  # noqa: E402
from blender_addon.figure.axes import Z_UP_FROM_Y_UP  # noqa: E402
from core.retarget.rig import RigError  # noqa: E402
from tests.blender_addon.character.rigs import BONES, add_skin, make_character, place_object  # noqa: E402


def test_bones_are_read_at_rest_in_world_space_in_any_pose(scene):
    armature = make_character(roll=3)
    place_object(armature, scale=0.01, seed=4)
    at_rest = read_rig(armature)
    for bone in armature.pose.bones:
        bone.rotation_mode = "XYZ"
        bone.rotation_euler = (0.3, -0.2, 0.5)
    bpy.context.view_layer.update()
    rig = read_rig(armature)
    world = np.array(armature.matrix_world)
    for number, name in enumerate(rig.names):
        parent, head, tail = BONES[name]
        assert rig.parents[number] == (rig.index[parent] if parent else -1)
        for point, found in ((head, rig.heads[number]), (tail, rig.tails[number])):
            np.testing.assert_allclose(Z_UP_FROM_Y_UP @ found, world[:3, :3] @ point + world[:3, 3], atol=1e-6)
        along = (rig.tails - rig.heads)[number] / np.linalg.norm((rig.tails - rig.heads)[number])
        np.testing.assert_allclose(rig.axes[number][:, 1], along, atol=1e-4)
    np.testing.assert_array_equal(rig.axes, at_rest.axes)


@pytest.mark.parametrize(
    ("scale", "text"),
    [((1.0, 1.0, 1.1), "scaled alike on all axes, found 1, 1, 1.1"), ((-1.0, 1.0, 1.0), "neither sheared nor mirrored"),
     ((0.0, 0.0, 0.0), "scaled alike")],
)  # fmt: skip
def test_uneven_and_mirrored_objects_are_refused(scene, scale, text):
    armature = make_character()
    armature.scale = scale
    bpy.context.view_layer.update()
    with pytest.raises(RigError, match=text):
        read_rig(armature)


def test_sheared_objects_are_refused(scene):
    parent = bpy.data.objects.new("parent", None)
    bpy.context.collection.objects.link(parent)
    armature = make_character()
    armature.parent = parent
    armature.rotation_euler = (0.0, 0.0, np.pi / 4)
    parent.scale = (1.0, 1.5, np.sqrt(1.625))
    bpy.context.view_layer.update()
    with pytest.raises(RigError, match="neither sheared nor mirrored"):
        read_rig(armature)


def test_an_armature_without_bones_is_refused(scene):
    armature = bpy.data.objects.new("empty", bpy.data.armatures.new("empty"))
    with pytest.raises(RigError, match="expected bones in empty, found none"):
        read_rig(armature)


def test_skin_is_read_from_several_meshes_with_shape_keys_and_parented_objects(scene):
    armature = make_character()
    place_object(armature, scale=2.0, seed=1)
    body, coat = add_skin(armature), add_skin(armature, name="coat")
    coat.shape_key_add(name="Basis")
    key = coat.shape_key_add(name="wide")
    for point in key.data:
        point.co.x += 1.0
    key.value = 0.25
    hat = bpy.data.objects.new("hat", bpy.data.meshes.new("hat"))
    hat.data.from_pydata([(0.0, 0.0, 0.0), (0.0, 0.1, 0.0)], [], [])
    bpy.context.collection.objects.link(hat)
    hat.parent, hat.parent_type, hat.parent_bone = armature, "BONE", "head"
    armature.data.bones["finger.L"].use_deform = False
    bpy.context.view_layer.update()
    hat_at_rest = [Z_UP_FROM_Y_UP.T @ np.array(hat.matrix_world @ vertex.co) for vertex in hat.data.vertices]
    armature.pose.bones["neck"].rotation_quaternion = (0.9, 0.4, 0.0, 0.0)
    bpy.context.view_layer.update()
    rig = read_rig(armature)
    moved = len(body.data.vertices) * (len(BONES) - 1) // len(BONES)
    assert len(rig.skin.vertices) == 2 * moved + 2
    second, middle, first = np.split(rig.skin.vertices, [moved, moved + 2])  # objects come by their names
    np.testing.assert_allclose(middle, hat_at_rest, atol=1e-5)
    assert set(rig.skin.main_bones[moved : moved + 2]) == {rig.index["head"]}
    shift = Z_UP_FROM_Y_UP.T @ np.array(coat.matrix_world)[:3, 0] * 0.25
    np.testing.assert_allclose(second - first, np.tile(shift, (moved, 1)), atol=1e-5)
    assert rig.index["finger.L"] not in set(rig.skin.main_bones)
    for bone, vertex in zip(rig.skin.main_bones[moved + 2 :], first, strict=True):
        ends = np.array([rig.heads[bone], rig.tails[bone]])
        assert np.linalg.norm(ends - vertex, axis=1).min() < 0.4  # where its own bone is


def test_a_large_mesh_is_sampled_with_its_lowest_vertices(scene):
    armature = make_character()
    skin = add_skin(armature, per_bone=1500)
    rig = read_rig(armature)
    assert len(skin.data.vertices) > 60_000 and len(rig.skin.vertices) <= 12_000
    heights = np.sort([vertex.co.z for vertex in skin.data.vertices])
    np.testing.assert_allclose(np.sort(rig.skin.vertices[:, 1])[:1000], heights[:1000], atol=1e-6)
    assert len(set(rig.skin.main_bones)) == len(BONES)
    assert np.abs(rig.skin.weights.sum(axis=1) - 1.0).max() < 1e-6


def test_only_the_four_largest_weights_are_kept(scene):
    armature = make_character()
    skin = add_skin(armature)
    names = ["hips", "spine", "chest", "neck", "head", "arm.L"]
    for group in skin.vertex_groups:
        group.remove([0])
    for number, name in enumerate(names):
        skin.vertex_groups[name].add([0], 0.1 * (number + 1), "REPLACE")
    rig = read_rig(armature)
    kept = {rig.names[bone]: weight for bone, weight in zip(rig.skin.bones[0], rig.skin.weights[0], strict=True)}
    assert kept == pytest.approx({"chest": 0.3, "neck": 0.4, "head": 0.5, "arm.L": 0.6})
