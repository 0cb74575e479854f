"""The clean-up as a whole: its options, alone and together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.body.model import BodyModel
from core.cleanup import CleanupOptionError, CleanupOptions, analyse_motion, clean_up, held_joints
from core.errors import SkeletonError
from core.fit import Flag
from core.smpl_skeleton import SMPL
from tests.fingers import FINGERED, FINGERS, SMPL_JOINTS, fingered_body, with_fingers


def test_default_options_return_the_same_motion(walk, walk_source):
    assert clean_up(walk_source, CleanupOptions()) is walk


@pytest.mark.parametrize(
    "options",
    [
        CleanupOptions(smoothing=1.0),
        CleanupOptions(foot_lock=1.0),
        CleanupOptions(smoothing=0.5, foot_lock=0.5, ground="contacts", height_m=0.1, root="in_place"),
        CleanupOptions(root="on_ground"),
    ],
)
def test_betas_frame_rate_and_source_are_unchanged(options, walk, walk_source):
    poses, trans = walk.poses.copy(), walk.trans.copy()
    cleaned = clean_up(walk_source, options)
    assert cleaned.fps == walk.fps
    np.testing.assert_array_equal(cleaned.betas, walk.betas)
    np.testing.assert_array_equal(walk.poses, poses)
    np.testing.assert_array_equal(walk.trans, trans)


@pytest.mark.parametrize(
    "fault",
    [
        {"smoothing": 1.1},
        {"foot_lock": -0.1},
        {"ground": "up"},
        {"root": "here"},
        {"height_m": np.inf},
        {"height_m": 1e30},
    ],
)
def test_invalid_option_is_named_in_the_error(fault):
    with pytest.raises(CleanupOptionError, match=next(iter(fault)).replace("height_m", "height in metres")):
        CleanupOptions(**fault)


@pytest.mark.parametrize("has_contacts", [True, False])
def test_lifted_source_equals_the_analysis_of_the_lifted_motion(has_contacts, walk, body):
    motion = walk.resampled(30.0)
    if not has_contacts:
        falling = motion.trans - [0.0, 9.0, 0.0] * np.linspace(0.0, 1.0, motion.num_frames)[:, None]
        motion = replace(motion, trans=falling)
    source = analyse_motion(motion, body)
    assert (source.ground is not None) == has_contacts
    lifted, analysed = source.lifted(0.3), analyse_motion(replace(motion, trans=motion.trans + [0.0, 0.3, 0.0]), body)
    assert lifted.contacts == analysed.contacts
    assert lifted.floor_height_m == pytest.approx(analysed.floor_height_m, abs=1e-7)
    assert lifted.lowest_height_m == pytest.approx(source.lowest_height_m + 0.3, abs=1e-6)
    for options in (
        CleanupOptions(smoothing=0.7, foot_lock=1.0),
        CleanupOptions(ground="contacts"),
        CleanupOptions(smoothing=0.2, root="on_ground"),
    ):
        actual, expected = clean_up(lifted, options), clean_up(analysed, options)
        np.testing.assert_allclose(actual.poses, expected.poses, atol=1e-9)
        np.testing.assert_allclose(actual.trans, expected.trans, atol=1e-9)


@pytest.fixture(scope="module")
def fingered_source(walk):
    """The analysis of the walk on a skeleton with fingers, whose joints are in another order than SMPL's."""
    return analyse_motion(with_fingers(walk), BodyModel(fingered_body()))


@pytest.mark.parametrize(
    "options",
    [
        CleanupOptions(smoothing=0.7, foot_lock=1.0),
        CleanupOptions(foot_lock=0.5, ground="contacts", root="on_ground"),
    ],
)
def test_a_motion_with_fingers_is_cleaned_up_like_the_one_without(options, walk_source, fingered_source):
    assert fingered_source.contacts == walk_source.contacts
    assert fingered_source.lowest_height_m == pytest.approx(walk_source.lowest_height_m, abs=1e-5)
    found, expected = clean_up(fingered_source, options), clean_up(walk_source, options)
    assert found.skeleton == FINGERED
    rotations = found.rotations()
    np.testing.assert_allclose(rotations[:, SMPL_JOINTS], expected.rotations(), atol=1e-5)
    np.testing.assert_allclose(rotations[:, FINGERS], np.broadcast_to(np.eye(3), (len(rotations), 6, 3, 3)), atol=1e-5)
    np.testing.assert_allclose(found.trans, expected.trans, atol=1e-5)


def test_moving_fingers_are_smoothed(walk):
    walk = walk.resampled(30.0)
    bent = with_fingers(walk, bend_rad=1.0)
    tremor = np.zeros((walk.num_frames, FINGERED.num_joints, 3))
    tremor[:, FINGERS, 2] = np.random.default_rng(3).normal(0.0, 0.05, (walk.num_frames, 1))
    shaken = replace(bent, poses=bent.poses + tremor.reshape(walk.num_frames, -1))
    smooth = clean_up(analyse_motion(shaken, fingered_body()), CleanupOptions(smoothing=0.5))
    errors = [(one.poses - bent.poses).reshape(-1, FINGERED.num_joints, 3)[:, FINGERS[:1]] for one in (smooth, shaken)]
    assert np.std(errors[0]) < 0.6 * np.std(errors[1])


def test_held_joints_are_found_by_their_names(walk):
    flags = (Flag("held", "left arm", 3, 4), Flag("held", "head", 7, 7), Flag("missing", "person", 9, 9))
    expected, found = (held_joints(flags, motion, walk.fps) for motion in (walk, with_fingers(walk)))
    assert expected.any(axis=1).sum() == 4 and expected.shape == (walk.num_frames, SMPL.num_joints)
    np.testing.assert_array_equal(found[:, SMPL_JOINTS], expected)
    np.testing.assert_array_equal(np.flatnonzero(found[:, FINGERS].any(axis=1)), [9])


def test_a_motion_is_not_analysed_on_a_body_of_another_skeleton(walk, body):
    with pytest.raises(SkeletonError, match="the motion to have the 24 joints of body 'free_body', found 30"):
        analyse_motion(with_fingers(walk), body)
    with pytest.raises(SkeletonError, match="30 joints of body 'free_body', found 24"):
        analyse_motion(walk, fingered_body())
