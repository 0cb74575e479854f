"""Files for Unreal, Unity, Mixamo and VRM: their names, units, axes and root motion; the body stands where it stood."""

from __future__ import annotations

import itertools
import json
import struct
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from mathutils.kdtree import KDTree  # noqa: E402

from blender_addon.core_access import JOINT_NAMES  # noqa: E402
from blender_addon.export.export_rig import root_places  # noqa: E402
from blender_addon.export.presets import BONE_NAMES, PRESETS, ExportTarget  # noqa: E402
from blender_addon.export.writers import export_figures  # noqa: E402
from blender_addon.figure.scene_time import scene_rate, set_scene_rate  # noqa: E402
from core.retarget.bone_map import CERTAIN  # noqa: E402
from core.retarget.families import family_of  # noqa: E402
from core.retarget.mapping import map_bones  # noqa: E402
from core.smpl_skeleton import SMPLH  # noqa: E402
from tests.blender_addon.blender_oracle import joints, shown_vertices, skin, turn  # noqa: E402
from tests.core.retarget.smpl_characters import SMPL_MAP, smpl_rig  # noqa: E402

NUM_FRAMES = 25
IMPORTERS = {
    "fbx": lambda path: bpy.ops.import_scene.fbx(filepath=path),
    "glb": lambda path: bpy.ops.import_scene.gltf(filepath=path),
    "usd": lambda path: bpy.ops.wm.usd_import(filepath=path),
}


def reimport(path, fps):
    bpy.ops.wm.read_homefile(use_empty=True)
    set_scene_rate(bpy.context.scene, fps)
    IMPORTERS[path.suffix[1:]](str(path))
    (armature,) = [item for item in bpy.context.scene.objects if item.type == "ARMATURE"]
    return armature, armature.animation_data.action.frame_range[0]


def heads(armature, names, frame):
    bpy.context.scene.frame_set(round(frame))
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([posed.matrix_world @ posed.pose.bones[name].head for name in names])


TARGETS = {
    "unreal": PRESETS["UNREAL"].target,
    "unity": PRESETS["UNITY"].target,
    "mixamo": PRESETS["MIXAMO"].target,
    "vrm": PRESETS["VRM"].target,
    "root": ExportTarget(root_bone=True),
}


def names_in(kind, target):
    """Return the bone names by joint in a file; a name in USD has no colon."""
    names = {joint: BONE_NAMES[target.bones][joint] for joint in JOINT_NAMES}
    return {joint: name.replace(":", "_") if kind == "usd" else name for joint, name in names.items()}


def farthest(points: np.ndarray, others: np.ndarray) -> float:
    """Return how far any of *points* (N, 3) is from the nearest of *others* (M, 3)."""
    tree = KDTree(len(others))
    for number, other in enumerate(others.tolist()):
        tree.insert(other, number)
    tree.balance()
    return max(tree.find(point)[2] for point in points.tolist())


def every_kind_and_target():
    """Every kind of file for every target; in other Blenders than the main one, each target with its usual kind."""
    usual = {("fbx", "unreal"), ("fbx", "unity"), ("fbx", "mixamo"), ("glb", "vrm"), ("glb", "root"), ("usd", "root")}
    for kind, target in itertools.product(IMPORTERS, TARGETS):
        marks = [pytest.mark.usd] if kind == "usd" else []
        marks += [] if (kind, target) in usual else [pytest.mark.main_blender]
        yield pytest.param(kind, target, marks=marks)


@pytest.mark.parametrize(("kind", "target"), list(every_kind_and_target()))
def test_bones_skin_and_rest_pose_survive_export_for_a_target(add_person, body, make_motion, tmp_path, kind, target):
    figure = add_person(make_motion(NUM_FRAMES))
    wanted = TARGETS[target]
    path = export_figures([figure.armature], tmp_path / f"walk.{kind}", target=wanted)
    armature, first = reimport(path, 30.0)
    assert scene_rate(bpy.context.scene) == pytest.approx(30.0)
    by_joint = names_in(kind, wanted)
    names = list(by_joint.values())
    roots = [bone.name for bone in armature.data.bones if bone.parent is None]
    assert roots == (["root"] if wanted.root_bone else names[:1])
    assert len(armature.data.bones) == len(JOINT_NAMES) + wanted.root_bone, "no leaf bones"
    for frame in range(0, NUM_FRAMES, 6):
        np.testing.assert_allclose(heads(armature, names, first + frame), joints(body, figure.motion, frame), atol=1e-3)
    (mesh,) = [item for item in bpy.context.scene.objects if item.type == "MESH" and len(item.data.polygons) == 13776]
    shown, true = shown_vertices(mesh, round(first) + 6), skin(body, figure.motion, 6)
    if kind == "glb":  # which has a vertex for each point of the UV map, with four weights
        assert len(shown) > len(true)
        assert max(farthest(shown, true), farthest(true, shown)) < 5e-3
    else:
        np.testing.assert_allclose(np.sort(shown, axis=0), np.sort(true, axis=0), atol=2e-3)
    assert_rest_pose_stands_on_the_floor(armature, mesh, by_joint, root_bone=wanted.root_bone)


def assert_rest_pose_stands_on_the_floor(armature, mesh, names, *, root_bone):
    """Engines scale the way of another character by the height of the pelvis at rest; it was under the floor."""
    armature.data.pose_position = "REST"
    pelvis, head = heads(armature, [names["pelvis"], names["head"]], 1)
    assert 0.8 < pelvis[2] < 1.1 and head[2] > pelvis[2] + 0.4 and np.abs(pelvis[:2]).max() < 0.1
    if root_bone:
        np.testing.assert_allclose(heads(armature, ["root"], 1)[0], 0.0, atol=1e-5)
    assert shown_vertices(mesh, 1)[:, 2].min() == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("target", [ExportTarget(), TARGETS["unreal"]])
def test_a_glb_has_at_most_four_weights_per_vertex(add_person, body, make_motion, tmp_path, target):
    """One set of four, which together are 1: readers may leave out a second set, and some do without telling."""
    assert ((body.weights > 1e-5).sum(axis=1) > 4).any()
    figure = add_person(make_motion(3))
    path = export_figures([figure.armature], tmp_path / "walk.glb", target=target)
    content, binary = glb_parts(path)
    (primitive,) = content["meshes"][0]["primitives"]
    assert "WEIGHTS_0" in primitive["attributes"] and "WEIGHTS_1" not in primitive["attributes"]
    accessor = content["accessors"][primitive["attributes"]["WEIGHTS_0"]]
    assert accessor["componentType"] == 5126, "float32"
    start = content["bufferViews"][accessor["bufferView"]].get("byteOffset", 0) + accessor.get("byteOffset", 0)
    weights = np.frombuffer(binary, "<f4", 4 * accessor["count"], start).reshape(-1, 4)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)


def glb_parts(path):
    """The JSON and the binary chunk of a .glb file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<I", data[12:16])
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def fbx_root(path):
    from io_scene_fbx import parse_fbx

    return parse_fbx.parse(str(path))[0]


def elements(parent, name):
    return [element for element in parent.elems if element.id == name]


def properties(element):
    (block,) = elements(element, b"Properties70")
    return {item.props[0].decode(): item.props[4:] for item in block.elems}


def nodes(path):
    (objects,) = elements(fbx_root(path), b"Objects")
    found = {}
    for model in elements(objects, b"Model"):
        found[model.props[1].split(b"\x00")[0].decode()] = (model.props[2].decode(), properties(model))
    return found


def unit(path):
    (settings,) = elements(fbx_root(path), b"GlobalSettings")
    values = properties(settings)
    return values["UnitScaleFactor"][0], values["UpAxis"][0]


@pytest.mark.parametrize(
    ("preset", "factor", "height"), [("UNREAL", 1.0, 100.0), ("UNITY", 100.0, 1.0), ("MIXAMO", 1.0, 100.0)]
)
def test_fbx_nodes_have_no_scale(add_person, make_motion, tmp_path, preset, factor, height):
    motion = make_motion(3, betas=np.zeros(10))
    figure = add_person(motion)
    path = export_figures([figure.armature], tmp_path / "walk.fbx", target=PRESETS[preset].target)
    assert unit(path) == (pytest.approx(factor), 1), "Y is up"
    names = BONE_NAMES[PRESETS[preset].target.bones]
    found = nodes(path)
    for name, (_, values) in found.items():
        np.testing.assert_allclose(values.get("Lcl Scaling", [1.0] * 3), 1.0, atol=1e-5, err_msg=name)
    thigh = np.linalg.norm(found[names["left_knee"]][1]["Lcl Translation"])
    assert 0.3 * height < thigh < 0.5 * height


def test_unity_gets_an_unrotated_top_node_and_unreal_one_named_armature(add_person, make_motion, tmp_path):
    figure = add_person(make_motion(3))
    taken = bpy.data.objects.new("Armature", None)
    found = nodes(export_figures([figure.armature], tmp_path / "unity.fbx", target=PRESETS["UNITY"].target))
    assert found["walk"][0] == "Null"
    np.testing.assert_allclose(found["walk"][1].get("Lcl Rotation", [0.0] * 3), 0.0, atol=1e-4)
    found = nodes(export_figures([figure.armature], tmp_path / "unreal.fbx", target=PRESETS["UNREAL"].target))
    assert found["Armature"][0] == "Null" and "walk" not in found
    assert found["root"][0] == "LimbNode"
    assert taken.name == "Armature" and figure.armature.name == "walk" and figure.mesh.name == "walk body"


def test_several_figures_in_one_file_keep_their_names(add_person, make_motion, tmp_path):
    figures = [add_person(make_motion(3, seed=seed), name) for seed, name in enumerate(("one", "two"))]
    armatures = [figure.armature for figure in figures]
    found = nodes(export_figures(armatures, tmp_path / "duo.fbx", target=PRESETS["UNREAL"].target))
    assert {name for name, (kind, _) in found.items() if kind == "Null"} == {"one", "two"}
    assert [armature.name for armature in armatures] == ["one", "two"]


def test_the_root_bone_follows_the_pelvis_on_the_floor(add_person, body, make_motion, tmp_path):
    figure = add_person(make_motion(NUM_FRAMES))
    path = export_figures([figure.armature], tmp_path / "walk.glb", target=ExportTarget(root_bone=True))
    armature, first = reimport(path, 30.0)
    roots = np.array([heads(armature, ["root"], first + frame)[0] for frame in range(NUM_FRAMES)])
    pelvis = np.array([joints(body, figure.motion, frame)[0] for frame in range(NUM_FRAMES)])
    np.testing.assert_allclose(roots[:, 2], 0.0, atol=1e-4)
    np.testing.assert_allclose(roots[:, :2], pelvis[:, :2], atol=0.05)


def test_the_heading_is_the_rotation_about_the_vertical():
    rest = np.eye(4)
    rest[:3, 3] = (0.0, 0.02, 0.9)
    bones = np.tile(np.eye(4), (6, 24, 1, 1))
    angles = np.array([0.0, 0.5, 1.5, 3.0, 4.5, 6.0])
    for frame, angle in enumerate(angles):
        bones[frame, 0, :3, :3] = turn(np.array([0.0, 0.0, angle])) @ turn(np.array([0.4, 0.0, 0.0]))
    bones[:, 0, :3, 3] = (1.0, 2.0, 0.8)
    places = root_places(bones, rest)
    for frame, angle in enumerate(angles):
        np.testing.assert_allclose(places[frame, :3, :3], turn(np.array([0.0, 0.0, angle])), atol=1e-12)
        np.testing.assert_allclose(places[frame] @ rest[:, 3], (1.0, 2.0, 0.9, 1.0), atol=1e-12)
    upside_down = bones.copy()
    upside_down[3, 0, :3, :3] = turn(np.array([np.pi, 0.0, 0.0]))
    np.testing.assert_allclose(root_places(upside_down, rest)[3, :3, :3], places[2, :3, :3], atol=1e-12)


def test_constraints_and_object_transforms_are_exported(add_person, body, make_motion, tmp_path):
    figure = add_person(make_motion(9))
    figure.armature.location = (0.0, 3.0, 0.0)
    constraint = figure.armature.pose.bones["left_shoulder"].constraints.new("LIMIT_ROTATION")
    constraint.use_limit_x = constraint.use_limit_y = constraint.use_limit_z = True
    constraint.owner_space = "LOCAL"
    shown = shown_vertices(figure.mesh, 5)
    assert farthest(shown, skin(body, figure.motion, 4) + [0.0, 3.0, 0.0]) > 0.01
    path = export_figures([figure.armature], tmp_path / "walk.glb", target=PRESETS["UNREAL"].target)
    _, first = reimport(path, 30.0)
    (mesh,) = [item for item in bpy.context.scene.objects if item.type == "MESH" and len(item.data.polygons) == 13776]
    written = shown_vertices(mesh, round(first) + 4)
    assert max(farthest(written, shown), farthest(shown, written)) < 5e-3


def test_export_for_a_target_does_not_change_the_session(scene, add_person, body, make_motion, tmp_path):
    figure = add_person(make_motion(6), "walk")
    scene.frame_set(4)

    def session():
        blocks = ("scenes", "objects", "meshes", "armatures", "actions", "collections", "materials", "shape_keys")
        return {block: sorted(item.name for item in getattr(bpy.data, block)) for block in blocks}

    before = session()
    for target in TARGETS.values():
        for kind in ("fbx", "glb"):
            export_figures([figure.armature], tmp_path / f"walk.{kind}", target=target)
            assert session() == before
    assert scene.frame_current == 4 and figure.mesh.modifiers[0].object == figure.armature
    assert set(figure.armature.data.bones.keys()) == set(JOINT_NAMES)


def test_every_naming_convention_names_every_bone_once():
    joints = {*JOINT_NAMES, *SMPLH.names}
    for names in BONE_NAMES.values():
        assert set(names) == joints and len(set(names.values())) == len(joints)


@pytest.mark.parametrize(("bones", "kind"), [("unreal", "Unreal"), ("unity", "Unity"), ("mixamo", "Mixamo")])
def test_exported_names_are_recognised_as_the_programs_convention(bones, kind):
    assert family_of([BONE_NAMES[bones][joint] for joint in JOINT_NAMES]) == kind


@pytest.mark.parametrize("bones", BONE_NAMES)
def test_exported_names_are_unique_and_map_to_the_right_roles(bones):
    names = [BONE_NAMES[bones][joint] for joint in JOINT_NAMES]
    assert len({name.lower() for name in names}) == len(JOINT_NAMES)
    found = map_bones(replace(smpl_rig(skin=False), names=tuple(names)))
    expected = {role: tuple(BONE_NAMES[bones][joint] for joint in chain) for role, chain in SMPL_MAP.bones.items()}
    assert found.bones == expected
    assert min(found.confidence.values()) >= CERTAIN
