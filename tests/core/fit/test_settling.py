"""The priors of frames that are refined over time."""

from __future__ import annotations

import numpy as np
import pytest

from core.fit.priors.pose_predictor import SHIPPED_PREDICTOR
from core.fit.solver.gauss_newton import Targets
from core.fit.solver.initial_pose import analytic_start
from core.fit.temporal.refinement import Expected

from .scenes import keypoint_model, solver_names


@pytest.mark.parametrize("frames", [[0], [9, 10], [3, 11, 12, 29], list(range(30))])
@pytest.mark.parametrize("hidden", [False, True])
def test_the_prior_of_selected_frames_is_joined_across_blocks(walk, frames, hidden):
    """A head and a leg hidden in part of a block change the precision of its other frames."""
    names = solver_names()
    keypoints = keypoint_model(names).shaped(walk.betas.astype(np.float32))
    points = keypoints.points(walk.rotations, walk.trans)[:30]
    weights = np.ones(points.shape[:2], dtype=np.float32)
    if hidden:
        weights[5:12, [names.index("left_knee"), names.index("left_ankle"), names.index("nose")]] = 0.0
    targets = Targets(points, weights)

    def prior_of(block: slice):
        selected = targets.select(block)
        start, _ = analytic_start(names, keypoints, selected)
        return SHIPPED_PREDICTOR.predict(names, keypoints, start, selected, sigma_m=0.002)

    kept = Expected({first: prior_of(slice(first, first + 10)) for first in (20, 0, 10)}).select(frames)
    whole = prior_of(slice(0, 30)).select(frames)
    np.testing.assert_allclose(kept.rotations, whole.rotations, atol=1e-5)
    np.testing.assert_allclose(kept.precision, whole.precision, rtol=1e-4)
    assert [joint_precision.joints for joint_precision in kept.joint_precisions] == [
        joint_precision.joints for joint_precision in whole.joint_precisions
    ]
    for one, other in zip(kept.joint_precisions, whole.joint_precisions, strict=True):
        np.testing.assert_allclose(one.precision, other.precision, rtol=1e-4)
