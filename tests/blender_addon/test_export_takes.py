"""A figure with several takes is exported as it is shown, or each take to a file of its own."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.export.panel import SMPLIFY_PT_export  # noqa: E402
from blender_addon.figure.takes import begin_take, keep_take, present_take, takes_of  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402

NUM_FRAMES = {"one": 4, "two": 6}


@pytest.fixture
def figure(addon, add_person, make_motion):
    """A figure with the takes *one* and *two*; it shows *two*."""
    armatures = [add_person(make_motion(count, seed=count), name).armature for name, count in NUM_FRAMES.items()]
    first, second = armatures
    for armature, name in zip(armatures, NUM_FRAMES, strict=True):
        armature.animation_data.action.name = name
    keep_take(first)
    record = {key: second[key] for key in second.keys() if key in first.keys()}  # noqa: SIM118 - of Blender
    first.animation_data.action = second.animation_data.action
    begin_take(first)
    for key, value in record.items():
        first[key] = value
    keep_take(first)
    bpy.context.view_layer.objects.active = first
    return first


def frames_in(path):
    with np.load(path) as arrays:
        return len(arrays["poses"])


def test_the_shown_take_alone_is_written_by_default(figure, tmp_path):
    assert bpy.ops.smplify.export(filepath=str(tmp_path / "a.npz")) == {"FINISHED"}
    assert {path.name: frames_in(path) for path in tmp_path.iterdir()} == {"a.npz": 6}


@pytest.mark.parametrize("kind", ["npz", "glb", "blend"])
def test_all_takes_are_files_of_their_own(figure, tmp_path, kind):
    shown = figure.animation_data.action, present_take(figure)
    assert bpy.ops.smplify.export(filepath=str(tmp_path / f"a.{kind}"), takes="ALL") == {"FINISHED"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a_one.{kind}", f"a_two.{kind}"]
    assert (figure.animation_data.action, present_take(figure)) == shown
    if kind == "npz":
        assert {name: frames_in(tmp_path / f"a_{name}.npz") for name in NUM_FRAMES} == NUM_FRAMES


def test_figures_beside_it_get_files_too(figure, add_person, make_motion, tmp_path):
    other = add_person(make_motion(3), "other").armature
    for armature in (figure, other):
        armature.select_set(True)
    bpy.ops.smplify.export(filepath=str(tmp_path / "a.npz"), takes="ALL", figures="SELECTED")
    name = bpy.path.clean_name(figure.name)
    assert sorted(path.stem for path in tmp_path.iterdir()) == [f"a_{name}_one", f"a_{name}_two", "a_other"]


def test_the_box_offers_takes_only_where_there_are_several(figure, add_person, make_motion):
    assert len(takes_of(figure)) == 2 and "takes" in draw(SMPLIFY_PT_export).props
    bpy.context.view_layer.objects.active = add_person(make_motion(3), "other").armature
    assert "takes" not in draw(SMPLIFY_PT_export).props
