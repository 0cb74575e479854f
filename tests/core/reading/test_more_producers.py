"""Captury, ZED, HumanEva, OpenCap's visualizer, and files of known kinds that hold no points in the room."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

from core.errors import AmbiguousTrackError, TrackError, TrackFileError
from core.formats.zed_json import NAMES
from core.layouts import LAYOUTS
from core.reading import ReadOptions, read_all
from tests import producers as write
from tests.core.fit.scenes import Scene, walking
from tests.producers import assert_is, other_person

FPS = 30.0


@pytest.fixture(scope="module")
def scene() -> Scene:
    return walking()[150:186]


def captury(scene: Scene) -> str:
    layout = LAYOUTS["skeleton"]
    columns = [layout.names.index(name) for name in write.CAPTURY_JOINTS.values()]
    return write.captury_csv(write.filled(scene, layout)[:, columns])


def test_captury_without_its_angles_and_cameras(tmp_path, scene):
    (tmp_path / "shot_unknown.csv").write_text(captury(scene))
    (reading,) = read_all(tmp_path / "shot_unknown.csv", ReadOptions(fps=50.0))
    assert (reading.kind, reading.track.layout.name) == ("Captury CSV", "skeleton")
    assert (reading.finding("units").value, reading.finding("up axis").value) == ("mm", "+Y")
    assert not reading.doubts
    assert_is(reading.track, scene)


def test_captury_states_no_rate(tmp_path, scene):
    (tmp_path / "a.csv").write_text(captury(scene))
    with pytest.raises(AmbiguousTrackError, match="--fps"):
        read_all(tmp_path / "a.csv")


def test_captury_of_angles_alone_is_refused(tmp_path, scene):
    (tmp_path / "a.csv").write_text(captury(scene).replace("Positions", "Angles"))
    with pytest.raises(TrackFileError, match="export the take as CSV with positions"):
        read_all(tmp_path / "a.csv")


def _zed_bodies(scene: Scene, count: int, layout: str) -> np.ndarray:
    """Return ZED's points (F, K, 3), those that *layout* has not at its neck."""
    points = write.filled(scene, LAYOUTS[layout])
    index = {name: number for number, name in enumerate(LAYOUTS[layout].names)}
    index |= {"pelvis": index.get("pelvis", index.get("mid_hip", 0))}
    names = [re.sub(r"(hand_\w+)_(\d)", r"\1\2", name) for name in NAMES[count]]
    return points[:, [index.get(name, index["neck"]) for name in names]]


@pytest.mark.parametrize(
    ("count", "layout", "form"),
    [(18, "body25", "lists"), (34, "kinect32", "lists"), (38, "body25_hands", "lists"), (38, "body25_hands", "axes")],
)
def test_zed(tmp_path, scene, count, layout, form):
    document = {}
    people = [_zed_bodies(person, count, layout) for person in (scene, other_person(scene))]
    for frame in range(len(scene)):
        bodies = [
            {
                "id": number + 3,
                "keypoint": person[frame].tolist() if form == "lists" else
                [dict(zip("xyz", point, strict=True)) for point in person[frame].tolist()],
                "keypoint_confidence": [80.0] * count,
            }
            for number, person in enumerate(people)
        ]  # fmt: skip
        if frame == 5:
            bodies[1]["keypoint"][0] = [math.nan] * 3
            bodies.pop(0)
        stamp = 1_700_000_000_000_000_000 + round(frame / FPS * 1e9)
        document[str(stamp // 1_000_000)] = {"body_list": bodies, "is_new": True, "timestamp": stamp}
    (tmp_path / "bodies.json").write_text(json.dumps(document))
    first, second = read_all(tmp_path / "bodies.json")
    assert (first.kind, first.track.layout.name, first.track.person) == ("ZED JSON", layout, "3")
    assert first.track.fps == pytest.approx(FPS, abs=0.01)
    assert not first.track.confidence[5].any()
    np.testing.assert_allclose(first.track.confidence.max(), 0.8)
    assert_is(first.track, scene)
    assert_is(second.track, other_person(scene))


OPENSIM_BODIES = {
    "femur_r": "right_hip", "tibia_r": "right_knee", "talus_r": "right_ankle", "femur_l": "left_hip",
    "tibia_l": "left_knee", "talus_l": "left_ankle", "humerus_r": "right_shoulder", "ulna_r": "right_elbow",
    "hand_r": "right_wrist", "humerus_l": "left_shoulder", "ulna_l": "left_elbow", "hand_l": "left_wrist",
}  # fmt: skip


def opencap(scene: Scene) -> dict:
    layout = LAYOUTS["coco17"]
    points = scene.points(layout)
    bodies = {
        body: {"translation": points[:, layout.names.index(name)].tolist(), "rotation": [[0.0] * 3] * len(scene)}
        for body, name in OPENSIM_BODIES.items()
    }
    bodies |= {body: bodies["femur_r"] for body in ("pelvis", "torso", "calcn_r", "toes_r", "radius_r")}
    return {"time": [12.0 + frame / 50.0 for frame in range(len(scene))], "bodies": bodies}


def test_bodies_of_opencaps_visualizer(tmp_path, scene):
    (tmp_path / "squat.json").write_text(json.dumps(opencap(scene)))
    (reading,) = read_all(tmp_path / "squat.json")
    track = reading.track
    assert (reading.kind, track.layout.name, track.fps, track.start_s) == ("OpenCap bodies", "coco17", 50.0, 12.0)
    assert reading.finding("up axis").value == "+Y" and not reading.doubts
    assert_is(track, scene)


def test_a_body_without_a_place_at_each_time_is_refused(tmp_path, scene):
    document = opencap(scene)
    document["bodies"]["tibia_l"]["translation"].pop()
    (tmp_path / "squat.json").write_text(json.dumps(document))
    with pytest.raises(TrackFileError, match=r"for tibia_l at each of 36 times, found \(35, 3\)"):
        read_all(tmp_path / "squat.json")


def test_humaneva_of_videopose3d(tmp_path, scene):
    clip = write.filled(scene, LAYOUTS["humaneva15"]) @ write.Z_UP.T
    np.savez(tmp_path / "a.npz", positions_3d={"Train/S1": {"Walking 1 chunk0": clip.astype(np.float32)}})
    (reading,) = read_all(tmp_path / "a.npz")
    assert (reading.kind, reading.track.fps, reading.finding("up axis").value) == ("HumanEva NPZ", 60.0, "+Z")
    assert_is(reading.track, scene)


def test_world_landmarks_away_from_the_origin_are_metres(tmp_path, scene):
    points = write.filled(scene, LAYOUTS["mediapipe33"])
    points = (points - points[:, 23:25].mean(1, keepdims=True)) * [1.0, -1.0, -1.0] + [0.4, 0.6, 0.1]
    frames = [
        {"frame": number, "pose_world_landmarks": [dict(zip("xyz", point, strict=True)) for point in row.tolist()]}
        for number, row in enumerate(points)
    ]
    (tmp_path / "a.json").write_text(json.dumps(frames))
    (reading,) = read_all(tmp_path / "a.json", ReadOptions(fps=FPS))
    assert (reading.track.layout.name, reading.finding("up axis").value) == ("mediapipe33", "-Y")
    normalised = json.dumps(frames).replace("pose_world_landmarks", "pose_landmarks")
    (tmp_path / "a.json").write_text(normalised)
    with pytest.raises(TrackError, match="fractions of the image"):
        read_all(tmp_path / "a.json", ReadOptions(fps=FPS))


def test_motive_bones_relative_to_each_other_are_refused(tmp_path, scene):
    text = write.motive_csv(write.filled(scene, LAYOUTS["skeleton"]), LAYOUTS["skeleton"].names, kind="Bone", fps=FPS,
                            parents=True)  # fmt: skip
    (tmp_path / "a.csv").write_text(text.replace("Coordinate Space,Global", "Coordinate Space,Local"))
    with pytest.raises(TrackFileError, match="export the take with Global"):
        read_all(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.mat", b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n", "a MATLAB file"),
        ("Walking.cdf", bytes.fromhex("cdf300010000ffff") + bytes(300), r"a CDF file.* \(frames, 32, 3\)"),
        ("subject.b3d", (4242).to_bytes(8, "little") + b"\x08\x05\x12\x07subject" * 20, r"\(B3D\).* as TRC"),
        ("a_6D.tsv", b"NO_OF_FRAMES\t2\nFREQUENCY\t100\nBODY_NAMES\tA\n" + b"1\t2\t3\t4\t5\t6\n" * 2, "rigid bodies"),
        ("model.osim", b'<?xml version="1.0"?>\n<OpenSimDocument Version="40000"></OpenSimDocument>\n', "of OpenSim"),
    ],
)
def test_files_of_known_kinds_say_what_they_are(tmp_path, name, content, what):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TrackFileError, match=what):
        read_all(tmp_path / name)


def _qualisys(scene: Scene) -> dict:
    """Return an export of the points of halpe26, of which the first was seen in two parts."""
    layout = LAYOUTS["halpe26"]
    points = 1000.0 * write.filled(scene, layout) @ write.Z_UP.T
    markers = []
    for column, name in enumerate(layout.names):
        rows = [[*row, 0.4] for row in points[:, column].tolist()]
        spans = [(0, 10), (14, len(rows))] if column == 0 else [(0, len(rows))]
        parts = [
            {"Type": "Measured", "Range": {"Start": 1 + start, "End": end}, "Values": rows[start:end]}
            for start, end in spans
        ]
        markers.append({"Name": name, "Parts": parts})
    return {"Timebase": {"Type": "Camera", "Range": {"Start": 1, "End": len(points)}, "Frequency": 30},
            "Cameras": [], "Markers": markers}  # fmt: skip


def test_qualisys_json(tmp_path, scene):
    (tmp_path / "a.json").write_text(json.dumps(_qualisys(scene)))
    (reading,) = read_all(tmp_path / "a.json")
    assert (reading.kind, reading.track.fps, reading.track.layout.name) == ("Qualisys JSON", 30.0, "halpe26")
    assert (reading.finding("units").value, reading.finding("up axis").value) == ("mm", "+Z")
    np.testing.assert_array_equal(np.flatnonzero(reading.track.confidence[:, 0] == 0.0), [10, 11, 12, 13])
    assert_is(reading.track, scene)


def test_damaged_qualisys_json_is_refused(tmp_path, scene):
    export = _qualisys(scene)
    for change in (
        {"Markers": []},
        {"Markers": [{"Name": "a", "Parts": [{"Range": {"Start": 1 << 60}, "Values": [[0, 0, 0]]}]}]},
        {"Markers": [{"Name": "a", "Parts": [{"Range": {"Start": 1}, "Values": [[0, 0]]}]}]},
        {"Markers": [{"Name": "a", "Parts": None}]},
        {"Markers": export["Markers"][:1] * 2},
    ):
        (tmp_path / "a.json").write_text(json.dumps({**export, **change}))
        with pytest.raises(TrackFileError, match="in a Qualisys export"):
            read_all(tmp_path / "a.json")
