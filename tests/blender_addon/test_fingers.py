"""Figures of the free body with SMPL-H's fingers: bones, skin, keys, live settings and files of all formats."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.export.presets import PRESETS, ExportTarget  # noqa: E402
from blender_addon.export.writers import export_figures  # noqa: E402
from blender_addon.figure.animation import key_motion, read_motion  # noqa: E402
from blender_addon.figure.create import FigureOptions, add_figures, set_betas  # noqa: E402
from blender_addon.figure.fcurves import Channels  # noqa: E402
from blender_addon.figure.keyframe_hash import mark_keys  # noqa: E402
from blender_addon.figure.record import FigureRecord, store  # noqa: E402
from blender_addon.figure.scene_time import set_scene_rate  # noqa: E402
from blender_addon.result.live_settings import adjust  # noqa: E402
from core.body.free_body import load_free_body_with_fingers  # noqa: E402
from core.cleanup import CleanupOptions  # noqa: E402
from core.fingers import RELAXED_HANDS, hands_of, mirrored_hands, with_fingers, with_hands  # noqa: E402
from core.pipeline import FitSource  # noqa: E402
from core.placement import Person  # noqa: E402
from core.smpl_skeleton import FINGERS, SMPLH  # noqa: E402
from tests.blender_addon.blender_oracle import joints, shown_joints, shown_vertices, skin  # noqa: E402

BODY = load_free_body_with_fingers()
FINGER_JOINTS = SMPLH.names[22:]


@pytest.fixture
def motion(make_motion):
    """A motion whose fingers close to a fist and open again."""
    share = np.sin(np.linspace(0.0, np.pi, 12))[:, None, None]
    left = np.zeros((15, 3))
    left[:12, 2] = -1.3
    left[12:, 1] = 0.5
    return with_hands(make_motion(12), np.stack([mirrored_hands(one * left) for one in share]))


def add(motion, scene):
    return add_figures([Person("walk", motion, BODY)], scene, name="walk", options=FigureOptions(floor=False))[0]


def recorded(motion, scene):
    figure = add(motion, scene)
    store(figure.armature, FigureRecord(figure.motion, 1, FitSource(), None, motion.fps, np.zeros(3)))
    mark_keys(figure.armature)
    return figure


def test_bones_and_skin_match_the_body(scene, motion):
    figure = add(motion, scene)
    for frame in (0, 6, 11):
        np.testing.assert_allclose(shown_joints(figure.armature, 1 + frame), joints(BODY, motion, frame), atol=1e-4)
        np.testing.assert_allclose(shown_vertices(figure.mesh, 1 + frame), skin(BODY, motion, frame), atol=1e-3)
    set_betas(figure.armature, np.linspace(1.0, -1.0, 10))
    found = read_motion(figure.armature, motion.fps)
    np.testing.assert_allclose(shown_joints(figure.armature, 7), joints(BODY, found, 6), atol=1e-4)
    np.testing.assert_allclose(found.rotations(), motion.rotations(), atol=1e-5)


def test_finger_bones_follow_each_other_and_bend_about_x(scene, motion):
    figure = add(motion, scene)
    bones = figure.armature.data.bones
    assert (bones["left_wrist"].tail_local - bones["left_middle1"].head_local).length < 1e-5
    assert {bone.name for bone in figure.armature.data.collections["Left Hand"].bones} == {*FINGER_JOINTS[:15]}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for finger in FINGERS[:4]:
            chain = [bones[f"{side}_{finger}{number}"] for number in (1, 2, 3)]
            for first, second in zip(chain, chain[1:], strict=False):
                assert (first.tail_local - second.head_local).length < 1e-5
            hinge = chain[0].matrix_local.to_3x3().col[0]
            assert hinge.y * sign == pytest.approx(-1.0, abs=0.05), "the bone's X axis is the hinge, along the front"


def test_still_hands_have_one_key(scene, make_motion):
    armature = add(with_fingers(make_motion(9)), scene).armature
    path = 'pose.bones["right_pinky2"].rotation_quaternion'
    assert len(Channels(armature).find(path).keyframe_points) == 1
    assert len(Channels(armature).find('pose.bones["right_wrist"].rotation_quaternion').keyframe_points) == 9
    found = hands_of(read_motion(armature, 30.0))
    np.testing.assert_allclose(found, np.broadcast_to(RELAXED_HANDS, found.shape), atol=1e-6)
    moving = with_hands(make_motion(9), np.random.default_rng(0).normal(0.0, 0.3, (9, 2, 15, 3)))
    key_motion(armature, moving)
    assert len(Channels(armature).find(path).keyframe_points) == 9


def test_live_settings_leave_still_hands_alone_and_smooth_moving_ones(addon, make_motion):
    options = CleanupOptions(smoothing=1.0, ground="contacts")
    still = recorded(with_fingers(make_motion(40)), addon)
    adjust(still.armature, options)
    hands = hands_of(read_motion(still.armature, 30.0))
    np.testing.assert_allclose(hands, np.broadcast_to(RELAXED_HANDS, hands.shape), atol=1e-5)
    noisy = hands_of(with_fingers(make_motion(40))) + np.random.default_rng(1).normal(0.0, 0.05, (40, 2, 15, 3))
    moving = recorded(with_hands(make_motion(40), noisy), addon)
    adjust(moving.armature, options)
    smooth = hands_of(read_motion(moving.armature, 30.0))
    assert np.abs(np.diff(smooth, axis=0)).mean() < 0.5 * np.abs(np.diff(noisy, axis=0)).mean()
    adjust(moving.armature, CleanupOptions())
    np.testing.assert_allclose(hands_of(read_motion(moving.armature, 30.0)), noisy, atol=1e-5)


def test_undo_brings_the_fingers_back(addon, make_motion):
    noisy = hands_of(with_fingers(make_motion(40))) + np.random.default_rng(1).normal(0.0, 0.05, (40, 2, 15, 3))
    name = recorded(with_hands(make_motion(40), noisy), addon).armature.name
    bpy.ops.ed.undo_push(message="added")
    adjust(bpy.data.objects[name], CleanupOptions(smoothing=1.0))
    smooth = hands_of(read_motion(bpy.data.objects[name], 30.0))
    bpy.ops.ed.undo_push(message="smoothed")
    bpy.ops.ed.undo()
    np.testing.assert_allclose(hands_of(read_motion(bpy.data.objects[name], 30.0)), noisy, atol=1e-5)
    bpy.ops.ed.redo()
    np.testing.assert_allclose(hands_of(read_motion(bpy.data.objects[name], 30.0)), smooth, atol=1e-5)
    assert np.abs(smooth - noisy).max() > 0.05


IMPORTERS = {
    "fbx": lambda path: bpy.ops.import_scene.fbx(filepath=path),
    "glb": lambda path: bpy.ops.import_scene.gltf(filepath=path),
    "bvh": lambda path: bpy.ops.import_anim.bvh(filepath=path, axis_forward="-Z", axis_up="Y", use_fps_scale=False),
    "usd": lambda path: bpy.ops.wm.usd_import(filepath=path),
}


@pytest.mark.parametrize(("kind", "bones"), [
    ("fbx", "smpl"), ("glb", "smpl"), ("bvh", "smpl"), pytest.param("usd", "smpl", marks=pytest.mark.usd),
    ("fbx", "unreal"), ("glb", "vrm"),
])  # fmt: skip
def test_fingers_survive_export_and_import(scene, motion, tmp_path, kind, bones):
    figure = add(motion, scene)
    target = {"smpl": ExportTarget(), "unreal": PRESETS["UNREAL"].target, "vrm": PRESETS["VRM"].target}[bones]
    path = export_figures([figure.armature], tmp_path / f"walk.{kind}", target=target)
    bpy.ops.wm.read_homefile(use_empty=True)
    set_scene_rate(bpy.context.scene, motion.fps)
    IMPORTERS[kind](str(path))
    (armature,) = [item for item in bpy.context.scene.objects if item.type == "ARMATURE"]
    start = round(armature.animation_data.action.frame_range[0])
    names = {
        "smpl": FINGER_JOINTS,
        "unreal": tuple(f"{finger}_{number:02d}_{side}" for side in "lr" for finger in FINGERS for number in (1, 2, 3)),
        "vrm": tuple(
            f"{side}{finger.title().replace('Pinky', 'Little')}{bone}"
            for side in ("left", "right")
            for finger in FINGERS
            for bone in (
                ("Metacarpal", "Proximal", "Distal") if finger == "thumb" else ("Proximal", "Intermediate", "Distal")
            )
        ),
    }[bones]
    for frame in (0, 6):
        shown = shown_joints(armature, start + frame, names)
        np.testing.assert_allclose(shown, joints(BODY, motion, frame)[22:], atol=2e-3)
