"""Several files at once: an action each on one figure, or a figure each; each keeps what is known of its fit."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.background.fit_session import FITS  # noqa: E402
from blender_addon.figure.animation import read_motion  # noqa: E402
from blender_addon.figure.fcurves import Channels  # noqa: E402
from blender_addon.figure.keyframe_hash import keys_edited  # noqa: E402
from blender_addon.figure.record import load  # noqa: E402
from blender_addon.figure.takes import present_take, takes_of  # noqa: E402
from blender_addon.fit.panel import SMPLIFY_PT_fit  # noqa: E402
from blender_addon.project_files import project_paths  # noqa: E402
from blender_addon.result.live_settings import adjust, applied_settings, settings_of  # noqa: E402
from blender_addon.result.operators import SMPLIFY_MT_take  # noqa: E402
from blender_addon.result.panel import SMPLIFY_PT_result  # noqa: E402
from blender_addon.track.panel import SMPLIFY_PT_track  # noqa: E402
from core.cleanup import CleanupOptions  # noqa: E402
from core.errors import CoreError  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402


@pytest.fixture(scope="module")
def folder(write_track, tmp_path_factory):
    """Three takes, of which the last is damaged."""
    folder = tmp_path_factory.mktemp("takes")
    write_track(folder / "a_walk.npz", num_frames=8)
    write_track(folder / "b_turn.npz", num_frames=6, seed=1)
    (folder / "c_bad.npz").write_bytes(b"PK\x03\x04 cut off")
    return folder


def open_takes(folder, *names: str) -> None:
    bpy.ops.smplify.open_track(directory=str(folder), files=[{"name": name} for name in names])


def fit_takes(folder, *, bad: bool = False, **settings: object) -> None:
    open_takes(folder, "b_turn.npz", "a_walk.npz", *(["c_bad.npz"] if bad else []))
    for name, value in {"quality": "FAST", **settings}.items():
        setattr(bpy.context.scene.smplify.fit, name, value)
    assert bpy.ops.smplify.fit() == {"FINISHED"}


def figures() -> list[bpy.types.Object]:
    return [item for item in bpy.data.objects if item.type == "ARMATURE"]


def test_takes_are_actions_of_one_figure_with_their_own_fits(addon, folder):
    fit_takes(folder, bad=True)
    (armature,) = figures()
    walk, turn = takes_of(armature)
    assert (walk.name, turn.name) == ("a_walk", "b_turn")
    assert "2 takes" in FITS.message and "Not fitted: c_bad.npz: " in FITS.message
    assert armature.animation_data.action == present_take(armature) == walk and not keys_edited(armature)
    assert load(armature).source.file.endswith("a_walk.npz") and load(armature).motion.num_frames == 8
    assert (addon.frame_start, addon.frame_end) == (1, 8)
    betas, settings = load(armature).motion.betas, applied_settings(armature)
    adjust(armature, CleanupOptions(smoothing=1.0))
    assert bpy.ops.smplify.choose_take(take="b_turn") == {"FINISHED"}
    assert armature.animation_data.action == present_take(armature) == turn and not keys_edited(armature)
    record = load(armature)
    assert record.source.file.endswith("b_turn.npz") and record.motion.num_frames == 6
    assert len(record.report.keypoint_error_mm) == 6 and record.report.mean_error_mm < 20.0
    np.testing.assert_allclose(record.motion.betas, betas)
    assert settings_of(armature) == applied_settings(armature) == settings
    adjust(armature, CleanupOptions())
    np.testing.assert_allclose(read_motion(armature, 30.0).rotations(), record.motion.rotations(), atol=1e-5)
    bpy.ops.smplify.choose_take(take="a_walk")
    assert applied_settings(armature) == CleanupOptions(smoothing=1.0) and not keys_edited(armature)
    paths = {path.name for path in project_paths()}
    assert {"a_walk.npz", "b_turn.npz"} <= paths


def test_a_take_that_is_not_chosen_is_not_overwritten(addon, folder):
    fit_takes(folder)
    (armature,) = figures()
    turn = next(action for action in takes_of(armature) if action.name == "b_turn")
    armature.animation_data.action = turn
    before = read_motion(armature, 30.0).poses
    with pytest.raises(CoreError, match="to have the action of its take, 'a_walk', found 'b_turn'"):
        adjust(armature, CleanupOptions(smoothing=0.7))
    np.testing.assert_array_equal(read_motion(armature, 30.0).poses, before)
    with pytest.raises(RuntimeError, match=r"a_walk, b_turn.*got 'c'"):
        bpy.ops.smplify.choose_take(take="c")
    with pytest.raises(RuntimeError, match="expected strips in the NLA editor"):
        bpy.ops.smplify.choose_take()
    assert armature.animation_data.action == turn
    assert draw(SMPLIFY_PT_result).menus == ["SMPLIFY_MT_take"]
    assert draw(SMPLIFY_MT_take).operators == ["smplify.choose_take"] * 2


def test_takes_are_a_figure_each(addon, folder):
    fit_takes(folder, takes="FIGURES", timing="CLIP")
    armatures = figures()
    assert sorted(item.name for item in armatures) == ["a_walk", "b_turn"]
    assert all(not takes_of(item) and load(item).source.file.endswith(f"{item.name}.npz") for item in armatures)
    assert (addon.frame_start, addon.frame_end) == (1, 8)
    assert sorted(item.name for item in bpy.context.selected_objects) == ["a_walk", "b_turn"]


@pytest.mark.parametrize(("takes", "starts", "last"), [("ACTIONS", [1, 9], 14), ("FIGURES", [1, 1], 8)])
def test_strips_stand_in_tracks_of_their_own(addon, folder, takes, starts, last):
    fit_takes(folder, takes=takes, strips=True)
    tracks = [track for item in figures() for track in item.animation_data.nla_tracks]
    strips = sorted((track.strips[0] for track in tracks), key=lambda strip: strip.name)
    assert [strip.action.name for strip in strips] == ["a_walk", "b_turn"]
    assert [round(strip.frame_start) for strip in strips] == starts
    assert all(item.animation_data.action is None for item in figures()) and addon.frame_end == last
    hips = {}
    for strip in strips:
        item = next(item for item in figures() if strip.id_data == item)
        addon.frame_set(round(strip.frame_start) + 2)
        hips[strip.name] = np.array(item.pose.bones["left_hip"].matrix_basis)
        item.animation_data.action = strip.action
        key = Channels(item).sample('pose.bones["left_hip"].rotation_quaternion', range(3, 4), (1.0, 0.0, 0.0, 0.0))
        item.animation_data.action = None
        shown = item.pose.bones["left_hip"].rotation_quaternion
        assert abs(float(np.dot(key[0], shown))) == pytest.approx(1.0, abs=1e-5), strip.name


@pytest.mark.main_blender
def test_a_bad_first_file_stops_nobody_and_all_bad_say_why(addon, folder, tmp_path):
    for name in ("a_walk.npz", "z.npz"):
        (tmp_path / name).write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(RuntimeError, match="a_walk"):
        open_takes(tmp_path, "a_walk.npz", "z.npz")
    with pytest.raises(RuntimeError, match="found none among 2: a_walk.npz: .*; z.npz: "):
        bpy.ops.smplify.fit()
    assert figures() == []
    addon.smplify.track.takes[0].path = str(folder / "b_turn.npz")
    assert bpy.ops.smplify.fit() == {"FINISHED"}
    assert [item.name for item in figures()] == ["b_turn"] and takes_of(figures()[0]) == []


def test_another_file_drops_the_takes(addon, folder):
    open_takes(folder, "b_turn.npz", "a_walk.npz")
    track = addon.smplify.track
    assert track.filepath.endswith("a_walk.npz") and [take.path[-10:] for take in track.takes] == ["b_turn.npz"]
    assert "Takes: a_walk.npz, b_turn.npz" in draw(SMPLIFY_PT_track).labels
    assert {"takes", "strips"} <= set(draw(SMPLIFY_PT_fit).props)
    bpy.ops.smplify.open_track(filepath=str(folder / "b_turn.npz"))
    assert len(track.takes) == 0 and not {"takes", "strips"} & set(draw(SMPLIFY_PT_fit).props)
