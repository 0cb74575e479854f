"""The motion of an armature as a source: the figure's own armature, a round trip, other sizes and places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.retarget.alignment import LIMBS
from core.retarget.armature_source import ArmatureMotion, armature_source
from core.retarget.bone_map import BoneMap
from core.retarget.mapping import map_bones
from core.retarget.options import RetargetOptions
from core.retarget.retargeted import RetargetedMotion
from core.retarget.retargeting import retarget
from core.retarget.rig import Rig, RigError
from core.retarget.source import RetargetSource
from tests.core.retarget.rigs import load_rig
from tests.core.retarget.smpl_characters import SMPL_MAP, bones_turned, moved, smpl_rig, walk

PLAIN = RetargetOptions(feet=0.0, hands=0.0)


def animated(motion: RetargetedMotion) -> ArmatureMotion:
    rotations, heads = motion.pose()
    return ArmatureMotion(motion.rig.names, rotations, heads, motion.fps)


def limbs(motion: RetargetedMotion, rig: Rig, bone_map: BoneMap) -> np.ndarray:
    """Return the directions (L, F, 3) of arms and legs."""
    heads = motion.pose()[1]
    joint = {role: heads[:, rig.index[chain[0]]] for role, chain in bone_map.bones.items()}
    vectors = np.stack([joint[end] - joint[role] for role, end in LIMBS])
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def degrees(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip((ours * theirs).sum(axis=-1), -1.0, 1.0)))


def in_contact_alike(ours: RetargetSource, theirs: RetargetSource) -> float:
    return float((ours.in_contact() == theirs.in_contact()).mean())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [None, 3])
def test_the_smpl_skeleton_read_as_an_armature_is_the_figure_itself(seed):
    source, rig = walk(), smpl_rig(seed=seed)
    read = armature_source(animated(retarget(source, rig, SMPL_MAP, PLAIN)), rig, SMPL_MAP)

    target = load_rig("m2m_male")
    bones = map_bones(target)
    ours, theirs = (limbs(retarget(one, target, bones), target, bones) for one in (read, source))

    assert read.unit_m == pytest.approx(1.0, abs=0.1)
    assert degrees(ours, theirs).mean() < 0.5
    assert in_contact_alike(read, source) > 0.97
    assert read.floor.height_m == pytest.approx(0.0, abs=0.005)


def test_joints_lie_where_the_bones_are():
    source, rig = walk(), smpl_rig()
    read = armature_source(animated(retarget(source, rig, SMPL_MAP, PLAIN)), rig, SMPL_MAP, foot_lock=0.0)
    ours, theirs = read.pose(slice(None)).positions, source.pose(slice(None)).positions
    shift = read.unit_m * read.floor.height_m * np.array([0.0, 1.0, 0.0])

    assert np.abs(read.unit_m * ours + shift[:, None, None] - theirs)[:, :22].max() < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m2m_male", "mpfb_default", "cmu_07_01", "kaykit_barbarian_rig"])
def test_a_motion_comes_back_from_another_character(name):
    first, other = smpl_rig(), load_rig(name)
    bones = map_bones(other)
    start = retarget(walk(), first, SMPL_MAP, PLAIN)
    there = retarget(armature_source(animated(start), first, SMPL_MAP, foot_lock=0.0), other, bones, PLAIN)
    back = retarget(armature_source(animated(there), other, bones, foot_lock=0.0), first, SMPL_MAP, PLAIN)

    angles = degrees(limbs(back, first, SMPL_MAP), limbs(start, first, SMPL_MAP))
    assert angles.max() < 0.5
    path = np.abs(back.root - start.root)
    assert path[:, [0, 2]].max() < 0.02


@pytest.mark.slow
def test_a_giant_far_away_in_an_a_pose_is_the_same_person():
    rig = smpl_rig()
    motion = animated(retarget(walk(), rig, SMPL_MAP, PLAIN))
    arms = {"left_shoulder": [0.0, 0.0, -0.8], "right_shoulder": [0.0, 0.0, 0.8]}
    giant = moved(bones_turned(rig, arms), 17.0, 1.0)
    large = animated(retarget(walk(), giant, SMPL_MAP, replace(PLAIN, steps="leg")))
    large = replace(large, heads=large.heads + np.array([5.0, 40.0, -3.0]))
    read, plain = armature_source(large, giant, SMPL_MAP), armature_source(motion, rig, SMPL_MAP)

    assert read.unit_m == pytest.approx(17.0 * plain.unit_m)
    assert read.floor.height_m == pytest.approx(40.0 / read.unit_m + plain.floor.height_m, abs=0.002)
    assert np.array_equal(read.in_contact(), plain.in_contact())
    turned = degrees(*(limbs(retarget(one, rig, SMPL_MAP), rig, SMPL_MAP) for one in (read, plain)))
    assert turned.mean() < 0.2


@pytest.mark.slow
def test_feet_that_slide_are_locked():
    rig = smpl_rig()
    motion = animated(retarget(walk(), rig, SMPL_MAP, PLAIN))
    drift = 0.03 * np.sin(np.arange(len(motion.heads)) / 15.0)
    sliding = replace(motion, heads=motion.heads + drift[:, None, None] * np.array([1.0, 0.0, 0.0]))
    slides = [
        retarget(armature_source(sliding, rig, SMPL_MAP, foot_lock=lock), rig, SMPL_MAP).report.source_slide_m
        for lock in (0.0, 1.0)
    ]
    assert slides[0] > 0.008
    assert slides[1] < 0.003


def test_without_a_skin_only_hands_and_head_are_touched():
    parts = {}
    for has_skin in (True, False):
        rig = smpl_rig(skin=has_skin)
        parts[has_skin] = armature_source(animated(retarget(walk(), rig, SMPL_MAP, PLAIN)), rig, SMPL_MAP).parts
    assert set(parts[True]) == set(walk().parts)
    assert set(parts[False]) == {"head", "left_hand", "right_hand"}
    for name, part in parts[True].items():
        assert part.joints == walk().parts[name].joints


def test_a_source_without_hands_moves_a_character_with_hands():
    rig = smpl_rig(skin=False)
    bones = {role: chain for role, chain in SMPL_MAP.bones.items() if not role.endswith(("hand", "head", "neck"))}
    source = armature_source(animated(retarget(walk(), rig, SMPL_MAP, PLAIN)), rig, BoneMap(bones))
    found = retarget(source, rig, SMPL_MAP)

    assert found.report.contacts == 0
    legs = degrees(limbs(found, rig, SMPL_MAP), limbs(retarget(walk(), rig, SMPL_MAP), rig, SMPL_MAP))
    assert legs.mean() < 1.0


def test_feet_that_end_at_the_ball_are_locked():
    rig = smpl_rig(skin=False)
    bones = BoneMap({role: chain for role, chain in SMPL_MAP.bones.items() if not role.endswith("toe")})
    source = armature_source(animated(retarget(walk(), rig, SMPL_MAP, PLAIN)), rig, bones)

    assert len(source.contacts) > 4
    assert retarget(source, rig, bones).report.slide_m < 0.003


@pytest.mark.parametrize("count", [1, 2])
def test_a_pose_is_a_motion_of_one_frame(count):
    rig = smpl_rig()
    motion = animated(retarget(walk(), rig, SMPL_MAP, PLAIN))
    still = replace(motion, rotations=motion.rotations[:count], heads=motion.heads[:count])
    found = retarget(armature_source(still, rig, SMPL_MAP), rig, SMPL_MAP)

    assert found.num_frames == count
    assert found.report.lowest_m == pytest.approx(0.0, abs=0.005)


@pytest.mark.slow
def test_steps_of_the_same_distance_are_those_of_the_scene():
    giant, rig = moved(smpl_rig(), 2.0, 0.0), smpl_rig()
    source = armature_source(animated(retarget(walk(), giant, SMPL_MAP, PLAIN)), giant, SMPL_MAP)
    paths = {steps: retarget(source, rig, SMPL_MAP, replace(PLAIN, steps=steps)).root for steps in ("leg", "same", 0.5)}
    extents = {steps: np.ptp(path[:, 2]) for steps, path in paths.items()}

    assert extents["same"] == pytest.approx(2.0 * extents["leg"], rel=0.01)
    assert extents[0.5] == pytest.approx(extents["leg"], rel=0.01)


def test_an_armature_without_all_bones_is_refused():
    rig = smpl_rig()
    motion = animated(retarget(walk(), rig, SMPL_MAP, PLAIN))
    knee = motion.names.index("left_knee")
    names = (*motion.names[:knee], "other", *motion.names[knee + 1 :])

    with pytest.raises(RigError, match="left_knee"):
        armature_source(replace(motion, names=names), rig, SMPL_MAP)
    with pytest.raises(RigError, match="finite"):
        replace(motion, heads=np.full_like(motion.heads, np.nan))
