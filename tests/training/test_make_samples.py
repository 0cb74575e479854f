"""The shipped samples match the command's output, and their motion is that of a person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX, VERTEX_IDS
from training.make_samples import GAPS, NOISE_M, POSE2SIM_MARKERS, observe, trc_text, write_samples
from training.samples.feet import PUSH_ROLL_S, STRIKE_ROLL_S, plan_walk
from training.samples.motion import SQUAT_S, WAVE_S, sample_motion

STALE = (
    "the body or the motion has changed since: run python -m training.make_samples --overwrite and commit the samples"
)
SAMPLES = Path(__file__).resolve().parents[2] / "samples"
ROUNDING_M = 1.1e-4
"""The files store tenths of a millimetre; the last digit may round differently on another machine."""


def trc_numbers(path: Path) -> tuple[list[str], np.ndarray]:
    """Return the header lines and the numbers (F, 2 + 3 K) of a TRC file; empty cells are NaN."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [[float(cell) if cell else np.nan for cell in line.split("\t")] for line in lines[5:]]
    return lines[:5], np.array(rows)


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder)
    return folder


@pytest.fixture(scope="module")
def motion() -> Motion:
    return sample_motion()


@pytest.fixture(scope="module")
def joints(motion: Motion) -> np.ndarray:
    return BodyModel(load_free_body()).joints(motion.rotations(), motion.betas, motion.trans)


@pytest.fixture(scope="module")
def vertices(motion: Motion) -> np.ndarray:
    body = BodyModel(load_free_body())
    return body.vertices(
        motion.rotations().astype(np.float32), motion.betas.astype(np.float32), motion.trans.astype(np.float32)
    )


@pytest.mark.parametrize(("name", "unit"), [("walk.trc", 1.0), ("walk_wrong_units.trc", 1000.0)])
def test_shipped_trc_matches_the_command_output(regenerated: Path, name: str, unit: float) -> None:
    header, numbers = trc_numbers(SAMPLES / name)
    new_header, new_numbers = trc_numbers(regenerated / name)
    assert header == new_header
    np.testing.assert_allclose(numbers, new_numbers, rtol=0.0, atol=ROUNDING_M * unit, equal_nan=True, err_msg=STALE)


def test_shipped_npz_matches_the_command_output(regenerated: Path) -> None:
    with np.load(SAMPLES / "walk.npz") as shipped, np.load(regenerated / "walk.npz") as new:
        assert sorted(shipped.files) == ["confidence", "fps", "layout", "positions"]
        assert shipped["positions"].shape == (432, 25, 3)
        assert shipped["layout"] == new["layout"] == "body25"
        assert shipped["fps"] == new["fps"] == 60.0
        np.testing.assert_allclose(shipped["positions"], new["positions"], rtol=0.0, atol=ROUNDING_M, err_msg=STALE)
        np.testing.assert_array_equal(shipped["confidence"], new["confidence"])
        np.testing.assert_array_equal(np.isfinite(shipped["positions"]).all(-1), shipped["confidence"] == 1.0)


def test_wrong_units_file_states_metres_and_contains_millimetres() -> None:
    header, numbers = trc_numbers(SAMPLES / "walk.trc")
    twin_header, twin = trc_numbers(SAMPLES / "walk_wrong_units.trc")
    assert header[2] == twin_header[2] and header[2].split("\t")[4] == "m"
    np.testing.assert_allclose(twin[:, 2:], 1000.0 * numbers[:, 2:], rtol=0.0, atol=0.051)
    np.testing.assert_array_equal(twin[:, :2], numbers[:, :2])


def test_samples_are_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.iterdir()) < 1_000_000


def test_noise_and_gaps_are_as_stated(motion: Motion) -> None:
    names = tuple(POSE2SIM_MARKERS.values())
    first, second = observe(motion, names, 1), observe(motion, names, 2)
    assert np.nanstd(first - second) == pytest.approx(NOISE_M * np.sqrt(2.0), rel=0.02)
    for gap in GAPS:
        columns = [names.index(name) for name in gap.points if name in names]
        assert np.isnan(first[gap.start : gap.start + gap.length, columns]).all()
    lost = np.isnan(first).any(axis=-1)
    assert 0.01 < lost.mean() < 0.03
    assert (np.isnan(first).all(axis=-1) == lost).all()


def test_trc_leaves_missing_points_empty() -> None:
    positions = np.array([[[0.1, 0.2, 0.3], [np.nan] * 3], [[0.4, 0.5, 0.6], [0.7, 0.8, 0.9]]])
    lines = trc_text(positions, ("A", "B"), 50.0, scale=1.0, file_name="x.trc").splitlines()
    assert lines[2].split("\t") == ["50", "50", "2", "2", "m", "50", "1", "2"]
    assert lines[5] == "1\t0.000000\t0.1000\t0.2000\t0.3000\t\t\t"
    assert lines[6].split("\t")[1:3] == ["0.020000", "0.4000"]


def test_feet_in_contact_do_not_slide(vertices: np.ndarray) -> None:
    frame_times = np.arange(len(vertices)) / 60.0
    for side, footprints in plan_walk().footprints.items():
        for footprint in footprints:
            flat = frame_times >= footprint.strike_s + STRIKE_ROLL_S
            flat &= frame_times <= footprint.off_s - PUSH_ROLL_S
            assert flat.sum() >= 5
            sole = vertices[flat][:, [VERTEX_IDS[f"{side}_{part}"] for part in ("heel", "big_toe", "small_toe")]]
            assert np.ptp(sole, axis=0).max() < 1e-3


def test_lowest_point_stays_on_the_floor(vertices: np.ndarray) -> None:
    assert np.abs(vertices[:, :, 1].min(axis=1)).max() < 5e-3


def test_person_walks_turns_waves_and_squats(joints: np.ndarray, motion: Motion) -> None:
    pelvis = joints[:, 0]
    assert np.linalg.norm(pelvis[-1, [0, 2]] - pelvis[0, [0, 2]]) > 2.0
    front = motion.rotations()[:, 0] @ np.array([0.0, 0.0, 1.0])
    turned = np.arctan2(front[-1, 0], front[-1, 2]) - np.arctan2(front[0, 0], front[0, 2])
    assert turned == pytest.approx(0.9, abs=0.1)
    waving = slice(int(60 * WAVE_S[1]), int(60 * WAVE_S[2]))
    wrist = joints[waving, JOINT_INDEX["right_wrist"], 1] - joints[waving, JOINT_INDEX["right_shoulder"], 1]
    assert wrist.min() > 0.05
    assert (np.diff(np.sign(np.diff(wrist))) != 0).sum() >= 3
    deep = int(60 * 0.5 * (SQUAT_S[1] + SQUAT_S[2]))
    assert pelvis[0, 1] - pelvis[deep, 1] > 0.3


def test_nothing_moves_faster_than_a_person(joints: np.ndarray, motion: Motion) -> None:
    assert (np.linalg.norm(np.diff(joints, axis=0), axis=-1) * 60.0).max() < 6.0
    assert (np.linalg.norm(np.diff(joints, n=2, axis=0), axis=-1) * 3600.0).max() < 80.0
    knees = motion.rotations()[:, [JOINT_INDEX["left_knee"], JOINT_INDEX["right_knee"]]]
    bend = np.arctan2(knees[..., 2, 1], knees[..., 2, 2])
    assert bend.min() > 0.0 and bend.max() < 2.3
