"""Motions keep their timing and values when resampled; malformed ones report every fault."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from core.errors import MotionError, SkeletonError
from core.motion import Motion
from core.skeleton import Skeleton
from core.smpl_skeleton import SMPL
from tests.fingers import FINGERED, with_fingers


def _motion(num_frames: int = 31, fps: float = 30.0, skeleton: Skeleton = SMPL) -> Motion:
    rng = np.random.default_rng(2)
    poses = np.cumsum(rng.normal(0.0, 0.15, (num_frames, 3 * skeleton.num_joints)), axis=0)
    trans = np.cumsum(rng.normal(size=(num_frames, 3)), axis=0)
    return Motion(poses, np.zeros(10), trans, fps, skeleton=skeleton)


@pytest.mark.parametrize("skeleton", [SMPL, FINGERED])
@pytest.mark.parametrize("fps", [10.0, 24.0, 29.97, 30.0, 59.94, 120.0, 7.3])
def test_resampling_follows_time(fps, skeleton):
    motion = _motion(skeleton=skeleton)
    resampled = motion.resampled(fps)
    times = np.arange(resampled.num_frames) / fps
    assert motion.duration_s - 1.0 / fps < times[-1] <= motion.duration_s + 1e-9
    source_times = np.arange(motion.num_frames) / motion.fps
    times = np.minimum(times, source_times[-1])
    for axis in range(3):
        np.testing.assert_allclose(resampled.trans[:, axis], np.interp(times, source_times, motion.trans[:, axis]))
    assert resampled.skeleton == skeleton
    for joint in range(skeleton.num_joints):
        turns = Rotation.from_rotvec(motion.poses[:, 3 * joint : 3 * joint + 3])
        expected = Slerp(source_times, turns)(times).as_matrix()
        np.testing.assert_allclose(resampled.rotations()[:, joint], expected, atol=1e-9)


@pytest.mark.parametrize(("fps", "num_frames"), [(30.0, 31), (60.0, 61), (15.0, 16), (10.0, 11), (300.0, 301)])
def test_whole_ratios_keep_the_duration(fps, num_frames):
    resampled = _motion().resampled(fps)
    assert resampled.num_frames == num_frames
    assert resampled.duration_s == pytest.approx(1.0, abs=1e-12)


def test_resampling_there_and_back_keeps_the_frames():
    motion = _motion()
    back = motion.resampled(120.0).resampled(30.0)
    np.testing.assert_allclose(back.rotations(), motion.rotations(), atol=1e-9)
    np.testing.assert_allclose(back.trans, motion.trans, atol=1e-9)


def test_single_frame_stays_a_single_frame():
    motion = _motion(num_frames=1)
    resampled = motion.resampled(120.0)
    assert (resampled.num_frames, resampled.duration_s) == (1, 0.0)
    np.testing.assert_allclose(resampled.rotations(), motion.rotations(), atol=1e-12)
    np.testing.assert_array_equal(resampled.trans, motion.trans)


@pytest.mark.parametrize("skeleton", [SMPL, FINGERED])
def test_rotations_are_those_of_the_poses(skeleton):
    motion = _motion(skeleton=skeleton)
    expected = Rotation.from_rotvec(motion.poses.reshape(-1, 3)).as_matrix().reshape(31, skeleton.num_joints, 3, 3)
    np.testing.assert_allclose(motion.rotations(), expected, atol=1e-12)


def test_all_faults_are_reported_at_once():
    with pytest.raises(MotionError) as caught:
        Motion(np.full((3, 66), np.nan), np.zeros((1, 10)), np.zeros((2, 3)), -1.0)
    for words in (
        "poses (3, 66), expected (frames, 72)",
        "trans (2, 3)",
        "betas (1, 10)",
        "fps -1.0",
        "poses holds values",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize("fps", [0.0, -5.0, np.nan, np.inf])
def test_invalid_frame_rates_are_rejected(fps):
    with pytest.raises(MotionError, match="frame rate above 0"):
        _motion().resampled(fps)


def test_sampling_between_frames_is_halfway():
    motion = _motion()
    found = motion.sampled(np.array([3.0, 3.5, -2.0, 99.0]))
    np.testing.assert_allclose(found.rotations()[[0, 2, 3]], motion.rotations()[[3, 0, -1]], atol=1e-9)
    np.testing.assert_allclose(found.trans[1], 0.5 * (motion.trans[3] + motion.trans[4]), atol=1e-12)
    half = Rotation.from_matrix(motion.rotations()[3].transpose(0, 2, 1) @ motion.rotations()[4]).as_rotvec() / 2.0
    expected = motion.rotations()[3] @ Rotation.from_rotvec(half).as_matrix()
    np.testing.assert_allclose(found.rotations()[1], expected, atol=1e-9)
    assert found.fps == motion.fps


@pytest.mark.parametrize("skeleton", [SMPL, FINGERED])
def test_blending_interpolates_both_motions(skeleton):
    motion = _motion(skeleton=skeleton)
    other = replace(motion, poses=motion.poses[::-1].copy(), trans=motion.trans + 1.0)
    share = np.linspace(0.0, 1.0, motion.num_frames)
    found = motion.blended(other, share)
    np.testing.assert_allclose(found.rotations()[0], motion.rotations()[0], atol=1e-9)
    np.testing.assert_allclose(found.rotations()[-1], other.rotations()[-1], atol=1e-9)
    np.testing.assert_allclose(found.trans, motion.trans + share[:, None], atol=1e-12)
    with pytest.raises(MotionError, match="frames to blend, got 1"):
        motion.blended(_motion(num_frames=1, skeleton=skeleton), share)


def test_motions_of_different_skeletons_are_not_blended():
    motion = _motion()
    with pytest.raises(SkeletonError, match="24 joints of this one, found 30 joints, with left_index1"):
        motion.blended(with_fingers(motion), np.ones(motion.num_frames))


def test_poses_of_another_skeleton_are_refused():
    with pytest.raises(MotionError, match=r"poses \(31, 72\), expected \(frames, 90\)"):
        replace(_motion(), skeleton=FINGERED)


@pytest.mark.parametrize("fps", [1e-6, 1e-300])
def test_too_many_resampled_frames_are_rejected_with_their_number(fps):
    motion = replace(_motion(), fps=fps)
    with pytest.raises(MotionError, match=r"up to 2000000 frames.* the 31 at .* make \d{10,} at 60"):
        motion.resampled(60.0)


@pytest.mark.slow
def test_long_motions_have_no_seams_between_blocks():
    motion = _motion(num_frames=60, fps=1.0)
    resampled = motion.resampled(700.0)
    assert resampled.num_frames == 59 * 700 + 1
    np.testing.assert_allclose(resampled.rotations()[::700], motion.rotations(), atol=1e-9)
    assert np.abs(np.diff(resampled.trans, axis=0)).max() < np.abs(np.diff(motion.trans, axis=0)).max() / 699.0
