"""AMASS files: written motions are read back, and a rotated file shows the same body."""

from __future__ import annotations

import numpy as np
import pytest

from core.amass import Y_TO_Z_UP, read_motion, turned, write_motion
from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.errors import AmbiguousTrackError, InputMissingError, MotionError, SkeletonError
from core.motion import Motion
from core.skeleton import Skeleton
from tests.fingers import with_fingers

PELVIS = np.array([0.02, -0.25, 0.03])


@pytest.fixture
def motion() -> Motion:
    rng = np.random.default_rng(4)
    poses = rng.normal(0.0, 0.3, (20, 72))
    poses[:, 66:] = 0.0
    trans = rng.normal(0.0, 0.4, (20, 3)) + [3.0, 1.0, -2.0]
    return Motion(poses, rng.normal(size=10), trans, 59.94, gender="female", body="free_body")


def _assert_same_motion(motion, expected, atol=1e-9):
    np.testing.assert_allclose(motion.poses, expected.poses, atol=atol)
    np.testing.assert_allclose(motion.trans, expected.trans, atol=atol)
    np.testing.assert_allclose(motion.betas, expected.betas, atol=atol)
    assert (motion.fps, motion.gender, motion.body) == (expected.fps, expected.gender, expected.body)


@pytest.mark.parametrize("up_axis", ["Y", "Z"])
def test_round_trip(tmp_path, motion, up_axis):
    path = tmp_path / "clip.npz"
    write_motion(path, motion, up_axis=up_axis, rest_pelvis=PELVIS, extra={"keypoint_error_mm": np.arange(20.0)})
    _assert_same_motion(read_motion(path, rest_pelvis=PELVIS), motion)
    _assert_same_motion(read_motion(path, rest_pelvis=lambda betas: PELVIS), motion)
    with np.load(path) as stored:
        assert stored["poses"].shape == (20, 156)
        assert not stored["poses"][:, 66:].any()
        assert str(stored["up_axis"]) == up_axis
        assert float(stored["mocap_framerate"]) == 59.94
        np.testing.assert_array_equal(stored["keypoint_error_mm"], np.arange(20.0))
    assert [file.name for file in tmp_path.iterdir()] == ["clip.npz"]


def test_body_joints_are_written_by_their_names(tmp_path, motion):
    for name, clip in (("smpl.npz", motion), ("fingered.npz", with_fingers(motion, bend_rad=0.5))):
        write_motion(tmp_path / name, clip, rest_pelvis=PELVIS)
    with np.load(tmp_path / "smpl.npz") as expected, np.load(tmp_path / "fingered.npz") as found:
        for key in expected.files:
            np.testing.assert_array_equal(found[key], expected[key])


def test_a_motion_without_the_joints_of_a_body_is_refused(tmp_path):
    tail = Skeleton(("pelvis", "tail"), (-1, 0), (0, 1), ("body", "tail"))
    motion = Motion(np.zeros((2, 6)), np.zeros(10), np.zeros((2, 3)), 30.0, skeleton=tail)
    with pytest.raises(SkeletonError, match="joint 'left_hip', found pelvis, tail"):
        write_motion(tmp_path / "tail.npz", motion, up_axis="Y")
    assert not list(tmp_path.iterdir())


def test_z_up_file_shows_the_same_body(tmp_path, motion):
    model = BodyModel(load_free_body())
    pelvis = model.rest_joints(motion.betas)[0]
    write_motion(tmp_path / "z.npz", motion, rest_pelvis=pelvis)
    with np.load(tmp_path / "z.npz") as stored:
        poses = stored["poses"][:, :66]
        in_z_up = Motion(np.pad(poses, ((0, 0), (0, 6))), stored["betas"], stored["trans"], 30.0)

    def vertices(clip):
        return model.vertices(
            clip.rotations().astype(np.float32), clip.betas.astype(np.float32), clip.trans.astype(np.float32)
        )

    y_up = vertices(motion)
    z_up = vertices(in_z_up)
    np.testing.assert_allclose(z_up[..., 0], y_up[..., 0], atol=1e-5)
    np.testing.assert_allclose(z_up[..., 1], -y_up[..., 2], atol=1e-5)
    np.testing.assert_allclose(z_up[..., 2], y_up[..., 1], atol=1e-5)


def test_rotating_there_and_back_is_the_identity(motion):
    _assert_same_motion(turned(turned(motion, Y_TO_Z_UP, PELVIS), Y_TO_Z_UP.T, PELVIS), motion)
    assert np.linalg.det(Y_TO_Z_UP) == 1.0


@pytest.mark.slow
def test_real_clips_are_y_up_and_survive_a_round_trip(tmp_path, cmu):
    clips = sorted(cmu.glob("*.npz"))
    assert len(clips) > 15
    for path in clips:
        with np.load(path) as stored:
            poses, trans, fps = stored["poses"], stored["trans"], float(stored["mocap_framerate"])
        motion = read_motion(path)
        np.testing.assert_array_equal(motion.poses[:, :66], poses[:, :66])
        np.testing.assert_array_equal(motion.trans, trans)
        assert (motion.fps, motion.num_frames) == (fps, len(poses))


@pytest.mark.slow
def test_unlabelled_z_up_files_are_detected(tmp_path, cmu):
    for path in sorted(cmu.glob("*.npz"))[::10]:
        motion = read_motion(path)
        turned_motion = turned(motion, Y_TO_Z_UP, PELVIS)
        np.savez(
            tmp_path / "silent.npz",
            poses=turned_motion.poses[:, :66],
            trans=turned_motion.trans,
            betas=np.zeros(16),
            mocap_frame_rate=motion.fps,
        )
        back = read_motion(tmp_path / "silent.npz", rest_pelvis=PELVIS)
        np.testing.assert_allclose(back.rotations(), motion.rotations(), atol=1e-6)
        np.testing.assert_allclose(back.trans, motion.trans, atol=1e-6)


def _stored(tmp_path, **change):
    upright = np.zeros((10, 156))
    values = {"poses": upright, "trans": np.zeros((10, 3)), "betas": np.zeros(16), "mocap_framerate": 120.0, **change}
    np.savez(tmp_path / "clip.npz", **{key: value for key, value in values.items() if value is not None})
    return tmp_path / "clip.npz"


@pytest.mark.parametrize(("width", "body"), [(66, "smpl"), (72, "smpl"), (156, "smplh"), (165, "smplx")])
def test_pose_widths(tmp_path, width, body):
    poses = np.random.default_rng(0).normal(0.0, 0.1, (10, width))
    motion = read_motion(_stored(tmp_path, poses=poses))
    kept = 72 if width == 72 else 66
    np.testing.assert_array_equal(motion.poses[:, :kept], poses[:, :kept])
    assert not motion.poses[:, kept:].any()
    assert (motion.body, motion.gender, motion.fps) == (body, "neutral", 120.0)


@pytest.mark.parametrize("gender", [np.array("male"), np.array(b"male"), np.array(["MALE"])])
def test_gender_spellings(tmp_path, gender):
    assert read_motion(_stored(tmp_path, gender=gender)).gender == "male"


def test_betas_are_cut_or_padded_to_ten(tmp_path):
    for stored in (np.arange(16.0), np.arange(10.0)[None], np.tile(np.arange(16.0), (10, 1))):
        np.testing.assert_array_equal(read_motion(_stored(tmp_path, betas=stored)).betas, np.arange(10.0))
    np.testing.assert_array_equal(read_motion(_stored(tmp_path, betas=np.ones(3))).betas, [1.0] * 3 + [0.0] * 7)


LYING = np.zeros((10, 156))
LYING[:, 2] = np.pi / 2
UPSIDE_DOWN = np.zeros((10, 156))
UPSIDE_DOWN[:, 0] = np.pi
CLIMB = np.linspace(0.0, 4.0, 10)[:, None] * [0.0, 1.0, 0.1]


@pytest.mark.parametrize("change", [{"poses": LYING}, {"poses": UPSIDE_DOWN}, {"trans": CLIMB}])
def test_ambiguous_up_axis_names_the_option(tmp_path, change):
    path = _stored(tmp_path, **change)
    with pytest.raises(AmbiguousTrackError, match=r"--up"):
        read_motion(path)
    assert read_motion(path, up_axis="Y").num_frames == 10
    np.testing.assert_allclose(
        read_motion(path, up_axis="Z", rest_pelvis=np.zeros(3)).trans,
        read_motion(path, up_axis="Y").trans @ Y_TO_Z_UP,
        atol=1e-12,
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"poses": None, "betas": None}, r"no poses, betas in .*clip\.npz; it holds mocap_framerate, trans"),
        ({"mocap_framerate": None}, r"no mocap_framerate \(or the option --fps\)"),
        ({"poses": np.zeros((10, 63))}, r"\(10, 63\)"),
        ({"poses": np.zeros((0, 156))}, r"\(0, 156\)"),
        ({"poses": np.full((10, 156), np.nan)}, "poses holds values that are not finite"),
        ({"poses": np.array("text")}, "expected numbers"),
        ({"poses": np.array([{}], dtype=object)}, "Python objects are not loaded"),
        ({"trans": np.zeros((9, 3))}, r"trans \(9, 3\), expected \(10, 3\)"),
        ({"mocap_framerate": 0.0}, "fps 0.0"),
        ({"mocap_framerate": np.ones(4)}, "--fps"),
        ({"betas": np.arange(20.0).reshape(10, 2)}, "one shape for the clip"),
        ({"up_axis": np.array("X")}, "up_axis Y or Z"),
        ({"up_axis": np.array("Z")}, "rest pelvis"),
    ],
)
def test_faults_are_reported(tmp_path, change, words):
    with pytest.raises(MotionError, match=words):
        read_motion(_stored(tmp_path, **change))


def test_given_frame_rate_replaces_a_missing_one(tmp_path):
    assert read_motion(_stored(tmp_path, mocap_framerate=None), fps=25.0).fps == 25.0


def test_damaged_and_missing_files_are_reported(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 nothing more")
    with pytest.raises(MotionError, match=r"bad\.npz"):
        read_motion(tmp_path / "bad.npz")
    with pytest.raises(InputMissingError, match="nowhere"):
        read_motion(tmp_path / "nowhere.npz")


def test_invalid_arguments_are_rejected(tmp_path, motion):
    for options in ({}, {"up_axis": "X"}, {"up_axis": "Y", "extra": {"poses": np.zeros(3)}}):
        with pytest.raises(ValueError, match="expected"):
            write_motion(tmp_path / "clip.npz", motion, **options)
    with pytest.raises(ValueError, match="up axis"):
        read_motion(tmp_path / "clip.npz", up_axis="X")
    assert list(tmp_path.iterdir()) == []


GMR_KEYS = ("gender", "betas", "root_orient", "pose_body", "trans", "mocap_frame_rate")
"""What GMR's loader of SMPL-X files asks for (general_motion_retargeting/utils/smpl.py)."""
STAGE_TWO_KEYS = ("gender", "surface_model_type", "mocap_frame_rate", "trans", "poses", "betas", "root_orient",
                  "pose_body", "pose_hand", "pose_jaw", "pose_eye")  # fmt: skip
"""The keys of AMASS's files of SMPL-X, without those of its markers."""


def test_a_file_has_what_gmr_reads(tmp_path, motion):
    write_motion(tmp_path / "clip.npz", motion, rest_pelvis=PELVIS)
    with np.load(tmp_path / "clip.npz", allow_pickle=False) as stored:
        assert set(GMR_KEYS) <= set(stored.files)
        assert "left_hand_pose" not in stored.files  # GMR takes such a file for SMPL-H of GRAB
        assert stored["mocap_frame_rate"].item() == 59.94
        assert str(stored["gender"]) == "female"
        assert stored["betas"].shape == (10,)
        np.testing.assert_array_equal(stored["root_orient"], stored["poses"][:, :3])
        np.testing.assert_array_equal(stored["pose_body"], stored["poses"][:, 3:66])
        assert stored["pose_hand"].shape == (20, 90)


@pytest.mark.parametrize(("layout", "width"), [("smplh", 156), ("smplx", 165)])
def test_the_parts_of_a_pose_are_in_the_order_of_the_layout(tmp_path, motion, layout, width):
    write_motion(tmp_path / "clip.npz", motion, rest_pelvis=PELVIS, layout=layout)
    with np.load(tmp_path / "clip.npz") as stored:
        assert stored["poses"].shape == (20, width)
        assert str(stored["surface_model_type"]) == layout
        face = ["pose_jaw", "pose_eye"] if layout == "smplx" else []
        parts = [stored[key] for key in ("root_orient", "pose_body", *face, "pose_hand")]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), stored["poses"])
        assert layout == "smplh" or set(STAGE_TWO_KEYS) <= set(stored.files)
    _assert_same_motion(read_motion(tmp_path / "clip.npz", rest_pelvis=PELVIS), motion)


def test_an_unknown_layout_is_an_error(tmp_path, motion):
    with pytest.raises(ValueError, match="smplh or smplx, got 'smpl'"):
        write_motion(tmp_path / "clip.npz", motion, rest_pelvis=PELVIS, layout="smpl")
