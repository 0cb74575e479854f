"""The Export operator: which figures go to which files, as which preset says, from Python and from the box."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import blender_addon  # noqa: E402
from blender_addon.export.operators import SMPLIFY_OT_export  # noqa: E402
from blender_addon.export.panel import SMPLIFY_PT_export  # noqa: E402
from blender_addon.export.presets import BONE_NAMES, PRESETS  # noqa: E402
from blender_addon.export.properties import BONE_ITEMS, FORMAT_ITEMS, PRESET_ITEMS, offered_formats  # noqa: E402
from core.smpl_skeleton import SMPL  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402


@pytest.fixture
def two(addon, add_person, make_motion):
    """Two figures; the second is active."""
    figures = [add_person(make_motion(4, seed=number), name) for number, name in enumerate(("one", "two"))]
    bpy.context.view_layer.objects.active = figures[1].armature
    return figures


def written(folder):
    return sorted(path.name for path in folder.iterdir())


def bones_in(path):
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(path))
    return [set(item.data.bones.keys()) for item in bpy.context.scene.objects if item.type == "ARMATURE"]


def test_the_active_figure_is_exported_as_in_the_preset(two, tmp_path):
    assert bpy.ops.smplify.export(filepath=str(tmp_path / "a.glb"), preset="UNREAL") == {"FINISHED"}
    assert written(tmp_path) == ["a.glb"]
    (bones,) = bones_in(tmp_path / "a.glb")
    assert bones == {"root", *(BONE_NAMES["unreal"][joint] for joint in SMPL.names)}


def test_arguments_override_the_preset(two, tmp_path):
    bpy.ops.smplify.export(filepath=str(tmp_path / "a.glb"), preset="UNREAL", bones="smpl", root_bone=False)
    (bones,) = bones_in(tmp_path / "a.glb")
    assert bones == set(SMPL.names)


def test_selected_figures_go_to_one_file_or_one_each(two, tmp_path):
    for figure in two:
        figure.mesh.select_set(True)
        figure.armature.select_set(True)
    path = tmp_path / "a.glb"
    bpy.ops.smplify.export(filepath=str(path), figures="SELECTED", preset="UNITY")
    assert written(tmp_path) == ["a_one.glb", "a_two.glb"]
    bpy.ops.smplify.export(filepath=str(path.with_suffix(".npz")), figures="SELECTED")
    bpy.ops.smplify.export(filepath=str(path), figures="SELECTED")
    assert written(tmp_path) == ["a.glb", "a_one.glb", "a_one.npz", "a_two.glb", "a_two.npz"]
    assert len(bones_in(path)) == 2


def test_errors_are_reported(two, tmp_path):
    with pytest.raises(RuntimeError, match=r"ending in \.blend"):
        bpy.ops.smplify.export(filepath=str(tmp_path / "a.obj"))
    with pytest.raises(RuntimeError, match="is selected, found none"):
        bpy.ops.smplify.export(filepath=str(tmp_path / "a.glb"), figures="SELECTED")
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(RuntimeError, match="taken"):
        bpy.ops.smplify.export(filepath=str(tmp_path / "taken" / "a.glb"))
    bpy.context.view_layer.objects.active = None
    assert not bpy.ops.smplify.export.poll()


def test_a_preset_sets_the_box(addon):
    settings = addon.smplify_export
    for name, preset in PRESETS.items():
        settings.preset = name
        assert (settings.file_format, settings.bones, settings.root_bone, settings.one_each) == (
            preset.suffix, preset.target.bones, preset.target.root_bone, preset.one_each,
        )  # fmt: skip


def test_the_box_offers_all_presets_formats_and_names():
    from blender_addon.export.writers import FORMATS

    assert {item[0] for item in PRESET_ITEMS} == set(PRESETS)
    assert {item[0] for item in offered_formats(usd=True)} == set(FORMATS)
    assert {item[0] for item in FORMAT_ITEMS} == set(FORMATS) - (set() if bpy.app.build_options.usd else {"usd"})
    assert {item[0] for item in BONE_ITEMS} == set(BONE_NAMES)


def test_without_usd_the_stored_numbers_of_other_formats_stay():
    without = offered_formats(usd=False)
    assert {item[0] for item in offered_formats(usd=True)} - {item[0] for item in without} == {"usd"}
    assert set(without) < set(offered_formats(usd=True)), "numbers, which files store, stay"


@pytest.mark.parametrize("suffix", [item[0] for item in FORMAT_ITEMS])
@pytest.mark.parametrize("figures", ["ACTIVE", "SELECTED"])
def test_the_file_browser_shows_the_options_of_the_box(addon, suffix, figures):
    addon.smplify_export.file_format, addon.smplify_export.figures = suffix, figures
    browser = SimpleNamespace(
        filepath=f"/somewhere/walk.{suffix.upper()}", figures=figures, bl_rna=bpy.ops.smplify.export.get_rna_type()
    )
    shown = draw(SMPLIFY_OT_export, browser).props
    assert shown == [name for name in draw(SMPLIFY_PT_export).props if name not in ("preset", "file_format")]
    assert ("bones" in shown) == ("root_bone" in shown) == (suffix in ("fbx", "glb", "usd"))
    assert ("one_each" in shown) == (figures == "SELECTED")


def test_the_menu_entry_is_registered_and_unregistered(scene):
    def entries():
        return len(bpy.types.TOPBAR_MT_file_export._dyn_ui_initialize())

    before = entries()
    blender_addon.register()
    assert entries() == before + 1
    blender_addon.unregister()
    assert entries() == before
