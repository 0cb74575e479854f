"""Soles on the floor: none below it, no abrupt correction, no change to who sits, kneels, lies or is in the air."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.body.model import BodyModel
from core.cleanup import CleanupOptions, CleanupSource, analyse_motion, clean_up
from core.cleanup.clearance import plan_lifts
from core.cleanup.leg import Bones, reached_distance
from core.cleanup.lowest import lowest_heights
from core.cleanup.pelvis import lift_pelvis
from core.cleanup.soles import Sole
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX
from training.evaluation.sole_metrics import FootSkin

LOCKED = CleanupOptions(foot_lock=1.0)
FPS = 30.0


def _pose(root: float = 0.0, **turns: float) -> np.ndarray:
    """Return a pose (72,) with joints of both sides turned about the side axis, in degrees."""
    pose = np.zeros((24, 3))
    pose[0, 0] = np.deg2rad(root)
    for name, degrees in turns.items():
        for side in ("left", "right"):
            pose[JOINT_INDEX[f"{side}_{name}"], 0] = np.deg2rad(degrees)
    return pose.reshape(-1)


def _standing_then(pose: np.ndarray, body: BodyModel) -> Motion:
    """Return two seconds of standing, then *pose* with its lowest vertex on the floor, with a little noise."""
    share = np.clip((np.arange(180) - 60) / 40.0, 0.0, 1.0)[:, None]
    share = share * share * (3.0 - 2.0 * share)
    still = Motion(share * pose, np.zeros(10), np.zeros((180, 3)), FPS)
    noise = np.random.default_rng(0).normal(0.0, 0.004, still.poses.shape)
    up = np.array([0.0, 1.0, 0.0])
    return replace(still, poses=still.poses + noise, trans=-lowest_heights(still, body)[:, None] * up)


def _lowest(source: CleanupSource, motion: Motion) -> np.ndarray:
    """Return the height of each foot's lowest vertex above the floor (F, 2), metres."""
    return FootSkin(source.model, motion.betas).measure(source, motion, source.floor).lowest


@pytest.mark.parametrize(
    "pose",
    [
        _pose(root=-90.0),
        _pose(root=90.0, ankle=52.0),
        _pose(root=80.0, hip=-80.0, knee=90.0, ankle=52.0),
        _pose(knee=90.0, ankle=-12.0, foot=-46.0),
        _pose(hip=-90.0),
        _pose(hip=-90.0, knee=90.0),
    ],
    ids=["supine", "prone", "on hands and knees", "kneeling", "on the floor", "on a chair"],
)
def test_who_lies_kneels_or_sits_is_neither_lifted_nor_bent(pose, body):
    motion = _standing_then(pose, body)
    source = analyse_motion(motion, body)
    assert source.ground is not None
    locked = clean_up(source, LOCKED)
    rest = slice(110, None)
    assert np.abs(locked.trans - motion.trans)[rest].max() < 0.003
    before, after = (body.joints(one.rotations(), one.betas, one.trans)[rest] for one in (motion, locked))
    assert np.linalg.norm(after - before, axis=-1).max() < 0.03


def test_a_foot_in_the_air_stays_in_the_air(body):
    share = np.sin(np.pi * np.clip((np.arange(150) - 45) / 60.0, 0.0, 1.0))[:, None] ** 2
    poses = np.zeros((150, 24, 3))
    poses[:, JOINT_INDEX["right_hip"]] = share * np.deg2rad([-70.0, 0.0, 0.0])
    poses[:, JOINT_INDEX["right_knee"]] = share * np.deg2rad([80.0, 0.0, 0.0])
    motion = Motion(poses.reshape(150, -1), np.zeros(10), np.zeros((150, 3)), FPS)
    source = analyse_motion(motion, body)
    before, after = (_lowest(source, one)[:, 1] for one in (motion, clean_up(source, LOCKED)))
    high = before > 0.1
    assert high.sum() > 20
    np.testing.assert_allclose(after[high], before[high], atol=0.005)
    assert after.min() > -0.003


def test_a_step_on_a_lower_level_is_not_lifted_to_the_floor(body):
    """Both feet stand on the floor, then a stair lower for half a second, then on the floor again."""
    down = np.clip((np.arange(420) - 200) / 12.0, 0.0, 1.0) - np.clip((np.arange(420) - 227) / 12.0, 0.0, 1.0)
    trans = np.stack([0.0 * down, -0.17 * down, 0.0 * down], axis=1)
    motion = Motion(np.zeros((420, 72)), np.zeros(10), trans, FPS)
    source = analyse_motion(motion, body)
    np.testing.assert_allclose(_lowest(source, motion)[0], 0.0, atol=0.005)
    lower = _lowest(source, clean_up(source, LOCKED))[212:227]
    np.testing.assert_allclose(lower, -0.17, atol=0.005)


def test_feet_on_a_treadmill_are_not_held(walk, body):
    steps = slice(30, 220)
    walking = replace(walk, poses=walk.poses[steps], trans=walk.trans[steps])
    motion = clean_up(analyse_motion(walking, body), CleanupOptions(root="treadmill"))
    source = analyse_motion(motion, body)
    assert source.contacts == ()
    np.testing.assert_array_equal(clean_up(source, LOCKED).poses, motion.poses)


def test_soles_that_sink_and_pitch_are_put_on_the_floor(walk, body):
    """A walk whose feet point down by 10 degrees, as fits often have it."""
    poses = walk.poses.copy()
    for side in ("left", "right"):
        poses[:, 3 * JOINT_INDEX[f"{side}_ankle"]] += np.deg2rad(10.0)
    source = analyse_motion(replace(walk, poses=poses), body)
    before, after = (_lowest(source, one) for one in (source.motion, clean_up(source, LOCKED)))
    assert (before.min(axis=1) < -0.003).mean() > 0.5
    assert (after.min(axis=1) < -0.003).mean() < 0.01
    assert after.min() > -0.006
    jumps = [np.abs(np.diff(lowest, n=2, axis=0)).max() for lowest in (before, after)]
    assert jumps[1] < 1.2 * jumps[0]


def test_lifts_are_smooth_and_nowhere_too_low():
    needed = np.full((90, 4), -0.1)
    needed[30:60, 1] = 0.02 * np.sin(np.pi * np.arange(30) / 30.0)
    lifts, body_lift = plan_lifts(needed, np.zeros((90, 4)), np.ones((90, 4)), FPS)
    assert (lifts[:, 1] - needed[:, 1]).min() > -0.001
    assert lifts[:, 1].max() < 0.025
    assert np.abs(np.diff(lifts[:, 1], n=2)).max() < 0.0035
    np.testing.assert_allclose(lifts[:, 2:], 0.0, atol=1e-9)
    np.testing.assert_allclose(body_lift, 0.0, atol=1e-9)


def test_a_standing_body_rises_with_its_feet_and_a_sitting_one_does_not():
    needed, share = np.full((90, 4), 0.02), np.ones((90, 4))
    lifts, standing = plan_lifts(needed, share, np.ones((90, 4)), FPS)
    np.testing.assert_allclose(lifts, 0.02, atol=1e-3)
    np.testing.assert_allclose(standing, 0.02, atol=1e-3)
    lifts, sitting = plan_lifts(needed, share, np.zeros((90, 4)), FPS)
    np.testing.assert_allclose(lifts, 0.02, atol=1e-3)
    np.testing.assert_allclose(sitting, 0.0, atol=1e-9)


def test_a_sole_has_a_heel_and_a_ball_for_any_points():
    toe = np.array([0.0, -0.06, 0.12])
    for points in (np.array([[0.0, -0.08, 0.3]]), np.array([[0.0, -0.08, -0.1], [0.0, -0.08, -0.09]])):
        sole = Sole.of_points(points, np.zeros(len(points)), toe)
        assert all(len(sole.basis[part]) > 0 for part in sole.parts)


def test_a_vertex_of_the_sole_moves_with_foot_and_toes_by_its_weight():
    points, share = np.array([[0.0, -0.08, -0.05], [0.02, -0.08, 0.15]]), np.array([0.0, 0.25])
    toe = np.array([0.0, -0.06, 0.12])
    sole = Sole.of_points(points, share, toe)
    quarter = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    heights = sole.basis @ np.concatenate([np.eye(3)[1], quarter[1], [0.5]])
    bent = toe + quarter @ (points[1] - toe)
    np.testing.assert_allclose(heights, [0.42, 0.5 + 0.75 * points[1, 1] + 0.25 * bent[1]], atol=1e-6)


def test_lifts_of_a_foot_that_tips_fast_are_nowhere_too_low():
    """Which skin is below the floor changes with each solution: after three it was still 5 mm below."""
    frames = np.arange(120)
    needed, share = np.full((120, 4), -0.1), np.zeros((120, 4))
    needed[:, 0], needed[:, 1] = 0.04 * np.sin(np.pi * frames / 4.0), 0.04 * np.cos(np.pi * frames / 4.0)
    share[:, :2] = 1.0
    lifts, _ = plan_lifts(needed, share, np.ones((120, 4)), 60.0)
    assert (lifts - needed).min() > -0.002


def test_straight_leg_whose_foot_is_below_the_floor_raises_the_body():
    """A leg nearly straight shortens little: the pelvis rises until the ankle is where it should be."""
    bend = np.full((2, 60), np.deg2rad(6.0))
    zero = np.zeros_like(bend)
    thigh = 0.4 * np.stack([zero, -np.cos(0.5 * bend), np.sin(0.5 * bend)])
    shank = 0.42 * np.stack([zero, -np.cos(0.5 * bend), -np.sin(0.5 * bend)])
    bones = Bones(thigh, shank, np.broadcast_to(np.array([1.0, 0.0, 0.0])[:, None, None], thigh.shape))
    targets = bones.ankle.copy()
    targets[1] += 0.03
    rise = np.zeros(60)
    lift = lift_pelvis(bones, targets, rise, np.zeros((2, 60)), np.full(2, 0.82), FPS)
    targets[1] -= lift
    reached = reached_distance(bones, np.linalg.norm(targets, axis=0))
    assert (reached - np.linalg.norm(targets, axis=0)).max() < 0.001


def test_toes_turn_no_faster_than_before_in_a_contact_on_their_tips(body):
    """A dancer on the toes' tips, tilted by 60 to 80 degrees: each frame's toes were laid flat by its own tilt."""
    frames = 90
    poses = np.zeros((frames, 24, 3))
    poses[:, JOINT_INDEX["left_foot"], 0] = poses[:, JOINT_INDEX["right_foot"], 0] = np.deg2rad(
        70.0 + 9.0 * np.sin(np.arange(frames) / 5.0)
    )
    source = analyse_motion(Motion(poses.reshape(frames, -1), np.zeros(10), np.zeros((frames, 3)), FPS), body)
    assert any(contact.point == 1 and contact.num_frames > 80 for contact in source.contacts)
    after = clean_up(source, LOCKED).rotations()
    toe = [_world_toe(body, rotations) for rotations in (source.motion.rotations(), after)]
    before, after_tilt = (np.rad2deg(np.arccos(np.clip(one[:, 1, 1], -1.0, 1.0))) for one in toe)
    inside = slice(8, -8)
    assert np.ptp(before[inside]) > 15.0
    assert np.ptp(after_tilt[inside]) < 1.1 * np.ptp(before[inside])


def _world_toe(body: BodyModel, rotations: np.ndarray) -> np.ndarray:
    """Return the world rotations (F, 3, 3) of the left toes."""
    world, _ = body.joint_transforms(rotations, np.zeros(10), np.zeros((len(rotations), 3)))
    return np.asarray(world)[:, JOINT_INDEX["left_foot"]]


def test_flat_foot_that_rolls_from_side_to_side_keeps_heel_and_ball_in_place(body):
    """Its toe joint is 3 cm above the sole: held there, the heel would turn about it."""
    frames = 90
    poses = np.zeros((frames, 24, 3))
    roll = np.deg2rad(8.0) * np.sin(np.arange(frames) / 6.0)
    poses[:, [JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"]], 2] = roll[:, None]
    source = analyse_motion(Motion(poses.reshape(frames, -1), np.zeros(10), np.zeros((frames, 3)), FPS), body)
    points = [contact.point for contact in source.contacts]
    assert points == [0, 1, 2, 3]
    slides = FootSkin(body, np.zeros(10)).measure(source, clean_up(source, LOCKED), source.floor).slides
    assert slides.max() < 0.0015, slides


def test_foot_that_pivots_on_its_ball_does_not_slide(body):
    """Half a turn on the ball of a foot: what turns in place is all skin that touches the floor, not half of it."""
    frames = 60
    poses = np.zeros((frames, 24, 3))
    poses[:, JOINT_INDEX["left_ankle"], 0] = np.deg2rad(25.0)
    poses[:, JOINT_INDEX["left_foot"], 0] = np.deg2rad(-25.0)
    poses[:, JOINT_INDEX["right_hip"], 0] = np.deg2rad(-70.0)
    turn = np.pi * np.clip((np.arange(frames) - 25.0) / 12.0, 0.0, 1.0)
    poses[:, 0, 1] = turn
    still = Motion(poses.reshape(frames, -1), np.zeros(10), np.zeros((frames, 3)), FPS)
    rotations = still.rotations()
    ball = body.joints(rotations, still.betas, still.trans)[:, JOINT_INDEX["left_foot"]]
    motion = replace(still, trans=(ball[:1] - ball) * [1.0, 0.0, 1.0])
    source = analyse_motion(motion, body)
    (contact,) = [contact for contact in source.contacts if contact.point == 1]
    assert contact.num_frames > 50
    slides = FootSkin(body, np.zeros(10)).measure(source, clean_up(source, LOCKED), source.floor).slides
    assert slides[source.contacts.index(contact)] < 0.003, slides


def test_foot_that_points_straight_down_is_lifted_without_a_jump(body):
    """Pitched up, its toes pointed forward in one frame and backward in the next."""
    frames = 90
    poses = np.zeros((frames, 24, 3))
    poses[:, JOINT_INDEX["left_hip"], 0], poses[:, JOINT_INDEX["left_knee"], 0] = np.deg2rad([-25.0, 25.0])
    poses[:, JOINT_INDEX["left_ankle"], 0] = np.deg2rad(85.0 + 20.0 * np.sin(np.arange(frames) / 2.0))
    motion = Motion(poses.reshape(frames, -1), np.zeros(10), np.zeros((frames, 3)), FPS)
    source = analyse_motion(motion, body)
    skin = FootSkin(body, np.zeros(10))
    before, after = (skin.measure(source, one, source.floor) for one in (motion, clean_up(source, LOCKED)))
    inside = slice(5, -5)
    assert before.lowest[inside, 0].max() < -0.03
    assert after.lowest[inside, 0].min() > -0.003
    assert after.accelerations(FPS)[1, inside, 0].max() < before.accelerations(FPS)[1, inside, 0].max() + 10.0
