"""Figures of a skeleton with fingers: bones, keys, records and files follow it, and other skeletons are refused."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.export.presets import PRESETS  # noqa: E402
from blender_addon.export.writers import export_figures  # noqa: E402
from blender_addon.figure import record  # noqa: E402
from blender_addon.figure.animation import key_motion, read_motion, rekey_motion  # noqa: E402
from blender_addon.figure.armature import SKELETON_KEY, skeleton_of  # noqa: E402
from blender_addon.figure.create import FigureOptions, add_figures, set_betas  # noqa: E402
from blender_addon.figure.custom_properties import MARK_KEY, RECORD_KEY  # noqa: E402
from blender_addon.figure.evaluated_motion import has_only_bone_keys, motion_of  # noqa: E402
from blender_addon.figure.fcurves import Channels  # noqa: E402
from blender_addon.figure.keyframe_hash import keys_edited, mark_keys, motion_keys  # noqa: E402
from blender_addon.figure.record import FigureRecord, RecordError, load, store  # noqa: E402
from core.amass import read_motion as read_amass  # noqa: E402
from core.errors import SkeletonError  # noqa: E402
from core.pipeline import FitSource  # noqa: E402
from core.placement import Person  # noqa: E402
from core.smpl_skeleton import SMPL  # noqa: E402
from tests.blender_addon.blender_oracle import joints, shown_joints, shown_vertices, skin  # noqa: E402
from tests.fingers import FINGERED, fingered_body, with_fingers  # noqa: E402

INDEX_ROTATION = 'pose.bones["left_index2"].rotation_quaternion'


@pytest.fixture
def motion(make_motion):
    """A motion whose fingers bend."""
    return with_fingers(make_motion(8), bend_rad=0.8)


def add(motion, scene, name="walk", *, floor=False):
    return add_figures([Person(name, motion, fingered_body())], scene, name=name, options=FigureOptions(floor=floor))[0]


def test_every_joint_has_a_bone_that_follows_the_motion(scene, motion):
    figure = add(motion, scene)
    bones = figure.armature.data.bones
    assert {bone.name: bone.parent and bone.parent.name for bone in bones} == {
        name: FINGERED.names[parent] if parent >= 0 else None
        for name, parent in zip(FINGERED.names, FINGERED.parents, strict=True)
    }
    for frame in (0, 4, 7):
        shown = shown_joints(figure.armature, 1 + frame, FINGERED.names)
        np.testing.assert_allclose(shown, joints(fingered_body(), motion, frame), atol=1e-4)
        np.testing.assert_allclose(
            shown_vertices(figure.mesh, 1 + frame), skin(fingered_body(), motion, frame), atol=1e-3
        )


def test_bones_point_along_the_fingers(scene, motion):
    bones = add(motion, scene).armature.data.bones
    for first, second in (("wrist", "hand"), ("hand", "index1"), ("index1", "index2"), ("index2", "index3")):
        tail, head = bones[f"left_{first}"].tail_local, bones[f"left_{second}"].head_local
        np.testing.assert_allclose(tail, head, atol=1e-5)
    last, before = bones["right_index3"], bones["right_index2"]
    np.testing.assert_allclose(last.vector, before.vector, atol=1e-5)


def test_the_keys_are_read_back_as_the_motion(scene, motion):
    armature = add(motion, scene).armature
    found = read_motion(armature, motion.fps)
    assert found.skeleton == FINGERED == skeleton_of(armature)
    np.testing.assert_allclose(found.rotations(), motion.rotations(), atol=1e-5)
    np.testing.assert_allclose(found.trans, motion.trans, atol=1e-5)
    armature.constraints.new("COPY_LOCATION").mute = True
    assert not has_only_bone_keys(armature)
    evaluated = motion_of(armature, scene)
    assert evaluated.skeleton == FINGERED
    np.testing.assert_allclose(evaluated.rotations(), motion.rotations(), atol=1e-5)


def test_fingers_are_keyed_only_if_they_move(scene, motion, make_motion):
    still = add(with_fingers(make_motion(3)), scene)
    assert Channels(still.armature).find(INDEX_ROTATION) is None
    moving = add(motion, scene).armature
    assert Channels(moving).find(INDEX_ROTATION) is not None
    mark_keys(moving)
    Channels(moving).find(INDEX_ROTATION, 3).keyframe_points[5].co.y += 1e-3
    assert keys_edited(moving)


def test_bones_follow_the_shape(scene, motion):
    figure = add(motion, scene)
    betas = np.linspace(2.0, -2.0, 10)
    set_betas(figure.armature, betas)
    shown = shown_joints(figure.armature, 6, FINGERED.names)
    np.testing.assert_allclose(shown, joints(fingered_body(), replace(motion, betas=betas), 5), atol=1e-4)


def test_a_motion_of_another_skeleton_is_refused(scene, body, motion, make_motion):
    with pytest.raises(SkeletonError, match="motion of 'walk' to have the 24 joints of body 'free_body', found 30"):
        add_figures([Person("walk", motion, body)], scene, name="walk")
    with pytest.raises(SkeletonError, match="30 joints of body 'free_body', found 24 joints, without left_index1"):
        add(make_motion(3), scene)
    assert not bpy.data.objects and not bpy.data.armatures and not bpy.data.actions
    armature = add(motion, scene).armature
    keys, paths = motion_keys(armature), {path for path, _ in motion_keys(armature)}
    for change in (
        lambda: key_motion(armature, make_motion(3)),
        lambda: rekey_motion(armature, make_motion(3), motion_keys(armature)),
    ):
        with pytest.raises(SkeletonError, match="the motion to have the 30 joints of figure 'walk', found 24"):
            change()
    found = motion_keys(armature)
    assert {path for path, _ in found} == paths
    assert all(np.array_equal(found[channel], keys[channel]) for channel in keys)


def test_an_armature_without_a_stored_skeleton_has_smpls(add_person, make_motion):
    motion = make_motion(5)
    armature = add_person(motion, floor=False).armature
    assert skeleton_of(armature) == SMPL
    del armature.data[SKELETON_KEY]
    found = read_motion(armature, motion.fps)
    assert found.skeleton == SMPL
    np.testing.assert_allclose(found.rotations(), motion.rotations(), atol=1e-5)


@pytest.mark.parametrize("stored", ["{", 5, "{}"])
def test_a_damaged_skeleton_is_refused(add_person, make_motion, stored):
    armature = add_person(make_motion(2)).armature
    armature.data[SKELETON_KEY] = stored
    with pytest.raises(SkeletonError, match="expected a skeleton with mirror, names, parents, parts"):
        skeleton_of(armature)


@pytest.fixture
def kept(scene, motion):
    """The armature of a figure with a record, not decoded before."""
    armature = add(motion, scene).armature
    store(armature, FigureRecord(motion, 1, FitSource(), None, motion.fps, np.zeros(3), original=motion))
    record._decoded.clear()
    return armature


def spoil(armature, change):
    """Apply *change* to what the record of *armature* says in JSON."""
    with np.load(io.BytesIO(armature[RECORD_KEY])) as stored:
        arrays = dict(stored)
    about = json.loads(arrays["about"].tobytes())
    change(about)
    stream = io.BytesIO()
    np.savez(stream, **(arrays | {"about": np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)}))
    for key in (MARK_KEY, RECORD_KEY):
        del armature[key]
    armature[RECORD_KEY] = stream.getvalue()


def test_a_record_stores_the_skeleton(kept, motion):
    found = load(kept)
    for one in (found.motion, found.original):
        assert one.skeleton == FINGERED
        np.testing.assert_allclose(one.poses, motion.poses, atol=1e-6)


def test_a_record_without_a_stored_skeleton_has_smpls(scene, add_person, make_motion):
    motion = make_motion(4)
    armature = add_person(motion).armature
    store(armature, FigureRecord(motion, 1, FitSource(), None, motion.fps, np.zeros(3)))
    record._decoded.clear()
    spoil(armature, lambda about: about.pop("skeleton"))
    assert load(armature).motion.skeleton == SMPL


@pytest.mark.parametrize("value", [None, "{", SMPL.to_json(), FINGERED.to_json().replace("left_index1", "left_index2")])
def test_a_record_with_a_damaged_skeleton_is_refused(kept, value):
    spoil(kept, lambda about: about.update(skeleton=value))
    with pytest.raises(RecordError, match="a whole record"):
        load(kept)


def test_files_hold_fingers_if_their_format_has_them(scene, motion, tmp_path):
    armature = add(motion, scene).armature
    text = export_figures([armature], tmp_path / "walk.bvh").read_text()
    assert all(f"JOINT {name}\n" in text for name in FINGERED.names[1:])
    path = export_figures([armature], tmp_path / "walk.npz")
    rest_pelvis = joints(fingered_body(), replace(motion, poses=0.0 * motion.poses, trans=0.0 * motion.trans), 0)[0]
    stored = read_amass(path, rest_pelvis=rest_pelvis[[0, 2, 1]] * [1.0, 1.0, -1.0])
    body_joints = [FINGERED.index(name) for name in SMPL.names[:22]]
    np.testing.assert_allclose(stored.rotations()[:, :22], motion.rotations()[:, body_joints], atol=1e-5)
    np.testing.assert_allclose(stored.trans, motion.trans, atol=1e-5)


def test_export_targets_rename_known_bones(scene, motion, tmp_path):
    armature = add(motion, scene).armature
    path = export_figures([armature], tmp_path / "walk.glb", target=PRESETS["UNREAL"].target)
    length = int.from_bytes(path.read_bytes()[12:16], "little")
    document = json.loads(path.read_bytes()[20 : 20 + length])
    names = [node["name"] for node in document["nodes"]]
    assert {"root", "hand_l", "fingers_l", "index_01_l", "index_03_l"} <= set(names)
    children = {node["name"]: [names[child] for child in node.get("children", [])] for node in document["nodes"]}
    assert children["fingers_l"] == ["index_01_l"] and children["root"] == ["pelvis"]
    animated = {names[channel["target"]["node"]] for channel in document["animations"][0]["channels"]}
    assert {"pelvis", "index_02_l", "index_03_r"} <= animated
