"""The figure in the scene equals the motion: joints, skin, floor, shape, keys."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.core_access import JOINT_NAMES, CoreError, Motion  # noqa: E402
from blender_addon.figure.animation import key_motion, read_motion  # noqa: E402
from blender_addon.figure.body_mesh import SHAPE_KEYS, shape_values  # noqa: E402
from blender_addon.figure.create import set_betas  # noqa: E402
from blender_addon.figure.fcurves import Channels  # noqa: E402
from core.smpl_skeleton import JOINT_PARENTS  # noqa: E402
from tests.blender_addon.blender_oracle import joints, shown_joints, shown_vertices, skin  # noqa: E402
from training.samples.motion import sample_motion  # noqa: E402

JOINT_TOLERANCE_M = 1e-4
SKIN_TOLERANCE_M = 1e-3

CONTINUES_IN: dict[str, str] = {
    "pelvis": "spine1", "spine1": "spine2", "spine2": "spine3", "spine3": "neck", "neck": "head",
    "left_hip": "left_knee", "left_knee": "left_ankle", "left_ankle": "left_foot",
    "right_hip": "right_knee", "right_knee": "right_ankle", "right_ankle": "right_foot",
    "left_collar": "left_shoulder", "left_shoulder": "left_elbow", "left_elbow": "left_wrist",
    "left_wrist": "left_hand",
    "right_collar": "right_shoulder", "right_shoulder": "right_elbow", "right_elbow": "right_wrist",
    "right_wrist": "right_hand",
}  # fmt: skip
"""The child joint that each bone points at; bones not listed end a limb."""


def assert_joints_equal(figure, body, motion, frames):
    for frame in frames:
        shown = shown_joints(figure.armature, figure.first_frame + frame)
        np.testing.assert_allclose(shown, joints(body, motion, frame), atol=JOINT_TOLERANCE_M)


def test_the_mesh_has_the_texture_map_of_its_body(add_person, body, make_motion):
    mesh = add_person(make_motion(2)).mesh.data
    shown = np.empty(2 * len(mesh.loops), dtype=np.float32)
    mesh.uv_layers.active.uv.foreach_get("vector", shown)
    np.testing.assert_allclose(shown.reshape(-1, 3, 2), body.texture, atol=1e-6)


def test_joints_equal_the_motion_at_every_frame(add_person, body, make_motion):
    motion = make_motion(40)
    figure = add_person(motion, floor=False)
    assert_joints_equal(figure, body, motion, range(40))


def test_joints_equal_a_real_clip(add_person, body, clips):
    with np.load(clips / "CMU_05_02_poses.npz") as clip:
        poses, trans = clip["poses"][:, :72].astype(float), clip["trans"].astype(float)
        fps = float(clip["mocap_framerate"])
    motion = Motion(poses, np.random.default_rng(5).normal(0.0, 0.8, 10), trans, fps)
    figure = add_person(motion)
    assert_joints_equal(figure, body, figure.motion, range(0, motion.num_frames, 13))
    np.testing.assert_allclose(
        figure.motion.trans - motion.trans,
        np.tile([0.0, figure.motion.trans[0, 1] - trans[0, 1], 0.0], (len(trans), 1)),
        atol=1e-9,
    )


def test_skin_equals_linear_blend_skinning(add_person, body, make_motion):
    motion = make_motion(12)
    figure = add_person(motion, floor=False)
    for frame in range(0, 12, 3):
        shown = shown_vertices(figure.mesh, figure.first_frame + frame)
        np.testing.assert_allclose(shown, skin(body, motion, frame), atol=SKIN_TOLERANCE_M)


def test_smpl_hands_are_keyed_only_if_they_move(add_person, body, make_motion):
    still = add_person(make_motion(3), "still")
    assert Channels(still.armature).find('pose.bones["left_hand"].rotation_quaternion') is None
    poses = make_motion(3).poses.copy()
    poses[1, 66:72] = (0.3, -0.2, 0.1, 0.0, 0.4, 0.0)
    motion = replace(make_motion(3), poses=poses)
    figure = add_person(motion, "moving", floor=False)
    np.testing.assert_allclose(shown_vertices(figure.mesh, 2), skin(body, motion, 1), atol=SKIN_TOLERANCE_M)


def test_the_lowest_vertex_of_the_clip_is_on_the_floor(add_person, make_motion):
    figure = add_person(make_motion(15))
    lowest = [shown_vertices(figure.mesh, 1 + frame)[:, 2].min() for frame in range(15)]
    assert min(lowest) == pytest.approx(0.0, abs=1e-4)
    assert max(lowest) > 0.01, "one offset for the whole clip, not one a frame"


def test_one_frame_below_the_floor_does_not_lift_the_clip(add_person):
    """A single frame that a tracker put below the floor must not lift the whole clip."""
    walk = sample_motion().resampled(30.0)
    sunk = walk.trans.copy()
    sunk[40, 1] -= 0.3
    figure = add_person(replace(walk, trans=sunk + [0.0, 0.7, 0.0]))
    lowest = [shown_vertices(figure.mesh, 1 + frame)[:, 2].min() for frame in (0, 20, 39, 41, 60, 100)]
    assert lowest == pytest.approx([0.0] * 6, abs=0.012)


def test_a_figure_is_upright_and_faces_the_front_view(add_person, make_motion):
    rest = replace(make_motion(1), poses=np.zeros((1, 72)), trans=np.zeros((1, 3)))
    figure = add_person(rest)
    places = dict(zip(JOINT_NAMES, shown_joints(figure.armature, 1), strict=True))
    assert places["head"][2] > 1.2 and places["left_ankle"][2] < 0.2
    assert places["left_foot"][1] < places["left_ankle"][1] - 0.05, "toes towards -Y"
    assert places["left_wrist"][0] > 0.5, "the figure's left is +X"
    assert shown_vertices(figure.mesh, 1)[:, 2].min() == pytest.approx(0.0, abs=1e-5)


def test_bones_point_at_their_child_joint(add_person, make_motion):
    bones = add_person(make_motion(2)).armature.data.bones
    assert [bone.name for bone in bones] and {bone.name for bone in bones} == set(JOINT_NAMES)
    for index, name in enumerate(JOINT_NAMES):
        parent = JOINT_PARENTS[index]
        assert (bones[name].parent.name if bones[name].parent else None) == (
            JOINT_NAMES[parent] if parent >= 0 else None
        )
    for name, child in CONTINUES_IN.items():
        np.testing.assert_allclose(bones[name].tail_local, bones[child].head_local, atol=1e-5)


def test_shape_keys_hold_the_betas(add_person, make_motion):
    motion = make_motion(2)
    keys = add_person(motion).mesh.data.shape_keys.key_blocks
    assert tuple(key.name for key in keys) == ("Basis", *SHAPE_KEYS)
    np.testing.assert_allclose([keys[name].value for name in SHAPE_KEYS], motion.betas, atol=1e-6)
    assert all(keys[name].slider_min <= -5.0 and keys[name].slider_max >= 5.0 for name in SHAPE_KEYS)


def test_bones_and_skin_follow_set_betas(add_person, body, make_motion):
    motion = make_motion(9)
    figure = add_person(motion, floor=False)
    other = replace(motion, betas=np.array([2.5, -3.0, 1.5, -6.5, 0.0, 1.0, -1.0, 2.0, -2.0, 0.5]))
    set_betas(figure.armature, other.betas)
    assert_joints_equal(figure, body, other, range(0, 9, 2))
    np.testing.assert_allclose(shown_vertices(figure.mesh, 5), skin(body, other, 4), atol=SKIN_TOLERANCE_M)
    set_betas(figure.armature, motion.betas)
    assert_joints_equal(figure, body, motion, range(0, 9, 2))


def test_set_betas_refuses_other_armatures(scene):
    armature = bpy.data.objects.new("rig", bpy.data.armatures.new("rig"))
    scene.collection.objects.link(armature)
    with pytest.raises(CoreError, match="imported figure"):
        set_betas(armature, np.zeros(10))


def test_betas_beyond_the_range_of_shape_keys_are_refused(add_person, make_motion):
    with pytest.raises(CoreError, match="between -10 and 10"):
        add_person(make_motion(2, betas=np.full(10, 11.0)))


def test_betas_are_padded_or_truncated(add_person, body, make_motion):
    few = add_person(make_motion(2, betas=np.array([1.0, -1.0])), "few")
    np.testing.assert_allclose(shape_values(few.mesh), [1.0, -1.0, *[0.0] * 8])
    many = add_person(make_motion(2, betas=np.arange(16) / 8.0), "many")
    np.testing.assert_allclose(shape_values(many.mesh), np.arange(10) / 8.0)


def test_quaternions_do_not_flip_sign_between_frames(add_person, make_motion):
    figure = add_person(make_motion(60))
    channels = Channels(figure.armature)
    for name in JOINT_NAMES[:22]:
        path = f'pose.bones["{name}"].rotation_quaternion'
        values = channels.sample(path, range(1, 61), (1.0, 0.0, 0.0, 0.0))
        assert (np.sum(values[1:] * values[:-1], axis=1) > 0.0).all(), name
        assert channels.find(path).keyframe_points[0].interpolation == "LINEAR"


def test_a_spin_is_interpolated_between_keys(add_person, body, make_motion):
    motion = make_motion(60)
    figure = add_person(motion, floor=False)
    for frame in (7, 29, 44):
        between = 0.5 * (joints(body, motion, frame) + joints(body, motion, frame + 1))
        np.testing.assert_allclose(shown_joints(figure.armature, 1.5 + frame), between, atol=0.01)


def test_keys_are_read_back_as_the_motion(add_person, make_motion):
    figure = add_person(make_motion(20, fps=59.94))
    found = read_motion(figure.armature, 59.94)
    np.testing.assert_allclose(found.rotations(), figure.motion.rotations(), atol=1e-5)
    np.testing.assert_allclose(found.trans, figure.motion.trans, atol=1e-5)
    np.testing.assert_allclose(found.betas, figure.motion.betas, atol=1e-6)
    assert (found.fps, found.gender, found.body) == (59.94, "neutral", "free_body")


def test_keying_again_replaces_the_keys(add_person, body, make_motion):
    figure = add_person(make_motion(20), floor=False)
    other = make_motion(8, seed=3, betas=figure.motion.betas)
    key_motion(figure.armature, other)
    assert_joints_equal(figure, body, other, range(8))
    assert tuple(figure.armature.animation_data.action.frame_range) == (1.0, 8.0)


def test_1000_frames_are_keyed_fast_enough(add_person, make_motion):
    figure = add_person(make_motion(2))
    motion = make_motion(1000)
    seconds = []
    for _ in range(3):
        started = time.process_time()  # of this process alone, whatever else the machine does
        key_motion(figure.armature, motion)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.2


def test_animation_survives_saving(add_person, body, make_motion, tmp_path):
    motion = make_motion(10)
    add_person(motion, "walker", floor=False)
    path = str(tmp_path / "session.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    armature = bpy.data.objects["walker"]
    for frame in range(10):
        np.testing.assert_allclose(shown_joints(armature, 1 + frame), joints(body, motion, frame), atol=1e-4)
    set_betas(armature, np.zeros(10))
    np.testing.assert_allclose(
        shown_joints(armature, 4), joints(body, replace(motion, betas=np.zeros(10)), 3), atol=JOINT_TOLERANCE_M
    )


def test_bones_are_in_collections_by_side(add_person, make_motion):
    armature = add_person(make_motion(3)).armature
    found = {item.name: {bone.name for bone in item.bones} for item in armature.data.collections}
    assert found["Trunk"] == {"pelvis", "spine1", "spine2", "spine3", "neck", "head"}
    assert found["Left"] == {name.replace("right", "left") for name in found["Right"]} and len(found["Left"]) == 8
    assert found["Left Hand"] == {"left_hand"} and found["Right Hand"] == {"right_hand"}
    assert len(found) == 5
