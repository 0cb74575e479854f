"""Motions of further solvers and data sets come in as they were."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from core.convert_options import ConvertOptions
from core.errors import TrackFileError
from core.math.rotations import matrix_to_axis_angle
from core.pipeline import fit_file
from core.reading import ReadOptions, read_all
from tests import other_solvers as solvers
from tests.producers import Z_UP
from tests.solved_motions import in_axes, joblib_bytes, write

from .test_solved_motions import FPS, MOTION, PELVIS, SCENE, _check, _people

OTHER = replace(MOTION, trans=MOTION.trans + [1.0, 0.0, 0.0])
Z_MOTION = in_axes(MOTION, PELVIS, np.tile(Z_UP, (len(SCENE), 1, 1)), np.zeros((len(SCENE), 3)))


@pytest.mark.parametrize("form", ["folder", "folder of annots", "list", "pickle"])
@pytest.mark.parametrize("width", [69, 72, 87])
def test_easymocap_turns_the_body_about_the_origin(tmp_path, form, width):
    frames = solvers.easymocap(MOTION, PELVIS, width)
    path = tmp_path / "smpl"
    if form.startswith("folder"):
        path.mkdir()
        for number, people in enumerate(frames):
            document = {"annots": people} if form.endswith("annots") else people
            (path / f"{number:06d}.json").write_text(json.dumps(document))
    else:
        write(path, json.dumps(frames).encode() if form == "list" else pickle.dumps(frames, protocol=4))
    (person,) = _people(path, fps=FPS)
    _check(person, tool="EasyMocap")


def test_a_person_of_easymocap_comes_and_goes(tmp_path):
    frames = solvers.easymocap(MOTION, PELVIS)
    frames[12] = []
    (reading,) = read_all(write(tmp_path / "smpl.json", json.dumps(frames).encode()), ReadOptions(fps=FPS))
    np.testing.assert_array_equal(np.flatnonzero(~reading.track.confidence.any(1)), [12])
    frames[3][0]["Th"] = [[1.0]]
    with pytest.raises(TrackFileError, match="expected the same joints in each frame"):
        read_all(write(tmp_path / "smpl.json", json.dumps(frames).encode()))


def test_easymocaps_arrays_by_key(tmp_path):
    frames = [people[0] for people in solvers.easymocap(MOTION, PELVIS)]
    data = {key: np.array([frame[key] for frame in frames]) for key in ("Rh", "Th", "poses", "shapes")}
    np.save(tmp_path / "params.npy", data)
    _check(_people(tmp_path / "params.npy", fps=FPS)[0], tool="EasyMocap")


def test_romp_and_hybrik_come_in_before_a_level_camera(tmp_path):
    np.savez(tmp_path / "video_results.npz", results=solvers.romp(MOTION, PELVIS))
    for path, tool in (
        (tmp_path / "video_results.npz", "ROMP"),
        (write(tmp_path / "res.pk", pickle.dumps(solvers.hybrik(MOTION, PELVIS))), "HybrIK"),
    ):
        (person,) = _people(path, fps=FPS)
        _check(person, tool=tool, moved=True)
        assert any("assumed to be level" in doubt for doubt in person.track.doubts)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("results.pkl", joblib_bytes(solvers.prompthmr(MOTION))),
        ("emdb.pkl", pickle.dumps(solvers.emdb(MOTION))),
    ],
    ids=["PromptHMR", "EMDB"],
)
def test_parameters_deeper_in_a_file_are_found(tmp_path, name, data):
    (person,) = _people(write(tmp_path / name, data), fps=FPS)
    _check(person, tool="SMPL parameters")


def test_grabs_body_is_read_and_not_its_hands(tmp_path):
    np.savez(tmp_path / "grab.npz", **solvers.grab(MOTION))
    _check(_people(tmp_path / "grab.npz")[0], tool="SMPL parameters")


def test_interhuman_has_two_people(tmp_path):
    data = {"mocap_framerate": FPS, "frames": len(SCENE)}
    data |= {f"person{number}": solvers.separate(motion) for number, motion in enumerate((MOTION, OTHER), 1)}
    first, second = _people(write(tmp_path / "a.pkl", pickle.dumps(data)))
    assert (first.label, second.label) == ("person1", "person2")
    _check(first, tool="AMASS")
    _check(second, OTHER, tool="AMASS")


def test_an_axis_of_people_before_that_of_frames(tmp_path):
    both = [solvers.separate(motion) for motion in (MOTION, OTHER)]
    np.savez(tmp_path / "world_results.npz", **{key: np.stack([each[key] for each in both]) for key in both[0]})
    first, second = _people(tmp_path / "world_results.npz", fps=FPS)
    _check(first, tool="SMPL parameters")
    _check(second, OTHER, tool="SMPL parameters")


def test_a_data_set_of_many_motions_is_refused(tmp_path):
    data = {"motions": {f"sequence{number}": solvers.separate(MOTION) for number in range(65)}}
    with pytest.raises(TrackFileError, match=r"data set of 65 or more \(sequence0, .*save one"):
        read_all(write(tmp_path / "a.p", pickle.dumps(data)))


def test_dictionaries_that_hold_each_other_many_times_are_left_soon(tmp_path):
    inner = {"a": 1}
    for _ in range(3):
        inner = {str(number): inner for number in range(3000)}
    with pytest.raises(TrackFileError, match="too many levels"):
        read_all(write(tmp_path / "a.pkl", pickle.dumps(inner)))


def test_rows_of_motion_x(tmp_path):
    np.save(tmp_path / "a.npy", solvers.motion_x(MOTION))
    (person,) = fit_file(tmp_path / "a.npy", ConvertOptions())
    _check(person, tool="Motion-X")


@pytest.mark.parametrize("width", [315, 319, 135])
def test_rows_of_finedance(tmp_path, width):
    np.save(tmp_path / "a.npy", solvers.finedance(MOTION, width))
    (person,) = fit_file(tmp_path / "a.npy", ConvertOptions())
    _check(person, tool="FineDance")


def test_rows_as_wide_as_finedances_that_are_no_rotations_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(0.0, 5.0, (30, 315)))
    with pytest.raises(TrackFileError, match="rotations of FineDance in rows of 315"):
        read_all(tmp_path / "a.npy", ReadOptions(fps=FPS))


def test_glamrs_places_are_those_of_the_pelvis(tmp_path):
    rotations, trans = Z_MOTION
    turned = replace(MOTION, poses=matrix_to_axis_angle(rotations).reshape(len(SCENE), -1), trans=trans)
    people = {number: solvers.glamr(turned, PELVIS) for number in (0, 3)}
    path = write(tmp_path / "a.pkl", pickle.dumps({"seq_name": "a", "person_data": people, "gt": {}}))
    first, second = _people(path, fps=FPS)
    assert (first.label, second.label) == ("0", "3")
    _check(first, tool="GLAMR")
    _check(second, tool="GLAMR")
    (reading, _) = read_all(path, ReadOptions(fps=FPS))
    assert reading.finding("up axis").value == "+Z"


def test_rows_of_interhuman(tmp_path):
    rows = np.zeros((len(SCENE), 492), np.float32)
    rows[:, :66] = (SCENE.joints[:, :22] @ Z_UP.T).reshape(len(SCENE), -1)
    np.save(tmp_path / "1.npy", rows)
    (reading,) = read_all(tmp_path / "1.npy", ReadOptions(fps=FPS))
    assert (reading.track.layout.name, reading.finding("up axis").value) == ("smpl22", "+Z")
    np.testing.assert_allclose(reading.track.positions, SCENE.joints[:, :22], atol=1e-4)


def test_smpl_parameters_in_json(tmp_path):
    rotations = MOTION.rotations()
    data = {"transl": MOTION.trans, "global_orient": rotations[:, :1], "body_pose": rotations[:, 1:22],
            "betas": np.zeros((len(SCENE), 10))}  # fmt: skip
    document = json.dumps({key: value.tolist() for key, value in data.items()})
    _check(_people(write(tmp_path / "a.json", document.encode()), fps=FPS)[0], tool="SMPL parameters")


def test_meshcapades_own_keys(tmp_path):
    arrays = {"bodyPose": MOTION.poses[:, :66].reshape(-1, 22, 3), "bodyTranslation": MOTION.trans, "frameRate": FPS,
              "shapeParameters": np.zeros(10), "smplVersion": 2, "headPose": np.zeros((len(SCENE), 3, 3))}  # fmt: skip
    np.savez(tmp_path / "a.npz", **arrays)
    path = (tmp_path / "a.npz").rename(tmp_path / "a.smpl")
    _check(_people(path)[0], tool="SMPL parameters")


def test_without_aists_scaling_the_rate_is_not_assumed(tmp_path):
    poses, trans = Z_MOTION
    data = {"smpl_poses": poses, "smpl_trans": trans, "full_pose": np.zeros((len(SCENE), 24, 3))}
    (reading,) = read_all(write(tmp_path / "edge.pkl", pickle.dumps(data)), ReadOptions(fps=FPS))
    assert reading.kind == "SMPL parameters motion"
    assert reading.finding("up axis").value == "+Z"
