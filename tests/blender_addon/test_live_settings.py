"""The live settings change the keys at once, can be undone, and never overwrite what the user did."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.figure.custom_properties import MARK_KEY  # noqa: E402
from blender_addon.figure.fcurves import Channels, keys_of  # noqa: E402
from blender_addon.figure.keyframe_hash import keys_edited  # noqa: E402
from blender_addon.figure.record import load  # noqa: E402
from blender_addon.result import live_settings  # noqa: E402
from blender_addon.result.cleanup_cache import CLEANUP_CACHE  # noqa: E402
from blender_addon.result.live_settings import adjust, applied_settings, replace_motion  # noqa: E402
from blender_addon.result.show import store_fit  # noqa: E402
from core.cleanup import CleanupOptions, analyse_motion, clean_up  # noqa: E402
from core.fit import FitReport, Flag  # noqa: E402
from core.layouts import LAYOUTS  # noqa: E402
from core.pipeline import FittedPerson  # noqa: E402
from core.track import KeypointTrack  # noqa: E402
from tests.blender_addon.blender_oracle import joints, shown_joints  # noqa: E402

KNEE = 'pose.bones["left_knee"].rotation_quaternion'


@pytest.fixture
def add_fitted(addon, add_person, body, make_motion):
    """A function that puts a figure with a made-up report into the scene; the motion shakes."""

    def add(num_frames=40, name="walk", flags=(), **options):
        calm = make_motion(num_frames, **options)
        noise = np.random.default_rng(1).normal(0.0, 0.02, calm.poses.shape)
        noise[:, 66:] = 0.0
        motion = replace(calm, poses=calm.poses + noise)
        figure = add_person(motion, name, floor=False)
        layout = LAYOUTS["body25"]
        errors = np.random.default_rng(2).uniform(1.0, 30.0, (num_frames, 2))
        errors[3] = np.nan
        report = FitReport(
            ("nose", "left_wrist"), errors, tuple(flags), motion.betas, 1.75, np.ones(2), 10.0, {"pose": 1.0}, ("note",)
        )
        track = KeypointTrack(np.zeros((num_frames, 25, 3)), np.ones((num_frames, 25)), motion.fps, layout)
        store_fit(figure, FittedPerson(name, motion, body, track=track, report=report))
        return figure

    return add


def shown(armature, frame):
    """The evaluated joints (24, 3) at a frame, without asking Blender to read the keys again."""
    bpy.context.scene.frame_set(frame)
    return shown_joints(armature, frame)


def cleaned(figure, body, **options):
    return clean_up(analyse_motion(load(figure.armature).motion, body), CleanupOptions(**options))


def test_settings_set_by_code_are_shown_and_applied_at_once(add_fitted, body):
    figure = add_fitted()
    options = CleanupOptions(smoothing=0.4, ground="contacts", root="in_place")
    adjust(figure.armature, options)
    properties = figure.armature.smplify
    assert (properties.ground, properties.root) == ("contacts", "in_place")
    assert properties.smoothing == pytest.approx(0.4)
    assert applied_settings(figure.armature) == options
    assert not keys_edited(figure.armature)
    expected = clean_up(analyse_motion(load(figure.armature).motion, body), options)
    for frame in (0, 7, 19, 39):
        np.testing.assert_allclose(shown(figure.armature, 1 + frame), joints(body, expected, frame), atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"smoothing": 1.0},
        {"smoothing": 0.5, "foot_lock": 1.0},
        {"ground": "contacts"},
        {"height_m": 0.25},
        {"root": "in_place"},
        {"root": "treadmill", "smoothing": 0.25},
        {"root": "on_ground"},
    ],
)
def test_settings_show_the_cleaned_motion(add_fitted, body, options):
    figure = add_fitted()
    for name, value in options.items():
        setattr(figure.armature.smplify, name, value)
    expected = cleaned(figure, body, **options)
    moved = max(np.abs(expected.poses - figure.motion.poses).max(), np.abs(expected.trans - figure.motion.trans).max())
    assert moved > 1e-3
    for frame in (0, 7, 19, 39):
        np.testing.assert_allclose(shown(figure.armature, 1 + frame), joints(body, expected, frame), atol=1e-4)
    assert not keys_edited(figure.armature)
    for name in options:
        figure.armature.smplify.property_unset(name)
    for name in options:
        setattr(figure.armature.smplify, name, getattr(CleanupOptions(), name))
    for frame in (0, 19, 39):
        np.testing.assert_allclose(shown(figure.armature, 1 + frame), joints(body, figure.motion, frame), atol=1e-4)


def test_a_motion_without_planted_feet_reports_that_nothing_is_locked(add_fitted):
    figure = add_fitted()
    falling = replace(figure.motion, trans=figure.motion.trans - np.arange(40)[:, None] * [0.0, 0.15, 0.0])
    armature = figure.armature
    replace_motion(armature, replace(load(armature), motion=falling))
    armature.smplify.foot_lock = 1.0
    assert "No foot contact" in armature.smplify.trouble
    armature.smplify.foot_lock = 0.0
    assert armature.smplify.trouble == ""


def test_the_current_frame_is_shown_at_once(add_fitted, body):
    figure = add_fitted()
    bpy.context.scene.frame_set(8)
    figure.armature.smplify.height_m = 0.5
    bpy.context.view_layer.update()
    posed = figure.armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    pelvis = posed.matrix_world @ posed.pose.bones["pelvis"].head
    np.testing.assert_allclose(pelvis, joints(body, figure.motion, 7)[0] + [0.0, 0.0, 0.5], atol=1e-4)


def test_only_changed_channels_are_written(add_fitted):
    figure = add_fitted()
    channels = Channels(figure.armature)
    knee = channels.find(KNEE, 1)
    for point in knee.keyframe_points:
        point.interpolation = "BEZIER"
    figure.armature.smplify.height_m = 0.1
    figure.armature.smplify.smoothing = 1.0
    assert {point.interpolation for point in channels.find(KNEE, 1).keyframe_points} == {"BEZIER"}
    assert channels.find(KNEE, 1) == knee


def test_undo_and_redo_of_a_setting(add_fitted, body):
    add_fitted()
    bpy.ops.ed.undo_push(message="added")
    figure = bpy.data.objects["walk"]
    before = [shown(figure, frame) for frame in (1, 20)]
    figure.smplify.height_m = 0.3
    bpy.ops.ed.undo_push(message="lifted")
    after = [shown(bpy.data.objects["walk"], frame) for frame in (1, 20)]
    bpy.ops.ed.undo()
    figure = bpy.data.objects["walk"]
    assert figure.smplify.height_m == 0.0 and not keys_edited(figure)
    np.testing.assert_allclose([shown(figure, frame) for frame in (1, 20)], before, atol=1e-6)
    bpy.ops.ed.redo()
    figure = bpy.data.objects["walk"]
    assert figure.smplify.height_m == pytest.approx(0.3)
    np.testing.assert_allclose([shown(figure, frame) for frame in (1, 20)], after, atol=1e-6)
    figure.smplify.height_m = 0.0
    np.testing.assert_allclose([shown(figure, frame) for frame in (1, 20)], before, atol=1e-4)


def test_each_figure_has_settings_of_its_own(add_fitted, body):
    first, second = add_fitted(name="one"), add_fitted(30, name="two", seed=4)
    second.armature.smplify.height_m = 0.2
    first.armature.smplify.smoothing = 1.0
    np.testing.assert_allclose(
        shown(second.armature, 11), joints(body, cleaned(second, body, height_m=0.2), 10), atol=1e-4
    )
    np.testing.assert_allclose(
        shown(first.armature, 11), joints(body, cleaned(first, body, smoothing=1.0), 10), atol=1e-4
    )


def edit(armature, by=0.2):
    point = Channels(armature).find(KNEE, 1).keyframe_points[5]
    point.co.y += by
    return point.co.y


def test_edited_keys_are_not_overwritten_without_confirmation(add_fitted, body):
    figure = add_fitted()
    armature = figure.armature
    armature.smplify.height_m = 0.1
    value = edit(armature)
    armature.smplify.smoothing = 0.7
    assert armature.smplify.edited
    assert armature.smplify.smoothing == 0.0 and armature.smplify.height_m == pytest.approx(0.1)
    assert Channels(armature).find(KNEE, 1).keyframe_points[5].co.y == pytest.approx(value)
    bpy.context.view_layer.objects.active = armature
    assert bpy.ops.smplify.overwrite_edits() == {"FINISHED"}
    assert not armature.smplify.edited and not keys_edited(armature)
    expected = cleaned(figure, body, height_m=0.1)
    np.testing.assert_allclose(shown(armature, 6), joints(body, expected, 5), atol=1e-4)


def test_settings_work_on_top_of_kept_edits(add_fitted, body):
    figure = add_fitted()
    armature = figure.armature
    armature.smplify.height_m = 0.1
    edit(armature)
    edited = shown(armature, 6)
    bpy.context.view_layer.objects.active = figure.mesh
    assert bpy.ops.smplify.keep_edits() == {"FINISHED"}
    assert armature.smplify.height_m == 0.0
    np.testing.assert_allclose(shown(armature, 6), edited, atol=1e-5)
    armature.smplify.height_m = 0.2
    np.testing.assert_allclose(shown(armature, 6), edited + [0.0, 0.0, 0.2], atol=1e-4)
    assert bpy.ops.smplify.restore_motion() == {"FINISHED"}
    assert armature.smplify.height_m == 0.0 and load(armature).original is None
    np.testing.assert_allclose(shown(armature, 6), joints(body, figure.motion, 5), atol=1e-4)


def test_keys_of_other_properties_are_kept(add_fitted):
    figure = add_fitted()
    figure.armature.pose.bones["left_hand"].keyframe_insert("rotation_quaternion", frame=4)
    figure.armature.keyframe_insert("location", frame=2)
    figure.armature.smplify.edited = False
    bpy.context.view_layer.objects.active = figure.armature
    bpy.ops.smplify.overwrite_edits()
    figure.armature.smplify.smoothing = 1.0
    channels = Channels(figure.armature)
    assert not figure.armature.smplify.edited
    assert channels.find("location", 2) is not None
    assert channels.find('pose.bones["left_hand"].rotation_quaternion', 3) is not None


def test_an_unreadable_body_reverts_the_setting(add_fitted, tmp_path):
    from blender_addon.figure.record import store
    from core.pipeline import FitSource

    figure = add_fitted()
    record = load(figure.armature)
    store(figure.armature, replace(record, source=FitSource(body=str(tmp_path / "SMPL_GONE.npz"))))
    figure.armature.smplify.smoothing = 1.0
    assert figure.armature.smplify.smoothing == 0.0
    assert "SMPL_GONE.npz" in figure.armature.smplify.trouble and not keys_edited(figure.armature)


def test_the_cleanup_analysis_is_cached_after_opening_a_file(add_fitted, body, monkeypatch):
    figure = add_fitted()
    armature = figure.armature
    CLEANUP_CACHE.clear()
    live_settings.analyse_ahead(armature, load(armature))
    CLEANUP_CACHE.wait()
    expected = cleaned(figure, body, smoothing=1.0)
    monkeypatch.setattr(live_settings, "analyse_motion", None)  # it is not called again
    armature.smplify.smoothing = 1.0
    np.testing.assert_allclose(shown(armature, 20), joints(body, expected, 19), atol=1e-4)


def test_a_damaged_figure_is_not_analysed_ahead(add_fitted):
    figure = add_fitted()
    bpy.data.objects.remove(figure.mesh)
    figure.armature.data.bones["neck"].name = "throat"
    CLEANUP_CACHE.clear()
    live_settings.analyse_ahead(figure.armature, load(figure.armature))
    assert not CLEANUP_CACHE.is_known(figure.armature[MARK_KEY])


def test_settings_survive_saving(add_fitted, body, tmp_path):
    figure = add_fitted()
    figure.armature.smplify.height_m = 0.3
    expected = cleaned(figure, body, height_m=0.3, smoothing=1.0)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "session.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "session.blend"))
    armature = bpy.data.objects["walk"]
    assert armature.smplify.height_m == pytest.approx(0.3) and not keys_edited(armature)
    armature.smplify.smoothing = 1.0
    np.testing.assert_allclose(shown(armature, 20), joints(body, expected, 19), atol=1e-4)


def test_the_error_curve_shows_the_report(add_fitted):
    figure = add_fitted()
    report = load(figure.armature).report
    keys = keys_of(Channels(figure.armature).find('["fit_error_mm"]'))
    known = np.delete(np.arange(40), 3)
    np.testing.assert_array_equal(keys[:, 0], 1 + known)
    np.testing.assert_allclose(keys[:, 1], report.keypoint_error_mm[known], rtol=1e-6)
    bpy.context.scene.frame_set(11)
    posed = figure.armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    assert posed["fit_error_mm"] == pytest.approx(report.keypoint_error_mm[10], rel=1e-6)
    bpy.context.view_layer.objects.active = figure.armature
    assert bpy.ops.smplify.go_to_worst() == {"FINISHED"}
    assert bpy.context.scene.frame_current == 1 + int(np.nanargmax(report.keypoint_error_mm))


def test_the_list_shows_the_flags_and_jumps_to_them(add_fitted):
    from blender_addon.result.flag_list import fill

    flags = (Flag("held", "left arm", 4, 9), Flag("missing", "person", 20, 20))
    figure = add_fitted(flags=flags)
    scene, properties = bpy.context.scene, figure.armature.smplify
    bpy.context.view_layer.objects.active = figure.armature
    fill(figure.armature)
    assert [(row.name, row.kind, row.first, row.last) for row in properties.flags] == [
        ("left arm", "held", 5, 10), ("person", "missing", 21, 21),
    ]  # fmt: skip
    properties.flag_index = 1
    assert scene.frame_current == 21 and (properties.range_first, properties.range_last) == (21, 21)
    assert bpy.ops.smplify.go_to_flag(which="PREVIOUS") == {"FINISHED"}
    assert scene.frame_current == 5 and properties.flag_index == 0
    bpy.ops.smplify.go_to_flag(which="NEXT")
    assert scene.frame_current == 21
    bpy.ops.smplify.go_to_flag(which="NEXT")
    assert scene.frame_current == 21


def test_operators_need_a_figure_with_a_record(addon, add_person, make_motion):
    names = ("go_to_worst", "go_to_flag", "keep_edits", "overwrite_edits", "restore_motion")
    assert not any(getattr(bpy.ops.smplify, name).poll() for name in names)
    figure = add_person(make_motion(3))
    bpy.context.view_layer.objects.active = figure.armature
    assert not any(getattr(bpy.ops.smplify, name).poll() for name in names)


@pytest.mark.parametrize("name", ["smoothing", "foot_lock", "height_m"])
def test_1000_frames_follow_a_slider_fast_enough(add_fitted, name):
    figure = add_fitted(1000, fps=60.0)
    properties = figure.armature.smplify
    setattr(properties, name, 0.01)
    seconds = []
    for step in range(1, 8):
        started = time.process_time()  # of this process alone, whatever else the machine does
        setattr(properties, name, 0.1 * step)
        seconds.append(time.process_time() - started)
    assert np.median(seconds) < 0.1


def test_selected_figures_take_the_settings_unless_edited(add_fitted, body):
    first, second, third = (add_fitted(30, name=name, seed=seed) for seed, name in enumerate(("one", "two", "three")))
    bpy.context.view_layer.objects.active = first.armature
    assert not bpy.ops.smplify.copy_settings.poll()
    for figure in (first, second, third):
        figure.armature.select_set(True)
    first.armature.smplify.height_m, first.armature.smplify.root = 0.2, "in_place"
    value = edit(third.armature)
    assert bpy.ops.smplify.copy_settings() == {"FINISHED"}
    expected = cleaned(second, body, height_m=0.2, root="in_place")
    np.testing.assert_allclose(shown(second.armature, 11), joints(body, expected, 10), atol=1e-4)
    assert third.armature.smplify.edited and third.armature.smplify.root == "world"
    assert Channels(third.armature).find(KNEE, 1).keyframe_points[5].co.y == pytest.approx(value)


@pytest.mark.parametrize("linked", [False, True])
def test_a_duplicated_figure_is_adjusted_independently(add_fitted, body, linked):
    figure = add_fitted()
    for item in (figure.armature, figure.mesh):
        item.select_set(True)
    bpy.context.view_layer.objects.active = figure.armature
    bpy.ops.object.duplicate(linked=linked)
    copy = bpy.data.objects["walk.001"]
    copy.smplify.height_m = 0.25
    assert not copy.smplify.edited
    lifted = joints(body, figure.motion, 9) + [0.0, 0.0, 0.25]
    np.testing.assert_allclose(shown(copy, 10), lifted, atol=1e-4)
    np.testing.assert_allclose(shown(figure.armature, 10), joints(body, figure.motion, 9), atol=1e-4)
