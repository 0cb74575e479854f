"""Metrics of the clean-up's evaluation on a walk with known ground truth."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from core.cleanup import PLANTED, analyse_motion
from core.cleanup.lowest import lowest_heights
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX
from training.data.motion_folder import read_clips
from training.evaluate_cleanup import Evaluator, feet_row, main, smoothing_rows, walks
from training.evaluation.fit_metrics import Evaluation
from training.evaluation.sole_metrics import FootSkin, sole_row
from training.samples.motion import sample_motion


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(Evaluation())


@pytest.fixture(scope="module")
def walk():
    return sample_motion().resampled(30.0)


def test_distances_equal_the_injected_errors(evaluator, walk):
    np.testing.assert_allclose(evaluator.distances(walk, walk), 0.0, atol=1e-6)
    moved = replace(walk, trans=walk.trans + [0.003, 0.0, 0.004])
    np.testing.assert_allclose(evaluator.distances(moved, walk), [0.0, 5.0, 0.0], atol=1e-3)
    swung = walk.trans.copy()
    swung[::2, 0] += 0.001
    np.testing.assert_allclose(evaluator.distances(replace(walk, trans=swung), walk), [0.0, 0.5, 2.0], atol=1e-3)


def test_noise_decreases_with_smoothing(evaluator, walk):
    noise = np.random.default_rng(0).normal(0.0, 0.03, walk.poses.shape)
    noisy = replace(walk, poses=walk.poses + noise)
    raw, calm, calmer = smoothing_rows(evaluator, [(analyse_motion(noisy, evaluator.evaluation.body), walk)], "noisy")
    assert raw.name == "noisy" and calm.name == "noisy, smooth 0.5"
    assert calm.acceleration_mm < raw.acceleration_mm / 3.0
    assert calm.pve_mm < raw.pve_mm
    assert calmer.acceleration_mm < raw.acceleration_mm / 3.0


def test_slides_are_measured_and_corrected(evaluator, walk):
    skating = replace(walk, trans=walk.trans * [1.1, 1.0, 1.1])
    row = feet_row(evaluator, [(analyse_motion(skating, evaluator.evaluation.body), walk)], "skating")
    assert (row.clips, row.contacts) == (1, 16)
    assert row.agreement > 0.9
    assert row.slide_before_mm > 20.0
    assert row.slide_mm < 1.0 and row.slide_95_mm <= row.slide_worst_mm < 2.0
    assert row.elsewhere_before_mm > 50.0, "a path that is a tenth too long is far from the true one"


def test_the_skin_of_the_feet_is_the_mesh_that_blender_shows(evaluator, walk):
    skins, ankles = FootSkin(evaluator.evaluation.body, walk.betas).posed(walk)
    lowest = np.minimum(*(skin[..., 1].min(axis=1) for skin in skins))
    np.testing.assert_allclose(lowest, lowest_heights(walk, evaluator.evaluation.body), atol=1e-5)
    joints = evaluator.joints(walk)[:, [JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"]]]
    np.testing.assert_allclose(ankles, joints, atol=1e-6)


def test_injected_slides_gaps_and_jumps_of_the_skin_are_measured(evaluator):
    """A standing body slides by 30 mm and back, sinks by 10 mm and jumps up for one frame."""
    body = evaluator.evaluation.body
    still = Motion(np.zeros((60, 72)), np.zeros(10), np.zeros((60, 3)), 30.0)
    source = analyse_motion(still, body)
    assert len(source.contacts) == 4
    skin = FootSkin(body, still.betas)
    at_rest = skin.measure(source, still, source.floor)
    assert np.abs(at_rest.lowest).max() < 1e-3 and at_rest.gaps.max() < 5e-3
    np.testing.assert_allclose(at_rest.slides, 0.0, atol=1e-9)
    trans = np.zeros((60, 3))
    trans[20:40, 0] = 0.03
    trans[:, 1] = -0.01
    trans[50, 1] = 0.02
    figures = skin.measure(source, replace(still, trans=trans), source.floor)
    np.testing.assert_allclose(figures.slides, 0.03, atol=1e-9)
    np.testing.assert_allclose(figures.lowest - at_rest.lowest, trans[:, [1, 1]], atol=1e-9)
    soles, ankles = figures.accelerations(30.0)
    np.testing.assert_allclose(soles.max(axis=0), 2 * 0.03 * 30.0**2, atol=1e-6)
    np.testing.assert_allclose(ankles.max(axis=0), 2 * 0.03 * 30.0**2, atol=1e-6)


def test_a_sole_row_compares_before_and_after(evaluator, walk):
    sunk = replace(walk, trans=walk.trans * [1.1, 1.0, 1.1])
    row = sole_row([(analyse_motion(sunk, evaluator.evaluation.body), walk)], "skating", PLANTED, evaluator.pve_mm)
    assert (row.clips, row.contacts) == (1, 16)
    assert row.slide_mm[0] > 20.0 > 5.0 > row.slide_mm[1]
    assert row.slide_mm[1] <= row.slide_95_mm[1] <= row.slide_worst_mm[1]
    assert row.lowest_mm == row.lowest_worst_mm, "one clip"
    assert row.sole_jump == row.sole_jump_worst and row.ankle_jump == row.ankle_jump_worst
    np.testing.assert_allclose(row.pve_mm[0], 0.0, atol=1e-6)
    assert 0.0 < row.pve_mm[1] < 10.0


def _write(path, motion):
    poses = np.zeros((motion.num_frames, 156))
    poses[:, :72] = motion.poses
    np.savez(path, poses=poses, trans=motion.trans, mocap_framerate=np.array(motion.fps))


def test_only_walks_are_selected(evaluator, walk, tmp_path):
    _write(tmp_path / "CMU_16_01_poses.npz", replace(walk, poses=walk.poses[15:110], trans=walk.trans[15:110]))
    _write(tmp_path / "CMU_16_02_poses.npz", replace(walk, poses=walk.poses[120:], trans=walk.trans[120:]))
    ((_, found),) = walks(evaluator.evaluation, read_clips(tmp_path))
    np.testing.assert_allclose(found.trans, walk.trans[15:110], atol=1e-5)


@pytest.mark.slow
def test_command_prints_and_writes_the_metrics(walk, tmp_path, capsys):
    part = slice(0, 150)
    short = replace(walk, poses=walk.poses[part], trans=walk.trans[part] * [1.3, 1.0, 1.3])
    _write(tmp_path / "CMU_16_01_poses.npz", short)
    main([str(tmp_path), "--json", str(tmp_path / "figures.json")])
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in figures["smoothing"]][::3] == ["fit without smoothing", "fit as usual"]
    assert figures["smoothing"][1]["acceleration_mm"] < figures["smoothing"][0]["acceleration_mm"] / 2.0
    assert figures["feet"][0]["slide_mm"] < figures["feet"][0]["slide_before_mm"]
    before, after = figures["soles"][0]["slide_mm"]
    assert after < before
    printed = capsys.readouterr().out
    assert "fit as usual, smooth 0.5" in printed and "1000 frames: analysed in" in printed
    assert "slide of the skin, mean, mm" in printed
