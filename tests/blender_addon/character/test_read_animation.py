"""Any animated armature as the source of a motion: a figure, a BVH file, a constrained rig."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character.applying import apply_motion, remove_motion  # noqa: E402
from blender_addon.character.errors import CharacterError  # noqa: E402
from blender_addon.character.figure_motion import source_of  # noqa: E402
from blender_addon.character.read_animation import animated_frames, read_animation  # noqa: E402
from blender_addon.character.read_rig import read_rig  # noqa: E402
from blender_addon.character.settings import CharacterSettings  # noqa: E402
from core.retarget.alignment import LIMBS  # noqa: E402
from core.retarget.armature_source import armature_source  # noqa: E402
from core.retarget.bone_map import BoneMap, BoneMapError  # noqa: E402
from core.retarget.mapping import map_bones  # noqa: E402
from tests.blender_addon.character.rigs import ROLES, evaluated, make_character, place_object  # noqa: E402
from tests.recordings import ORIGINALS  # noqa: E402

BONES = BoneMap({role: tuple(chain) for role, chain in ROLES.items()})
PLAIN = CharacterSettings(feet=0.0, hands=0.0)
FRAMES = range(1, 25)


def directions(armature, bone_map) -> np.ndarray:
    heads, _ = evaluated(armature, FRAMES)
    index = {bone.name: number for number, bone in enumerate(armature.data.bones)}
    joint = {role: heads[:, index[chain[0]]] for role, chain in bone_map.bones.items()}
    vectors = np.stack([joint[end] - joint[role] for role, end in LIMBS])
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def degrees(ours, theirs) -> np.ndarray:
    return np.degrees(np.arccos(np.clip((ours * theirs).sum(axis=-1), -1.0, 1.0)))


def test_bones_are_read_where_blender_evaluates_them(figure, hero):
    apply_motion(hero, figure, BONES, PLAIN)
    place_object(hero, scale=0.1, seed=4)
    limit = hero.pose.bones["head"].constraints.new("COPY_ROTATION")
    limit.target, limit.subtarget = figure, "pelvis"
    bpy.context.scene.frame_set(7)
    scenes = set(bpy.data.scenes)
    found = read_animation(hero, list(hero.data.bones.keys()), FRAMES)

    assert bpy.context.scene.frame_current == 7
    assert set(bpy.data.scenes) == scenes
    heads, axes = evaluated(hero, FRAMES)
    assert np.abs(found.heads - heads).max() < 1e-5
    assert np.abs(found.rotations - axes).max() < 1e-5


@pytest.mark.main_blender
def test_a_figure_read_as_an_armature_gives_the_same(figure, hero):
    apply_motion(hero, figure, BONES, PLAIN)
    expected = directions(hero, BONES)
    rig = read_rig(figure)
    bone_map = map_bones(rig)
    bones = [name for chain in bone_map.bones.values() for name in chain]
    read = armature_source(read_animation(figure, bones, animated_frames(figure)), rig, bone_map)
    source = source_of(figure, 0.0)

    assert read.motion.fps == pytest.approx(source.motion.fps)
    assert read.num_frames == source.num_frames
    copy = figure.copy()
    del copy["smplify_record"]
    bpy.context.collection.objects.link(copy)
    apply_motion(hero, copy, BONES, PLAIN)
    assert degrees(directions(hero, BONES), expected).max() < 0.5


@pytest.mark.main_blender
def test_a_motion_goes_from_character_to_character_and_back(figure, hero):
    apply_motion(hero, figure, BONES, PLAIN)
    other = make_character("other", roll=5)
    place_object(other, scale=3.0)
    other.rotation_euler.z = 1.0
    again = make_character("again", roll=9)
    apply_motion(other, hero, BONES, PLAIN)
    apply_motion(again, other, BONES, PLAIN)

    assert again.animation_data.action.frame_range[:] == figure.animation_data.action.frame_range[:]
    assert degrees(directions(again, BONES), directions(hero, BONES)).max() < 0.1
    remove_motion(again)


@pytest.mark.skipif(not ORIGINALS.is_dir(), reason="needs the recordings beside the repository")
def test_a_bvh_file_moves_a_character(hero):
    bpy.context.scene.render.fps = 120
    bpy.ops.import_anim.bvh(filepath=str(ORIGINALS / "cmu_bvh" / "02_05.bvh"))
    source = bpy.context.object
    facts = apply_motion(hero, source, BONES, CharacterSettings())

    assert map_bones(read_rig(source)).kind == "CMU BVH"
    assert degrees(directions(hero, BONES), directions(source, map_bones(read_rig(source)))).mean() < 2.0
    assert facts.slide_mm < 10.0


def test_nla_strips_are_read(figure, hero):
    apply_motion(hero, figure, BONES, PLAIN)
    expected = read_animation(hero, ["hips", "hand.L"], animated_frames(hero))
    animation = hero.animation_data
    action, animation.action = animation.action, None
    with pytest.raises(CharacterError, match="no action"):
        animated_frames(hero)
    strip = animation.nla_tracks.new().strips.new("walk", 11, action)
    assert animated_frames(hero) == range(11, 11 + len(expected.heads))
    found = read_animation(hero, ["hips", "hand.L"], animated_frames(hero))
    assert np.abs(found.heads - expected.heads).max() < 1e-5
    strip.mute = True
    with pytest.raises(CharacterError, match="no action"):
        animated_frames(hero)


def test_armatures_without_motion_are_refused(figure, hero):
    apply_motion(hero, figure, BONES, PLAIN)
    other = make_character("other")
    with pytest.raises(CharacterError, match="no action"):
        apply_motion(other, make_character("still"), BONES, PLAIN)
    hero.data.pose_position = "REST"
    with pytest.raises(CharacterError, match="rest position"):
        apply_motion(other, hero, BONES, PLAIN)
    hero.data.pose_position = "POSE"
    bpy.context.view_layer.objects.active = hero
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(CharacterError, match="leave Edit Mode"):
        read_animation(hero, ["hips"], range(1, 3))
    bpy.ops.object.mode_set(mode="OBJECT")
    hero.hide_viewport = True
    with pytest.raises(CharacterError, match="disabled"):
        apply_motion(other, hero, BONES, PLAIN)
    assert other.animation_data is None


def test_an_animated_armature_without_a_person_is_refused(hero):
    data = bpy.data.armatures.new("box")
    box = bpy.data.objects.new("box", data)
    bpy.context.collection.objects.link(box)
    bpy.context.view_layer.objects.active = box
    bpy.ops.object.mode_set(mode="EDIT")
    data.edit_bones.new("lid").tail = (0.0, 0.0, 1.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    box.keyframe_insert("location", frame=1)
    with pytest.raises(BoneMapError):
        apply_motion(hero, box, BONES, PLAIN)
