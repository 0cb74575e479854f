"""Points of a stream that cannot be right: found at once, for as long as they are wrong, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from core.fit.frame_by_frame.live_screening import LiveScreening
from core.layouts import LAYOUTS

from .scenes import Scene, keypoint_model, solver_names

NOISE_M = 0.003
NAMES = solver_names()


def _points(scene: Scene, layout: str = "body25") -> np.ndarray:
    true = scene.solver_points(LAYOUTS[layout])
    return true + NOISE_M * np.random.default_rng(1).normal(size=true.shape)


def _screening(layout: str = "body25", fps: float = 30.0) -> LiveScreening:
    names = solver_names(LAYOUTS[layout])
    return LiveScreening(names, fps, keypoint_model(names).rest(np.zeros(10, dtype=np.float32)))


def _run(positions: np.ndarray, weights: np.ndarray | None = None, layout: str = "body25", fps: float = 30.0):
    """Push every frame, measure the lengths twice; return what is wrong and what is elsewhere (F, K)."""
    weights = np.ones(positions.shape[:2]) if weights is None else weights
    running, found = _screening(layout, fps), []
    for frame in range(len(positions)):
        found.append(running.push(positions[frame], weights[frame], np.full(positions.shape[1], NOISE_M)))
        if frame in (5, 20):
            wrong = np.stack([screening.wrong for screening in found])
            running.measure(positions[: frame + 1], weights[: frame + 1] * ~wrong)
    return (np.stack([getattr(screening, what) for screening in found]) for what in ("wrong", "restarted"))


@pytest.mark.parametrize("layout", ["body25", "coco17", "h36m17", "smpl24", "mediapipe33"])
def test_nothing_is_wrong_with_what_a_person_does(clip, layout):
    wrong, restarted = _run(_points(clip, layout), layout=layout)
    assert not wrong.any() and not restarted.any()


@pytest.mark.parametrize("layout", ["body25", "coco17", "h36m17", "smpl24", "mediapipe33"])
def test_nothing_is_wrong_with_a_walk(walk, layout):
    wrong, restarted = _run(_points(walk, layout), layout=layout)
    assert not wrong.any() and not restarted.any()


@pytest.mark.parametrize("size", [0.5, 1.35])
def test_nothing_is_wrong_with_people_of_another_size(walk, size):
    wrong, _ = _run(size * _points(walk))
    assert not wrong.any()


@pytest.mark.parametrize("num_frames", [1, 20])
@pytest.mark.parametrize("distance_m", [0.3, 1.0, 5.0, 100.0, 17_000.0])
@pytest.mark.parametrize("name", ["left_wrist", "right_knee", "mid_hip", "nose", "left_big_toe"])
def test_a_point_elsewhere_is_wrong_for_as_long_as_it_is(walk, name, distance_m, num_frames):
    positions, point, run = _points(walk), NAMES.index(name), slice(28, 28 + num_frames)
    positions[run, point] += distance_m * np.array([0.6, 0.0, -0.8])
    wrong, restarted = _run(positions)
    np.testing.assert_array_equal(np.flatnonzero(wrong[:, point]), np.arange(run.start, run.stop))
    assert wrong.sum() == num_frames
    assert not restarted.any()


def test_a_placeholder_is_wrong_from_the_first_frame_to_the_last(walk):
    positions, point = _points(walk), NAMES.index("left_shoulder")
    positions[:, point] = 9999.0
    wrong, _ = _run(positions)
    assert wrong[:, point].all() and wrong.sum() == len(wrong)


def test_a_point_that_was_missing_and_comes_back_wrong_is_seen_through(walk):
    positions, weights, point = _points(walk), np.ones((len(walk), len(NAMES))), NAMES.index("right_wrist")
    weights[20:35, point] = 0.0
    positions[20:35, point] = np.nan
    positions[35:40, point] += [0.0, 0.9, 0.0]
    wrong, _ = _run(positions, weights)
    np.testing.assert_array_equal(np.argwhere(wrong), [[frame, point] for frame in range(35, 40)])


def test_a_lone_point_that_stays_elsewhere_is_believed_in_the_end(walk):
    positions, point = _points(walk), NAMES.index("left_wrist")
    elbow = positions[:, NAMES.index("left_elbow")]
    positions[25:, point] = elbow[25:] - (
        positions[25:, point] - elbow[25:]
    )  # as far from the elbow, on its other side
    wrong, restarted = _run(positions)
    first, last = np.flatnonzero(wrong[:, point])[[0, -1]]
    assert first == 25 and 20 <= last - 25 < 30
    np.testing.assert_array_equal(np.argwhere(restarted), [[last + 1, point]])


def test_a_cut_is_believed_after_a_few_frames(walk):
    positions = _points(walk)
    positions[30:] += [2.0, 0.0, 1.0]
    wrong, restarted = _run(positions)
    np.testing.assert_array_equal(np.flatnonzero(wrong.all(axis=1)), [30, 31, 32])
    assert wrong.sum() == 3 * len(NAMES)
    np.testing.assert_array_equal(np.flatnonzero(restarted.all(axis=1)), [33])


def test_motion_may_begin_and_end_at_once(walk):
    positions, point = np.repeat(_points(walk)[:1], 40, axis=0), NAMES.index("left_wrist")
    elbow = positions[0, NAMES.index("left_elbow")]
    arm, turns = positions[0, point] - elbow, np.clip(0.7 * (np.arange(40) - 25), 0.0, 2.8)
    side = np.cross(arm, [0.0, 0.0, 1.0])
    side *= np.linalg.norm(arm) / np.linalg.norm(side)
    positions[:, point] = elbow + np.cos(turns)[:, None] * arm + np.sin(turns)[:, None] * side
    wrong, _ = _run(positions)
    assert wrong[:, point].sum() <= 1 and wrong.sum() == wrong[:, point].sum()


def test_points_of_slow_tracks_may_be_anywhere_in_the_next_frame(walk):
    wrong, _ = _run(_points(walk)[::6], fps=5.0)
    assert not wrong.any()


def test_nothing_looks_ahead(walk):
    positions = _points(walk)
    positions[15, 4] += 1.0
    elsewhere = positions.copy()
    elsewhere[30:] *= 3.0
    for found, other in zip(_run(positions), _run(elsewhere), strict=True):
        np.testing.assert_array_equal(found[:30], other[:30])
