"""NPY, NPZ, JSON and AIST++ files, written from their schemas and read back."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from core.errors import CoreError, TrackFileError
from core.formats import find_tracks, read_recordings
from core.layouts import LAYOUTS

from .track_writers import clip, easymocap_folder, mmpose_document, names_of, openpose_document


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Alter", "AutoDance"])
def test_real_lifted_clips(keypoints, name):
    (recording,) = read_recordings(keypoints / f"h36m17/{name}_output_keypoints_3d.npz")
    assert recording.positions.shape == (291, 17, 3)
    assert (recording.fps, recording.units, recording.names, recording.layout) == (None, None, None, None)
    assert (recording.confidence == 1).all(), "the root is at 0, 0, 0 in every frame and is not missing"
    assert (recording.positions[:, 0] == 0).all()


def test_our_own_npz(tmp_path):
    points, trust = clip(7, 4, missing=True), np.random.default_rng(1).random((7, 4))
    path = tmp_path / "x.bin"
    with path.open("wb") as file:
        np.savez_compressed(
            file, positions=points.astype("f4"), confidence=trust, fps=29.97, layout="halpe26", names=list(names_of(4))
        )
    (recording,) = read_recordings(path)
    np.testing.assert_allclose(recording.positions, points, rtol=1e-6)
    np.testing.assert_array_equal(recording.confidence, np.where(np.isnan(points[..., 0]), 0.0, trust))
    assert (recording.fps, recording.layout, recording.names, recording.kind) == (29.97, "halpe26", names_of(4), "NPZ")


@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_shapes(tmp_path, order):
    points = clip(6, 25)
    trust = np.random.default_rng(2).uniform(0.1, 1.0, (6, 25))
    path = tmp_path / "a.npy"

    def read(array):
        np.save(path, np.asarray(array, order=order))
        return read_recordings(path)

    np.testing.assert_array_equal(read(points)[0].positions, points)
    np.testing.assert_array_equal(read(points.reshape(6, 75))[0].positions, points)
    np.testing.assert_array_equal(read(points.astype(">f4"))[0].positions, points.astype("f4"))
    for array in (np.dstack([points, trust]), np.dstack([points, trust]).reshape(6, 100)):
        (recording,) = read(array)
        np.testing.assert_array_equal(recording.positions, points)
        np.testing.assert_array_equal(recording.confidence, trust)


@pytest.mark.parametrize("num_frames", [2, 6, 70])
@pytest.mark.parametrize("num_people", [1, 2, 3])
@pytest.mark.parametrize("people_first", [True, False])
def test_people_and_frames_are_distinguished(tmp_path, num_frames, num_people, people_first):
    walk = 0.3 * clip(1, 17) + np.linspace(0.0, 0.02 * num_frames, num_frames)[:, None, None]
    people = np.stack([walk + [0.8 * person, 0.0, 0.0] for person in range(num_people)])
    people[0, 0, :3] = np.nan
    np.save(tmp_path / "a.npy", people if people_first else people.swapaxes(0, 1))
    recordings = read_recordings(tmp_path / "a.npy")
    assert [recording.person for recording in recordings] == (["0", "1", "2"][:num_people] if num_people > 1 else [""])
    for recording, points in zip(recordings, people, strict=True):
        np.testing.assert_array_equal(recording.positions, points)


@pytest.mark.parametrize("array", [np.zeros((4, 5)), np.zeros((4, 5, 17)), np.zeros(9), np.zeros((2, 2, 2, 2, 3))])
def test_other_shapes_are_rejected(tmp_path, array):
    path = tmp_path / "a.npy"
    np.save(path, array)
    with pytest.raises(TrackFileError, match=r"expected an array \(frames, points, 3\)"):
        read_recordings(path)


def test_objects_are_rejected(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(TrackFileError, match="expected keypoints of AIST"):
        read_recordings(path)


def test_33_points_without_names_may_be_image_fractions(tmp_path):
    points = 0.05 * clip(9, 33) + [0.5, 0.5, 0.0]
    points[:, 0, 1] -= 0.4
    points[:, 27:29, 1] += 0.4
    np.save(tmp_path / "a.npy", points)
    assert "fractions of the image" in read_recordings(tmp_path / "a.npy")[0].image_space
    np.save(tmp_path / "b.npy", 1000.0 * points)
    assert read_recordings(tmp_path / "b.npy")[0].image_space is None


@pytest.mark.parametrize("columns", [3, 4])
def test_easymocap_folder(tmp_path, columns):
    first, second = clip(4, 25, missing=True), clip(4, 25, seed=5)
    easymocap_folder(tmp_path / "keypoints3d", {0: first, 7: second}, [10, 11, 13, 14], columns=columns)
    people = read_recordings(tmp_path / "keypoints3d")
    assert [recording.person for recording in people] == ["0", "7"]
    for recording, points in zip(people, (first, second), strict=True):
        assert (recording.kind, recording.units, recording.fps) == ("EasyMocap JSON", "m", None)
        assert (recording.num_frames, recording.first_frame) == (5, 10)
        np.testing.assert_array_equal(recording.positions[[0, 1, 3, 4]], points)
        assert (recording.confidence[2] == 0).all()


def test_easymocap_hands_and_intermittent_person(tmp_path):
    hands = clip(1, 42)[0]
    body = clip(1, 25)[0]
    with_hands = {
        "personID": 3,
        "keypoints3d": body.tolist(),
        "handl3d": hands[:21].tolist(),
        "handr3d": hands[21:].tolist(),
    }
    documents = [[with_hands], [], [{"personID": 3, "keypoints3d": body.tolist()}]]
    for index, document in enumerate(documents):
        (tmp_path / f"frame_{index:04d}.json").write_text(json.dumps(document))
    (recording,) = read_recordings(tmp_path)
    assert (recording.layout, recording.num_points) == ("body25_hands", 67)
    np.testing.assert_array_equal(recording.positions[0], np.concatenate([body, hands]))
    assert recording.confidence.sum(axis=1).tolist() == [67, 0, 25]


def test_mmpose_predictions(read):
    points, scores = clip(5, 17), np.random.default_rng(3).uniform(0.1, 1.0, (5, 17))
    document = mmpose_document(points, scores)
    for content in (document, document["instance_info"]):
        (recording,) = read("results.json", json.dumps(content))
        np.testing.assert_array_equal(recording.positions, points)
        np.testing.assert_array_equal(recording.confidence, scores)
        assert recording.kind == "MMPose JSON"
        assert recording.layout == ("h36m17" if content is document else None)


def test_lists_of_frames_are_read_as_folders_of_them_are(tmp_path):
    points, scores = clip(5, 17), np.random.default_rng(3).uniform(0.1, 1.0, (5, 17))
    frames = [item["instances"] for item in mmpose_document(points, scores)["instance_info"]]
    path = tmp_path / "results.json"
    path.write_text(json.dumps([frames[0], [], *frames[1:]]))
    (recording,) = read_recordings(path)
    np.testing.assert_array_equal(recording.positions[[0, 2, 3, 4, 5]], points)
    assert recording.kind == "MMPose JSON" and (recording.confidence[1] == 0.0).all()
    path.write_text(json.dumps([openpose_document(row, trust) for row, trust in zip(points, scores, strict=True)]))
    (recording,) = read_recordings(path)
    np.testing.assert_array_equal(recording.positions, points)
    assert recording.kind == "OpenPose JSON"


def test_mmpose_frames_without_people_are_missing(read):
    document = mmpose_document(clip(5, 17), np.ones((5, 17)))
    document["instance_info"][0]["instances"] = []
    document["instance_info"][3]["instances"] = []
    (recording,) = read("results.json", json.dumps(document))
    assert recording.confidence[:, 0].tolist() == [0, 1, 1, 0, 1]


def test_null_is_missing_and_implausible_frame_number_is_rejected(tmp_path):
    document = mmpose_document(clip(3, 17), np.ones((3, 17)))
    document["instance_info"][1]["instances"][0]["keypoints"][4] = None
    document["instance_info"][2]["instances"][0]["keypoints"][5] = [None, None, None]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document))
    (recording,) = read_recordings(path)
    assert np.argwhere(recording.confidence == 0.0).tolist() == [[1, 4], [2, 5]]
    document["instance_info"][2]["frame_id"] = 10**400
    path.write_text(json.dumps(document))
    with pytest.raises(TrackFileError, match="expected frame_id and instances"):
        read_recordings(path)


def test_openpose_folder_and_file(tmp_path):
    points, trust = clip(3, 25), np.random.default_rng(3).uniform(0.1, 1.0, (3, 25))
    trust[1, 4] = 0.0
    points[1, 4] = 0.0
    for frame in range(3):
        name = f"video_{frame:012d}_keypoints.json"
        (tmp_path / name).write_text(json.dumps(openpose_document(points[frame], trust[frame])))
    (recording,) = read_recordings(tmp_path)
    assert (recording.kind, recording.layout, recording.person) == ("OpenPose JSON", "body25", "")
    np.testing.assert_array_equal(recording.confidence, trust)
    assert np.isnan(recording.positions[1, 4]).all()
    (single,) = read_recordings(tmp_path / "video_000000000002_keypoints.json")
    np.testing.assert_array_equal(single.positions[0], points[2])


def test_2d_json_is_rejected(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"people": [{"pose_keypoints_2d": [1, 2, 0.5], "pose_keypoints_3d": []}]}))
    with pytest.raises(TrackFileError, match="2D keypoints alone"):
        read_recordings(path)
    path.write_text(json.dumps([{"frame_id": 0, "instances": [{"keypoints": [[1, 2]], "keypoint_scores": [1]}]}]))
    with pytest.raises(TrackFileError, match="2D points"):
        read_recordings(path)


def test_aist_pickle(read):
    points = 100.0 * clip(6, 17, missing=True)
    (recording,) = read(
        "gBR_sBM_cAll_d04_mBR0_ch01.pkl",
        pickle.dumps({"keypoints3d": 2 * points, "keypoints3d_optim": points}, protocol=4),
    )
    np.testing.assert_array_equal(recording.positions, points)
    assert (recording.fps, recording.units, recording.layout) == (60.0, "cm", "coco17")


class _Hostile:
    def __reduce__(self):
        return (print, ("executed",))


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_hostile_pickle_is_rejected_without_execution(read, protocol, capsys):
    with pytest.raises(CoreError):
        read("a.pkl", pickle.dumps({"keypoints3d": _Hostile()}, protocol=protocol))
    assert "executed" not in capsys.readouterr().out


def test_zeros_are_missing_where_a_point_cannot_be_at_the_origin(tmp_path):
    points = clip(6, 4)
    points[2, 1] = 0.0
    points[4] = 0.0
    points[:, 0] = 0.0
    path = tmp_path / "a.npy"
    np.save(path, points)
    (recording,) = read_recordings(path)
    assert recording.confidence[:, 0].tolist() == [1, 1, 1, 1, 0, 1], "a root at the origin, but nobody in frame 4"
    assert recording.confidence[:, 1].tolist() == [1, 1, 0, 1, 0, 1]
    points[:, 3] = 0.0
    np.save(path, points)
    assert (read_recordings(path)[0].confidence[:, [0, 3]] == 0).all(), "two points never coincide at the origin"


@pytest.mark.parametrize("filler", [9999.0, 9999999.0, 9999.999, -1.0, -9999.0, 0.5])
@pytest.mark.parametrize("scale", [1.0, 0.001])
def test_same_number_in_all_axes_is_missing(tmp_path, filler, scale):
    points = clip(20, 5)
    filled = points.copy()
    filled[3:9, 1] = filler * scale
    filled[19, 4] = filler * scale
    np.save(tmp_path / "a.npy", filled)
    (recording,) = read_recordings(tmp_path / "a.npy")
    missing = np.zeros((20, 5), dtype=bool)
    missing[3:9, 1] = missing[19, 4] = True
    np.testing.assert_array_equal(recording.confidence == 0.0, missing)
    np.testing.assert_array_equal(recording.positions[~missing], points[~missing])
    assert recording.notes == (
        f"7 points with the same number in all axes ({abs(filler * scale):.10g}) are treated as missing.",
    )


def test_same_number_beyond_all_positions_is_kept(tmp_path):
    points = clip(20, 5)
    points[3:9, 1] = 50.0
    np.save(tmp_path / "a.npy", points)
    np.testing.assert_array_equal(read_recordings(tmp_path / "a.npy")[0].positions, points)


def test_single_sentinel_is_missing_but_single_number_is_kept(tmp_path):
    points = clip(4, 5)
    points[0, 0], points[1, 1], points[2, 2] = -1.0, 9999.0, 1.25
    np.save(tmp_path / "a.npy", points)
    (recording,) = read_recordings(tmp_path / "a.npy")
    assert np.argwhere(recording.confidence == 0.0).tolist() == [[0, 0], [1, 1]]


def test_find_tracks_lists_a_folder_of_frames_as_one_input(tmp_path):
    easymocap_folder(tmp_path / "clip", {0: clip(3, 25)}, [0, 1, 2])
    (tmp_path / "other").mkdir()
    for name in ("a.trc", "b.C3D", "c.csv", "notes.md", ".hidden.csv", "take_01.json", "take_02.json"):
        (tmp_path / name).write_text(json.dumps(mmpose_document(clip(2, 17), np.ones((2, 17)))))
    found = [path.name for path in find_tracks(tmp_path)]
    assert found == ["a.trc", "b.C3D", "c.csv", "clip", "take_01.json", "take_02.json"]
    assert find_tracks(tmp_path / "clip") == [tmp_path / "clip"]
    assert find_tracks(tmp_path / "other") == []


def test_layouts_named_by_readers_exist():
    assert {"mediapipe75", "mediapipe33", "rtmpose_body", "body25", "body25_hands", "coco17", "h36m17"} <= set(LAYOUTS)
