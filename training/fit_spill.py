"""What a fault in some frames does to the fit of the others. F frames.

A fit of the track with the fault is compared with one of the same track without it: distances between the vertices of
the two, pelvis joints together, and turns of the body joints from the one to the other.
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
    """How far the frames outside a fault are from what they are without it.

    Attributes:
        outside_mm: vertices, mean over the frames outside.
        outside_deg: turns of the joints, mean over the frames outside.
        far_mm: vertices, the worst frame of those more than 0.3 s away.
        far_deg: mean turn of the joints in the worst frame of those.
        far_joint_deg: the largest turn of a joint in those frames.
    """

    outside_mm: float
    outside_deg: float
    far_mm: float
    far_deg: float
    far_joint_deg: float


class SpillGauge:
    """Compares two fits of one track."""

    def __init__(self, body: BodyModel) -> None:
        """Take one in 29 of the vertices of *body*."""
        picked = np.arange(0, NUM_VERTICES, _EVERY_VERTEX)
        regressor = np.zeros((len(picked), NUM_VERTICES))
        regressor[np.arange(len(picked)), picked] = 1.0
        self._vertices = KeypointModel(body, regressor)

    def measure(self, motion: Motion, baseline: Motion, run: slice) -> Spill:
        """Return how far *motion* is from *baseline* outside the frames *run*, which leave some frames over."""
        millimetres, degrees = self._distance_mm(motion, baseline), _turns_deg(motion, baseline)
        frames = np.arange(motion.num_frames)
        outside = (frames < run.start) | (frames >= run.stop)
        reach = _FAR_S * motion.fps
        far = (frames < run.start - reach) | (frames >= run.stop + reach)
        return Spill(
            outside_mm=float(millimetres[outside].mean()),
            outside_deg=float(degrees[outside].mean()),
            far_mm=float(millimetres[far].max(initial=0.0)),
            far_deg=float(degrees[far].mean(axis=1).max(initial=0.0)),
            far_joint_deg=float(degrees[far].max(initial=0.0)),
        )

    def _distance_mm(self, first: Motion, second: Motion) -> np.ndarray:
        """Return the mean distance of the vertices (F,), pelvis joints together."""
        centred = []
        for motion in (first, second):
            shaped = self._vertices.shaped(motion.betas.astype(np.float32))
            points = shaped.points(motion.rotations().astype(np.float32), np.zeros((1, 3), dtype=np.float32))
            centred.append(points - shaped.rest_joints[0])
        return np.asarray(1000.0 * np.linalg.norm(centred[0] - centred[1], axis=-1).mean(axis=1))


def _turns_deg(first: Motion, second: Motion) -> np.ndarray:
    """Return how far each body joint is turned (F, 22) from one motion to the other."""
    start, end = (motion.rotations()[:, :NUM_BODY_ROTATIONS] for motion in (first, second))
    return np.asarray(np.rad2deg(np.linalg.norm(matrix_to_axis_angle(np.swapaxes(start, -1, -2) @ end), axis=-1)))


def summarise_spill(spills: Sequence[Spill], frames: Sequence[int]) -> Spill:
    """Return means over clips, weighed by *frames*, of what is a mean, and the worst of what is a worst."""
    table = np.array([list(vars(spill).values()) for spill in spills])
    means = np.average(table[:, :2], axis=0, weights=frames)
    return Spill(*map(float, means), *map(float, table[:, 2:].max(axis=0)))
