"""Character files: opened, given a motion, written, and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character.applying import apply_motion  # noqa: E402
from blender_addon.character.errors import CharacterError  # noqa: E402
from blender_addon.character.file import (  # noqa: E402
    CharacterFile,
    bones_for,
    convert_with_character,
    open_character,
)
from blender_addon.character.identity import STORED_KEY  # noqa: E402
from blender_addon.character.settings import CharacterSettings  # noqa: E402
from blender_addon.character.stored import load  # noqa: E402
from blender_addon.character.writing import SUFFIXES, export_character  # noqa: E402
from blender_addon.export.writers import ExportError  # noqa: E402
from core.retarget.bone_map import BoneMap  # noqa: E402
from tests.blender_addon.character.rigs import ROLES, evaluated, make_character, write_character  # noqa: E402

BONES = BoneMap({role: tuple(chain) for role, chain in ROLES.items()})


def everything() -> dict[str, list[str]]:
    kinds = ("objects", "meshes", "armatures", "actions", "materials", "images", "collections")
    return {kind: sorted(item.name for item in getattr(bpy.data, kind)) for kind in kinds}


@pytest.mark.parametrize("suffix", [".blend", ".fbx", ".glb", ".gltf", ".vrm"])
def test_a_character_is_opened_from_every_supported_format(figure, suffix, tmp_path):
    path = tmp_path / f"hero{suffix}"
    write_character(path)
    assert bpy.ops.smplify.open_character(filepath=str(path)) == {"FINISHED"}
    box = bpy.context.scene.smplify_character
    assert box.armature is not None and box.trouble == ""
    assert {bone.name for bone in box.armature.data.bones} >= {"hips", "arm.L", "toe.R"}
    assert box.armature.name in bpy.context.scene.objects
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}


@pytest.mark.parametrize("suffix", [".fbx", ".glb", ".blend", ".txt"])
def test_a_missing_or_invalid_file_is_an_error_and_leaves_no_data_blocks(figure, suffix, tmp_path):
    path = tmp_path / f"hero{suffix}"
    before = everything()
    with pytest.raises(CharacterError, match="expected a character"):
        open_character(path)
    path.write_bytes(b"nonsense" * 100)
    with pytest.raises(CharacterError, match="expected a character"):
        open_character(path)
    assert everything() == before


def test_a_file_without_the_armature_is_an_error_and_leaves_no_data_blocks(figure, tmp_path):
    path = tmp_path / "hero.blend"
    write_character(path)
    before = everything()
    with pytest.raises(CharacterError, match="expected an armature 'villain' in hero.blend, found hero"):
        open_character(path, "villain")
    assert everything() == before
    assert open_character(path, "hero").name == "hero"


@pytest.mark.parametrize("suffix", [".fbx", ".glb"])
def test_opening_a_character_keeps_the_scenes_rate_and_range(figure, hero, suffix, tmp_path):
    scene = bpy.context.scene
    apply_motion(hero, figure, BONES, CharacterSettings())
    scene.render.fps, scene.frame_end = 50, 24
    path = export_character(hero, tmp_path / f"hero{suffix}", scene)
    scene.render.fps, scene.render.fps_base, scene.frame_end = 30, 1.001, 20
    scene.frame_set(7)
    before = [scene.render.fps, scene.render.fps_base, scene.frame_start, scene.frame_end, scene.frame_current]
    open_character(path)
    now = [scene.render.fps, scene.render.fps_base, scene.frame_start, scene.frame_end, scene.frame_current]
    assert now == before


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_motion_is_exported_with_the_character(figure, suffix, tmp_path):
    source = tmp_path / "hero.blend"
    write_character(source)
    character = CharacterFile(source, bones=BONES, settings=CharacterSettings(root_motion="bone"))
    target = tmp_path / f"out{suffix}"
    facts, armature = convert_with_character(figure, character, None, [target])
    assert facts.slide_mm >= 0.0 and STORED_KEY in armature
    names = ("hips", "hand.L", "foot.R", "head")
    frames = range(1, 25, 4)
    written = evaluated(armature, frames)[0][:, [armature.data.bones.find(name) for name in names]]
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps = 30
    if suffix == ".blend":
        with bpy.data.libraries.load(str(target)) as (found, into):
            assert not any("walk" in name for name in found.objects)
            into.objects = found.objects
        for item in into.objects:
            bpy.context.scene.collection.objects.link(item)
        read = next(item for item in into.objects if item.type == "ARMATURE")
        assert STORED_KEY not in read
    else:
        read = open_character(target)
    offset = {".blend": 0, ".fbx": 1, ".glb": -1}[suffix]  # where the importers let the clip begin
    again = evaluated(read, range(1 + offset, 25 + offset, 4))[0]
    again = again[:, [read.data.bones.find(name) for name in names]]
    np.testing.assert_allclose(again, written, atol=2e-3)


@pytest.mark.main_blender
def test_several_motions_are_retargeted_to_one_character(figure, tmp_path, add_person, make_motion):
    source = tmp_path / "hero.blend"
    write_character(source)
    character = CharacterFile(source, bones=BONES)
    _, armature = convert_with_character(figure, character, None, [tmp_path / "one.glb"])
    _, again = convert_with_character(figure, character, armature, [tmp_path / "two.glb"])
    assert again == armature and load(armature).figure == figure
    assert [item.name for item in bpy.data.objects if item.type == "ARMATURE"] == ["hero", "walk"]


@pytest.mark.main_blender
def test_doubtful_bones_are_an_error_that_names_the_map_to_correct(figure, tmp_path, monkeypatch):
    from blender_addon.character import file

    armature = make_character("hero")
    for unsure, text in (
        (BoneMap({"hips": ("hips",)}), "no bone was found for left_upper_arm"),
        (BoneMap(BONES.bones, {"left_shin": 0.5}), "the bone is in doubt for left_shin"),
        (BoneMap(BONES.bones, dict.fromkeys(BONES.bones, 0.7)), "only 0 are certain"),
    ):
        monkeypatch.setattr(file, "map_bones", lambda rig, unsure=unsure: unsure)
        with pytest.raises(CharacterError, match=text) as caught:
            bones_for(armature, CharacterFile(Path("hero.fbx")))
        shown = str(caught.value).partition("--bones:\n")[2]
        assert BoneMap.from_json(shown).bones == unsure.bones
    assert bones_for(armature, CharacterFile(Path("hero.fbx"), bones=BONES)).bones == BONES.bones


@pytest.mark.main_blender
def test_other_formats_are_refused(figure, hero, tmp_path):
    with pytest.raises(ExportError, match=r"ending in \.blend, \.fbx, \.glb; got 'out.usd'"):
        export_character(hero, tmp_path / "out.usd", bpy.context.scene)


def test_a_blend_holds_the_character_in_a_collection_marked_as_asset(figure, tmp_path):
    path = tmp_path / "hero.blend"
    write_character(path)
    armature = open_character(path)
    apply_motion(armature, figure, BONES, CharacterSettings())
    target = export_character(armature, tmp_path / "out.blend", bpy.context.scene)
    assert not [item for item in bpy.data.collections if item.asset_data]
    with bpy.data.libraries.load(str(target), assets_only=True) as (inside, _):
        assert inside.collections == [armature.name] and not inside.objects
    with bpy.data.libraries.load(str(target)) as (inside, loaded):
        loaded.collections = [armature.name]
    names = {item.name.partition(".")[0] for item in loaded.collections[0].all_objects}
    assert names == {item.name.partition(".")[0] for item in (armature, *armature.children)}


@pytest.mark.parametrize("flag", ["hide_viewport", "hide_select"])
@pytest.mark.parametrize("suffix", [".fbx", ".glb"])
def test_hidden_and_unselectable_objects_are_exported(figure, suffix, flag, tmp_path):
    path = tmp_path / "hero.blend"
    write_character(path)
    armature = open_character(path)
    apply_motion(armature, figure, BONES, CharacterSettings())
    meshes = [item for item in armature.children if item.type == "MESH"]
    assert meshes
    for item in (armature, *meshes):
        setattr(item, flag, True)
    target = export_character(armature, tmp_path / f"out{suffix}", bpy.context.scene)
    assert all(getattr(item, flag) for item in (armature, *meshes))
    bpy.ops.wm.read_homefile(use_empty=True)
    read = open_character(target)
    assert read.animation_data.action is not None
    written = [item for item in bpy.data.objects if item.type == "MESH" and item.parent == read]
    assert len(written) == len(meshes)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_export_keeps_pose_mode(figure, hero, suffix, tmp_path):
    apply_motion(hero, figure, BONES, CharacterSettings())
    bpy.context.scene.smplify_character.armature = hero
    bpy.context.view_layer.objects.active = hero
    bpy.ops.object.mode_set(mode="POSE")
    assert bpy.ops.smplify.export_character(filepath=str(tmp_path / f"out{suffix}")) == {"FINISHED"}
    assert hero.mode == "POSE" and bpy.context.active_object == hero


@pytest.mark.parametrize("suffix", [".blend", ".glb"])
def test_an_opened_character_is_selected_and_active(figure, suffix, tmp_path):
    path = tmp_path / f"hero{suffix}"
    write_character(path)
    assert bpy.ops.smplify.open_character(filepath=str(path)) == {"FINISHED"}
    armature = bpy.context.scene.smplify_character.armature
    assert bpy.context.active_object == armature and bpy.context.selected_objects == [armature]
