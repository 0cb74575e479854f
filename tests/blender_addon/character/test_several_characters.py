"""Several figures and several characters in one scene: each keeps its own, and all can be applied again at once."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character.panel import SMPLIFY_PT_character  # noqa: E402
from blender_addon.character.stored import load  # noqa: E402
from blender_addon.ui.box_errors import Box, error_in  # noqa: E402
from tests.blender_addon.character.figures import read_figures, write_figures  # noqa: E402
from tests.blender_addon.character.rigs import evaluated, make_character  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402

NUM_FRAMES = 12


@pytest.fixture(scope="module")
def figures_file(body, make_motion, tmp_path_factory):
    motions = {f"figure{number}": make_motion(num_frames=NUM_FRAMES, seed=number) for number in range(3)}
    return write_figures(tmp_path_factory.mktemp("figures") / "three.blend", body, motions)


@pytest.fixture
def figures(figures_file, addon):
    return read_figures(figures_file, addon, NUM_FRAMES)


@pytest.fixture
def heroes(addon):
    return [make_character(f"hero{number}", roll=number) for number in range(3)]


def look(hero) -> np.ndarray:
    return evaluated(hero, range(1, 13, 3))[0]


def apply_each(box, figures, heroes) -> None:
    for figure, hero in zip(figures, heroes, strict=True):
        box.armature = hero
        box.figure = figure
        assert bpy.ops.smplify.apply_character() == {"FINISHED"}


def test_each_character_shows_its_own_figure(addon, figures, heroes):
    box = addon.smplify_character
    apply_each(box, figures, heroes)
    for figure, hero in zip(figures, heroes, strict=True):
        assert bpy.ops.smplify.pick_character(armature=hero.name) == {"FINISHED"}
        assert (box.armature, box.figure, load(hero).figure) == (hero, figure, figure)
    box.armature = None
    box.figure = figures[1]
    assert box.armature == heroes[1]


def test_a_further_character_takes_the_only_unused_figure(addon, figures, heroes):
    box = addon.smplify_character
    bpy.context.view_layer.objects.active = None
    for figure, hero in zip(figures[:2], heroes[:2], strict=True):
        box.armature = hero
        box.figure = figure
        bpy.ops.smplify.apply_character()
    box.armature = heroes[2]
    assert box.figure is None
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    assert load(heroes[2]).figure == figures[2]


def test_a_figure_that_was_chosen_before_its_character_stays_chosen(addon, figures, heroes):
    box = addon.smplify_character
    box.figure = figures[2]
    box.armature = heroes[0]
    assert box.figure == figures[2]


def test_a_character_that_is_opened_takes_the_figure_that_was_active(addon, figures, heroes, tmp_path):
    box, path = addon.smplify_character, tmp_path / "hero.blend"
    bpy.data.libraries.write(str(path), {heroes[0]})
    bpy.context.view_layer.objects.active = figures[1]
    assert bpy.ops.smplify.open_character(filepath=str(path)) == {"FINISHED"}
    assert bpy.context.active_object == box.armature and box.figure == figures[1]
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    assert load(box.armature).figure == figures[1]


def test_all_are_applied_again_in_one_step(addon, figures, heroes):
    box = addon.smplify_character
    apply_each(box, figures, heroes)
    expected = [look(hero) for hero in heroes]
    assert bpy.ops.smplify.apply_all_characters() == {"FINISHED"}
    assert error_in(Box.CHARACTER) == ""
    for hero in heroes[:2]:
        bone = hero.pose.bones["arm.L"]
        bone.rotation_quaternion = (1.0, 0.5, 0.3, 0.0)
        bone.keyframe_insert("rotation_quaternion", frame=4)
    bpy.ops.ed.undo_push(message="edited")
    assert bpy.ops.smplify.apply_all_characters() == {"FINISHED"}
    assert error_in(Box.CHARACTER) == "Replaced the edited keys of hero0, hero1; undo restores them"
    for hero, before in zip(heroes, expected, strict=True):
        np.testing.assert_allclose(look(hero), before, atol=1e-6)
    bpy.ops.ed.undo_push(message="applied")
    bpy.ops.ed.undo()
    for number, before in enumerate(expected[:2]):
        assert np.abs(look(bpy.data.objects[f"hero{number}"]) - before).max() > 0.01


def test_a_character_is_applied_after_its_source_character(addon, figures, heroes):
    box = addon.smplify_character
    names = ["hero0", "hero2", "hero1"]
    chain = [figures[0], *(bpy.data.objects[name] for name in names)]
    for source, name in zip(chain, names, strict=False):
        box.armature = bpy.data.objects[name]
        box.figure = source
        assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    before = look(heroes[1])
    figures[0].smplify.height_m = 0.25
    assert bpy.ops.smplify.apply_all_characters() == {"FINISHED"}
    hips = heroes[1].data.bones.find("hips")
    assert (look(heroes[1]) - before)[:, hips, 1].min() > 0.1


def test_a_failing_character_does_not_stop_the_others(addon, figures, heroes):
    box = addon.smplify_character
    apply_each(box, figures, heroes)
    before = look(heroes[1])
    bpy.data.objects.remove(figures[1])
    figures[2].smplify.height_m = 0.25
    assert bpy.ops.smplify.apply_all_characters() == {"FINISHED"}
    np.testing.assert_array_equal(look(heroes[1]), before)
    for figure in (figures[0], figures[2]):
        bpy.data.objects.remove(figure)
    with pytest.raises(RuntimeError, match="hero0: expected the figure whose motion hero0 has, but it was removed"):
        bpy.ops.smplify.apply_all_characters()


def test_the_box_lists_the_characters_of_the_scene(addon, figures, heroes):
    box = addon.smplify_character
    assert not bpy.ops.smplify.apply_all_characters.poll()
    apply_each(box, figures[:1], heroes[:1])
    assert "smplify.pick_character" not in draw(SMPLIFY_PT_character).operators
    apply_each(box, figures[1:], heroes[1:])
    drawn = draw(SMPLIFY_PT_character)
    assert drawn.operators.count("smplify.pick_character") == 3
    assert drawn.operators.count("smplify.apply_all_characters") == 1


def test_the_character_of_the_active_figure_is_shown(addon, figures, heroes):
    box = addon.smplify_character
    apply_each(box, figures, heroes)
    bpy.context.view_layer.objects.active = figures[1].children[0]
    assert bpy.ops.smplify.pick_character() == {"FINISHED"}
    assert box.armature == heroes[1]
    for given, text in (({"armature": "nobody"}, "found 'nobody'"), ({}, "found no active object")):
        bpy.context.view_layer.objects.active = None
        with pytest.raises(RuntimeError, match=f"expected a character in the scene or the figure of one, {text}"):
            bpy.ops.smplify.pick_character(**given)
