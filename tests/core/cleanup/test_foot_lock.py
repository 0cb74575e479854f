"""Foot lock: locked feet do not slide, knees keep their plane, nothing pops, a walk without sliding hardly changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.body.model import BodyModel, world_rotations
from core.cleanup import CleanupOptions, CleanupSource, analyse_motion, clean_up
from core.cleanup.leg import Bones, reach_for
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX
from training.evaluation.sole_metrics import FootSkin

LOCKED = CleanupOptions(foot_lock=1.0)
RATES = [24.0, 30.0, 60.0, 120.0]


def _skating(walk: Motion, fps: float) -> Motion:
    """Return the walk with a path a tenth too long for its steps."""
    motion = walk.resampled(fps)
    return replace(motion, trans=motion.trans * [1.1, 1.0, 1.1])


def _joints(body: BodyModel, motion: Motion) -> np.ndarray:
    return body.joints(motion.rotations(), motion.betas, motion.trans)


def _points(source: CleanupSource, motion: Motion) -> np.ndarray:
    return source.feet.points(*source.feet.chain(motion.rotations(), motion.trans))


def _slides_mm(source: CleanupSource, motion: Motion) -> np.ndarray:
    """Return how far the skin that bears a foot slides on the floor during each contact, millimetres."""
    return 1000.0 * FootSkin(source.model, motion.betas).measure(source, motion, source.floor).slides


def _accelerations(body: BodyModel, motion: Motion) -> np.ndarray:
    return np.linalg.norm(np.diff(_joints(body, motion), n=2, axis=0), axis=-1) * motion.fps**2


@pytest.mark.parametrize("fps", RATES)
def test_locked_feet_do_not_slide(fps, walk, body):
    skating = _skating(walk, fps)
    source = analyse_motion(skating, body)
    assert _slides_mm(source, skating).max() > 30.0
    assert _slides_mm(source, clean_up(source, LOCKED)).max() < 2.0


def test_half_strength_removes_half_of_the_sliding(walk, body):
    skating = _skating(walk, 30.0)
    source = analyse_motion(skating, body)
    before, half = _slides_mm(source, skating), _slides_mm(source, clean_up(source, CleanupOptions(foot_lock=0.5)))
    sliding = before > 20.0
    np.testing.assert_allclose(half[sliding] / before[sliding], 0.5, atol=0.1)


@pytest.mark.parametrize("fps", RATES)
def test_no_pops_where_contacts_begin_and_end(fps, walk, body):
    """No joint's speed changes within a frame by 0.35 m/s more than its largest change nearby before locking."""
    skating = _skating(walk, fps)
    source = analyse_motion(skating, body)
    before, after = _accelerations(body, skating), _accelerations(body, clean_up(source, LOCKED))
    reach = round(0.15 * fps)
    for contact in source.contacts:
        for end in (contact.first, contact.last):
            near = slice(max(0, end - reach), end + reach)
            assert after[near].max() < before[near].max() + 0.35 * fps


def test_walk_without_sliding_is_hardly_changed(walk, walk_source, body):
    off = np.linalg.norm(_joints(body, clean_up(walk_source, LOCKED)) - _joints(body, walk), axis=-1)
    assert off.mean() < 0.001
    assert off.max() < 0.02


def test_only_leg_joints_are_rotated(walk, body):
    skating = _skating(walk, 30.0)
    locked = clean_up(analyse_motion(skating, body), LOCKED)
    legs = [JOINT_INDEX[f"{side}_{name}"] for side in ("left", "right") for name in ("hip", "knee", "ankle", "foot")]
    kept = np.setdiff1d(np.arange(24), legs)
    np.testing.assert_array_equal(locked.poses.reshape(-1, 24, 3)[:, kept], skating.poses.reshape(-1, 24, 3)[:, kept])
    np.testing.assert_array_equal(locked.trans[:, [0, 2]], skating.trans[:, [0, 2]])
    assert np.abs(skating.trans[:, 1] - locked.trans[:, 1]).max() < 0.035


def _bend_planes(body: BodyModel, motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Return the normals (F, 2, 3) of the leg planes in the pelvis frame, and the knee angles (F, 2) in degrees."""
    places = _joints(body, motion)
    normals, bends = [], []
    for side in ("left", "right"):
        hip, knee, ankle = (places[:, JOINT_INDEX[f"{side}_{name}"]] for name in ("hip", "knee", "ankle"))
        thigh, shank = knee - hip, ankle - knee
        normal = np.cross(thigh, shank)
        lengths = np.linalg.norm(thigh, axis=-1) * np.linalg.norm(shank, axis=-1)
        bends.append(np.rad2deg(np.arctan2(np.linalg.norm(normal, axis=-1), (thigh * shank).sum(axis=-1))))
        normals.append(normal / lengths[:, None])
    pelvis = world_rotations(motion.rotations())[:, 0]
    return np.einsum("fji,fsj->fsi", pelvis, np.stack(normals, axis=1)), np.stack(bends, axis=1)


def test_knees_keep_their_plane_and_never_bend_backwards(walk, body):
    skating = _skating(walk, 30.0)
    locked = clean_up(analyse_motion(skating, body), LOCKED)
    before, bends = _bend_planes(body, skating)
    after, _ = _bend_planes(body, locked)
    bent = bends > 15.0
    assert bent.mean() > 0.3
    cosine = (before * after).sum(axis=-1) / np.linalg.norm(before, axis=-1) / np.linalg.norm(after, axis=-1)
    turned = np.rad2deg(np.arccos(np.clip(cosine[bent], -1.0, 1.0)))
    assert turned.max() < 8.0
    assert (before * after).sum(axis=-1).min() > 0.0


def test_planted_foot_does_not_sink_into_the_floor(walk, body):
    """The shape has longer legs than the one that the motion was made for."""
    sunk = replace(walk.resampled(30.0), trans=walk.resampled(30.0).trans - [0.0, 0.015, 0.0] * np.ones((216, 3)))
    turned = sunk.poses.copy()
    turned[:, 3 * JOINT_INDEX["left_ankle"]] -= 0.12
    source = analyse_motion(replace(sunk, poses=turned), body)
    floor = source.ground.height_m
    points = _points(source, clean_up(source, LOCKED))[..., 1] - source.feet.heights - floor
    for contact in source.contacts:
        assert points[contact.frames, contact.point].min() > -0.0075


def test_toes_bend_at_the_floor_instead_of_passing_through(walk, body):
    """A walk with stiff toes: as the heel rises, the tips of the toes go down."""
    poses = walk.poses.copy()
    for side in ("left", "right"):
        poses[:, 3 * JOINT_INDEX[f"{side}_foot"] : 3 * JOINT_INDEX[f"{side}_foot"] + 3] = 0.0
    source = analyse_motion(replace(walk, poses=poses), body)
    below = []
    for motion in (source.motion, clean_up(source, LOCKED)):
        world, places = body.joint_transforms(motion.rotations(), motion.betas, motion.trans)
        for number, side in enumerate(("left", "right")):
            toe = JOINT_INDEX[f"{side}_foot"]
            height = (places[:, toe] + world[:, toe] @ source.feet.tips[number])[:, 1] - source.ground.height_m
            standing = np.zeros(motion.num_frames, dtype=bool)
            for contact in source.contacts:
                standing[contact.frames] |= contact.point == 2 * number + 1
            below.append(-height[standing].min())
    assert min(below[:2]) > 0.015
    assert max(below[2:]) < 0.004


def test_locked_foot_has_no_noise(walk, body):
    generator = np.random.default_rng(3)
    motion = walk.resampled(30.0)
    shaken = replace(motion, poses=motion.poses + generator.normal(0.0, 0.02, motion.poses.shape))
    source = analyse_motion(shaken, body)
    assert _slides_mm(source, shaken).mean() > 15.0
    slides = _slides_mm(source, clean_up(source, LOCKED))
    assert slides.mean() < 2.5 and slides.max() < 5.0


def test_without_a_floor_nothing_is_locked(body):
    motion = Motion(np.zeros((20, 72)), np.zeros(10), np.zeros((20, 3)), 30.0)
    motion.trans[:, 1] = 3.0 - 4.0 * np.arange(20) / 30.0
    np.testing.assert_array_equal(clean_up(analyse_motion(motion, body), LOCKED).poses, motion.poses)


def _leg(bends: np.ndarray) -> Bones:
    """Return hanging legs with knee angles *bends* (F,), radians: knee in front, thigh 0.4 m, shank 0.42 m long."""
    zero = np.zeros_like(bends)
    thigh = 0.4 * np.stack([zero, -np.cos(0.5 * bends), np.sin(0.5 * bends)])
    shank = 0.42 * np.stack([zero, -np.cos(0.5 * bends), -np.sin(0.5 * bends)])
    return Bones(thigh, shank, np.broadcast_to([[1.0], [0.0], [0.0]], thigh.shape))


def test_bent_leg_reaches_its_target():
    bones = _leg(np.deg2rad(np.linspace(60.0, 110.0, 50)))
    ankle = bones.thigh + bones.shank
    target = ankle + np.random.default_rng(0).normal(0.0, 0.01, (50, 3)).T
    thigh, shank = reach_for(bones, target)
    reached = 0.4 * thigh + 0.42 * shank
    np.testing.assert_allclose(reached[[0, 2]], target[[0, 2]], atol=2e-5)
    np.testing.assert_allclose(reached[1], target[1], atol=3e-4)


@pytest.mark.parametrize("degrees", [-8.0, 0.0, 3.0, 20.0, 100.0])
def test_leg_with_its_ankle_as_target_is_unchanged(degrees):
    bones = _leg(np.deg2rad(np.full(3, degrees)))
    thigh, shank = reach_for(bones, bones.thigh + bones.shank)
    np.testing.assert_allclose(0.4 * thigh, bones.thigh, atol=1e-6)
    np.testing.assert_allclose(0.42 * shank, bones.shank, atol=1e-6)


def test_folded_leg_still_moves_its_foot():
    """The knee is bent so far that hip and ankle are only a quarter of the leg apart, as in a deep squat."""
    bones = _leg(np.deg2rad(np.full(20, 151.0)))
    ankle = bones.thigh + bones.shank
    target = ankle * np.linspace(1.0, 1.3, 20)
    thigh, shank = reach_for(bones, target)
    np.testing.assert_allclose(0.4 * thigh + 0.42 * shank, target, atol=3e-3)


def test_nearly_straight_leg_keeps_its_foot_in_place_and_its_knee_steady():
    """A foot is pulled out of reach and back: the knee moves less than three times as far as the target."""
    bones = _leg(np.deg2rad(np.full(60, 8.0)))
    ankle = bones.thigh + bones.shank
    pull = 0.02 * np.sin(np.linspace(0.0, 2.0 * np.pi, 60))
    target = ankle + np.stack([0.3 * pull, pull, 0.5 * pull])
    thigh, shank = reach_for(bones, target)
    reached = 0.4 * thigh + 0.42 * shank
    np.testing.assert_allclose(reached[[0, 2]], target[[0, 2]], atol=5e-4)
    assert np.abs(reached - target)[1].max() < 0.02
    assert np.linalg.norm(0.4 * thigh - bones.thigh, axis=0).max() < 0.06
    assert np.cross(thigh, shank, axis=0)[0].min() > 0.0
