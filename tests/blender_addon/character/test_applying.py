"""A motion put onto a character, kept up to date, and taken away without a trace."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character.applying import (  # noqa: E402
    apply_motion,
    change_settings,
    remove_motion,
)
from blender_addon.character.errors import CharacterError  # noqa: E402
from blender_addon.character.identity import STORED_KEY, characters_of  # noqa: E402
from blender_addon.character.settings import CharacterSettings  # noqa: E402
from blender_addon.character.snapshot import snapshot as look  # noqa: E402
from blender_addon.character.stored import load  # noqa: E402
from core.errors import CoreError  # noqa: E402
from core.retarget.bone_map import BoneMap, BoneMapError  # noqa: E402
from tests.blender_addon.character.rigs import ROLES, evaluated, place_object  # noqa: E402

BONES = BoneMap({role: tuple(chain) for role, chain in ROLES.items()})


def animate(armature) -> None:
    """Give a character an action of its own, NLA tracks, a pose, and a custom property."""
    for frame, angle in ((1, 0.0), (30, 1.0)):
        bone = armature.pose.bones["arm.L"]
        bone.rotation_mode = "XYZ"
        bone.rotation_euler = (angle, 0.0, 0.0)
        bone.keyframe_insert("rotation_euler", frame=frame)
    other = bpy.data.actions.new("wave")
    armature["mine"] = "kept"
    for name, mute in (("first", False), ("second", True)):
        track = armature.animation_data.nla_tracks.new()
        track.name, track.mute = name, mute
        track.strips.new("wave", 1, other)
    armature.animation_data.action_blend_type = "ADD"
    armature.animation_data.action_influence = 0.5
    armature.pose.bones["thigh.R"].location = (0.1, 0.0, 0.0)
    armature.pose.bones["head"].scale = (1.2, 1.0, 1.0)
    bpy.context.scene.frame_set(10)


@pytest.mark.parametrize("own_animation", [False, True])
@pytest.mark.parametrize("root_motion", ["hips", "bone", "object"])
def test_remove_restores_the_character(figure, hero, own_animation, root_motion):
    place_object(hero, scale=0.5, seed=2)
    if own_animation:
        animate(hero)
    before = look(hero)
    apply_motion(hero, figure, BONES, CharacterSettings(root_motion=root_motion))
    assert look(hero) != before and load(hero).figure == figure
    assert hero.animation_data.action.name == "walk on hero"
    assert [track.mute for track in hero.animation_data.nla_tracks] == [True] * (2 * own_animation)
    assert hero.animation_data.action_influence == 1.0
    apply_motion(hero, figure, BONES, CharacterSettings(root_motion="hips"))
    change_settings(hero, CharacterSettings(root_motion=root_motion, feet=0.5))
    remove_motion(hero)
    assert look(hero) == before
    with pytest.raises(CharacterError, match="expected a character with a motion"):
        remove_motion(hero)


@pytest.mark.parametrize("solo", [False, True])
def test_nla_tracks_with_equal_names_and_muted_strips_are_restored(figure, hero, solo):
    action = bpy.data.actions.new("wave")
    for number, mute in enumerate((True, False, True, False)):
        track = hero.animation_data_create().nla_tracks.new()
        track.strips.new("wave", 1 + 40 * number, action).mute = number % 3 == 0
        track.name, track.mute = "layer" if number < 3 else "other", mute
    assert [track.name for track in hero.animation_data.nla_tracks] == ["layer"] * 3 + ["other"]
    if solo:
        hero.animation_data.nla_tracks[2].is_solo = True
    before = look(hero)
    apply_motion(hero, figure, BONES, CharacterSettings())
    assert all(track.mute for track in hero.animation_data.nla_tracks)
    remove_motion(hero)
    assert look(hero) == before


def test_bones_renamed_after_apply_are_keyed_and_restored(figure, hero):
    animate(hero)
    names = {"hips": "Becken", "arm.L": "Arm.L", "head": "shin", "toe.R": "Zehe.R"}
    before = look(hero)
    apply_motion(hero, figure, BONES, CharacterSettings())
    for old, new in names.items():
        hero.data.bones[old].name = new
    figure.smplify.height_m = 0.25
    kept = load(hero)
    assert kept.trouble == "" and kept.bone_map.joint("hips") == "Becken" and kept.bone_map.joint("head") == "shin"
    assert ("Becken", "location") in kept.before.values
    remove_motion(hero)
    for old, new in names.items():
        hero.data.bones[new].name = old
    assert look(hero) == before


def test_the_previous_action_gets_a_fake_user(figure, hero):
    animate(hero)
    old = hero.animation_data.action
    apply_motion(hero, figure, BONES, CharacterSettings())
    assert old.use_fake_user and load(hero).old_action == old


def test_root_motion_can_be_switched_repeatedly(figure, hero):
    place_object(hero, scale=0.5, seed=2)
    apply_motion(hero, figure, BONES, CharacterSettings())
    frames = range(1, 25, 4)
    heads, _ = evaluated(hero, frames)
    for root_motion in ("object", "bone", "object", "hips"):
        assert change_settings(hero, CharacterSettings(root_motion=root_motion)), load(hero).trouble
        moved, _ = evaluated(hero, frames)
        hips = [index for index, bone in enumerate(hero.data.bones) if bone.name != "root"]
        np.testing.assert_allclose(moved[:, hips], heads[:, hips], atol=1e-4)
    curves = {channel for channel in load(hero).before.values}
    assert ("", "location") not in curves and ("root", "location") not in curves


def test_a_change_of_the_figure_updates_the_character(figure, hero):
    apply_motion(hero, figure, BONES, CharacterSettings())
    assert characters_of(figure) == [hero]
    before, _ = evaluated(hero, range(1, 25))
    figure.smplify.height_m = 0.25
    after, _ = evaluated(hero, range(1, 25))
    hips = hero.data.bones.find("hips")
    rise = after[:, hips, 1] - before[:, hips, 1]
    assert rise.min() > 0.15 and load(hero).trouble == ""
    remove_motion(hero)
    figure.smplify.height_m = 0.0
    assert characters_of(figure) == [] and STORED_KEY not in hero


def test_edited_keys_of_the_figure_are_retargeted(figure, hero):
    apply_motion(hero, figure, BONES, CharacterSettings(hands=0.0))
    _, before = evaluated(hero, range(5, 6))
    bone = figure.pose.bones["left_elbow"]
    bone.rotation_quaternion = (0.7, 0.0, 0.0, 0.7)
    bone.keyframe_insert("rotation_quaternion", frame=5)
    apply_motion(hero, figure, BONES, CharacterSettings(hands=0.0))
    _, after = evaluated(hero, range(5, 6))
    turned = {bone.name: np.abs(after - before)[0, index].max() for index, bone in enumerate(hero.data.bones)}
    assert turned["forearm.L"] > 0.1 and turned["arm.R"] < 0.01


def test_edited_keys_of_the_character_are_not_overwritten_by_a_change_of_the_figure(figure, hero):
    apply_motion(hero, figure, BONES, CharacterSettings())
    bone = hero.pose.bones["head"]
    bone.rotation_quaternion = (1.0, 0.5, 0.0, 0.0)
    bone.keyframe_insert("rotation_quaternion", frame=5)
    before, _ = evaluated(hero, range(1, 25))
    figure.smplify.height_m = 0.25
    after, _ = evaluated(hero, range(1, 25))
    np.testing.assert_array_equal(after, before)
    assert "edited" in load(hero).trouble
    apply_motion(hero, figure, BONES, CharacterSettings())
    assert load(hero).trouble == "" and np.abs(evaluated(hero, range(1, 25))[0] - before).max() > 0.05


def test_an_applied_motion_survives_saving_and_loading(figure, hero, tmp_path):
    animate(hero)
    before = look(hero)
    apply_motion(hero, figure, BONES, CharacterSettings(feet=0.25, root_motion="object"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hero.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hero.blend"))
    hero, figure = bpy.data.objects["hero"], bpy.data.objects["walk"]
    kept = load(hero)
    assert kept.figure == figure and kept.settings == CharacterSettings(feet=0.25, root_motion="object")
    assert kept.bone_map.bones == BONES.bones
    assert change_settings(hero, replace(kept.settings, root_motion="hips")), load(hero).trouble
    remove_motion(hero)
    assert look(hero) == before


def test_a_deleted_figure_is_reported_and_the_motion_can_still_be_removed(figure, hero):
    before = look(hero)
    apply_motion(hero, figure, BONES, CharacterSettings())
    bpy.data.objects.remove(figure)
    assert not change_settings(hero, CharacterSettings(feet=0.0))
    assert "it was removed" in load(hero).trouble
    bpy.data.actions.remove(hero.animation_data.action)
    remove_motion(hero)
    assert "walk on hero" not in bpy.data.actions
    now = json.loads(look(hero))
    assert now["pose"] == json.loads(before)["pose"] and now["custom"] == json.loads(before)["custom"]


def test_remove_keeps_an_action_that_the_user_assigned(figure, hero):
    animate(hero)
    apply_motion(hero, figure, BONES, CharacterSettings())
    hero.animation_data.action = bpy.data.actions["wave"]
    remove_motion(hero)
    assert hero.animation_data.action.name == "wave"
    assert [track.mute for track in hero.animation_data.nla_tracks] == [False, True]


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: 5,
        lambda kept: "nonsense",
        lambda kept: {**kept, "about": 3},
        lambda kept: {**kept, "about": "[1, 2"},
        lambda kept: {**kept, "about": "[]"},
        lambda kept: {**kept, "about": '{"version": 99}'},
        lambda kept: {**kept, "bones": "{}"},
        lambda kept: {**kept, "figure": "walk"},
        lambda kept: {**kept, "about": kept["about"].replace('"feet": 1.0', '"feet": NaN')},
        lambda kept: {**kept, "about": kept["about"].replace('"feet": 1.0', '"feet": 77')},
        lambda kept: {**kept, "about": kept["about"].replace("\\nlocation", "\\nhide_viewport")},
        lambda kept: {**kept, "about": kept["about"].replace('"values": {', '"values": {"x\\nlocation": [1],')},
        lambda kept: {**kept, "about": "[" * 100_000},
        lambda kept: {**kept, "about": kept["about"].replace('"out_of_reach": [', '"out_of_reach": [9999999999999')},
        lambda kept: {**kept, "about": kept["about"].replace('"action_blend_type": "ADD"', '"action_blend_type": "X"')},
    ],
)
def test_a_damaged_custom_property_raises_a_core_error(figure, hero, damage):
    animate(hero)
    apply_motion(hero, figure, BONES, CharacterSettings())
    hero[STORED_KEY] = damage(hero[STORED_KEY].to_dict())
    action = hero.animation_data.action
    for change in (remove_motion, load, lambda item: apply_motion(item, figure, BONES, CharacterSettings())):
        with pytest.raises(CoreError, match=f"damaged entry.*delete its custom property {STORED_KEY}"):
            change(hero)
    assert hero.animation_data.action == action
    figure.smplify.height_m = 0.1  # the figure's own box works on


def test_a_motion_that_an_earlier_version_applied_can_be_changed_and_removed(figure, hero):
    """Settings and facts that came later are missing in its data."""
    animate(hero)
    before = look(hero)
    apply_motion(hero, figure, BONES, CharacterSettings(hands=0.5))
    kept = hero[STORED_KEY].to_dict()
    about = json.loads(kept["about"])
    del about["settings"]["controls"], about["facts"]["ik_limbs"], about["before"]["bones"], about["others"]
    hero[STORED_KEY] = {**kept, "about": json.dumps(about)}
    assert load(hero).settings == CharacterSettings(hands=0.5) and load(hero).facts.ik_limbs == 0
    assert change_settings(hero, CharacterSettings(hands=1.0))
    remove_motion(hero)
    assert look(hero) == before


@pytest.mark.parametrize("shares_the_action", [False, True])
def test_a_duplicated_character_gets_its_own_action(figure, hero, shares_the_action):
    animate(hero)
    before, old = look(hero), hero.animation_data.action
    apply_motion(hero, figure, BONES, CharacterSettings())
    twin = hero.copy()
    bpy.context.collection.objects.link(twin)
    if not shares_the_action:
        twin.animation_data.action = hero.animation_data.action.copy()
    place_object(twin, scale=2.0, seed=1)
    figure.smplify.height_m = 0.25
    assert (load(hero).trouble, load(twin).trouble) == ("", "")
    assert hero.animation_data.action != twin.animation_data.action
    rise = evaluated(hero, range(3, 4))[0]
    assert change_settings(twin, CharacterSettings(root_motion="object"))
    np.testing.assert_array_equal(evaluated(hero, range(3, 4))[0], rise)
    remove_motion(twin)
    assert twin.animation_data.action == old and load(hero).figure == figure
    np.testing.assert_array_equal(evaluated(hero, range(3, 4))[0], rise)
    bpy.data.objects.remove(twin)
    remove_motion(hero)
    bpy.context.scene.frame_set(10)
    assert look(hero) == before


def refuse(hero, figure, text: str, bones: BoneMap = BONES, kind: type = CharacterError) -> None:
    bpy.context.view_layer.update()
    before = look(hero)
    with pytest.raises(kind, match=text):
        apply_motion(hero, figure, bones, CharacterSettings())
    assert look(hero) == before


def test_bones_that_cannot_be_keyed_are_refused_and_nothing_is_changed(figure, hero):
    animate(hero)
    text = r"expected controls of hero that its bones follow rigidly, but none moves {:s}; name bones that can be posed"
    constraint = hero.pose.bones["shin.L"].constraints.new("IK")
    constraint.target = figure
    refuse(hero, figure, text.format("shin.L"))
    constraint.mute = True
    driver = hero.pose.bones["arm.L"].driver_add("rotation_quaternion", 0)
    refuse(hero, figure, text.format("arm.L"))
    driver.mute = True
    hero.data.pose_position = "REST"
    refuse(hero, figure, "set to its rest position")
    hero.data.pose_position = "POSE"
    refuse(hero, figure, "expected a bone for each of", BoneMap({"hips": ("hips",)}), BoneMapError)
    hero.scale = (1.0, 1.0, 2.0)
    refuse(hero, figure, "scaled alike on all axes", kind=CoreError)
    hero.scale = (1.0, 1.0, 1.0)
    refuse(hero, hero, "expected another armature's motion")


def test_a_constrained_bone_that_is_not_required_is_reported(figure, hero):
    limit = hero.pose.bones["head"].constraints.new("LIMIT_ROTATION")
    limit.use_limit_x = True
    facts = apply_motion(hero, figure, BONES, CharacterSettings())
    assert facts.notes[-1] == "Control rig: 18 controls are keyed; follow no control: head"


def test_locked_channels_are_reported(figure, hero):
    hero.pose.bones["neck"].lock_rotation = (True, True, True)
    facts = apply_motion(hero, figure, BONES, CharacterSettings())
    assert facts.notes[-1] == "Locked against turning by hand, but keyed: neck"


def test_linked_characters_need_a_library_override(figure, hero, tmp_path):
    path = tmp_path / "library.blend"
    bpy.data.libraries.write(str(path), {hero})
    with bpy.data.libraries.load(str(path), link=True) as (_, into):
        into.objects = ["hero"]
    linked = into.objects[0]
    bpy.context.collection.objects.link(linked)
    refuse(linked, figure, "but hero is linked; make an override")
    override = linked.override_create(remap_local_usages=True)
    override.override_library.is_system_override = False
    before = json.loads(look(override))
    apply_motion(override, figure, BONES, CharacterSettings())
    assert override.animation_data.action.name == f"walk on {override.name}"
    name = override.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    override = bpy.data.objects[name]
    assert override.animation_data.action.name == f"walk on {name}"
    remove_motion(override)
    now = json.loads(look(override))
    added = {name: value for name, value in now["custom"].items() if name not in before["custom"]}
    assert set(added.values()) <= {"{}"}  # property groups that Blender before 5.0 creates empty on loading
    assert (now["custom"], now["pose"]) == (before["custom"] | added, before["pose"])
