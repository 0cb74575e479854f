"""Motions that other tools solved come in as they were: every kind of file holds the same motion."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import zlib
from dataclasses import replace

import numpy as np
import pytest

from core.amass import write_motion
from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.cleanup import CleanupOptions
from core.convert_options import ConvertOptions
from core.errors import AmbiguousTrackError, TrackError, TrackFileError, UnsafePickleError
from core.fingers import RELAXED_HANDS, hands_of, without_fingers
from core.io.pickle.load import load_pickle
from core.io.pickle.plain_types import Budget
from core.io.pickle.tensors import Storage, tensor_of
from core.io.torch_file import load_torch
from core.math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from core.motion import Motion
from core.pipeline import clean_person, fit_file
from core.reading import ReadOptions, read_all

from ...solved_motions import (
    gvhmr,
    in_axes,
    joblib_bytes,
    legacy_torch_bytes,
    phalp,
    pickled_tensors,
    torch_bytes,
    wham,
    write,
)
from ..fit.scenes import motion_joints, walking

SCENE = walking()[20:50]
PELVIS = np.asarray(BodyModel(load_free_body()).rest_joints(np.zeros(10, np.float32)))[0].astype(float)
FPS = 30.0


def _motion() -> Motion:
    poses = matrix_to_axis_angle(SCENE.rotations.astype(float)).reshape(len(SCENE), -1)
    poses[:, 66:] = 0.0
    return Motion(poses, SCENE.betas.astype(float), SCENE.trans.astype(float), FPS, body="smpl")


MOTION = _motion()


def _people(path, **reading):
    return fit_file(path, ConvertOptions(reading=ReadOptions(**reading)))


def _check(person, motion=MOTION, *, tool, moved=False):
    """Compare a person with the motion that a file was written from, on the mean shape of the free body.

    If *moved*, the place of the world is another one: positions are compared from the first frame's on.
    """
    assert person.solved_by == tool
    found = without_fingers(person.motion)
    assert found.fps == motion.fps
    np.testing.assert_array_equal(found.betas, 0.0)
    np.testing.assert_allclose(found.rotations(), motion.rotations(), atol=2e-6)
    offset = motion.trans[0] - found.trans[0] if moved else 0.0
    np.testing.assert_allclose(found.trans + offset, motion.trans, atol=2e-5)
    found = motion_joints(found)
    known = person.track.confidence[:, 0] > 0.0
    np.testing.assert_allclose(found[known], person.track.positions[known], atol=2e-5)


@pytest.mark.parametrize("form", [torch_bytes, legacy_torch_bytes, pickle.dumps], ids=["zip", "legacy", "pickle"])
def test_gvhmr_comes_in_as_it_was(tmp_path, form):
    path = write(tmp_path / "hmr4d_results.pt", form(gvhmr(MOTION)))
    (person,) = _people(path, fps=FPS)
    _check(person, tool="GVHMR")
    assert not person.track.doubts
    assert any("betas" in note and "smplx" in note for note in person.track.notes)


def test_gvhmr_needs_a_frame_rate_and_says_so(tmp_path):
    path = write(tmp_path / "hmr4d_results.pt", torch_bytes(gvhmr(MOTION)))
    with pytest.raises(AmbiguousTrackError, match="--fps") as caught:
        read_all(path)
    assert caught.value.options == ("fps",)


@pytest.mark.parametrize("protocol", [2, 4])
def test_wham_comes_in_as_it_was_with_people_on_the_frames_of_the_video(tmp_path, protocol):
    late = replace(MOTION, poses=MOTION.poses[:20], trans=MOTION.trans[:20] + [1.5, 0.0, 0.0])
    frames = np.concatenate([np.arange(5, 12), np.arange(14, 27)])
    data = wham({0: (MOTION, np.arange(30)), 4: (late, frames)})
    path = write(tmp_path / "wham_output.pkl", joblib_bytes(data, protocol))
    first, second = _people(path, fps=FPS)
    _check(first, tool="WHAM")
    assert (first.label, second.label) == ("0", "4")
    assert second.motion.num_frames == 30
    np.testing.assert_allclose(without_fingers(second.motion).rotations()[frames], late.rotations(), atol=2e-6)
    np.testing.assert_allclose(second.motion.trans[12], (2 * late.trans[6] + late.trans[7]) / 3, atol=1e-5)
    missing = [(flag.first, flag.last) for flag in second.report.flags if flag.kind == "missing"]
    assert missing == [(0, 4), (12, 13), (27, 29)]
    assert first.report.flags == ()


def _camera_path():
    """Cameras that turn and go: camera to world, and the motion seen in them."""
    angles = np.linspace(0.0, 0.4, len(SCENE))
    cosine, sine = np.cos(angles), np.sin(angles)
    turns = np.tile(np.eye(3), (len(SCENE), 1, 1))
    turns[:, 0, 0] = turns[:, 2, 2] = cosine
    turns[:, 0, 2], turns[:, 2, 0] = sine, -sine
    return turns, np.stack([angles, 0.1 * angles, -angles], axis=1)


def _tram(turns, shifts):
    """Return TRAM's parameters in the camera, whose first frame has the axes of the world: y down."""
    down = np.tile(np.diag([1.0, -1.0, -1.0]), (len(SCENE), 1, 1))
    back = np.swapaxes(turns, -1, -2)
    rotations, trans = in_axes(MOTION, PELVIS, back @ down, -(back @ shifts[..., None])[..., 0] + [0.0, 0.0, 4.0])
    return {
        "pred_cam": np.zeros((len(SCENE), 3), np.float32),
        "pred_rotmat": rotations.astype(np.float32),
        "pred_shape": np.tile(MOTION.betas.astype(np.float32), (len(SCENE), 1)),
        "pred_trans": trans[:, None].astype(np.float32),
        "frame": np.arange(len(SCENE)),
    }


def test_tram_comes_in_by_its_camera(tmp_path):
    turns, shifts = _camera_path()
    folder = tmp_path / "results" / "hps"
    folder.mkdir(parents=True)
    # The person is moved 4 m away in every camera's axes, so the shift of the world turns with the camera.
    far = shifts - (turns @ np.array([0.0, 0.0, 4.0])[:, None])[..., 0]
    np.save(tmp_path / "results" / "camera.npy", {"pred_cam_R": turns, "pred_cam_T": far}, allow_pickle=True)
    path = write(folder / "hps_track_0.npy", pickled_tensors(_tram(turns, shifts)))
    (person,) = _people(path, fps=FPS)
    _check(person, tool="TRAM")
    assert any("level" in doubt for doubt in person.track.doubts)


def test_tram_without_its_camera_says_that_it_is_taken_to_stand_still(tmp_path):
    still = np.tile(np.eye(3), (len(SCENE), 1, 1)), np.zeros((len(SCENE), 3))
    path = write(tmp_path / "hps_track_0.npy", pickled_tensors(_tram(*still)))
    (person,) = _people(path, fps=FPS)
    _check(person, tool="TRAM", moved=True)
    assert any("camera.npy" in doubt for doubt in person.track.doubts)


def test_tram_refuses_the_camera_of_another_clip(tmp_path):
    still = np.tile(np.eye(3), (len(SCENE), 1, 1)), np.zeros((len(SCENE), 3))
    camera = {"pred_cam_R": still[0][:9], "pred_cam_T": still[1][:9]}
    np.save(tmp_path / "camera.npy", camera, allow_pickle=True)
    path = write(tmp_path / "hps_track_0.npy", pickled_tensors(_tram(*still)))
    with pytest.raises(TrackFileError, match="each frame up to 29.*one run of TRAM"):
        read_all(path)


def test_4d_humans_comes_in_without_its_ghosts_at_a_plausible_distance(tmp_path):
    path = write(tmp_path / "demo.pkl", joblib_bytes(phalp(MOTION, PELVIS)))
    (person,) = _people(path, fps=FPS)
    _check(person, tool="4D-Humans", moved=True)
    assert any("focal length" in doubt for doubt in person.track.doubts)


def test_vibe_comes_in_without_a_place(tmp_path):
    rotations, _ = in_axes(MOTION, PELVIS, np.diag([1.0, -1.0, -1.0]), np.zeros(3))
    data = {
        1: {
            "pred_cam": np.zeros((30, 3)), "orig_cam": np.zeros((30, 4)), "verts": np.zeros((30, 4, 3)),
            "pose": matrix_to_axis_angle(rotations).reshape(30, 72), "betas": np.zeros((30, 10)), "joints2d": None,
            "bboxes": np.zeros((30, 4)), "frame_ids": np.arange(30),
        }
    }  # fmt: skip
    (person,) = _people(write(tmp_path / "vibe_output.pkl", joblib_bytes(data)), fps=FPS)
    assert person.track.root_relative
    np.testing.assert_allclose(without_fingers(person.motion).rotations(), MOTION.rotations(), atol=1e-6)


def _z_up():
    turn = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    rotations, trans = in_axes(MOTION, PELVIS, turn, np.zeros(3))
    return matrix_to_axis_angle(rotations).reshape(30, 72), trans


def _amass(width):
    poses, trans = _z_up()
    stored = np.zeros((30, width))
    stored[:, :66] = poses[:, :66]
    return {"poses": stored, "trans": trans, "betas": MOTION.betas, "gender": "male", "mocap_framerate": FPS}


def _stage_two():
    poses, trans = _z_up()
    return {
        "root_orient": poses[:, :3], "pose_body": poses[:, 3:66], "pose_hand": np.zeros((30, 90)),
        "pose_jaw": np.zeros((30, 3)), "pose_eye": np.zeros((30, 6)), "trans": trans, "betas": np.zeros(16),
        "mocap_frame_rate": FPS, "surface_model_type": "smplx", "gender": "neutral",
    }  # fmt: skip


def _smplx_package():
    poses, trans = _z_up()
    return {"global_orient": poses[:, None, :3], "body_pose": poses[:, 3:66].reshape(30, 21, 3), "transl": trans,
            "betas": np.zeros((1, 10)), "fps": np.array([FPS])}  # fmt: skip


@pytest.mark.parametrize("make", [
    lambda: _amass(156), lambda: _amass(165), lambda: _amass(72), _stage_two, _smplx_package,
], ids=["smplh", "smplx", "smpl", "stage II", "smplx package"])  # fmt: skip
@pytest.mark.parametrize("form", ["npz", "pkl"])
def test_amass_of_every_generation_comes_in_as_it_was(tmp_path, make, form):
    arrays = make()
    path = tmp_path / f"clip.{form}"
    if form == "npz":
        np.savez(path, **arrays)
    else:
        path.write_bytes(pickle.dumps(arrays))
    (person,) = _people(path)
    _check(person, tool="AMASS" if "fps" not in arrays else "SMPL parameters")


HANDS = np.random.default_rng(6).normal(0.0, 0.4, (30, 2, 15, 3))


def _with_hands(arrays, **hands):
    poses = arrays.get("poses")
    if poses is not None:
        poses[:, -90:] = HANDS.reshape(30, 90)
    return {**arrays, **hands}


@pytest.mark.parametrize("make", [
    lambda: _with_hands(_amass(156)),
    lambda: _with_hands(_amass(165)),
    lambda: _with_hands(_stage_two(), pose_hand=HANDS.reshape(30, 90)),
    lambda: _with_hands(_smplx_package(), left_hand_pose=HANDS[:, 0].reshape(30, 45), right_hand_pose=HANDS[:, 1]),
    lambda: _with_hands(
        _smplx_package(),
        left_hand_pose=axis_angle_to_matrix(HANDS[:, 0]), right_hand_pose=axis_angle_to_matrix(HANDS[:, 1]),
    ),
], ids=["smplh", "smplx", "stage II", "smplx package", "matrices"])  # fmt: skip
def test_fingers_of_a_file_are_shown(tmp_path, make):
    arrays = make()
    (person,) = _people(write(tmp_path / "clip.pkl", pickle.dumps(arrays)))
    np.testing.assert_allclose(hands_of(person.motion), HANDS, atol=1e-6)
    _check(person, tool="AMASS" if "fps" not in arrays else "SMPL parameters")


def test_hands_that_are_components_are_relaxed_and_said(tmp_path):
    arrays = {**_smplx_package(), "left_hand_pose": np.ones((30, 6)), "right_hand_pose": np.ones((30, 6))}
    (person,) = _people(write(tmp_path / "clip.pkl", pickle.dumps(arrays)))
    np.testing.assert_array_equal(hands_of(person.motion)[3], RELAXED_HANDS)
    assert any("shown relaxed" in note for note in person.track.notes)
    short = {**arrays, "left_hand_pose": np.ones((29, 45)), "right_hand_pose": np.ones((29, 45))}
    with pytest.raises(TrackFileError, match="expected hands in each of 30 frames"):
        _people(write(tmp_path / "short.pkl", pickle.dumps(short)))


def test_our_own_file_comes_in_with_its_shape(tmp_path):
    own = replace(MOTION, body="free_body")
    pelvis = np.asarray(BodyModel(load_free_body()).rest_joints(own.betas.astype(np.float32)))[0]
    write_motion(tmp_path / "own.npz", own, rest_pelvis=pelvis)
    (person,) = _people(tmp_path / "own.npz")
    np.testing.assert_allclose(without_fingers(person.motion).poses, own.poses, atol=1e-9)
    np.testing.assert_allclose(person.motion.trans, own.trans, atol=1e-9)
    np.testing.assert_array_equal(person.motion.betas, own.betas)
    assert not person.track.doubts


def test_aist_motions_are_scaled_to_metres(tmp_path):
    data = {"smpl_poses": MOTION.poses, "smpl_scaling": np.array([93.8]), "smpl_trans": 93.8 * MOTION.trans}
    (person,) = _people(write(tmp_path / "gBR.pkl", pickle.dumps(data)))
    _check(person, replace(MOTION, fps=60.0), tool="AIST++")


def test_a_solved_motion_is_cleaned_and_grounded_as_a_fitted_one(tmp_path):
    high = replace(MOTION, trans=MOTION.trans + [0.0, 3.0, 0.0])
    (person,) = _people(write(tmp_path / "high.pt", torch_bytes(gvhmr(high))), fps=FPS)
    cleaned, _ = clean_person(person, CleanupOptions(foot_lock=1.0, ground="contacts"))
    body = BodyModel(person.body)
    lowest = [
        float(np.asarray(body.vertices(one.rotations().astype(np.float32), np.zeros(10, np.float32),
                                       one.trans.astype(np.float32)))[..., 1].min())
        for one in (person.motion, cleaned)
    ]  # fmt: skip
    assert lowest[0] > 2.5
    assert abs(lowest[1]) < 0.05


def test_frames_that_are_not_finite_are_missing(tmp_path):
    data = gvhmr(MOTION)
    data["smpl_params_global"]["body_pose"][7] = np.nan
    (person,) = _people(write(tmp_path / "nan.pt", torch_bytes(data)), fps=FPS)
    assert [(flag.first, flag.last) for flag in person.report.flags] == [(7, 7)]
    assert np.isfinite(person.motion.poses).all()


@pytest.mark.parametrize("change", [
    lambda world: world.update(transl=world["transl"][:9]),
    lambda world: world.update(body_pose=world["body_pose"][:, :9]),
    lambda world: world.update(body_pose=world["body_pose"][:9]),
    lambda world: world.update(body_pose=np.full((30, 21, 3, 3), 2.0)),
    lambda world: world.update(body_pose=np.full((30, 63), np.nan)),
    lambda world: world.update(transl="here"),
])  # fmt: skip
def test_damaged_parameters_are_refused_with_the_file(tmp_path, change):
    data = gvhmr(MOTION)
    change(data["smpl_params_global"])
    path = write(tmp_path / "damaged.pkl", pickle.dumps(data))
    with pytest.raises(TrackFileError, match="damaged.pkl"):
        read_all(path, ReadOptions(fps=FPS))


@pytest.mark.parametrize("options", [{"units": "cm"}, {"layout": "body25"}, {"swap_sides": True}])
def test_options_of_points_are_refused_for_a_motion(tmp_path, options):
    path = write(tmp_path / "a.pt", torch_bytes(gvhmr(MOTION)))
    with pytest.raises(TrackError, match="--up and --fps alone"):
        read_all(path, ReadOptions(fps=FPS, **options))


def test_a_torch_file_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return print, ("run",)

    path = write(tmp_path / "evil.pt", torch_bytes({"smpl_params_global": Evil()}))
    with pytest.raises(UnsafePickleError, match="builtin.*print"):
        read_all(path)


@pytest.mark.parametrize("form", [torch_bytes, legacy_torch_bytes])
def test_a_tensor_never_reaches_beyond_its_storage(tmp_path, form):
    data = form({"a": np.arange(6.0)})
    # The shape (6,) becomes (7,): the opcode K of a small integer.
    damaged = data.replace(b"K\x06\x85", b"K\x07\x85")
    assert damaged != data
    path = write(tmp_path / "a.pt", damaged)
    with pytest.raises(TrackFileError):
        load_torch(path, error=TrackFileError) if form is torch_bytes else load_pickle(path)


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress, bz2.compress, lzma.compress])
def test_files_that_joblib_compressed(tmp_path, compress):
    data = joblib_bytes(wham({0: (MOTION, np.arange(30))}))
    (reading,) = read_all(write(tmp_path / "wham_output.pkl", compress(data)), ReadOptions(fps=FPS))
    assert reading.kind == "WHAM motion" and reading.track.source == tmp_path / "wham_output.pkl"
    (plain,) = read_all(
        write(tmp_path / "plain.pkl", joblib_bytes(wham({0: (MOTION, np.arange(30))}))), ReadOptions(fps=FPS)
    )
    np.testing.assert_array_equal(reading.track.positions, plain.track.positions)


def test_a_damaged_compressed_file_is_refused_by_its_own_name(tmp_path):
    path = write(tmp_path / "wham_output.pkl", zlib.compress(joblib_bytes(wham({0: (MOTION, np.arange(30))})))[:-50])
    with pytest.raises(TrackFileError, match=r"found damage .*wham_output\.pkl; it may be cut off"):
        read_all(path)


def test_every_cut_of_a_joblib_file_is_refused():
    data = joblib_bytes(wham({0: (MOTION, np.arange(30))}))
    for end in range(0, len(data), 997):
        with pytest.raises(TrackFileError):
            load_pickle(io.BytesIO(data[:end]))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({}, "an empty dictionary"),
        ({"model": np.zeros(2), "epoch": 3}, r"keys \['epoch', 'model'\]"),
        ([1, 2], "a list of 2"),
        (None, r"a value \(NoneType\)"),
    ],
)
def test_a_torch_file_without_a_motion_says_what_it_is(tmp_path, content, found):
    path = write(tmp_path / "results.pt", torch_bytes(content))
    with pytest.raises(TrackFileError, match=f"found a PyTorch file with {found} in .*save the points as an array"):
        read_all(path)


@pytest.mark.parametrize("shape", [(10**9, 72), (2**39,)])
def test_a_tensor_that_repeats_a_number_is_charged_for_what_a_copy_takes(shape):
    budget = Budget(1 << 30)
    with pytest.raises(MemoryError):
        tensor_of((Storage(np.zeros(1), "DoubleStorage"), 0, shape, (0,) * len(shape)), budget.charge)
