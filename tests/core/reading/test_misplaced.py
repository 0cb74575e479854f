"""Test that one misplaced point, for however long, changes no detected property and no other point."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest

from core.cli.info import run_info
from core.layouts import LAYOUTS
from core.markers.vectors import densest
from core.reading import interpret, read_all
from core.reading.misplaced import find_far, find_misplaced, frame_runs
from tests.core.formats.track_writers import trc_text

from .conftest import NUM_FRAMES, walk_in

RUNS = {"one frame": slice(20, 21), "at the start": slice(0, 20), "at the end": slice(40, 60), "most": slice(5, 45)}
FINDINGS = ("layout", "units", "up axis", "handedness")
SIZE = 1.75


@pytest.fixture(scope="module")
def undisturbed(make_recording):
    """Return a function that interprets the walk in a layout as it is, once for each naming."""
    return cache(lambda shown, /, **naming: interpret(make_recording(shown, **naming)))


def _same_findings(reading, other) -> bool:
    return all(reading.finding(subject).value == other.finding(subject).value for subject in FINDINGS)


@pytest.mark.slow
@pytest.mark.parametrize("far_m", [1.0, 5.0, 1e5, 1e10])
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize(
    ("layout", "point"),
    [
        ("body25", "right_ankle"), ("body25", "left_hip"), ("coco17", "left_knee"), ("coco17", "nose"),
        ("h36m17", "right_shoulder"), ("halpe26", "left_wrist"), ("smpl24", "head"), ("wholebody133", "left_heel"),
    ],
)  # fmt: skip
def test_a_misplaced_point_is_left_out_and_nothing_else_changes(layout, point, run, far_m, make_recording, undisturbed):
    truth = walk_in(LAYOUTS[layout])
    place = LAYOUTS[layout].names.index(point)
    moved = truth.copy()
    moved[run, place] += far_m * np.array([0.6, 0.0, -0.8])
    for naming in ({}, {"names": None}):
        before = undisturbed(layout, **naming)
        reading = interpret(make_recording(layout, positions=moved, **naming))
        assert _same_findings(reading, before)
        assert reading.stature_m == pytest.approx(before.stature_m, abs=0.02)
        expected = np.zeros(truth.shape[:2], dtype=bool)
        expected[run, place] = True
        np.testing.assert_array_equal(reading.track.left_out, expected)
        np.testing.assert_array_equal(reading.track.positions[~expected], before.track.positions[~expected])
        assert np.isnan(reading.track.positions[expected]).all()
        assert point in reading.left_out[0] and reading.left_out[0] in reading.track.notes
        assert reading.left_out[0] in reading.track.doubts, "so that fits and batches tell it"


@pytest.mark.slow
@pytest.mark.parametrize("off_m", [0.3, -0.3])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(
    "point", ["left_hip", "right_knee", "left_ankle", "right_shoulder", "left_elbow", "left_wrist"]
)
@pytest.mark.parametrize("layout", ["coco17", "body25"])
def test_a_slightly_misplaced_point_changes_no_finding(layout, point, axis, off_m, make_recording, undisturbed):
    for naming, num_frames in (({}, 50), ({"names": None, "layout": layout}, 50), ({"names": None}, 25)):
        moved = walk_in(LAYOUTS[layout])
        moved[:num_frames, LAYOUTS[layout].names.index(point), axis] += off_m
        reading = interpret(make_recording(layout, positions=moved, **naming))
        assert _same_findings(reading, undisturbed(layout, **naming))


def test_a_label_on_another_limb_is_left_out(make_recording):
    layout = LAYOUTS["halpe26"]
    toe, wrist = layout.names.index("right_big_toe"), layout.names.index("right_wrist")
    moved = walk_in(layout)
    moved[20:45, toe] = moved[20:45, wrist] + 0.01
    reading = interpret(make_recording("halpe26", positions=moved))
    assert np.argwhere(reading.track.left_out).tolist() == [[frame, toe] for frame in range(20, 45)]
    assert reading.left_out == (
        "Points left out in frames in which they are misplaced, counted from 0: right_big_toe in 20-44.",
    )


def test_a_body_far_from_the_origin_is_not_misplaced(make_recording):
    truth = walk_in(LAYOUTS["body25"])
    away = np.array([1e5, -3e4, 7e4])
    moved = truth + away
    moved[10:20, 4] += 2.5
    reading = interpret(make_recording(positions=moved))
    assert np.argwhere(reading.track.left_out).tolist() == [[frame, 4] for frame in range(10, 20)]
    assert reading.stature_m == pytest.approx(interpret(make_recording()).stature_m, abs=1e-6)
    np.testing.assert_allclose(reading.track.positions[20:], truth[20:] + away, atol=1e-9)


@pytest.mark.parametrize("layout", ["body25", "coco17", "h36m17", "mediapipe33", "smpl22", "wholebody133"])
def test_typical_tracker_errors_leave_nothing_out(layout):
    rng = np.random.default_rng(4)
    truth = walk_in(LAYOUTS[layout])
    points = truth + rng.normal(0.0, 0.025, (1, *truth.shape[1:])) + rng.normal(0.0, 0.02, truth.shape)
    assert not find_misplaced(points, LAYOUTS[layout], SIZE).any()


def test_swapped_limbs_are_not_left_out(make_recording):
    layout = LAYOUTS["coco17"]
    exchanged = walk_in(layout)
    for joint in ("elbow", "knee", "wrist"):
        pair = [layout.names.index(f"{side}_{joint}") for side in ("left", "right")]
        exchanged[:, pair] = exchanged[:, pair[::-1]]
    assert not find_misplaced(exchanged, layout, SIZE).any()


@pytest.mark.parametrize("far_m", [1e5, 1e11])
def test_a_whole_body_that_is_implausibly_far_is_left_out(far_m, make_recording):
    moved = walk_in(LAYOUTS["coco17"])
    moved[:3] += far_m
    reading = interpret(make_recording("coco17", positions=moved))
    assert reading.track.left_out[:3].all() and not reading.track.left_out[3:].any()


def test_no_point_is_far_if_the_body_is_hardly_visible():
    points = np.zeros((3, 6, 3))
    points[:, 0] = 1e6
    points[:, 3:] = np.nan
    assert not find_far(points, range(6)).any()


@pytest.mark.slow
@pytest.mark.parametrize("marker", ["r_ankle_lat", "L_HJC"])
def test_misplaced_markers_are_left_out(marker, keypoints, tmp_path):
    (clean,) = read_all(keypoints / "trc/AddBiomechanics_motion_capture_walk.trc")
    path = tmp_path / "moved.trc"
    lines = (keypoints / "trc/AddBiomechanics_motion_capture_walk.trc").read_text().splitlines()
    names = [name for name in lines[3].split("\t")[2:] if name.strip()]
    matched = clean.matched[len(clean.matched) // 2 if marker == "L_HJC" else 3]
    column = 2 + 3 * names.index(matched)
    start = next(number for number, line in enumerate(lines) if number > 4 and line.strip())
    for number in range(start + 20, start + 50):
        cells = lines[number].split("\t")
        cells[column] = str(float(cells[column]) + 4000.0)
        lines[number] = "\t".join(cells)
    path.write_text("\n".join(lines) + "\n")
    (reading,) = read_all(path)
    assert _same_findings(reading, clean)
    assert reading.stature_m == pytest.approx(clean.stature_m, abs=0.01)
    assert any(f"{matched} in 20-49" in note for note in reading.left_out)


def test_info_prints_left_out_points(tmp_path):
    layout = LAYOUTS["halpe26"]
    points = walk_in(layout)
    points[30:50, layout.names.index("left_wrist")] = [7.0, 7.5, 8.0]
    (tmp_path / "walk.trc").write_text(trc_text(points, layout.names))
    stream = io.StringIO()
    assert run_info([tmp_path / "walk.trc"], stream=stream) == 0
    assert "  left out     Points left out" in stream.getvalue() and "left_wrist in 30-49." in stream.getvalue()


def test_frame_runs_are_named_by_their_first_and_last_frame():
    marked = np.zeros(NUM_FRAMES, dtype=bool)
    marked[[0, 5, 6, 7, 59]] = True
    assert frame_runs(marked) == ["0", "5-7", "59"]
    assert frame_runs(np.zeros(3, dtype=bool)) == []


def test_densest_is_robust_to_a_majority_of_outliers():
    values = np.concatenate([np.linspace(0.9, 1.1, 50), np.linspace(3.0, 9.0, 55), [np.nan]])
    middle, half_width = densest(values)
    assert middle == pytest.approx(1.0, abs=0.05) and 0.05 < half_width < 0.11
    assert np.isnan(densest(np.array([np.nan]))).all()
    assert densest(np.array([2.0])) == (2.0, 0.0)
