"""Recordings of marker sets: recognised, refused with what is missing, and corrected where labels are swapped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import AmbiguousTrackError, TrackError
from core.formats.dispatch import read_recordings
from core.formats.raw import RawRecording
from core.layouts import LAYOUTS
from core.markers.labels import marker_roles, marker_set_title, missing_roles
from core.reading import ReadOptions, interpret


def _recording(keypoints: Path, name: str) -> RawRecording:
    return read_recordings(keypoints / "c3d" / name)[0]


@pytest.mark.slow
def test_the_marker_sets_of_all_sample_files_are_recognised(keypoints):
    titles = {
        "pycgm_Sample_Static.c3d": "Plug-in Gait",
        "cmu_02_05.c3d": "CMU Vicon",
        "squat.c3d": "laboratory markers",
    }
    for name, title in titles.items():
        names = _recording(keypoints, name).names
        assert names is not None
        assert marker_set_title(names) == title
        assert missing_roles(marker_roles(names)) == ()


@pytest.mark.slow
def test_mirrored_or_swapped_markers_are_refused_and_restored(keypoints):
    recording = _recording(keypoints, "cmu_02_05.c3d")
    plain = interpret(recording).track.positions[::200]

    def changed(positions: np.ndarray, names: tuple[str, ...]) -> RawRecording:
        return RawRecording(
            positions[::200],
            recording.confidence[::200],
            "C3D",
            recording.source,
            names=names,
            fps=1.0,
            units="mm",
            up_axis="+Z",
        )

    assert recording.names is not None
    mirrored = changed(recording.positions * [-1.0, 1.0, 1.0], recording.names)
    with pytest.raises(AmbiguousTrackError, match="--handedness left"):
        interpret(mirrored)
    restored = interpret(mirrored, ReadOptions(handedness="left")).track.positions
    assert np.nanmax(np.abs(restored - plain)) < 0.02
    other = tuple({"L": "R", "R": "L"}.get(name[0], name[0]) + name[1:] for name in recording.names)
    swapped = changed(recording.positions, other)
    with pytest.raises(AmbiguousTrackError, match="--swap-sides"):
        interpret(swapped)
    restored = interpret(swapped, ReadOptions(swap_sides=True)).track.positions
    assert np.nanmax(np.abs(restored - plain)) < 0.02


def test_too_few_markers_report_what_is_missing(make_recording):
    names = ("LASI", "RASI", "SACR", "LKNE", "LSHO", "RSHO")
    with pytest.raises(AmbiguousTrackError, match=r"markers lack the outside of both knees"):
        interpret(make_recording(positions=np.ones((2, 6, 3)), names=names))


@pytest.mark.parametrize("options", [ReadOptions(), ReadOptions(layout="markers")], ids=["detected", "given"])
@pytest.mark.parametrize(
    ("names", "lacking"),
    [
        (("LASI", "RASI", "LKNE", "RKNE", "LSHO", "RSHO"), r"the rear of the pelvis \(LPSI and RPSI, or SACR\)"),
        (("LASI", "RHJC", "LKNE", "RKNE", "LSHO", "RSHO"), r"the front of the pelvis on both sides"),
        (("LHJC", "RHJC", "LKNE", "RKNE", "LSHO", "RFSH"), r"both shoulders"),
    ],
)
def test_a_pelvis_or_shoulder_that_is_marked_by_half_is_an_error_that_says_what_lacks(
    make_recording, names, lacking, options
):
    with pytest.raises(TrackError, match=lacking):
        interpret(make_recording(positions=np.ones((2, len(names), 3)), names=names), options)


@pytest.mark.slow
def test_unmarked_points_of_the_marker_layout_are_missing(keypoints):
    track = interpret(_recording(keypoints, "pycgm_Sample_Static.c3d")).track
    assert track.layout is LAYOUTS["markers"]
    knuckle = track.layout.names.index("left_pinky_knuckle")
    assert (track.confidence[:, knuckle] == 0.0).all()


@pytest.mark.slow
def test_swapped_metatarsal_labels_are_corrected(keypoints):
    recording = _recording(keypoints, "squat.c3d")
    assert recording.names is not None
    reading = interpret(recording)
    for side, letter in (("left", "L"), ("right", "R")):
        ball = reading.track.layout.solver_index[f"{side}_fifth_metatarsal"]
        labelled = recording.positions[:, recording.names.index(f"{letter}MT1")]
        assert reading.track.positions[100, ball] == pytest.approx(labelled[100] / 1000.0, abs=1e-3)
    doubts = reading.finding("layout").doubts
    assert [doubt.split()[0] for doubt in doubts] == ["LMT1", "RMT1"]
    assert all("the two labels have been swapped" in doubt for doubt in doubts)


@pytest.mark.slow
def test_correct_metatarsal_labels_are_unchanged(keypoints):
    recording = _recording(keypoints, "JA1Gait35.c3d")
    assert recording.names is not None
    roles = marker_roles(recording.names)
    assert {"left_first_metatarsal", "left_fifth_metatarsal"} <= roles.keys()
    assert interpret(recording).finding("layout").doubts == ()


@pytest.mark.parametrize(
    ("names", "role"),
    [
        (
            "R.MedialKnee RKneeMed R_Medial_Femoral_Epicondyle rmedknee RightInnerKnee",
            "right_knee_medial",
        ),
        ("L.LateralKnee LLatKnee LKneeOuter L_Lat_Fem_Epi", "left_knee_lateral"),
        ("L.MedialAnkle LMedMal L_Medial_Malleolus LeftAnkleInner", "left_ankle_medial"),
        ("R.LateralAnkle R_Lateral_Malleolus RLatMal", "right_ankle_lateral"),
        ("R.MedialElbow RElbMed R_Medial_Humeral_Epicondyle", "right_elbow_medial"),
        ("L.LateralElbow LLatElb", "left_elbow_lateral"),
        ("R.5thMet R.Met5 RFifthMetatarsal R_MTP5", "right_fifth_metatarsal"),
        ("L.1stMet L_Metatarsal1", "left_first_metatarsal"),
        ("RCalcaneus R.Heel", "right_heel"),
        ("L.RadialStyloid L_Styloid_Radius", "left_wrist_thumb_side"),
        ("R.UlnarStyloid", "right_wrist_little_finger_side"),
    ],
)
def test_markers_are_known_by_bone_and_spot_in_any_order(names, role):
    assert [list(marker_roles([name])) for name in names.split()] == [[role]] * len(names.split())
