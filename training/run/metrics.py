"""Error metrics of the evaluation. B batch, V points. Points in metres, results in millimetres and degrees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from core.math.rotations import nearest_rotation
from core.smpl_skeleton import JOINT_INDEX, JOINT_NAMES, NUM_BODY_ROTATIONS

from .distributed import Processes
from .published import ALIGNED_JOINT

MM = 1000.0
_ANKLE = JOINT_INDEX[ALIGNED_JOINT]


def point_error_mm(predicted: Tensor, true: Tensor) -> Tensor:
    """Return the mean distance (B,) between points (B, V, 3), millimetres."""
    return MM * torch.linalg.vector_norm(predicted - true, dim=-1).mean(dim=-1)


def centred(points: Tensor, roots: Tensor) -> Tensor:
    """Return *points* (B, V, 3) relative to *roots* (B, 3)."""
    return points - roots[:, None]


def mesh_errors_mm(vertices: Sequence[Tensor], joints: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return the vertex errors (B,) of two meshes, millimetres, by name.

    Args:
        vertices: predicted and true, (B, V, 3) metres each.
        joints: predicted and true, (B, 24, 3) metres each.
    """
    at_pelvis, at_ankle = (
        [centred(mesh, one[:, joint]) for mesh, one in zip(vertices, joints, strict=True)] for joint in (0, _ANKLE)
    )
    return {
        "mpve_mm": point_error_mm(*at_pelvis),
        "mpve_at_ankle_mm": point_error_mm(*at_ankle),
        "mpapve_mm": aligned_error_mm(*at_pelvis),
    }


def similarity_aligned(points: Tensor, target: Tensor) -> Tensor:
    """Align *points* (B, V, 3) to *target* (B, V, 3) with the least-squares similarity transform.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 13, 1991.
    """
    middle, target_middle = points.mean(dim=1, keepdim=True), target.mean(dim=1, keepdim=True)
    source, centred_target = points - middle, target - target_middle
    moments = centred_target.transpose(1, 2) @ source
    rotation = nearest_rotation(moments)
    scale = (rotation * moments).sum(dim=(1, 2)) / (source * source).sum(dim=(1, 2)).clamp_min(1e-12)
    return scale[:, None, None] * (source @ rotation.transpose(1, 2)) + target_middle


def aligned_error_mm(predicted: Tensor, true: Tensor) -> Tensor:
    """Return the mean distance (B,) between points (B, V, 3) after a similarity alignment, millimetres."""
    return point_error_mm(similarity_aligned(predicted, true), true)


def joint_angles_deg(predicted: Tensor, true: Tensor) -> Tensor:
    """Return the angles (B, J) between local rotations (B, J, 3, 3), degrees; exact near zero."""
    turn = predicted.transpose(-1, -2) @ true
    sine = torch.stack(
        [
            turn[..., 2, 1] - turn[..., 1, 2],
            turn[..., 0, 2] - turn[..., 2, 0],
            turn[..., 1, 0] - turn[..., 0, 1],
        ],
        dim=-1,
    )
    trace = turn.diagonal(dim1=-1, dim2=-2).sum(dim=-1)
    return torch.rad2deg(torch.atan2(torch.linalg.vector_norm(sine, dim=-1), trace - 1.0))


def acceleration_error_mm(predicted: Tensor, true: Tensor) -> Tensor:
    """Return the mean error (B,) of the second difference of points (B, 3, V, 3) in time, millimetres per frame^2."""

    def second_difference(points: Tensor) -> Tensor:
        return points[:, 0] - 2.0 * points[:, 1] + points[:, 2]

    return MM * torch.linalg.vector_norm(second_difference(predicted) - second_difference(true), dim=-1).mean(dim=-1)


METRICS: tuple[str, ...] = (
    "mpve_mm",
    "mpve_at_ankle_mm",
    "mpapve_mm",
    "mpjpe_mm",
    "angle_deg",
    "acceleration_mm_per_frame2",
)
ANGLE_METRICS: tuple[str, ...] = tuple(f"angle_deg/{name}" for name in JOINT_NAMES[:NUM_BODY_ROTATIONS])


class Accumulator:
    """Accumulates metrics over batches and processes; shards need not be even, as means come from sums and counts."""

    def __init__(self, rows: Sequence[str]) -> None:
        """Start with zero sums for the table's *rows*."""
        self._rows = tuple(rows)
        self._names = METRICS + ANGLE_METRICS
        self._sums = torch.zeros(len(self._rows), len(self._names) + 1, dtype=torch.float64)

    def add(self, row: str, metrics: Mapping[str, Tensor], angles: Tensor) -> None:
        """Add a batch to a row.

        Args:
            row: name of the row.
            metrics: (B,) each of `METRICS` except the angle.
            angles: (B, 22) degrees.
        """
        columns = [angles.mean(dim=1) if name == "angle_deg" else metrics[name] for name in METRICS]
        values = torch.cat([torch.stack(columns, dim=1), angles], dim=1).detach().cpu().double()
        index = self._rows.index(row)
        self._sums[index, :-1] += values.sum(dim=0)
        self._sums[index, -1] += len(values)

    def means(self, processes: Processes) -> dict[str, dict[str, float]]:
        """Return each row's means over all processes, and the number of pairs under "pairs"."""
        sums = processes.all_reduce(self._sums)
        table = {}
        for index, row in enumerate(self._rows):
            count = float(sums[index, -1])
            means = (sums[index, :-1] / max(count, 1.0)).tolist()
            table[row] = {**dict(zip(self._names, means, strict=True)), "pairs": count}
        return table
