"""A plain SMPLify-3D baseline: keypoints and a pose prior, optimised by Adam or L-BFGS. F frames, K keypoints.

After Bogo et al., "Keep it SMPL", ECCV 2016, with 3D keypoints. The energy is the robust distance of the keypoints, a
Gaussian over body poses (fitted to the training motions, since SMPLify's own prior may not be redistributed) and, for a
whole clip, a smoothness term between neighbouring frames. Betas are given. It uses neither the network nor the
project's own fit, except that the first frame starts with the pelvis orientation given by the torso's points.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.fit.solver.gauss_newton import Targets
from core.fit.solver.initial_pose import analytic_start
from core.math.rotations import matrix_to_axis_angle
from core.smpl_skeleton import NUM_BODY_ROTATIONS

from ..data.training_body import TrainingBody, with_hands

OPTIMIZERS = ("adam", "lbfgs")
MODES = ("frames", "clip")
_FIRST_FRAME_FACTOR = 6
_TINY_SQUARED = 1e-12
_SHRINKAGE = 0.05
_BODY_WIDTH = 3 * (NUM_BODY_ROTATIONS - 1)


@dataclass(frozen=True)
class SmplifyOptions:
    """Settings of SMPLify-3D.

    Attributes:
        optimizer: "adam" or "lbfgs".
        mode: "frames": one frame after the other, each from the previous one; "clip": all frames at once.
        iterations: steps per frame, or for the whole clip.
        learning_rate: learning rate of Adam, radians and metres.
        point_sigma_m: expected standard deviation of a keypoint.
        outlier_m: scale of the robust error: a keypoint at this distance has a quarter of its weight.
        prior_weight: weight of the pose prior, 1 for its likelihood.
        smooth_sigma_rad: expected rotation of a joint between two frames, in mode "clip".
        full_forward: compute all vertices in each step, as SMPLify does, and not only the keypoints.
    """

    optimizer: str = "adam"
    mode: str = "frames"
    iterations: int = 50
    learning_rate: float = 0.03
    point_sigma_m: float = 0.005
    outlier_m: float = 0.1
    prior_weight: float = 0.3
    smooth_sigma_rad: float = 0.05
    full_forward: bool = False

    def __post_init__(self) -> None:
        """Check optimizer and mode."""
        if self.optimizer not in OPTIMIZERS or self.mode not in MODES:
            raise ValueError(
                f"expected an optimizer in {OPTIMIZERS} and a mode in {MODES}, got {self.optimizer!r}, {self.mode!r}"
            )

    @property
    def title(self) -> str:
        """Name for tables."""
        forward = ", all vertices" if self.full_forward else ""
        name = {"adam": "Adam", "lbfgs": "L-BFGS"}[self.optimizer]
        return f"SMPLify-3D, {name} {self.iterations}, {'frame by frame' if self.mode == 'frames' else 'clip'}{forward}"


@dataclass(frozen=True, eq=False)
class GaussianPrior:
    """A Gaussian over the 21 body joints' rotation vectors.

    Attributes:
        mean: (63,) radians.
        whitening: (63, 63): ``|whitening @ (pose - mean)|^2`` is the squared Mahalanobis distance.
    """

    mean: Tensor
    whitening: Tensor


@dataclass(frozen=True, eq=False)
class SmplifyResult:
    """Result of SMPLify-3D.

    Attributes:
        rotations: (F, 24, 3, 3) local rotations.
        trans: (F, 3) metres.
        seconds: run time.
    """

    rotations: Tensor
    trans: Tensor
    seconds: float


def fit_prior(poses: np.ndarray) -> GaussianPrior:
    """Fit the Gaussian to *poses* (N, 66), root first, radians, with a minimum variance for joints that never move."""
    body = np.asarray(poses, dtype=np.float64)[:, 3:]
    mean = body.mean(axis=0)
    covariance = np.cov(body, rowvar=False)
    covariance = (1.0 - _SHRINKAGE) * covariance + _SHRINKAGE * np.diag(np.diag(covariance))
    covariance += np.eye(_BODY_WIDTH) * np.deg2rad(3.0) ** 2
    whitening = np.linalg.inv(np.linalg.cholesky(covariance))
    return GaussianPrior(torch.as_tensor(mean, dtype=torch.float32), torch.as_tensor(whitening, dtype=torch.float32))


def rotation_matrices(vectors: Tensor) -> Tensor:
    """Convert rotation vectors (..., 3), radians, to (..., 3, 3) by Rodrigues' formula, differentiable at zero."""
    angle = torch.sqrt((vectors * vectors).sum(dim=-1) + _TINY_SQUARED)[..., None, None]
    x, y, z = vectors.unbind(dim=-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
    eye = torch.eye(3, dtype=vectors.dtype, device=vectors.device)
    return eye + torch.sin(angle) / angle * cross + (1.0 - torch.cos(angle)) / (angle * angle) * (cross @ cross)


@dataclass(frozen=True, eq=False)
class _Weighted:
    """Points (F, K, 3) with weights (F, K)."""

    positions: Tensor
    weights: Tensor

    def frame(self, number: int) -> _Weighted:
        return _Weighted(self.positions[number : number + 1], self.weights[number : number + 1])


class Smplify:
    """Fits clips on one body."""

    def __init__(self, body: TrainingBody, prior: GaussianPrior, options: SmplifyOptions) -> None:
        """Prepare to fit on *body* with *prior*."""
        self._body, self._options = body, options
        self._prior = GaussianPrior(prior.mean.to(body.device), prior.whitening.to(body.device))
        self._regressor = torch.as_tensor(
            landmark_regressor(body.data, body.point_names), dtype=torch.float32, device=body.device
        )

    def fit(self, points: Tensor, betas: Tensor, weights: Tensor | None = None) -> SmplifyResult:
        """Fit poses to points on the body with *betas* (10,).

        Args:
            points: (F, K, 3) metres, the body's keypoints; NaN where missing.
            betas: (10,) shape.
            weights: (F, K) weight of each point; None for 1. Missing points have no weight.
        """
        start_time = time.perf_counter()
        seen = torch.isfinite(points).all(dim=-1)
        weighted = _Weighted(torch.nan_to_num(points), seen * (1.0 if weights is None else weights))
        start, trans = self._start(weighted, betas)
        fit = self._fit_clip if self._options.mode == "clip" else self._fit_frames
        poses, trans = fit(weighted, betas, start, trans)
        return SmplifyResult(self._rotations(poses), trans, time.perf_counter() - start_time)

    def _start(self, points: _Weighted, betas: Tensor) -> tuple[Tensor, Tensor]:
        """Return the prior's mean pose with the pelvis orientation of the torso's points (F, 66), and trans (F, 3)."""
        model = KeypointModel(BodyModel(self._body.data), self._regressor.cpu().numpy().astype(np.float64))
        targets = Targets(points.positions.cpu().numpy(), points.weights.cpu().numpy())
        analytic, trans = analytic_start(self._body.point_names, model.shaped(betas.cpu().numpy()), targets)
        roots = torch.as_tensor(matrix_to_axis_angle(analytic[:, 0]), dtype=torch.float32, device=betas.device)
        poses = torch.cat([roots, self._prior.mean.expand(len(roots), -1)], dim=1)
        return poses, torch.as_tensor(trans, dtype=torch.float32, device=betas.device)

    def _rotations(self, poses: Tensor) -> Tensor:
        return with_hands(rotation_matrices(poses.unflatten(1, (NUM_BODY_ROTATIONS, 3))))

    def _energy(self, poses: Tensor, trans: Tensor, points: _Weighted, betas: Tensor) -> Tensor:
        """Return the negative log-likelihood, summed over frames."""
        options = self._options
        own_betas = betas.expand(len(poses), -1)
        if options.full_forward:
            points_of_pose = self._regressor @ self._body.vertices(self._rotations(poses), own_betas, trans)
        else:
            points_of_pose = self._body.keypoints(self._rotations(poses), own_betas, trans)
        squared = ((points_of_pose - points.positions) ** 2).sum(dim=-1)
        robust = squared * options.outlier_m**2 / (options.outlier_m**2 + squared)
        data = 0.5 * (points.weights * robust).sum() / options.point_sigma_m**2
        deviation = (poses[:, 3:] - self._prior.mean) @ self._prior.whitening.T
        energy = data + 0.5 * options.prior_weight * (deviation * deviation).sum()
        if options.mode == "clip" and len(poses) > 1:
            energy = energy + 0.5 * (torch.diff(poses[:, 3:], dim=0) ** 2).sum() / options.smooth_sigma_rad**2
        return energy

    def _fit_frames(self, points: _Weighted, betas: Tensor, poses: Tensor, trans: Tensor) -> tuple[Tensor, Tensor]:
        """Fit one frame after the other, each from the result of the previous one."""
        found_poses, found_trans = [poses[:1]], [trans[:1]]
        for frame in range(len(poses)):
            target = points.frame(frame)
            iterations = self._options.iterations * (_FIRST_FRAME_FACTOR if frame == 0 else 1)
            pose, position = self._descend((found_poses[-1], found_trans[-1]), target, betas, iterations)
            found_poses.append(pose)
            found_trans.append(position)
        return torch.cat(found_poses[1:]), torch.cat(found_trans[1:])

    def _fit_clip(self, points: _Weighted, betas: Tensor, poses: Tensor, trans: Tensor) -> tuple[Tensor, Tensor]:
        """Fit all frames together."""
        return self._descend((poses, trans), points, betas, self._options.iterations)

    def _descend(
        self, start: tuple[Tensor, Tensor], points: _Weighted, betas: Tensor, iterations: int
    ) -> tuple[Tensor, Tensor]:
        poses, trans = (part.detach().clone().requires_grad_() for part in start)
        optimizer: torch.optim.Optimizer
        if self._options.optimizer == "lbfgs":
            optimizer = torch.optim.LBFGS([poses, trans], max_iter=iterations, line_search_fn="strong_wolfe")
            steps = 1
        else:
            optimizer = torch.optim.Adam([poses, trans], lr=self._options.learning_rate)
            steps = iterations
        # The learning rate decays to a tenth, so that Adam converges.
        decay = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.1 ** (1.0 / max(steps, 1)))

        def closure() -> Tensor:
            optimizer.zero_grad()
            energy = self._energy(poses, trans, points, betas)
            energy.backward()
            return energy

        run: Callable[[Callable[[], Tensor]], object] = optimizer.step
        for _ in range(steps):
            run(closure)
            decay.step()
        return poses.detach(), trans.detach()
