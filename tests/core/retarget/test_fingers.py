"""Fingers of the source on characters: found on real rigs, pointing where the source's point, closing to a fist."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from core.body.free_body import load_free_body_with_fingers
from core.body.model import BodyModel
from core.cleanup import analyse_motion
from core.fingers import FLAT_HANDS, RELAXED_HANDS, mirrored_hands, with_fingers, with_hands
from core.math.rotations import nearest_rotation
from core.motion import Motion
from core.retarget.character import Character
from core.retarget.fingers import HandMotion, relaxed_fingers
from core.retarget.hand_bones import find_hands
from core.retarget.mapping import map_bones
from core.retarget.options import RetargetOptions
from core.retarget.retargeted import RetargetedMotion
from core.retarget.retargeting import retarget
from core.retarget.rig import Rig
from core.retarget.source import RetargetSource
from core.retarget.touch import nearest_on
from core.retarget.tree import Pose
from core.smpl_skeleton import FINGER_JOINTS, FINGERS, JOINT_INDEX, SMPLH, VERTEX_IDS

from .rigs import load_rig
from .smpl_characters import SMPL_MAP, bones_turned, held_pose, limbs_stretched, smpl_rig, walk, walk_analysis

RIGS = {
    "m2m_male": 4, "m2m_bunny": 4, "m2m_zombie": 1, "mpfb_default": 4, "mpfb_game_engine": 4, "mpfb_mixamo": 4,
    "mpfb_cmu_mb": 1, "vrmaddon_basic_armature": 4, "vrmaddon_rest_a_pose_t_position_pose": 4,
}  # fmt: skip
"""Rigs whose hands have a thumb and so many other fingers."""
WHOLE = [name for name, count in RIGS.items() if count == 4]


@cache
def model() -> BodyModel:
    return BodyModel(load_free_body_with_fingers())


def fist() -> np.ndarray:
    left = np.zeros((5, 3, 3))
    left[:4, :, 2] = -np.deg2rad((80.0, 90.0, 50.0))
    return mirrored_hands(left.reshape(-1, 3))


def held_hands(hands: np.ndarray, num_frames: int = 4) -> RetargetSource:
    """Return a source in the T-pose with *hands* (2, 15, 3)."""
    motion = Motion(np.zeros((num_frames, 72)), np.zeros(10), np.zeros((num_frames, 3)), 30.0)
    return RetargetSource.of_motion(with_hands(motion, np.tile(hands, (num_frames, 1, 1, 1))), model())


def fingered_rig() -> Rig:
    """Return the free body's own 52 joints as a character."""
    rest = np.asarray(model().rest_joints(np.zeros(10, np.float32)), dtype=np.float64)
    vertices = np.asarray(model().data.v_template, dtype=np.float64)
    tails = rest.copy()
    for joint, children in enumerate(SMPLH.children):
        tails[joint] = rest[list(children)].mean(axis=0) if children else 2.0 * rest[joint] - rest[SMPLH.parents[joint]]
    for side in ("left", "right"):
        for finger in FINGERS:
            tails[SMPLH.index(f"{side}_{finger}3")] = vertices[VERTEX_IDS[f"{side}_{finger}_tip"]]
    axes = np.broadcast_to(np.eye(3), (SMPLH.num_joints, 3, 3)).copy()
    return Rig(SMPLH.names, np.array(SMPLH.parents), rest, tails, axes, np.ones(SMPLH.num_joints, dtype=bool))


def pointing(rig: Rig, rotations: np.ndarray, heads: np.ndarray, chain: tuple[int, ...]) -> np.ndarray:
    """Return the unit vectors (F, N, 3) of the bones of a finger in a pose."""
    local = [rig.axes[bone].T @ (rig.tails[bone] - rig.heads[bone]) for bone in chain]
    along = np.stack([rotations[:, bone] @ vector for bone, vector in zip(chain, local, strict=True)], axis=1)
    return along / np.linalg.norm(along, axis=-1, keepdims=True)


@pytest.mark.parametrize("name", RIGS)
def test_fingers_are_found_on_rigs_of_all_kinds(name: str) -> None:
    rig = load_rig(name)
    hands = find_hands(rig, map_bones(rig))
    assert [hand.role for hand in hands] == ["left_hand", "right_hand"]
    for hand in hands:
        assert len(hand.fingers) == RIGS[name]
        assert not any("meta" in rig.names[bone] for finger in hand.fingers for bone in finger)
        if RIGS[name] == 4:
            assert [len(finger) for finger in (hand.thumb, *hand.fingers)] == [3] * 5


def test_on_its_own_skeleton_the_fingers_stand_as_the_sources() -> None:
    rng = np.random.default_rng(0)
    hands = rng.normal(0.0, 0.4, (2, 15, 3))
    source = held_hands(hands)
    motion = retarget(source, fingered_rig(), SMPL_MAP)
    _, heads = motion.pose()
    expected = with_hands(Motion(np.zeros((4, 72)), np.zeros(10), np.zeros((4, 3)), 30.0), np.tile(hands, (4, 1, 1, 1)))
    joints = np.asarray(model().joints(expected.rotations().astype(np.float32), np.zeros(10, np.float32),
                                       np.zeros((4, 3), np.float32)))  # fmt: skip
    for side, wrist in (("left", 20), ("right", 21)):
        fingers = [joint for joint in range(22, 52) if SMPLH.names[joint].startswith(side)]
        ours, wanted = (points[0, fingers] - points[0, wrist] for points in (heads, joints))
        np.testing.assert_allclose(ours @ nearest_rotation(ours.T @ wanted), wanted, atol=1.5e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_phalanges_point_as_the_sources_do_in_any_rest_pose(name: str) -> None:
    rig = load_rig(name)
    bone_map = map_bones(rig)
    other = bones_turned(rig, {rig.names[find_hands(rig, bone_map)[0].fingers[0][0]]: np.array([0.3, 0.2, -0.4])})
    found = []
    for one in (rig, other):
        motion = retarget(held_hands(fist()), one, bone_map)
        pose = motion.pose()
        found.append([pointing(one, *pose, finger) for hand in find_hands(one, bone_map) for finger in hand.fingers])
    for first, second in zip(*found, strict=True):
        assert np.degrees(np.arccos(np.clip((first * second).sum(-1), -1.0, 1.0))).max() < 8.0


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGS)
def test_a_fist_closes_and_a_flat_hand_is_open(name: str) -> None:
    rig = load_rig(name)
    bone_map = map_bones(rig)
    poses = {key: retarget(held_hands(hands), rig, bone_map).pose() for key, hands in
             (("flat", FLAT_HANDS), ("relaxed", RELAXED_HANDS), ("fist", fist()))}  # fmt: skip
    for hand in find_hands(rig, bone_map):
        for finger in hand.fingers:
            along = {key: pointing(rig, *pose, finger)[0] for key, pose in poses.items()}
            hand_to_knuckle = poses["flat"][1][0, finger[0]] - poses["flat"][1][0, hand.hand]
            assert along["flat"][-1] @ hand_to_knuckle > 0.7 * np.linalg.norm(hand_to_knuckle)
            assert along["flat"][-1, 1] > -0.35
            assert along["relaxed"][-1, 1] < along["flat"][-1, 1] - 0.3, "palms face down in the T-pose"
            turned = np.degrees(np.arccos(np.clip(along["flat"][-1] @ along["fist"][-1], -1.0, 1.0)))
            assert abs(turned - 140.0) < 25.0, "220 degrees of bend, the short way round"


def test_fingers_that_the_source_does_not_have_are_relaxed_and_can_be_left() -> None:
    rig = load_rig("m2m_male")
    bone_map = map_bones(rig)
    source = held_pose(np.zeros((24, 3)))
    assert source.hands is None
    follow, relaxed, leave = (
        retarget(source, rig, bone_map, RetargetOptions(fingers=how)) for how in ("follow", "relaxed", "leave")
    )
    np.testing.assert_array_equal(follow.rotations, relaxed.rotations)
    assert len(leave.bones) < len(relaxed.bones) and len(relaxed_fingers(rig, bone_map)) == 24


@pytest.mark.parametrize(("how", "is_told"), [("follow", True), ("relaxed", True), ("leave", False)])
def test_fingers_that_move_and_find_none_to_follow_them_are_told(how: str, is_told: bool) -> None:
    motion = Motion(np.zeros((2, 72)), np.zeros(10), np.zeros((2, 3)), 30.0)
    source = RetargetSource.of_motion(with_hands(motion, np.stack([FLAT_HANDS, fist()])), model())
    doubts = retarget(source, smpl_rig(), SMPL_MAP, RetargetOptions(fingers=how)).report.doubts
    assert any("no fingers are bent" in doubt for doubt in doubts) == is_told
    still = retarget(held_hands(RELAXED_HANDS), smpl_rig(), SMPL_MAP).report.doubts
    assert not any("fingers" in doubt for doubt in still), "a character without fingers is nothing to worry about"


def test_the_rest_of_the_body_does_not_depend_on_the_fingers() -> None:
    source = analyse_motion(with_fingers(walk_analysis().motion), model())
    rig = load_rig("m2m_male")
    bone_map = map_bones(rig)
    plain = retarget(walk(), rig, bone_map, RetargetOptions(fingers="leave"))
    fingered = retarget(RetargetSource.of(source), rig, bone_map)
    columns = [fingered.bones.tolist().index(bone) for bone in plain.bones]
    np.testing.assert_allclose(fingered.rotations[:, columns], plain.rotations, atol=0.02)
    np.testing.assert_allclose(fingered.root, plain.root, atol=2e-3)


def test_bones_without_a_direction_or_a_palm_do_no_harm() -> None:
    rig = load_rig("m2m_male")
    bone_map = map_bones(rig)
    flat = rig.heads.copy()
    for hand in find_hands(rig, bone_map):
        flat[[bone for finger in (hand.thumb, *hand.fingers) for bone in finger]] = flat[hand.hand]
    squashed = replace(rig, heads=flat, tails=np.where(np.isin(np.arange(len(flat)), [0])[:, None], rig.tails, flat))
    motion = retarget(held_hands(fist()), squashed, bone_map, RetargetOptions(fingers="follow"))
    assert np.isfinite(motion.rotations).all()


def index_out() -> np.ndarray:
    left = fist()[0].reshape(5, 3, 3).copy()
    left[FINGERS.index("index")] = 0.0
    return mirrored_hands(left.reshape(-1, 3))


@cache
def pose_with_the_index_at_the_head() -> np.ndarray:
    """Return a pose (72,) whose right index touches the head with its tip, far from the middle of the hand."""
    generator, count = np.random.default_rng(0), 20000
    poses = np.zeros((count, 24, 3))
    for joint, most in (("shoulder", 1.4), ("wrist", 0.7)):
        poses[:, JOINT_INDEX[f"right_{joint}"]] = generator.uniform(-most, most, (count, 3))
    poses[:, JOINT_INDEX["left_shoulder"], 2] = -1.2
    poses[:, JOINT_INDEX["right_elbow"], 1] = generator.uniform(0.2, 2.2, count)
    still = held_hands(index_out())
    tip = still.hands.tips(slice(0, 1))[:, 1, FINGERS.index("index"), 0]
    tried = replace(still, motion=Motion(poses.reshape(count, 72), np.zeros(10), np.zeros((count, 3)), 30.0))
    pose, head, hand = tried.pose(slice(None)), tried.parts["head"], tried.parts["right_hand"]
    of_tip, of_middle = (
        nearest_on(head, pose, pose.point(hand.joints[0], offset))[2] for offset in (tip, hand.offsets[0])
    )
    best = (np.abs(of_tip) + np.maximum(0.085 - of_middle, 0.0)).argmin()
    assert abs(of_tip[best]) < 0.01 and of_middle[best] > 0.075
    return poses[best].reshape(72)


def pointing_at_the_head(*, moving: bool) -> RetargetSource:
    """Return four frames of that pose; the little finger moves in the first, or no finger does."""
    hands = np.tile(index_out(), (4, 1, 1, 1))
    hands[0, :, FINGER_JOINTS * FINGERS.index("pinky"), 2] *= 0.5 if moving else 1.0
    motion = Motion(np.tile(pose_with_the_index_at_the_head(), (4, 1)), np.zeros(10), np.zeros((4, 3)), 30.0)
    return RetargetSource.of_motion(with_hands(motion, hands), model())


def tip_gap(motion: RetargetedMotion, source: RetargetSource) -> float:
    """Return how far the tip of the right index is from the head in the last frame, metres."""
    rig, character = motion.rig, Character.of(motion.rig, SMPL_MAP, source)
    rotations, heads = motion.pose(slice(3, 4))
    bone, joint = rig.index["right_index3"], rig.index["head"]
    tip = heads[0, bone] + rotations[0, bone] @ rig.axes[bone].T @ (rig.tails[bone] - rig.heads[bone])
    number = character.tree.index["head"]
    turn = rotations[0, joint] @ (character.tree.aligned[number] @ rig.axes[joint]).T
    part = replace(character.parts["head"], joints=(0, 0))
    pose = Pose(turn[:, :, None, None], heads[0, joint][:, None, None])
    return float(nearest_on(part, pose, tip[:, None])[2][0])


@pytest.mark.slow
def test_a_finger_tip_that_touches_the_head_touches_it_on_long_arms_too() -> None:
    rig = limbs_stretched(fingered_rig(), {"right_elbow": 1.25, "right_wrist": 1.2})
    source = pointing_at_the_head(moving=True)
    kept, left = (retarget(source, rig, SMPL_MAP, RetargetOptions(hands=hands)) for hands in (1.0, 0.0))
    assert kept.report.contacts == kept.report.contacts_kept == 4
    assert abs(tip_gap(kept, source)) < 0.015 < 0.04 < abs(tip_gap(left, source))


@cache
def pose_with_the_indices_together() -> np.ndarray:
    """Return a pose (72,) in front of the trunk whose index tips touch each other, the middles of the hands do not."""
    generator, count = np.random.default_rng(1), 20000
    poses = np.zeros((count, 24, 3))
    for joint, most in (("shoulder", 1.4), ("wrist", 0.7)):
        poses[:, JOINT_INDEX[f"right_{joint}"]] = generator.uniform(-most, most, (count, 3))
    poses[:, JOINT_INDEX["right_elbow"], 1] = generator.uniform(0.2, 2.2, count)
    for joint in ("shoulder", "elbow", "wrist"):
        mirrored = poses[:, JOINT_INDEX[f"right_{joint}"]] * [1.0, -1.0, -1.0]
        poses[:, JOINT_INDEX[f"left_{joint}"]] = mirrored
    still = held_hands(index_out())
    tried = replace(still, motion=Motion(poses.reshape(count, 72), np.zeros(10), np.zeros((count, 3)), 30.0))
    pose = tried.pose(slice(None))
    tips, middles = np.empty((2, 3, count)), np.empty((2, 3, count))
    for number, side in enumerate(("left", "right")):
        hand = tried.parts[f"{side}_hand"]
        tips[number] = pose.point(hand.joints[0], still.hands.tips(slice(0, 1))[:, number, FINGERS.index("index"), 0])
        middles[number] = pose.point(hand.joints[0], hand.offsets[0])
    apart, between = (np.linalg.norm(points[1] - points[0], axis=0) for points in (tips, middles))
    clear = np.minimum(*(nearest_on(tried.parts[part], pose, tips[1])[2] for part in ("trunk", "head"))) > 0.12
    best = np.where(clear & (between > 0.14), apart, np.inf).argmin()
    assert apart[best] < 0.01
    return poses[best].reshape(72)


def index_tips(motion: RetargetedMotion) -> np.ndarray:
    """Return the tips (2, 3) of both indices in the last frame, left first."""
    rig, (rotations, heads) = motion.rig, motion.pose(slice(3, 4))
    bones = [rig.index[f"{side}_index3"] for side in ("left", "right")]
    ends = [rotations[0, bone] @ rig.axes[bone].T @ (rig.tails[bone] - rig.heads[bone]) for bone in bones]
    return np.array([heads[0, bone] + end for bone, end in zip(bones, ends, strict=True)])


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_finger_tips_that_touch_each_other_do_so_on_a_longer_or_shorter_arm_too(factor: float) -> None:
    rig = limbs_stretched(fingered_rig(), {"right_elbow": factor, "right_wrist": factor})
    hands = np.tile(index_out(), (4, 1, 1, 1))
    hands[0, :, FINGER_JOINTS * FINGERS.index("pinky"), 2] *= 0.5
    motion = Motion(np.tile(pose_with_the_indices_together(), (4, 1)), np.zeros(10), np.zeros((4, 3)), 30.0)
    source = RetargetSource.of_motion(with_hands(motion, hands), model())
    kept, left = (retarget(source, rig, SMPL_MAP, RetargetOptions(hands=share)) for share in (1.0, 0.0))
    apart, before = (float(np.linalg.norm(np.subtract(*index_tips(one)))) for one in (kept, left))
    assert apart < 0.015 < 0.04 < before
    assert kept.report.contacts == kept.report.contacts_kept == 4


def test_tips_of_fingers_that_nobody_saw_move_touch_nothing() -> None:
    source = pointing_at_the_head(moving=False)
    found = [retarget(source, fingered_rig(), SMPL_MAP, RetargetOptions(fingers=how)) for how in ("follow", "leave")]
    np.testing.assert_array_equal(found[0].rotations[:, : JOINT_INDEX["left_hand"]], found[1].rotations[:, :22])


def test_the_tips_of_a_character_with_the_sources_skeleton_are_where_the_sources_are() -> None:
    source = held_hands(np.random.default_rng(0).normal(0.0, 0.4, (2, 15, 3)))
    fingers = HandMotion.of(Character.of(fingered_rig(), SMPL_MAP, source), source.hands)
    ours, wanted = fingers.tip_points(slice(0, 1)), fingers.source_tip_points(slice(0, 1))
    for hand in ("left_hand", "right_hand"):
        points, others = ours[hand][..., 0].T, wanted[hand][..., 0].T
        np.testing.assert_allclose(points @ nearest_rotation(points.T @ others), others, atol=1.5e-3)
