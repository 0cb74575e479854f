"""The list of point names of box 1: its rows, what a change does, files, undo, saving, and the numbers in the view."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import blender_addon  # noqa: E402
from blender_addon.figure.axes import to_axes  # noqa: E402
from blender_addon.track import point_labels  # noqa: E402
from blender_addon.track.panel import SMPLIFY_PT_track  # noqa: E402
from blender_addon.track.point_list import icon_of  # noqa: E402
from blender_addon.track.session import TRACKS, TrackState  # noqa: E402
from blender_addon.track.settings import track_request  # noqa: E402
from core.layouts import BODY25, NAMED  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402

WALK = str(REPOSITORY / "samples" / "walk.trc")
FIRST = 4
"""Index in the unnamed file of the first point of BODY25."""


@pytest.fixture
def settings(addon):
    return addon.smplify.track


@pytest.fixture
def known(write_track, tmp_path) -> str:
    """A file of BODY25's points with their names."""
    return str(write_track(tmp_path / "known.npz"))


@pytest.fixture
def unnamed(known, tmp_path) -> str:
    """The same points among others, without names: no layout has so many."""
    positions = np.load(known)["positions"]
    points = np.full((len(positions), 34, 3), 0.5)
    points[:, FIRST : FIRST + 25] = positions
    path = tmp_path / "points.npy"
    np.save(path, points)
    return str(path)


def read(settings) -> TrackState:
    """Read the file by the settings, as a timer does with a window."""
    bpy.ops.smplify.read_track() if TRACKS.request != track_request(settings) else None
    return TRACKS.state(track_request(settings))


def open_list(settings, path: str, **more: object) -> TrackState:
    try:
        bpy.ops.smplify.open_track(filepath=path, **more)
    except RuntimeError:
        pass  # as for a user, who sees the message and opens the list
    settings.show_points = True
    return TRACKS.state(track_request(settings))


def read_again(settings) -> TrackState:
    try:
        return read(settings)
    except RuntimeError:
        return TRACKS.state(track_request(settings))


def name_all(settings) -> None:
    for index, point in enumerate(BODY25.points):
        settings.points[FIRST + index].body_point = point.solver


def test_the_list_shows_recognised_points(settings):
    assert open_list(settings, WALK) is TrackState.READ
    names = TRACKS.readings[0].matched
    rows = {row.name: row for row in settings.points}
    assert set(names) <= set(rows)
    assert rows["LHip"].body_point == "left_hip" and icon_of(rows["LHip"]) == "CHECKMARK"
    assert settings.point_names == "" and track_request(settings).given == {}
    drawn = draw(SMPLIFY_PT_track)
    assert drawn.lists == ["SMPLIFY_UL_points"] and "Enough for a fit" in drawn.labels
    assert {"smplify.save_points", "smplify.load_points", "smplify.detect_points"} <= set(drawn.operators)
    settings.show_points = False
    assert len(settings.points) == 0 and not draw(SMPLIFY_PT_track).lists


def test_points_without_names_can_be_named_in_the_list(settings, known, unnamed):
    assert open_list(settings, unnamed, frame_rate="30") is TrackState.BAD_FILE
    assert "Point Names" in draw(SMPLIFY_PT_track).text
    assert len(settings.points) == 34 and not any(row.body_point for row in settings.points)
    drawn = draw(SMPLIFY_PT_track)
    assert "A fit also needs:" in drawn.labels and "left hip" in drawn.labels
    name_all(settings)
    assert TRACKS.state(track_request(settings)) is TrackState.UNREAD
    assert read(settings) is TrackState.READ
    named = TRACKS.readings[0].track
    assert named.layout.name == NAMED.name
    assert icon_of(settings.points[FIRST]) == "USER"
    positions = np.load(known)["positions"]
    for index, point in enumerate(BODY25.points):
        np.testing.assert_allclose(
            named.positions[:, named.layout.solver_index[point.solver]], positions[:, index], atol=1e-6
        )
    assert bpy.ops.smplify.detect_points() == {"FINISHED"}
    assert TRACKS.state(track_request(settings)) is TrackState.BAD_FILE
    assert not any(row.body_point for row in settings.points)
    settings.points[0].body_point = "Left Hip"
    assert settings.points[0].body_point == "left_hip"
    settings.points[1].body_point = "left hop"
    assert read_again(settings) is TrackState.BAD_FILE
    assert "'left hop' (near: left_hip" in TRACKS.error


def test_a_body_point_is_assigned_to_one_point_of_the_file(settings):
    open_list(settings, WALK)
    rows = {row.name: row for row in settings.points}
    rows["Nose"].body_point = "left_ear"
    assert rows["Nose"].is_given
    assert read(settings) is TrackState.READ
    rows["Neck"].body_point = "left_ear"
    assert rows["Nose"].body_point == "" and icon_of(rows["Nose"]) == "X"
    assert read(settings) is TrackState.READ
    assert "Nose" in TRACKS.readings[0].ignored and "Neck" in TRACKS.readings[0].matched
    rows["LHip"].body_point = ""
    assert read_again(settings) is TrackState.BAD_FILE
    assert TRACKS.recognition.lacking == ("left hip",)
    assert draw(SMPLIFY_PT_track).lists, "the list must stay open to mend it"
    rows["LHip"].body_point = "left_hip"
    assert read(settings) is TrackState.READ


def test_names_are_saved_and_loaded_in_the_commands_format(settings, unnamed, tmp_path):
    open_list(settings, unnamed, frame_rate="30")
    name_all(settings)
    read(settings)
    positions = TRACKS.readings[0].track.positions
    path = tmp_path / "names.json"
    assert bpy.ops.smplify.save_points(filepath=str(path)) == {"FINISHED"}
    assert json.loads(path.read_text())["points"][FIRST]["body_point"] == BODY25.points[0].solver
    assert open_list(settings, unnamed, frame_rate="30") is TrackState.BAD_FILE
    assert settings.point_names == ""
    assert bpy.ops.smplify.load_points(filepath=str(path)) == {"FINISHED"}
    np.testing.assert_array_equal(TRACKS.readings[0].track.positions, positions)
    assert settings.points[FIRST].body_point == BODY25.points[0].solver
    assert open_list(settings, unnamed, frame_rate="30", point_names=str(path)) is TrackState.READ
    path.write_text("{")
    for refused in (
        lambda: bpy.ops.smplify.load_points(filepath=str(path)),
        lambda: bpy.ops.smplify.open_track(filepath=unnamed, point_names=str(path)),
        lambda: bpy.ops.smplify.save_points(filepath=unnamed),
    ):
        with pytest.raises(RuntimeError, match="expected JSON|the chosen keypoints"):
            refused()
    assert TRACKS.state(track_request(settings)) is TrackState.READ


def test_names_of_another_file_are_an_error_and_keep_the_list(settings, unnamed):
    open_list(settings, unnamed, frame_rate="30")
    name_all(settings)
    settings.filepath = WALK
    assert read_again(settings) is TrackState.BAD_FILE
    assert "it lacks" in TRACKS.error and TRACKS.options == ("names",)
    assert {row.name for row in settings.points} >= {"LHip", "RHip"}
    settings.point_names = "{damaged"
    assert read_again(settings) is TrackState.BAD_FILE
    assert "expected JSON" in TRACKS.error
    bpy.ops.smplify.detect_points()
    assert read_again(settings) is TrackState.READ


def test_a_script_is_told_that_loaded_names_are_those_of_another_file(settings, tmp_path):
    open_list(settings, WALK)
    path = tmp_path / "names.json"
    path.write_text('{"Unknown": "nose"}')
    with pytest.raises(RuntimeError, match="lacks 'Unknown'"):
        bpy.ops.smplify.load_points(filepath=str(path))
    assert bpy.ops.smplify.detect_points() == {"FINISHED"}


def test_names_are_kept_in_the_blend_file(settings, unnamed, tmp_path):
    open_list(settings, unnamed, frame_rate="30")
    name_all(settings)
    read(settings)
    stored, rows = settings.point_names, [row.body_point for row in settings.points]
    path = str(tmp_path / "scene.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    again = bpy.context.scene.smplify.track
    assert again.point_names == stored and [row.body_point for row in again.points] == rows
    assert read(again) is TrackState.READ


def test_fit_and_refit_use_the_names(settings, unnamed):
    open_list(settings, unnamed, frame_rate="30")
    name_all(settings)
    assert bpy.ops.smplify.fit() == {"FINISHED"}
    from blender_addon.figure.record import load

    armature = next(item for item in bpy.data.objects if item.type == "ARMATURE")
    names = load(armature).source.reading.names
    assert {point.index: point.body_point for point in names.points}[FIRST + 8] == "mid_hip"


def test_point_numbers_are_drawn_at_the_points(settings, unnamed, known):
    open_list(settings, unnamed, frame_rate="30")
    view = SimpleNamespace(
        scene=bpy.context.scene,
        space_data=SimpleNamespace(type="VIEW_3D", overlay=SimpleNamespace(show_overlays=True)),
    )
    rough = point_labels.shown_points(view)
    low, high = rough.extent()
    assert 1.0 < high[2] - low[2] < 2.5 and abs(low[2]) < 0.3, "upright, as high as a person, on the floor"
    name_all(settings)
    assert point_labels.shown_points(view) is None, "not while the file is read"
    read(settings)
    points = point_labels.shown_points(view)
    positions = np.load(known)["positions"]
    np.testing.assert_allclose(points.pose_in(3).positions[FIRST : FIRST + 25], to_axes(positions[3]), atol=1e-5)
    assert points.num_points == 34
    settings.point_index = FIRST
    texts = point_labels.labels(settings)
    assert [text for text, _ in texts] == [str(index) for index in range(34)]
    assert len({color for _, color in texts}) == 3
    settings.show_points = False
    assert point_labels.shown_points(view) is None


def test_points_are_projected_as_blender_does():
    perspective = np.diag([2.0, 3.0, 1.0, 0.0])
    perspective[3] = (0.0, 0.0, -1.0, 0.0)
    points = np.array([[0.0, 0.0, -2.0], [0.5, -0.5, -2.0], [0.0, 0.0, 2.0], [9.0, 0.0, -2.0], [np.nan, 0.0, -1.0]])
    pixels, inside = point_labels.on_screen(points, perspective, 400, 300)
    np.testing.assert_allclose(pixels[:2], [[200.0, 150.0], [300.0, 37.5]])
    assert inside.tolist() == [True, True, False, False, False]


def test_a_solved_motion_has_no_point_names(settings, tmp_path):
    path = tmp_path / "motion.npz"
    np.savez(path, poses=np.zeros((5, 156)), trans=np.zeros((5, 3)), betas=np.zeros(10), mocap_framerate=30.0)
    open_list(settings, str(path))
    assert TRACKS.recognition is None and len(settings.points) == 0
    assert not draw(SMPLIFY_PT_track).lists and not bpy.ops.smplify.save_points.poll()


def test_disabling_the_addon_removes_the_list(scene):
    for _ in range(3):
        blender_addon.register()
        assert len(point_labels._handles) == 1
        blender_addon.unregister()
        assert not point_labels._handles and not point_labels._shown
        assert not any("_read_undone" in str(handler) for handler in bpy.app.handlers.undo_post)
