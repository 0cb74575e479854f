"""Recorded walks: locked contacts stay still, and the rest of the body stays where it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.body.model import BodyModel
from core.cleanup import CleanupOptions, CleanupSource, analyse_motion, clean_up
from core.cleanup.feet import POINTS
from core.motion import Motion
from core.smpl_skeleton import JOINT_INDEX
from training.evaluation.sole_metrics import FootSkin

WALKS = (
    "CMU_02_01", "CMU_05_03", "CMU_07_01", "CMU_07_10", "CMU_08_01", "CMU_16_15", "CMU_16_31", "CMU_29_01", "CMU_35_01",
    "CMU_35_28",
)  # fmt: skip


def _analysed(path: Path, body: BodyModel) -> CleanupSource:
    with np.load(path) as clip:
        poses, trans = clip["poses"][:, :72].astype(float), clip["trans"].astype(float)
        return analyse_motion(Motion(poses, np.zeros(10), trans, float(clip["mocap_framerate"])), body)


@pytest.fixture(scope="module", params=WALKS)
def source(request, body: BodyModel, clips: Path) -> CleanupSource:
    return _analysed(clips / f"{request.param}_poses.npz", body)


def _slides_mm(source: CleanupSource, motion: Motion) -> np.ndarray:
    return 1000.0 * FootSkin(source.model, motion.betas).measure(source, motion, source.floor).slides


def test_planted_feet_do_not_slide(source):
    assert len(source.contacts) >= 10, "several steps of both feet, heel and toe"
    assert {contact.point for contact in source.contacts} == {0, 1, 2, 3}
    assert _slides_mm(source, source.motion).mean() > 10.0
    assert _slides_mm(source, clean_up(source, CleanupOptions(foot_lock=1.0))).max() < 5.0


def test_foot_with_late_toe_contact_does_not_slide(body, clips):
    """Regression: its heel is planted while the toe, slow but still in the air, counts as planted too: it slid 8 mm."""
    source = _analysed(clips / "CMU_27_01_poses.npz", body)
    assert _slides_mm(source, clean_up(source, CleanupOptions(foot_lock=1.0))).max() < 6.0


def test_rest_of_the_body_stays_in_place(source, body):
    locked = clean_up(source, CleanupOptions(foot_lock=1.0))
    lifted = locked.trans - source.motion.trans
    assert not lifted[:, [0, 2]].any()
    assert np.abs(lifted[:, 1]).mean() < 0.012
    motions = source.motion, replace(locked, trans=source.motion.trans)
    before, after = (body.joints(one.rotations(), one.betas, one.trans) for one in motions)
    elsewhere = np.ones(before.shape[:2], dtype=bool)
    for contact in source.contacts:
        side = POINTS[contact.point].partition("_")[0]
        for name in ("ankle", "foot"):
            elsewhere[contact.frames, JOINT_INDEX[f"{side}_{name}"]] = False
    assert 1000.0 * np.linalg.norm(after - before, axis=-1)[elsewhere].mean() < 3.0


def test_soles_meet_the_floor_without_pops(source):
    skin = FootSkin(source.model, source.motion.betas)
    locked = clean_up(source, CleanupOptions(foot_lock=1.0))
    before, after = (skin.measure(source, motion, source.floor) for motion in (source.motion, locked))
    assert (before.lowest.min(axis=1) < -0.003).mean() > 0.2
    assert (after.lowest.min(axis=1) < -0.003).mean() < 0.01
    assert after.lowest.min() > -0.009
    assert after.gaps.mean() < before.gaps.mean()
    jumps, ankle_jumps = (one.accelerations(source.motion.fps).max(axis=(1, 2)) for one in (before, after))
    np.testing.assert_array_less(ankle_jumps, 1.25 * jumps + 5.0)


def test_floor_is_near_the_lowest_vertex(source):
    assert 0.0 < source.floor_height_m - source.lowest_height_m < 0.09
    assert np.rad2deg(np.arctan(np.linalg.norm(source.ground.slope))) < 1.2, "some sessions have a tilted floor"
