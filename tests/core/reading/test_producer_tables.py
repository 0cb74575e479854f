"""Tables, texts and JSON of every producer are read as the motion they were written from."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from core.errors import AmbiguousTrackError, TrackError, TrackFileError
from core.layouts import LAYOUTS
from core.reading import ReadOptions, read_all, read_tracks
from tests import producers as write
from tests.core.fit.scenes import Scene, walking
from tests.core.formats.track_writers import segments, theia_bytes, vicon_csv, wide_csv
from tests.producers import assert_is, other_person

FPS = 30.0
GIVEN = ReadOptions(fps=FPS)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return walking()[150:186]


# Tables and texts


@pytest.mark.parametrize("parents", [False, True])
def test_motive_bones(tmp_path, scene, parents):
    bones = dict(zip(LAYOUTS["skeleton"].names, range(22), strict=True))
    names = {"hips": "Hip", "spine": "Ab", "spine1": "Chest", "neck": "Neck", "head": "Head"}
    parts = {"clavicle": "Shoulder", "arm": "UArm", "forearm": "FArm", "hand": "Hand", "upleg": "Thigh", "leg": "Shin"}
    parts |= {"foot": "Foot", "toebase": "Toe"}
    names |= {
        f"{side}_{ours}": side[0].upper() + theirs for side in ("left", "right") for ours, theirs in parts.items()
    }
    points = write.filled(scene, LAYOUTS["skeleton"])[:, [bones[name] for name in names]]
    text = write.motive_csv(points, [f"Ann:{name}" for name in names.values()], kind="Bone", fps=120.0, parents=parents)
    (tmp_path / "a.csv").write_text(text)
    (reading,) = read_all(tmp_path / "a.csv")
    assert (reading.kind, reading.track.layout.name, reading.track.fps) == ("OptiTrack CSV", "skeleton", 120.0)
    assert_is(reading.track, scene)


_MIXAMO = {
    "upleg": "UpLeg", "leg": "Leg", "foot": "Foot", "toebase": "ToeBase",
    "clavicle": "Shoulder", "arm": "Arm", "forearm": "ForeArm", "hand": "Hand",
}  # fmt: skip
_UNITY = {
    "upleg": "UpperLeg", "leg": "LowerLeg", "foot": "Foot", "toebase": "Toes",
    "clavicle": "Shoulder", "arm": "UpperArm", "forearm": "LowerArm", "hand": "Hand",
}  # fmt: skip
_UNREAL = {
    "upleg": "thigh", "leg": "calf", "foot": "foot", "toebase": "ball",
    "clavicle": "clavicle", "arm": "upperarm", "forearm": "lowerarm", "hand": "hand",
}  # fmt: skip


@pytest.mark.parametrize(
    ("middle", "limbs", "form"),
    [
        ({"hips": "Hips", "neck": "Neck", "head": "Head"}, _MIXAMO, "{side}{part}"),
        ({"hips": "Hips", "neck": "Neck", "head": "Head"}, _UNITY, "{side}{part}"),
        ({"hips": "pelvis", "neck": "neck_01", "head": "head"}, _UNREAL, "{part}_{initial}"),
    ],
    ids=["Mixamo", "Unity", "Unreal"],
)
def test_joint_names_of_animation_tools(tmp_path, scene, middle, limbs, form):
    names = dict(middle)
    for side in ("left", "right"):
        for ours, part in limbs.items():
            names[f"{side}_{ours}"] = form.format(side=side.title(), part=part, initial=side[0])
    layout = LAYOUTS["skeleton"]
    points = 100.0 * write.filled(scene, layout)[:, [layout.names.index(name) for name in names]]
    (tmp_path / "a.csv").write_text(wide_csv(points, list(names.values())))
    (reading,) = read_all(tmp_path / "a.csv", GIVEN)
    assert (reading.track.layout.name, len(reading.matched)) == ("skeleton", 19)
    assert reading.finding("units").value == "cm"
    assert_is(reading.track, scene)


def test_deeplabcut_tables_of_one_and_of_several_animals(tmp_path, scene):
    names = LAYOUTS["coco17"].names
    points = write.filled(scene, LAYOUTS["coco17"])
    (tmp_path / "a.csv").write_text(write.deeplabcut_csv(points, names))
    (track,) = read_tracks(tmp_path / "a.csv", GIVEN)
    assert_is(track, scene)
    both = np.concatenate([points, write.filled(other_person(scene), LAYOUTS["coco17"])], axis=1)
    (tmp_path / "b.csv").write_text(write.deeplabcut_csv(both, names, ["ann", "bob"]))
    tracks = read_tracks(tmp_path / "b.csv", GIVEN)
    assert [track.person for track in tracks] == ["ann", "bob"]
    assert_is(tracks[1], other_person(scene))


@pytest.mark.parametrize("form", ["in turns", "in blocks", "names the frame only by order"])
def test_people_in_the_rows_of_a_table(tmp_path, scene, form):
    layout = LAYOUTS["halpe26"]
    rows = []
    for label, person in (("ann", scene), ("bob", other_person(scene))):
        for frame, row in enumerate(write.filled(person, layout).reshape(len(scene), -1)):
            rows.append((frame, label, row))
    rows = sorted(rows, key=lambda row: row[0]) if form == "in turns" else rows
    has_frame = "order" not in form
    header = ["frame", "person_id"] if has_frame else ["person_id"]
    lines = [",".join([*header, *(f"{name}_{axis}" for name in layout.names for axis in "xyz")])]
    for frame, label, row in rows:
        lines.append(",".join([*([str(frame)] if has_frame else []), label, *(f"{value:.5f}" for value in row)]))
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    tracks = read_tracks(tmp_path / "a.csv", GIVEN)
    assert [(track.person, track.num_frames) for track in tracks] == [("ann", 36), ("bob", 36)]
    assert_is(tracks[0], scene)
    assert_is(tracks[1], other_person(scene))


@pytest.mark.parametrize(
    ("head", "cell"),
    [
        ("sep=;\n", "{name}_{axis}"),
        ("# exported on Monday\n# by hand\n", "{name}_{axis}"),
        ("", "{name}_{axis} (m)"),
        ("", "{name} [{axis}]"),
        ("", "{name}_{axis} [m]"),
        ("", "{name}({axis})"),
    ],
)
def test_headers_in_other_forms(tmp_path, scene, head, cell):
    layout = LAYOUTS["halpe26"]
    delimiter = ";" if ";" in head else ","
    lines = [delimiter.join(cell.format(name=name, axis=axis) for name in layout.names for axis in "XYZ")]
    lines += [delimiter.join(f"{x:.5f}" for x in row) for row in write.filled(scene, layout).reshape(len(scene), -1)]
    (tmp_path / "a.csv").write_text(head + "\n".join(lines) + "\n")
    (track,) = read_tracks(tmp_path / "a.csv", GIVEN)
    assert_is(track, scene)


def test_lines_about_the_recording_may_stand_above_the_header(tmp_path, scene):
    words = {"spine_base": "SpineBase", "spine_mid": "SpineMid", "spine_shoulder": "SpineShoulder"}
    names = [
        words.get(name, "".join(part.title() for part in name.split("_")[::-1])) for name in LAYOUTS["kinect25"].names
    ]
    lines = [
        "Kinect v2 body tracking",
        "Sensor,002136",
        "",
        ",".join(["Time", *(f"{n}_{a}" for n in names for a in "XYZ")]),
    ]
    for frame, row in enumerate(write.filled(scene, LAYOUTS["kinect25"]).reshape(len(scene), -1)):
        lines.append(",".join([f"{frame / FPS:.4f}", *(f"{value:.5f}" for value in row)]))
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    (track,) = read_tracks(tmp_path / "a.csv", ReadOptions(handedness="right"))
    assert (track.layout.name, track.fps) == ("kinect25", pytest.approx(FPS, rel=1e-3))
    assert_is(track, scene)


@pytest.mark.parametrize("interleaved", [False, True])
def test_people_in_the_columns_of_a_table(tmp_path, scene, interleaved):
    layout = LAYOUTS["halpe26"]
    columns = [(person, number) for person in (0, 1) for number in range(26)]
    columns = sorted(columns, key=lambda column: column[1]) if interleaved else columns
    points = np.stack([write.filled(person, layout) for person in (scene, other_person(scene))])
    lines = [",".join(f"person{person}_{layout.names[number]}_{axis}" for person, number in columns for axis in "xyz")]
    for frame in range(len(scene)):
        lines.append(",".join(f"{x:.5f}" for person, number in columns for x in points[person, frame, number]))
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    tracks = read_tracks(tmp_path / "a.csv", GIVEN)
    assert [track.person for track in tracks] == ["person0", "person1"]
    assert_is(tracks[0], scene)
    assert_is(tracks[1], other_person(scene))


def test_the_error_of_each_subject_is_reported(tmp_path):
    points = np.random.default_rng(0).normal(size=(5, 6, 3))
    labels = [f"Boite:{name}" for name in ("A1x", "B2y", "C3z")] + [f"Daphnee:{name}" for name in ("D4x", "E5y", "F6z")]
    (tmp_path / "a.csv").write_text(vicon_csv(points, labels))
    with pytest.raises(TrackError, match="Boite: .*A1x.*Daphnee: .*D4x"):
        read_tracks(tmp_path / "a.csv")


def test_ntu_skeletons_of_two_people(tmp_path, scene):
    away = np.diag([-1.0, 1.0, -1.0])
    people = [
        write.filled(person, LAYOUTS["kinect25"]) @ away + [0.0, -1.0, 3.0] for person in (scene, other_person(scene))
    ]
    (tmp_path / "S001C001P001R001A001.skeleton").write_text(write.ntu_skeleton(people))
    tracks = read_tracks(tmp_path / "S001C001P001R001A001.skeleton", ReadOptions(handedness="right"))
    assert [(track.fps, track.layout.name) for track in tracks] == [(30.0, "kinect25")] * 2
    turned = tracks[1].positions @ away
    assert_is(replace(tracks[1], positions=turned), other_person(scene), moved=True)


def test_ntu_skeletons_that_were_cut_off(tmp_path, scene):
    text = write.ntu_skeleton([write.filled(scene, LAYOUTS["kinect25"])])
    (tmp_path / "a.skeleton").write_text(text[: len(text) // 2])
    with pytest.raises(TrackFileError, match="cut off"):
        read_tracks(tmp_path / "a.skeleton")


def test_panoptic_folders(tmp_path, scene):
    people = [
        100.0 * write.filled(person, LAYOUTS["panoptic19"]) @ write.CAMERA.T for person in (scene, other_person(scene))
    ]
    write.panoptic_folder(tmp_path / "hdPose3d_stage1_coco19", people)
    tracks = read_tracks(tmp_path / "hdPose3d_stage1_coco19")
    assert [(track.fps, track.layout.name) for track in tracks] == [(29.97, "panoptic19")] * 2
    assert_is(tracks[1], other_person(scene))


def test_xsens_segments(tmp_path, scene):
    words = {"clavicle": "Shoulder", "arm": "UpperArm", "forearm": "ForeArm", "hand": "Hand", "upleg": "UpperLeg"}
    words |= {"leg": "LowerLeg", "foot": "Foot", "toebase": "Toe"}
    labels = {"hips": "Pelvis", "neck": "Neck", "head": "Head"}
    labels |= {f"{side}_{ours}": side.title() + word for side in ("left", "right") for ours, word in words.items()}
    index = [LAYOUTS["skeleton"].names.index(name) for name in labels]
    points = write.filled(scene, LAYOUTS["skeleton"])[:, index] @ write.Z_UP.T
    (tmp_path / "a.mvnx").write_text(write.mvnx(points, list(labels.values()), 60))
    (reading,) = read_all(tmp_path / "a.mvnx")
    assert (reading.track.fps, reading.track.num_frames, reading.finding("up axis").value) == (60.0, 36, "+Z")
    assert_is(reading.track, scene)


_THEIA = {
    "hips": "pelvis", "neck": "neck", "head": "head", "clavicle": "clavicle", "arm": "uarm", "forearm": "larm",
    "hand": "hand", "upleg": "thigh", "leg": "shank", "foot": "foot", "toebase": "toes",
}  # fmt: skip
"""Theia's segment of each joint of an animation skeleton."""


@pytest.mark.parametrize("processor", [84, 85, 86])
@pytest.mark.parametrize("unit_m", [1.0, 0.001])
def test_the_segments_of_theia(tmp_path, scene, processor, unit_m):
    layout = LAYOUTS["skeleton"]
    columns = [number for number, name in enumerate(layout.names) if name.split("_")[-1] in _THEIA]
    labels = [name.split("_") for name in np.array(layout.names)[columns]]
    labels = ["_".join([*(word[0] for word in words[:-1]), _THEIA[words[-1]], "4X4"]) for words in labels]
    origins = write.filled(scene, layout)[:, columns] @ write.Z_UP.T / unit_m
    origins[3, 5] = np.nan
    world = np.zeros((len(scene), 1, 3))
    matrices = segments(np.concatenate([world, origins], axis=1))
    (tmp_path / "a.c3d").write_bytes(theia_bytes(matrices, ["worldbody_4X4", *labels], processor=processor, first=7))
    (reading,) = read_all(tmp_path / "a.c3d")
    track = reading.track
    assert (reading.kind, track.layout.name, track.fps, track.num_frames) == ("C3D", "skeleton", 85.0, len(scene))
    assert (reading.finding("up axis").value, reading.finding("units").value) == ("+Z", "m" if unit_m == 1.0 else "mm")
    assert len(reading.matched) == len(labels)
    assert "origins of the file's segments" in " ".join(reading.remarks)
    assert (track.confidence == 0.0).sum() == (len(layout.points) - len(labels)) * len(scene) + 1
    assert_is(track, scene)


def test_segments_that_are_cut_off(tmp_path):
    data = theia_bytes(segments(np.ones((4, 5, 3))), [f"s{number}" for number in range(5)])
    (tmp_path / "a.c3d").write_bytes(data[:-100])
    with pytest.raises(TrackFileError, match="expected 4 frames of 5 segments as in the header, found room for 3"):
        read_all(tmp_path / "a.c3d")


@pytest.mark.parametrize("form", ["json", "jsonl", "lists", "results"])
def test_mediapipe_landmarks(tmp_path, scene, form):
    points = write.filled(scene, LAYOUTS["mediapipe33"])
    points = (points - points[:, 23:25].mean(axis=1, keepdims=True)) @ write.CAMERA.T
    rows = [[dict(zip("xyz", point, strict=True), visibility=0.9) for point in row] for row in points.tolist()]
    documents = {
        "json": {"fps": FPS, "frames": [{"frame_index": n, "landmarks": row} for n, row in enumerate(rows)]},
        "lists": points.tolist(),
        "results": [{"timestamp_ms": 1000.0 * n / FPS, "pose_world_landmarks": [row]} for n, row in enumerate(rows)],
    }
    if form == "jsonl":
        text = "\n".join(json.dumps({"frame": n, "landmarks": row}) for n, row in enumerate(rows)) + "\n"
    else:
        text = json.dumps(documents[form])
    (tmp_path / "a.json").write_text(text)
    (reading,) = read_all(tmp_path / "a.json", GIVEN)
    assert (reading.track.layout.name, reading.track.root_relative) == ("mediapipe33", True)
    truth = scene.points(LAYOUTS["mediapipe33"])
    used = [number for number, point in enumerate(LAYOUTS["mediapipe33"].points) if point.solver]
    truth = (truth - truth[:, 23:25].mean(axis=1, keepdims=True))[:, used]
    np.testing.assert_allclose(reading.track.positions[:, used], truth, atol=1e-3)


def test_azure_kinect_bodies(tmp_path, scene):
    points = 1000.0 * write.in_camera(write.filled(scene, LAYOUTS["kinect32"]))
    names = [name.upper() for name in LAYOUTS["kinect32"].names]
    frames = [
        {"frame_id": n, "timestamp_usec": round(n * 1e6 / FPS), "bodies": [{"body_id": 1, "joint_positions": row}]}
        for n, row in enumerate(points.tolist())
    ]
    (tmp_path / "a.json").write_text(json.dumps({"joint_names": names, "frames": frames}))
    (reading,) = read_all(tmp_path / "a.json")
    assert reading.track.fps == pytest.approx(FPS, rel=1e-3)
    assert_is(reading.track, scene, moved=True)


# What is no motion of people in 3D


def test_fit3d_of_one_person_and_chi3d_of_two(tmp_path, scene):
    one, two = (write.filled(person, LAYOUTS["h36m17"]) for person in (scene, other_person(scene)))
    people = np.stack([np.concatenate([points, points[:, :8]], axis=1) for points in (one, two)])
    (tmp_path / "one.json").write_text(json.dumps({"joints3d_25": people[0].tolist()}))
    (tmp_path / "two.json").write_text(json.dumps({"joints3d_25": people.tolist()}))
    (alone,) = read_tracks(tmp_path / "one.json")
    assert (alone.layout.name, alone.fps, alone.person) == ("h36m17", 50.0, "")
    assert_is(alone, scene)
    first, second = read_tracks(tmp_path / "two.json")
    assert (first.person, second.person) == ("0", "1")
    assert_is(first, scene)
    assert_is(second, other_person(scene))
    (tmp_path / "bad.json").write_text(json.dumps({"joints3d_25": people[:, :, :17].tolist()}))
    with pytest.raises(TrackFileError, match=r"as in CHI3D, found \(2, 36, 17, 3\)"):
        read_tracks(tmp_path / "bad.json")


@pytest.mark.parametrize("layout", ["h36m17", "smpl24"])
def test_a_root_that_never_moves_is_no_place(tmp_path, scene, layout):
    points = write.filled(scene, LAYOUTS[layout])
    np.save(tmp_path / "a.npy", (points - points[:, :1] + [0.0, 0.92, 0.0]).astype(np.float32))
    assert read_tracks(tmp_path / "a.npy", GIVEN)[0].root_relative
    np.save(tmp_path / "b.npy", points.astype(np.float32))
    assert not read_tracks(tmp_path / "b.npy", GIVEN)[0].root_relative


def test_flat_points_are_named(tmp_path, scene):
    points = write.filled(scene, LAYOUTS["halpe26"]) * [1.0, 1.0, 0.0]
    np.save(tmp_path / "a.npy", points)
    with pytest.raises(TrackError, match="one plane.*2D"):
        read_tracks(tmp_path / "a.npy", GIVEN)


def test_markers_named_like_joints_are_markers(tmp_path, make_recording):
    from core.reading.choose_layout import choose_layout

    names = ("R.ASIS", "L.ASIS", "Sacrum", "R.Hip", "L.Hip", "R.Knee", "L.Knee", "R.Shoulder", "L.Shoulder", "R.Elbow")
    recording = replace(
        make_recording("coco17"), positions=np.zeros((3, 10, 3)), confidence=np.ones((3, 10)), names=names
    )
    match = choose_layout(recording, ReadOptions())
    assert match.layout.name == "markers"
    assert "--layout" in match.reason
    with pytest.raises(AmbiguousTrackError):
        choose_layout(replace(recording, names=tuple(f"M{n}x" for n in "abcdefghij")), ReadOptions())
