"""Every layout is fitted, with or without feet, hands and head: no limb flips, no knee bends backwards."""

from __future__ import annotations

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.fit import FitOptions, fit_track
from core.layouts import LAYOUTS
from core.smpl_skeleton import JOINT_INDEX

from .scenes import Scene, joint_error, motion_joints, walking

pytestmark = pytest.mark.slow

NEEDS_MARGIN_M = 0.03


def _sideways(joints: np.ndarray, end: str) -> np.ndarray:
    """Return how far (F,) the left *end* lies to the body's left of the right one, metres."""
    across = joints[:, JOINT_INDEX["left_hip"]] - joints[:, JOINT_INDEX["right_hip"]]
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    apart = joints[:, JOINT_INDEX[f"left_{end}"]] - joints[:, JOINT_INDEX[f"right_{end}"]]
    return np.sum(apart * across, axis=-1)


def _assert_like_the_truth(scene: Scene, motion, layout: str) -> None:
    rotations = motion.rotations()
    for side in ("left", "right"):
        knee = JOINT_INDEX[f"{side}_knee"]
        bent = scene.rotations[:, knee, 2, 1] > np.sin(0.3)
        assert (rotations[bent, knee, 2, 1] > np.sin(0.1)).all(), f"{layout}: {side} knee"
        assert rotations[:, knee, 2, 1].min() > np.sin(-0.15), f"{layout}: {side} knee"
    true, fitted = scene.joints, motion_joints(motion)
    for end in ("ankle", "knee", "wrist", "elbow"):
        apart = _sideways(true, end)
        clear = np.abs(apart) > NEEDS_MARGIN_M
        np.testing.assert_array_equal(np.sign(_sideways(fitted, end))[clear], np.sign(apart)[clear], err_msg=end)
    front = [np.cross(j[:, 2] - j[:, 1], j[:, 12] - j[:, 0]) for j in (true, fitted)]
    assert (np.sum(front[0] * front[1], axis=-1) > 0).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("know_betas", [True, False], ids=["betas known", "betas estimated"])
@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_the_sample_is_fitted_in_any_layout(name, know_betas):
    scene = walking()[150:174]
    betas = scene.known_betas() if know_betas else None
    track = scene.track(LAYOUTS[name])
    motion, report = fit_track(track, load_free_body(), FitOptions(betas=betas, workers=1, smoothing=0.0))
    assert report.mean_error_mm < 5.0
    assert joint_error(scene, motion)[:, :22].mean() < (0.02 if know_betas else 0.03)
    _assert_like_the_truth(scene, motion, name)
    assert np.isfinite(motion.poses).all()
