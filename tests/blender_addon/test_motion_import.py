"""Motion files in AMASS layout come in as figures, can be adjusted and edited, and go out again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import blender_addon  # noqa: E402
from blender_addon.figure.fcurves import Channels  # noqa: E402
from blender_addon.figure.record import load  # noqa: E402
from blender_addon.result import live_settings  # noqa: E402
from core.amass import read_motion, write_motion  # noqa: E402
from core.body.free_body import load_free_body_with_fingers  # noqa: E402
from core.fingers import FLAT_HANDS, RELAXED_HANDS, hands_of, with_fingers, with_hands  # noqa: E402
from core.math.rotations import matrix_to_axis_angle  # noqa: E402
from core.motion import Motion  # noqa: E402
from tests import solved_motions  # noqa: E402
from tests.blender_addon.blender_oracle import joints, shaped, shown_joints  # noqa: E402
from tests.core.fit.scenes import walking  # noqa: E402


@pytest.fixture
def body():
    return load_free_body_with_fingers()


@pytest.fixture
def pelvis(body):
    return lambda betas: (body.joint_regressor.astype(float) @ shaped(body, betas))[0]


@pytest.fixture
def write(tmp_path, make_motion, pelvis):
    """A writer of AMASS files of a motion without fingers; returns path, and the motion with relaxed ones."""

    def write(name="walk", num_frames=20, seed=0, **changes):
        motion = replace(make_motion(num_frames, seed=seed), **changes)
        path = tmp_path / f"{name}.npz"
        write_motion(path, motion, rest_pelvis=pelvis(motion.betas))
        return path, with_fingers(motion)

    return write


def test_an_imported_motion_can_be_adjusted_edited_and_exported(addon, body, write, pelvis, tmp_path):
    path, motion = write()
    assert bpy.ops.smplify.import_motion(filepath=str(path)) == {"FINISHED"}
    armature = bpy.data.objects["walk"]
    assert bpy.context.view_layer.objects.active == armature and armature.select_get()
    for frame in (0, 9, 19):
        np.testing.assert_allclose(shown_joints(armature, 1 + frame), joints(body, motion, frame), atol=1e-4)
    record = load(armature)
    assert record.report is None and record.source.file == str(path)
    armature.smplify.height_m = 0.5
    point = Channels(armature).find('pose.bones["head"].rotation_quaternion', 2).keyframe_points[4]
    point.co.y += 0.3
    shown = shown_joints(armature, 5)
    np.testing.assert_allclose(shown[0], joints(body, motion, 4)[0] + [0.0, 0.0, 0.5], atol=1e-4)
    assert bpy.ops.smplify.export(filepath=str(tmp_path / "again.npz")) == {"FINISHED"}
    again = read_motion(tmp_path / "again.npz", rest_pelvis=pelvis, fingers=True)
    np.testing.assert_allclose(joints(body, again, 4), shown, atol=1e-4)
    assert np.abs(again.rotations()[4] - motion.rotations()[4]).max() > 0.1, "the edit is in the file"
    np.testing.assert_allclose(again.rotations()[9], motion.rotations()[9], atol=1e-5)


@pytest.mark.main_blender
def test_several_files_are_imported_as_several_people(addon, body, write, tmp_path):
    motions = {name: write(name, seed=seed)[1] for seed, name in enumerate(("one", "two"))}
    files = [{"name": f"{name}.npz"} for name in motions]
    bpy.ops.smplify.import_motion(files=files, directory=str(tmp_path), filepath=str(tmp_path / "one.npz"))
    for name, motion in motions.items():
        np.testing.assert_allclose(shown_joints(bpy.data.objects[name], 8), joints(body, motion, 7), atol=1e-4)


@pytest.mark.main_blender
def test_betas_of_another_body_are_ignored_and_reported(addon, body, write, capfd):
    path, motion = write(body="smplh")
    bpy.ops.smplify.import_motion(filepath=str(path))
    armature = bpy.data.objects["walk"]
    assert "made with the body smplh" in "".join(capfd.readouterr())
    found = load(armature).motion
    assert not found.betas.any() and found.body == "free_body"
    np.testing.assert_allclose(found.rotations(), motion.rotations(), atol=1e-5)
    np.testing.assert_allclose(shown_joints(armature, 8), joints(body, found, 7), atol=1e-4)


@pytest.mark.main_blender
def test_options_reach_the_motion_reader(addon, write, make_motion, pelvis, tmp_path):
    motion = make_motion(20)
    path = tmp_path / "walk.npz"
    write_motion(path, motion, up_axis="Y")
    bpy.ops.smplify.import_motion(filepath=str(path), fps=60.0, floor=True, up_axis="Y")
    record = load(bpy.data.objects["walk"])
    assert record.motion.fps == 60.0 and addon.render.fps == 60
    np.testing.assert_allclose(record.motion.trans - record.offset, motion.trans, atol=1e-5)
    assert np.abs(record.offset[1]) > 0.05 and not record.offset[[0, 2]].any()


def test_a_failed_import_adds_nothing(addon, write, tmp_path):
    good, _ = write()
    bad = tmp_path / "bad.npz"
    np.savez(bad, positions=np.zeros((3, 25, 3)))
    with pytest.raises(RuntimeError, match=r"poses.*bad\.npz"):
        bpy.ops.smplify.import_motion(files=[{"name": good.name}, {"name": "bad.npz"}], directory=str(tmp_path))
    with pytest.raises(RuntimeError, match="licensed SMPL file, found none"):
        bpy.ops.smplify.import_motion(filepath=str(good), body="LICENSED")
    assert not bpy.data.objects


def test_a_motion_file_has_no_errors_to_show(addon, write):
    bpy.ops.smplify.import_motion(filepath=str(write()[0]))
    with pytest.raises(RuntimeError, match="came from a motion file"):
        bpy.ops.smplify.go_to_worst()
    assert "fit_error_mm" not in bpy.data.objects["walk"]


@pytest.mark.parametrize("layout", ["smplh", "smplx"])
def test_fingers_of_a_file_are_shown_and_exported(addon, body, make_motion, pelvis, tmp_path, layout):
    hands = np.random.default_rng(4).normal(0.0, 0.4, (12, 2, 15, 3))
    motion = with_hands(make_motion(12), hands)
    write_motion(tmp_path / "grasp.npz", motion, rest_pelvis=pelvis(motion.betas), layout=layout)
    bpy.ops.smplify.import_motion(filepath=str(tmp_path / "grasp.npz"))
    armature = bpy.data.objects["grasp"]
    np.testing.assert_allclose(shown_joints(armature, 8), joints(body, motion, 7), atol=1e-4)
    assert bpy.ops.smplify.export(filepath=str(tmp_path / "again.npz")) == {"FINISHED"}
    with np.load(tmp_path / "again.npz") as stored:
        np.testing.assert_allclose(stored["pose_hand"], hands.reshape(12, 90), atol=1e-5)
        np.testing.assert_allclose(stored["poses"][:, 66:156], hands.reshape(12, 90), atol=1e-5)


@pytest.mark.main_blender
@pytest.mark.parametrize(("choice", "hands"), [("RELAXED", RELAXED_HANDS), ("FLAT", FLAT_HANDS)])
def test_hands_missing_in_a_file_are_relaxed_or_flat(addon, body, write, choice, hands):
    path, motion = write()
    bpy.ops.smplify.import_motion(filepath=str(path), hands=choice)
    armature = bpy.data.objects["walk"]
    found = hands_of(load(armature).motion)
    np.testing.assert_allclose(found, np.broadcast_to(hands, found.shape), atol=1e-6)
    shown = with_hands(motion, found)
    np.testing.assert_allclose(shown_joints(armature, 8), joints(body, shown, 7), atol=1e-4)
    curve = Channels(armature).find('pose.bones["left_index2"].rotation_quaternion')
    assert (curve is None) if choice == "FLAT" else (len(curve.keyframe_points) == 1)


def test_the_menu_entry_is_registered_and_unregistered(scene):
    before = len(bpy.types.TOPBAR_MT_file_import._dyn_ui_initialize())
    blender_addon.register()
    assert len(bpy.types.TOPBAR_MT_file_import._dyn_ui_initialize()) >= before + 1
    blender_addon.unregister()
    assert len(bpy.types.TOPBAR_MT_file_import._dyn_ui_initialize()) == before


def test_the_cleanup_analysis_of_the_import_is_reused_by_the_sliders(addon, write, monkeypatch):
    path, _ = write()
    assert bpy.ops.smplify.import_motion(filepath=str(path), floor=True) == {"FINISHED"}
    monkeypatch.setattr(live_settings, "analyse_motion", None)  # it is not called again
    figure = bpy.context.object.smplify
    figure.smoothing = 0.5
    assert figure.smoothing == 0.5 and figure.trouble == ""


@pytest.mark.main_blender
def test_motions_of_other_solvers_are_imported_as_figures(addon, body, tmp_path, capfd):
    scene = walking()[20:40]
    poses = matrix_to_axis_angle(scene.rotations.astype(float)).reshape(20, 72)
    first = Motion(poses, scene.betas.astype(float), scene.trans.astype(float), 30.0)
    second = replace(first, trans=first.trans + [1.5, 0.0, 0.0])
    people = {0: (first, np.arange(20)), 5: (second, np.arange(20))}
    path = solved_motions.write(tmp_path / "wham.pkl", solved_motions.joblib_bytes(solved_motions.wham(people)))
    with pytest.raises(RuntimeError, match="frame rate"):
        bpy.ops.smplify.import_motion(filepath=str(path))
    assert bpy.ops.smplify.import_motion(filepath=str(path), fps=30.0) == {"FINISHED"}
    for name, motion in (("wham_0", first), ("wham_5", second)):
        shown = with_fingers(replace(motion, betas=np.zeros(10)))
        np.testing.assert_allclose(shown_joints(bpy.data.objects[name], 8), joints(body, shown, 7), atol=1e-4)
    assert "mean shape" in "".join(capfd.readouterr())
    assert load(bpy.data.objects["wham_5"]).report is None


@pytest.mark.main_blender
def test_keypoint_files_are_refused(addon, tmp_path):
    points = np.random.default_rng(0).normal(size=(20, 25, 3))
    np.save(tmp_path / "points.npy", points)
    with pytest.raises(RuntimeError):
        bpy.ops.smplify.import_motion(filepath=str(tmp_path / "points.npy"), fps=30.0)
    assert not bpy.data.objects


@pytest.mark.main_blender
def test_a_solved_motion_passes_through_the_track_and_fit_boxes(addon, body, tmp_path):
    scene = walking()[20:44]
    poses = matrix_to_axis_angle(scene.rotations.astype(float)).reshape(24, 72)
    motion = Motion(poses, scene.betas.astype(float), scene.trans.astype(float), 30.0)
    path = solved_motions.write(tmp_path / "clip.pt", solved_motions.torch_bytes(solved_motions.gvhmr(motion)))
    bpy.ops.smplify.open_track(filepath=str(path), wait=True, frame_rate="CUSTOM", fps=30.0)
    assert bpy.ops.smplify.fit() == {"FINISHED"}
    armature = bpy.context.view_layer.objects.active
    record = load(armature)
    assert record.report is None and record.source.file == str(path)
    np.testing.assert_allclose(record.motion.rotations(), with_fingers(motion).rotations(), atol=1e-5)
    for suffix, begins in (("mot", "Coordinates"), ("trc", "PathFileType")):
        assert bpy.ops.smplify.export(filepath=str(tmp_path / f"clip.{suffix}")) == {"FINISHED"}
        assert (tmp_path / f"clip.{suffix}").read_text().startswith(begins)
    armature.smplify.foot_lock = 1.0  # a live setting works on it
    assert np.isfinite(shown_joints(armature, 5)).all()
