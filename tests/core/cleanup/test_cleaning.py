"""The clean-up as a whole: what the options do, alone and together."""

from __future__ import annotations

import numpy as np
import pytest

from core.cleanup import CleanupOptionError, CleanupOptions, clean


def test_options_that_change_nothing_return_the_motion_to_the_bit(walk, walk_source):
    assert clean(walk_source, CleanupOptions()) is walk


@pytest.mark.parametrize(
    "options",
    [
        CleanupOptions(smoothing=1.0),
        CleanupOptions(foot_lock=1.0),
        CleanupOptions(smoothing=0.5, foot_lock=0.5, ground="contacts", height_m=0.1, root="in_place"),
        CleanupOptions(root="on_ground"),
    ],
)
def test_shape_rate_and_source_stay(options, walk, walk_source):
    poses, trans = walk.poses.copy(), walk.trans.copy()
    cleaned = clean(walk_source, options)
    assert cleaned.fps == walk.fps
    np.testing.assert_array_equal(cleaned.betas, walk.betas)
    np.testing.assert_array_equal(walk.poses, poses)
    np.testing.assert_array_equal(walk.trans, trans)


@pytest.mark.parametrize(
    "fault", [{"smoothing": 1.1}, {"foot_lock": -0.1}, {"ground": "up"}, {"root": "here"}, {"height_m": np.inf}]
)
def test_impossible_options_are_refused_by_name(fault):
    with pytest.raises(CleanupOptionError, match=next(iter(fault)).replace("height_m", "height in metres")):
        CleanupOptions(**fault)
