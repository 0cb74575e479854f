"""Figures that were taken apart: what needs no more than is left works; else the message names what is missing."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.export.writers import FORMATS  # noqa: E402
from blender_addon.figure.armature import betas_of_bones  # noqa: E402
from blender_addon.figure.body_mesh import shape_values  # noqa: E402
from blender_addon.result.panel import SMPLIFY_PT_result  # noqa: E402
from core.amass import read_motion  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402
from tests.blender_addon.test_registration import registered  # noqa: E402

WITH_A_MESH = ("fbx", "glb", "usd")


def rename_a_bone(armature) -> None:
    armature.data.bones["left_knee"].name = "knee.L"


def delete_a_bone(armature) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    armature.data.edit_bones.remove(armature.data.edit_bones["left_thumb3"])
    bpy.ops.object.mode_set(mode="OBJECT")


def delete_the_mesh(armature) -> None:
    bpy.data.objects.remove(armature.children[0])


def apply_the_shape(armature) -> None:
    armature.children[0].shape_key_clear()


def push_to_the_nla(armature) -> None:
    animation = armature.animation_data
    action, slot = animation.action, getattr(animation, "action_slot", None)
    strip = animation.nla_tracks.new().strips.new("walk", 1, action)
    if slot is not None:
        strip.action_slot = slot
    animation.action = None


CHANGES = {
    rename_a_bone: "left_knee",
    delete_a_bone: "left_thumb3",
    delete_the_mesh: "mesh",
    apply_the_shape: "shape keys",
    push_to_the_nla: "NLA",
}
"""What a user does to a figure, and the word by which a message names what is missing."""

ON_A_FIGURE = ("go_to_worst", "go_to_flag", "take_range", "move_bones", "restore_motion", "overwrite_edits",
               "keep_edits", "fit_again")  # fmt: skip
_KEYING = ("restore_motion", "overwrite_edits", "keep_edits", "fit_again")
REFUSED = {
    rename_a_bone: ("move_bones", *_KEYING),
    delete_a_bone: ("move_bones", *_KEYING),
    delete_the_mesh: ("move_bones",),
    apply_the_shape: ("move_bones",),
    push_to_the_nla: _KEYING,
}
"""The operators that need what was taken away."""


def outcome(call) -> str:
    """Return what an operator says of its failure, "" if it did not fail. Blender would pass a traceback on too."""
    try:
        call()
    except RuntimeError as error:
        assert "Traceback" not in str(error), error
        return str(error)
    return ""


@pytest.mark.parametrize("change", CHANGES)
def test_operators_work_or_say_what_is_missing(fitted_walk, change):
    change(fitted_walk)
    draw(SMPLIFY_PT_result)
    for name in ON_A_FIGURE:
        said = outcome(getattr(bpy.ops.smplify, name))
        assert not said or CHANGES[change] in said
        refused = name in REFUSED[change]
        assert bool(said) == refused, f"{name}: {said}"


def test_every_operator_on_a_figure_is_covered(fitted_walk):
    """A new operator is tried here too, unless it is none on a figure, works on any armature or needs a name."""
    names = {name.removeprefix("SMPLIFY_OT_") for name in registered() if name.startswith("SMPLIFY_OT_")}
    usable = {name for name in names if getattr(bpy.ops.smplify, name).poll()}
    bpy.context.view_layer.objects.active = None
    elsewhere = {name for name in names if getattr(bpy.ops.smplify, name).poll()}
    assert usable - elsewhere - {"export", "track_armature", "choose_take"} == set(ON_A_FIGURE)


@pytest.mark.parametrize("change", CHANGES)
def test_a_setting_works_or_says_what_is_missing(fitted_walk, change):
    change(fitted_walk)
    fitted_walk.smplify.foot_lock = 0.5
    if change in (delete_the_mesh, apply_the_shape):
        assert fitted_walk.smplify.foot_lock == 0.5 and "expected" not in fitted_walk.smplify.trouble
    else:
        assert fitted_walk.smplify.foot_lock == 0.0 and CHANGES[change] in fitted_walk.smplify.trouble
    assert not fitted_walk.smplify.edited


@pytest.mark.parametrize("change", CHANGES)
def test_colours_work_or_say_what_is_missing(fitted_walk, change):
    change(fitted_walk)
    fitted_walk.smplify.color_by_error = True
    assert "Traceback" not in fitted_walk.smplify.trouble
    assert bool(fitted_walk.smplify.trouble) == (change in (delete_the_mesh, apply_the_shape))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("preset", ["BLENDER", pytest.param("UNREAL", marks=pytest.mark.main_blender)])
def test_exports_work_or_say_what_is_missing(fitted_walk, tmp_path, change, preset):
    change(fitted_walk)
    needs_bones = {"bvh", "npz", "mot", "trc", *(() if preset == "BLENDER" else WITH_A_MESH)}
    refused = {rename_a_bone: needs_bones, delete_a_bone: needs_bones, delete_the_mesh: WITH_A_MESH}.get(change, ())
    for suffix in FORMATS if preset == "BLENDER" else WITH_A_MESH:
        path = tmp_path / f"written.{suffix}"
        if suffix == "usd" and not bpy.app.build_options.usd:
            continue
        said = outcome(lambda path=path: bpy.ops.smplify.export(filepath=str(path), preset=preset))
        assert bool(said) == (suffix in refused) and path.exists() != (suffix in refused), f"{suffix}: {said}"
        assert not said or CHANGES[change] in said


@pytest.mark.parametrize("change", [delete_the_mesh, apply_the_shape])
def test_the_shape_is_read_without_shape_keys(fitted_walk, tmp_path, change):
    betas = shape_values(fitted_walk.children[0])
    assert np.abs(betas).max() > 0.1
    change(fitted_walk)
    np.testing.assert_allclose(betas_of_bones(fitted_walk), betas, atol=1e-3)
    bpy.ops.smplify.export(filepath=str(tmp_path / "written.npz"))
    written = read_motion(tmp_path / "written.npz", rest_pelvis=lambda betas: np.zeros(3))
    np.testing.assert_allclose(written.betas[:10], betas, atol=1e-3)


def test_an_armature_appended_alone_can_be_adjusted_and_exported(fitted_walk, tmp_path):
    bpy.ops.smplify.export(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend")) as (_, wanted):
        wanted.objects = ["walk"]
    (appended,) = wanted.objects
    bpy.context.scene.collection.objects.link(appended)
    bpy.context.view_layer.objects.active = appended
    appended.smplify.root = "in_place"
    assert (appended.smplify.root, appended.smplify.trouble) == ("in_place", "")
    assert outcome(lambda: bpy.ops.smplify.export(filepath=str(tmp_path / "written.bvh"))) == ""
    assert (tmp_path / "written.bvh").exists()


def test_a_library_holds_its_collection_as_an_asset(fitted_walk, tmp_path):
    before = {item.name for item in bpy.data.collections}
    bpy.ops.smplify.export(filepath=str(tmp_path / "library.blend"))
    assert {item.name for item in bpy.data.collections} == before
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), assets_only=True) as (there, _):
        assert there.collections == ["walk"] and there.objects == []
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "library.blend"))
    assert {item.name for item in bpy.data.collections["walk"].objects} == {"walk", "walk body"}
    assert [item.name for item in bpy.context.scene.collection.children] == ["walk"]
