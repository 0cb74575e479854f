"""The software renderer, the list of implausible poses, and the contact sheets of a real fit."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.smpl_skeleton import JOINT_INDEX
from training.evaluation.pose_anomalies import find_anomalies
from training.evaluation.rasterizer import draw_dot, draw_line, draw_mesh, draw_number, halved
from training.look_at_fit import main

SAMPLE = Path(__file__).parents[2] / "samples" / "walk.trc"
WHITE = 255


def _blank(height: int = 20, width: int = 20) -> np.ndarray:
    return np.full((height, width, 3), WHITE, dtype=np.uint8)


def _quad(depth: float, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a square facing the viewer: corners counter-clockwise as seen by the viewer, rows running down."""
    corners = np.array([[low, high, depth], [high, high, depth], [high, low, depth], [low, low, depth]], dtype=float)
    return corners, np.array([[0, 1, 2], [0, 2, 3]])


def test_mesh_covers_its_pixels_and_nearer_parts_hide_farther_ones() -> None:
    picture = _blank()
    far, faces = _quad(0.0, 2, 16)
    near, _ = _quad(5.0, 6, 10)
    colours = np.repeat([[200.0, 0.0, 0.0], [0.0, 0.0, 200.0]], 2, axis=0)
    draw_mesh(picture, np.concatenate([near, far]), np.concatenate([faces, faces + 4]), colours)
    red, blue = (picture[..., 2] == 0) & (picture[..., 0] > 0), (picture[..., 0] == 0) & (picture[..., 2] > 0)
    assert red[6:11, 6:11].all() and red.sum() == 25
    assert (red | blue)[2:17, 2:17].all() and (red | blue).sum() == 225
    assert (picture[0] == WHITE).all()


def test_back_faces_and_triangles_outside_are_not_drawn() -> None:
    picture = _blank()
    corners, faces = _quad(0.0, 2, 16)
    draw_mesh(picture, corners, faces[:, ::-1], np.zeros((2, 3)))
    assert (picture == WHITE).all()
    draw_mesh(picture, corners + [100.0, 0.0, 0.0], faces, np.zeros((2, 3)))
    assert (picture == WHITE).all()


def test_slanted_triangles_are_sorted_pixel_by_pixel() -> None:
    picture = _blank()
    flat, faces = _quad(0.0, 0, 19)
    slanted = flat + np.array([[0.0, 0.0, -10.0], [0.0, 0.0, 10.0], [0.0, 0.0, 10.0], [0.0, 0.0, -10.0]])
    colours = np.repeat([[200.0, 0.0, 0.0], [0.0, 0.0, 200.0]], 2, axis=0)
    draw_mesh(picture, np.concatenate([flat, slanted]), np.concatenate([faces, faces + 4]), colours)
    assert (picture[:, :9, 2] == 0).all()
    assert (picture[:, 11:, 0] == 0).all()


def test_lines_dots_and_numbers_stay_inside_the_picture() -> None:
    picture = _blank()
    draw_line(picture, np.array([-5.0, 10.0, 0.0]), np.array([40.0, 10.0, 0.0]), (0, 0, 0))
    assert (picture[10:12] == 0).all() and (picture[12] == WHITE).all()
    draw_dot(picture, np.array([19.0, 0.0, 0.0]), 2, (9, 9, 9))
    assert (picture[0, 17:] == 9).all() and (picture[3] == WHITE).all()
    number = _blank()
    draw_number(number, "1", (0, 0), (0, 0, 0))
    ink = (number[:10:2, :6:2, 0] == 0).astype(int)
    assert ink.tolist() == [[0, 1, 0], [1, 1, 0], [0, 1, 0], [0, 1, 0], [1, 1, 1]]


def test_halving_takes_the_mean_of_four_pixels() -> None:
    picture = np.zeros((2, 4, 3), dtype=np.uint8)
    picture[0, 0] = 200
    assert halved(picture)[0, :, 0].tolist() == [50, 0]


def _rotations(num_frames: int = 6) -> np.ndarray:
    return np.tile(np.eye(3), (num_frames, 24, 1, 1))


@pytest.mark.parametrize(
    ("joint", "turn_deg", "what"),
    [
        ("left_knee", (-30.0, 0.0, 0.0), "bent forwards"),
        ("right_knee", (0.0, 0.0, 40.0), "bent sideways"),
        ("right_knee", (0.0, -60.0, 0.0), "twisted"),
        ("left_elbow", (0.0, 30.0, 0.0), "bent backwards"),
        ("right_elbow", (0.0, -30.0, 0.0), "bent backwards"),
        ("left_foot", (70.0, 0.0, 0.0), "folded"),
        ("right_ankle", (80.0, 0.0, 0.0), "turned"),
    ],
)
def test_implausible_poses_are_reported(joint: str, turn_deg: tuple[float, float, float], what: str) -> None:
    rotations = _rotations()
    rotations[2:4, JOINT_INDEX[joint]] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    found = [anomaly for anomaly in find_anomalies(rotations, 1.0) if anomaly.what.startswith(what)]
    assert [(anomaly.joint, anomaly.first, anomaly.last) for anomaly in found] == [(joint, 2, 3)]


def test_normal_bends_are_plausible_unless_too_fast() -> None:
    rotations = _rotations()
    bent = {"left_knee": (100.0, 0.0, 0.0), "left_elbow": (0.0, -100.0, 0.0), "right_elbow": (0.0, 100.0, 0.0)}
    for joint, turn in bent.items():
        rotations[:, JOINT_INDEX[joint]] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    assert find_anomalies(rotations, 30.0) == []
    rotations[3:, JOINT_INDEX["left_knee"]] = np.eye(3)
    (anomaly,) = find_anomalies(rotations, 30.0)
    assert (anomaly.joint, anomaly.first, anomaly.last) == ("left_knee", 2, 3)
    assert anomaly.worst == pytest.approx(np.radians(100.0) * 30.0)


def test_deep_knee_bend_about_a_slanted_axis_is_not_a_twist() -> None:
    rotations = _rotations()
    rotations[:, JOINT_INDEX["right_knee"]] = Rotation.from_rotvec((155.0, -12.0, -15.0), degrees=True).as_matrix()
    assert find_anomalies(rotations, 30.0) == []


def test_head_may_not_look_backwards() -> None:
    rotations = _rotations()
    rotations[:, JOINT_INDEX["neck"]] = Rotation.from_euler("y", 60.0, degrees=True).as_matrix()
    rotations[:, JOINT_INDEX["head"]] = Rotation.from_euler("y", 50.0, degrees=True).as_matrix()
    (anomaly,) = find_anomalies(rotations, 30.0)
    assert (anomaly.joint, anomaly.what, anomaly.first, anomaly.last) == ("head", "twisted > 85", 0, 5)
    assert anomaly.worst == pytest.approx(110.0)


def _read_png(path: Path) -> np.ndarray:
    data = path.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    lines = np.frombuffer(zlib.decompress(data[start : start + length]), dtype=np.uint8)
    return lines.reshape(height, 1 + 3 * width)[:, 1:].reshape(height, width, 3)


def test_sheets_show_the_body_left_in_blue_and_right_in_orange(tmp_path: Path, capsys) -> None:
    assert main([str(SAMPLE), "-o", str(tmp_path), "--show-fps", "10", "--frames", "0", "30"]) == 0
    printed = capsys.readouterr().out
    (sheet,) = tmp_path.iterdir()
    assert sheet.name == "walk.trc_01.png"
    assert "on 1 sheets" in printed and "keypoint error" in printed
    picture = _read_png(sheet).astype(int)
    blue, orange = picture[..., 2] - picture[..., 0] > 40, picture[..., 0] - picture[..., 2] > 60
    assert blue.sum() > 5000 and orange.sum() > 5000


def test_frames_outside_the_track_are_refused(tmp_path: Path, capsys) -> None:
    assert main([str(SAMPLE), "-o", str(tmp_path), "--frames", "9000", "9001"]) == 1
    assert "--frames between 0 and" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
