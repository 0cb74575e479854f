"""Measure the effect of a temporary fault on the fit of the other frames. F frames.

The fits of the track with and without the fault are compared by vertex distance, with the pelvis joints aligned, and by
the rotation differences of the body joints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.body.keypoints import KeypointModel
from core.body.model import BodyModel
from core.math.rotations import matrix_to_axis_angle
from core.motion import Motion
from core.smpl_skeleton import NUM_BODY_ROTATIONS, NUM_VERTICES

_FAR_S = 0.3
_EVERY_VERTEX = 29


@dataclass(frozen=True)
class Spill:
    """Deviation of the frames outside a fault from the fit without the fault.

    Attributes:
        outside_mm: vertex distance, mean over the frames outside.
        outside_deg: joint rotation difference, mean over the frames outside.
        far_mm: vertex distance in the worst frame more than 0.3 s from the fault, except around frames in which the
            recorded motion itself jumps.
        far_deg: mean joint rotation difference in the worst of those frames.
        far_joint_deg: largest rotation difference of a single joint in those frames.
    """

    outside_mm: float
    outside_deg: float
    far_mm: float
    far_deg: float
    far_joint_deg: float


class SpillMeter:
    """Compares two fits of the same track."""

    def __init__(self, body: BodyModel) -> None:
        """Select every 29th vertex of *body*."""
        selected = np.arange(0, NUM_VERTICES, _EVERY_VERTEX)
        regressor = np.zeros((len(selected), NUM_VERTICES))
        regressor[np.arange(len(selected)), selected] = 1.0
        self._vertices = KeypointModel(body, regressor)

    def measure(self, motion: Motion, baseline: Motion, run: slice, jumps: np.ndarray) -> Spill:
        """Return the deviation of a fit from another one outside the frames of a fault.

        Args:
            motion: the fit of the track with the fault.
            baseline: the fit of the track without it.
            run: the fault's frames.
            jumps: (F,) bool, frames in or next to which the recorded motion jumps.
        """
        millimetres, degrees = self._distance_mm(motion, baseline), _rotation_differences_deg(motion, baseline)
        frames = np.arange(motion.num_frames)
        outside = (frames < run.start) | (frames >= run.stop)
        reach = _FAR_S * motion.fps
        far = ((frames < run.start - reach) | (frames >= run.stop + reach)) & ~jumps
        return Spill(
            outside_mm=float(millimetres[outside].mean()),
            outside_deg=float(degrees[outside].mean()),
            far_mm=float(millimetres[far].max(initial=0.0)),
            far_deg=float(degrees[far].mean(axis=1).max(initial=0.0)),
            far_joint_deg=float(degrees[far].max(initial=0.0)),
        )

    def _distance_mm(self, first: Motion, second: Motion) -> np.ndarray:
        """Return the mean vertex distance (F,), millimetres, with the pelvis joints aligned."""
        centred = []
        for motion in (first, second):
            shaped = self._vertices.shaped(motion.betas.astype(np.float32))
            points = shaped.points(motion.rotations().astype(np.float32), np.zeros((1, 3), dtype=np.float32))
            centred.append(points - shaped.rest_joints[0])
        return np.asarray(1000.0 * np.linalg.norm(centred[0] - centred[1], axis=-1).mean(axis=1))


def _rotation_differences_deg(first: Motion, second: Motion) -> np.ndarray:
    """Return the rotation differences (F, 22) of the body joints, degrees."""
    start, end = (motion.rotations()[:, :NUM_BODY_ROTATIONS] for motion in (first, second))
    return np.asarray(np.rad2deg(np.linalg.norm(matrix_to_axis_angle(np.swapaxes(start, -1, -2) @ end), axis=-1)))


def summarise_spill(spills: Sequence[Spill], frames: Sequence[int]) -> Spill:
    """Combine clips: average the means, weighted by *frames*, and take the maximum of the worst values."""
    table = np.array([list(vars(spill).values()) for spill in spills])
    means = np.average(table[:, :2], axis=0, weights=frames)
    return Spill(*map(float, means), *map(float, table[:, 2:].max(axis=0)))
