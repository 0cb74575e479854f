"""What is written and read again does the same: joint positions and duration in seconds."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.core_access import JOINT_NAMES  # noqa: E402
from blender_addon.export import writers  # noqa: E402
from blender_addon.export.writers import FORMATS, ExportError, export_figures  # noqa: E402
from blender_addon.figure.create import add_figures, set_betas  # noqa: E402
from blender_addon.figure.scene_time import scene_rate, set_scene_rate  # noqa: E402
from core.amass import read_motion  # noqa: E402
from core.placement import Person  # noqa: E402
from tests.blender_addon.blender_oracle import joints, shaped, shown_joints, shown_vertices, skin  # noqa: E402

ROUND_TRIP_TOLERANCE_M = 1e-3
NUM_FRAMES = 25
USD = pytest.param("usd", marks=pytest.mark.usd)


IMPORTERS = {
    "fbx": lambda path: bpy.ops.import_scene.fbx(filepath=path),
    "glb": lambda path: bpy.ops.import_scene.gltf(filepath=path),
    "bvh": lambda path: bpy.ops.import_anim.bvh(filepath=path, update_scene_fps=True, update_scene_duration=True),
    "usd": lambda path: bpy.ops.wm.usd_import(filepath=path),
}


def reimport(kind, path, fps):
    """Read a file in an empty session; return the armature, and the first and last frame of its action."""
    bpy.ops.wm.read_homefile(use_empty=True)
    set_scene_rate(bpy.context.scene, fps)
    IMPORTERS[kind](str(path))
    (armature,) = [item for item in bpy.context.scene.objects if item.type == "ARMATURE"]
    return armature, *armature.animation_data.action.frame_range


@pytest.mark.parametrize("fps", [30.0, 120.0])
@pytest.mark.parametrize("kind", ["fbx", "glb", "bvh", USD])
def test_joints_survive_export_and_import(add_person, body, make_motion, tmp_path, kind, fps):
    figure = add_person(make_motion(NUM_FRAMES, fps=fps))
    path = export_figures([figure.armature], tmp_path / f"walk.{kind}")
    motion = figure.motion
    armature, first, last = reimport(kind, path, fps)
    rate = scene_rate(bpy.context.scene)
    assert rate == pytest.approx(fps, rel=1e-4)
    assert (last - first) / rate == pytest.approx(motion.duration_s, abs=1e-3)
    for frame in range(NUM_FRAMES):
        shown = shown_joints(armature, first + frame * (last - first) / (NUM_FRAMES - 1))
        np.testing.assert_allclose(shown, joints(body, motion, frame), atol=ROUND_TRIP_TOLERANCE_M)


@pytest.mark.parametrize("kind", ["fbx", "glb", USD])
def test_vertices_survive_export_and_import(add_person, body, make_motion, tmp_path, kind):
    figure = add_person(make_motion(5))
    path = export_figures([figure.armature], tmp_path / f"walk.{kind}")
    motion = figure.motion
    _, first, _ = reimport(kind, path, motion.fps)
    (mesh,) = [item for item in bpy.context.scene.objects if item.type == "MESH" and len(item.data.polygons) == 13776]
    shown = shown_vertices(mesh, round(first) + 3)
    if kind == "glb":  # where a vertex has several texture coordinates, there are several of it
        assert len(shown) > 6890
        shown = np.unique(np.round(shown, 5), axis=0)
    shown = np.sort(shown, axis=0)
    np.testing.assert_allclose(shown, np.sort(skin(body, motion, 3), axis=0), atol=2e-3)


def test_fbx_keys_keep_their_times_at_fractional_frame_rates(add_person, make_motion, tmp_path):
    from io_scene_fbx import parse_fbx

    figure = add_person(make_motion(31, fps=90.69))
    path = export_figures([figure.armature], tmp_path / "walk.fbx")
    root, version = parse_fbx.parse(str(path))
    ticks = 46186158000 if version < 8000 else 141120000
    objects = next(element for element in root.elems if element.id == b"Objects")
    spans = [
        np.ptp(np.array(entry.props[0], dtype=np.float64)) / ticks
        for curve in objects.elems
        if curve.id == b"AnimationCurve"
        for entry in curve.elems
        if entry.id == b"KeyTime" and len(entry.props[0]) > 1
    ]
    assert max(spans) == pytest.approx(30 / 90.69, abs=1e-4)


def pelvis(body):
    """Return a function from betas to the rest pelvis, which turns Z-up files Y up."""
    return lambda betas: (body.joint_regressor.astype(float) @ shaped(body, betas))[0]


def glb_document(path):
    data = path.read_bytes()
    length = struct.unpack("<I", data[12:16])[0]
    return json.loads(data[20 : 20 + length])


def test_glb_has_one_animation_that_starts_at_zero(add_person, make_motion, tmp_path):
    add_person(make_motion(7), "bystander")
    figure = add_person(make_motion(NUM_FRAMES, fps=30.0), "walk")
    document = glb_document(export_figures([figure.armature], tmp_path / "walk.glb"))
    (animation,) = document["animations"]
    times = [document["accessors"][sampler["input"]] for sampler in animation["samplers"]]
    assert max(time["max"][0] for time in times) == pytest.approx((NUM_FRAMES - 1) / 30.0, abs=1e-5)
    assert min(time["min"][0] for time in times) == pytest.approx(0.0, abs=1e-6)
    names = {node["name"] for node in document["nodes"]}
    assert set(JOINT_NAMES) <= names and "walk" in names and "bystander" not in names


def test_blend_holds_only_the_figures_and_opens_at_their_rate(scene, add_person, body, make_motion, tmp_path):
    scene.collection.objects.link(bpy.data.objects.new("bystander", None))
    motion = make_motion(9, fps=59.94)
    figure = add_person(motion, "walk", floor=False)
    path = export_figures([figure.armature], tmp_path / "walk.blend")
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    opened = bpy.context.scene
    assert {item.name for item in opened.objects} == {"walk", "walk body"}
    assert {item.name for item in bpy.data.objects} == {"walk", "walk body"}
    assert scene_rate(opened) == pytest.approx(59.94, rel=1e-6)
    assert (opened.frame_start, opened.frame_end) == (1, 9)
    assert len(bpy.data.objects["walk body"].data.shape_keys.key_blocks) == 11
    np.testing.assert_allclose(shown_joints(bpy.data.objects["walk"], 6), joints(body, motion, 5), atol=1e-4)


def test_npz_holds_the_motion(add_person, body, make_motion, tmp_path):
    figure = add_person(make_motion(NUM_FRAMES, fps=59.94))
    path = export_figures([figure.armature], tmp_path / "walk.npz")
    found = read_motion(path, rest_pelvis=pelvis(body))
    with np.load(path, allow_pickle=False) as stored:
        assert stored["poses"].shape == (NUM_FRAMES, 156)
        assert float(stored["mocap_framerate"]) == pytest.approx(59.94)
    np.testing.assert_allclose(found.rotations(), figure.motion.rotations(), atol=1e-5)
    np.testing.assert_allclose(found.trans, figure.motion.trans, atol=1e-5)
    np.testing.assert_allclose(found.betas, figure.motion.betas, atol=1e-5)


def test_npz_survives_import_and_export(add_person, body, make_motion, tmp_path):
    figure = add_person(make_motion(NUM_FRAMES))
    first = read_motion(export_figures([figure.armature], tmp_path / "first.npz"), rest_pelvis=pelvis(body))
    again = add_person(first, "again")
    second = read_motion(export_figures([again.armature], tmp_path / "second.npz"), rest_pelvis=pelvis(body))
    np.testing.assert_allclose(second.rotations(), first.rotations(), atol=1e-5)
    np.testing.assert_allclose(second.trans, first.trans, atol=1e-4)


def test_bvh_is_y_up(add_person, body, make_motion, tmp_path):
    rest = replace(make_motion(2), poses=np.zeros((2, 72)), trans=np.zeros((2, 3)))
    figure = add_person(rest)
    lines = export_figures([figure.armature], tmp_path / "rest.bvh").read_text().splitlines()
    assert sum("CHANNELS 6" in line for line in lines) == 1, "only the root moves from its place"
    offset = [float(number) for number in lines[lines.index("\tJOINT spine1") + 2].split()[1:]]
    expected = body.joint_regressor.astype(float) @ shaped(body, rest.betas)
    np.testing.assert_allclose(offset, expected[3] - expected[0], atol=1e-5)
    root = [float(number) for number in lines[3].split()[1:]]
    assert root == [0.0, 0.0, 0.0], "readers differ in whether they add it to the root's places"
    height = float(lines[lines.index("MOTION") + 3].split()[1])
    assert height == pytest.approx(shown_joints(figure.armature, 1)[0, 2], abs=1e-5)


def built_formats():
    """Every format that this Blender can write."""
    return [kind for kind in FORMATS if kind != "usd" or bpy.app.build_options.usd]


def test_exports_do_not_change_the_session(scene, add_person, body, make_motion, tmp_path):
    figure = add_person(make_motion(6), "walk")
    other = bpy.data.objects.new("other", None)
    scene.collection.objects.link(other)
    other.select_set(True)
    bpy.context.view_layer.objects.active = other
    scene.frame_set(4)

    def session():
        blocks = ("scenes", "objects", "meshes", "armatures", "actions", "collections", "materials", "shape_keys")
        return {block: sorted(item.name for item in getattr(bpy.data, block)) for block in blocks}

    before = session()
    for kind in built_formats():
        export_figures([figure.armature], tmp_path / f"walk.{kind}")
        assert session() == before, kind
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"walk.{kind}" for kind in built_formats())
    assert bpy.context.scene == scene and scene.frame_current == 4
    assert bpy.context.view_layer.objects.active == other and other.select_get()
    assert not figure.armature.select_get()
    assert len(figure.mesh.data.shape_keys.key_blocks) == 11
    np.testing.assert_allclose(shown_joints(figure.armature, 4), joints(body, figure.motion, 3), atol=1e-4)


def test_betas_set_after_the_import_are_exported(add_person, body, make_motion, tmp_path):
    figure = add_person(make_motion(3), floor=False)
    betas = np.linspace(2.0, -2.0, 10)
    set_betas(figure.armature, betas)
    found = read_motion(export_figures([figure.armature], tmp_path / "walk.npz"), rest_pelvis=pelvis(body))
    np.testing.assert_allclose(found.betas, betas, atol=1e-5)
    armature, first, _ = reimport("glb", export_figures([figure.armature], tmp_path / "walk.glb"), 30.0)
    expected = joints(body, replace(figure.motion, betas=betas), 1)
    np.testing.assert_allclose(shown_joints(armature, first + 1), expected, atol=ROUND_TRIP_TOLERANCE_M)


def test_several_people_in_one_file(scene, body, make_motion, tmp_path):
    people = [Person(f"duo_P{number}", make_motion(6, seed=number), body) for number in (1, 2)]
    figures = add_figures(people, scene, name="duo")
    armatures = [figure.armature for figure in figures]
    motions = {figure.armature.name: figure.motion for figure in figures}
    path = export_figures(armatures, tmp_path / "duo.glb")
    with pytest.raises(ExportError, match="holds one person, got 2"):
        export_figures(armatures, tmp_path / "duo.bvh")
    bpy.ops.wm.read_homefile(use_empty=True)
    set_scene_rate(bpy.context.scene, 30.0)
    bpy.ops.import_scene.gltf(filepath=str(path))
    for name, motion in motions.items():
        shown = shown_joints(bpy.data.objects[name], bpy.data.actions[0].frame_range[0] + 3)
        expected = joints(body, motion, 3)
        np.testing.assert_allclose(shown, expected, atol=ROUND_TRIP_TOLERANCE_M)


def test_a_failed_export_leaves_the_old_file(add_person, make_motion, tmp_path, monkeypatch):
    figure = add_person(make_motion(3))
    path = tmp_path / "walk.bvh"
    path.write_text("old")

    def broken(*_):
        raise ExportError("Blender could not write walk.bvh: the disk is full")

    monkeypatch.setitem(FORMATS, "bvh", broken)
    with pytest.raises(ExportError, match="disk is full"):
        export_figures([figure.armature], path)
    assert [item.name for item in tmp_path.iterdir()] == ["walk.bvh"] and path.read_text() == "old"


def test_an_unknown_suffix_is_named_in_the_error(add_person, make_motion, tmp_path):
    figure = add_person(make_motion(2))
    with pytest.raises(ExportError, match=r"ending in \.blend, \.fbx.*got 'walk.obj'"):
        export_figures([figure.armature], tmp_path / "walk.obj")


def test_a_format_missing_in_this_blender_is_named_in_the_error(add_person, make_motion, tmp_path, monkeypatch):
    figure = add_person(make_motion(2))
    monkeypatch.setitem(writers._OPERATORS, "usd", bpy.ops.wm.no_such_export)
    with pytest.raises(ExportError, match="built without one"):
        export_figures([figure.armature], tmp_path / "walk.usd")


def change_nla(figure):
    """Push the keys down to a strip, and play another action on top that bends the back."""
    animation = figure.armature.animation_data
    action = animation.action
    track = animation.nla_tracks.new()
    track.strips.new("base", 1, action)
    animation.action = None
    back = figure.armature.pose.bones["spine3"]
    back.rotation_quaternion = (0.9, 0.435, 0.0, 0.0)
    for frame in (5, 9):
        back.keyframe_insert("rotation_quaternion", frame=frame)


def change_to_strip_alone(figure):
    """Push the keys down to a strip twice as long, and play nothing else."""
    animation = figure.armature.animation_data
    strip = animation.nla_tracks.new().strips.new("base", 1, animation.action)
    strip.scale = 2.0
    animation.action = None


def change_constraint(figure):
    constraint = figure.armature.pose.bones["left_shoulder"].constraints.new("LIMIT_ROTATION")
    constraint.use_limit_x = constraint.use_limit_y = constraint.use_limit_z = True
    constraint.owner_space = "LOCAL"


def change_place(figure):
    figure.armature.location = (1.0, 2.0, 0.5)
    figure.armature.rotation_euler = (0.0, 0.0, 1.2)


def change_rotation_mode(figure):
    figure.armature.pose.bones["left_knee"].rotation_mode = "XYZ"
    figure.armature.pose.bones["left_knee"].rotation_euler = (1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "change", [change_nla, change_to_strip_alone, change_constraint, change_place, change_rotation_mode]
)
def test_npz_and_bvh_hold_the_evaluated_motion(add_person, body, make_motion, tmp_path, change):
    figure = add_person(make_motion(NUM_FRAMES))
    change(figure)
    frames = (0, 11, NUM_FRAMES - 1)
    shown = {frame: shown_joints(figure.armature, 1 + frame) for frame in frames}
    assert max(np.abs(shown[frame] - joints(body, figure.motion, frame)).max() for frame in frames) > 0.05
    found = read_motion(export_figures([figure.armature], tmp_path / "walk.npz"), rest_pelvis=pelvis(body))
    for frame in frames:
        np.testing.assert_allclose(joints(body, found, frame), shown[frame], atol=1e-4)
    path = export_figures([figure.armature], tmp_path / "walk.bvh")
    armature, first, _ = reimport("bvh", path, 30.0)
    for frame in frames:
        np.testing.assert_allclose(shown_joints(armature, first + frame), shown[frame], atol=ROUND_TRIP_TOLERANCE_M)


def test_evaluating_and_reading_keys_give_the_same_motion(add_person, make_motion):
    from blender_addon.figure.animation import read_motion as read_keys
    from blender_addon.figure.evaluated_motion import has_only_bone_keys, motion_of

    figure = add_person(make_motion(NUM_FRAMES))
    assert has_only_bone_keys(figure.armature)
    keys = read_keys(figure.armature, 30.0)
    figure.armature.constraints.new("COPY_LOCATION")
    assert not has_only_bone_keys(figure.armature)
    found = motion_of(figure.armature, bpy.context.scene)
    np.testing.assert_allclose(found.rotations(), keys.rotations(), atol=1e-5)
    np.testing.assert_allclose(found.trans, keys.trans, atol=1e-5)
