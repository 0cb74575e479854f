"""The generated motions on the floor, and what characters make of them."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.motion import Motion
from core.retarget.body_skin import BodySkin, lowest
from core.retarget.character import Character
from core.retarget.mapping import map_bones
from core.retarget.options import RetargetOptions
from core.retarget.retargeted import RetargetedMotion
from core.retarget.retargeting import retarget
from core.retarget.rig import Rig, Skin
from core.retarget.source import RetargetSource
from core.smpl_skeleton import JOINT_INDEX
from tests.core.retarget.rigs import load_rig
from tests.core.retarget.smpl_characters import walk
from training.evaluate_retarget import Evaluator, main
from training.samples.floor_motion import MOTIONS, NAMES, floor_motion

RIGS = ("m2m_male", "mpfb_game_engine", "m2m_zombie")


@functools.cache
def made(name: str) -> Motion:
    return floor_motion(name)


@functools.cache
def source(name: str) -> RetargetSource:
    return RetargetSource.of_motion(made(name), load_free_body())


@functools.cache
def on_rig(name: str, rig_name: str) -> tuple[Rig, RetargetedMotion]:
    rig = load_rig(rig_name)
    return rig, retarget(source(name), rig, map_bones(rig))


def evaluator(name: str, rig: Rig) -> Evaluator:
    return Evaluator(source(name), rig, map_bones(rig))


def heights(name: str, rig: Rig, motion: RetargetedMotion, part: str) -> np.ndarray:
    """The height (F,) of a part of the skin above the floor, millimetres on a leg of 0.80 m."""
    found = evaluator(name, rig)
    skin = BodySkin.of(rig, found.character.tree)
    supports = {"body": skin.body, "hands": (*skin.hands[0], *skin.hands[1])}[part]
    tree = found.character.tree
    columns = {int(bone): number for number, bone in enumerate(motion.bones)}
    turns = motion.rotations[:, [columns[int(bone)] for bone in tree.bones]]
    local = turns @ np.swapaxes(tree.aligned @ rig.axes[tree.bones], -1, -2)
    pose = tree.pose(np.ascontiguousarray(local.transpose(2, 3, 1, 0)), motion.root.T)
    return found.millimetres * lowest(supports, pose)


@pytest.mark.parametrize("name", NAMES)
def test_a_motion_rests_on_the_floor_and_does_not_jump(name: str) -> None:
    motion, model = made(name), BodyModel(load_free_body())
    arrays = (motion.rotations(), motion.betas, motion.trans)
    vertices = np.asarray(model.vertices(*(model.array(array) for array in arrays)))
    assert np.abs(vertices[..., 1].min(axis=1)).max() < 1e-4
    assert np.abs(np.diff(motion.trans, 2, axis=0)).max() < 0.03
    if name not in MOTIONS:
        return
    main_joint = np.asarray(model.data.weights).argmax(axis=1)
    pose = MOTIONS[name](0.0)
    for parts in (pose.front, pose.back):
        own = np.isin(main_joint, [JOINT_INDEX[part] for part in parts])
        assert vertices[:, own, 1].min(axis=1).max() < 0.06


@pytest.mark.slow
@pytest.mark.parametrize("rig_name", RIGS)
@pytest.mark.parametrize("name", NAMES)
def test_no_skin_of_a_character_is_below_the_floor(name: str, rig_name: str) -> None:
    rig, motion = on_rig(name, rig_name)
    row = evaluator(name, rig).row(motion, 0.0)
    assert row.lowest_mm > -14.0 and row.depth_mm < 9.0


@pytest.mark.parametrize(
    ("name", "rig_name"), [("lying", "m2m_male"), ("all_fours", "m2m_zombie"), ("prone", "mpfb_game_engine")]
)
def test_that_takes_more_than_the_rotations(name: str, rig_name: str) -> None:
    rig = load_rig(rig_name)
    loose = retarget(source(name), rig, map_bones(rig), RetargetOptions(feet=0.0, hands=0.0))
    assert evaluator(name, rig).row(loose, 0.0).lowest_mm < -50.0


@pytest.mark.parametrize("rig_name", RIGS)
@pytest.mark.parametrize("name", ["all_fours", "kneeling", "sitting", "prone"])
def test_the_body_lies_where_the_source_lies(name: str, rig_name: str) -> None:
    height = heights(name, *on_rig(name, rig_name), "body")
    assert -12.0 < height.min() and np.median(height) < 12.0


@pytest.mark.parametrize("rig_name", RIGS)
@pytest.mark.parametrize("name", ["all_fours", "push_up"])
def test_hands_are_on_the_floor(name: str, rig_name: str) -> None:
    height = heights(name, *on_rig(name, rig_name), "hands")
    assert -6.0 < height.min() and height.max() < 12.0


@pytest.mark.parametrize("rig_name", RIGS)
def test_hands_that_stand_do_not_slide(rig_name: str) -> None:
    rig, motion = on_rig("all_fours", rig_name)
    found = evaluator("all_fours", rig)
    for side in ("left", "right"):
        path = found.millimetres * found._positions(motion)[f"{side}_hand"][:, [0, 2]]
        assert np.ptp(path, axis=0).max() < 6.0


@pytest.mark.parametrize("rig_name", RIGS)
def test_nothing_jumps_while_getting_down(rig_name: str) -> None:
    rig, motion = on_rig("getting_down", rig_name)
    places = np.stack(list(evaluator("getting_down", rig)._positions(motion).values()))
    joints = source("getting_down").pose(slice(None)).positions.transpose(1, 2, 0)
    size = evaluator("getting_down", rig).character.size
    jumps, theirs = (np.abs(np.diff(path, 2, axis=1)).max() for path in (places, size * joints))
    assert jumps < 1.6 * theirs


def test_a_walk_is_not_looked_at_and_strength_0_leaves_the_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.retarget import retargeting

    rig = load_rig("m2m_male")
    walking = walk()
    expected = retarget(walking, rig, map_bones(rig))
    lifted, _ = on_rig("all_fours", "mpfb_game_engine")
    gentle = retarget(source("all_fours"), lifted, map_bones(lifted), RetargetOptions(hands=0.0))
    assert heights("all_fours", lifted, gentle, "hands").min() > 15.0
    monkeypatch.setattr(retargeting._Retargeting, "_plan_floor", lambda self, feet: None)
    np.testing.assert_array_equal(retarget(walking, rig, map_bones(rig)).rotations, expected.rotations)


def test_a_character_without_skin_is_left_as_it_is() -> None:
    rig = load_rig("m2m_male")
    bare = Rig(rig.names, rig.parents, rig.heads, rig.tails, rig.axes, rig.deform, Skin())
    motion = retarget(source("all_fours"), bare, map_bones(rig))
    character = Character.of(bare, map_bones(rig), source("all_fours"))
    assert BodySkin.of(bare, character.tree).body == ()
    assert np.isfinite(motion.rotations).all() and np.isfinite(motion.root).all()


def test_the_table_measures_them(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.evaluate_retarget.FLOOR_MOTIONS", ("kneeling", "lying"))
    folder = Path(__file__).resolve().parents[1] / "data" / "rigs"
    assert main([str(folder), "--rigs", "mpfb_mixamo", "--floor", "--frames", "10"]) == 0
    assert "1 characters, 2 clips" in (printed := capsys.readouterr().out) and "depth_mm" in printed
    assert main([str(folder)]) == 1
    assert "expected a folder of clips, or --floor" in capsys.readouterr().err
