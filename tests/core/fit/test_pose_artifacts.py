"""Joints that pop are found, and a fit in which one pops is solved again."""

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
def test_steady_motion_never_pops_however_fast_not_even_at_an_end(rad_per_frame, fps):
    assert not find_short_outliers(_turning(40, rad_per_frame), fps).joints.any()


@pytest.mark.parametrize("length", [1, 3])
def test_a_few_frames_that_turn_away_pop_alone(length):
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


def test_half_turn_ambiguity_of_quaternions_is_no_pop():
    rotations = _turning(80, 2.0 * np.pi / 40)
    assert not find_short_outliers(rotations, 30.0).joints.any()


@pytest.mark.parametrize("num_frames", [1, 2, 3])
def test_too_few_frames_to_tell(num_frames):
    rotations = _turning(num_frames, 1.0)
    assert not find_short_outliers(rotations, 30.0).joints.any()
    assert not find_jitter(rotations, 30.0).joints.any()
    assert not find_single_frame_outliers(rotations, 30.0).joints.any()


@pytest.mark.parametrize("hop", [0.7, -1.5])
def test_a_joint_elsewhere_for_one_frame_hops_and_the_way_is_told_by_its_neighbours(hop):
    rotations, true = _turning(40, 0.1), _turning(40, 0.1)
    rotations[20, ELBOW] = rotations[20, ELBOW] @ Rotation.from_rotvec([hop, 0.0, 0.0]).as_matrix()
    outliers = find_single_frame_outliers(rotations, 60.0)
    assert np.argwhere(outliers.joints).tolist() == [[20, ELBOW]]
    np.testing.assert_allclose(outliers.around[20, ELBOW], true[20, ELBOW], atol=1e-3)


def test_a_step_a_turn_and_a_swing_of_slow_film_are_no_hops():
    rotations = _turning(40, 0.0)
    rotations[20:, ELBOW] = Rotation.from_rotvec([1.0, 0.0, 0.0]).as_matrix()
    assert not find_single_frame_outliers(rotations, 60.0).joints.any()
    assert not find_single_frame_outliers(_turning(40, 0.5), 60.0).joints.any()
    waving = _turning(40, 0.0)
    waving[20, ELBOW] = Rotation.from_rotvec([0.7, 0.0, 0.0]).as_matrix()
    assert not find_single_frame_outliers(waving, 25.0).joints.any()


def test_speeding_up_is_no_tremor_and_neither_is_standing_still():
    rotations = _turning(40, 0.0)
    assert not find_jitter(rotations, 30.0).joints.any()
    swing = np.stack([0.01 * np.arange(40) ** 2, np.zeros(40), np.zeros(40)], axis=-1)
    rotations[:, ELBOW] = Rotation.from_rotvec(swing).as_matrix()
    assert not find_jitter(rotations, 30.0).joints.any()


def test_a_small_twitch_trembles_and_the_way_around_it_is_smooth():
    rotations, true = _turning(40, 0.05), _turning(40, 0.05)
    rotations[20, ELBOW] = rotations[20, ELBOW] @ Rotation.from_rotvec([0.3, 0.0, 0.0]).as_matrix()
    assert not find_short_outliers(rotations, 30.0).joints.any()
    tremor = find_jitter(rotations, 30.0)
    assert tremor.joints[19:22].all()
    assert not tremor.joints[:15].any() and not tremor.joints[26:].any()
    off = Rotation.from_matrix(np.swapaxes(tremor.around[:, ELBOW], -1, -2) @ true[:, ELBOW]).magnitude()
    assert off.max() < 0.5 * 0.3


@pytest.mark.parametrize("end", [0, -1])
def test_a_twitch_at_an_end_trembles_too(end):
    rotations, true = _turning(40, 0.05), _turning(40, 0.05)
    rotations[end, ELBOW] = rotations[end, ELBOW] @ Rotation.from_rotvec([0.5, 0.0, 0.0]).as_matrix()
    tremor = find_jitter(rotations, 60.0)
    assert tremor.joints[end].all() and tremor.share[end] == 1.0
    assert not tremor.joints[12:28].any()
    off = Rotation.from_matrix(tremor.around[end, ELBOW].T @ true[end, ELBOW]).magnitude()
    assert off < 0.6 * 0.5


@pytest.mark.parametrize("num_frames", [4, 5, 6, 7, 8])
def test_a_steady_turn_of_a_few_frames_does_not_tremble(num_frames):
    tremor = find_jitter(_turning(num_frames, 0.3), 30.0, everywhere=True)
    off = np.swapaxes(tremor.around[:, ELBOW], -1, -2) @ _turning(num_frames, 0.3)[:, ELBOW]
    assert Rotation.from_matrix(off).magnitude().max() < 0.02
    assert not find_jitter(_turning(num_frames, 0.3), 30.0).joints.any()


def test_the_frames_beside_a_tremor_are_settled_the_less_the_farther_they_are():
    rotations = _turning(60, 0.05)
    rotations[30, ELBOW] = rotations[30, ELBOW] @ Rotation.from_rotvec([0.3, 0.0, 0.0]).as_matrix()
    tremor = find_jitter(rotations, 120.0)
    assert tremor.share.max() == tremor.share[30] == 1.0
    assert (tremor.joints.any(axis=1) == (tremor.share > 0.0)).all()
    steps = np.diff(tremor.share)
    assert (steps[:29] >= 0.0).all() and (steps[30:] <= 0.0).all() and np.abs(steps).max() < 0.2
    assert (find_short_outliers(rotations, 120.0).share == 1.0).all() and (
        find_single_frame_outliers(rotations, 120.0).share == 1.0
    ).all()


def test_a_step_between_two_ways_of_answering_trembles_at_the_step_alone():
    rotations = _turning(60, 0.0)
    rotations[30:, ELBOW] = Rotation.from_rotvec([0.5, 0.0, 0.0]).as_matrix()
    tremor = find_jitter(rotations, 30.0)
    assert tremor.joints[29:31].all()
    assert not tremor.joints[:26].any() and not tremor.joints[34:].any()
    steps = Rotation.from_matrix(np.swapaxes(tremor.around[:-1, ELBOW], -1, -2) @ tremor.around[1:, ELBOW]).magnitude()
    assert steps.max() < 0.5 * 0.5


@pytest.mark.parametrize("radius", [1, 3, 4, 15])
def test_the_running_median_is_numpys(radius):
    values = np.random.default_rng(radius).normal(size=(20 + 2 * radius, 3, 4)).astype(np.float32)
    values[5:9] = values[5]
    windows = np.lib.stride_tricks.sliding_window_view(values, 2 * radius + 1, axis=0)
    np.testing.assert_array_equal(_running_median(values, radius), np.median(windows, axis=-1))
