"""Swapped left and right labels are corrected; crossing legs are not changed."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from core.fit.screening import label_swaps
from core.fit.screening.label_swaps import GROUPS, LabelSwaps, find_label_swaps
from core.layouts import BODY25, COCO17, LAYOUTS, MARKERS, Layout
from training.data.motion_folder import read_clips

from .scenes import keypoint_model, solver_names, walking

FPS = 30.0
EVERYTHING = tuple(GROUPS)


def _walk(layout: Layout = BODY25, *, noise_m: float = 0.0) -> np.ndarray:
    points = walking()[20:170].solver_points(layout)
    return points + noise_m * np.random.default_rng(3).normal(size=points.shape)


def _swapped(points: np.ndarray, names: tuple[str, ...], groups: tuple[str, ...], frames: np.ndarray) -> np.ndarray:
    swapped = points.copy()
    for left, name in enumerate(names):
        if name.startswith("left_") and any(name[5:] in GROUPS[group] for group in groups):
            right = names.index(f"right_{name[5:]}")
            swapped[frames, left], swapped[frames, right] = points[frames, right], points[frames, left]
    return swapped


def _frames(*runs: tuple[int, int]) -> np.ndarray:
    marked = np.zeros(150, dtype=bool)
    for first, end in runs:
        marked[first:end] = True
    return marked


RUNS = {
    "3 frames": _frames((60, 63)),
    "15 frames": _frames((60, 75)),
    "60 frames": _frames((40, 100)),
    "5 times 3 frames": _frames((10, 13), (30, 33), (62, 65), (90, 93), (120, 123)),
    "from the first": _frames((0, 12)),
    "to the last": _frames((130, 150)),
}
SWAPPED_GROUPS = {
    "legs": ("legs",),
    "legs and hips": ("hips", "legs"),
    "arms": ("arms",),
    "arms and shoulders": ("shoulders", "arms"),
    "both sides": EVERYTHING,
    "both sides below the head": EVERYTHING[:-1],
}


@pytest.mark.parametrize("layout", [BODY25, COCO17, MARKERS], ids=lambda layout: layout.name)
@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("groups", SWAPPED_GROUPS)
def test_swapped_labels_are_corrected(layout, run, groups):
    points, names = _walk(layout, noise_m=0.005), solver_names(layout)
    swapped = _swapped(points, names, SWAPPED_GROUPS[groups], RUNS[run])
    swaps = find_label_swaps(names, swapped, np.ones(points.shape[:2], dtype=bool), FPS)
    assert sorted(swaps.frames) == sorted(SWAPPED_GROUPS[groups])
    for frames in swaps.frames.values():
        np.testing.assert_array_equal(frames, RUNS[run])
    np.testing.assert_array_equal(swaps.put_back(names, swapped), points)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
@pytest.mark.parametrize(("noise_m", "missing"), [(0.0, 0.0), (0.02, 0.0), (0.005, 0.2)])
def test_no_swap_is_found_in_a_walk(layout, noise_m, missing):
    points = _walk(layout, noise_m=noise_m)
    seen = np.random.default_rng(5).random(points.shape[:2]) >= missing
    assert not find_label_swaps(solver_names(layout), np.where(seen[..., None], points, 0.0), seen, FPS).frames


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 3])
def test_no_swap_is_found_in_dances_runs_and_cartwheels(step, cmu):
    names = solver_names()
    for clip in read_clips(cmu, ["05", "09", "16", "35", "131"]):
        shaped = keypoint_model(names).shaped(clip.drawn_betas())
        points = shaped.points(clip.rotations[::step], clip.trans[::step]).astype(np.float64)
        swaps = find_label_swaps(names, points, np.ones(points.shape[:2], dtype=bool), clip.fps / step)
        assert not swaps.frames, clip.name


def test_crossing_legs_are_not_swapped():
    """Both feet step on one line, each beyond the other."""
    points, names = _walk(), solver_names()
    across = points[:, names.index("left_hip")] - points[:, names.index("right_hip")]
    swing = 0.75 * np.sin(2 * np.pi * np.arange(150) / 30.0)
    for stem in ("ankle", "heel", "big_toe", "small_toe"):
        points[:, names.index(f"left_{stem}")] -= (0.5 + swing[:, None]) * across
        points[:, names.index(f"right_{stem}")] += (0.5 + swing[:, None]) * across
    apart = points[:, names.index("left_ankle")] - points[:, names.index("right_ankle")]
    assert ((apart * across).sum(axis=1) < 0.0).mean() > 0.3
    assert not find_label_swaps(names, points, np.ones(points.shape[:2], dtype=bool), FPS).frames


def test_wild_points_do_not_cause_swaps():
    points, names = _walk(), solver_names()
    points[60:80, names.index("left_ankle")] = [40.0, 2.0, 7.0]
    points[61::5, names.index("right_wrist")] = 9999.0
    assert not find_label_swaps(names, points, np.ones(points.shape[:2], dtype=bool), FPS).frames


def test_a_clip_that_is_swapped_throughout_is_not_changed():
    points, names = _walk(), solver_names()
    swapped = _swapped(points, names, EVERYTHING, np.ones(150, dtype=bool))
    assert not find_label_swaps(names, swapped, np.ones(points.shape[:2], dtype=bool), FPS).frames


@pytest.mark.parametrize("num_frames", [1, 2, 4])
def test_no_swap_is_found_in_a_few_frames(num_frames):
    points = _walk()[:num_frames]
    assert not find_label_swaps(solver_names(), points, np.ones(points.shape[:2], dtype=bool), FPS).frames


def test_groups_swapped_together_are_reported_together():
    legs = _frames((3, 6), (9, 10))
    swaps = LabelSwaps({"hips": legs, "legs": legs, "arms": _frames((20, 22))})
    assert swaps.notes() == (
        "Left and right of the hips, legs were swapped in frames 3-5, 9, counted from 0, and have been corrected.",
        "Left and right of the arms were swapped in frames 20-21, counted from 0, and have been corrected.",
    )
    many = LabelSwaps({"arms": np.arange(150) % 10 == 0})
    first = ", ".join(str(frame) for frame in range(0, 80, 10))
    assert many.notes() == (
        f"Left and right of the arms were swapped in frames {first} and 7 more stretches, counted from 0, and have "
        "been corrected.",
    )


@pytest.mark.parametrize("seed", range(4))
def test_most_likely_states_equal_a_direct_search(seed):
    generator = np.random.default_rng(seed)
    costs, turns = 9.0 * generator.random((3, 32)), 9.0 * generator.random((2, 32))
    best = min(
        product(range(32), repeat=3),
        key=lambda states: (
            label_swaps._CHANGE_COSTS[states[0]]
            + sum(costs[place, state] for place, state in enumerate(states))
            + sum(turns[place, states[place] ^ states[place + 1]] for place in range(2))
        ),
    )
    assert tuple(label_swaps._likeliest_states(costs, turns)) == best
