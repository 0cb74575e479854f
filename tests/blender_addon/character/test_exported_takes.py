"""A character with several takes is written with the one that it shows, or with each as its own animation."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character.applying import apply_motion  # noqa: E402
from blender_addon.character.panel import SMPLIFY_PT_character  # noqa: E402
from blender_addon.character.settings import CharacterSettings  # noqa: E402
from blender_addon.character.stored import load  # noqa: E402
from tests.blender_addon.character.rigs import evaluated  # noqa: E402
from tests.blender_addon.character.test_applying import BONES, look  # noqa: E402
from tests.blender_addon.character.test_takes import NAMES, choose, figure, folder, hero, strips  # noqa: E402, F401
from tests.blender_addon.drawing import draw  # noqa: E402

FORMATS = ["glb", "fbx", "blend"]


@pytest.fixture
def shown(figure, hero):  # noqa: F811
    """The character with both takes, of which it shows the second."""
    apply_motion(hero, figure, BONES, CharacterSettings())
    choose(figure, "b_turn")
    bpy.context.scene.smplify_character.armature = hero
    return hero


def state_of(armature: bpy.types.Object) -> str:
    """Everything that is stored with *armature*, without the sign of zeros, which a replayed animation may change."""
    return look(armature).replace("-0.0,", "0.0,").replace("-0.0]", "0.0]")


def bone_paths(armature: bpy.types.Object) -> np.ndarray:
    """Where the heads of the bones are (F, B, 3), by the names of the bones, in the frames of its action."""
    first, last = (round(frame) for frame in armature.animation_data.action.frame_range)
    heads = evaluated(armature, range(first, last + 1))[0]
    return heads[:, np.argsort([bone.name for bone in armature.pose.bones])]


def with_action(armature: bpy.types.Object, action: bpy.types.Action) -> np.ndarray:
    animation = armature.animation_data_create()
    for track in animation.nla_tracks:
        track.mute = True
    animation.action = action
    if hasattr(animation, "action_slot") and animation.action_slot is None:
        animation.action_slot = next(iter(animation.action_suitable_slots), None)
    return bone_paths(armature)


def read_back(path) -> dict[str, np.ndarray]:
    """The paths of the bones in each animation of a file, which replaces the session, by the action's name."""
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps = 30
    if path.suffix == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path))
    elif path.suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path), automatic_bone_orientation=False)
    else:
        with bpy.data.libraries.load(str(path)) as (source, target):
            target.objects, target.actions = list(source.objects), list(source.actions)
        for item in target.objects:
            bpy.context.scene.collection.objects.link(item)
    armature = next(item for item in bpy.data.objects if item.type == "ARMATURE")
    return {action.name: with_action(armature, action) for action in bpy.data.actions}


def named(found: dict[str, np.ndarray], take: str) -> np.ndarray:
    return next(paths for name, paths in found.items() if take in name)


@pytest.mark.parametrize("kind", FORMATS)
def test_all_takes_are_in_one_file(shown, tmp_path, kind):
    expected = {action.name: with_action(shown, action) for action in load(shown).actions}
    assert {name: len(paths) for name, paths in expected.items()} == {NAMES[0]: 8, NAMES[1]: 6}
    shown.animation_data.action = bpy.data.actions[NAMES[1]]
    bpy.context.scene.frame_set(3)
    before = state_of(shown)
    path = tmp_path / f"hero.{kind}"
    assert bpy.ops.smplify.export_character(filepath=str(path), takes="ALL") == {"FINISHED"}
    assert state_of(shown) == before
    found = read_back(path)
    assert len(found) == 2
    for name, paths in expected.items():
        again = named(found, name)
        assert len(again) == len(paths)
        np.testing.assert_allclose(again - again[0, :1], paths - paths[0, :1], atol=2e-3)


@pytest.mark.parametrize("kind", ["glb", "fbx"])
def test_the_shown_take_is_written_alone_by_default(shown, tmp_path, kind):
    path = tmp_path / f"hero.{kind}"
    assert bpy.ops.smplify.export_character(filepath=str(path)) == {"FINISHED"}
    (paths,) = read_back(path).values()
    assert len(paths) == 6


@pytest.mark.parametrize("strips", [True])
def test_strips_do_not_take_part_in_the_takes(figure, hero, tmp_path, strips):  # noqa: F811
    apply_motion(hero, figure, BONES, CharacterSettings())
    bpy.context.scene.smplify_character.armature = hero
    choose(figure, "")
    bpy.context.scene.frame_set(3)
    before = state_of(hero)
    assert hero.animation_data.action is None and len(hero.animation_data.nla_tracks) == 2
    path = tmp_path / "hero.glb"
    assert bpy.ops.smplify.export_character(filepath=str(path), takes="ALL") == {"FINISHED"}
    assert state_of(hero) == before
    found = read_back(path)
    assert sorted(len(paths) for paths in found.values()) == [6, 8]


def test_the_box_offers_the_takes_of_a_character_that_has_several(shown):
    assert "takes" in draw(SMPLIFY_PT_character).props
