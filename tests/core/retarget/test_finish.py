"""Feet, soles and touches on characters of other proportions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.math.frames_last import matrices_last
from core.math.rotations import axis_angle_to_matrix
from core.retarget.arms import solve_arms
from core.retarget.bone_map import BoneMap
from core.retarget.character import Character
from core.retarget.feet import FootPath, plan_foot
from core.retarget.options import RetargetOptions
from core.retarget.prepared import Prepared
from core.retarget.report import Measurements
from core.retarget.retargeted import RetargetedMotion
from core.retarget.retargeting import retarget
from core.retarget.rig import Rig
from core.retarget.source import RetargetSource
from core.retarget.touch import FloorReach, Touch, find_touches
from core.smpl_skeleton import JOINT_INDEX

from .rigs import load_rig
from .smpl_characters import SMPL_MAP, held_pose, joints_of, limbs_stretched, moved, smpl_rig, touching_pose, walk

LONG_ARMS = {f"{side}_{joint}": 1.2 for side in ("left", "right") for joint in ("elbow", "wrist")}
SHORT_ARMS = {f"{side}_{joint}": 0.85 for side in ("left", "right") for joint in ("elbow", "wrist")}
SHORT_LEGS = {f"{side}_{joint}": 0.7 for side in ("left", "right") for joint in ("knee", "ankle")}


def _sides(bones: dict[str, tuple[str, ...]], limbs: dict[str, tuple[str, ...]], ends: tuple[str, str]) -> BoneMap:
    both = zip(("left", "right"), ends, strict=True)
    limb_bones = {
        f"{side}_{role}": tuple(name + end for name in names) for side, end in both for role, names in limbs.items()
    }
    return BoneMap(bones | limb_bones)


UNREAL = _sides(
    {"hips": ("pelvis",), "spine": ("spine_01", "spine_02", "spine_03"), "neck": ("neck_01",), "head": ("head",)},
    {"clavicle": ("clavicle",), "upper_arm": ("upperarm",), "forearm": ("lowerarm",), "hand": ("hand",)}
    | {"thigh": ("thigh",), "shin": ("calf",), "foot": ("foot",), "toe": ("ball",)},
    ("_l", "_r"),
)
KAYKIT = _sides(
    {"hips": ("hips",), "spine": ("spine", "chest"), "head": ("head",)},
    {"upper_arm": ("upperarm",), "forearm": ("lowerarm",), "hand": ("wrist",)}
    | {"thigh": ("upperleg",), "shin": ("lowerleg",), "foot": ("foot",), "toe": ("toes",)},
    (".l", ".r"),
)
MAKEHUMAN = _sides(
    {
        "hips": ("root",),
        "spine": ("spine05", "spine04", "spine03", "spine02", "spine01"),
        "neck": ("neck01", "neck02", "neck03"),
        "head": ("head",),
    },
    {"clavicle": ("clavicle",), "upper_arm": ("upperarm01", "upperarm02"), "hand": ("wrist",), "foot": ("foot",)}
    | {"forearm": ("lowerarm01", "lowerarm02"), "thigh": ("upperleg01", "upperleg02")}
    | {"shin": ("lowerleg01", "lowerleg02")},
    (".L", ".R"),
)
RIGS = {
    "m2m_male": UNREAL, "m2m_zombie": UNREAL, "mpfb_game_engine": UNREAL,
    "kaykit_barbarian_rig": KAYKIT, "mpfb_default": MAKEHUMAN,
}  # fmt: skip


@pytest.fixture(scope="module", params=RIGS)
def on_rig(request: pytest.FixtureRequest) -> RetargetedMotion:
    return retarget(walk(), load_rig(request.param), RIGS[request.param])


def test_feet_are_planted_on_every_rig(on_rig: RetargetedMotion) -> None:
    leg = on_rig.report.leg_m / 0.8
    assert on_rig.report.slide_m < 0.002 * leg
    assert on_rig.report.worst_slide_m < 0.008 * leg
    assert len(on_rig.report.out_of_reach) == 0


def test_soles_are_on_the_floor_on_every_rig(on_rig: RetargetedMotion) -> None:
    leg = on_rig.report.leg_m / 0.8
    assert np.isnan(on_rig.report.lowest_m) == (len(on_rig.rig.skin.vertices) == 0)
    assert np.isnan(on_rig.report.lowest_m) or -0.003 * leg < on_rig.report.lowest_m < 0.001 * leg


def test_limbs_keep_the_directions_of_the_source_on_every_rig(on_rig: RetargetedMotion) -> None:
    plain = retarget(walk(), on_rig.rig, _map_of(on_rig.rig), RetargetOptions(feet=0.0))
    for role, end in (("left_thigh", "left_shin"), ("right_shin", "right_foot")):
        bones = [on_rig.rig.index[_map_of(on_rig.rig).bones[name][0]] for name in (role, end)]
        ours, theirs = (np.diff(motion.pose()[1][:, bones], axis=1)[:, 0] for motion in (on_rig, plain))
        cosine = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
        assert np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).mean() < 6.0


def _map_of(rig: Rig) -> BoneMap:
    """Return the bone map of a rig in `RIGS`."""
    return next(bone_map for bone_map in RIGS.values() if set(bone_map.bones["left_foot"]) <= set(rig.names))


@pytest.mark.parametrize(("has_toes", "end"), [(True, "below"), (True, "on the line"), (False, "below")])
def test_ends_of_bones_put_no_sole_below_the_toes(has_toes: bool, end: str) -> None:
    """Importers end bones without children anywhere; the sole was 9 cm below the toes, and the feet slid."""
    rig, bone_map = smpl_rig(skin=False), SMPL_MAP
    last = "foot" if has_toes else "ankle"
    if not has_toes:
        bone_map = BoneMap({role: chain for role, chain in SMPL_MAP.bones.items() if not role.endswith("toe")})
    for side in ("left", "right"):
        bone = rig.index[f"{side}_{last}"]
        before = rig.heads[bone] - rig.heads[rig.parents[bone]]
        rig.tails[bone] = rig.heads[bone] + (before if end == "on the line" else [0.0, -0.3, 0.0])
    motion = retarget(walk(), rig, bone_map)
    lengths = rig.heads[rig.index["left_ankle"]] - rig.heads[rig.index["left_foot"]]
    sole = -Character.of(rig, bone_map, walk()).feet[0].sole
    assert sole == pytest.approx(lengths[1], abs=0.03)
    assert motion.report.worst_slide_m < 0.002


def test_without_the_finish_feet_slide() -> None:
    """The same walk on short legs and long feet, with the feet left alone."""
    rig = limbs_stretched(smpl_rig(skin=False), SHORT_LEGS)
    planted, left = (retarget(walk(), rig, SMPL_MAP, RetargetOptions(feet=feet)) for feet in (1.0, 0.0))
    assert left.report.slide_m > 4.0 * planted.report.slide_m
    assert left.report.worst_slide_m > 0.01


def test_half_planted_feet_slide_less() -> None:
    rig = limbs_stretched(smpl_rig(skin=False), SHORT_LEGS)
    none, half, full = (retarget(walk(), rig, SMPL_MAP, RetargetOptions(feet=f)).report for f in (0.0, 0.5, 1.0))
    assert 2.0 * full.slide_m < half.slide_m < 0.5 * none.slide_m


def test_a_rolling_foot_stands_still() -> None:
    """Heel strike, flat, and off over the ball, while the transferred ankle slides and sinks."""
    character = Character.of(smpl_rig(), SMPL_MAP, walk())
    foot = character.feet[0]
    time = np.linspace(0.0, 1.0, 61)
    pitch = np.where(time < 0.3, -1.2 * (0.3 - time), np.where(time > 0.6, 2.0 * (time - 0.6), 0.0))
    rotations = matrices_last(axis_angle_to_matrix(pitch[:, None] * [1.0, 0.0, 0.0])[:, None])[:, :, 0]
    ankle = np.stack([0.02 * np.sin(9.0 * time), 0.05 + 0.02 * time, 0.3 * time])
    contacts = np.stack([time < 0.6, time > 0.3], axis=1)
    planned = plan_foot(foot, FootPath(ankle, rotations, rotations), contacts, np.zeros_like(ankle), 1.0)
    for number, point in enumerate((foot.heel, foot.ball)):
        path = planned.ankle + np.einsum("ijf,j->if", planned.foot, point)
        standing = path[:, contacts[:, number]]
        assert np.ptp(standing[[0, 2]], axis=1).max() < 1e-4
    lowest = foot.support.heights(
        {foot.ankle: planned.foot[1], foot.toe: planned.toe[1]},
        {foot.ankle: planned.ankle[1], foot.toe: planned.ankle[1] + foot.ball @ planned.foot[1]},
    ).min(axis=0)
    assert np.abs(lowest).max() < 1e-9


@pytest.mark.parametrize("part", ["head", "trunk", "left_upper_arm", "left_forearm", "left_hand", "right_thigh"])
def test_a_hand_that_touches_still_touches(part: str) -> None:
    """On long arms and broad shoulders the hand would miss by centimetres."""
    source = held_pose(touching_pose(part))
    rig = limbs_stretched(smpl_rig(skin=False), LONG_ARMS | {"left_shoulder": 1.15, "right_shoulder": 1.15})
    kept, left = (_errors(source, rig, part, hands) for hands in (1.0, 0.0))
    assert kept < 0.006 < 0.015 < left


def _errors(source: RetargetSource, rig: Rig, part: str, hands: float) -> float:
    """Return the error of the right hand's touch of *part*, in the middle frame, metres."""
    character = Character.of(rig, SMPL_MAP, source)
    motion = retarget(source, rig, SMPL_MAP, RetargetOptions(hands=hands))
    columns = [list(motion.bones).index(bone) for bone in character.tree.bones]
    rests = character.tree.aligned @ rig.axes[character.tree.bones]
    joints = matrices_last(motion.rotations[:, columns] @ np.swapaxes(rests, -1, -2))
    inner = slice(0, source.num_frames)
    touches = find_touches(source.parts, source.pose(inner), set(character.parts), 0, inner)
    for kept in solve_arms(character, joints, motion.root.T, touches, 0.0):
        if {kept.touch.hand, kept.touch.part} == {"right_hand", part}:
            return float(kept.off_m[len(kept.off_m) // 2])
    raise AssertionError(f"the right hand does not touch {part}")


def test_a_head_out_of_reach_is_reported_and_moves_no_foot() -> None:
    source = held_pose(touching_pose("head"))
    rig = limbs_stretched(smpl_rig(skin=False), SHORT_ARMS | {"left_elbow": 0.3, "right_elbow": 0.3, "head": 4.0})
    kept, left = (retarget(source, rig, SMPL_MAP, RetargetOptions(hands=hands)) for hands in (1.0, 0.0))
    assert len(kept.report.out_of_reach) == source.num_frames
    assert kept.report.contacts > kept.report.contacts_kept
    assert any("cannot reach" in doubt for doubt in kept.report.doubts)
    assert np.array_equal(kept.root, left.root)
    legs = [list(kept.bones).index(JOINT_INDEX[f"{side}_knee"]) for side in ("left", "right")]
    assert np.array_equal(kept.rotations[:, legs], left.rotations[:, legs])


def test_the_size_of_a_character_changes_nothing_but_the_size() -> None:
    """A goblin of 0.5 m and a BVH in centimetres are solved alike."""
    rig = limbs_stretched(smpl_rig(skin=False), SHORT_ARMS | SHORT_LEGS)
    source = held_pose(touching_pose("head"))
    usual, small, large = (joints_of(retarget(source, moved(rig, k, 0.0), SMPL_MAP)) / k for k in (1.0, 0.3, 100.0))
    assert np.abs(small - usual).max() < 1e-6 and np.abs(large - usual).max() < 1e-6


def test_relaxed_fingers_bend_towards_the_palm() -> None:
    rig = load_rig("m2m_male")
    source = held_pose(np.zeros((24, 3)))
    left, relaxed = (retarget(source, rig, UNREAL, RetargetOptions(fingers=f)) for f in ("leave", "relaxed"))
    tips = [rig.index[f"{finger}_04_leaf_{side}"] for side in "lr" for finger in ("index", "middle", "ring", "pinky")]
    thumbs = [rig.index[f"thumb_04_leaf_{side}"] for side in "lr"]
    (_, straight), (_, bent) = left.pose(), relaxed.pose()
    drop = (bent - straight)[0, :, 1]
    assert (drop[tips] < -0.02).all()  # the palms face down in SMPL's rest pose
    assert np.abs((bent - straight)[0, thumbs]).max() < 1e-9
    assert len(relaxed.bones) > len(left.bones)


def test_a_hand_without_a_thumb_is_reported() -> None:
    motion = retarget(walk(), smpl_rig(skin=False), SMPL_MAP, RetargetOptions(fingers="relaxed"))
    assert any("thumb" in doubt for doubt in motion.report.doubts)


def test_bones_that_hang_loose_are_reported() -> None:
    rig = smpl_rig(skin=False)
    parents = rig.parents.copy()
    parents[JOINT_INDEX["left_ankle"]] = -1
    motion = retarget(walk(), replace(rig, parents=parents), SMPL_MAP)
    assert any("left_ankle" in doubt for doubt in motion.report.doubts)


def test_a_foot_that_rolls_sideways_stands_still_whatever_the_slope_of_its_sole() -> None:
    """The source's foot rolls about the line from its heel to its toe joint, which lies higher here."""
    character = Character.of(smpl_rig(), SMPL_MAP, walk())
    ball = character.feet[0].ball + [0.0, 0.04, 0.0]
    foot = replace(character.feet[0], ball=ball, ball_height=character.feet[0].ball_height + 0.04)
    line = character.feet[0].ball - character.feet[0].heel
    angle = 0.3 * np.sin(np.linspace(0.0, 6.0, 60))
    rotations = matrices_last(axis_angle_to_matrix(angle[:, None] * line / np.linalg.norm(line))[:, None])[:, :, 0]
    ankle = np.stack([0.01 * np.sin(angle), 0.08 + 0.0 * angle, 0.0 * angle])
    contacts = np.ones((60, 2), dtype=bool)
    planned = plan_foot(foot, FootPath(ankle, rotations, rotations), contacts, np.zeros_like(ankle), 1.0)
    for point in (foot.heel, foot.ball):
        path = planned.ankle + np.einsum("ijf,j->if", planned.foot, point)
        assert np.ptp(path[[0, 2]], axis=1).max() < 1e-4


def test_a_hand_that_stays_off_the_floor_is_reported_and_no_touch() -> None:
    source, rig = held_pose(np.zeros((24, 3))), smpl_rig(skin=False)
    character, frames = Character.of(rig, SMPL_MAP, source), slice(0, source.num_frames)
    _, rotations, root = Prepared.of(source, rig, SMPL_MAP, RetargetOptions()).transferred(source, frames)
    places = np.zeros((3, source.num_frames))
    reach = FloorReach("left_hand", np.arange(source.num_frames), np.ones(source.num_frames), places)
    measured = Measurements.empty(source)
    measured.add_touches(frames, character, solve_arms(character, rotations, root, [reach], 1.0))
    assert measured.out_of_reach.all() and measured.touches.sum() == 0


def test_an_arm_turns_by_half_a_circle_to_the_floor() -> None:
    """It is stretched above the head, and its hand belongs beside the hip."""
    pose = np.zeros((24, 3))
    pose[JOINT_INDEX["left_shoulder"], 2] = 1.5
    source, rig = held_pose(pose), smpl_rig(skin=False)
    character, frames = Character.of(rig, SMPL_MAP, source), slice(0, source.num_frames)
    _, rotations, root = Prepared.of(source, rig, SMPL_MAP, RetargetOptions()).transferred(source, frames)
    shoulder, hand = (character.tree.index[f"left_{role}"] for role in ("upper_arm", "hand"))
    before = character.tree.pose(rotations, root).positions
    assert (before[1, hand] > before[1, shoulder] + 0.9 * character.arm_m).all()
    places = before[:, shoulder] - 0.7 * character.arm_m * np.array([[0.0], [1.0], [0.0]])
    reach = FloorReach("left_hand", np.arange(source.num_frames), np.ones(source.num_frames), places)
    (kept,) = solve_arms(character, rotations, root, [reach], 1.0)
    assert kept.off_m.max() < 0.02 * character.arm_m


def test_a_touch_out_of_reach_holds_no_hand_off_what_it_reaches() -> None:
    source = held_pose(touching_pose("trunk"))
    rig = limbs_stretched(smpl_rig(skin=False), LONG_ARMS | {"head": 6.0})
    character, frames = Character.of(rig, SMPL_MAP, source), slice(0, source.num_frames)
    _, rotations, root = Prepared.of(source, rig, SMPL_MAP, RetargetOptions()).transferred(source, frames)
    own = find_touches(source.parts, source.pose(frames), set(character.parts), 0, frames)
    trunk = next(touch for touch in own if (touch.hand, touch.part) == ("right_hand", "trunk"))
    away = np.tile([[0.0], [1.0], [0.0]], source.num_frames)
    head = Touch("right_hand", "head", trunk.frames, trunk.weight, trunk.share, away, trunk.gap + 2.0, trunk.points)
    alone, both = (solve_arms(character, rotations.copy(), root, touches, 1.0) for touches in ([trunk], [trunk, head]))
    assert not both[1].in_reach.any()
    assert both[0].off_m.max() < alone[0].off_m.max() + 1e-3
