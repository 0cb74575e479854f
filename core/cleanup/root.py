"""Root motion: the position of the body in the room. F frames, J joints."""

from __future__ import annotations

import numpy as np

from ..math.rotations import axis_angle_to_matrix
from ..math.whittaker import whittaker
from .feet import Feet
from .ground import Ground

_SWAY_S = 1.2
"""Pelvis motion with periods longer than about this belongs to the path, shorter to the gait."""
_SHAKE_S = 0.25


def hold_in_place(trans: np.ndarray, pelvis: np.ndarray, fps: float, *, sway: bool) -> np.ndarray:
    """Return *trans* (F, 3) with the pelvis kept over the origin.

    Args:
        trans: metres.
        pelvis: (3,) rest pelvis of the shape, its position at zero translation.
        fps: frames per second.
        sway: remove only the slow part, so that the body still sways with its steps.
    """
    positions = trans[:, [0, 2]] + pelvis[[0, 2]]
    path = slow_part(positions, fps, _SWAY_S) if sway else positions
    held = trans.copy()
    held[:, [0, 2]] -= path
    return held


def slow_part(values: np.ndarray, fps: float, period_s: float) -> np.ndarray:
    """Return the slow part of *values* (F, D): a Whittaker smoother that halves the amplitude at *period_s*."""
    stiffness = (2.0 * np.sin(np.pi / max(period_s * fps, 2.0))) ** -4
    ones = np.ones((len(values), 1))
    return whittaker(values[:, None], ones, stiffness * ones)[:, 0]


def on_ground(poses: np.ndarray, trans: np.ndarray, feet: Feet, floor: Ground, fps: float) -> np.ndarray:
    """Return *trans* (F, 3) with every frame moved vertically so that its lowest contact point is on the floor.

    The correction is smoothed: changes faster than a step are noise of the feet.

    Args:
        poses: (F, 3 J) axis-angle.
        trans: metres.
        feet: the body's legs and feet.
        floor: the floor to stand on.
        fps: frames per second.
    """
    rotations = axis_angle_to_matrix(poses.reshape(len(poses), -1, 3))
    points = feet.points(*feet.chain(rotations, trans))
    above = points[..., 1] - floor.heights_at(points) - feet.heights
    moved = trans.copy()
    moved[:, 1] -= slow_part(above.min(axis=1, keepdims=True), fps, _SHAKE_S)[:, 0]
    return moved
