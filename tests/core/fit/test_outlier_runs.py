"""Outlier runs are found exactly where they are."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from core.fit.screening import outlier_runs
from core.fit.screening.outlier_runs import find_outlier_runs
from core.layouts import BODY25, COCO17, H36M17, LAYOUTS, MEDIAPIPE33, SMPL22, Layout
from training.data.motion_folder import read_clips

from .scenes import captured, keypoint_model, solver_names, walking

NAMES = solver_names()
FPS = 30.0


def _points(layout: Layout = BODY25, *, noise_m: float = 0.0) -> np.ndarray:
    points = walking()[20:170].solver_points(layout)
    return points + noise_m * np.random.default_rng(3).normal(size=points.shape)


def _found(points: np.ndarray, seen: np.ndarray | None = None, names: tuple[str, ...] = NAMES) -> np.ndarray:
    return find_outlier_runs(names, points, np.ones(points.shape[:2], dtype=bool) if seen is None else seen, FPS)


def _marked(frames: slice, *names: str) -> np.ndarray:
    marked = np.zeros((150, len(NAMES)), dtype=bool)
    marked[frames, [NAMES.index(name) for name in names]] = True
    return marked


@pytest.mark.parametrize("off_m", [0.3, 1.0, 5.0, 100.0, 1e5])
@pytest.mark.parametrize("frames", [(70, 71), (70, 73), (60, 80), (40, 100), (0, 5), (145, 150)])
@pytest.mark.parametrize("name", ["left_wrist", "right_knee", "nose", "left_shoulder"])
def test_a_displaced_point_is_found_in_exactly_its_frames(off_m, frames, name):
    points = _points(noise_m=0.003)
    block = slice(*frames)
    points[block, NAMES.index(name)] += off_m * np.array([0.6, -0.64, 0.48])
    np.testing.assert_array_equal(_found(points), _marked(block, name))


@pytest.mark.parametrize("value", [9999.999, 9999999.0, -1.0, 0.0])
@pytest.mark.parametrize("length", [1, 3, 20, 60])
def test_a_placeholder_value_is_an_outlier(value, length):
    points = _points() + [2.0, 0.0, -1.5]
    block = slice(50, 50 + length)
    points[block, NAMES.index("right_ankle")] = value
    np.testing.assert_array_equal(_found(points), _marked(block, "right_ankle"))


@pytest.mark.parametrize("limb", [("left_elbow", "left_wrist"), ("right_knee", "right_ankle", "right_big_toe",
                                                                 "right_small_toe", "right_heel")])  # fmt: skip
@pytest.mark.parametrize("off_m", [0.3, 1.0, 100.0])
def test_a_displaced_limb_is_found_but_not_the_rest_of_the_body(limb, off_m):
    points = _points(noise_m=0.003)
    block = slice(60, 80)
    columns = [NAMES.index(name) for name in limb]
    points[block, columns] += off_m * np.array([0.6, -0.64, 0.48])
    np.testing.assert_array_equal(_found(points), _marked(block, *limb))


@pytest.mark.parametrize(
    ("name", "other"),
    [("right_big_toe", "right_wrist"), ("left_knee", "right_knee"), ("left_wrist", "nose"), ("left_ear", "left_hip")],
)
def test_a_label_on_another_point_is_found(name, other):
    points = _points(noise_m=0.003)
    block = slice(60, 110)
    points[block, NAMES.index(name)] = points[block, NAMES.index(other)]
    np.testing.assert_array_equal(_found(points), _marked(block, name))


def test_the_last_frame_before_a_gap_is_found():
    points = _points()
    wrist = NAMES.index("left_wrist")
    points[59, wrist] += [0.0, 3.0, 0.0]
    seen = np.ones(points.shape[:2], dtype=bool)
    seen[60:72, wrist] = False
    np.testing.assert_array_equal(_found(points, seen), _marked(slice(59, 60), "left_wrist"))


def test_a_point_that_is_wrong_in_half_of_the_frames_is_found():
    points = _points()
    block = slice(40, 115)
    points[block, NAMES.index("right_elbow")] += [0.0, 0.5, 0.4]
    np.testing.assert_array_equal(_found(points), _marked(block, "right_elbow"))


def test_two_points_that_are_wrong_together_are_both_found():
    points = _points()
    points[50:60, NAMES.index("left_wrist")] += [0.0, 2.0, 0.0]
    points[55:75, NAMES.index("right_heel")] += [1.0, 0.0, 0.0]
    expected = _marked(slice(50, 60), "left_wrist") | _marked(slice(55, 75), "right_heel")
    np.testing.assert_array_equal(_found(points), expected)


def test_a_slightly_drifting_point_is_not_an_outlier():
    points = _points()
    drift = 0.12 * np.sin(np.linspace(0.0, np.pi, 40))
    points[60:100, NAMES.index("left_wrist"), 1] += drift
    assert not _found(points).any()


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
@pytest.mark.parametrize(("noise_m", "missing"), [(0.0, 0.0), (0.01, 0.2)])
def test_clean_points_have_no_outliers(layout, noise_m, missing):
    points = _points(layout, noise_m=noise_m)
    seen = np.random.default_rng(5).random(points.shape[:2]) >= missing
    assert not _found(np.where(seen[..., None], points, 0.0), seen, solver_names(layout)).any()


@pytest.mark.slow
@pytest.mark.parametrize("layout", [BODY25, COCO17, H36M17, MEDIAPIPE33, SMPL22], ids=lambda layout: layout.name)
def test_dances_runs_and_falls_have_no_outliers(layout, cmu):
    names = solver_names(layout)
    clips = read_clips(cmu, ["05", "09", "16", "35", "131"])
    num_found = 0
    for clip in clips:
        shaped = keypoint_model(names).shaped(clip.drawn_betas())
        points = shaped.points(clip.rotations, clip.trans).astype(np.float64)
        found = find_outlier_runs(names, points, np.ones(points.shape[:2], dtype=bool), clip.fps)
        num_found += int(found.sum())
    assert num_found <= 2, "a leg that leaps in the recording itself"


@pytest.mark.parametrize("num_frames", [1, 2, 3, 5])
def test_a_track_of_a_few_frames_has_no_outliers(num_frames):
    assert not _found(_points()[:num_frames]).any()


def test_points_never_seen_are_not_outliers():
    points = _points()
    seen = np.ones(points.shape[:2], dtype=bool)
    seen[:, NAMES.index("left_elbow")] = False
    assert not _found(points, seen).any()
    assert not _found(points, np.zeros_like(seen)).any()


def test_only_the_wild_point_of_a_fast_dance_is_found(clips):
    scene = captured(clips, "05", "02")[100:190]
    points = scene.solver_points()
    ankle = NAMES.index("left_ankle")
    points[30:50, ankle] += [0.3, 0.0, 0.0]
    found = _found(points)
    expected = np.zeros_like(found)
    expected[30:50, ankle] = True
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("seed", range(6))
def test_most_likely_states_equal_a_direct_search(seed):
    generator = np.random.default_rng(seed)
    suspicions = generator.integers(0, 3, (7, 1)).astype(float)
    turn = generator.choice([0.4, 4.0], (8, 1))
    costs = {}
    for states in product([False, True], repeat=7):
        turns = np.diff(np.array([False, *states, False]).astype(int)) != 0
        wrong = np.array(states)
        costs[states] = suspicions[~wrong, 0].sum() + outlier_runs._WRONG * wrong.sum() + turn[turns, 0].sum()
    found = outlier_runs._likeliest_states(suspicions, turn)[:, 0]
    assert costs[tuple(found.tolist())] == pytest.approx(min(costs.values()))
