"""The transfer alone and the whole solve on characters whose right answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.cleanup import CleanupOptions
from core.math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from core.motion import Motion
from core.retarget.bone_map import BoneMap
from core.retarget.options import RetargetOptions
from core.retarget.retargeting import retarget
from core.retarget.rig import Rig
from core.retarget.source import RetargetSource
from core.smpl_skeleton import JOINT_INDEX

from .smpl_characters import (
    SMPL_MAP,
    bones_turned,
    held_pose,
    joints_of,
    limbs_stretched,
    moved,
    smpl_rig,
    source_joints,
    walk,
    walk_analysis,
)

PLAIN = RetargetOptions(feet=0.0, hands=0.0)
A_POSE = {"left_shoulder": [0.0, 0.0, -0.9], "right_shoulder": [0.0, 0.0, 0.9]}
BENT = {"left_elbow": [0.0, -0.6, 0.0], "right_elbow": [0.0, 0.5, 0.0]}
OTHER_LIMBS = {"left_knee": 1.2, "right_knee": 1.2, "left_elbow": 0.8, "right_elbow": 0.8}


def test_the_sources_own_skeleton_returns_the_source() -> None:
    """With hands too, whose goals then are where they are; feet only plant what slides in the source."""
    motion = retarget(walk(), smpl_rig(seed=1), SMPL_MAP, RetargetOptions(feet=0.0))
    assert np.abs(joints_of(motion) - source_joints(walk())).max() < 1e-6


def test_planted_feet_change_the_sources_own_skeleton_little() -> None:
    motion = retarget(walk(), smpl_rig(), SMPL_MAP)
    assert np.abs(joints_of(motion) - source_joints(walk())).max() < 0.03
    assert np.abs(joints_of(motion) - source_joints(walk())).mean() < 0.002


def test_random_bone_axes_change_no_joint() -> None:
    plain, random = (retarget(walk(), smpl_rig(seed=seed), SMPL_MAP) for seed in (None, 7))
    assert np.abs(joints_of(random) - joints_of(plain)).max() < 1e-9


def test_rotations_are_rotations() -> None:
    motion = retarget(walk(), smpl_rig(seed=3), SMPL_MAP)
    products = np.swapaxes(motion.rotations, -1, -2) @ motion.rotations
    assert np.abs(products - np.eye(3)).max() < 1e-9
    assert motion.bones[0] == JOINT_INDEX["pelvis"]
    assert all(motion.rig.parents[bone] in motion.bones for bone in motion.bones[1:])


@pytest.mark.parametrize("rest", [A_POSE, BENT, A_POSE | BENT], ids=["A", "bent elbows", "A and bent"])
def test_any_rest_pose_of_the_arms_gives_the_same_joints(rest: dict[str, list[float]]) -> None:
    stretched = limbs_stretched(smpl_rig(seed=2, skin=False), OTHER_LIMBS)
    expected = joints_of(retarget(walk(), stretched, SMPL_MAP))
    found = joints_of(retarget(walk(), bones_turned(stretched, rest), SMPL_MAP))
    assert np.abs(found - expected).max() < 1e-6


def test_a_scaled_and_turned_character_does_the_same_in_its_size() -> None:
    found = joints_of(retarget(walk(), moved(smpl_rig(), 0.4, 2.1), SMPL_MAP, PLAIN))
    assert np.abs(found - 0.4 * source_joints(walk())).max() < 1e-6


def test_a_rest_pose_of_the_user_replaces_the_alignment() -> None:
    """A character that rests in a crouch, posed by the user like SMPL's rest pose."""
    upright = smpl_rig(seed=5, skin=False)
    crouching = bones_turned(upright, {"left_hip": [-1.2, 0.3, 0.0], "right_knee": [1.0, 0.0, 0.0], **A_POSE})
    options = replace(PLAIN, rest_pose=upright.axes)
    found = joints_of(retarget(walk(), crouching, SMPL_MAP, options))
    away = found - source_joints(walk())
    assert np.abs(away[..., [0, 2]]).max() < 1e-6
    assert np.ptp(away[..., 1]) < 1e-6  # the height of a sole without skin is guessed


def test_permuted_frames_give_permuted_results() -> None:
    order = np.random.default_rng(0).permutation(walk().num_frames)
    motion = walk().motion
    shuffled = replace(
        walk(), motion=replace(motion, poses=motion.poses[order], trans=motion.trans[order]), contacts=()
    )
    rig = limbs_stretched(smpl_rig(skin=False), OTHER_LIMBS)
    straight, mixed = (retarget(source, rig, SMPL_MAP, PLAIN) for source in (walk(), shuffled))
    assert np.abs(mixed.rotations - straight.rotations[order]).max() < 1e-12
    assert np.abs(mixed.root - straight.root[order]).max() < 1e-12


def _with_spine(bones: list[str], rig: Rig) -> BoneMap:
    return BoneMap({**SMPL_MAP.bones, "spine": tuple(bones)})


def test_the_last_bone_of_a_short_spine_turns_like_the_chest() -> None:
    motion = retarget(walk(), smpl_rig(), _with_spine(["spine3"], smpl_rig()), PLAIN)
    chest = list(motion.bones).index(JOINT_INDEX["spine3"])
    world = walk().pose(slice(None)).rotations[:, :, JOINT_INDEX["spine3"]].transpose(2, 0, 1)
    assert np.abs(motion.rotations[:, chest] - world).max() < 1e-9


def test_a_long_neck_bends_evenly_between_neck_and_head() -> None:
    """A neck of two bones: the second is half way from SMPL's neck to its head."""
    rig = smpl_rig()
    middle = 0.5 * (rig.heads[JOINT_INDEX["neck"]] + rig.heads[JOINT_INDEX["head"]])
    longer = _with_bone(rig, "neck2", "neck", middle)
    bone_map = BoneMap({**SMPL_MAP.bones, "neck": ("neck", "neck2")})
    poses = np.zeros((24, 3))
    poses[JOINT_INDEX["head"], 0] = 0.6
    motion = retarget(held_pose(poses), longer, bone_map, PLAIN)
    second = motion.rotations[0, list(motion.bones).index(longer.index["neck2"])]
    assert np.abs(second - axis_angle_to_matrix(np.array([0.3, 0.0, 0.0]))).max() < 1e-9


def test_a_twist_bone_takes_its_share_of_the_hands_twist() -> None:
    rig = smpl_rig()
    elbow, wrist = (rig.heads[JOINT_INDEX[f"left_{name}"]] for name in ("elbow", "wrist"))
    longer = _with_bone(rig, "twist", "left_elbow", elbow + 0.4 * (wrist - elbow))
    bone_map = BoneMap({**SMPL_MAP.bones, "left_forearm": ("left_elbow", "twist")})
    axis = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    poses = np.zeros((24, 3))
    poses[JOINT_INDEX["left_wrist"]] = 1.1 * axis
    motion = retarget(held_pose(poses), longer, bone_map, PLAIN)
    turned = motion.rotations[0, list(motion.bones).index(longer.index["twist"])]
    assert np.abs(turned - axis_angle_to_matrix(0.4 * 1.1 * axis)).max() < 1e-9
    rotations, heads = motion.pose()
    assert np.abs(heads[0, JOINT_INDEX["left_wrist"]] - source_joints(held_pose(poses))[0, 20]).max() < 1e-6


def _with_bone(rig: Rig, name: str, parent: str, head: np.ndarray) -> Rig:
    """Return *rig* with one more bone, a child of *parent*."""
    return replace(
        rig,
        names=(*rig.names, name),
        parents=np.append(rig.parents, rig.index[parent]),
        heads=np.vstack([rig.heads, head]),
        tails=np.vstack([rig.tails, head + [0.0, 0.05, 0.0]]),
        axes=np.concatenate([rig.axes, np.eye(3)[None]]),
        deform=np.append(rig.deform, True),
    )


@pytest.mark.parametrize(("steps", "factor"), [("leg", 1.2), ("same", 1.0), (0.5, 0.5)])
def test_the_size_of_the_steps(steps: str | float, factor: float) -> None:
    rig = moved(smpl_rig(), 1.2, 0.0)
    motion = retarget(walk(), rig, SMPL_MAP, replace(PLAIN, steps=steps))
    hips = joints_of(motion)[:, [1, 2]].mean(axis=1)
    expected = source_joints(walk())[:, [1, 2]].mean(axis=1)
    assert np.abs(hips[:, [0, 2]] - factor * expected[:, [0, 2]]).max() < 1e-6
    assert np.abs(hips[:, 1] - 1.2 * expected[:, 1]).max() < 1e-6
    assert motion.report.size == pytest.approx(factor)


@pytest.mark.parametrize("root", ["treadmill", "in_place"])
def test_a_motion_held_in_place_keeps_its_planted_feet(root: str) -> None:
    """Only the path is taken away: the feet are planted on the floor that moves below the body."""
    held = RetargetSource.of(walk_analysis(), CleanupOptions(foot_lock=1.0, ground="contacts", root=root))
    rig = limbs_stretched(smpl_rig(skin=False), OTHER_LIMBS)
    still, free = (retarget(source, rig, SMPL_MAP) for source in (held, walk()))
    assert np.abs(still.rotations - free.rotations).max() < 1e-6
    expected = still.report.size * held.drift
    assert np.abs(expected).max() > 0.5 and np.abs(still.root - free.root - expected).max() < 1e-6


def test_a_floor_that_is_kept_stays_where_it_is() -> None:
    raised = walk_analysis().lifted(0.7)
    kept = RetargetSource.of(raised, CleanupOptions(foot_lock=1.0, ground="keep"))
    levelled = RetargetSource.of(raised)
    first, second = (retarget(source, smpl_rig(), SMPL_MAP) for source in (kept, levelled))
    assert np.abs(first.rotations - second.rotations).max() < 1e-6
    assert np.abs(first.root - second.root - [0.0, raised.floor.height_m, 0.0]).max() < 1e-6
    assert raised.floor.height_m > 0.6


def test_a_sloping_floor_that_is_kept_is_stood_on() -> None:
    """The same as on the level, tilted with the floor."""
    source = walk()
    tilted = replace(source, floor=replace(source.floor, slope=np.array([0.1, -0.05])))
    turn = tilted.level.T
    roots = turn @ axis_angle_to_matrix(source.motion.poses[:, :3])
    trans = (source.rest[0] + source.motion.trans) @ turn.T - source.rest[0]
    poses = np.hstack([matrix_to_axis_angle(roots), source.motion.poses[:, 3:]])
    tilted = replace(tilted, motion=Motion(poses, source.motion.betas, trans, source.motion.fps))
    level, sloping = (retarget(one, smpl_rig(), SMPL_MAP) for one in (source, tilted))
    assert np.abs(sloping.root - level.root @ turn.T).max() < 1e-6
    assert np.abs(sloping.rotations - turn @ level.rotations).max() < 1e-6
    assert sloping.report.slide_m == pytest.approx(level.report.slide_m, abs=1e-6)


@pytest.mark.parametrize("root_motion", ["bone", "object"])
def test_a_carrier_follows_the_body_over_the_floor(root_motion: str) -> None:
    rig = moved(smpl_rig(), 1.0, 1.0)
    motion, plain = (retarget(walk(), rig, SMPL_MAP, RetargetOptions(root_motion=r)) for r in (root_motion, "hips"))
    assert plain.carrier is None and motion.carrier is not None
    assert np.array_equal(motion.rotations, plain.rotations) and np.array_equal(motion.root, plain.root)
    assert np.abs(motion.carrier.position[:, [0, 2]] - motion.root[:, [0, 2]]).max() < 0.2
    assert np.abs(motion.carrier.position[:, 1]).max() < 1e-9
    facing = motion.rotations[:, 0] @ rig.axes[0].T
    ahead = np.stack([np.sin(motion.carrier.yaw), np.cos(motion.carrier.yaw)], axis=1)
    assert ((ahead * facing[:, [0, 2], 2]).sum(axis=1) > 0.5).all()
    assert np.abs(np.diff(motion.carrier.yaw)).max() < 0.2
