"""The files of every producer are read as the motion that they were written from, with the right people and rate."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from core.errors import AmbiguousTrackError, CoreError, TrackError, TrackFileError
from core.layouts import LAYOUTS
from core.reading import ReadOptions, read_all, read_tracks
from tests import producers as write
from tests.core.fit.scenes import Scene, walking
from tests.core.formats.track_writers import vicon_csv

FPS = 30.0
GIVEN = ReadOptions(fps=FPS)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return walking()[150:186]


def assert_is(track, scene: Scene, *, moved: bool = False, within_m: float = 0.002) -> None:
    """Compare the points that the fit uses with the truth, in place, or apart from one shift if they were *moved*."""
    truth = scene.points(track.layout)
    used = [number for number, point in enumerate(track.layout.points) if point.solver]
    seen = np.isfinite(track.positions[:, used]).all(-1) & (track.confidence[:, used] > 0.0)
    assert seen.mean() > 0.5
    off = (track.positions - truth)[:, used][seen]
    if moved:
        off = off - np.median(off, axis=0)
    assert np.abs(off).max() < within_m


def other_person(scene: Scene) -> Scene:
    return replace(scene, trans=scene.trans + np.float32([0.9, 0.0, 0.3]))


# SAM 3D Body


@pytest.mark.parametrize("count", [70, 308])
def test_arrays_of_mhr_points(tmp_path, scene, count):
    points = write.in_camera(write.filled(scene, LAYOUTS["mhr70"]))
    extra = np.repeat(points[:, :1], count - 70, axis=1)
    np.save(tmp_path / "a.npy", np.concatenate([points, extra], axis=1).astype(np.float32))
    reading = read_all(tmp_path / "a.npy", GIVEN)[0]
    assert (reading.track.layout.name, reading.kind) == ("mhr70", "SAM 3D Body")
    assert (reading.finding("up axis").value, reading.finding("up axis").doubts) == ("-Y", ())
    assert_is(reading.track, scene, moved=True)


def test_the_npz_of_a_clip_is_read_by_its_points_never_by_its_rotations(tmp_path, scene):
    points = write.in_camera(write.filled(scene, LAYOUTS["mhr70"]))
    place = points[:, 9].copy()
    people = [write.sam_person(row, at) for row, at in zip(points, place, strict=True)]
    keys = [key for key in people[0] if key != "mask"]
    np.savez(tmp_path / "a.npz", **{key: np.stack([person[key] for person in people]) for key in keys})
    reading = read_all(tmp_path / "a.npz", GIVEN)[0]
    assert "Read as frames of one person." in reading.remarks
    assert_is(reading.track, scene, moved=True)


def test_the_npz_of_an_image_holds_one_person_or_several(tmp_path, scene):
    points = [write.in_camera(write.filled(person, LAYOUTS["mhr70"]))[0] for person in (scene, other_person(scene))]
    people = [write.sam_person(row, row[9]) for row in points]
    one = {key: value for key, value in people[0].items() if key != "mask"}
    np.savez(tmp_path / "one.npz", **one)
    np.savez(tmp_path / "two.npz", **{key: np.stack([person[key] for person in people]) for key in one})
    (track,) = read_tracks(tmp_path / "one.npz", GIVEN)
    assert_is(track, scene[:1], moved=True)
    both = read_tracks(tmp_path / "two.npz", GIVEN)
    assert [track.person for track in both] == ["0", "1"]
    assert_is(both[1], other_person(scene)[:1], moved=True)
    np.testing.assert_allclose(
        both[1].positions[:, 9] - both[0].positions[:, 9], other_person(scene).trans[:1] - scene.trans[:1], atol=1e-4
    )


@pytest.mark.parametrize(
    "form", ["frames of people", "frames of one", "by name", "outputs", "objects", "npz of objects"]
)
def test_lists_and_dictionaries_of_its_users(tmp_path, scene, form):
    points = write.in_camera(write.filled(scene, LAYOUTS["mhr70"]))
    frames = [[write.sam_person(row, row[9])] for row in points]
    frames[3] = []
    path = tmp_path / "a.pkl"
    if form == "frames of people":
        write.write_pickle(path, frames)
    elif form == "frames of one":
        write.write_pickle(path, [frame[0] if frame else None for frame in frames])
    elif form == "by name":
        write.write_pickle(path, {f"img_{number}.jpg": frame for number, frame in enumerate(frames)})
    elif form == "outputs":
        write.write_pickle(path, {"frames": [{"outputs": frame} for frame in frames], "fps": FPS})
    else:
        array = np.empty(len(frames), dtype=object)
        array[:] = frames
        path = tmp_path / ("a.npz" if "npz" in form else "a.npy")
        np.savez(path, outputs=array) if "npz" in form else np.save(path, array, allow_pickle=True)
    (track,) = read_tracks(path, GIVEN)
    assert (track.num_frames, track.layout.name) == (36, "mhr70")
    assert (track.confidence[3] == 0.0).all()
    assert_is(track, scene, moved=True)


def test_two_people_by_order_are_told(tmp_path, scene):
    both = [write.in_camera(write.filled(person, LAYOUTS["mhr70"])) for person in (scene, other_person(scene))]
    frames = [[write.sam_person(row, row[9]) for row in rows] for rows in zip(*both, strict=True)]
    write.write_pickle(tmp_path / "a.pkl", frames)
    readings = read_all(tmp_path / "a.pkl", GIVEN)
    assert len(readings) == 2
    assert "assigned by their order" in readings[0].remarks[0]
    assert_is(readings[1].track, other_person(scene), moved=True)


def test_the_table_of_sam3dbody_cpp(tmp_path, scene):
    points = write.in_camera(write.filled(scene, LAYOUTS["mhr70"]))
    (tmp_path / "a.csv").write_text(write.sam_csv(points))
    reading = read_all(tmp_path / "a.csv", GIVEN)[0]
    assert (reading.track.layout.name, len(reading.matched)) == ("mhr70", 70)
    assert_is(reading.track, scene, moved=True)


def test_points_without_a_place_are_known_as_such(tmp_path, scene):
    points = write.in_camera(write.filled(scene, LAYOUTS["mhr70"]))
    np.save(tmp_path / "a.npy", points - points[:, 9:11].mean(axis=1, keepdims=True) + [0.01, -0.93, 0.02])
    reading = read_all(tmp_path / "a.npy", GIVEN)[0]
    assert reading.track.root_relative
    assert "relative to the root" in " ".join(reading.remarks)


# Arrays and archives of other tools


@pytest.mark.parametrize("first", ["left", "right"])
@pytest.mark.parametrize("num_face", [0, 468, 478])
def test_the_hands_of_freemocap_arrays_are_told_by_the_wrists(tmp_path, scene, first, num_face):
    points = 1000.0 * write.filled(scene, LAYOUTS["mediapipe75"]) @ write.Z_UP.T
    points[:, [33, 54]] = points[:, [15, 16]] + 5.0
    pose, left, right = points[:, :33], points[:, 33:54], points[:, 54:]
    hands = (left, right) if first == "left" else (right, left)
    face = np.repeat(points[:, :1], num_face, axis=1)
    np.save(tmp_path / "a.npy", np.concatenate([pose, *hands, face], axis=1))
    (track,) = read_tracks(tmp_path / "a.npy", GIVEN)
    assert track.layout.name == "mediapipe75"
    assert_is(track, scene)


def test_mdm_results(tmp_path, scene):
    joints = write.filled(scene, LAYOUTS["smpl22"])
    motion = np.stack([joints, joints + [0.9, 0.0, 0.0]]).transpose(0, 2, 3, 1)
    np.save(tmp_path / "results.npy", {"motion": motion, "text": ["walk", "walk"], "lengths": np.array([36, 30])})
    first, second = read_tracks(tmp_path / "results.npy")
    assert (first.fps, first.num_frames, second.num_frames) == (20.0, 36, 30)
    assert_is(first, scene)


@pytest.mark.parametrize("layout", ["soma77", "soma30", "smpl22"])
def test_kimodo_archives(tmp_path, scene, layout):
    joints = write.filled(scene, LAYOUTS[layout])
    rotations = np.tile(np.eye(3), (*joints.shape[:2], 1, 1))
    np.savez(tmp_path / "a.npz", posed_joints=joints, global_rot_mats=rotations, local_rot_mats=rotations)
    (track,) = read_tracks(tmp_path / "a.npz", GIVEN)
    assert track.layout.name == layout
    assert_is(track, scene)


def test_humanml3d_features_of_a_person_who_walks_in_a_curve(tmp_path, scene):
    joints = scene.points(LAYOUTS["smpl22"])
    turn = np.linspace(0.0, 2.0, len(joints))
    cosine, sine = np.cos(turn)[:, None], np.sin(turn)[:, None]
    x, z = joints[..., 0] - joints[0, 0, 0], joints[..., 2] - joints[0, 0, 2]
    curved = np.stack([cosine * x + sine * z, joints[..., 1], cosine * z - sine * x], axis=-1)
    np.save(tmp_path / "a.npy", write.humanml3d(curved))
    (track,) = read_tracks(tmp_path / "a.npy")
    assert (track.fps, track.layout.name) == (20.0, "smpl22")
    np.testing.assert_allclose(track.positions, curved[:35], atol=1e-9)


@pytest.mark.parametrize(
    "layout", ["lsp14", "mpii16", "panoptic19", "kinect25", "kinect32", "h36m32", "smplh52", "smplx55"]
)
def test_unnamed_orders_are_told_from_each_other(tmp_path, scene, layout):
    np.save(tmp_path / "a.npy", write.filled(scene, LAYOUTS[layout]))
    (track,) = read_tracks(tmp_path / "a.npy", ReadOptions(fps=FPS, handedness="right"))
    assert track.layout.name == layout
    assert_is(track, scene)


def test_3dpw_and_vibe(tmp_path, scene):
    joints = write.filled(scene, LAYOUTS["smpl24"]).reshape(len(scene), -1)
    write.write_pickle(tmp_path / "a.pkl", {"sequence": "walk", "jointPositions": [joints], "poses": [joints]})
    (track,) = read_tracks(tmp_path / "a.pkl")
    assert track.fps == 30.0
    assert_is(track, scene)
    body = write.in_camera(write.filled(scene, LAYOUTS["body25"]))
    points = np.concatenate([body, body[:, :24]], axis=1)
    write.write_pickle(tmp_path / "v.pkl", {1: {"joints3d": points, "frame_ids": np.arange(36), "pose": joints}})
    (track,) = read_tracks(tmp_path / "v.pkl", GIVEN)
    assert_is(track, scene, moved=True)


def test_human36m_archives_of_one_clip_and_of_many(tmp_path, scene):
    clip = write.filled(scene, LAYOUTS["h36m32"]).astype(np.float32)
    np.savez(tmp_path / "one.npz", positions_3d={"S1": {"Walking": clip}})
    (track,) = read_tracks(tmp_path / "one.npz")
    assert track.fps == 50.0
    assert_is(track, scene)
    np.savez(tmp_path / "two.npz", positions_3d={"S1": {"Walking": clip, "Eating": clip}})
    with pytest.raises(TrackFileError, match="data set of 2 .*S1 / Walking"):
        read_tracks(tmp_path / "two.npz")


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


def test_the_error_of_each_subject_is_told(tmp_path):
    points = np.random.default_rng(0).normal(size=(5, 6, 3))
    labels = [f"{subject}:{name}" for subject in ("Boite", "Daphnee") for name in ("A1x", "B2y", "C3z")]
    (tmp_path / "a.csv").write_text(vicon_csv(points, labels))
    with pytest.raises(TrackError, match="Boite: .*A1x.*Daphnee: .*A1x"):
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


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"smpl_params_global": {"body_pose": np.zeros((4, 63))}}, "a motion of GVHMR"),
        ({0: {"pose_world": np.zeros((4, 72)), "trans_world": np.zeros((4, 3))}}, "a motion of WHAM"),
        ({"smpl_poses": np.zeros((4, 72))}, "an SMPL motion"),
        ({"colours": np.zeros(3)}, r"found keys \['colours'\]"),
        ([1, 2], "found list"),
    ],
)
def test_other_pickles_say_what_they_are(tmp_path, data, message):
    write.write_pickle(tmp_path / "a.pkl", data)
    with pytest.raises(TrackFileError, match=message):
        read_tracks(tmp_path / "a.pkl")


@pytest.mark.parametrize(
    ("members", "message"),
    [(["archive/data.pkl", "archive/version"], "a PyTorch file"), (["xl/workbook.xml"], "an Excel table.*CSV")],
)
def test_other_archives_say_what_they_are(tmp_path, members, message):
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for member in members:
            archive.writestr(member, b"x")
    with pytest.raises(TrackFileError, match=message):
        read_tracks(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Coordinates\nversion=1\nnRows=2\nendheader\ntime\tpelvis_tilt\n", "joint angles or forces"),
        ("Devices\n1000\n,Force\nFrame,Sub Frame,Fx,Fy,Fz\n,,N,N,N\n1,0,1,2,3\n", "forces and other devices alone"),
        ("<?xml version='1.0'?><COLLADA/>\n", "found XML"),
    ],
)
def test_other_texts_say_what_they_are(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(CoreError, match=message):
        read_tracks(tmp_path / "a.csv")


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


@pytest.mark.parametrize("key", ["pred_keypoints_3d", "motion", "positions_3d", "joints3d"])
def test_lists_that_hold_each_other_many_times_are_refused_at_once(tmp_path, key):
    nested: object = [0.0]
    named: object = {"a": np.zeros(3)}
    for _ in range(40):
        nested, named = [nested, nested], {"a": named, "b": named}
    data = {1: {key: nested}} if key == "joints3d" else {key: named if key == "positions_3d" else nested}
    write.write_pickle(tmp_path / "a.pkl", data)
    with pytest.raises(TrackFileError):
        read_tracks(tmp_path / "a.pkl")
