"""A range is fitted again: the frames in it change, those outside do not, and nothing pops at its ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import blender_addon  # noqa: E402
from blender_addon.figure.fcurves import Channels, keys_of  # noqa: E402
from blender_addon.figure.record import load, store  # noqa: E402
from blender_addon.project_files import project_paths  # noqa: E402
from blender_addon.result.panel import SMPLIFY_PT_result  # noqa: E402
from blender_addon.result.refit import RefitError, RefitOrder, fit_again, merged  # noqa: E402
from blender_addon.result.show import show  # noqa: E402
from core.body.free_body import load_free_body, load_free_body_with_fingers  # noqa: E402
from core.convert_options import ConvertOptions  # noqa: E402
from core.errors import FitCancelled  # noqa: E402
from core.fingers import hands_of, without_fingers  # noqa: E402
from core.fit import FitReport, Flag  # noqa: E402
from core.pipeline import fit_file  # noqa: E402
from core.smpl_skeleton import SMPL  # noqa: E402
from tests.blender_addon.blender_oracle import joints, shown_joints  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402

NUM_FRAMES = 60
KNEE = 'pose.bones["left_knee"].rotation_quaternion'


@pytest.fixture(scope="module")
def track_file(write_track, tmp_path_factory):
    return write_track(tmp_path_factory.mktemp("track") / "walk.npz", num_frames=NUM_FRAMES)


@pytest.fixture(scope="module")
def fit(track_file):
    return fit_file(track_file, ConvertOptions(), lambda *_: None)[0]


@pytest.fixture
def figure(scene, fit):
    """The figure of a fit whose frames 20 to 39 were spoilt, as a bad fit would be."""
    blender_addon.register()
    poses = fit.motion.poses.copy()
    poses[19:39, 12:15] += 0.6
    motion = replace(fit.motion, poses=poses)
    report = replace(fit.report, flags=(Flag("held", "left leg", 10, 45), Flag("held", "head", 22, 24)))
    (figure,) = show([replace(fit, motion=motion, report=report)], "walk")
    bpy.context.view_layer.objects.active = figure.armature
    yield figure
    blender_addon.unregister()


def poses(armature):
    return np.array([shown_joints(armature, 1 + frame) for frame in range(NUM_FRAMES)])


def test_a_refitted_range_blends_in_without_a_pop(figure, fit):
    armature = figure.armature
    before = poses(armature)
    good = replace(fit.motion, trans=fit.motion.trans + load(armature).offset)
    wanted = np.array([joints(load_free_body_with_fingers(), good, frame) for frame in range(NUM_FRAMES)])
    assert np.abs(before[19:39] - wanted[19:39]).max() > 0.2
    assert bpy.ops.smplify.fit_again(first=14, last=46) == {"FINISHED"}
    after = poses(armature)
    np.testing.assert_allclose(after[:13], before[:13], atol=1e-6)
    np.testing.assert_allclose(after[46:], before[46:], atol=1e-6)
    assert np.abs(after[19:40] - wanted[19:40]).max() < 0.02
    step = np.abs(np.diff(after, axis=0)).max(axis=(1, 2))
    assert step.max() < 1.5 * np.abs(np.diff(wanted, axis=0)).max()
    record = load(armature)
    assert [(flag.what, flag.first, flag.last) for flag in record.report.flags if flag.kind == "held"] == [
        ("left leg", 10, 12),
    ]  # fmt: skip
    np.testing.assert_allclose(
        keys_of(Channels(armature).find('["fit_error_mm"]'))[:, 1], record.report.keypoint_error_mm, rtol=1e-5
    )
    np.testing.assert_array_equal(record.motion.betas, fit.report.betas)


def test_a_figure_of_an_earlier_version_keeps_its_24_bones(scene, fit):
    blender_addon.register()
    (figure,) = show([replace(fit, motion=without_fingers(fit.motion), body=load_free_body())], "walk")
    armature = figure.armature
    bpy.context.view_layer.objects.active = armature
    armature.smplify.smoothing = 0.5
    assert armature.smplify.smoothing == 0.5 and armature.smplify.trouble == ""
    assert bpy.ops.smplify.fit_again(first=14, last=46) == {"FINISHED"}
    assert load(armature).motion.skeleton == SMPL and len(armature.data.bones) == 24
    blender_addon.unregister()


@pytest.mark.main_blender
def test_refitted_frames_keep_flat_hands(scene, track_file):
    blender_addon.register()
    (flat,) = fit_file(track_file, ConvertOptions(hands="flat"), lambda *_: None)
    (figure,) = show([flat], "walk")
    bpy.context.view_layer.objects.active = figure.armature
    assert bpy.ops.smplify.fit_again(first=14, last=46) == {"FINISHED"}
    assert not hands_of(load(figure.armature).motion).any()
    blender_addon.unregister()


def test_a_refit_keeps_live_settings_and_can_be_reverted(figure):
    armature = figure.armature
    before, first = poses(armature), load(armature).report
    armature.smplify.height_m = 0.25
    armature.smplify.range_first, armature.smplify.range_last = 14, 46
    assert bpy.ops.smplify.fit_again() == {"FINISHED"}
    assert armature.smplify.height_m == 0.25
    np.testing.assert_allclose(poses(armature)[:12], before[:12] + [0.0, 0.0, 0.25], atol=1e-4)
    assert load(armature).report.flags != first.flags
    bpy.ops.smplify.restore_motion()
    np.testing.assert_allclose(poses(armature), before, atol=1e-4)
    found = load(armature)
    assert found.report.flags == first.flags and found.original_report is None
    np.testing.assert_array_equal(found.report.point_error_mm, first.point_error_mm)


def test_edited_keys_are_not_refitted_without_confirmation(figure):
    channels = Channels(figure.armature)
    channels.find(KNEE, 1).keyframe_points[5].co.y += 0.2
    with pytest.raises(RuntimeError, match="were edited since"):
        bpy.ops.smplify.fit_again(first=14, last=46)
    assert figure.armature.smplify.edited
    bpy.ops.smplify.keep_edits()
    assert bpy.ops.smplify.fit_again(first=14, last=46) == {"FINISHED"}


@pytest.mark.main_blender
def test_the_new_path_of_moved_keypoints_is_stored(figure, track_file, tmp_path):
    moved = tmp_path / "moved.npz"
    moved.write_bytes(track_file.read_bytes())
    assert bpy.ops.smplify.fit_again(first=14, last=46, filepath=str(moved)) == {"FINISHED"}
    assert load(figure.armature).source.file == str(moved)
    with pytest.raises(RuntimeError, match="another file than the keypoints of walk"):
        bpy.ops.smplify.export(filepath=str(moved))
    assert moved.read_bytes() == track_file.read_bytes()


@pytest.mark.main_blender
def test_an_impossible_refit_is_an_error(figure, tmp_path, write_track):
    with pytest.raises(RuntimeError, match="frames 1 to 60, got 70 to 80"):
        bpy.ops.smplify.fit_again(first=70, last=80)
    with pytest.raises(RuntimeError, match=r"gone\.npz, found none; if they were moved, name the file in Moved To"):
        bpy.ops.smplify.fit_again(first=2, last=9, filepath=str(tmp_path / "gone.npz"))
    other = write_track(tmp_path / "other.npz", num_frames=20)
    with pytest.raises(RuntimeError, match=r"60 frames at 30 .*found 20 at 30"):
        bpy.ops.smplify.fit_again(first=2, last=9, filepath=str(other))
    bpy.ops.smplify.export(filepath=str(tmp_path / "motion.npz"))
    with pytest.raises(RuntimeError, match=r"points that the figure was fitted to, found none for .* in .*motion\.npz"):
        bpy.ops.smplify.fit_again(first=2, last=9, filepath=str(tmp_path / "motion.npz"))
    bpy.context.view_layer.objects.active = None
    assert not bpy.ops.smplify.fit_again.poll()


@pytest.mark.main_blender
def test_cancelling_ends_the_fit(figure):
    record = load(figure.armature)
    with pytest.raises(FitCancelled):
        fit_again(record, RefitOrder(14, 46, {}), lambda share, what: what in ("Loading the body", "Reading"))


@pytest.mark.main_blender
def test_a_motion_file_cannot_be_fitted_again(figure):
    record = replace(load(figure.armature), report=None)
    with pytest.raises(RefitError, match="came from a motion file"):
        fit_again(record, RefitOrder(1, 9, {}), lambda *_: True)


def test_the_range_is_taken_from_the_preview_range(figure, scene):
    scene = bpy.context.scene
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 7, 21
    assert bpy.ops.smplify.take_range() == {"FINISHED"}
    assert (figure.armature.smplify.range_first, figure.armature.smplify.range_last) == (7, 21)
    scene.use_preview_range = False
    bpy.ops.smplify.take_range()
    assert (figure.armature.smplify.range_first, figure.armature.smplify.range_last) == (1, NUM_FRAMES)


@pytest.mark.main_blender
def test_a_refit_at_another_frame_rate_matches_frames_by_time(figure, make_motion):
    """The motion plays at 30 a second, the track was taken at 60: frame f of one is 2 f of the other."""
    from blender_addon.result.refit import Refit

    record = load(figure.armature)
    old, new = make_motion(30, fps=30.0, seed=1), make_motion(59, fps=60.0, seed=2)
    errors = np.full((59, 1), 5.0)
    report = FitReport(("nose",), errors, (Flag("held", "head", 0, 58),), old.betas, 1.7, np.ones(1), 5.0, {}, ())
    record = replace(record, motion=old, track_fps=60.0, report=report, offset=np.array([0.0, 1.0, 0.0]))
    part = replace(new, poses=new.poses[20:41], trans=new.trans[20:41])
    refit = Refit(part, replace(report, point_error_mm=np.full((21, 1), 1.0), flags=()), 20)
    found = merged(record, refit, first=13, last=18)
    np.testing.assert_array_equal(found.motion.poses[:12], old.poses[:12])
    np.testing.assert_array_equal(found.motion.trans[18:], old.trans[18:])
    middle = found.motion.trans[14] - [0.0, 1.0, 0.0]
    np.testing.assert_allclose(middle, new.trans[28], atol=1e-9)
    assert [(flag.first, flag.last) for flag in found.report.flags] == [(0, 23), (35, 58)]
    np.testing.assert_array_equal(np.flatnonzero(found.report.point_error_mm[:, 0] == 1.0), np.arange(24, 35))


@pytest.mark.main_blender
def test_a_refit_does_not_blend_at_the_ends_of_the_motion(figure, fit):
    record = load(figure.armature)
    found = fit_again(record, RefitOrder(1, 200, {}), lambda *_: True)
    np.testing.assert_allclose(found.motion.rotations()[0], fit.motion.rotations()[0], atol=0.02)
    np.testing.assert_allclose(found.motion.rotations()[-1], fit.motion.rotations()[-1], atol=0.02)


@pytest.mark.main_blender
def test_a_moved_file_can_be_given_and_is_protected(figure, track_file, tmp_path):
    armature = figure.armature
    record = load(armature)
    moved = tmp_path / "elsewhere.npz"
    moved.write_bytes(track_file.read_bytes())
    store(armature, replace(record, source=replace(record.source, file=str(tmp_path / "gone.npz"))))
    with pytest.raises(RuntimeError, match=r"gone\.npz"):
        bpy.ops.smplify.fit_again(first=20, last=24)
    assert "moved_file" in draw(SMPLIFY_PT_result).props
    armature.smplify.moved_file = str(moved)
    assert moved in project_paths()
    assert bpy.ops.smplify.fit_again(first=20, last=24) == {"FINISHED"}
    assert load(armature).source.file == str(moved) and armature.smplify.moved_file == ""
