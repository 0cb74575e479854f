"""Motions on characters of other shapes than a person's: giant heads, hands and feet, long arms, capes, soft joints."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.motion import Motion
from core.retarget.body_skin import BodySkin
from core.retarget.mapping import map_bones
from core.retarget.retargeted import RetargetedMotion
from core.retarget.retargeting import retarget
from core.retarget.source import RetargetSource
from core.smpl_skeleton import JOINT_INDEX
from tests.core.retarget.rigs import load_rig
from tests.core.retarget.smpl_characters import held_pose, touching_pose
from training.evaluate_retarget import Evaluator, Row
from training.samples.floor_motion import floor_motion

KAYKIT, BUNNY = "kaykit_barbarian_rig", "m2m_bunny"


@functools.cache
def source(name: str) -> RetargetSource:
    return RetargetSource.of_motion(floor_motion(name), load_free_body())


@functools.cache
def measured(name: str, rig_name: str) -> tuple[RetargetedMotion, Evaluator, Row]:
    return _measured(source(name), rig_name)


def _measured(moved: RetargetSource, rig_name: str) -> tuple[RetargetedMotion, Evaluator, Row]:
    rig = load_rig(rig_name)
    evaluator = Evaluator(moved, rig, map_bones(rig))
    motion = retarget(moved, rig, evaluator.bone_map)
    return motion, evaluator, evaluator.row(motion, 0.0)


@pytest.mark.parametrize("rig_name", [KAYKIT, BUNNY])
def test_feet_stand_in_push_ups_though_the_body_is_lifted(rig_name: str) -> None:
    """A belly and a head that are too big for the arms lift the body; the feet would be drawn after it."""
    assert measured("push_up", rig_name)[2].worst_slide_mm < 3.0


def test_a_big_head_is_kept_off_the_floor_by_leaning_back() -> None:
    """In push-ups the hips need not rise by as much as the head would be below the floor."""
    motion, evaluator, _ = measured("push_up", KAYKIT)
    hips = evaluator._positions(motion)["hips"][:, 1] / evaluator.character.leg_m
    assert hips.max() < 0.9


def test_a_cape_does_not_lift_a_body_that_kneels() -> None:
    motion, evaluator, _ = measured("kneeling", KAYKIT)
    knees = evaluator._positions(motion)["left_shin"][:, 1] / evaluator.character.leg_m
    assert knees.max() < 0.25
    tree, rig = evaluator.character.tree, evaluator.rig
    crotch = min(tree.heads[tree.index[f"{side}_thigh"], 1] for side in ("left", "right"))
    hanging = [part.points[:, 1] for part in BodySkin.of(rig, tree).body if tree.names[part.ankle].startswith("spine")]
    assert hanging
    for number, heights in enumerate(hanging):
        assert heights.min() + tree.heads[tree.index[f"spine {number}"], 1] > crotch - 0.02


def test_big_feet_lie_on_their_backs_when_kneeling() -> None:
    """A foot that stands tilts less if it is too long; one that lies would keep its ankle high up."""
    motion, evaluator, row = measured("kneeling", KAYKIT)
    ankles = evaluator._positions(motion)["left_foot"][:, 1] / evaluator.character.leg_m
    assert ankles.max() < 0.47
    assert row.worst_slide_mm < 3.0


@pytest.mark.parametrize("name", ["kneeling", "sitting"])
def test_skin_between_two_joints_is_on_the_floor_too(name: str) -> None:
    """Knees and seat of the bunny are skin that two bones move, which lies inside that of either at rest."""
    assert measured(name, BUNNY)[2].lowest_mm > -4.0


def test_hands_stay_above_the_floor_when_a_body_with_long_arms_bends_down() -> None:
    """The source stands, and touches the floor with its feet alone."""
    pose = np.zeros((24, 3))
    pose[JOINT_INDEX["pelvis"], 0] = 1.6
    pose[[JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"]], 0] = -1.6
    pose[JOINT_INDEX["left_shoulder"], 1], pose[JOINT_INDEX["right_shoulder"], 1] = -1.5, 1.5
    _, evaluator, row = _measured(held_pose(pose), BUNNY)
    assert evaluator.source.pose(slice(None)).positions[1, [JOINT_INDEX["left_wrist"]]].min() > 0.3
    assert row.lowest_mm > -12.0


def test_hands_meet_in_front_of_a_wide_body() -> None:
    """Both arms together are just long enough, one of them to the middle between the hands is not."""
    _, evaluator, row = _measured(held_pose(touching_pose("left_hand")), BUNNY)
    assert any(touch.part == "left_hand" or touch.hand == "left_hand" for touch in evaluator.touches)
    assert row.reached == 1.0
    assert row.hands_mm < 12.0


def test_hands_meet_in_a_clap_of_one_frame() -> None:
    """The forearms are near when hands meet, and on other proportions a hand cannot touch both."""
    apart, together = np.zeros((24, 3)), touching_pose("left_hand")
    swing = np.maximum(1.0 - np.abs(np.arange(21) - 10.0) / 6.0, 0.0)[:, None, None]
    poses = apart + swing * (together - apart)
    motion = Motion(poses.reshape(21, 72), held_pose(apart).motion.betas, np.zeros((21, 3)), 30.0)
    _, evaluator, row = _measured(RetargetSource.of_motion(motion, load_free_body()), "vrmaddon_basic_armature")
    assert 0 < sum((touch.weight > 0.5).sum() for touch in evaluator.touches if "hand" in touch.part) <= 3
    assert row.hands_mm < 3.0
