"""Compare joint centres from markers with published formulas, and with the centres in Vicon's files."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from core.formats.dispatch import read_recordings
from core.formats.raw import RawRecording
from core.markers.joint_centres import joint_centres
from core.markers.labels import marker_roles, missing_roles
from core.reading import interpret
from core.smpl_skeleton import JOINT_INDEX, SIDES
from tests.recordings import cases
from tests.simulated_markers import simulated, true_joints

JOINT_BOUNDS_MM = {
    "hip": (22, 22), "knee": (6, 13), "ankle": (7, 19), "shoulder": (29, 29), "elbow": (4, 30), "wrist": (5, 5),
}  # fmt: skip
"""Largest mean distances of joint centres from the free body's joints, with medial markers and without."""
PLUG_IN_GAIT_ORIGINS = {"knee": "FEO", "ankle": "TIO", "elbow": "HUO", "wrist": "RAO", "shoulder": "CLO"}


@pytest.fixture(scope="module")
def originals(shared_dir: Path) -> Path:
    """The original keypoint files, some of which have the joint centres of another program."""
    return shared_dir / "data" / "keypoints"


def _recording(keypoints: Path, name: str) -> RawRecording:
    return read_recordings(keypoints / "c3d" / name)[0]


def _centres(recording: RawRecording) -> dict[str, np.ndarray]:
    assert recording.names is not None
    roles = marker_roles(recording.names)
    points = {role: recording.positions[:, index] for role, index in roles.items()}
    return joint_centres(points, units_per_mm=1.0)


def _error_mm(recording: RawRecording, centre: np.ndarray, name: str) -> float:
    assert recording.names is not None
    truth = recording.positions[:, recording.names.index(name)]
    return float(np.nanmedian(np.linalg.norm(centre - truth, axis=-1)))


def _simple_markers() -> dict[str, np.ndarray]:
    """Return one frame of a person's markers in millimetres, X forward, Y left, Z up."""
    sides = {
        "asis": (0.0, 120.0, 1000.0),
        "psis": (-150.0, 50.0, 1000.0),
        "knee_lateral": (-40.0, 140.0, 500.0),
        "ankle_lateral": (-40.0, 140.0, 70.0),
        "acromion": (-60.0, 180.0, 1450.0),
        "elbow_lateral": (-60.0, 200.0, 1130.0),
    }
    points = {}
    for role, (forward, left, up) in sides.items():
        points[f"left_{role}"] = np.array([[forward, left, up]])
        points[f"right_{role}"] = np.array([[forward, -left, up]])
    return points


def test_hip_centres_follow_harrington():
    # Harrington et al. 2007: -0.24 PD - 9.9 ahead, -0.30 PW - 10.9 up, 0.33 PW + 7.3 outwards; PW 240, PD 150 mm.
    centres = joint_centres(_simple_markers(), units_per_mm=1.0)
    assert centres["left_hip"][0] == pytest.approx([-0.24 * 150 - 9.9, 0.33 * 240 + 7.3, 1000 - 0.30 * 240 - 10.9])
    assert centres["right_hip"][0] == pytest.approx([-0.24 * 150 - 9.9, -0.33 * 240 - 7.3, 1000 - 0.30 * 240 - 10.9])


def test_the_shoulder_lies_below_the_acromion_by_17_percent_of_their_distance():
    centres = joint_centres(_simple_markers(), units_per_mm=1.0)
    drop = np.linalg.norm(centres["left_shoulder"][0] - [-60.0, 180.0, 1450.0])
    assert drop == pytest.approx(0.17 * 360.0)
    assert centres["left_shoulder"][0][2] < 1450.0 - 60.0


def test_the_knee_lies_medially_at_a_right_angle_to_the_thigh():
    points = _simple_markers()
    centres = joint_centres(points, units_per_mm=1.0)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        to_marker = points[f"{side}_knee_lateral"] - centres[f"{side}_knee"]
        to_hip = centres[f"{side}_hip"] - centres[f"{side}_knee"]
        assert np.sum(to_marker * to_hip) == pytest.approx(0.0, abs=1e-6)
        assert sign * to_marker[0, 1] > 40.0


def test_with_a_medial_marker_the_centre_is_the_midpoint():
    points = _simple_markers()
    points["left_knee_medial"] = points["left_knee_lateral"] - [[0.0, 100.0, 0.0]]
    assert joint_centres(points, units_per_mm=1.0)["left_knee"][0] == pytest.approx([-40.0, 90.0, 500.0])


def test_given_hip_centres_take_precedence_over_estimated_ones():
    points = _simple_markers()
    points["left_hip_centre"] = np.array([[1.0, 2.0, 3.0]])
    assert joint_centres(points, units_per_mm=1.0)["left_hip"][0] == pytest.approx([1.0, 2.0, 3.0])


def test_gaps_of_given_hip_centres_are_filled_from_the_pelvis():
    points = {role: np.tile(place, (5, 1)) for role, place in _simple_markers().items()}
    points["left_hip_centre"] = np.full((5, 3), np.nan)
    points["left_hip_centre"][[0, 2, 4]] = [-60.0, 70.0, 880.0]
    hips = joint_centres(points, units_per_mm=1.0)["left_hip"]
    assert hips == pytest.approx(np.tile([[-60.0, 70.0, 880.0]], (5, 1)), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("source", "num_hidden"), cases([("twin", 150), ("original", 300)]))
def test_hips_are_found_while_pelvis_markers_are_hidden_in_a_squat(data_dir, source, num_hidden):
    recording = _recording(data_dir(source) / "keypoints", "squat.c3d")
    assert recording.names is not None
    hidden = ~np.isfinite(recording.positions[:, recording.names.index("LFWT")]).all(-1)
    assert hidden.sum() > num_hidden
    centres = _centres(recording)
    for side in ("left", "right"):
        assert np.isfinite(centres[f"{side}_hip"]).all()
        assert np.isfinite(centres[f"{side}_shoulder"]).all()
        thigh = np.linalg.norm(centres[f"{side}_hip"] - centres[f"{side}_knee"], axis=-1)
        assert np.nanstd(thigh) < 16.0


def test_shoulders_are_found_while_the_hips_are_hidden():
    points = {role: np.tile(place, (5, 1)) for role, place in _simple_markers().items()}
    expected = joint_centres(points, units_per_mm=1.0)["left_shoulder"]
    points["left_asis"] = points["left_asis"].copy()
    points["left_asis"][[0, 2]] = np.nan
    points["right_psis"] = points["right_psis"].copy()
    points["right_psis"][[0, 2]] = np.nan
    centres = joint_centres(points, units_per_mm=1.0)
    assert np.isnan(centres["left_hip"][[0, 2]]).all()
    assert centres["left_shoulder"] == pytest.approx(expected)


def test_mirrored_markers_give_the_mirrored_joints():
    points = {**_simple_markers(), "left_wrist": np.array([[150.0, 200.0, 1050.0]])}
    mirror = np.array([1.0, -1.0, 1.0])
    plain = joint_centres(points, units_per_mm=1.0)
    mirrored = joint_centres({role: point * mirror for role, point in points.items()}, units_per_mm=1.0)
    for name, centre in plain.items():
        assert mirrored[name] == pytest.approx(centre * mirror), name


@pytest.mark.parametrize("with_medial", [True, False])
def test_centres_agree_with_the_joints_of_a_simulated_person(with_medial):
    places = {
        "asis": "asis", "psis": "psis", "acromion": "shoulder", "thigh": "thigh outside", "shank": "shank outside",
        "knee_lateral": "knee outside", "ankle_lateral": "ankle outside", "elbow_lateral": "elbow outside",
        "heel": "heel", "wrist_thumb_side": "wrist thumb side", "wrist_little_finger_side": "wrist little finger side",
    }  # fmt: skip
    if with_medial:
        places |= {f"{joint}_medial": f"{joint} inside" for joint in ("knee", "ankle", "elbow")}
    roles = {f"{side}_{role}": f"{side} {place}" for side in ("left", "right") for role, place in places.items()}
    points = 1000.0 * simulated(list(roles.values()), 100.0, 700)
    centres = joint_centres({role: points[:, index] for index, role in enumerate(roles)}, units_per_mm=1.0)
    truth = 1000.0 * true_joints(100.0, 700)
    for joint, bound in JOINT_BOUNDS_MM.items():
        for side in ("left", "right"):
            off = centres[f"{side}_{joint}"] - truth[:, JOINT_INDEX[f"{side}_{joint}"]]
            error = np.linalg.norm(off, axis=-1).mean()
            assert error < bound[not with_medial], (side, joint, error)


def test_plug_in_gait_centres_agree_with_vicons(originals):
    # The static trial's subject has about the default joint widths.
    recording = _recording(originals, "pycgm_Sample_Static.c3d")
    centres = _centres(recording)
    for joint, bound in {"knee": 5, "ankle": 6, "elbow": 5, "wrist": 3, "shoulder": 18}.items():
        for side in ("left", "right"):
            origin = side[0].upper() + PLUG_IN_GAIT_ORIGINS[joint]
            error = _error_mm(recording, centres[f"{side}_{joint}"], origin)
            assert error < bound, (side, joint, error)


def test_arm_centres_of_a_broad_person_agree_with_vicons(originals):
    recording = _recording(originals, "pycgm_Movement_trial.c3d")
    centres = _centres(recording)
    for joint, bound in {"elbow": 18, "wrist": 10, "shoulder": 15}.items():
        for side in ("left", "right"):
            origin = side[0].upper() + PLUG_IN_GAIT_ORIGINS[joint]
            assert _error_mm(recording, centres[f"{side}_{joint}"], origin) < bound, (side, joint)


def test_shank_lengths_are_constant_with_a_misaligned_wand(originals):
    # Plug-in Gait trusts the wand; the lengths of its shanks vary by 23 and 26 mm in this trial.
    recording = _recording(originals, "pycgm_Movement_trial.c3d")
    centres = _centres(recording)
    assert recording.names is not None
    for side in ("left", "right"):
        knee, ankle = (recording.positions[:, recording.names.index(side[0].upper() + stem)] for stem in ("FEO", "TIO"))
        vicon = np.linalg.norm(knee - ankle, axis=-1).std()
        own = np.linalg.norm(centres[f"{side}_knee"] - centres[f"{side}_ankle"], axis=-1).std()
        assert own < 0.5 * vicon, (side, own, vicon)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "name"),
    cases(
        [(source, f"trc/OpenCap_{name}.trc") for source in ("twin", "original") for name in ("DJ1", "walking2")]
        + [("original", "c3d/cmu_05_13.c3d")]
    ),
)
def test_knees_and_ankles_do_not_jump_where_cues_change(data_dir, source, name):
    recording = read_recordings(data_dir(source) / "keypoints" / name)[0]
    roles = marker_roles(recording.names or ())
    points = {role: recording.positions[:, index] for role, index in roles.items()}
    metre = 1000.0 if recording.units == "mm" else 1.0
    centres = joint_centres(points, units_per_mm=metre / 1000.0)
    for side in ("left", "right"):
        for joint in ("knee", "ankle"):
            jerk = np.linalg.norm(np.diff(centres[f"{side}_{joint}"], n=2, axis=0), axis=-1) / metre
            assert np.nanmax(jerk) < 0.03, (side, joint)


def test_knee_rotation_is_found_from_flexion_wherever_the_thigh_marker_is():
    # The thigh marker sits in front, contrary to all conventions; the knee flexes about the body's left axis.
    bend = np.linspace(0.0, 1.6, 40)
    zero = np.zeros_like(bend)
    hip, knee = np.array([0.0, 85.0, 900.0]), np.array([0.0, 85.0, 500.0])
    ankle = knee + 400.0 * np.stack([-np.sin(bend), zero, -np.cos(bend)], axis=-1)
    still = np.ones((len(bend), 1))
    points = {role: still * place[0] for role, place in _simple_markers().items()}
    left = {
        "left_hip_centre": still * hip,
        "left_knee_lateral": still * (knee + [0.0, 60.0, 0.0]),
        "left_thigh": still * [90.0, 100.0, 700.0],
        "left_ankle_lateral": ankle + [0.0, 40.0, 0.0],
        "left_shank": 0.5 * (ankle + knee) + [0.0, 50.0, 0.0],
    }
    centres = joint_centres({**points, **left}, units_per_mm=1.0)
    assert np.abs(centres["left_knee"] - knee).max() < 10.0


def test_the_ankle_axis_follows_the_flexion_of_the_knee_wherever_the_shank_marker_is():
    # The shank marker sits in front; the ankle's axis is turned outwards from the knee's, which is the left axis.
    bend = np.linspace(0.0, 1.2, 40)
    zero, one = np.zeros_like(bend), np.ones_like(bend)
    hip, knee = np.array([0.0, 85.0, 900.0]), np.array([0.0, 85.0, 500.0])
    down = np.stack([-np.sin(bend), zero, -np.cos(bend)], axis=-1)
    forward = np.stack([np.cos(bend), zero, -np.sin(bend)], axis=-1)
    ankle = knee + 400.0 * down
    outwards = np.cos(np.radians(10.0)) * np.stack([zero, one, zero], axis=-1) - np.sin(np.radians(10.0)) * forward
    still = np.ones((len(bend), 1))
    points = {role: still * place[0] for role, place in _simple_markers().items()}
    left = {
        "left_hip_centre": still * hip,
        "left_knee_lateral": still * (knee + [0.0, 60.0, 0.0]),
        "left_ankle_lateral": ankle + 40.0 * outwards,
        "left_shank": 0.5 * (ankle + knee) + 60.0 * forward,
    }
    centres = joint_centres({**points, **left}, units_per_mm=1.0)
    assert np.abs(centres["left_ankle"] - ankle).max() < 10.0


@pytest.mark.slow
@pytest.mark.parametrize(("source", "most_mm"), cases([("twin", 15.0), ("original", 13.0)]))
@pytest.mark.parametrize(
    ("name", "millimetre"),
    [("c3d/squat.c3d", 1.0), ("trc/S00_P00_T01_BalancingTrial_0-100_filt_butterworth_LSTM.trc", 0.001)],
)
def test_centres_without_medial_markers_agree_with_the_midpoints(name, millimetre, source, most_mm, data_dir):
    recording = read_recordings(data_dir(source) / "keypoints" / name)[0]
    roles = marker_roles(recording.names or ())
    points = {role: recording.positions[:, index] for role, index in roles.items()}
    lateral_only = {role: place for role, place in points.items() if not role.endswith(("knee_medial", "ankle_medial"))}
    centres = joint_centres(lateral_only, units_per_mm=millimetre)
    for side in ("left", "right"):
        for joint in ("knee", "ankle"):
            if f"{side}_{joint}_medial" in points:
                middle = (points[f"{side}_{joint}_lateral"] + points[f"{side}_{joint}_medial"]) / 2.0
                error = np.nanmedian(np.linalg.norm(centres[f"{side}_{joint}"] - middle, axis=-1)) / millimetre
                assert error < most_mm, (side, joint)


def test_hip_centres_agree_with_those_in_a_cmu_file(originals):
    recording = _recording(originals, "cmu_05_13.c3d")
    centres = _centres(recording)
    for side in ("left", "right"):
        assert _error_mm(recording, centres[f"{side}_hip"], f"{side[0].upper()}HJ0") < 13.0


def _subsets(points: dict[str, np.ndarray], roles: tuple[str, ...]) -> list[dict[str, np.ndarray]]:
    """Return the points without each combination of *roles*."""
    counts = range(len(roles) + 1)
    return [
        {role: place for role, place in points.items() if role not in absent}
        for count in counts
        for absent in combinations(roles, count)
    ]


@pytest.mark.parametrize(
    "roles",
    [
        ("left_asis", "right_asis", "left_psis", "right_psis", "sacrum", "left_hip_centre", "right_hip_centre"),
        tuple(f"{side}_{part}" for side in SIDES for part in ("acromion", "shoulder_front", "shoulder_back")),
    ],
    ids=["pelvis", "shoulders"],
)
def test_any_markers_that_are_called_enough_give_hips_and_shoulders(roles):
    points = _simple_markers()
    points |= {"sacrum": np.array([[-150.0, 0.0, 1000.0]])}
    for side, left in (("left", 1.0), ("right", -1.0)):
        points[f"{side}_hip_centre"] = np.array([[-45.0, left * 85.0, 920.0]])
        points[f"{side}_shoulder_front"] = np.array([[0.0, left * 180.0, 1420.0]])
        points[f"{side}_shoulder_back"] = np.array([[-120.0, left * 180.0, 1420.0]])
    enough = [subset for subset in _subsets(points, roles) if not missing_roles(subset)]
    assert 10 < len(enough) < 2 ** len(roles)
    for subset in enough:
        centres = joint_centres(subset, units_per_mm=1.0)
        for joint in ("left_hip", "right_hip", "left_shoulder", "right_shoulder"):
            assert np.isfinite(centres[joint]).all(), (joint, sorted(subset))


@pytest.mark.slow
def test_joints_do_not_jump_when_markers_are_hidden_and_reappear(keypoints):
    track = interpret(_recording(keypoints, "squat.c3d")).track
    for joint in ("knee", "ankle", "elbow"):
        for side in ("left", "right"):
            place = track.positions[:, track.layout.solver_index[f"{side}_{joint}"]]
            assert 1000.0 * np.nanmax(np.linalg.norm(np.diff(place, n=2, axis=0), axis=-1)) < 9.0, (side, joint)
