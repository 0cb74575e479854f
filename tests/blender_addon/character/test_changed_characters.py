"""Characters whose bones are renamed or deleted after the list was filled, and overrides of linked ones."""

from __future__ import annotations

import json
import sys

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character.bone_rows import bone_map_of, gone_bones  # noqa: E402
from blender_addon.character.identity import picked  # noqa: E402
from blender_addon.character.panel import CharacterState, SMPLIFY_PT_character, character_state  # noqa: E402
from blender_addon.character.stored import load  # noqa: E402
from tests.blender_addon.character.test_box import pick  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402


@pytest.fixture
def box(addon):
    return addon.smplify_character


def test_the_list_follows_bones_that_are_renamed(figure, hero, box, tmp_path):
    pick(box, hero)
    hero.data.bones["thigh.L"].name, hero.data.bones["chest"].name = "Oberschenkel.L", "Brust"
    assert character_state(box) is CharacterState.READY and "no longer" not in draw(SMPLIFY_PT_character).text
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    found = bone_map_of(box)
    assert found.joint("left_thigh") == "Oberschenkel.L" and "Brust" in found.bones["spine"]
    hero.data.bones["Oberschenkel.L"].name = "femur.L"
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    assert load(hero).bone_map.joint("left_thigh") == "femur.L"
    hero.data.bones["femur.L"].name = "thigh.L"
    assert bpy.ops.smplify.save_bones(filepath=str(tmp_path / "bones.json")) == {"FINISHED"}
    assert json.loads((tmp_path / "bones.json").read_text())["bones"]["left_thigh"] == ["thigh.L"]


def test_one_draw_looks_for_deleted_bones_once(figure, hero, box):
    pick(box, hero)
    calls = []

    def count(frame, event, argument):
        if event == "call" and frame.f_code in (gone_bones.__code__, SMPLIFY_PT_character.draw.__code__):
            calls.append(frame.f_code.co_name)

    sys.setprofile(count)
    try:
        drawn = draw(SMPLIFY_PT_character)
    finally:
        sys.setprofile(None)
    assert "bones found" in drawn.text
    assert calls.count("gone_bones") == calls.count("draw") > 0


def test_a_bone_of_the_list_that_was_deleted_is_named(figure, hero, box):
    pick(box, hero)
    bpy.context.view_layer.objects.active = hero
    bpy.ops.object.mode_set(mode="EDIT")
    hero.data.edit_bones.remove(hero.data.edit_bones["toe.L"])
    bpy.ops.object.mode_set(mode="OBJECT")
    assert character_state(box) is CharacterState.MISSING
    assert "no longer has these bones of the list: toe.L. Press Detect" in draw(SMPLIFY_PT_character).text
    with pytest.raises(RuntimeError, match="no longer has 'toe.L'; press Detect"):
        bpy.ops.smplify.apply_character()
    assert bpy.ops.smplify.detect_bones() == {"FINISHED"}
    assert character_state(box) in (CharacterState.READY, CharacterState.DOUBTFUL)
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}


def test_an_override_beside_the_linked_character_is_the_one_that_was_picked(addon, figure, hero, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.objects = ["hero", "walk"]
    character, walk = wanted.objects
    override = character.override_create()
    for item in (character, override, walk):
        bpy.context.scene.collection.objects.link(item)
    box = bpy.context.scene.smplify_character
    box.armature, box.figure = override, walk
    assert picked(bpy.context.scene) == override
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    assert override.animation_data.action is not None and character.animation_data is None
