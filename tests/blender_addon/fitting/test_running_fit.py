"""A running fit: progress, cancelling without a trace, and what ends it."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import blender_addon  # noqa: E402
from blender_addon.background import modal_operator  # noqa: E402
from blender_addon.background.fit_session import FITS, FitState  # noqa: E402
from blender_addon.background.modal_operator import RunsFit  # noqa: E402
from blender_addon.fit.operators import SMPLIFY_OT_fit  # noqa: E402
from blender_addon.fit.panel import SMPLIFY_PT_fit  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402
from tests.blender_addon.test_registration import registered  # noqa: E402


class Clicked(RunsFit):
    """The operator as a click starts it: a thread, then modal events; a window is not needed for that."""

    prepare, finish, _finish_one = SMPLIFY_OT_fit.prepare, SMPLIFY_OT_fit.finish, SMPLIFY_OT_fit._finish_one
    _doubts, _is_in_box_1 = SMPLIFY_OT_fit._doubts, SMPLIFY_OT_fit._is_in_box_1
    box = SMPLIFY_OT_fit.box

    def __init__(self):
        self.reports = []

    def report(self, kind, message):
        self.reports.append((kind, message))


@pytest.fixture
def clicked(walk):
    """The operator with its thread running, and a function that sends it events until it ends."""
    operator = Clicked()
    assert operator._begin(bpy.context, None) == ""
    operator._task.start()

    def send(*events):
        for event in events or ("TIMER",):
            result = operator.modal(bpy.context, SimpleNamespace(type=event, value="PRESS"))
        return result

    return operator, send


def test_a_cancelled_fit_changes_nothing(clicked, contents):
    operator, send = clicked
    before = contents()
    assert send("MOUSEMOVE") == {"PASS_THROUGH"}, "Blender stays usable"
    assert send("ESC") == {"RUNNING_MODAL"}
    operator._task.wait(60.0)
    assert send("TIMER") == {"CANCELLED"}
    assert contents() == before and FITS.state is FitState.CANCELLED
    assert operator.reports[-1][0] == {"WARNING"}
    assert "Cancelled" in draw(SMPLIFY_PT_fit).text
    assert bpy.ops.smplify.fit.poll(), "another may follow"


def test_the_cancel_button_cancels_as_esc_does(clicked):
    operator, send = clicked
    assert bpy.ops.smplify.cancel_fit() == {"FINISHED"} and FITS.state is FitState.CANCELLING
    assert "Cancelling..." in draw(SMPLIFY_PT_fit).labels
    operator._task.wait(60.0)
    assert send() == {"CANCELLED"} and not bpy.data.objects
    assert not bpy.ops.smplify.cancel_fit.poll()


def test_a_running_fit_shows_its_progress_and_no_second_one_starts(walk, monkeypatch):
    may_end = threading.Event()
    operator = Clicked()
    job_run = operator.prepare(bpy.context)
    monkeypatch.setattr(
        operator,
        "prepare",
        lambda context: lambda tell: tell(0.25, "Fitting the poses") and may_end.wait(20.0) and job_run(tell),
    )
    operator._begin(bpy.context, None)
    operator._task.start()
    while operator._task.status.share < 0.25:
        pass
    drawn = draw(SMPLIFY_PT_fit)
    assert drawn.progress == [(0.25, "25%")] and "Fitting the poses" in drawn.labels
    assert "smplify.cancel_fit" in drawn.operators and "smplify.fit" not in drawn.operators
    assert FITS.state is FitState.RUNNING and not bpy.ops.smplify.fit.poll()
    may_end.set()
    operator._task.wait(60.0)
    assert operator.modal(bpy.context, SimpleNamespace(type="TIMER", value="NOTHING")) == {"FINISHED"}
    assert "walk" in bpy.data.objects


def test_a_finished_fit_waits_for_object_mode(clicked):
    operator, send = clicked
    bpy.ops.mesh.primitive_plane_add()
    bpy.ops.object.mode_set(mode="EDIT")
    operator._task.wait(60.0)
    assert send() == {"PASS_THROUGH"} and FITS.state is FitState.WAITING
    assert "leave Edit or Pose Mode" in draw(SMPLIFY_PT_fit).text
    bpy.ops.object.mode_set(mode="OBJECT")
    assert send() == {"FINISHED"} and "walk" in bpy.data.objects


def test_loading_a_blend_file_cancels_the_fit(clicked):
    operator, send = clicked
    task = operator._task
    bpy.ops.wm.read_homefile(use_empty=True)
    assert not FITS.busy and task.wait(60.0)
    assert send() == {"CANCELLED"} and not bpy.data.objects and FITS.state is FitState.IDLE


def test_the_figure_is_added_to_the_scene_of_the_fit(clicked):
    operator, send = clicked
    home = bpy.context.scene
    bpy.context.window.scene = bpy.data.scenes.new("Other")
    operator._task.wait(60.0)
    assert send() == {"FINISHED"}
    assert bpy.context.window.scene.name == "Other" and "walk" in home.objects
    assert not bpy.data.scenes["Other"].objects
    assert f"It is in the scene {home.name}." in FITS.message, "the scene that is shown has no figure"


def test_a_fit_whose_scene_was_deleted_is_cancelled(clicked):
    operator, send = clicked
    home = bpy.context.scene
    bpy.context.window.scene = bpy.data.scenes.new("Other")
    bpy.data.scenes.remove(home)
    operator._task.wait(60.0)
    assert send() == {"CANCELLED"} and "scene" in FITS.message and not bpy.data.objects


def test_closing_the_window_cancels_the_fit(clicked):
    operator, _ = clicked
    operator.cancel(bpy.context)
    assert not FITS.busy and operator._task.wait(60.0) and not bpy.data.objects


def test_an_unexpected_exception_is_raised_and_does_not_block_the_box(walk, monkeypatch):
    operator = Clicked()
    monkeypatch.setattr(operator, "prepare", lambda context: lambda progress: 1 / 0)
    operator._begin(bpy.context, None)
    operator._task.run()
    with pytest.raises(ZeroDivisionError):
        operator.modal(bpy.context, SimpleNamespace(type="TIMER", value="NOTHING"))
    assert FITS.state is FitState.FAILED and draw(SMPLIFY_PT_fit).alerts and bpy.ops.smplify.fit.poll()


def test_unregistering_cancels_a_running_fit(scene, write_track, tmp_path):
    blender_addon.register()
    bpy.context.scene.smplify.track.filepath = str(write_track(tmp_path / "walk.npz", num_frames=300))
    operator = Clicked()
    operator._begin(bpy.context, None)
    operator._task.start()
    blender_addon.unregister()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("SMPLify")]
    assert registered() == set() and not modal_operator._timers and not FITS.busy
