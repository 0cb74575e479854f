"""Joint angles against SciPy and hand-computed values, and readers of the files with angles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.errors import TrackFileError
from core.joint_angles import bend_degrees, smpl_angles, zxy_degrees
from core.math.rotations import axis_angle_to_matrix
from core.smpl_skeleton import JOINT_INDEX, SIDES
from training.evaluation.opensim_files import read_bodies, read_mot


def test_zxy_agrees_with_scipy() -> None:
    angles = np.random.default_rng(0).uniform(-80.0, 80.0, (50, 3))
    np.testing.assert_allclose(
        zxy_degrees(Rotation.from_euler("ZXY", angles, degrees=True).as_matrix()), angles, atol=1e-9
    )


def test_bend_is_0_when_straight_and_90_at_a_right_angle() -> None:
    root, middle = np.array([0.0, 2.0, 0.0]), np.array([0.0, 1.0, 0.0])
    assert bend_degrees(root, middle, np.array([0.0, 0.5, 0.0])) == pytest.approx(0.0, abs=1e-6)
    assert bend_degrees(root, middle, np.array([0.3, 1.0, 0.0])) == pytest.approx(90.0)


def posed(turns: dict[str, tuple[float, float, float]]) -> dict[str, np.ndarray]:
    """Return the angles of one frame with joints rotated by degrees about SMPL's axes."""
    vectors = np.zeros((1, 24, 3))
    for name, degrees in turns.items():
        vectors[0, JOINT_INDEX[name]] = np.deg2rad(degrees)
    rotations = axis_angle_to_matrix(vectors)
    joints = BodyModel(load_free_body()).joints(
        rotations.astype(np.float32), np.zeros(10, dtype=np.float32), np.zeros((1, 3), dtype=np.float32)
    )
    return smpl_angles(rotations, joints)


@pytest.mark.parametrize("side", SIDES)
def test_angles_have_the_signs_of_gait_analysis(side: str) -> None:
    outwards = 1.0 if side == "left" else -1.0
    forward = posed({f"{side}_hip": (-30.0, 0.0, 0.0)})
    assert forward[f"{side}_hip_flexion"][0] == pytest.approx(30.0, abs=1e-4)
    inwards = posed({f"{side}_hip": (0.0, 0.0, -10.0 * outwards)})
    assert inwards[f"{side}_hip_adduction"][0] == pytest.approx(10.0, abs=1e-4)
    toes_in = posed({f"{side}_hip": (0.0, -15.0 * outwards, 0.0)})
    assert toes_in[f"{side}_hip_rotation"][0] == pytest.approx(15.0, abs=1e-4)
    toes_up = posed({f"{side}_ankle": (-12.0, 0.0, 0.0)})
    assert toes_up[f"{side}_ankle"][0] == pytest.approx(12.0, abs=1e-4)
    straight, bent = posed({}), posed({f"{side}_knee": (60.0, 0.0, 0.0)})
    assert abs(bent[f"{side}_knee"][0] - straight[f"{side}_knee"][0] - 60.0) < 12.0, "the knee is slightly bent at rest"


def mot_text(names: list[str], rows: np.ndarray, in_degrees: str) -> str:
    lines = ["Coordinates", "version=1", f"inDegrees={in_degrees}", "", "endheader", "\t".join(names)]
    return "\n".join([*lines, *("\t".join(f"{value:.8f}" for value in row) for row in rows)]) + "\n"


@pytest.mark.parametrize(("in_degrees", "unit"), [("yes", 1.0), ("no", np.pi / 180.0)])
def test_coordinates_are_read_in_degrees(tmp_path: Path, in_degrees: str, unit: float) -> None:
    names = ["time", "pelvis_tx", "hip_flexion_r", "knee_angle_l", "elbow_flex_r", "ankle_angle_r"]
    rows = np.array([[0.5, 1.2, 30.0, -40.0, 20.0, -5.0], [0.6, 1.3, 31.0, -41.0, 21.0, -6.0]])
    rows[:, 2:] *= unit
    (tmp_path / "walk_ik.mot").write_text(mot_text(names, rows, in_degrees), encoding="utf-8")
    found = read_mot(tmp_path / "walk_ik.mot")
    np.testing.assert_allclose(found.times, [0.5, 0.6])
    assert set(found.angles) == {"right_hip_flexion", "left_knee", "right_elbow", "right_ankle"}
    np.testing.assert_allclose(found.angles["right_hip_flexion"], [30.0, 31.0], atol=1e-5)
    np.testing.assert_allclose(found.angles["left_knee"], [40.0, 41.0], atol=1e-5)
    np.testing.assert_allclose(found.angles["right_ankle"], [-5.0, -6.0], atol=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no header at all\n", "endheader"),
        ("inDegrees=yes\nendheader\ntime\thip_flexion_l\n0.0\tnot a number\n", "numbers"),
        ("inDegrees=yes\nendheader\n", "numbers"),
        ("inDegrees=yes\nendheader\ntime\tpelvis_tx\n0.0\t1.0\n", "hip_flexion_l"),
    ],
)
def test_invalid_coordinate_file_is_reported(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.mot"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrackFileError, match=message) as error:
        read_mot(path)
    assert str(path) in str(error.value)


def bodies_of(times: np.ndarray, seed: int) -> dict[str, object]:
    generator = np.random.default_rng(seed)
    names = ["pelvis", *(f"{body}_{side}" for side in "lr" for body in _BODIES)]
    bodies = {
        name: {
            "translation": generator.normal(size=(len(times), 3)).tolist(),
            "rotation": generator.uniform(-1.0, 1.0, (len(times), 3)).tolist(),
        }
        for name in names
    }
    return {"time": times.tolist(), "bodies": bodies}


_BODIES = ("femur", "tibia", "talus", "humerus", "ulna", "hand")


def test_bodies_are_read_with_their_rotations(tmp_path: Path) -> None:
    stored = bodies_of(np.arange(4) / 100.0, 1)
    (tmp_path / "squat_mocap.json").write_text(json.dumps(stored), encoding="utf-8")
    found = read_bodies(tmp_path / "squat_mocap.json")
    bodies = stored["bodies"]
    np.testing.assert_allclose(found.joints["left_hip"], bodies["femur_l"]["translation"])
    np.testing.assert_allclose(found.joints["right_wrist"], bodies["hand_r"]["translation"])
    expected = Rotation.from_euler("XYZ", bodies["tibia_r"]["rotation"]).as_matrix()
    np.testing.assert_allclose(found.rotations["tibia_r"], expected, atol=1e-12)
    assert len(found.joints) == 12


@pytest.mark.parametrize("broken", ["", "[]", '{"time": [0.0], "bodies": {}}', '{"time": [0.0]}'])
def test_invalid_file_of_bodies_is_reported(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "bad_mocap.json"
    path.write_text(broken, encoding="utf-8")
    with pytest.raises(TrackFileError, match="bodies"):
        read_bodies(path)
