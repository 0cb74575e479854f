"""A figure with several takes gives a character an action each; both show the same take, and Remove leaves no trace."""

from __future__ import annotations

import json

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character.applying import (  # noqa: E402
    apply_motion,
    change_settings,
    has_edited_keys,
    remove_motion,
)
from blender_addon.character.panel import SMPLIFY_PT_character  # noqa: E402
from blender_addon.character.settings import CharacterSettings  # noqa: E402
from blender_addon.character.stored import load  # noqa: E402
from blender_addon.figure.create import add_figures  # noqa: E402
from blender_addon.figure.takes import present_take  # noqa: E402
from blender_addon.result.live_settings import adjust  # noqa: E402
from core.cleanup import CleanupOptions  # noqa: E402
from core.placement import Person  # noqa: E402
from tests.blender_addon.character.rigs import evaluated, make_character, place_object  # noqa: E402
from tests.blender_addon.character.test_applying import BONES, animate, look  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402

NAMES = ["a_walk on hero", "b_turn on hero"]


@pytest.fixture(scope="module")
def folder(write_track, tmp_path_factory):
    """Two takes of different lengths."""
    folder = tmp_path_factory.mktemp("takes")
    write_track(folder / "a_walk.npz", num_frames=8)
    write_track(folder / "b_turn.npz", num_frames=6, seed=1)
    return folder


@pytest.fixture
def strips() -> bool:
    """Whether the takes are strips, one after the other; a test may choose by its parameters."""
    return False


@pytest.fixture
def figure(addon, folder, strips) -> bpy.types.Object:
    """A figure of which both takes are actions: fitted once, and opened from its file by each test."""
    path = folder / ("strips.blend" if strips else "actions.blend")
    if not path.exists():
        files = [{"name": "a_walk.npz"}, {"name": "b_turn.npz"}]
        bpy.ops.smplify.open_track(directory=str(folder), files=files)
        for name, value in {"takes": "ACTIONS", "quality": "FAST", "strips": strips}.items():
            setattr(addon.smplify.fit, name, value)
        assert bpy.ops.smplify.fit() == {"FINISHED"}
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return bpy.context.view_layer.objects.active


@pytest.fixture
def hero(figure) -> bpy.types.Object:
    """The test character, in the file of the figure."""
    return make_character(roll=1)


def choose(figure: bpy.types.Object, take: str) -> None:
    bpy.context.view_layer.objects.active = figure
    assert bpy.ops.smplify.choose_take(take=take) == {"FINISHED"}


def keys_of(action: bpy.types.Action, hero: bpy.types.Object) -> np.ndarray:
    """The poses (F, B, 4, 4) of *hero* with *action* alone."""
    animation = hero.animation_data
    before, use_nla = animation.action, animation.use_nla
    animation.action, animation.use_nla = action, False
    found = evaluated(hero, range(int(action.frame_range[0]), int(action.frame_range[1]) + 1))[0]
    animation.action, animation.use_nla = before, use_nla
    return found


def motions(hero: bpy.types.Object) -> dict[str, np.ndarray]:
    return {action.name: keys_of(action, hero) for action in load(hero).actions}


@pytest.mark.parametrize("own_animation", [False, True])
@pytest.mark.parametrize("strips", [False, True])
def test_remove_restores_the_character(figure, hero, own_animation, strips):
    place_object(hero, scale=0.5, seed=2)
    if own_animation:
        animate(hero)
    before, of_figure = look(hero), look(figure)
    apply_motion(hero, figure, BONES, CharacterSettings())
    assert sorted(action.name for action in load(hero).actions) == NAMES
    after, earlier = json.loads(look(figure)), json.loads(of_figure)
    after["object"]["users"] -= 1  # the character's reference
    assert [name for name in earlier if after[name] != earlier[name]] == ["actions"]
    choose(figure, "b_turn")
    change_settings(hero, CharacterSettings(root_motion="object"))
    apply_motion(hero, figure, BONES, CharacterSettings(root_motion="bone"))
    assert sorted(action.name for action in load(hero).actions) == NAMES
    choose(figure, "a_walk")
    if strips:
        choose(figure, "")
    remove_motion(hero)
    if own_animation:
        bpy.context.scene.frame_set(10)
    assert not {action.name for action in bpy.data.actions} & set(NAMES)
    after, earlier = json.loads(look(hero)), json.loads(before)
    assert [name for name in earlier if after.get(name) != earlier[name]] == []


def test_each_action_has_the_motion_that_the_take_alone_gives(figure, hero):
    apply_motion(hero, figure, BONES, CharacterSettings())
    both = motions(hero)
    assert {name: len(motion) for name, motion in both.items()} == {NAMES[0]: 8, NAMES[1]: 6}
    assert (present_take(figure).name, hero.animation_data.action.name) == ("a_walk", NAMES[0])
    for name in ("a_walk", "b_turn"):
        choose(figure, name)
        assert hero.animation_data.action.name == f"{name} on hero" and load(hero).take.name == name
        assert load(hero).trouble == "" and not has_edited_keys(hero)
        np.testing.assert_array_equal(motions(hero)[f"{name} on hero"], both[f"{name} on hero"])


def test_a_change_of_the_figure_reaches_its_take_and_one_of_the_character_all(figure, hero):
    apply_motion(hero, figure, BONES, CharacterSettings())
    first = motions(hero)
    adjust(figure, CleanupOptions(height_m=0.25))
    raised = motions(hero)
    assert np.abs(raised[NAMES[0]] - first[NAMES[0]]).max() > 0.1
    np.testing.assert_array_equal(raised[NAMES[1]], first[NAMES[1]])
    assert change_settings(hero, CharacterSettings(steps=2.0))
    stepped = motions(hero)
    assert all(np.abs(stepped[name] - raised[name]).max() > 1e-3 for name in NAMES)


def test_edited_keys_of_any_take_are_kept(figure, hero):
    apply_motion(hero, figure, BONES, CharacterSettings())
    choose(figure, "b_turn")
    hero.pose.bones["head"].rotation_quaternion = (0.5, 0.5, 0.5, 0.5)
    hero.pose.bones["head"].keyframe_insert("rotation_quaternion", frame=3)
    edited = motions(hero)
    choose(figure, "a_walk")
    assert has_edited_keys(hero) and hero.animation_data.action.name == NAMES[0]
    adjust(figure, CleanupOptions(height_m=0.25))
    assert load(hero).trouble == ""
    assert not change_settings(hero, CharacterSettings(feet=0.5)) and "were edited since" in load(hero).trouble
    np.testing.assert_array_equal(motions(hero)[NAMES[1]], edited[NAMES[1]])


@pytest.mark.parametrize("strips", [True])
def test_strips_stand_where_those_of_the_figure_do(figure, hero):
    apply_motion(hero, figure, BONES, CharacterSettings())

    def strips(item):
        found = [strip for track in item.animation_data.nla_tracks for strip in track.strips]
        return [(strip.action.name.removesuffix(" on hero"), strip.frame_start, strip.frame_end) for strip in found]

    assert strips(hero) == strips(figure) == [("a_walk", 1.0, 8.0), ("b_turn", 9.0, 14.0)]
    assert hero.animation_data.action is None and figure.animation_data.action is None
    bodies = motions(hero)
    shown = evaluated(hero, range(9, 15))[0]
    np.testing.assert_allclose(shown, bodies[NAMES[1]], atol=1e-5)
    choose(figure, "b_turn")
    assert hero.animation_data.action.name == NAMES[1]
    choose(figure, "")
    assert hero.animation_data.action is None and load(hero).trouble == ""
    assert change_settings(hero, CharacterSettings(hands=0.0)) and hero.animation_data.action is None
    assert figure.animation_data.action is None and strips(hero) == strips(figure)


@pytest.mark.parametrize("strips", [True])
def test_a_duplicate_has_actions_of_its_own(figure, hero):
    apply_motion(hero, figure, BONES, CharacterSettings())
    twin = hero.copy()
    bpy.context.collection.objects.link(twin)
    place_object(twin, scale=2.0, seed=1)
    before = motions(hero)
    apply_motion(twin, figure, BONES, CharacterSettings())
    assert not set(load(twin).actions) & set(load(hero).actions)
    for name, motion in motions(hero).items():
        np.testing.assert_array_equal(motion, before[name])
    remove_motion(twin)
    for name, motion in motions(hero).items():
        np.testing.assert_array_equal(motion, before[name])


def test_takes_survive_saving(figure, hero, tmp_path):
    apply_motion(hero, figure, BONES, CharacterSettings())
    before, name_of_figure = motions(hero), figure.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    hero, figure = bpy.data.objects["hero"], bpy.data.objects[name_of_figure]
    for name, motion in motions(hero).items():
        np.testing.assert_array_equal(motion, before[name])
    choose(figure, "b_turn")
    assert hero.animation_data.action.name == NAMES[1]


@pytest.mark.parametrize("strips", [False, True])
def test_takes_of_an_override_survive_saving_and_are_removed(figure, hero, tmp_path, strips):
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {hero})
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, into):
        into.objects = ["hero"]
    bpy.context.collection.objects.link(into.objects[0])
    override = into.objects[0].override_create(remap_local_usages=True)
    override.override_library.is_system_override = False
    apply_motion(override, figure, BONES, CharacterSettings())
    choose(figure, "b_turn")
    if strips:
        choose(figure, "")
    name, name_of_figure, before = override.name, figure.name, motions(override)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    override, figure = bpy.data.objects[name], bpy.data.objects[name_of_figure]
    assert load(override).take.name == "b_turn"
    for action, motion in motions(override).items():
        np.testing.assert_array_equal(motion, before[action])
    choose(figure, "a_walk")
    assert override.animation_data.action.name == f"a_walk on {name}" and load(override).trouble == ""
    remove_motion(override)
    assert not set(before) & {action.name for action in bpy.data.actions}


def test_takes_are_replaced_by_one_motion(figure, hero, make_motion, body):
    apply_motion(hero, figure, BONES, CharacterSettings())
    dance = Person("dance", make_motion(num_frames=12), body)
    (other,) = add_figures([dance], bpy.context.scene, name="dance")
    apply_motion(hero, other.armature, BONES, CharacterSettings())
    assert [action.name for action in load(hero).actions] == ["dance on hero"]
    assert not {action.name for action in bpy.data.actions} & set(NAMES)


def test_apply_is_one_step_in_the_box(figure, hero):
    box = bpy.context.scene.smplify_character
    box.armature, box.figure = hero, figure
    bpy.ops.ed.undo_push(message="before")
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    assert "2 takes, an action each" in " ".join(draw(SMPLIFY_PT_character).labels)
    bpy.ops.ed.undo_push(message="applied")
    bpy.ops.ed.undo()
    assert bpy.data.objects["hero"].animation_data is None
    assert not {action.name for action in bpy.data.actions} & set(NAMES)
