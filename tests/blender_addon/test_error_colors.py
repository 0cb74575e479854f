"""Colour by error: where errors are, when the frame changes, and nothing left when it is switched off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.figure.record import FigureRecord, load, store  # noqa: E402
from blender_addon.result import error_colors  # noqa: E402
from blender_addon.result.error_colors import ATTRIBUTE  # noqa: E402
from blender_addon.result.error_shading import StripPlace, point_shares, ramp, strip_bars, strip_top, vertex_colors  # noqa: E402
from core.body.landmarks import landmark_regressor  # noqa: E402
from core.fit import FitReport  # noqa: E402
from core.pipeline import FitSource  # noqa: E402

NAMES = ("nose", "left_wrist", "right_ankle")


@pytest.fixture
def figure(addon, add_person, make_motion):
    """A figure whose left wrist is far off from frame 5 on; its right ankle is not measured in frame 8."""
    motion = make_motion(10)
    figure = add_person(motion)
    errors = np.full((10, 3), 2.0)
    errors[4:, 1] = 60.0
    errors[7, 2] = np.nan
    report = FitReport(NAMES, errors, (), motion.betas, 1.7, np.ones(3), 5.0, {}, ())
    store(figure.armature, FigureRecord(figure.motion, 1, FitSource(), report, 30.0, np.zeros(3)))
    bpy.context.scene.frame_set(1)
    return figure


def colors(figure):
    attribute = figure.mesh.data.color_attributes[ATTRIBUTE]
    flat = np.empty(4 * len(figure.mesh.data.vertices), dtype=np.float32)
    attribute.data.foreach_get("color", flat)
    return flat.reshape(-1, 4)


def near(body, name):
    place = (landmark_regressor(body, (name,)) @ body.v_template)[0]
    return np.linalg.norm(body.v_template - place, axis=1) < 0.08


def is_red(values):
    return (values[:, 0] > 0.6) & (values[:, 1] < 0.2)


def frame_handlers():
    return [item.__name__ for item in bpy.app.handlers.frame_change_post if item.__module__.endswith("error_colors")]


def test_the_skin_is_red_at_points_and_frames_of_large_error(figure, body):
    figure.armature.smplify.color_by_error = True
    assert not is_red(colors(figure)).any()
    bpy.context.scene.frame_set(6)
    shown = colors(figure)
    assert is_red(shown[near(body, "left_wrist")]).all()
    assert not is_red(shown[near(body, "nose")]).any() and not is_red(shown[near(body, "right_ankle")]).any()
    bpy.context.scene.frame_set(8)
    grey = colors(figure)[near(body, "right_ankle")]
    np.testing.assert_allclose(grey[:, 0], grey[:, 2], atol=0.05)
    figure.armature.smplify.color_limit_mm = 1000.0
    assert not is_red(colors(figure)).any(), "the limit is followed at once"


@pytest.mark.parametrize("painted", [False, True])
def test_switching_off_restores_the_figure(figure, painted):
    colors = figure.mesh.data.color_attributes
    if painted:  # the user has painted the skin
        colors.active_color = colors.new("Painted", "BYTE_COLOR", "CORNER")
    areas = [area for screen in bpy.data.screens for area in screen.areas if area.type == "VIEW_3D"]
    screens = [area.spaces.active.shading for area in areas]
    for number, shading in enumerate(screens):
        shading.color_type = "SINGLE" if number % 2 else "MATERIAL"
    skin = figure.mesh.material_slots[0]

    def state():
        return (
            frame_handlers(), skin.link, skin.material, [item.name for item in figure.mesh.data.color_attributes],
            figure.mesh.data.attributes.active_color_name, figure.mesh.data.attributes.default_color_name,
            sorted(bpy.data.materials.keys()), [shading.color_type for shading in screens], sorted(figure.mesh.keys()),
        )  # fmt: skip

    before = state()
    figure.armature.smplify.color_by_error = True
    assert frame_handlers() == ["_frame_changed"]
    assert skin.material.name == "SMPLify Error" and figure.mesh.data.materials[0].name == "SMPLify Skin"
    assert {shading.color_type for shading in screens} <= {"VERTEX"}
    assert figure.mesh.data.color_attributes.active_color.name == ATTRIBUTE
    figure.armature.smplify.color_by_error = False
    assert state() == before and before[0] == []


def test_undo_and_loading_keep_the_handler_consistent(figure, tmp_path):
    bpy.ops.ed.undo_push(message="before")
    figure.armature.smplify.color_by_error = True
    bpy.ops.ed.undo_push(message="coloured")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "session.blend"))
    bpy.ops.ed.undo()
    assert frame_handlers() == []
    bpy.ops.ed.redo()
    assert frame_handlers() == ["_frame_changed"]
    bpy.ops.wm.read_homefile(use_empty=True)
    assert frame_handlers() == []
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "session.blend"))
    assert frame_handlers() == ["_frame_changed"]


def test_exports_keep_the_skin_material_without_error_colors(figure, tmp_path):
    from blender_addon.export.writers import export_figures

    figure.armature.smplify.color_by_error = True
    export_figures([figure.armature], tmp_path / "walk.glb")
    assert b"SMPLify Skin" in (tmp_path / "walk.glb").read_bytes()
    assert b"COLOR_0" not in (tmp_path / "walk.glb").read_bytes()
    assert ATTRIBUTE in figure.mesh.data.color_attributes


def test_a_figure_that_cannot_be_coloured_reports_the_reason(figure):
    store(figure.armature, replace(load(figure.armature), report=None))
    figure.armature.smplify.color_by_error = True
    assert not figure.armature.smplify.color_by_error and "motion file" in figure.armature.smplify.trouble
    assert frame_handlers() == [] and ATTRIBUTE not in figure.mesh.data.color_attributes


def test_two_figures_are_coloured_by_their_own_errors(figure, body, add_person, make_motion):
    other = add_person(make_motion(10, seed=3), "other")
    record = load(figure.armature)
    report = replace(record.report, point_error_mm=np.full((10, 3), 3.0))
    store(other.armature, replace(record, report=report))
    for item in (figure, other):
        item.armature.smplify.color_by_error = True
    bpy.context.scene.frame_set(6)
    assert is_red(colors(figure)).any() and not is_red(colors(other)).any()
    figure.armature.smplify.color_by_error = False
    assert frame_handlers() == ["_frame_changed"]
    other.armature.smplify.color_by_error = False
    assert frame_handlers() == []


def test_vertex_weights_and_colours_match_hand_computed_ones(body):
    shares = point_shares(body, NAMES)
    assert shares.shape == (len(body.v_template), 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(ramp(np.array([0.0, 25.0, 50.0, 500.0]), 50.0)[2], ramp(np.array(500.0), 50.0))
    shares = np.array([[1.0, 0.0], [0.5, 0.5]], dtype=np.float32)
    found = vertex_colors(shares, np.array([50.0, np.nan]), 50.0)
    np.testing.assert_allclose(found[0, :3], ramp(np.array(50.0), 50.0), atol=1e-6)
    np.testing.assert_allclose(found[1, :3], 0.5 * found[0, :3] + 0.5 * 0.35, atol=1e-6)


def test_strip_bars_match_hand_computed_ones():
    errors = np.array([10.0, np.nan, 200.0, 50.0])
    place = StripPlace(left=0.0, right=60.0, bottom=5.0, height=40.0, first=9, last=14)
    corners, tints = strip_bars(errors, 10, place, 100.0)
    boxes = corners.reshape(-1, 6, 2)
    np.testing.assert_allclose(boxes[:, 0, 0], [10.0, 30.0, 40.0])
    np.testing.assert_allclose(boxes[:, 1, 0], [20.0, 40.0, 50.0])
    np.testing.assert_allclose(boxes[:, 2, 1], [9.0, 45.0, 25.0])
    np.testing.assert_allclose(tints[6], [0.75, 0.03, 0.03, 1.0], atol=1e-6)
    assert place.x(9) == 5.0
    assert [strip_top(np.array([top, np.nan]), 100.0) for top in (1.0, 50.0, 99.0)] == [5.0, pytest.approx(55.0), 100.0]
    narrow = StripPlace(0.0, 2.0, 0.0, 10.0, 0, 99)
    corners, _ = strip_bars(np.r_[np.full(50, 1.0), 8.0, np.full(49, 2.0)], 0, narrow, 10.0)
    np.testing.assert_allclose(
        corners.reshape(-1, 6, 2)[:, 2, 1], [1.0 / 0.88, 10.0 / 1.1], err_msg="the worst of a pixel"
    )


def test_painting_is_fast(figure):
    import time

    figure.armature.smplify.color_by_error = True
    started = time.process_time()
    for frame in range(1, 11):
        error_colors.paint(figure.armature, frame)
    assert (time.process_time() - started) / 10 < 0.02
