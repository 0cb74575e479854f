"""Vertical path of the pelvis that lets the legs put the feet where they should be. F frames, frames last."""

from __future__ import annotations

import numpy as np

from ..math.frames_last import dot
from .leg import Bones, reached_distance

_REACH = 0.9985
"""Longest reach of a leg, as a fraction of its length; a leg that was straighter stays so."""
_MAX_DROP = 0.04
"""Most that the pelvis is lowered for a foot out of reach, as a fraction of the leg length."""
_TOLERATED_GAP_M = 0.008
"""A foot out of reach may stay this far above the floor."""
_EASE_S = 0.08
_ROUNDS = 5


def lift_pelvis(
    bones: Bones, targets: np.ndarray, rise: np.ndarray, clearance: np.ndarray, lengths: np.ndarray, fps: float
) -> np.ndarray:
    """Return the lift (F,) of the pelvis, metres; negative is down.

    It is lowered where a foot is out of reach. It is raised where a leg is so straight that it would rather leave its
    foot below the floor than bend: that comes last, and in excess of *rise*.

    Args:
        bones: both legs (3, 2, F).
        targets: (3, 2, F) wanted ankles, relative to the hips as they are.
        rise: (F,) wanted lift.
        clearance: (2, F) height of each foot's lowest point above the floor at its target.
        lengths: (2,) lengths of the legs.
        fps: frames per second.
    """
    ease = max(1, round(_EASE_S * fps))
    lift: np.ndarray = rise - smooth_above(_lacking(bones, _below(targets, rise), lengths), ease)
    for _ in range(_ROUNDS):
        target = _below(targets, lift)
        distance = np.sqrt(dot(target, target))
        missed = (reached_distance(bones, distance) - distance) * np.clip(-target[1] / distance, 0.0, 1.0)
        lift = lift + smooth_above(np.maximum(missed - np.maximum(clearance, 0.0), 0.0).max(axis=0), ease)
    return lift


def _below(targets: np.ndarray, lift: np.ndarray) -> np.ndarray:
    """Return *targets* (3, 2, F), relative to hips that are raised by *lift* (F,)."""
    below = targets.copy()
    below[1] -= lift
    return below


def _lacking(bones: Bones, targets: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return by how much (F,) the pelvis must be lowered for both legs to reach their feet, metres, 0 or more."""
    ankle = bones.ankle
    reach = np.maximum(_REACH * lengths[:, None], np.sqrt(dot(ankle, ankle)) + 1e-6)
    beyond = dot(targets, targets) - reach**2
    down = np.maximum(-targets[1], 1e-3)
    short = down - np.sqrt(np.maximum(down**2 - beyond, 0.0)) - _TOLERATED_GAP_M
    needed = np.where(beyond > 0.0, np.maximum(short, 0.0), 0.0).max(axis=0)
    lacking: np.ndarray = np.minimum(needed, _MAX_DROP * float(lengths.mean()))
    return lacking


def smooth_above(values: np.ndarray, reach: int) -> np.ndarray:
    """Return a smooth curve (F,) that is nowhere below *values*: a running maximum, then a weighted mean."""
    if not values.any():
        return values
    padded = np.pad(values, 2 * reach, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=-1)
    kernel = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(highest, kernel / kernel.sum(), mode="valid")
