"""Jumps of the whole person are found, and bend no pose beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body_jumps import find_body_jumps
from core.fit import FitOptions, fit_track

from .scenes import Scene, motion_joints, walking

AWAY = np.array([1.0, 0.1, -0.4])


def _moved(scene: Scene, frames: slice, by: np.ndarray = AWAY) -> np.ndarray:
    points = scene.solver_points()
    points[frames] += by
    return points


def _jumps(points: np.ndarray, fps: float = 30.0) -> np.ndarray:
    return find_body_jumps(points, np.ones(points.shape[:2], dtype=bool), fps)


@pytest.mark.parametrize("frames", [slice(30, 40), slice(0, 2), slice(86, 90)])
def test_the_person_jumps_away_and_back(frames):
    jumps = _jumps(_moved(walking()[20:110], frames))
    expected = np.zeros((90, 3))
    if frames.start:
        expected[frames.start] = AWAY
    if frames.stop < 90:
        expected[frames.stop] = -AWAY
    np.testing.assert_allclose(jumps, expected, atol=0.02)


@pytest.mark.parametrize("every", [1, 3])
def test_motion_is_no_jump(every):
    assert not _jumps(walking().solver_points()[::every], 30.0 / every).any()


@pytest.mark.parametrize("length", [1, 3])
def test_a_short_excursion_is_no_jump(length):
    assert not _jumps(_moved(walking()[20:110], slice(40, 40 + length))).any()


def test_a_point_that_jumps_alone_is_no_jump_of_the_person():
    points = walking()[20:110].solver_points()
    points[40:60, :8] += AWAY
    assert not _jumps(points).any()


def test_unseen_points_do_not_count():
    points = _moved(walking()[20:110], slice(30, 90))
    seen = np.ones(points.shape[:2], dtype=bool)
    points[::2, 3:15], seen[::2, 3:15] = 0.0, False
    jumps = find_body_jumps(points, seen, 30.0)
    assert np.flatnonzero(jumps.any(axis=1)).tolist() == [30]
    assert not find_body_jumps(0.0 * points, np.zeros_like(seen), 30.0).any()


@pytest.mark.slow
def test_poses_beside_a_jump_stay_and_the_jump_too():
    body, options = load_free_body(), FitOptions(workers=1)
    scene = walking()[20:110]
    track = scene.track(noise_m=0.002)
    clean, _ = fit_track(track, body, options)
    positions = track.positions.copy()
    positions[30:45] += AWAY
    motion, report = fit_track(replace(track, positions=positions), body, options)
    moved = motion_joints(motion) - motion_joints(clean)
    moved[30:45] -= AWAY
    assert 1000.0 * np.linalg.norm(moved, axis=-1).max() < 3.0
    assert not [flag for flag in report.flags if flag.kind == "implausible"]
