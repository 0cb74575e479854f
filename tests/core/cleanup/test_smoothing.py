"""Smoothing with known truth and noise: less jitter, fast motion kept, gaps not crossed, any frame rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.body.model import BodyModel
from core.cleanup import CleanupOptions, analyse_motion, clean_up
from core.cleanup.source import held_joints
from core.fit.report import Flag
from core.math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX, NUM_JOINTS

NATURAL = CleanupOptions(smoothing=0.5)
STRONG = CleanupOptions(smoothing=1.0)


def _noisy(motion: Motion, noise_rad: float, noise_m: float = 0.0, seed: int = 0) -> Motion:
    generator = np.random.default_rng(seed)
    turn = axis_angle_to_matrix(generator.normal(0.0, noise_rad, (motion.num_frames, NUM_JOINTS, 3)))
    poses = matrix_to_axis_angle(motion.rotations() @ turn).reshape(motion.num_frames, -1)
    return replace(motion, poses=poses, trans=motion.trans + generator.normal(0.0, noise_m, motion.trans.shape))


def _joints(body: BodyModel, motion: Motion) -> np.ndarray:
    return body.joints(motion.rotations(), motion.betas, motion.trans)


def _error_mm(body: BodyModel, motion: Motion, truth: Motion) -> float:
    off = np.linalg.norm(_joints(body, motion) - _joints(body, truth), axis=-1)
    return 1000.0 * float(off.mean())


def _acceleration_error(body: BodyModel, motion: Motion, truth: Motion) -> float:
    bends = [np.diff(_joints(body, one), n=2, axis=0) * one.fps**2 for one in (motion, truth)]
    return float(np.linalg.norm(bends[0] - bends[1], axis=-1).mean())


def _still(num_frames: int, fps: float = 30.0) -> Motion:
    return Motion(np.zeros((num_frames, 72)), np.zeros(10), np.zeros((num_frames, 3)), fps)


def _waving(num_frames: int, fps: float) -> Motion:
    """Return a motion whose elbow rotates back and forth by 60 degrees, twice per second."""
    motion = _still(num_frames, fps)
    times = np.arange(num_frames) / fps
    motion.poses[:, 3 * JOINT_INDEX["left_elbow"] + 1] = np.deg2rad(60.0) * np.sin(2.0 * np.pi * 2.0 * times)
    return motion


@pytest.mark.parametrize("options", [NATURAL, STRONG])
def test_smoothing_cuts_jitter_to_a_third_and_reduces_the_error(options, walk, body):
    walk30 = walk.resampled(30.0)
    noisy = _noisy(walk30, np.deg2rad(3.0), 0.005)
    calm = clean_up(analyse_motion(noisy, body), options)
    assert _acceleration_error(body, calm, walk30) < _acceleration_error(body, noisy, walk30) / 3.0
    assert _error_mm(body, calm, walk30) < 0.75 * _error_mm(body, noisy, walk30)


def test_noise_free_motion_is_hardly_changed(walk, body):
    walk30 = walk.resampled(30.0)
    assert _error_mm(body, clean_up(analyse_motion(walk30, body), NATURAL), walk30) < 0.3


@pytest.mark.parametrize("fps", [24.0, 30.0, 60.0, 120.0])
def test_fast_motion_keeps_its_amplitude_at_any_frame_rate(fps, body):
    truth = _waving(round(4.0 * fps), fps)
    calm = clean_up(analyse_motion(_noisy(truth, np.deg2rad(2.0)), body), NATURAL)
    column = 3 * JOINT_INDEX["left_elbow"] + 1
    middle = slice(round(0.5 * fps), round(3.5 * fps))
    swing = [np.ptp(one.poses[middle, column]) for one in (calm, truth)]
    assert swing[0] > 0.95 * swing[1]


def test_higher_frame_rate_lets_smoothing_remove_more_error(walk, body):
    slow, fast = walk.resampled(30.0), walk.resampled(60.0)
    errors = []
    for motion in (slow, fast):
        noisy = _noisy(motion, np.deg2rad(3.0))
        errors.append(
            _error_mm(body, clean_up(analyse_motion(noisy, body), NATURAL), motion) / _error_mm(body, noisy, motion)
        )
    assert errors[0] < 0.75
    assert errors[1] < 0.9 * errors[0]


def test_smoothing_does_not_cross_a_gap(body):
    """A joint is held between two very different poses: neither side may influence the other across the gap."""
    motion = _still(90)
    column = 3 * JOINT_INDEX["left_elbow"] + 1
    motion.poses[50:, column] = 1.5
    motion.poses[40:50, column] = np.linspace(0.0, 1.5, 12)[1:-1]
    noisy = _noisy(motion, np.deg2rad(2.0))
    held = np.zeros((90, NUM_JOINTS), dtype=bool)
    held[40:50, JOINT_INDEX["left_elbow"]] = True
    for options in (NATURAL, STRONG):
        calm = clean_up(analyse_motion(noisy, body, held), options)
        off = np.rad2deg(np.abs(calm.poses[:, column] - motion.poses[:, column]))
        assert off[[38, 39, 50, 51]].max() < 3.0
        blurred = clean_up(analyse_motion(noisy, body), options)
        assert off[[38, 39, 50, 51]].max() < np.rad2deg(
            np.abs(blurred.poses - motion.poses)[[38, 39, 50, 51], column].max()
        )


def test_held_frames_stay_interpolated(body):
    motion = _still(60)
    held = np.zeros((60, NUM_JOINTS), dtype=bool)
    held[20:40, JOINT_INDEX["right_knee"]] = True
    noisy = _noisy(motion, np.deg2rad(4.0))
    steps = np.linspace(0.0, 1.0, 22)[1:-1, None]
    knee = slice(3 * JOINT_INDEX["right_knee"], 3 * JOINT_INDEX["right_knee"] + 3)
    noisy.poses[20:40, knee] = (1.0 - steps) * noisy.poses[19, knee] + steps * noisy.poses[40, knee]
    parents = [
        column for name in ("pelvis", "right_hip") for column in range(3 * JOINT_INDEX[name], 3 * JOINT_INDEX[name] + 3)
    ]
    noisy.poses[:, parents] = 0.0
    calm = clean_up(analyse_motion(noisy, body, held), NATURAL)
    expected = (1.0 - steps) * calm.poses[19, knee] + steps * calm.poses[40, knee]
    np.testing.assert_allclose(calm.poses[20:40, knee], expected, atol=2e-3)


def test_rotations_past_half_a_turn_are_smoothed_without_a_flip(body):
    motion = _still(120)
    motion.poses[:, 1] = np.linspace(0.0, 4.0 * np.pi, 120)
    truth = replace(motion, poses=matrix_to_axis_angle(motion.rotations()).reshape(120, -1))
    calm = clean_up(analyse_motion(_noisy(truth, np.deg2rad(2.0)), body), STRONG)
    turn = matrix_to_axis_angle(np.swapaxes(truth.rotations()[:, 0], -1, -2) @ calm.rotations()[:, 0])
    assert np.rad2deg(np.linalg.norm(turn, axis=-1)).max() < 6.0


@pytest.mark.parametrize("num_frames", [1, 2, 5, 6, 9])
def test_short_clips_are_smoothed(num_frames, walk, body):
    short = replace(walk, poses=walk.poses[:num_frames], trans=walk.trans[:num_frames])
    calm = clean_up(analyse_motion(short, body), CleanupOptions(1.0, 1.0, "contacts", 0.1, "treadmill"))
    assert np.isfinite(calm.poses).all() and np.isfinite(calm.trans).all()
    assert calm.num_frames == num_frames


def test_held_flags_are_converted_to_the_motion_frame_rate():
    motion = _still(100, fps=60.0)
    flags = (Flag("held", "left arm", 10, 14), Flag("missing", "person", 30, 30), Flag("implausible", "nose", 0, 9))
    held = held_joints(flags, motion, track_fps=30.0)
    assert np.flatnonzero(held[:, JOINT_INDEX["left_elbow"]]).tolist() == [*range(19, 30), 59, 60, 61]
    assert np.flatnonzero(held[:, JOINT_INDEX["right_elbow"]]).tolist() == [59, 60, 61]


def test_held_of_wrong_shape_is_rejected(walk, body):
    with pytest.raises(ValueError, match=r"expected held \(432, 24\), got \(3,\)"):
        analyse_motion(walk, body, np.zeros(3, dtype=bool))
