"""The paper's losses. B batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.math.rotations import matrix_to_axis_angle

from ..config import LossConfig

_CLAMP = 1e-6


@dataclass(frozen=True, eq=False)
class Loss:
    """A loss and its terms, each a scalar tensor.

    Attributes:
        total: weighted sum to minimise.
        rotation: mean geodesic angle times 2 / pi.
        vertices: mean vertex distance, metres.
        keypoints: mean keypoint distance, metres.
        spread: negative log-likelihood of the errors under the predicted variances; 0 without such.
    """

    total: Tensor
    rotation: Tensor
    vertices: Tensor
    keypoints: Tensor
    spread: Tensor

    def parts(self) -> Tensor:
        """Return the total and its terms (5,), detached."""
        return torch.stack([self.total, self.rotation, self.vertices, self.keypoints, self.spread]).detach()


LOSS_NAMES = ("total", "rotation", "vertices", "keypoints", "spread")


def geodesic_angle(first: Tensor, second: Tensor, clamp: float = _CLAMP) -> Tensor:
    """Return the angles (...) between rotations (..., 3, 3), radians.

    Args:
        first: rotation matrices.
        second: rotation matrices.
        clamp: distance of the cosine from -1 and 1, where the gradient is infinite; the smallest returned angle is
            sqrt(2 clamp).
    """
    cosine = ((first * second).sum(dim=(-1, -2)) - 1.0) / 2.0
    return torch.arccos(torch.clamp(cosine, -1.0 + clamp, 1.0 - clamp))


def mean_distance(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean distance between points (..., 3)."""
    return torch.linalg.vector_norm(first - second, dim=-1).mean()


def pair_loss(
    rotations: tuple[Tensor, Tensor],
    vertices: tuple[Tensor, Tensor],
    keypoints: tuple[Tensor, Tensor],
    config: LossConfig,
    *,
    log_variances: Tensor | None = None,
) -> Loss:
    """Return the weighted loss of predictions against the truth, each given as (predicted, true).

    Keypoint distances are the same in the world and in the human-centred frame, whose axes are orthonormal.

    Args:
        rotations: (B, 22, 3, 3) local rotations.
        vertices: (B, V, 3) metres, both with the same trans and betas.
        keypoints: (B, 25, 3) metres.
        config: the weights.
        log_variances: (B, 22, 3) as predicted by `core.network.pose_mlp`; their loss has no gradient to the rotations,
            so a network cannot trade accuracy for a larger variance.
    """
    rotation = geodesic_angle(*rotations).mean() * (2.0 / torch.pi)
    vertex, keypoint = mean_distance(*vertices), mean_distance(*keypoints)
    total = config.rotation * rotation + config.vertices * vertex + config.keypoints * keypoint
    if log_variances is None:
        return Loss(total, rotation, vertex, keypoint, torch.zeros_like(total))
    spread = rotation_nll(rotations[0], rotations[1], log_variances)
    return Loss(total + config.spread * spread, rotation, vertex, keypoint, spread)


def rotation_nll(predicted: Tensor, true: Tensor, log_variances: Tensor) -> Tensor:
    """Return the mean negative log-likelihood of the rotation errors, without its constant.

    Args:
        predicted: (B, 22, 3, 3) local rotations; no gradient flows to them.
        true: (B, 22, 3, 3).
        log_variances: (B, 22, 3) in each joint's own axes.
    """
    turns = matrix_to_axis_angle(predicted.detach().transpose(-1, -2) @ true)
    return 0.5 * (turns * turns * torch.exp(-log_variances) + log_variances).mean()
