"""Boxes 2 and 3: from the settings to figures, and what is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.background.fit_session import FITS, FitState  # noqa: E402
from blender_addon.body.panel import SMPLIFY_PT_body  # noqa: E402
from blender_addon.figure.animation import read_motion  # noqa: E402
from blender_addon.figure.record import load  # noqa: E402
from blender_addon.fit.operators import SMPLIFY_OT_fit  # noqa: E402
from blender_addon.fit.panel import SMPLIFY_PT_fit, SMPLIFY_PT_fit_options  # noqa: E402
from blender_addon.fit.settings import fit_job  # noqa: E402
from blender_addon.result.live_settings import adjust, applied_settings, keyed_source  # noqa: E402
from blender_addon.track import preview  # noqa: E402
from blender_addon.track.panel import SMPLIFY_PT_track  # noqa: E402
from blender_addon.track.session import TRACKS  # noqa: E402
from core.cleanup import PLANTED, CleanupOptions  # noqa: E402
from core.cleanup.lowest import lowest_heights  # noqa: E402
from core.fit.options import MODES, FitOptions  # noqa: E402
from core.fit.quality import QUALITIES  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402
from tests.blender_addon.walk import part_of_the_walk  # noqa: E402


@pytest.fixture
def walk(walk):
    """The settings of a scene whose track is read; fits are fast."""
    walk.fit.quality = "FAST"
    return walk


def test_a_fit_from_python_adds_selected_figures(walk, contents):
    figure_before = contents()[0]["objects"]
    assert bpy.ops.smplify.fit() == {"FINISHED"}
    armature = bpy.data.objects["walk"]
    assert figure_before == [] and bpy.context.view_layer.objects.active == armature and armature.select_get()
    assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (1, 12)
    assert FITS.state is FitState.DONE and "Added walk: 12 frames" in FITS.message
    assert "Added walk" in draw(SMPLIFY_PT_fit).text
    assert "UNDO" in SMPLIFY_OT_fit.bl_options
    from blender_addon.figure.record import load

    assert load(armature).source.file.endswith("walk.npz")


@pytest.mark.main_blender
@pytest.mark.parametrize("floor", [True, False], ids=["on the floor", "as recorded"])
def test_a_fit_starts_with_foot_lock_and_feet_on_floor_as_in_a_batch(addon, floor, tmp_path):
    bpy.ops.smplify.open_track(filepath=part_of_the_walk(tmp_path / "walk.trc", 0, 90))
    addon.smplify.fit.floor = floor
    bpy.ops.smplify.fit()
    armature = bpy.context.view_layer.objects.active
    assert applied_settings(armature) == (PLANTED if floor else CleanupOptions())
    lowest = lowest_heights(read_motion(armature, 60.0), keyed_source(armature)[0].model)
    under = float((lowest < -0.003).mean())
    assert under < 0.01 if floor else under > 0.1
    adjust(armature, CleanupOptions())
    back = read_motion(armature, 60.0)
    np.testing.assert_allclose(back.trans, load(armature).motion.trans, atol=1e-5)


def test_a_fit_keeps_the_scenes_rate_and_range_and_begins_at_the_given_frame(walk):
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1001, 1100
    walk.fit.begin, walk.fit.begin_frame = "FRAME", 1093
    assert fit_job(bpy.context).place.rate == 24.0
    bpy.ops.smplify.fit()
    assert (scene.frame_start, scene.frame_end, scene.render.fps) == (1001, 1100, 24)
    assert tuple(bpy.data.objects["walk"].animation_data.action.frame_range) == (1093, 1101)
    assert (
        "keeps its 24 fps; the motion had 30. Its range 1001–1100 was kept; the motion goes on to 1101." in FITS.message
    )
    walk.fit.timing, walk.fit.begin = "CLIP", "RANGE"
    bpy.ops.smplify.fit()
    assert (scene.frame_start, scene.frame_end, scene.render.fps) == (1, 12, 30)
    assert "now has 30 fps instead of 24. Its range is now 1–12 instead of 1001–1100." in FITS.message


def pelvis_at(name, frame):
    bpy.context.scene.frame_set(frame)
    return np.array(bpy.data.objects[name].pose.bones["pelvis"].head)


@pytest.mark.main_blender
def test_two_files_of_one_recording_stay_aligned(addon, tmp_path):
    fit = addon.smplify.fit
    fit.quality, fit.begin, fit.floor = "FAST", "RECORDING", False
    for name, first, last in (("whole", 0, 60), ("late", 22, 60)):
        bpy.ops.smplify.open_track(filepath=part_of_the_walk(tmp_path / f"{name}.trc", first, last))
        assert preview.start_frame(addon, TRACKS.readings[0].track.start_s) == 1 + first
        bpy.ops.smplify.fit()
    assert "It begins at frame 23." in FITS.message
    assert "Begins at 0.37 s of its recording" in draw(SMPLIFY_PT_track).labels
    assert tuple(bpy.data.objects["late"].animation_data.action.frame_range) == (23, 60)
    assert (addon.frame_start, addon.frame_end, addon.render.fps) == (1, 60, 60)
    apart = [np.abs(pelvis_at("late", frame) - pelvis_at("whole", frame)).max() for frame in (23, 40, 60)]
    assert max(apart) < 0.03 < 0.2 < np.abs(pelvis_at("whole", 60) - pelvis_at("whole", 38)).max()


def test_a_motion_that_would_end_after_blenders_last_frame_is_refused(walk):
    walk.fit.begin, walk.fit.begin_frame = "FRAME", 1_048_570
    with pytest.raises(RuntimeError, match="1048574"):
        bpy.ops.smplify.fit()
    assert not bpy.data.objects and not bpy.data.collections


@pytest.mark.main_blender
def test_a_fit_reports_doubts_or_points_to_box_1(walk, monkeypatch):
    reading = TRACKS.readings[0]
    TRACKS.readings[0] = replace(reading, track=replace(reading.track, doubts=("+Z up is assumed",)))
    bpy.ops.smplify.fit()
    assert "Doubts about the track: 1, see box 1." in FITS.message
    monkeypatch.setattr(SMPLIFY_OT_fit, "_is_in_box_1", lambda self: False)
    bpy.ops.smplify.fit()
    assert FITS.message.endswith("+Z up is assumed.")


def test_the_report_of_added_figures_disappears_on_undo(walk):
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.smplify.fit()
    bpy.ops.ed.undo_push(message="fitted")
    assert "Added walk" in draw(SMPLIFY_PT_fit).text
    bpy.ops.ed.undo()
    assert "walk" not in bpy.data.objects and "Added" not in draw(SMPLIFY_PT_fit).text


def test_the_error_of_a_fit_survives_an_undo_step(walk):
    bpy.ops.ed.undo_push(message="before")
    bpy.context.scene.smplify.body.betas = "FILE"
    bpy.ops.ed.undo_push(message="betas")
    with pytest.raises(RuntimeError):
        bpy.ops.smplify.fit()
    bpy.ops.ed.undo()
    assert "Betas File" in draw(SMPLIFY_PT_fit).text


def test_the_range_to_fit_again_is_at_first_all_frames(walk):
    bpy.ops.smplify.fit()
    figure = bpy.data.objects["walk"].smplify
    assert (figure.range_first, figure.range_last) == (1, 12)


@pytest.mark.main_blender
def test_a_fit_reads_the_file_first_if_necessary(addon, write_track, tmp_path):
    addon.smplify.track.filepath = str(write_track(tmp_path / "walk.npz"))
    assert bpy.ops.smplify.fit() == {"FINISHED"} and "walk" in bpy.data.objects


@pytest.mark.main_blender
def test_all_people_or_one_chosen_person_are_fitted(addon, write_track, tmp_path):
    with np.load(write_track(tmp_path / "walk.npz", num_frames=8)) as stored:
        positions = stored["positions"]
    folder = tmp_path / "clip"
    folder.mkdir()
    for frame, points in enumerate(positions):
        people = [{"id": who, "keypoints3d": np.column_stack([points + (2.0 * who, 0, 0), np.ones(25)]).tolist()}
                  for who in (3, 7)]  # fmt: skip
        (folder / f"{frame:06d}.json").write_text(str(people).replace("'", '"'))
    bpy.ops.smplify.open_track(filepath=str(folder), frame_rate="30")
    bpy.ops.smplify.fit()
    assert {"clip_3", "clip_7"} <= set(bpy.data.objects.keys())
    apart = bpy.data.objects["clip_7"].pose.bones["pelvis"].head - bpy.data.objects["clip_3"].pose.bones["pelvis"].head
    assert apart.x == pytest.approx(8.0, abs=0.05)
    bpy.ops.smplify.choose_person(person="7")
    bpy.ops.smplify.fit()
    assert "clip_7.001" in bpy.data.objects and "clip_3.001" not in bpy.data.objects
    TRACKS.clear()
    addon.smplify.track.person = "nobody"
    with pytest.raises(RuntimeError, match=r"found 3, 7"):
        bpy.ops.smplify.fit()


def test_the_preview_is_lifted_with_the_figure(walk):
    bpy.ops.smplify.fit()
    mesh = bpy.data.objects["walk body"].evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    lift = TRACKS.lifts_m[0]
    raw = np.nanmin([reading.track.positions[0, :, 1].min() for reading in TRACKS.readings])
    lowest = min(vertex.co.z for vertex in mesh.vertices)
    assert raw + lift == pytest.approx(lowest, abs=0.15) and abs(lift) > 1e-3


def test_a_missing_or_unreadable_track_is_an_error(addon, tmp_path, write_track):
    assert not bpy.ops.smplify.fit.poll()
    addon.smplify.track.filepath = str(tmp_path / "gone.trc")
    with pytest.raises(RuntimeError, match=r"gone\.trc"):
        bpy.ops.smplify.fit()
    assert FITS.state is FitState.FAILED and draw(SMPLIFY_PT_fit).alerts
    with pytest.raises(RuntimeError):
        bpy.ops.smplify.open_track(filepath=str(tmp_path / "gone.trc"))
    assert not bpy.ops.smplify.fit.poll(), "box 1 shows the error"
    bpy.ops.smplify.open_track(filepath=str(write_track(tmp_path / "walk.npz")))
    bpy.ops.mesh.primitive_plane_add()
    assert bpy.ops.smplify.fit.poll()
    bpy.ops.object.mode_set(mode="EDIT")
    assert not bpy.ops.smplify.fit.poll()


def test_every_setting_reaches_the_fit(walk, tmp_path):
    np.save(tmp_path / "betas.npy", np.linspace(-1.0, 1.0, 10))
    walk.fit.mode, walk.fit.quality, walk.fit.smoothing = "FRAMES", "BEST", 0.25
    walk.fit.motion_fps, walk.fit.workers, walk.fit.device = 15.0, 3, "cpu"
    walk.body.betas, walk.body.betas_file = "FILE", str(tmp_path / "betas.npy")
    walk.track.person = "1"
    job = fit_job(bpy.context)
    options = job.options.fit
    assert (options.mode, options.quality, options.smoothing) == ("frames", "best", 0.25)
    assert (options.fps, options.workers, options.device) == (15.0, 3, "cpu")
    assert (job.person, job.options.betas, len(job.readings)) == ("1", str(tmp_path / "betas.npy"), 1)
    fit = walk.fit.bl_rna.properties
    assert [item.identifier.lower() for item in fit["mode"].enum_items] == list(MODES)
    assert [item.identifier.lower() for item in fit["quality"].enum_items] == list(QUALITIES)
    assert fit["quality"].default.lower() == FitOptions().quality


@pytest.mark.main_blender
def test_a_fit_frame_by_frame_at_another_frame_rate(walk):
    walk.fit.mode, walk.fit.motion_fps = "FRAMES", 15.0
    assert bpy.ops.smplify.fit() == {"FINISHED"}
    assert bpy.context.scene.render.fps == 15 and bpy.context.scene.frame_end == 6


@pytest.mark.main_blender
def test_betas_are_taken_from_a_file_or_a_figure(walk, tmp_path):
    betas = np.array([1.5, -0.5, 0.25, 0, 0, 0, 0, 0, 0, 0])
    np.save(tmp_path / "betas.npy", betas)
    walk.body.betas = "FILE"
    with pytest.raises(RuntimeError, match="Betas File"):
        bpy.ops.smplify.fit()
    walk.body.betas_file = str(tmp_path / "betas.npy")
    bpy.ops.smplify.fit()
    walk.body.betas = "FIGURE"
    assert "walk" in draw(SMPLIFY_PT_body).labels
    bpy.ops.smplify.fit()
    keys = bpy.data.objects["walk body.001"].data.shape_keys.key_blocks
    np.testing.assert_allclose([keys[f"beta_{index}"].value for index in range(10)], betas, atol=1e-6)
    bpy.context.view_layer.objects.active = None
    assert "Make a figure active" in draw(SMPLIFY_PT_body).labels
    with pytest.raises(RuntimeError, match="active figure"):
        bpy.ops.smplify.fit()


def test_a_shape_that_blender_cannot_hold_leaves_the_scene_as_it_was(walk, contents, tmp_path):
    np.save(tmp_path / "betas.npy", np.array([0.5, -0.5, 10.5, 0, 0, 0, 0, 0, 0, 0]))
    walk.body.betas, walk.body.betas_file = "FILE", str(tmp_path / "betas.npy")
    before = contents()
    with pytest.raises(RuntimeError, match="betas between"):
        bpy.ops.smplify.fit()
    assert contents() == before and FITS.state is FitState.FAILED


@pytest.mark.main_blender
def test_betas_of_another_body_are_refused(walk):
    walk.body.betas = "FIGURE"
    bpy.ops.smplify.fit.poll()
    walk.body.betas = "TRACK"
    bpy.ops.smplify.fit()
    armature = bpy.data.objects["walk"]
    template = np.array(armature.data["smplify_joint_template"])
    armature.data["smplify_joint_template"] = (1.1 * template).tolist()
    walk.body.betas = "FIGURE"
    with pytest.raises(RuntimeError, match="another body"):
        bpy.ops.smplify.fit()


def test_a_figure_fitted_without_pose_correctives_shows_none(walk):
    walk.fit.pose_correctives, walk.fit.quality = False, "FAST"
    bpy.ops.smplify.fit()
    assert not bpy.context.object.smplify.correctives


def test_boxes_2_and_3_with_default_settings(addon):
    assert draw(SMPLIFY_PT_body).props == ["kind", "betas"]
    drawn = draw(SMPLIFY_PT_fit)
    assert drawn.props == ["mode", "quality"] and drawn.operators == ["smplify.fit"]
    shown = {"smoothing", "motion_fps", "timing", "begin", "floor", "fingers", "hands", "pose_correctives"}
    shown |= {"device_menu", "workers"}
    assert shown == set(draw(SMPLIFY_PT_fit_options).props)
    addon.smplify.fit.begin = "FRAME"
    assert shown | {"begin_frame"} == set(draw(SMPLIFY_PT_fit_options).props)
