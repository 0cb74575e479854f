"""Files for OpenSim: coordinates have OpenSim's names, signs and values, and parsers of its formats read the files."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.fit import fit_track
from core.io.own_files import is_own
from core.math.rotations import matrix_to_axis_angle
from core.motion import Motion
from core.opensim import POINTS, coordinates, fitted_points, write_mot, write_trc
from core.reading import read_all, read_tracks
from core.smpl_skeleton import JOINT_INDEX

from ..recordings import ORIGINALS
from .fit.scenes import walking

BODY = load_free_body()
GAIT_MODEL = """pelvis_tilt pelvis_list pelvis_rotation pelvis_tx pelvis_ty pelvis_tz hip_flexion_r hip_adduction_r
hip_rotation_r knee_angle_r ankle_angle_r hip_flexion_l hip_adduction_l hip_rotation_l knee_angle_l ankle_angle_l
lumbar_extension lumbar_bending lumbar_rotation arm_flex_r arm_add_r arm_rot_r elbow_flex_r arm_flex_l arm_add_l
arm_rot_l elbow_flex_l""".split()
"""Coordinates of Rajagopal's model in the order of OpenSim's own files, without those that SMPL has not."""


def _posed(**turns: tuple[float, float, float]) -> dict[str, float]:
    """Return the coordinates of a pose with joints rotated by degrees about SMPL's axes (x left, y up, z forward)."""
    poses = np.zeros((1, 72))
    for name, degrees in turns.items():
        joint = JOINT_INDEX[name]
        poses[0, 3 * joint : 3 * joint + 3] = np.deg2rad(degrees)
    motion = Motion(poses, np.zeros(10), np.zeros((1, 3)), 30.0)
    return {name: float(values[0]) for name, values in coordinates(motion, BODY).items()}


def _walk() -> Motion:
    scene = walking()[20:60]
    poses = matrix_to_axis_angle(scene.rotations.astype(float)).reshape(len(scene), -1)
    return Motion(poses, scene.betas.astype(float), scene.trans.astype(float), 29.97)


def read_storage(path: Path) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Read a file as OpenSim's Storage does: KEY=VALUE up to "endheader", names, nRows rows of nColumns numbers."""
    head, _, table = path.read_text().partition("endheader\n")
    keys = dict(line.split("=", 1) for line in head.splitlines() if re.fullmatch(r"\w+=\S+", line))
    names, *rows = [line.split("\t") for line in table.splitlines()]
    assert len(rows) == int(keys["nRows"])
    assert {len(row) for row in (names, *rows)} == {int(keys["nColumns"])}
    return keys, dict(zip(names, np.array(rows, dtype=float).T, strict=True))


def test_the_coordinates_are_those_of_the_gait_model():
    assert list(coordinates(_walk(), BODY)) == GAIT_MODEL


def test_standing_has_hanging_zeros():
    found = _posed(pelvis=(0, 90, 0))
    for name in (*GAIT_MODEL[:3], *GAIT_MODEL[6:9], "ankle_angle_r", "lumbar_extension"):
        assert found[name] == pytest.approx(0.0, abs=1e-4)
    assert found["pelvis_ty"] == pytest.approx(float(BodyModel(BODY).rest_joints(np.zeros(10, np.float32))[0, 1]))
    # Arms stretched to the sides are abducted.
    assert found["arm_add_r"] == pytest.approx(found["arm_add_l"], abs=0.5)
    assert -100.0 < found["arm_add_r"] < -30.0


@pytest.mark.parametrize("side", ["left", "right"])
def test_limbs_have_opensims_signs(side):
    out, letter, rest = (1.0 if side == "left" else -1.0), side[0], _posed()
    assert _posed(**{f"{side}_hip": (-30, 0, 0)})[f"hip_flexion_{letter}"] == pytest.approx(30.0, abs=1e-3)
    assert _posed(**{f"{side}_hip": (0, 0, -10 * out)})[f"hip_adduction_{letter}"] == pytest.approx(10.0, abs=1e-3)
    assert _posed(**{f"{side}_hip": (0, -15 * out, 0)})[f"hip_rotation_{letter}"] == pytest.approx(15.0, abs=1e-3)
    assert _posed(**{f"{side}_knee": (60, 0, 0)})[f"knee_angle_{letter}"] == pytest.approx(60.0, abs=12.0)
    assert _posed(**{f"{side}_ankle": (-12, 0, 0)})[f"ankle_angle_{letter}"] == pytest.approx(12.0, abs=1e-3)
    lowered = _posed(**{f"{side}_shoulder": (0, 0, -20 * out)})
    assert lowered[f"arm_add_{letter}"] - rest[f"arm_add_{letter}"] == pytest.approx(20.0, abs=1.0)
    bent = _posed(**{f"{side}_elbow": (0, -90 * out, 0)})[f"elbow_flex_{letter}"]
    assert bent == pytest.approx(90.0, abs=12.0)


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_arm_that_hangs_has_zeros_and_flexes_forward(side):
    rest = np.asarray(BodyModel(BODY).rest_joints(np.zeros(10, np.float32)))
    bone = rest[JOINT_INDEX[f"{side}_elbow"]] - rest[JOINT_INDEX[f"{side}_shoulder"]]
    down = Rotation.align_vectors([[0.0, -1.0, 0.0]], [bone])[0]
    raised = Rotation.from_euler("x", -40.0, degrees=True) * down
    for turn, flexion in ((down, 0.0), (raised, 40.0)):
        found = _posed(**{f"{side}_shoulder": tuple(np.rad2deg(turn.as_rotvec()))})
        assert found[f"arm_flex_{side[0]}"] == pytest.approx(flexion, abs=1e-3)
        assert found[f"arm_add_{side[0]}"] == pytest.approx(0.0, abs=1e-3)


def test_trunk_and_pelvis_have_opensims_signs():
    assert _posed(spine1=(-10, 0, 0), spine2=(-10, 0, 0))["lumbar_extension"] == pytest.approx(20.0, abs=1e-3)
    assert _posed(spine2=(0, 0, 8))["lumbar_bending"] == pytest.approx(8.0, abs=1e-3)
    assert _posed(spine3=(0, 25, 0))["lumbar_rotation"] == pytest.approx(25.0, abs=1e-3)
    assert _posed(pelvis=(0, 120, 0))["pelvis_rotation"] == pytest.approx(30.0, abs=1e-3)
    looking_along_x = Rotation.from_euler("y", 90.0, degrees=True)
    for turn, name in (((-7, 0, 0), "pelvis_tilt"), ((0, 0, 7), "pelvis_list")):
        leaning = looking_along_x * Rotation.from_rotvec(turn, degrees=True)
        assert _posed(pelvis=tuple(np.rad2deg(leaning.as_rotvec())))[name] == pytest.approx(7.0, abs=1e-3)


def test_a_turn_does_not_jump():
    angles = np.deg2rad(np.linspace(0.0, 720.0, 80))
    poses = np.zeros((80, 72))
    poses[:, :3] = Rotation.from_rotvec(angles[:, None] * [0.0, 1.0, 0.0]).as_rotvec()
    turning = coordinates(Motion(poses, np.zeros(10), np.zeros((80, 3)), 30.0), BODY)["pelvis_rotation"]
    np.testing.assert_allclose(turning, np.rad2deg(angles) - 90.0, atol=1e-3)


def test_a_mot_is_read_as_opensim_reads_it(tmp_path):
    motion = _walk()
    write_mot(tmp_path / "walk.mot", motion, BODY)
    keys, columns = read_storage(tmp_path / "walk.mot")
    assert keys["inDegrees"] == "yes"
    assert list(columns) == ["time", *GAIT_MODEL]
    np.testing.assert_allclose(columns["time"], np.arange(40) / 29.97, atol=1e-7)
    for name, values in coordinates(motion, BODY).items():
        np.testing.assert_allclose(columns[name], values, atol=1e-7)


def test_forward_kinematics_of_the_coordinates_gives_the_motion_back():
    motion = replace(_walk(), betas=np.zeros(10))
    found = coordinates(motion, BODY)
    to_smpl = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    names = ("pelvis_tilt", "pelvis_list", "pelvis_rotation")
    pelvis = Rotation.from_euler("ZXY", np.stack([found[name] for name in names], axis=1), degrees=True).as_matrix()
    rotations = motion.rotations()
    np.testing.assert_allclose(pelvis @ to_smpl.T, rotations[:, 0], atol=1e-9)
    for side, sign in (("r", 1.0), ("l", -1.0)):
        parts = [found[f"hip_{name}_{side}"] for name in ("flexion", "adduction", "rotation")]
        hip = Rotation.from_euler("ZXY", np.stack(parts, axis=1) * [1.0, sign, sign], degrees=True).as_matrix()
        joint = JOINT_INDEX["right_hip" if side == "r" else "left_hip"]
        np.testing.assert_allclose(to_smpl @ hip @ to_smpl.T, rotations[:, joint], atol=1e-9)


def test_a_trc_is_read_back_with_its_points(tmp_path):
    motion = _walk()
    write_trc(tmp_path / "walk.trc", motion, BODY)
    lines = (tmp_path / "walk.trc").read_text().splitlines()
    assert lines[0].split("\t")[:3] == ["PathFileType", "4", "(X/Y/Z)"]
    assert lines[2].split("\t") == ["29.97", "29.97", "40", str(len(POINTS)), "m", "29.97", "1", "40"]
    assert lines[3].split("\t")[:2] == ["Frame#", "Time"]
    assert lines[3].split("\t")[2::3] == list(POINTS)
    rows = np.array([line.split("\t") for line in lines[6:]], dtype=float)
    assert rows.shape == (40, 2 + 3 * len(POINTS))
    points = rows[:, 2:].reshape(40, -1, 3)
    np.testing.assert_allclose(points, fitted_points(motion, BODY), atol=1e-6)
    (reading,) = read_all(tmp_path / "walk.trc")
    assert reading.track.fps == 29.97
    assert len(reading.matched) >= 20
    assert not reading.doubts


@pytest.mark.parametrize("write", [write_mot, write_trc])
def test_a_file_is_recognised_until_it_is_changed(tmp_path, write):
    path = tmp_path / "walk.any"
    write(path, _walk(), BODY)
    assert is_own(path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\n1\t", b"\n2\t", 1) if write is write_trc else data.replace(b"0.0", b"0.1", 1))
    assert not is_own(path)
    path.write_bytes(data + b"\n")
    assert not is_own(path)


@pytest.mark.slow
@pytest.mark.skipif(not (ORIGINALS / "real" / "subject4").is_dir(), reason="needs the recordings beside the repository")
def test_the_coordinates_of_a_fit_follow_those_that_opensim_solved():
    """Differences vary by as many degrees (standard deviation) over a walk; constants depend on a model's zeros."""
    trial = ORIGINALS / "real" / "subject4" / "walking1.trc"
    (track,) = read_tracks(trial)
    motion, _ = fit_track(track, BODY)
    found = coordinates(motion, BODY)
    _, solved = read_storage(trial.with_name("walking1_ik.mot"))
    times = np.arange(motion.num_frames) / motion.fps
    limits = {
        "pelvis_tilt": 1.5, "pelvis_list": 1.5, "pelvis_rotation": 1.5, "hip_flexion_r": 3.0, "hip_flexion_l": 3.0,
        "knee_angle_r": 4.0, "knee_angle_l": 4.0, "lumbar_extension": 2.0, "lumbar_bending": 3.0,
        "lumbar_rotation": 2.0, "arm_flex_r": 2.0, "arm_flex_l": 2.0, "arm_add_r": 2.5, "arm_add_l": 2.5,
        "elbow_flex_r": 5.0, "elbow_flex_l": 5.0,
    }  # fmt: skip
    for name, limit in limits.items():
        off = found[name] - np.interp(times, solved["time"] - solved["time"][0], np.rad2deg(solved[name]))
        assert off.std() < limit, (name, off.std())
    for name in ("pelvis_tx", "pelvis_ty", "pelvis_tz"):
        off = found[name] - np.interp(times, solved["time"] - solved["time"][0], solved[name])
        assert off.std() < 0.02, (name, off.std())
