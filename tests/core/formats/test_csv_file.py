"""CSV files of every tool, written from its schema and read back."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import TrackFileError
from core.formats import read_recordings
from core.layouts import LAYOUTS

from .track_writers import (
    MEDIAPIPE,
    anipose_csv,
    clip,
    names_of,
    tidy_v1,
    tidy_v2,
    trc_text,
    vicon_csv,
    wide_csv,
    world_dump,
)


def _standing_world(num_frames=20):
    """Return MediaPipe world points: metres, y down, middle of the hips at the origin."""
    points = 0.2 * clip(num_frames, 33, seed=3)
    points[:, 0, 1] -= 0.7
    points[:, 27:29, 1] += 0.8
    points -= points[:, [23, 24]].mean(axis=1, keepdims=True)
    return points


@pytest.mark.parametrize(
    "pattern", ["{name}_{axis}", "{name}.{axis}", "{name} {axis}", "{axis}_{name}", "{name}:{axis}"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("upper", [False, True])
def test_wide_tables(read, pattern, delimiter, upper):
    points, names = clip(8, 4, missing=True), ("hip", "left_knee", "index", "Nose")
    text = wide_csv(points, names, pattern=pattern, delimiter=delimiter)
    if upper:
        header, rest = text.split("\n", 1)
        text, names = f"{header.upper()}\n{rest}", tuple(name.upper() for name in names)
    (recording,) = read("a.csv", text)
    np.testing.assert_array_equal(recording.positions, points)
    assert (recording.names, recording.fps, recording.units, recording.kind) == (names, None, None, "CSV")


def test_confidence_columns_and_zero_confidence(read):
    points = clip(6, 3)
    trust = np.random.default_rng(1).random((6, 3))
    trust[2, 1] = 0.0
    (recording,) = read("a.csv", wide_csv(points, names_of(3), trust=("{name}_visibility", trust)))
    np.testing.assert_array_equal(recording.confidence, trust)
    assert np.isnan(recording.positions[2, 1]).all()


@pytest.mark.parametrize(
    ("column", "scale"),
    [("time", 1.0), ("timestamp", 1e3), ("Time_ms", 1e3), ("timestamp", 1e6), ("timestamp", 1e9), ("time (s)", 1.0)],
)
def test_rate_and_gaps_from_times(read, column, scale):
    ticks = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13])
    times = [repr(float((100.0 + tick / 25.0) * scale)) for tick in ticks]
    points = clip(len(ticks), 2)
    (recording,) = read("a.csv", wide_csv(points, names_of(2), lead={column: times}))
    assert recording.fps == pytest.approx(25.0, rel=1e-6)
    np.testing.assert_array_equal(recording.positions[ticks], points)
    assert recording.num_frames == 14 and (recording.confidence[10:12] == 0).all()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_header_with_frame_and_time_is_not_taken_for_trc(read, delimiter):
    points = clip(5, 4, missing=True)
    lead = {"Frame": range(5), "Time": [0.04 * frame for frame in range(5)]}
    (recording,) = read("a.csv", wide_csv(points, names_of(4), lead=lead, delimiter=delimiter))
    assert (recording.kind, recording.names, recording.fps) == ("CSV", names_of(4), 25.0)
    np.testing.assert_array_equal(recording.positions, points)


def test_dates_as_times(read):
    times = [f"2024-05-01T12:00:{tick / 20:06.3f}" for tick in range(40)]
    (recording,) = read("a.csv", wide_csv(clip(40, 2), names_of(2), lead={"timestamp": times}))
    assert recording.fps == pytest.approx(20.0)


@pytest.mark.parametrize("column", ["frame", "Frame#", "frame_number", "fnum"])
def test_skipped_frames_are_missing_rows(read, column):
    points = clip(4, 2)
    (recording,) = read("a.csv", wide_csv(points, names_of(2), lead={column: [3, 4, 6, 9]}))
    assert (recording.num_frames, recording.first_frame) == (7, 3)
    np.testing.assert_array_equal(recording.positions[[0, 1, 3, 6]], points)
    assert (recording.confidence[[2, 4, 5]] == 0).all()


def test_implausible_frame_number_is_rejected(read):
    with pytest.raises(TrackFileError, match="without large holes"):
        read("a.csv", wide_csv(clip(3, 2), names_of(2), lead={"frame": [1, 2, 10**15]}))


def test_freemocap_wide(read):
    names = [f"body_{name}" for name in MEDIAPIPE]
    points = 900.0 * clip(5, 33, missing=True)
    (recording,) = read("a.csv", wide_csv(points, names))
    assert (recording.kind, recording.names, recording.layout) == ("FreeMoCap CSV", MEDIAPIPE, "mediapipe33")
    np.testing.assert_array_equal(recording.positions, points)
    assert recording.units == "mm"


def test_freemocap_by_trajectory_joins_hands_and_drops_the_face(read):
    layout = LAYOUTS["mediapipe75"].names
    words = {"1": "mcp", "2": "pip", "3": "dip", "4": "tip"}
    thumb = {"1": "cmc", "2": "mcp", "3": "ip", "4": "tip"}

    def column_name(name):
        if "_hand_" not in name or name.endswith("wrist"):
            return name if "_hand_" in name else f"body_{name}"
        stem, joint = name[:-1], name[-1]
        return f"{stem}_{thumb[joint]}" if stem.endswith("thumb") else f"{stem}_finger_{words[joint]}"

    names = [column_name(name) for name in layout][::-1] + [f"face_{index:04d}" for index in range(9)]
    points = clip(3, len(names))
    lead = {"timestamp": ["", "", ""], "timestamp_by_camera": ["{}"] * 3}
    (recording,) = read("a.csv", wide_csv(points, names, lead=lead))
    assert (recording.layout, recording.names) == ("mediapipe75", layout)
    np.testing.assert_array_equal(recording.positions, points[:, 74::-1])
    assert any("9 points are left out: face" in note for note in recording.notes)


def test_freemocap_quoted_camera_times(read):
    names = [f"body_{name}" for name in MEDIAPIPE]
    lead = {"timestamp": ["0.0", "0.05"], "timestamp_by_camera": ['"{0: 0.1, 1: 0.2}"'] * 2}
    points = clip(2, 33)
    (recording,) = read("a.csv", wide_csv(points, names, lead=lead))
    np.testing.assert_array_equal(recording.positions, points)
    assert recording.fps == pytest.approx(20.0)


def test_freemocap_tidy_v1(read):
    keypoints = [("mediapipe_body", name) for name in MEDIAPIPE] + [("mediapipe_face", "face_0001")]
    points = clip(4, 34, missing=True)
    (recording,) = read("a.csv", tidy_v1(points, keypoints))
    assert (recording.kind, recording.layout, recording.names) == ("FreeMoCap CSV", "mediapipe33", MEDIAPIPE)
    np.testing.assert_array_equal(recording.positions, points[:, :33])


def test_freemocap_v2_uses_the_raw_trajectory(read):
    names = LAYOUTS["rtmpose_body"].names
    points = clip(4, len(names), missing=True)
    (recording,) = read("a.csv", tidy_v2(points, names))
    assert (recording.names, recording.layout) == (names, "rtmpose_body")
    np.testing.assert_array_equal(recording.positions, points)


def test_tidy_skipped_frames_and_duplicates(read):
    text = "frame,marker,x,y,z\n4,a,1,2,3\n4,b,4,5,6\n6,b,7,8,9\n"
    (recording,) = read("a.csv", text)
    assert recording.confidence.tolist() == [[1, 1], [0, 0], [0, 1]]
    assert (recording.first_frame, recording.names) == (4, ("a", "b"))
    with pytest.raises(TrackFileError, match="once per frame"):
        read("a.csv", text + "6,b,1,1,1\n")


def test_mediapipe_world_dump(read):
    points, frames = _standing_world(), [*range(10), *range(12, 22)]
    trust = np.random.default_rng(2).uniform(0.1, 1.0, (20, 33))
    (recording,) = read("a.csv", world_dump(points, trust, frames))
    assert (recording.kind, recording.layout, recording.units) == ("MediaPipe CSV", "mediapipe33", "m")
    assert (recording.up_axis, recording.image_space, recording.fps) == ("-Y", None, 25.0)
    np.testing.assert_array_equal(recording.positions[frames], points)
    np.testing.assert_array_equal(recording.confidence[frames], trust)
    assert (recording.confidence[10:12] == 0).all() and recording.num_frames == 22


def test_mediapipe_world_dump_of_a_subset_of_points(read):
    text = "frame,ms,index,x,y,z,visibility\n1,0,11,1,2,3,0.5,12,4,5,6,0.25\n2,33,11,1,2,3,0.5\n"
    (recording,) = read("a.csv", text)
    assert recording.names == ("left_shoulder", "right_shoulder")
    assert recording.confidence.tolist() == [[0.5, 0.25], [0.5, 0.0]]


def test_mediapipe_numbered_columns(read):
    points = _standing_world()
    numbers = [str(index) for index in range(33)]
    text = wide_csv(
        points, numbers, pattern="{axis}_{name}", delimiter=";", trust=("V_{name}", np.full((20, 33), 0.75))
    )
    header, rest = text.split("\n", 1)
    (recording,) = read("a.csv", f"{header.upper()}\n{rest}")
    assert (recording.names, recording.units, recording.layout) == (MEDIAPIPE, "m", "mediapipe33")
    assert (recording.confidence == 0.75).all()
    np.testing.assert_array_equal(recording.positions, points)


@pytest.mark.parametrize("names", [[f"L{index}" for index in range(33)], list(MEDIAPIPE)])
def test_mediapipe_image_fractions_are_marked(read, names):
    points = _standing_world() * 0.4 + [0.5, 0.55, 0.0]
    trust = ("{name}_visibility", np.full((20, 33), 0.9))
    (recording,) = read("a.csv", wide_csv(points, names, lead={"frame": range(1, 21)}, trust=trust))
    assert recording.image_space and "fractions of the image" in recording.image_space
    assert "pose_world_landmarks" in recording.image_space


def test_metric_mediapipe_points_are_not_marked(read):
    points = _standing_world() * [1, -1, 1] + [0.4, 0.9, 0.3]
    (recording,) = read("a.csv", wide_csv(points, MEDIAPIPE))
    assert recording.image_space is None and recording.up_axis is None


def test_anipose(read):
    points = clip(6, 3, missing=True)
    score = np.random.default_rng(4).uniform(0.1, 1.0, (6, 3))
    score[0, 0] = 2.0
    points[0, 0] = 1.0
    (recording,) = read("a.csv", anipose_csv(points, names_of(3), score))
    assert (recording.kind, recording.names) == ("Anipose CSV", names_of(3))
    np.testing.assert_array_equal(recording.positions, points)
    present = np.isfinite(points).all(-1)
    assert recording.confidence[0, 0] == 0.5
    present[0, 0] = False
    np.testing.assert_array_equal(recording.confidence[present], score[present])


def test_vicon_nexus_subjects(read):
    labels = ["Ann:HEAD", "Bob:HEAD", "Ann:FOOT"]
    points = clip(5, 3, missing=True)
    devices = "Devices\n1000\n,Force\nFrame,Sub Frame,Fx\n,,N\n1,0,5\n\n"
    ann, bob = read("a.csv", devices + vicon_csv(points, labels, first=20) + "\nSegments\n1\n")
    assert (ann.person, ann.names, bob.person, bob.names) == ("Ann", ("HEAD", "FOOT"), "Bob", ("HEAD",))
    assert (ann.fps, ann.units, ann.first_frame, ann.kind) == (100.0, "mm", 20, "Vicon CSV")
    np.testing.assert_array_equal(ann.positions, points[:, [0, 2]])
    np.testing.assert_array_equal(bob.positions, points[:, [1]])


@pytest.mark.parametrize("kind", ["csv", "trc"])
def test_subject_prefixes_become_people(tmp_path, kind):
    points = clip(4, 5, missing=True)
    labels = ["Ann:HEAD", "Bob:HEAD", "Ann:FOOT", "Bob:FOOT", "Ann:TOE"]
    path = tmp_path / f"two.{kind}"
    path.write_text(wide_csv(points, labels) if kind == "csv" else trc_text(points, labels))
    ann, bob = read_recordings(path)
    assert (ann.person, ann.names, bob.person, bob.names) == ("Ann", ("HEAD", "FOOT", "TOE"), "Bob", ("HEAD", "FOOT"))
    np.testing.assert_array_equal(ann.positions, points[:, [0, 2, 4]])
    np.testing.assert_array_equal(bob.positions, points[:, [1, 3]])
    np.testing.assert_array_equal(bob.confidence == 0.0, np.isnan(points[:, [1, 3], 0]))
    path.write_text(wide_csv(points, ["HEAD", *labels[1:]]))
    assert [recording.person for recording in read_recordings(path)] == [""]


def test_2d_and_unnamed_tables_are_rejected(read):
    with pytest.raises(TrackFileError, match="2D"):
        read("a.csv", "nose_x,nose_y,hip_x,hip_y\n1,2,3,4\n")
    with pytest.raises(TrackFileError, match="name_x, name_y, name_z"):
        read("a.csv", "a,b,c\n1,2,3\n")


def test_truncated_table_is_rejected(read):
    text = wide_csv(clip(9, 4), names_of(4))
    with pytest.raises(TrackFileError, match="cut off"):
        read("a.csv", text[:-30])


def test_short_rows_are_missing_points(read):
    (recording,) = read("a.csv", "a_x,a_y,a_z,b_x,b_y,b_z\n1,2,3,4,5,6\n1,2,3,4\n1,2,3,4,5,6\n")
    assert recording.confidence.tolist() == [[1, 1], [1, 0], [1, 1]]
