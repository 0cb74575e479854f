"""Estimated keypoints for hidden legs. F frames, K keypoints.

The expected trunk pose depends on both legs. A leg without points counts as straight: this turned the pelvis by
5 degrees, until it jumped back when the leg was seen again. With the estimated points it turns by 1 degree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...math.arrays import to_numpy
from ...smpl_skeleton import JOINT_INDEX, SIDES
from ..blocks import frame_blocks
from ..point_groups import FOOT_POINTS, LEG_POINTS
from ..pose_solver import PoseSolver
from ..solver.gauss_newton import Targets
from ..solver.initial_pose import analytic_start
from .visibility import Visibility, find_visibility, interpolate_unobserved

_KNEES = [JOINT_INDEX["left_knee"], JOINT_INDEX["right_knee"]]
_ESTIMATED_WEIGHT = 0.05
"""Weight of an estimated point relative to a seen one: enough for the initial pose, too little to turn the trunk."""


def bridge_legs(solver: PoseSolver, targets: Targets, visibility: Visibility, fps: float) -> Targets:
    """Return *targets* with estimated points, of low weight, for legs that are hidden from the knee down.

    Args:
        solver: the pose solver.
        targets: the targets of all frames.
        visibility: the visibility of joints and limbs.
        fps: frames per second.
    """
    weights = to_numpy(targets.weights)
    hidden = replace(find_visibility(solver.names, _up_to_knees(solver.names, weights)), absent=visibility.absent)
    frames = np.flatnonzero(hidden.unknown[:, _KNEES].any(axis=1) & ~visibility.absent)
    if len(frames) == 0:
        return targets
    body = solver.keypoints.model.body
    starts = [
        analytic_start(solver.names, solver.keypoints, targets.select(block))
        for block in frame_blocks(len(weights), on_numpy=body.device == "numpy")
    ]
    rotations, trans = (np.concatenate([to_numpy(part) for part in parts]) for parts in zip(*starts, strict=True))
    rotations, trans = interpolate_unobserved(rotations, trans, hidden, fps)
    estimated = to_numpy(solver.keypoints.points(body.array(rotations[frames]), body.array(trans[frames])))
    missing = (weights[frames] == 0) & np.isin(solver.names, LEG_POINTS)
    points, bridged = to_numpy(targets.points).copy(), weights.copy()
    points[frames] = np.where(missing[..., None], estimated, points[frames])
    bridged[frames] = np.where(missing, _ESTIMATED_WEIGHT * weights.max(axis=0), weights[frames])
    return Targets(body.array(points), body.array(bridged))


def _up_to_knees(names: Sequence[str], weights: np.ndarray) -> np.ndarray:
    """Return *weights* (F, K) set to 0 for the foot points of legs whose knee is not seen."""
    reduced = weights.copy()
    for side in SIDES:
        if f"{side}_knee" in names:
            feet = [column for column, name in enumerate(names) if name in FOOT_POINTS and name.startswith(side)]
            reduced[np.ix_(weights[:, names.index(f"{side}_knee")] == 0, feet)] = 0.0
    return reduced
