"""The losses of the paper. B batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .config import LossConfig

_CLAMP = 1e-6


@dataclass(frozen=True, eq=False)
class Loss:
    """A loss and its parts, each a scalar tensor.

    Attributes:
        total: what is descended.
        rotation: mean geodesic angle times 2 / pi.
        vertices: mean vertex distance, metres.
        keypoints: mean keypoint distance, metres.
    """

    total: Tensor
    rotation: Tensor
    vertices: Tensor
    keypoints: Tensor

    def parts(self) -> Tensor:
        """Return (4,) the total and its parts, detached."""
        return torch.stack([self.total, self.rotation, self.vertices, self.keypoints]).detach()


LOSS_NAMES = ("total", "rotation", "vertices", "keypoints")


def geodesic_angle(first: Tensor, second: Tensor, clamp: float = _CLAMP) -> Tensor:
    """Return the angles (...) between rotations (..., 3, 3), radians.

    Args:
        first: rotation matrices.
        second: rotation matrices.
        clamp: the cosine stays this far inside -1 and 1, where the angle has no gradient; so the smallest angle that
            comes out is sqrt(2 clamp).
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
) -> Loss:
    """Return the weighted loss of predictions against the truth, each given as (predicted, true).

    Distances between keypoints are the same in the world as in the human-centred frame, whose axes are orthonormal.

    Args:
        rotations: (B, 22, 3, 3) local rotations.
        vertices: (B, V, 3) metres, at one place: same trans, same betas.
        keypoints: (B, 25, 3) metres.
        config: the weights.
    """
    rotation = geodesic_angle(*rotations).mean() * (2.0 / torch.pi)
    vertex, keypoint = mean_distance(*vertices), mean_distance(*keypoints)
    total = config.rotation * rotation + config.vertices * vertex + config.keypoints * keypoint
    return Loss(total, rotation, vertex, keypoint)
