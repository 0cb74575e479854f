"""A plain SMPLify-3D on tracks of real trackers, to compare with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from core.body.data import BodyData
from core.fit.observations import layout_points
from core.math.rotations import matrix_to_axis_angle
from core.motion import Motion

from .motion_folder import Clip
from .real_trials import Trial
from .smplify import GaussianPrior, Smplify, SmplifyOptions, fit_prior
from .training_body import ShownBody

WAY = SmplifyOptions(optimizer="lbfgs")
_PRIOR_STEP = 2


def prior_of(clips: Sequence[Clip]) -> GaussianPrior:
    """Return the pose prior of the motions *clips*."""
    turns = np.concatenate([clip.rotations[::_PRIOR_STEP, :22] for clip in clips])
    return fit_prior(matrix_to_axis_angle(turns.astype(np.float64)).reshape(len(turns), -1))


def smplify_motion(trial: Trial, betas: np.ndarray, data: BodyData, prior: GaussianPrior) -> Motion:
    """Return what SMPLify-3D makes of the trial's points on the body with *betas* (10,), frame after frame."""
    points = layout_points(trial.track.layout)
    seen = points.take(trial.track)
    shown = seen.weights.any(axis=0)
    names = [name for name, ever_seen in zip(seen.names, shown, strict=True) if ever_seen]
    body = ShownBody(data, "cpu", point_names=names)
    result = Smplify(body, prior, WAY).fit(
        torch.as_tensor(seen.positions[:, shown], dtype=torch.float32),
        torch.as_tensor(betas, dtype=torch.float32),
        torch.as_tensor(seen.weights[:, shown], dtype=torch.float32),
    )
    poses = matrix_to_axis_angle(result.rotations.numpy().astype(np.float64)).reshape(len(result.trans), -1)
    return Motion(poses, np.asarray(betas, dtype=np.float64), result.trans.numpy().astype(np.float64), trial.track.fps)
