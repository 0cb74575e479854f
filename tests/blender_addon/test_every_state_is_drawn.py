"""Every state of every box is drawn, and differently from the others: a state that nobody draws fails here."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import blender_addon  # noqa: E402
from blender_addon import core_access  # noqa: E402
from blender_addon.background.fit_session import FITS, FitState  # noqa: E402
from blender_addon.background.task import Task  # noqa: E402
from blender_addon.body.panel import SMPLIFY_PT_body  # noqa: E402
from blender_addon.export.panel import SMPLIFY_PT_export, SMPLIFY_PT_export_details  # noqa: E402
from blender_addon.export.properties import FORMAT_ITEMS, PRESET_ITEMS  # noqa: E402
from blender_addon.figure.custom_properties import MARK_KEY, RECORD_KEY  # noqa: E402
from blender_addon.figure.record import load, store  # noqa: E402
from blender_addon.fit.panel import SMPLIFY_PT_fit  # noqa: E402
from blender_addon.live.panel import SMPLIFY_PT_live  # noqa: E402
from blender_addon.result.flag_list import fill, why  # noqa: E402
from blender_addon.result.panel import FigureState, SMPLIFY_PT_result, SMPLIFY_UL_flags, figure_state  # noqa: E402
from blender_addon.torch_backend import preferences_box as page  # noqa: E402
from blender_addon.torch_backend.preferences_box import PageState, page_state  # noqa: E402
from blender_addon.torch_backend.probe import PythonInfo  # noqa: E402
from blender_addon.torch_backend.setup_session import SETUP  # noqa: E402
from blender_addon.track.panel import SMPLIFY_PT_track  # noqa: E402
from blender_addon.track.session import TRACKS, TrackState  # noqa: E402
from blender_addon.track.settings import track_request  # noqa: E402
from blender_addon.ui.box_errors import Box, clear_error, show_error  # noqa: E402
from core.body.free_body import load_free_body  # noqa: E402
from core.fit import Flag  # noqa: E402
from tests.blender_addon.drawing import Drawn, Layout, draw  # noqa: E402
from tests.blender_addon.widths import LIST_PX, too_wide  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402

WALK = str(REPOSITORY / "samples" / "walk.trc")
WRONG = str(REPOSITORY / "samples" / "walk_wrong_units.trc")


def look(drawn: Drawn) -> str:
    """All that can be seen, to compare."""
    return repr(drawn)


# Box 1

TRACK_TEXTS = {
    TrackState.NO_FILE: "Or drop a file on the viewport",
    TrackState.UNREAD: "smplify.read_track",
    TrackState.READING: "Reading...",
    TrackState.BAD_FILE: "Set it here:",
    TrackState.READ: "432 frames at 60 fps, 7.18 s",
}


def track_in(state: TrackState, settings, monkeypatch, may_end: threading.Event) -> None:
    """Bring box 1 into a state, as a user would."""
    if state is TrackState.UNREAD:
        settings.filepath = WALK
    elif state is TrackState.READING:
        read_people = core_access.read_people
        monkeypatch.setattr(core_access, "read_people", lambda *given: may_end.wait(20.0) and read_people(*given))
        settings.filepath = WALK
        TRACKS.start(track_request(settings))
    elif state is TrackState.BAD_FILE:
        with pytest.raises(RuntimeError):
            bpy.ops.smplify.open_track(filepath=WRONG)
    elif state is TrackState.READ:
        bpy.ops.smplify.open_track(filepath=WALK)


def test_every_state_of_a_track_is_drawn(addon, monkeypatch):
    looks, may_end = {}, threading.Event()
    settings = addon.smplify.track
    for state in TrackState:
        track_in(state, settings, monkeypatch, may_end)
        assert TRACKS.state(track_request(settings)) is state
        drawn = draw(SMPLIFY_PT_track)
        assert TRACK_TEXTS[state] in [*drawn.labels, *drawn.operators]
        assert drawn.alerts == (state is TrackState.BAD_FILE)
        looks[look(drawn)] = state
        may_end.set()
        TRACKS.wait()
    assert len(looks) == len(TrackState)


# Box 3


def a_task(*, cancelled: bool = False) -> Task:
    task = Task(lambda progress: None, None)
    if cancelled:
        task.cancel()
    return task


FIT_MAKERS = {
    FitState.IDLE: lambda: FITS.abandon(),
    FitState.RUNNING: lambda: FITS.begin(a_task()),
    FitState.CANCELLING: lambda: FITS.begin(a_task(cancelled=True)),
    FitState.WAITING: lambda: (FITS.begin(a_task()), setattr(FITS, "waiting", True)),
    FitState.DONE: lambda: FITS.end(FitState.DONE, "Added walk"),
    FitState.FAILED: lambda: (FITS.end(FitState.FAILED, "The body is gone"), show_error(Box.FIT, "The body is gone")),
    FitState.CANCELLED: lambda: FITS.end(FitState.CANCELLED, "Cancelled; nothing was changed"),
}


def test_every_state_of_a_fit_is_drawn(addon):
    looks = {}
    for state in FitState:
        FITS.abandon()
        clear_error(Box.FIT)
        FIT_MAKERS[state]()
        assert FITS.state is state
        drawn = draw(SMPLIFY_PT_fit)
        button = "smplify.cancel_fit" if FITS.busy else "smplify.fit"
        assert drawn.operators == [button] and drawn.alerts == (state is FitState.FAILED)
        assert FITS.message in drawn.text
        looks[look(drawn)] = state
    assert len(looks) == len(FitState)


# Boxes 2, 3, 6 and 7: what each choice of a menu shows


@pytest.mark.parametrize(
    ("panel", "group", "names"),
    [
        (SMPLIFY_PT_body, lambda scene: scene.smplify.body, ("kind", "betas")),
        (SMPLIFY_PT_export, lambda scene: scene.smplify_export, ("preset", "file_format", "figures")),
        (SMPLIFY_PT_fit, lambda scene: scene.smplify.fit, ("mode", "quality")),
        (SMPLIFY_PT_live, lambda scene: scene.smplify_live, ("kind",)),
    ],
)
def test_every_choice_of_a_box_can_be_drawn(addon, panel, group, names):
    settings = group(addon)
    for name in names:
        for item in settings.bl_rna.properties[name].enum_items:
            setattr(settings, name, item.identifier)
            drawn = draw(panel)
            assert name in drawn.props
            assert ("betas_file" in drawn.props) == (panel is SMPLIFY_PT_body and settings.betas == "FILE")


@pytest.mark.parametrize("preset", [item[0] for item in PRESET_ITEMS])
def test_the_box_describes_the_chosen_preset(addon, preset):
    addon.smplify_export.preset = preset
    shown = draw(SMPLIFY_PT_export_details).text
    for items, chosen in ((PRESET_ITEMS, preset), (FORMAT_ITEMS, addon.smplify_export.file_format)):
        assert next(text for name, _, text, *_ in items if name == chosen) in shown
    assert ("spine" in shown.lower()) == (addon.smplify_export.file_format != "blend")


# Box 4


@pytest.fixture
def walk(fitted_walk):
    """A fitted figure, active; its record tells of two doubtful stretches."""
    record = load(fitted_walk)
    flags = (Flag("held", "left arm", 2, 5), Flag("missing", "person", 8, 8))
    store(fitted_walk, replace(record, report=replace(record.report, flags=flags)))
    return fitted_walk


def damage(armature) -> None:
    del armature[RECORD_KEY]
    armature[RECORD_KEY] = b"nonsense"
    armature[MARK_KEY] = "another"


def become_imported(armature) -> None:
    store(armature, replace(load(armature), report=None))


def become_a_stranger(armature) -> None:
    rig = bpy.data.objects.new("rig", bpy.data.armatures.new("rig"))
    bpy.context.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig


FIGURE_MAKERS = {
    FigureState.FITTED: (lambda armature: None, "Stature"),
    FigureState.IMPORTED: (become_imported, "Adjust Without Fitting"),
    FigureState.DAMAGED: (damage, "the figure's record"),
    FigureState.STRANGER: (become_a_stranger, "was not fitted here"),
    FigureState.NONE: (lambda _: setattr(bpy.context.view_layer.objects, "active", None), "No figure is active"),
}


def test_the_shown_stature_follows_the_shape_keys(walk):
    keys = walk.children[0].data.shape_keys.key_blocks
    report = load(walk).report
    assert f"Stature {report.stature_m:.2f} m" in draw(SMPLIFY_PT_result).labels
    keys["beta_0"].value += 2.0
    body = load_free_body()
    betas = report.betas + 2.0 * (np.arange(10) == 0)
    expected = np.ptp((body.v_template + body.shapedirs @ betas)[:, 1])
    assert abs(expected - report.stature_m) > 0.02
    assert f"Stature {expected:.2f} m" in draw(SMPLIFY_PT_result).labels
    walk.children[0].shape_key_clear()
    assert f"Stature {report.stature_m:.2f} m" in draw(SMPLIFY_PT_result).labels


@pytest.mark.parametrize("state", FigureState)
def test_every_state_of_a_figure_is_drawn(walk, state):
    make, text = FIGURE_MAKERS[state]
    make(walk)
    assert figure_state(bpy.context)[0] is state
    drawn = draw(SMPLIFY_PT_result)
    assert text in drawn.text
    others = [other for _, other in FIGURE_MAKERS.values() if other not in (text, "Adjust Without Fitting")]
    assert not any(other in drawn.text for other in others)
    assert ("smoothing" in drawn.props) == (state in (FigureState.FITTED, FigureState.IMPORTED))
    assert ("smplify.fit_again" in drawn.operators) == (state is FigureState.FITTED)
    assert "smplify.move_bones" not in drawn.operators or state is not FigureState.STRANGER


def test_flags_edits_and_errors_of_a_figure_are_drawn(walk):
    drawn = draw(SMPLIFY_PT_result)
    assert "Doubtful stretches: 2" in drawn.labels and drawn.lists == ["SMPLIFY_UL_flags"]
    assert "smplify.keep_edits" not in drawn.operators and "smplify.copy_settings" not in drawn.operators
    fill(walk)
    walk.smplify.flag_index = 0
    assert "left arm: not seen" in draw(SMPLIFY_PT_result).text
    walk.smplify.edited = True
    assert {"smplify.keep_edits", "smplify.overwrite_edits"} <= set(draw(SMPLIFY_PT_result).operators)
    walk.smplify.trouble = "The body is gone"
    assert "The body is gone" in draw(SMPLIFY_PT_result).text
    store(walk, replace(load(walk), report=replace(load(walk).report, flags=())))
    assert "No doubtful stretches" in draw(SMPLIFY_PT_result).labels
    bpy.ops.smplify.fit()
    walk.select_set(True)
    assert "smplify.copy_settings" in draw(SMPLIFY_PT_result).operators


def test_every_kind_of_flag_has_its_own_icon_and_fits_its_row(addon):
    icons = set()
    for kind in ("held", "missing", "implausible", "swapped", "strained"):
        layout = Layout(drawn := Drawn())
        row = SimpleNamespace(name="right_shoulder", kind=kind, first=10001, last=10100)
        SMPLIFY_UL_flags.draw_item(None, bpy.context, layout, None, row, 0, None, "")
        assert drawn.labels == ["right shoulder", "10001–10100"] and why(kind) != kind
        assert too_wide(layout.node, LIST_PX) == []
        icons.add(layout.node.children[0].children[0].icon)
    assert len(icons) == 5


def test_clipped_text_is_detected(addon):
    """The lines that were cut off in a window, at the width that they had there."""
    layout = Layout(Drawn())
    layout.label(text="Points: 5.0 mm white, 0.0 smooth")
    assert too_wide(layout.node) == []
    layout.label(text="Points: 5.0 mm white, 0.0 smooth, 0.9 constant")
    row = layout.split(factor=0.36)
    row.label(text="left leg", icon="HIDE_ON")
    rest = row.split(factor=0.34)
    rest.label(text="301–330")
    rest.label(text="not seen")
    assert [text.split(" (")[0] for text in too_wide(layout.node, LIST_PX)] == [
        "Points: 5.0 mm white, 0.0 smooth, 0.9 constant", "301–330",
    ]  # fmt: skip


# The preferences


INFO = PythonInfo(path="python", version="3.11.9", numpy="1.26.4", torch="2.13.0", devices=())
PAGE_MAKERS = {
    # state: (place, whether Blender has PyTorch, whether the private folder is there, its Python, what is known)
    PageState.WORKING: ("BLENDER", False, False, None, None),
    PageState.NO_TORCH: ("BLENDER", False, False, None, None),
    PageState.NOTHING_CHOSEN: ("CHOSEN", False, False, None, None),
    PageState.NOT_INSTALLED: ("PRIVATE", False, False, None, None),
    PageState.GONE: ("PRIVATE", False, True, None, None),
    PageState.UNCHECKED: ("PRIVATE", False, True, Path("python"), None),
    PageState.CHECKED: ("BLENDER", True, False, None, INFO),
}


def test_every_state_of_the_preferences_is_drawn(addon, monkeypatch):
    looks = {}
    for state in PageState:
        place, in_blender, folder, python, info = PAGE_MAKERS[state]
        monkeypatch.setattr(SETUP, "task", a_task() if state is PageState.WORKING else None)
        monkeypatch.setattr(page, "blender_has_torch", lambda in_blender=in_blender: in_blender)
        monkeypatch.setattr(page, "has_environment", lambda _, folder=folder: folder)
        monkeypatch.setattr(page, "environment_python", lambda _, python=python: python)
        monkeypatch.setattr(page, "python_to_check", lambda _, python=python: python)
        monkeypatch.setattr(page, "known_info", lambda _, info=info: info)
        preferences = SimpleNamespace(
            fit_place=place, show_install_options=False, bl_rna=blender_addon.preferences.SMPLIFY_AP_preferences.bl_rna
        )
        assert page_state(preferences) is state
        drawn = Drawn()
        page.draw_acceleration(Layout(drawn), bpy.context, preferences)
        looks[look(drawn)] = state
        assert bool(drawn.progress) == (state is PageState.WORKING)
    assert len(looks) == len(PageState)
