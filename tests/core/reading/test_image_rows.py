"""Training sets with SMPL parameters of an image in each row: BEDLAM's clips, told apart by image and subject."""

from __future__ import annotations

import numpy as np
import pytest

from core.convert_options import ConvertOptions
from core.errors import TrackFileError
from core.fingers import without_fingers
from core.math.rotations import matrix_to_axis_angle
from core.pipeline import fit_file
from core.reading import ReadOptions, read_all
from tests.other_solvers import in_camera
from tests.solved_motions import bedlam

from .test_solved_motions import MOTION, PELVIS, SCENE


def people(path, **reading):
    return fit_file(path, ConvertOptions(reading=ReadOptions(**reading)))


def assert_is_motion(person, *, within: float = 2e-5) -> None:
    found = without_fingers(person.motion)
    np.testing.assert_allclose(found.rotations(), MOTION.rotations(), atol=within)
    np.testing.assert_allclose(np.diff(found.trans, axis=0), np.diff(MOTION.trans, axis=0), atol=within)


@pytest.mark.parametrize(
    "without",
    [(), ("pose_world", "trans_world"), ("sub", "motion_info"), ("imgname", "sub")],
    ids=["all keys", "in the camera", "no subject", "no images"],
)
def test_a_clip_of_bedlam_stands_upright_in_the_world(tmp_path, without):
    rows = {key: value for key, value in bedlam(MOTION, PELVIS).items() if key not in without}
    np.savez(tmp_path / "a.npz", **rows)
    has_images = "imgname" in rows
    (person,) = people(tmp_path / "a.npz", **({} if has_images else {"fps": 6.0}))
    assert (person.solved_by, person.motion.fps, person.motion.num_frames) == ("BEDLAM", 6.0, len(SCENE))
    assert_is_motion(person)


def test_images_may_be_objects_and_frames_may_be_missing(tmp_path):
    rows = bedlam(MOTION, PELVIS, step=1)
    kept = np.delete(np.arange(len(SCENE)), [7, 8])
    rows = {key: value[kept].astype(object) if value.dtype.kind == "U" else value[kept] for key, value in rows.items()}
    np.savez(tmp_path / "a.npz", **rows)
    (reading,) = read_all(tmp_path / "a.npz")
    assert (reading.track.fps, reading.track.num_frames) == (30.0, len(SCENE))
    assert np.flatnonzero(reading.track.confidence[:, 0] == 0.0).tolist() == [7, 8]


def test_each_subject_and_each_sequence_is_a_person(tmp_path):
    first, second, third = (bedlam(MOTION, PELVIS) for _ in range(3))
    second["sub"] = np.array(["rp_bob_posed_002"] * len(SCENE))
    second["cam_ext"][:, 0, 3] += 1.5
    third["imgname"] = np.array([name.replace("000012", "000013") for name in third["imgname"]])
    np.savez(tmp_path / "a.npz", **{key: np.concatenate([first[key], second[key], third[key]]) for key in first})
    found = people(tmp_path / "a.npz")
    assert [person.label for person in found] == [
        "seq_000012_rp_ann_posed_001", "seq_000012_rp_bob_posed_002", "seq_000013_rp_ann_posed_001",
    ]  # fmt: skip
    for person in found:
        assert_is_motion(person)
    apart = found[1].motion.trans[0] - found[0].motion.trans[0]
    np.testing.assert_allclose(np.linalg.norm(apart), 1.5, atol=1e-4)


def test_a_moving_camera_is_reported(tmp_path):
    rows = bedlam(MOTION, PELVIS)
    rows["cam_ext"][:, 2, 3] += np.linspace(0.0, 1.0, len(SCENE))
    np.savez(tmp_path / "a.npz", **rows)
    (reading,) = read_all(tmp_path / "a.npz")
    assert any("the camera moves" in doubt for doubt in reading.doubts)


def test_a_whole_data_set_is_refused_with_how_to_save_a_clip(tmp_path):
    rows = bedlam(MOTION, PELVIS)
    np.savez(tmp_path / "a.npz", **{key: np.concatenate([value] * 65) for key, value in rows.items()})
    with pytest.raises(TrackFileError, match=r"a data set of 65 clips .*seq_000012.*save the rows of one"):
        read_all(tmp_path / "a.npz")


def test_training_sets_of_poses_alone_are_split_by_their_images(tmp_path):
    rows = bedlam(MOTION, PELVIS, step=1)
    pose = np.concatenate([rows["pose_cam"][:, :66], np.zeros((len(SCENE), 6))], axis=1)
    other = np.array([name.replace("000012", "000044") for name in rows["imgname"]])
    np.savez(
        tmp_path / "a.npz", imgname=np.concatenate([rows["imgname"], other]), pose=np.concatenate([pose, pose]),
        shape=np.zeros((2 * len(SCENE), 10)),
    )  # fmt: skip
    readings = read_all(tmp_path / "a.npz", ReadOptions(fps=30.0))
    assert [(reading.track.person, reading.track.num_frames) for reading in readings] == [
        ("seq_000012", len(SCENE)), ("seq_000044", len(SCENE)),
    ]  # fmt: skip
    assert all(any("camera" in doubt for doubt in reading.doubts) for reading in readings)


def test_cliff_has_a_place(tmp_path):
    rotations, trans = in_camera(MOTION, PELVIS)
    np.savez(
        tmp_path / "a.npz", imgname=np.array([f"walk/{frame:06d}.jpg" for frame in range(len(SCENE))]),
        pose=matrix_to_axis_angle(rotations).reshape(len(SCENE), -1), shape=np.zeros((len(SCENE), 10)), global_t=trans,
        pred_joints=np.zeros((len(SCENE), 24, 3)), focal_l=np.ones(len(SCENE)),
    )  # fmt: skip
    (reading,) = read_all(tmp_path / "a.npz", ReadOptions(fps=30.0))
    assert not any("no place" in doubt for doubt in reading.doubts)
    moved = np.ptp(reading.track.positions[:, 0], axis=0)
    np.testing.assert_allclose(moved, np.ptp(MOTION.trans, axis=0), atol=1e-4)
