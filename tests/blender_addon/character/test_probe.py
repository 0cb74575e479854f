"""Control rigs: their controls are found by experiment, keyed, and put back as they were."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character import applying  # noqa: E402
from blender_addon.character.applying import apply_motion, change_settings, remove_motion  # noqa: E402
from blender_addon.character.controls import hang_together, segments_of  # noqa: E402
from blender_addon.character.errors import CharacterError  # noqa: E402
from blender_addon.character.probe import find_controls  # noqa: E402
from blender_addon.character.read_rig import read_rig  # noqa: E402
from blender_addon.character.settings import CharacterSettings  # noqa: E402
from blender_addon.character.stored import load  # noqa: E402
from core.retarget.bone_map import BoneMap  # noqa: E402
from core.retarget.mapping import map_bones  # noqa: E402
from tests.blender_addon.character.rigs import ROLES, evaluated, expected_heads, make_character  # noqa: E402
from tests.blender_addon.character.test_applying import BONES, look  # noqa: E402

RIGIFY = """
import os, sys, bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.preferences.addon_enable(module="rigify")
bpy.ops.object.armature_basic_human_metarig_add()
bpy.ops.pose.rigify_generate()
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
os._exit(0)  # Blender may take minutes to end after Rigify
"""


@pytest.fixture(scope="session")
def rigify_file(tmp_path_factory) -> Path:
    """A .blend with a generated Rigify rig, made by a process of its own: the add-on does not survive a new file."""
    path = tmp_path_factory.mktemp("rigify") / "rigify.blend"
    try:
        done = subprocess.run([sys.executable, "-c", RIGIFY, str(path)], capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip("this Blender did not generate a Rigify rig in 300 s")
    if not path.exists():
        pytest.skip(f"this Blender cannot generate a Rigify rig: {done.stderr[-300:]}")
    return path


@pytest.fixture
def rigify(figure, rigify_file):
    """The rig, with its 222 bones, in the scene of the figure."""
    with bpy.data.libraries.load(str(rigify_file)) as (found, into):
        into.objects = found.objects
    rig = max((item for item in into.objects if item.type == "ARMATURE"), key=lambda item: len(item.data.bones))
    bpy.context.collection.objects.link(rig)
    bpy.context.view_layer.update()
    return rig


def with_controls(armature) -> BoneMap:
    """Let the bones of the test character follow controls that hang on each other in another way.

    The hips and the arms hang on the chest's control, which hangs on a control for everything. The left leg follows its
    controls only while a switch is on, and bones at rest otherwise; every control has a child that only adjusts it.
    """
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    moved = [bone.name for bone in bones if bone.name != "root"]
    parents = {name: bones[name].parent.name for name in moved}
    parents |= {"hips": "spine", "spine": "chest", "chest": "all"}
    above = bones.new("c_all")
    above.head, above.tail, above.parent = (0.0, 0.2, 1.0), (0.0, 0.2, 1.3), bones["root"]
    for name in moved:
        control, tweak = bones.new(f"c_{name}"), bones.new(f"t_{name}")
        control.head, control.tail, control.roll = bones[name].head, bones[name].tail, 0.3
        tweak.head, tweak.tail, tweak.roll, tweak.parent = bones[name].head, bones[name].tail, bones[name].roll, control
        if name in ("hips", "spine"):  # they turn about their far ends
            control.head, control.tail = bones["spine" if name == "hips" else "chest"].head, bones[name].head
    for name in moved:
        bones[f"c_{name}"].parent = bones[f"c_{parents[name]}"]
        bones[name].parent = bones["root"]
    bpy.ops.object.mode_set(mode="POSE")
    posed = armature.pose.bones
    posed["c_hips"]["fk"] = 0.0
    for name in moved:
        posed[name].lock_rotation = (True, True, True)
        follow = posed[name].constraints.new("COPY_TRANSFORMS")
        follow.target, follow.subtarget = armature, f"t_{name}"
        if name in ("thigh.L", "shin.L"):
            driver = follow.driver_add("influence").driver
            variable = driver.variables.new()
            variable.targets[0].id = armature
            variable.targets[0].data_path = 'pose.bones["c_hips"]["fk"]'
            driver.expression = variable.name
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.update()
    return BONES


def with_ik_leg(armature) -> None:
    """Let the left leg of the test character follow FK bones, or IK bones while a switch is on, as it is.

    The pole lies to the side of the knee, not before it, and the goal at the heel. The chain may stretch.
    """
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    names = ("thigh.L", "shin.L", "foot.L")
    for kind in ("fk", "ik"):
        for name, above in zip(names, ("hips", f"{kind}_thigh.L", f"{kind}_shin.L"), strict=True):
            made, like = bones.new(f"{kind}_{name}"), bones[name]
            made.head, made.tail, made.roll, made.parent = like.head, like.tail, like.roll, bones[above]
    goal, pole = bones.new("goal.L"), bones.new("pole.L")
    goal.head, goal.tail, goal.parent = (0.1, 0.06, 0.0), (0.1, 0.2, 0.0), bones["root"]
    pole.head, pole.tail, pole.parent = (0.8, -0.02, 0.5), (0.9, -0.02, 0.5), bones["root"]
    bones["ik_foot.L"].parent = goal
    bpy.ops.object.mode_set(mode="POSE")
    posed = armature.pose.bones
    posed["goal.L"]["ik"] = 1.0
    posed["pole.L"].lock_rotation = (True, True, True)
    chain = posed["ik_shin.L"].constraints.new("IK")
    chain.target = chain.pole_target = armature
    chain.subtarget, chain.pole_subtarget, chain.chain_count = "ik_foot.L", "pole.L", 2
    posed["ik_shin.L"].ik_stretch = posed["ik_thigh.L"].ik_stretch = 0.1
    for name in names:
        posed[name].lock_rotation = (True, True, True)
        for kind in ("fk", "ik"):
            follow = posed[name].constraints.new("COPY_TRANSFORMS")
            follow.target, follow.subtarget = armature, f"{kind}_{name}"
        driver = follow.driver_add("influence").driver
        variable = driver.variables.new()
        variable.targets[0].id = armature
        variable.targets[0].data_path = 'pose.bones["goal.L"]["ik"]'
        driver.expression = variable.name
    bpy.ops.object.mode_set(mode="OBJECT")
    chain.pole_angle = min(np.radians((-90.0, 0.0, 90.0, 180.0)), key=lambda angle: knee_off(armature, angle))
    bpy.context.view_layer.update()


def with_only_an_ik_leg(armature) -> None:
    """Let the left leg of the test character follow IK controls alone, as simple rigs have it: a foot and a knee."""
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    goal, pole = bones.new("goal.L"), bones.new("pole.L")
    goal.head, goal.tail, goal.roll, goal.parent = (*(bones["foot.L"].head, bones["foot.L"].tail), 0.2, bones["root"])
    pole.head, pole.tail, pole.parent = (0.1, -0.6, 0.5), (0.1, -0.7, 0.5), bones["root"]
    bpy.ops.object.mode_set(mode="POSE")
    posed = armature.pose.bones
    chain = posed["shin.L"].constraints.new("IK")
    chain.target = chain.pole_target = armature
    chain.subtarget, chain.pole_subtarget, chain.chain_count = "goal.L", "pole.L", 2
    follow = posed["foot.L"].constraints.new("COPY_ROTATION")
    follow.target, follow.subtarget = armature, "goal.L"
    follow.target_space = follow.owner_space = "POSE"
    bpy.ops.object.mode_set(mode="OBJECT")
    angles = np.radians((-90.0, 0.0, 90.0, 180.0))
    chain.pole_angle = min(angles, key=lambda angle: knee_off(armature, angle, "shin.L"))
    bpy.context.view_layer.update()


def knee_off(armature, angle: float, name: str = "ik_shin.L") -> float:
    """Return how far the pole angle *angle* moves the knee at rest."""
    shin = armature.pose.bones[name]
    shin.constraints["IK"].pole_angle = angle
    bpy.context.view_layer.update()
    return (shin.head - shin.bone.head_local).length


@pytest.fixture
def solved(monkeypatch):
    """The motions that the core has solved, the last one first."""
    found = []
    retarget = applying.retarget
    monkeypatch.setattr(applying, "retarget", lambda *given: found.insert(0, retarget(*given)) or found[0])
    return found


def joint_errors_mm(armature, motion, bone_map: BoneMap, frames: range) -> dict[str, float]:
    """The largest error of each mapped bone's head, against forward kinematics of the solution."""
    heads, _ = evaluated(armature, frames)
    want = expected_heads(motion)[[frame - 1 for frame in frames]]
    return {
        bone: 1000.0 * float(np.linalg.norm(heads[:, armature.data.bones.find(bone)] - want[:, motion.rig.index[bone]],
                                            axis=-1).max())
        for bone in segments_of(bone_map)
    }  # fmt: skip


def test_probing_finds_controls_and_changes_nothing(hero):
    bone_map = with_controls(hero)
    hero.pose.bones["c_arm.R"].rotation_quaternion = (0.9, 0.1, 0.2, 0.0)
    bpy.context.view_layer.update()
    before = look(hero)
    found = find_controls(hero, segments_of(bone_map), [], {})
    assert look(hero) == before
    assert found.control_of == {bone: f"c_{bone}" for bone in segments_of(bone_map)}
    parents = {
        name.removeprefix("c_"): link.parent.removeprefix("c_") for name, link in found.links.items() if link.parent
    }
    assert parents["hips"] == "spine" and parents["spine"] == "chest" and parents["chest"] == "all"
    assert parents["arm.L"] == "chest" and parents["thigh.L"] == "hips" and parents["hand.R"] == "forearm.R"
    assert found.traveller == "c_chest" or found.traveller == "c_all"
    assert found.switches == {("c_hips", '["fk"]'): 1.0}


@pytest.mark.parametrize("root_motion", ["hips", "object"])
def test_a_control_rig_reproduces_the_motion(figure, hero, solved, root_motion):
    bone_map = with_controls(hero)
    before = look(hero)
    facts = apply_motion(hero, figure, bone_map, CharacterSettings(root_motion=root_motion))
    assert facts.notes[-1] == "Control rig: 19 controls are keyed; switched over: fk"
    errors = joint_errors_mm(hero, solved[0], bone_map, range(1, 25, 4))
    assert max(errors.values()) < 0.1, errors
    assert change_settings(hero, CharacterSettings(feet=0.5, root_motion=root_motion)), load(hero).trouble
    errors = joint_errors_mm(hero, solved[0], bone_map, range(1, 25, 4))
    assert max(errors.values()) < 0.1, errors
    remove_motion(hero)
    assert look(hero) == before


@pytest.mark.parametrize("root_motion", ["hips", "object"])
def test_a_limb_can_follow_its_ik_controls(figure, solved, root_motion):
    hero = make_character("hero")
    with_ik_leg(hero)
    before = look(hero)
    facts = apply_motion(hero, figure, BONES, CharacterSettings(root_motion=root_motion))
    assert facts.ik_limbs == 1 and ", and 2 of IK; switched over: ik, ik_stretch" in facts.notes[-1]
    assert max(joint_errors_mm(hero, solved[0], BONES, range(1, 25, 4)).values()) < 0.1
    assert hero.pose.bones["goal.L"]["ik"] == 0.0
    assert change_settings(hero, CharacterSettings(root_motion=root_motion, controls="ik")), load(hero).trouble
    assert hero.pose.bones["goal.L"]["ik"] == 1.0
    errors = joint_errors_mm(hero, solved[0], BONES, range(1, 25, 4))
    assert max(errors.values()) < 1.0, errors
    remove_motion(hero)
    assert look(hero) == before


@pytest.mark.parametrize("root_motion", ["hips", "object"])
def test_a_limb_without_fk_follows_its_ik_controls(figure, solved, root_motion):
    hero = make_character("hero")
    with_only_an_ik_leg(hero)
    before = look(hero)
    facts = apply_motion(hero, figure, BONES, CharacterSettings(root_motion=root_motion))
    assert facts.ik_limbs == 1 and "and 3 of IK" in facts.notes[-1] and "follow no control" not in facts.notes[-1]
    errors = joint_errors_mm(hero, solved[0], BONES, range(1, 25, 4))
    assert max(errors.values()) < 1.0, errors
    assert change_settings(hero, CharacterSettings(feet=0.5, root_motion=root_motion)), load(hero).trouble
    remove_motion(hero)
    assert look(hero) == before


def test_applying_again_finds_the_controls_again(figure, hero):
    bone_map = with_controls(hero)
    apply_motion(hero, figure, bone_map, CharacterSettings())
    hero.pose.bones["thigh.R"].constraints[0].influence = 0.5
    assert change_settings(hero, CharacterSettings(feet=0.5)), load(hero).trouble
    with pytest.raises(CharacterError, match=r"none moves thigh\.R"):
        apply_motion(hero, figure, bone_map, CharacterSettings())


def test_bones_without_a_control_are_named(figure, hero):
    bone_map = with_controls(hero)
    for name in ("thigh.R", "shin.R"):
        hero.pose.bones[name].constraints[0].influence = 0.5
    bpy.context.view_layer.update()
    before = look(hero)
    with pytest.raises(CharacterError, match=r"none moves thigh\.R, shin\.R; name bones that can be posed"):
        apply_motion(hero, figure, bone_map, CharacterSettings())
    assert look(hero) == before


def test_deforming_bones_are_parented_as_in_a_body(hero):
    bone_map = with_controls(hero)
    rig = hang_together(read_rig(hero), bone_map)
    for bone, parent in (("spine", "hips"), ("chest", "spine"), ("neck", "chest"), ("arm.L", "chest"),
                         ("thigh.R", "hips"), ("hand.L", "forearm.L"), ("hips", "root")):  # fmt: skip
        assert rig.names[rig.parents[rig.index[bone]]] == parent
    read = read_rig(hero)
    for bone in read.names:
        np.testing.assert_array_equal(rig.heads[rig.index[bone]], read.heads[read.index[bone]])
    plain = make_character("plain")
    straight = read_rig(plain)
    again = hang_together(straight, BoneMap({role: tuple(chain) for role, chain in ROLES.items()}))
    assert {again.names[bone]: again.names[parent] for bone, parent in enumerate(again.parents) if parent >= 0} == {
        straight.names[bone]: straight.names[parent] for bone, parent in enumerate(straight.parents) if parent >= 0
    }


@pytest.mark.bpy_module
@pytest.mark.parametrize("root_motion", ["hips", pytest.param("bone", marks=pytest.mark.main_blender)])
def test_a_rigify_rig_reproduces_the_motion(figure, rigify, solved, root_motion):
    bone_map = map_bones(read_rig(rigify))
    before = look(rigify)
    facts = apply_motion(rigify, figure, bone_map, CharacterSettings(root_motion=root_motion))
    assert facts.notes[-1] == (
        "Control rig: 22 controls are keyed, and 10 of IK; switched over: IK_FK, head_follow, ik_stretch, neck_follow, "
        "pole_vector"
    )
    errors = joint_errors_mm(rigify, solved[0], bone_map, range(1, 25, 4))
    head = bone_map.joint("head")
    assert errors.pop(head) < 5.0  # one control turns both bones of the neck
    assert max(errors.values()) < 0.1, errors
    keyed = {bone for bone, _ in load(rigify).before.values}
    assert {
        "torso",
        "spine_fk",
        "thigh_fk.L",
        "hand_fk.R",
        "head",
        "foot_ik.L",
        "thigh_ik_target.R",
        "toe_ik.L",
    } <= keyed
    assert change_settings(rigify, CharacterSettings(root_motion=root_motion, controls="ik")), load(rigify).trouble
    assert rigify.pose.bones["thigh_parent.L"]["IK_FK"] == 0.0
    errors = joint_errors_mm(rigify, solved[0], bone_map, range(1, 25, 4))
    assert errors.pop(head) < 5.0
    assert max(errors.values()) < 1.0, errors
    remove_motion(rigify)
    assert look(rigify) == before
