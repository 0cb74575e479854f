"""Faults of tracks: points, frames, and the baselines without the fault."""

from __future__ import annotations

import numpy as np
import pytest

from core.fit.observations import layout_points
from core.layouts import LAYOUTS
from training.evaluation.track_faults import (
    Fault,
    HiddenLimb,
    MovedPerson,
    OutlierBeforeGap,
    OutlierRun,
    TradedLegs,
)

NAMES = layout_points(LAYOUTS["body25"]).names
FPS = 30.0


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(90, len(NAMES), 3))


def applied(fault: Fault, points: np.ndarray, seed: int = 1) -> tuple[np.ndarray, slice]:
    return fault.apply(points, NAMES, FPS, np.random.default_rng(seed))


def test_outlier_run_does_not_depend_on_its_distance(points: np.ndarray) -> None:
    (near, run), (far, same) = (applied(OutlierRun(distance, 20), points) for distance in (1.0, 100.0))
    assert run == same and run.stop - run.start == 20 == OutlierRun(1.0, 20).num_frames(FPS)
    np.testing.assert_allclose(100.0 * (near - points), far - points, atol=1e-9)
    touched = np.argwhere(np.linalg.norm(near - points, axis=-1) > 0.5)
    assert np.unique(touched[:, 1]).size == 1
    assert touched[:, 0].tolist() == list(range(run.start, run.stop))
    assert OutlierRun(1.0, 20).baseline() is None


def test_outlier_runs_occur_anywhere_in_the_clip(points: np.ndarray) -> None:
    runs = [applied(OutlierRun(1.0, 60), points, seed)[1] for seed in range(200)]
    assert min(run.start for run in runs) == 0 and max(run.stop for run in runs) == len(points)


def test_before_a_gap_the_baseline_is_the_gap(points: np.ndarray) -> None:
    fault = OutlierBeforeGap(5.0)
    baseline = fault.baseline()
    assert baseline is not None
    (bad, run), (gap, same) = applied(fault, points), applied(baseline, points)
    assert run == same and run.stop - run.start == fault.num_frames(FPS) == 11
    off = np.linalg.norm(bad - gap, axis=-1)
    assert np.nanmax(off) == pytest.approx(5.0) and (off > 0.0).sum() == 1 and (off[run.start] > 0.0).any()
    missing = np.argwhere(np.isnan(gap).any(axis=-1))
    assert missing[:, 0].tolist() == list(range(run.start + 1, run.stop))
    np.testing.assert_array_equal(np.isnan(bad), np.isnan(gap))


def test_hidden_limb_covers_the_whole_left_limb(points: np.ndarray) -> None:
    for limb, ends in (
        ("arm", {"left_elbow", "left_wrist"}),
        ("leg", {"left_knee", "left_ankle", "left_heel", "left_big_toe", "left_small_toe"}),
    ):
        hidden, run = applied(HiddenLimb(limb, 1.0 / 3.0), points)
        assert (run.start, run.stop) == (40, 50)
        gone = np.isnan(hidden).any(axis=-1)
        assert {NAMES[column] for column in np.flatnonzero(gone.any(axis=0))} == ends
        assert np.flatnonzero(gone.any(axis=1)).tolist() == list(range(40, 50))


def test_swapped_legs_exchange_their_points(points: np.ndarray) -> None:
    traded, run = applied(TradedLegs(15), points)
    for stem in ("knee", "ankle", "heel", "big_toe", "small_toe"):
        left, right = (NAMES.index(f"{side}_{stem}") for side in ("left", "right"))
        np.testing.assert_array_equal(traded[run, left], points[run, right])
        np.testing.assert_array_equal(traded[run, right], points[run, left])
    assert np.flatnonzero((traded != points).any(axis=(1, 2))).tolist() == list(range(run.start, run.stop))
    hips = [NAMES.index(f"{side}_hip") for side in ("left", "right")]
    np.testing.assert_array_equal(traded[:, hips], points[:, hips])


def test_a_moved_person_keeps_its_pose(points: np.ndarray) -> None:
    moved, run = applied(MovedPerson(1.0, 15), points)
    off = moved - points
    assert np.flatnonzero(off.any(axis=(1, 2))).tolist() == list(range(run.start, run.stop)) and len(off[run]) == 15
    np.testing.assert_allclose(off[run], np.broadcast_to(off[run.start, 0], off[run].shape), atol=1e-9)
    assert np.linalg.norm(off[run.start, 0]) == pytest.approx(1.0)
