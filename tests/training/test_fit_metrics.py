"""Metrics of the fit's evaluation on motions with injected errors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.layouts import LAYOUTS
from core.math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX
from training.data.motion_folder import Clip, read_clips
from training.evaluate_fit import chosen_rows, main
from training.evaluation.fit_conditions import ERROR_ROWS, FAULT_ROWS, SMPL_HIP_WIDTH_M, SOLVER_ROWS, Condition
from training.evaluation.fit_metrics import Evaluation, Row, row_of
from training.evaluation.fit_spill import SpillMeter
from training.evaluation.realistic_errors import MIXED_ERRORS, ErrorModel
from training.evaluation.track_faults import OutlierRun

CLEAN = Condition("clean")


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return Evaluation()


@pytest.fixture(scope="module")
def clip(motion_folder: Path) -> Clip:
    return read_clips(motion_folder, collection="Walk")[0]


def motion_of(clip: Clip, rotations: np.ndarray | None = None) -> Motion:
    turns = (clip.rotations if rotations is None else rotations).astype(np.float64)
    poses = matrix_to_axis_angle(turns).reshape(len(turns), -1)
    return Motion(poses, clip.drawn_betas().astype(np.float64), clip.trans.astype(np.float64), clip.fps)


def turned(clip: Clip, joint: str, degrees: float, frames: slice = slice(None), axis: int = 0) -> np.ndarray:
    rotations = clip.rotations.astype(np.float64)
    rotations[frames, JOINT_INDEX[joint]] @= axis_angle_to_matrix(np.deg2rad(degrees) * np.eye(3)[axis])
    return rotations


def test_true_motion_has_no_error(evaluation: Evaluation, clip: Clip) -> None:
    row = evaluation.compare(clip, CLEAN, motion_of(clip))
    for name in ("pve_mm", "worst_joint_mm", "true_keypoint_mm", "shape_mm", "acceleration_mm"):
        assert getattr(row, name) == pytest.approx(0.0, abs=0.01), name
    for name in ("arm_deg", "wrist_deg", "head_deg", "foot_deg"):
        assert getattr(row, name) == pytest.approx(0.0, abs=0.1), name


def test_the_worst_joint_is_found_but_not_where_the_recording_jumps(evaluation: Evaluation, clip: Clip) -> None:
    """A shin held aside for many frames is a motion; one that is aside for one frame is a fault of the recording."""
    held, flipped = (replace(clip, rotations=turned(clip, "left_knee", 60.0, frames, axis=2).astype(np.float32))
                     for frames in (slice(5, None), slice(7, 8)))  # fmt: skip
    assert evaluation.compare(held, CLEAN, motion_of(clip)).worst_joint_mm > 300.0
    row = evaluation.compare(flipped, CLEAN, motion_of(clip))
    assert row.worst_joint_mm == pytest.approx(0.0, abs=0.01)
    assert row.acceleration_mm > 1.0


def test_orientations_are_global(evaluation: Evaluation, clip: Clip) -> None:
    row = evaluation.compare(clip, CLEAN, motion_of(clip, turned(clip, "neck", 20.0)))
    assert row.head_deg == pytest.approx(20.0, abs=0.1)
    assert row.foot_deg == pytest.approx(0.0, abs=0.1)
    row = evaluation.compare(clip, CLEAN, motion_of(clip, turned(clip, "left_knee", 20.0)))
    assert row.foot_deg == pytest.approx(10.0, abs=0.1), "the mean of both feet"


def test_worst_joint_is_that_of_the_worst_frame(evaluation: Evaluation, clip: Clip) -> None:
    bent = motion_of(clip, turned(clip, "left_elbow", 90.0, slice(3, 4), axis=2))
    rest = evaluation.body.rest_joints(clip.drawn_betas())
    reach = np.linalg.norm(rest[JOINT_INDEX["left_hand"]] - rest[JOINT_INDEX["left_elbow"]])
    worst = evaluation.compare(clip, CLEAN, bent).worst_joint_mm
    assert worst == pytest.approx(1000.0 * np.sqrt(2.0) * reach, rel=0.02), "the arm lies along X at rest"


def test_smpls_hips_are_moved_inwards_and_nothing_else(evaluation: Evaluation, clip: Clip) -> None:
    layout = LAYOUTS["smpl22"]
    narrow = evaluation.track(clip, Condition("narrow", layout="smpl22", smpl_hips=True)).positions
    own = evaluation.track(clip, Condition("own", layout="smpl22")).positions
    left, right = (layout.names.index(f"{side}_hip") for side in ("left", "right"))
    rest = evaluation.body.rest_joints(np.zeros(10, dtype=np.float32))
    taken = np.linalg.norm(rest[1] - rest[2]) - SMPL_HIP_WIDTH_M
    widths = [np.linalg.norm(points[:, left] - points[:, right], axis=-1) for points in (own, narrow)]
    np.testing.assert_allclose(widths[0] - widths[1], taken, atol=2e-3)
    np.testing.assert_allclose(narrow[:, left] + narrow[:, right], own[:, left] + own[:, right], atol=1e-4)
    others = [column for column in range(22) if column not in (left, right)]
    np.testing.assert_array_equal(narrow[:, others], own[:, others])


@pytest.mark.parametrize("layout", ["body25", "wholebody133", "smpl24"])
def test_errors_follow_the_model_and_are_deterministic(evaluation: Evaluation, clip: Clip, layout: str) -> None:
    constant = Condition("constant", errors=ErrorModel(constant_m=0.010), layout=layout)
    off = evaluation.track(clip, constant).positions - evaluation.track(clip, replace(CLEAN, layout=layout)).positions
    read = np.isfinite(off[0, :, 0])
    np.testing.assert_array_equal(read, [point.solver is not None for point in LAYOUTS[layout].points])
    lengths = np.linalg.norm(off[:, read], axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(lengths[0], lengths.shape), atol=1e-6)
    assert 0.010 < lengths[0].mean() < 0.024, "sqrt(8 / pi) standard deviations are 16 mm"
    again = evaluation.track(clip, replace(constant, name="another name")).positions
    np.testing.assert_array_equal(again, evaluation.track(clip, constant).positions)


def test_fault_is_added_to_the_same_errors(evaluation: Evaluation, clip: Clip) -> None:
    mix = Condition("mix", errors=MIXED_ERRORS)
    bad = evaluation.disturbed(clip, replace(mix, fault=OutlierRun(2.0, 5)))
    off = np.linalg.norm(bad.track.positions - evaluation.track(clip, mix).positions, axis=-1)
    assert bad.run is not None
    assert (off > 1.9).sum() == 5 and (off[bad.run] > 1.9).sum() == 5 and off[off < 1.9].max() == 0.0


def test_spill_measures_changes_outside_the_fault(evaluation: Evaluation, clip: Clip) -> None:
    gauge, run, count = SpillMeter(evaluation.body), slice(10, 16), len(clip.trans)
    near, far, steady = slice(16, 18), slice(60, 61), np.zeros(count, dtype=bool)
    assert 0.3 * clip.fps < 60 - 16 and 18 - 16 < 0.3 * clip.fps
    inside = gauge.measure(motion_of(clip, turned(clip, "left_hip", 40.0, run)), motion_of(clip), run, steady)
    assert max(vars(inside).values()) < 0.01
    close = gauge.measure(motion_of(clip, turned(clip, "left_hip", 22.0, near)), motion_of(clip), run, steady)
    assert close.outside_deg == pytest.approx(2 / (count - 6), rel=1e-3), "22 joints share the turn of one"
    assert close.outside_mm > 0.1 and close.far_mm < 0.01 and close.far_joint_deg < 0.01
    away = gauge.measure(motion_of(clip, turned(clip, "left_hip", 22.0, far)), motion_of(clip), run, steady)
    assert away.far_deg == pytest.approx(1.0, rel=1e-3) and away.far_joint_deg == pytest.approx(22.0, rel=1e-3)
    assert away.far_mm > 1.0
    jumps = steady.copy()
    jumps[far] = True
    broken = gauge.measure(motion_of(clip, turned(clip, "left_hip", 22.0, far)), motion_of(clip), run, jumps)
    assert broken.far_joint_deg < 0.01 and broken.outside_deg == pytest.approx(away.outside_deg)


def test_refused_clips_are_counted_and_named(evaluation: Evaluation, clip: Clip) -> None:
    blind = Condition("nothing seen", missing=1.0)
    message = evaluation.measure_or_refuse(clip, blind)
    assert isinstance(message, str) and message.startswith(f"{clip.name}: TrackError: expected both hips")
    row = row_of(blind, [message])
    assert row.refused == (message,) and row.clips == 0 and np.isnan(row.pve_mm)
    sound = evaluation.compare(clip, blind, motion_of(clip))
    mixed = row_of(blind, [sound, message, None])
    assert mixed.clips == 1 and mixed.refused == (message,) and mixed.frames == len(clip.trans)


def test_impossibly_fast_person_is_refused_by_reading(evaluation: Evaluation, clip: Clip) -> None:
    """The track passes through the readers' checks: here the person moves away at 100 m/s."""

    class Flown(OutlierRun):
        def apply(self, points, names, fps, generator):
            return points + 100.0 / fps * np.arange(len(points))[:, None, None], slice(0, 1)

    flown = Condition("flown", fault=Flown(0.0, 1), read=True)
    message = evaluation.measure_or_refuse(clip, flown)
    assert isinstance(message, str) and "TrackError" in message


def test_clip_mostly_covered_by_a_fault_is_left_out(evaluation: Evaluation, clip: Clip) -> None:
    assert (
        evaluation.measure_or_refuse(clip, Condition("long", fault=OutlierRun(1.0, len(clip.trans) // 2 + 1))) is None
    )


def test_means_are_weighted_by_frames_and_the_worst_is_the_maximum() -> None:
    figures = dict.fromkeys(
        (name for name, field in Row.__dataclass_fields__.items() if field.type == "float" and name != "pve_mm"), 0.0
    )
    rows = [
        Row("row", pve_mm=1.0, frames=10, **{**figures, "worst_joint_mm": 7.0}),
        Row("row", pve_mm=4.0, frames=30, **{**figures, "worst_joint_mm": 5.0}),
    ]
    row = row_of(Condition("row"), rows)
    assert (row.pve_mm, row.worst_joint_mm, row.frames, row.clips) == (3.25, 7.0, 40, 2)


def test_rows_have_unique_names_and_are_selected_by_them() -> None:
    names = [condition.name for rows in (ERROR_ROWS, FAULT_ROWS, SOLVER_ROWS) for condition in rows]
    assert len(set(names)) == len(names) == len(chosen_rows(None))
    assert chosen_rows(["BODY25, mix", "arm hidden*"]) == {
        "BODY25, mix", "arm hidden for 1/3 s", "arm hidden for 1 s",
    }  # fmt: skip


@pytest.mark.slow
def test_command_gives_the_same_output_with_any_number_of_processes(
    motion_folder: Path, tmp_path: Path, capsys
) -> None:
    for path in motion_folder.glob("Walk_0[12]_01_poses.npz"):
        (tmp_path / path.name.replace("Walk_0", "CMU_1")).write_bytes(path.read_bytes())
    rows = ["--rows", "BODY25, mix", "one point 1 m off, 5 frames", "clean, true betas"]
    found = []
    for jobs in ("1", "2"):
        json_path = tmp_path / f"{jobs}.json"
        arguments = [str(tmp_path), "--subjects", "11", "12", *rows, "--jobs", jobs, "--json", str(json_path)]
        assert main(arguments) == 0
        found.append(json.loads(json_path.read_text(encoding="utf-8"))["rows"])
    assert [row["name"] for row in found[0]] == rows[1:]
    for one, other in zip(*found, strict=True):
        assert one["clips"] == 2 and other["pve_mm"] == pytest.approx(one["pve_mm"], abs=0.05)
    mix, outlier, clean = found[0]
    assert clean["pve_mm"] < mix["pve_mm"] and outlier["spill"]["outside_mm"] >= 0.0 and mix["spill"] is None
    assert "Realistic tracker errors" in capsys.readouterr().out


def test_unknown_row_is_reported(motion_folder: Path, capsys) -> None:
    assert main([str(motion_folder), "--rows", "no such row"]) == 1
    assert "no such row" in capsys.readouterr().err
