"""Contacts of a walk with known footprints, with noise, at any frame rate and body size; and the floor below them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.cleanup import CleanupOptions, analyse_motion, clean_up
from core.cleanup.contacts import Contact, find_contacts, point_speeds
from core.cleanup.feet import POINTS
from core.cleanup.ground import clear_slope, find_ground, first_guess
from core.math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX
from training.samples.feet import PUSH_ROLL_S, STRIKE_ROLL_S, plan_walk

LEG_M = 0.82


def _known_contacts(duration_s: float) -> dict[str, list[tuple[float, float]]]:
    """Return the planned contact times of the walk's heels and toes, seconds."""
    known = {}
    for side, footprints in plan_walk().footprints.items():
        spans = [(max(one.strike_s, 0.0), min(one.off_s, duration_s), one) for one in footprints]
        known[f"{side}_heel"] = [(start, end - PUSH_ROLL_S * np.isfinite(one.off_s)) for start, end, one in spans]
        known[f"{side}_toe"] = [(start + STRIKE_ROLL_S * np.isfinite(one.strike_s), end) for start, end, one in spans]
    return known


def _found_contacts(source) -> dict[str, list[tuple[float, float]]]:
    fps = source.motion.fps
    found = {name: [] for name in POINTS}
    for contact in source.contacts:
        found[POINTS[contact.point]].append((contact.first / fps, contact.last / fps))
    return found


def _assert_spans_match(found, known, within_s):
    for name in POINTS:
        assert len(found[name]) == len(known[name]), name
        np.testing.assert_allclose(found[name], known[name], atol=within_s, err_msg=name)


def _noisy(motion: Motion, noise_m: float) -> Motion:
    """Return *motion* with every bone as noisy as one whose ends are off by *noise_m*, and the translation too."""
    generator = np.random.default_rng(5)
    turn = axis_angle_to_matrix(generator.normal(0.0, noise_m / 0.8, (motion.num_frames, 24, 3)))
    poses = matrix_to_axis_angle(motion.rotations() @ turn).reshape(motion.num_frames, -1)
    return replace(motion, poses=poses, trans=motion.trans + generator.normal(0.0, noise_m, motion.trans.shape))


@pytest.mark.parametrize("fps", [24.0, 30.0, 60.0, 120.0])
def test_contacts_match_the_plan_at_any_frame_rate(fps, walk, body):
    source = analyse_motion(walk.resampled(fps), body)
    _assert_spans_match(_found_contacts(source), _known_contacts(walk.duration_s), within_s=0.11)


@pytest.mark.parametrize("noise_m", [0.01, 0.02])
def test_noise_adds_and_splits_no_contacts(noise_m, walk, body):
    source = analyse_motion(_noisy(walk.resampled(30.0), noise_m), body)
    known = _known_contacts(walk.duration_s)
    found = _found_contacts(source)
    for name in POINTS:
        for start, end in found[name]:
            middle = 0.5 * (start + end)
            assert any(first < middle < last for first, last in known[name]), f"{name} at {middle}"
        for first, last in known[name]:
            covered = sum(
                min(last, end) - max(first, start) for start, end in found[name] if start < last and end > first
            )
            assert covered > 0.5 * (last - first), f"{name} at {first}"
    assert abs(source.ground.height_m) < 0.75 * noise_m


def test_contacts_scale_with_body_size(walk_source):
    motion, feet = walk_source.motion, walk_source.feet
    points = feet.points(*feet.chain(motion.rotations(), motion.trans))
    heights = points[..., 1] - feet.heights
    adult = find_contacts(points, heights, motion.fps, feet.leg_m)
    child = find_contacts(0.55 * points, 0.55 * heights, motion.fps, 0.55 * feet.leg_m)
    assert child == adult


def _moving_point(speeds: np.ndarray, fps: float = 30.0) -> np.ndarray:
    """Return contact points (F, 4, 3): the first moves along x with *speeds* (m/s), the others at 3 m/s."""
    points = np.zeros((len(speeds), 4, 3))
    points[:, 0, 0] = np.cumsum(speeds) / fps
    points[:, 1:, 0] = 3.0 * np.arange(len(speeds))[:, None] / fps
    return points


def test_contact_needs_a_certainly_slow_frame():
    """Hysteresis: 0.35 m/s extends a contact but does not start one."""
    fair = np.full(90, 0.35)
    assert find_contacts(_moving_point(fair), np.zeros((90, 4)), 30.0, LEG_M) == ()
    speeds = np.full(90, 1.5)
    speeds[30:60] = 0.02
    (contact,) = find_contacts(_moving_point(speeds), np.zeros((90, 4)), 30.0, LEG_M)
    assert contact.point == 0
    assert abs(contact.first - 30) <= 2 and abs(contact.last - 59) <= 2


@pytest.mark.parametrize("height_m", [0.1, -0.15])
def test_slow_point_away_from_the_floor_is_no_contact(height_m):
    """In the air, or far below the floor where a fit failed."""
    heights = np.full((60, 4), height_m)
    assert find_contacts(_moving_point(np.zeros(60)), heights, 30.0, LEG_M) == ()


def test_raised_heel_is_in_contact_only_while_its_ball_is_not():
    """Who stands on the ball of a foot, its heel 4 cm up and at rest, does not stand on the heel."""
    points, heights = np.zeros((90, 4, 3)), np.zeros((90, 4))
    heights[30:, [0, 2]] = 0.04
    points[:, 2:, 0] = 3.0 * np.arange(90)[:, None] / 30.0
    contacts = find_contacts(points, heights, 30.0, LEG_M)
    assert [(contact.point, contact.first, contact.last) for contact in contacts] == [(0, 0, 29), (1, 0, 89)]
    points[:, 1, 0] = 3.0 * np.arange(90) / 30.0
    (heel,) = find_contacts(points, heights, 30.0, LEG_M)
    assert (heel.point, heel.first, heel.last) == (0, 0, 89)


def test_drifting_foot_is_split_into_contacts():
    """15 cm in two seconds is never fast, but cannot be held in one place."""
    contacts = find_contacts(_moving_point(np.full(60, 0.075)), np.zeros((60, 4)), 30.0, LEG_M)
    points = _moving_point(np.full(60, 0.075))
    assert len(contacts) > 1
    for contact in contacts:
        path = points[contact.frames, 0]
        assert np.linalg.norm(path - np.median(path, axis=0), axis=-1).max() < 0.036


def test_unobserved_leg_starts_no_contact(walk, body):
    held = np.zeros((walk.num_frames, 24), dtype=bool)
    held[:240, JOINT_INDEX["left_knee"]] = True
    source = analyse_motion(walk, body, held)
    names = [POINTS[contact.point] for contact in source.contacts if contact.last < 240]
    assert set(names) == {"right_heel", "right_toe"}
    gap = np.zeros((walk.num_frames, 24), dtype=bool)
    gap[98:108, JOINT_INDEX["left_knee"]] = True
    assert analyse_motion(walk, body, gap).contacts == analyse_motion(walk, body).contacts


def test_single_frame_jitter_does_not_split_a_contact():
    points = _moving_point(np.zeros(60))
    points[30, 0, 0] += 0.06
    (contact,) = find_contacts(points, np.zeros((60, 4)), 30.0, LEG_M)
    assert (contact.first, contact.last) == (0, 59)


@pytest.mark.parametrize("num_frames", [1, 2, 3, 40])
def test_speeds_of_steady_motion_are_exact_up_to_the_ends(num_frames):
    speed = np.array([1.0, -2.0, 0.5])
    points = np.broadcast_to(np.arange(num_frames)[:, None, None] / 50.0 * speed, (num_frames, 4, 3))
    expected = np.broadcast_to(speed if num_frames > 1 else 0.0 * speed, points.shape)
    np.testing.assert_allclose(point_speeds(points, 50.0), expected, atol=1e-9)


def test_floor_is_under_the_contacts_not_the_lowest_frame(walk, body):
    sunk = walk.trans + [0.0, 0.4, 0.0]
    sunk[100:103, 1] -= 0.25
    source = analyse_motion(replace(walk, trans=sunk), body)
    assert source.ground.height_m == pytest.approx(0.4, abs=0.005)
    assert source.lowest_height_m < 0.2
    cleaned = clean_up(source, CleanupOptions(ground="contacts", height_m=0.05))
    np.testing.assert_allclose(
        cleaned.trans - sunk, np.broadcast_to([0.0, 0.05 - source.ground.height_m, 0.0], sunk.shape)
    )


def test_without_contacts_the_lowest_vertex_is_on_the_floor(body):
    """A falling person: no foot is ever planted."""
    motion = Motion(np.zeros((20, 72)), np.zeros(10), np.zeros((20, 3)), 30.0)
    motion.trans[:, 1] = 3.0 - 4.0 * np.arange(20) / 30.0
    source = analyse_motion(motion, body)
    assert source.contacts == () and source.ground is None
    cleaned = clean_up(source, CleanupOptions(ground="contacts", foot_lock=1.0))
    vertices = body.vertices(cleaned.rotations()[-1:], cleaned.betas, cleaned.trans[-1:])
    assert vertices[..., 1].min() == pytest.approx(0.0, abs=1e-3)
    np.testing.assert_array_equal(cleaned.poses, motion.poses)


def _tilted(motion: Motion, pelvis: np.ndarray, degrees: float) -> Motion:
    turn = axis_angle_to_matrix(np.deg2rad(degrees) * np.array([-1.0, 0.0, 0.0]))
    poses = motion.poses.copy()
    poses[:, :3] = matrix_to_axis_angle(turn @ axis_angle_to_matrix(poses[:, :3]))
    return replace(motion, poses=poses, trans=(motion.trans + pelvis) @ turn.T - pelvis)


@pytest.mark.parametrize("degrees", [3.0, -6.0])
def test_clearly_tilted_floor_is_levelled(degrees, walk, walk_source, body):
    pelvis = walk_source.feet.rest[0]
    source = analyse_motion(_tilted(walk, pelvis, degrees), body)
    assert np.rad2deg(np.arctan(source.ground.slope[1])) == pytest.approx(degrees, abs=1.3)
    level = clean_up(source, CleanupOptions(ground="contacts"))
    places = body.joints(level.rotations(), level.betas, level.trans)
    truth = body.joints(walk.rotations(), walk.betas, walk.trans)
    tilted = body.joints(source.motion.rotations(), walk.betas, source.motion.trans)
    assert np.abs(places - truth)[..., 1].max() < 0.3 * np.abs(tilted - truth)[..., 1].max()


def test_heels_that_are_always_too_high_show_no_slope():
    """Jumps on the spot, always facing one direction: only heels are behind and only toes in front."""
    generator = np.random.default_rng(2)
    points = np.tile([0, 1, 2, 3], 15)
    places = generator.normal(0.0, [0.15, 0.003, 0.15], (60, 3))
    places[:, 2] += np.where(points % 2 == 1, 0.17, 0.0)
    places[:, 0] += np.where(points < 2, 0.1, -0.1)
    places[:, 1] += np.where(points % 2 == 1, 0.0, 0.012) + np.where(points < 2, 0.008, 0.0)
    np.testing.assert_array_equal(clear_slope(places, points), 0.0)
    steps = places + np.arange(60)[:, None] // 4 * [0.1, 0.0, 0.3]
    steps[:, 1] += 0.05 * steps[:, 2]
    assert clear_slope(steps, points) @ [0.1, 0.3] == pytest.approx(0.05 * 0.3, abs=0.002)


def test_noise_shows_no_slope(walk, body):
    for noise_m in (0.005, 0.01):
        source = analyse_motion(_noisy(walk.resampled(30.0), noise_m), body)
        np.testing.assert_array_equal(source.ground.slope, 0.0)


def test_surface_above_other_joints_is_no_floor(body):
    contacts = (Contact(0, 0, 29),)
    points = np.zeros((30, 4, 3))
    joints = np.full((30, 24, 3), 0.5)
    assert find_ground(contacts, points, np.zeros(4), joints, np.zeros(2)).height_m == 0.0
    joints[:, 20, 1] = -0.6
    assert find_ground(contacts, points, np.zeros(4), joints, np.zeros(2)) is None


def test_first_guess_is_the_lowest_level_in_long_use():
    generator = np.random.default_rng(0)
    heights = np.concatenate([generator.normal(0.0, 0.008, 60), generator.normal(0.4, 0.008, 100), [-0.3, -0.28]])[
        :, None
    ]
    slow = np.ones(heights.shape, dtype=bool)
    assert first_guess(heights, slow) == pytest.approx(0.0, abs=0.01)
    assert first_guess(heights, ~slow) is None
