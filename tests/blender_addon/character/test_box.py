"""The Character box: picking, the bone list, live options, and what each state shows."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character import bone_colors  # noqa: E402
from blender_addon.character.bone_rows import bone_map_of, mark_of, shown_names  # noqa: E402
from blender_addon.character.identity import STORED_KEY  # noqa: E402
from blender_addon.character.panel import CharacterState, SMPLIFY_PT_character, character_state  # noqa: E402
from blender_addon.character.properties import SMPLIFY_PG_character  # noqa: E402
from blender_addon.character.stored import load, save  # noqa: E402
from blender_addon.result.panel import SMPLIFY_PT_result  # noqa: E402
from core.retarget.bone_map import ROLES, BoneMap  # noqa: E402
from tests.blender_addon.character.rigs import ROLES as CHAINS  # noqa: E402
from tests.blender_addon.character.rigs import evaluated, make_character  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402

BONES = {role: tuple(chain) for role, chain in CHAINS.items()}


@pytest.fixture
def box(addon):
    return addon.smplify_character


def pick(box, armature, bones=BONES) -> None:
    """Pick a character and load a bone map, so that nothing hangs on how the bones are detected."""
    box.armature = armature
    path = bpy.app.tempdir + "bones.json"
    with open(path, "w", encoding="utf-8") as file:
        file.write(BoneMap(bones).to_json())
    bpy.ops.smplify.load_bones(filepath=path)


def test_figures_cannot_be_picked_as_characters(figure, hero, box):
    from blender_addon.character.properties import _may_be_picked, _may_be_source

    other = bpy.data.objects.new("elsewhere", bpy.data.armatures.new("elsewhere"))
    assert [_may_be_picked(box, item) for item in (hero, figure, other)] == [True, False, False]
    assert [_may_be_source(box, item) for item in (hero, figure, other)] == [False, True, False]
    assert {"armature", "figure"} <= set(SMPLIFY_PG_character.bl_rna.properties.keys())


def test_an_animated_armature_can_be_the_source(figure, hero, box):
    from blender_addon.character.properties import _may_be_source

    pick(box, hero)
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    other = make_character("other", roll=3)
    assert not _may_be_source(box, hero) and not _may_be_source(box, other)
    pick(box, other)
    assert _may_be_source(box, hero)
    box.figure = hero
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    assert load(other).figure == hero
    assert other.animation_data.action.name == "hero on other"
    box.feet = 0.0
    assert load(other).trouble == "" and box.trouble == ""
    assert load(other).settings.feet == 0.0
    box.figure = other
    with pytest.raises(RuntimeError, match="expected one figure|has no action"):
        bpy.data.objects.remove(figure)
        bpy.ops.smplify.apply_character()


def test_a_picked_character_shows_its_detected_bones(hero, box):
    box.armature = hero
    assert box.trouble == "" and [row.name for row in box.bones] == list(ROLES)
    found = bone_map_of(box)
    assert found.missing == () and found.joint("left_thigh") == "thigh.L"
    assert box.rest == "T-pose"


def test_the_common_prefix_of_bone_names_is_hidden(addon, box):
    armature = make_character("mixamo")
    for bone in armature.data.bones:
        bone.name = f"mixamorig:{bone.name}"
    pick(box, armature, {role: tuple(f"mixamorig:{bone}" for bone in chain) for role, chain in BONES.items()})
    row = box.bones["left_shin"]
    assert (row.bone, row.shown) == ("mixamorig:shin.L", "shin.L")
    assert {"hips", "shin.L", "finger.R"} <= set(shown_names(box))
    row.shown = "thigh.L"
    assert (row.bone, box.bones["right_shin"].bone) == ("mixamorig:thigh.L", "mixamorig:thigh.R")
    row.shown = "mixamorig:shin.L"
    assert (row.bone, row.shown) == ("mixamorig:shin.L", "shin.L")
    row.shown = ""
    assert (row.bone, row.shown, mark_of(row)) == ("", "", "missing")


def test_names_without_a_common_prefix_are_shown_whole(hero, box):
    pick(box, hero)
    assert [row.shown for row in box.bones] == [row.bone for row in box.bones]


def test_apply_and_remove_are_one_undo_step_each(figure, hero, box):
    pick(box, hero)
    bpy.ops.ed.undo_push(message="before")
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    assert hero.animation_data.action.name == "walk on hero"
    assert "UNDO" in bpy.types.SMPLIFY_OT_apply_character.bl_options
    assert bpy.ops.smplify.remove_character() == {"FINISHED"}
    assert hero.animation_data is None and STORED_KEY not in hero
    assert not bpy.ops.smplify.remove_character.poll()


def test_undo_reverts_apply_and_remove(figure, hero, box):
    pick(box, hero)
    bpy.ops.ed.undo_push(message="picked")
    bpy.ops.smplify.apply_character()
    bpy.ops.ed.undo_push(message="applied")
    bpy.ops.smplify.remove_character()
    bpy.ops.ed.undo_push(message="removed")
    bpy.ops.ed.undo()
    hero = bpy.data.objects["hero"]
    assert load(hero).figure == bpy.data.objects["walk"] and hero.animation_data.action.name == "walk on hero"
    bpy.ops.ed.undo()
    hero = bpy.data.objects["hero"]
    assert STORED_KEY not in hero and hero.animation_data is None


def test_the_character_is_exported(figure, hero, box, tmp_path):
    be_applied(box, hero)
    assert bpy.ops.smplify.export_character(filepath=str(tmp_path / "hero.glb")) == {"FINISHED"}
    assert (tmp_path / "hero.glb").stat().st_size > 1000
    with pytest.raises(RuntimeError, match=r"ending in \.blend, \.fbx, \.glb"):
        bpy.ops.smplify.export_character(filepath=str(tmp_path / "hero.obj"))


def test_changed_options_are_applied_at_once(figure, hero, box):
    pick(box, hero)
    bpy.ops.smplify.apply_character()
    before, _ = evaluated(hero, range(1, 25, 3))
    box.steps = "factor"
    box.factor = 2.0
    after, _ = evaluated(hero, range(1, 25, 3))
    assert load(hero).settings.steps == 2.0 and np.abs(after - before).max() > 0.2
    box.root_motion = "bone"
    moved, _ = evaluated(hero, range(1, 25, 3))
    hips = hero.data.bones.find("hips")
    np.testing.assert_allclose(moved[:, hips], after[:, hips], atol=1e-4)


def test_an_option_that_cannot_be_applied_is_reverted_and_reported(figure, hero, box):
    pick(box, hero)
    bpy.ops.smplify.apply_character()
    box.rest_pose = "pose"
    assert "expected hero in a pose that you have made, but it has a motion" in box.trouble
    assert box.rest_pose == "auto"
    hero.pose.bones["arm.L"].constraints.new("LIMIT_ROTATION").use_limit_x = True
    box.feet = 0.25
    assert box.feet == 1.0 and load(hero).settings.feet == 1.0
    drawn = draw(SMPLIFY_PT_character)
    assert "none moves arm.L" in drawn.text


def test_a_pose_can_be_taken_as_the_rest_pose(figure, hero, box):
    pick(box, hero)
    automatic = {}
    for name, angle in (("auto", 0.0), ("pose", 0.0), ("bent", 0.5)):
        bone = hero.pose.bones["forearm.L"]
        bone.rotation_mode = "XYZ"
        bone.rotation_euler = (angle, 0.0, 0.0)
        box.rest_pose = "auto" if name == "auto" else "pose"
        bpy.ops.smplify.apply_character()
        automatic[name], _ = evaluated(hero, range(1, 25, 6))
        assert len(load(hero).settings.rest_pose) == (0 if name == "auto" else 9 * len(hero.data.bones))
        bpy.ops.smplify.remove_character()
    hand = hero.data.bones.find("hand.L")
    assert np.abs(automatic["bent"] - automatic["pose"])[:, hand].max() > 0.02


def test_picking_a_character_with_a_motion_shows_its_own_settings(figure, hero, box):
    from tests.blender_addon.character.rigs import make_character

    pick(box, hero)
    box.feet = 0.5
    bpy.ops.smplify.apply_character()
    other = make_character("other")
    pick(box, other)
    box.feet = 0.75
    assert load(hero).settings.feet == 0.5
    box.armature = hero
    assert box.feet == 0.5 and bone_map_of(box).bones == BONES


def test_a_bone_chosen_by_hand_is_certain_and_mirrored(hero, box):
    pick(box, hero)
    rows = box.bones
    rows["left_hand"].bone = "finger.L"
    assert rows["right_hand"].bone == "finger.R" and rows["right_hand"].confidence == 1.0
    box.mirror = False
    rows["left_hand"].bone = "hand.L"
    assert rows["right_hand"].bone == "finger.R"
    rows["left_hand"].bone = ""
    assert mark_of(rows["left_hand"]) == "absent" and "left_hand" not in bone_map_of(box).bones
    rows["left_shin"].bone = ""
    assert mark_of(rows["left_shin"]) == "missing" and bone_map_of(box).missing == ("left_shin",)
    rows["spine"].bone = "chest"
    assert bone_map_of(box).bones["spine"] == ("chest",)
    rows["spine"].bone = "spine"
    assert bone_map_of(box).bones["spine"][0] == "spine"


def test_a_chain_keeps_its_last_bone_when_its_first_is_changed(hero, box):
    pick(box, hero, {**BONES, "spine": ("chest",)})
    pick(box, hero, {**BONES, "hips": ("root",), "spine": ("hips", "spine", "chest")})
    box.bones["spine"].bone = "spine"
    assert bone_map_of(box).bones["spine"] == ("spine", "chest")


def test_bones_are_saved_and_loaded(hero, box, tmp_path):
    pick(box, hero)
    path = tmp_path / "bones.json"
    bpy.ops.smplify.save_bones(filepath=str(path))
    assert BoneMap.from_json(path.read_text()).bones == BONES
    before = bone_map_of(box)
    for text in ("nonsense", "{}", json.dumps({"format": "smplify bones", "version": 1, "bones": {"hips": ["nose"]}})):
        path.write_text(text)
        with pytest.raises(RuntimeError, match="expected"):
            bpy.ops.smplify.load_bones(filepath=str(path))
        assert bone_map_of(box) == before
    with pytest.raises(RuntimeError, match="cannot be read"):
        bpy.ops.smplify.load_bones(filepath=str(tmp_path / "none.json"))


def test_damaged_rows_of_the_bone_list_raise_a_core_error(figure, hero, box):
    pick(box, hero)
    for text in ("nonsense", "5", '[""]', "[3]", "[" * 50_000):
        box.bones["spine"].others = text
        with pytest.raises(RuntimeError, match="expected the bones of spine in the bone list, found other data"):
            bpy.ops.smplify.apply_character()
        draw(SMPLIFY_PT_character)


def test_the_figure_is_the_active_or_only_one(figure, hero, box, add_person, make_motion):
    from blender_addon.character.choosing import figure_for
    from blender_addon.character.errors import CharacterError
    from blender_addon.figure.custom_properties import RECORD_KEY

    bpy.context.view_layer.objects.active = hero
    assert figure_for(box, bpy.context) == figure
    second = add_person(make_motion(seed=1), "run").armature
    second[RECORD_KEY] = b"any"
    with pytest.raises(CharacterError, match=r"expected one figure whose motion to use, found 2 \(walk, run\)"):
        figure_for(box, bpy.context)
    bpy.context.view_layer.objects.active = second
    assert figure_for(box, bpy.context) == second
    box.figure = figure
    assert figure_for(box, bpy.context) == figure
    for item in (figure, second):
        bpy.data.objects.remove(item)
    with pytest.raises(CharacterError, match="found none; fit a track or import a motion first"):
        figure_for(box, bpy.context)


def test_a_character_keeps_the_figure_whose_motion_it_has(figure, hero, box, add_person, make_motion):
    from blender_addon.character.choosing import figure_for

    pick(box, hero)
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    second = add_person(make_motion(seed=1), "run").armature
    for active in (hero, second):
        bpy.context.view_layer.objects.active = active
        assert figure_for(box, bpy.context) == figure
    box.figure = second
    assert figure_for(box, bpy.context) == second


def be_unusable(box, hero) -> None:
    hero.scale = (1.0, 2.0, 1.0)
    box.armature = hero


def be_missing(box, hero) -> None:
    pick(box, hero)
    box.bones["left_thigh"].bone = ""


def be_doubtful(box, hero) -> None:
    pick(box, hero)
    box.bones["neck"].confidence = 0.7


def be_applied(box, hero) -> None:
    pick(box, hero)
    bpy.ops.smplify.apply_character()


def be_damaged(box, hero) -> None:
    be_applied(box, hero)
    hero[STORED_KEY] = "nonsense"


MAKERS = {
    CharacterState.NONE: (lambda box, hero: None, "Choose the armature of your character"),
    CharacterState.UNUSABLE: (be_unusable, "expected hero to be scaled alike"),
    CharacterState.MISSING: (be_missing, "1 missing"),
    CharacterState.DOUBTFUL: (be_doubtful, "1 to check"),
    CharacterState.READY: (pick, "18 of 20 bones found"),
    CharacterState.APPLIED: (be_applied, "Feet slide"),
    CharacterState.DAMAGED: (be_damaged, "found a damaged entry"),
}


@pytest.mark.parametrize("state", CharacterState)
def test_every_state_of_the_box_is_drawn(figure, hero, box, state):
    make, text = MAKERS[state]
    make(box, hero)
    assert character_state(box) is state
    drawn = draw(SMPLIFY_PT_character)
    assert text in drawn.text
    assert ("smplify.apply_character" in drawn.operators) == (
        state not in (CharacterState.NONE, CharacterState.UNUSABLE, CharacterState.DAMAGED)
    )
    assert ("smplify.remove_character" in drawn.operators) == (state is CharacterState.APPLIED)
    assert drawn.alerts == (state is CharacterState.MISSING)


def test_box_4_names_the_figure_of_the_active_character(figure, hero, box):
    be_applied(box, hero)
    bpy.context.view_layer.objects.active = hero
    assert f"This character moves like {figure.name}; select that figure" in draw(SMPLIFY_PT_result).text
    bpy.data.objects.remove(figure)
    assert "The active armature was not fitted here" in draw(SMPLIFY_PT_result).text
    hero[STORED_KEY] = "nonsense"
    assert "The active armature was not fitted here" in draw(SMPLIFY_PT_result).text


def test_deleted_characters_and_figures_are_not_used(figure, hero, box):
    be_applied(box, hero)
    bpy.context.scene.collection.children[0].objects.unlink(figure)  # as the X key does
    box.feet = 0.5
    assert "it was removed" in load(hero).trouble and box.feet == 1.0
    bpy.context.scene.collection.objects.unlink(hero)
    assert box.armature == hero and character_state(box) is CharacterState.NONE
    assert not bpy.ops.smplify.apply_character.poll()


def test_the_button_jumps_to_each_frame_out_of_reach_in_turn(figure, hero, box):
    from dataclasses import replace

    from blender_addon.character.stored import save

    be_applied(box, hero)
    kept = load(hero)
    save(hero, replace(kept, facts=replace(kept.facts, out_of_reach=(4, 9))))
    assert (
        "Frames out of reach: 2" in draw(SMPLIFY_PT_character).text
        or "smplify.go_out_of_reach" in draw(SMPLIFY_PT_character).operators
    )
    gone = []
    for _ in range(3):
        bpy.ops.smplify.go_out_of_reach()
        gone.append(bpy.context.scene.frame_current)
    assert gone == [4, 9, 4]


def test_the_bone_overlay_follows_the_pose(hero, box):
    assert bone_colors.bone_lines(box) == {}
    pick(box, hero)
    hero.location = (0.0, 0.0, 1.0)
    bpy.context.view_layer.update()
    lines = bone_colors.bone_lines(box)
    assert {len(ends) for ends in lines.values()} == {2 * 7, 2 * 4}
    left = next(ends for ends in lines.values() if len(ends) == 14 and ends[:, 0].min() > 0.0)
    assert left[:, 2].max() == pytest.approx(2.45)


def test_the_lowest_point_is_never_shown_as_minus_zero(figure, hero, box):
    pick(box, hero)
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    kept = load(hero)
    save(hero, replace(kept, facts=replace(kept.facts, lowest_mm=-0.04)))
    assert "Lowest point of the feet 0.0 mm" in draw(SMPLIFY_PT_character).text


def test_the_box_names_the_source_figure_and_reports_its_removal(figure, hero, box):
    pick(box, hero)
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    assert f"It moves like {figure.name}" in draw(SMPLIFY_PT_character).text
    bpy.data.objects.remove(figure)
    assert "The figure whose motion it has was removed" in draw(SMPLIFY_PT_character).text
