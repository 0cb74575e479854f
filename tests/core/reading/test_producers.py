"""The files of every producer are read as the motion that they were written from, with the right people and rate."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import TrackFileError
from core.layouts import LAYOUTS
from core.reading import ReadOptions, read_all, read_tracks
from tests import producers as write
from tests.core.fit.scenes import Scene, walking
from tests.producers import assert_is, other_person

FPS = 30.0
GIVEN = ReadOptions(fps=FPS)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return walking()[150:186]


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


def test_two_people_by_order_are_reported(tmp_path, scene):
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
def test_the_hands_of_freemocap_arrays_are_assigned_by_the_wrists(tmp_path, scene, first, num_face):
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


def test_kit_ml_of_mdm_and_as_features(tmp_path, scene):
    layout = LAYOUTS["kit21"]
    joints = 1000.0 * write.filled(scene, layout)
    np.save(tmp_path / "results.npy", {"motion": joints.transpose(1, 2, 0)[None], "lengths": np.array([36])})
    (track,) = read_tracks(tmp_path / "results.npy")
    assert (track.fps, track.num_frames, track.layout.name) == (12.5, 36, "kit21")
    assert_is(track, scene)
    joints = joints - joints[:1, :1] * [1.0, 0.0, 1.0]
    features = write.humanml3d(joints, layout.names.index("left_hip"), layout.names.index("right_hip"))
    assert features.shape[1] == 251
    np.save(tmp_path / "a.npy", features)
    (track,) = read_tracks(tmp_path / "a.npy")
    assert (track.fps, track.layout.name) == (12.5, "kit21")
    np.testing.assert_allclose(track.positions, joints[:35] / 1000.0, atol=1e-9)


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
    "layout",
    ["halpe136", "lsp14", "humaneva15", "mpii16", "panoptic19", "kinect25", "kinect32", "h36m32", "smplh52", "smplx55",
     "mpi17", "mpi28", "kit21"],
)  # fmt: skip
def test_unnamed_point_orders_are_distinguished(tmp_path, scene, layout):
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
