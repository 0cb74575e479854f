"""The shared cases and faults, which are kept beside the repository, are read as their README says.

All hold the walk of the samples, seen on an earlier free body: its joints are those of the file of joint centres.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.errors import CoreError
from core.fit import FitOptions, fit_track
from core.reading import Reading, ReadOptions, read_all

RATE = ReadOptions(fps=60.0)
JOINTS = tuple(f"{side}_{name}" for name in ("knee", "ankle", "elbow", "wrist") for side in ("left", "right"))
"""Points that joints and markers show alike."""


@pytest.fixture(scope="module")
def cases(shared_dir) -> Path:
    return shared_dir / "data" / "cases"


@pytest.fixture(scope="module")
def faults(shared_dir) -> Path:
    return shared_dir / "data" / "faults"


def joints_of(reading: Reading) -> np.ndarray:
    """Return the points JOINTS (F, 8, 3), metres, NaN where they are missing."""
    track = reading.track
    columns = [track.layout.solver_index[name] for name in JOINTS]
    seen = track.confidence[:, columns, None] > 0.0
    return np.where(seen, track.positions[:, columns], np.nan)


@pytest.fixture(scope="module")
def walk(cases) -> np.ndarray:
    (reading,) = read_all(cases / "13_joint_centres.trc")
    assert (reading.track.layout.name, reading.track.num_frames) == ("coco17", 150)
    return joints_of(reading)


READ = {
    "06_qualisys.tsv": ("Qualisys TSV", "markers", 60.0, ("",)),
    "06b_qualisys_no_frame_columns.tsv": ("Qualisys TSV", "markers", 60.0, ("",)),
    "07_motive_markers.csv": ("OptiTrack CSV", "markers", 60.0, ("Skel01",)),
    "09_isb_marker_words.trc": ("TRC", "markers", 60.0, ("",)),
    "12_stanford_words.trc": ("TRC", "markers", 60.0, ("",)),
    "14_bvh_worldpos.csv": ("CSV", "skeleton", 60.0, ("",)),
    "17_azure_kinect.json": ("Azure Kinect JSON", "kinect32", 30.0, ("",)),
    "20_hdPose3d_stage1_coco19": ("CMU Panoptic JSON", "panoptic19", 29.97, ("",)),
    "20b_panoptic19.npy": ("NPY", "panoptic19", None, ("",)),
    "22_freemocap_75_right_hand_first.npy": ("NPY", "mediapipe75", None, ("",)),
    "23_two_people_rows.csv": ("CSV", "halpe26", 60.0, ("0", "1")),
    "29_markers_named_like_joints.trc": ("TRC", "markers", 60.0, ("",)),
    "30_two_header_rows.csv": ("CSV", "markers", None, ("",)),
    "32_axis_with_unit.csv": ("CSV", "halpe26", None, ("",)),
    "32b_axis_in_brackets.csv": ("CSV", "halpe26", None, ("",)),
    "36_header_times.trc": ("TRC", "halpe26", 60.0, ("",)),
    "37_starts_at_037s.trc": ("TRC", "halpe26", 60.0, ("",)),
    "42_xsens.mvnx": ("Xsens MVNX", "skeleton", 60.0, ("",)),
    "43_smplx55.npy": ("NPY", "smplx55", None, ("",)),
}


@pytest.mark.parametrize("name", READ)
def test_the_walk_is_read_from_every_form(cases, walk, name):
    kind, layout, fps, people = READ[name]
    if fps is None:
        with pytest.raises(CoreError, match="expected a frame rate.*--fps"):
            read_all(cases / name)
    readings = read_all(cases / name, ReadOptions() if fps else RATE)
    assert [reading.track.person for reading in readings] == list(people)
    for reading in readings:
        assert (reading.kind, reading.track.layout.name) == (kind, layout)
        assert reading.track.fps == pytest.approx(fps or 60.0, rel=1e-3)
        found = joints_of(reading)
        off = found - walk[: len(found)]
        off -= np.nanmedian(off, axis=(0, 1))  # cameras, and the second person, stand elsewhere
        assert np.nanmedian(np.linalg.norm(off, axis=-1)) < (0.025 if layout == "markers" else 0.004)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("28_flat_2d.trc", "all points lie in one plane .z is 0 throughout., so they are 2D"),
        ("39_torch_results.pt", "found a PyTorch file with an empty dictionary in "),
        ("39b_table.xlsx", "found an Excel table in .*; save it as CSV"),
        ("45_freemocap_wrong_scale.csv", "is 5.37 m tall; .* give --stature with the person's height"),
    ],
)
def test_what_cannot_be_read_is_named(cases, name, message):
    with pytest.raises(CoreError, match=message):
        read_all(cases / name, RATE)


@pytest.mark.parametrize(
    ("name", "point", "left_out"),
    [("01_far_outlier_run.trc", "right_ankle", "40-59"), ("05_toe_label_on_hand.trc", "right_big_toe", "60-109")],
)
def test_a_misplaced_point_is_left_out_in_its_frames_alone(cases, walk, name, point, left_out):
    (reading,) = read_all(cases / name)
    assert any(f"{point} in {left_out}." in note for note in reading.left_out)
    first, last = map(int, left_out.split("-"))
    trusted = reading.track.confidence[:, reading.track.layout.solver_index[point]] > 0.0
    assert np.flatnonzero(~trusted).tolist() == list(range(first, last + 1))


def test_a_sentinel_is_a_gap(cases):
    (reading,) = read_all(cases / "02_sentinel_9999.trc")
    assert "20 points with the same number in all axes (9999.999) are treated as missing." in reading.remarks


def test_missing_frames_of_the_whole_person_are_flagged_and_the_header_is_right(cases):
    (reading,) = read_all(cases / "38_half_second_missing.trc")
    assert not any("header" in remark for remark in reading.remarks)
    _, report = fit_track(reading.track, load_free_body(), FitOptions(quality="fast"))
    assert [(flag.what, flag.first, flag.last) for flag in report.flags] == [("person", 50, 79)]


@pytest.mark.parametrize("name", ["26_root_relative_const_height.npy", "26a_root_relative_zero_control.npy"])
def test_a_root_that_stays_is_no_place(cases, name):
    (reading,) = read_all(cases / name, RATE)
    assert reading.track.root_relative


@pytest.mark.slow
@pytest.mark.parametrize(("name", "turn_deg"), [("far_100000_m.npz", 0.01), ("wild_point_before_gap_3m.npz", 0.1)])
def test_faulty_points_do_not_turn_the_body(faults, name, turn_deg):
    turns = []
    for path in (faults / "clean.npz", faults / name):
        (reading,) = read_all(path)
        motion, _ = fit_track(reading.track, load_free_body())
        turns.append(motion.rotations())
    cosines = (np.einsum("fjab,fjab->fj", *turns) - 1.0) / 2.0
    assert np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0))).mean() < turn_deg


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("npy_empty_flat.npy", "found 0 frames"),
        ("npy_U0.npy", "<U0, which has no bytes"),
        ("npy_zero_huge.npy", "expected an array shape"),
        ("c3d_one_value.c3d", "expected legs or arms"),
        ("trc_regex_20kB.trc", "expected a line 'Frame#  Time  names'"),
        ("pickle_tuple_key_hangs.pkl", "expected a number or a string as a key, got tuple"),
        ("aist_memo_bomb.pkl", "expected a dictionary with 'keypoints3d_optim'"),
    ],
)
def test_hostile_files_are_errors_of_ours(faults, name, message):
    with pytest.raises(CoreError, match=message):
        read_all(faults / name)
