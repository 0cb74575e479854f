"""Joints that pop are found, and a fit in which one pops is solved again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.fit.pops import find_pops, unpopped
from core.skeletons import JOINT_INDEX, NUM_JOINTS

ELBOW = JOINT_INDEX["left_elbow"]


def _turning(num_frames: int, rad_per_frame: float) -> np.ndarray:
    """Return local rotations (F, 24, 3, 3) of a pose in which one elbow turns steadily about a slanted axis."""
    rotations = np.tile(np.eye(3), (num_frames, NUM_JOINTS, 1, 1))
    axis = np.array([0.3, 0.9, -0.3]) / np.linalg.norm([0.3, 0.9, -0.3])
    rotations[:, ELBOW] = Rotation.from_rotvec(np.arange(num_frames)[:, None] * rad_per_frame * axis).as_matrix()
    return rotations


@pytest.mark.parametrize("rad_per_frame", [0.0, 0.1, 0.4])
def test_steady_motion_never_pops_however_fast(rad_per_frame):
    pops = find_pops(_turning(40, rad_per_frame), 30.0)
    assert not pops.joints[3:-3].any()


@pytest.mark.parametrize("length", [1, 3])
def test_a_few_frames_that_turn_away_pop_alone(length):
    rotations = _turning(40, 0.05)
    away = slice(20, 20 + length)
    rotations[away, ELBOW] = rotations[away, ELBOW] @ Rotation.from_rotvec([2.5, 0.0, 0.0]).as_matrix()
    pops = find_pops(rotations, 30.0)
    expected = np.zeros_like(pops.joints)
    expected[away, ELBOW] = True
    assert (pops.joints == expected).all()
    true = _turning(40, 0.05)
    off = Rotation.from_matrix(np.swapaxes(pops.around[away, ELBOW], -1, -2) @ true[away, ELBOW]).magnitude()
    assert off.max() < 0.3


def test_half_turn_ambiguity_of_quaternions_is_no_pop():
    rotations = _turning(80, 2.0 * np.pi / 40)
    assert not find_pops(rotations, 30.0).joints[3:-3].any()


@pytest.mark.parametrize("num_frames", [1, 2, 3])
def test_too_few_frames_to_tell(num_frames):
    rotations = _turning(num_frames, 1.0)
    assert not find_pops(rotations, 30.0).joints.any()


@pytest.mark.parametrize(("fps", "missed", "calmed"), [(60.0, True, True), (10.0, True, False), (60.0, False, False)])
def test_a_pop_is_calmed_only_if_no_person_turns_so_fast_and_its_points_are_missed(fps, missed, calmed):
    rotations = _turning(40, 0.02)
    rotations[20:22, ELBOW] = rotations[20:22, ELBOW] @ Rotation.from_rotvec([2.0, 0.0, 0.0]).as_matrix()
    calm = unpopped(rotations, fps, np.full(40, missed))
    left = np.swapaxes(calm[20:22, ELBOW], -1, -2) @ _turning(40, 0.02)[20:22, ELBOW]
    angle = Rotation.from_matrix(left).magnitude()
    assert (angle < 0.1).all() if calmed else (angle > 1.9).all()
    kept = np.ones(40, dtype=bool)
    kept[20:22] = False
    assert (calm[kept] == rotations[kept]).all()
