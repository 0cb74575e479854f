"""A motion calmed as much as its own noise calls for, and no more where it is fast. F frames, J joints.

Whittaker smoothing (see `core.whittaker`) of each joint's unit quaternions and of the way, the stiffness measured per
joint and per moment: variance of the noise over variance of the true second difference. Fast motion is smoothed less
and clean motion hardly at all, and what is smooth in time stays so at any frame rate, since both variances are those of
a frame. Averages of nearby quaternions, made unit again, are means in the group of rotations up to the third order
(Markley et al., "Averaging Quaternions", Journal of Guidance, Control, and Dynamics 30, 2007).
"""

from __future__ import annotations

import numpy as np

from ..fit.temporal import measure_noise
from ..rotations import matrix_to_quat_wxyz
from ..whittaker import whittaker

_MIN_FRAMES = 6
_WINDOW_S = 0.2
_PASSES = 3
_FREE_NOISE = 5e-4
"""Noise up to here, half-radians and metres, is left alone: the finest tremor of real motion looks the same."""
_MIN_BEND = 1e-4
_START_STIFFNESS = 1.0


def continuous_quats(rotations: np.ndarray) -> np.ndarray:
    """Return quaternions (F, J, 4), w first, of *rotations* (F, J, 3, 3), with signs that do not jump over time."""
    quat = matrix_to_quat_wxyz(rotations)
    turned = np.where((quat[1:] * quat[:-1]).sum(axis=-1) < 0.0, -1.0, 1.0)
    quat[1:] *= np.cumprod(turned, axis=0)[..., None]
    return np.asarray(quat)


def smooth_curves(curves: np.ndarray, held: np.ndarray, fps: float) -> np.ndarray:
    """Return *curves* (F, J, D) smoothed over time.

    Frames that are held stay on the way between the frames around them, and the curves on their two sides do not
    see each other.

    Args:
        curves: (F, J, D) quaternions or places.
        held: (F, J) bool, frames that nothing was seen in.
        fps: frames a second.
    """
    if len(curves) < _MIN_FRAMES:
        return curves
    seen = ~held
    noise = measure_noise(curves, seen)
    excess = np.maximum(noise**2 - _FREE_NOISE**2, 0.0)
    whole = np.zeros(seen.shape)
    whole[1:-1] = seen[2:] & seen[1:-1] & seen[:-2]
    weights = seen.astype(np.float64)
    window = max(1, round(_WINDOW_S * fps))
    smooth = whittaker(curves, weights, _START_STIFFNESS * whole)
    for _ in range(_PASSES):
        bend = _local_bend(smooth, whole, window)
        smooth = whittaker(curves, weights, whole * excess / np.maximum(bend, _MIN_BEND) ** 2)
    correction = np.where(seen[..., None], smooth - curves, 0.0)
    calm: np.ndarray = curves + _bridged(correction, seen)
    return calm


def _local_bend(smooth: np.ndarray, whole: np.ndarray, window: int) -> np.ndarray:
    """Return the root mean square second difference per axis around every frame (F, J)."""
    squared = np.zeros(whole.shape)
    squared[1:-1] = (np.diff(smooth, n=2, axis=0) ** 2).sum(axis=-1) / 3.0
    total = _running_sum(squared * whole, window)
    count = _running_sum(whole, window)
    bend: np.ndarray = np.sqrt(total / np.maximum(count, 1.0))
    return bend


def _running_sum(values: np.ndarray, window: int) -> np.ndarray:
    """Return the sums of *values* (F, J) over the frames at most *window* away."""
    total = np.cumsum(np.pad(values, ((window + 1, window), (0, 0))), axis=0)
    sums: np.ndarray = total[2 * window + 1 :] - total[: -2 * window - 1]
    return sums


def _bridged(correction: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return *correction* (F, J, D) with frames that are not seen (F, J) on the straight way between those around."""
    if seen.all():
        return correction
    bridged = correction.copy()
    frames = np.arange(len(seen))
    for joint in np.flatnonzero(~seen.all(axis=0)):
        known = np.flatnonzero(seen[:, joint])
        if len(known):
            for axis in range(correction.shape[2]):
                bridged[:, joint, axis] = np.interp(frames, known, correction[known, joint, axis])
    return bridged
