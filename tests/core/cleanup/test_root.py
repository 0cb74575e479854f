"""Root motion: in place, on a treadmill, on the ground."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.cleanup import CleanupOptions, analyse_motion, clean_up


def test_in_place_keeps_the_pelvis_over_the_origin_at_its_height(walk, walk_source, body):
    cleaned = clean_up(walk_source, CleanupOptions(root="in_place"))
    pelvis = body.joints(cleaned.rotations(), cleaned.betas, cleaned.trans)[:, 0]
    np.testing.assert_allclose(pelvis[:, [0, 2]], 0.0, atol=1e-6)
    np.testing.assert_array_equal(cleaned.trans[:, 1], walk.trans[:, 1])
    np.testing.assert_array_equal(cleaned.poses, walk.poses)


@pytest.mark.parametrize("fps", [30.0, 120.0])
def test_treadmill_removes_the_path_and_keeps_the_sway(fps, walk, body):
    times = np.arange(round(8.0 * fps)) / fps
    path = np.stack([0.02 * np.sin(2.0 * np.pi * 2.0 * times), 0.0 * times, 1.3 * times], axis=-1)
    motion = replace(walk.resampled(fps), poses=np.zeros((len(times), 72)), trans=path)
    cleaned = clean_up(analyse_motion(motion, body), CleanupOptions(root="treadmill"))
    middle = slice(len(times) // 4, -len(times) // 4)
    pelvis = body.joints(cleaned.rotations(), cleaned.betas, cleaned.trans)[middle, 0]
    assert np.abs(pelvis[:, 2]).max() < 0.002
    np.testing.assert_allclose(pelvis[:, 0], path[middle, 0], atol=0.004)


def test_on_ground_restores_the_drop_of_a_root_relative_squat(walk, walk_source, body):
    """A 2D-to-3D lifter keeps the pelvis at the origin in every frame, so the feet rise in a squat."""
    held = replace(walk, trans=np.zeros_like(walk.trans))
    placed = clean_up(analyse_motion(held, body), CleanupOptions(ground="contacts", root="on_ground"))
    truth = clean_up(walk_source, CleanupOptions(ground="contacts"))
    np.testing.assert_allclose(np.ptp(placed.trans[:, 1]), np.ptp(truth.trans[:, 1]), atol=0.03)
    assert np.abs(placed.trans[:, 1] - truth.trans[:, 1]).max() < 0.04
    np.testing.assert_array_equal(placed.trans[:, [0, 2]], 0.0)


def test_root_relative_tracks_default_to_on_ground():
    assert CleanupOptions().without_place().root == "on_ground"
    assert CleanupOptions(root="in_place").without_place() == CleanupOptions(root="in_place")


def test_height_is_added_after_all_other_steps(walk_source):
    for options in (CleanupOptions(), CleanupOptions(ground="contacts"), CleanupOptions(root="on_ground")):
        low, high = (clean_up(walk_source, replace(options, height_m=height)) for height in (0.0, 0.25))
        np.testing.assert_allclose(high.trans - low.trans, np.broadcast_to([0.0, 0.25, 0.0], low.trans.shape))


def test_on_ground_is_not_shaken_by_noisy_feet(walk, body):
    held = replace(walk, trans=np.zeros_like(walk.trans))
    generator = np.random.default_rng(4)
    shaken = replace(held, poses=held.poses + generator.normal(0.0, 0.02, held.poses.shape))
    steady, placed = (clean_up(analyse_motion(one, body), CleanupOptions(root="on_ground")) for one in (held, shaken))
    off = placed.trans[:, 1] - steady.trans[:, 1]
    feet = analyse_motion(held, body).feet
    points = [feet.points(*feet.chain(one.rotations(), one.trans))[..., 1] - feet.heights for one in (held, shaken)]
    raw = points[0].min(axis=1) - points[1].min(axis=1)
    assert np.diff(off, n=2).std() < 0.1 * np.diff(raw, n=2).std()
