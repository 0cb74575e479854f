"""Run a plain SMPLify-3D on real tracks as a baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from core.body.data import BodyData
from core.fit.observations import layout_points
from core.math.rotations import matrix_to_axis_angle
from core.motion import Motion

from ..data.motion_folder import Clip
from ..data.training_body import TrainingBody
from .real_trials import Trial
from .smplify import GaussianPrior, Smplify, SmplifyOptions, fit_prior

METHOD = SmplifyOptions(optimizer="lbfgs")
_PRIOR_STEP = 2


def fit_pose_prior(clips: Sequence[Clip]) -> GaussianPrior:
    """Fit the pose prior to the motions *clips*."""
    rotations = np.concatenate([clip.rotations[::_PRIOR_STEP, :22] for clip in clips])
    return fit_prior(matrix_to_axis_angle(rotations.astype(np.float64)).reshape(len(rotations), -1))


def smplify_motion(trial: Trial, betas: np.ndarray, data: BodyData, prior: GaussianPrior) -> Motion:
    """Fit the trial's points frame by frame with SMPLify-3D on the body with *betas* (10,)."""
    points = layout_points(trial.track.layout)
    seen = points.take(trial.track)
    is_visible = seen.weights.any(axis=0)
    names = [name for name, visible in zip(seen.names, is_visible, strict=True) if visible]
    body = TrainingBody(data, "cpu", point_names=names)
    result = Smplify(body, prior, METHOD).fit(
        torch.as_tensor(seen.positions[:, is_visible], dtype=torch.float32),
        torch.as_tensor(betas, dtype=torch.float32),
        torch.as_tensor(seen.weights[:, is_visible], dtype=torch.float32),
    )
    poses = matrix_to_axis_angle(result.rotations.numpy().astype(np.float64)).reshape(len(result.trans), -1)
    return Motion(poses, np.asarray(betas, dtype=np.float64), result.trans.numpy().astype(np.float64), trial.track.fps)
