"""Pose artifacts are found: short outliers, single-frame outliers and jitter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.fit.temporal.pose_artifacts import (
    _running_median,
    find_jitter,
    find_short_outliers,
    find_single_frame_outliers,
)
from core.smpl_skeleton import JOINT_INDEX, NUM_JOINTS

ELBOW = JOINT_INDEX["left_elbow"]


def _turning(num_frames: int, rad_per_frame: float) -> np.ndarray:
    """Return local rotations (F, 24, 3, 3) of a pose in which one elbow turns steadily about a slanted axis."""
    rotations = np.tile(np.eye(3), (num_frames, NUM_JOINTS, 1, 1))
    axis = np.array([0.3, 0.9, -0.3]) / np.linalg.norm([0.3, 0.9, -0.3])
    rotations[:, ELBOW] = Rotation.from_rotvec(np.arange(num_frames)[:, None] * rad_per_frame * axis).as_matrix()
    return rotations


@pytest.mark.parametrize(("rad_per_frame", "fps"), [(0.0, 30.0), (0.1, 30.0), (0.4, 30.0), (0.1, 250.0)])
def test_steady_motion_is_not_an_outlier_at_any_speed(rad_per_frame, fps):
    assert not find_short_outliers(_turning(40, rad_per_frame), fps).joints.any()


@pytest.mark.parametrize("length", [1, 3])
def test_exactly_the_frames_that_leave_the_path_are_outliers(length):
    rotations = _turning(40, 0.05)
    away = slice(20, 20 + length)
    rotations[away, ELBOW] = rotations[away, ELBOW] @ Rotation.from_rotvec([2.5, 0.0, 0.0]).as_matrix()
    artifacts = find_short_outliers(rotations, 30.0)
    expected = np.zeros_like(artifacts.joints)
    expected[away, ELBOW] = True
    assert (artifacts.joints == expected).all()
    true = _turning(40, 0.05)
    off = Rotation.from_matrix(np.swapaxes(artifacts.around[away, ELBOW], -1, -2) @ true[away, ELBOW]).magnitude()
    assert off.max() < 0.3


def test_the_sign_ambiguity_of_quaternions_is_not_an_outlier():
    rotations = _turning(80, 2.0 * np.pi / 40)
    assert not find_short_outliers(rotations, 30.0).joints.any()


@pytest.mark.parametrize("num_frames", [1, 2, 3])
def test_too_few_frames_have_no_artifacts(num_frames):
    rotations = _turning(num_frames, 1.0)
    assert not find_short_outliers(rotations, 30.0).joints.any()
    assert not find_jitter(rotations, 30.0).joints.any()
    assert not find_single_frame_outliers(rotations, 30.0).joints.any()


@pytest.mark.parametrize("turn_rad", [0.7, -1.5])
def test_a_single_frame_outlier_is_replaced_by_its_neighbours(turn_rad):
    rotations, true = _turning(40, 0.1), _turning(40, 0.1)
    rotations[20, ELBOW] = rotations[20, ELBOW] @ Rotation.from_rotvec([turn_rad, 0.0, 0.0]).as_matrix()
    outliers = find_single_frame_outliers(rotations, 60.0)
    assert np.argwhere(outliers.joints).tolist() == [[20, ELBOW]]
    np.testing.assert_allclose(outliers.around[20, ELBOW], true[20, ELBOW], atol=1e-3)


def test_steps_turns_and_swings_are_not_single_frame_outliers():
    rotations = _turning(40, 0.0)
    rotations[20:, ELBOW] = Rotation.from_rotvec([1.0, 0.0, 0.0]).as_matrix()
    assert not find_single_frame_outliers(rotations, 60.0).joints.any()
    assert not find_single_frame_outliers(_turning(40, 0.5), 60.0).joints.any()
    waving = _turning(40, 0.0)
    waving[20, ELBOW] = Rotation.from_rotvec([0.7, 0.0, 0.0]).as_matrix()
    assert not find_single_frame_outliers(waving, 25.0).joints.any()


def test_acceleration_and_rest_are_not_jitter():
    rotations = _turning(40, 0.0)
    assert not find_jitter(rotations, 30.0).joints.any()
    swing = np.stack([0.01 * np.arange(40) ** 2, np.zeros(40), np.zeros(40)], axis=-1)
    rotations[:, ELBOW] = Rotation.from_rotvec(swing).as_matrix()
    assert not find_jitter(rotations, 30.0).joints.any()


def test_a_small_twitch_is_jitter_and_the_path_around_it_is_smooth():
    rotations, true = _turning(40, 0.05), _turning(40, 0.05)
    rotations[20, ELBOW] = rotations[20, ELBOW] @ Rotation.from_rotvec([0.3, 0.0, 0.0]).as_matrix()
    assert not find_short_outliers(rotations, 30.0).joints.any()
    jitter = find_jitter(rotations, 30.0)
    assert jitter.joints[19:22].all()
    assert not jitter.joints[:15].any() and not jitter.joints[26:].any()
    off = Rotation.from_matrix(np.swapaxes(jitter.around[:, ELBOW], -1, -2) @ true[:, ELBOW]).magnitude()
    assert off.max() < 0.5 * 0.3


@pytest.mark.parametrize("end", [0, -1])
def test_a_twitch_at_the_start_or_end_is_jitter(end):
    rotations, true = _turning(40, 0.05), _turning(40, 0.05)
    rotations[end, ELBOW] = rotations[end, ELBOW] @ Rotation.from_rotvec([0.5, 0.0, 0.0]).as_matrix()
    jitter = find_jitter(rotations, 60.0)
    assert jitter.joints[end].all() and jitter.share[end] == 1.0
    assert not jitter.joints[12:28].any()
    off = Rotation.from_matrix(jitter.around[end, ELBOW].T @ true[end, ELBOW]).magnitude()
    assert off < 0.6 * 0.5


@pytest.mark.parametrize("num_frames", [4, 5, 6, 7, 8])
def test_a_steady_turn_of_a_few_frames_is_not_jitter(num_frames):
    jitter = find_jitter(_turning(num_frames, 0.3), 30.0, everywhere=True)
    off = np.swapaxes(jitter.around[:, ELBOW], -1, -2) @ _turning(num_frames, 0.3)[:, ELBOW]
    assert Rotation.from_matrix(off).magnitude().max() < 0.02
    assert not find_jitter(_turning(num_frames, 0.3), 30.0).joints.any()


def test_frames_beside_jitter_are_blended_less_with_distance():
    rotations = _turning(60, 0.05)
    rotations[30, ELBOW] = rotations[30, ELBOW] @ Rotation.from_rotvec([0.3, 0.0, 0.0]).as_matrix()
    jitter = find_jitter(rotations, 120.0)
    assert jitter.share.max() == jitter.share[30] == 1.0
    assert (jitter.joints.any(axis=1) == (jitter.share > 0.0)).all()
    steps = np.diff(jitter.share)
    assert (steps[:29] >= 0.0).all() and (steps[30:] <= 0.0).all() and np.abs(steps).max() < 0.2
    assert (find_short_outliers(rotations, 120.0).share == 1.0).all() and (
        find_single_frame_outliers(rotations, 120.0).share == 1.0
    ).all()


def test_a_step_between_two_solutions_is_jitter_only_at_the_step():
    rotations = _turning(60, 0.0)
    rotations[30:, ELBOW] = Rotation.from_rotvec([0.5, 0.0, 0.0]).as_matrix()
    jitter = find_jitter(rotations, 30.0)
    assert jitter.joints[29:31].all()
    assert not jitter.joints[:26].any() and not jitter.joints[34:].any()
    steps = Rotation.from_matrix(np.swapaxes(jitter.around[:-1, ELBOW], -1, -2) @ jitter.around[1:, ELBOW]).magnitude()
    assert steps.max() < 0.5 * 0.5


@pytest.mark.parametrize("radius", [1, 3, 4, 15])
def test_running_median_equals_numpys(radius):
    values = np.random.default_rng(radius).normal(size=(20 + 2 * radius, 3, 4)).astype(np.float32)
    values[5:9] = values[5]
    windows = np.lib.stride_tricks.sliding_window_view(values, 2 * radius + 1, axis=0)
    np.testing.assert_array_equal(_running_median(values, radius), np.median(windows, axis=-1))
