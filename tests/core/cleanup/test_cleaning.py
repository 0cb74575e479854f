"""The clean-up as a whole: its options, alone and together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.cleanup import CleanupOptionError, CleanupOptions, analyse_motion, clean_up


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
    "fault", [{"smoothing": 1.1}, {"foot_lock": -0.1}, {"ground": "up"}, {"root": "here"}, {"height_m": np.inf}]
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
