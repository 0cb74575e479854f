"""A motion calmed as much as its own noise calls for, and less where it is fast. F frames, J joints.

Whittaker smoothing (see `core.math.whittaker`) of each bone's unit quaternions in the world and of the way, the
stiffness measured per bone and per moment: variance of the noise over variance of the true second difference, both of
this very motion at its own frame rate. Bones are calmed in the world and not relative to their parents, since that is
how they were seen: a parent's mistakes are undone by its child's, and must not be taken out of one alone. Averages of
nearby quaternions, made unit again, are means in the group of rotations up to the third order (Markley et al.,
"Averaging Quaternions", Journal of Guidance, Control, and Dynamics 30, 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..body.model import local_rotations, world_rotations
from ..fit.temporal.keypoint_smoothing import measure_noise
from ..math.rotations import matrix_to_quat_wxyz, quat_wxyz_to_matrix, unit
from ..math.whittaker import whittaker

_MIN_FRAMES = 6
_START_HZ, _LEAST_HZ = 5.0, 2.7
"""What is slower than the former is taken for motion at first. What is slower than the latter is never smoothed away: a
smoothed curve bends less than the true one, and stiffness that grew with every pass would end in a straight line."""
_WINDOW_S = 0.2
_PASSES = 2
_FREE_NOISE = 2e-3
"""Noise up to here, half-radians and metres, is left alone: the finest tremor of real motion looks the same."""
_STRONG_NOISE_RAD, _STRONG_NOISE_M = 0.03, 0.005
"""Strong smoothing takes at least that for the noise, per axis."""
_MIN_BEND = 1e-4


@dataclass(frozen=True, eq=False)
class CalmMotion:
    """A motion calmed.

    Attributes:
        quats: (F, 24, 4) local rotations, w first, with the signs of those they were made of.
        trans: (F, 3) the way, metres.
    """

    quats: np.ndarray
    trans: np.ndarray


def continuous_quats(rotations: np.ndarray) -> np.ndarray:
    """Return quaternions (F, J, 4), w first, of *rotations* (F, J, 3, 3), with signs that do not jump over time."""
    quat = matrix_to_quat_wxyz(rotations)
    turned = np.where((quat[1:] * quat[:-1]).sum(axis=-1) < 0.0, -1.0, 1.0)
    quat[1:] *= np.cumprod(turned, axis=0)[..., None]
    return np.asarray(quat)


def smooth_motion(quats: np.ndarray, trans: np.ndarray, held: np.ndarray, fps: float) -> tuple[CalmMotion, CalmMotion]:
    """Return a motion smoothed over time as much as its own noise calls for, and as if it were noisy.

    Frames that are held stay on the way between the frames around them, and what is on their two sides does not see
    each other.

    Args:
        quats: (F, 24, 4) local rotations, w first, continuous.
        trans: (F, 3) metres.
        held: (F, 24) bool, joints that nothing showed.
        fps: frames a second.
    """
    num_joints = quats.shape[1]
    world = continuous_quats(world_rotations(quat_wxyz_to_matrix(quats)))
    curves = np.concatenate([world, np.pad(trans, ((0, 0), (0, 1)))[:, None]], axis=1)
    gone = np.concatenate([held, held.all(axis=1, keepdims=True)], axis=1)
    strong = np.append(np.full(num_joints, 0.5 * _STRONG_NOISE_RAD), _STRONG_NOISE_M)
    both = _smooth_curves(curves, gone, fps, np.stack([np.zeros_like(strong), strong]))
    calm = []
    for smooth in (both[:, : num_joints + 1], both[:, num_joints + 1 :]):
        local = matrix_to_quat_wxyz(local_rotations(quat_wxyz_to_matrix(unit(smooth[:, :-1]))))
        local = np.where((local * quats).sum(axis=-1, keepdims=True) < 0.0, -local, local)
        calm.append(CalmMotion(local, smooth[:, -1, :3]))
    return calm[0], calm[1]


def _smooth_curves(curves: np.ndarray, held: np.ndarray, fps: float, least_noise: np.ndarray) -> np.ndarray:
    """Return curves (F, N J, D) smoothed, those of each strength after those of the one before.

    Args:
        curves: (F, J, D), quaternions or places.
        held: (F, J) bool.
        fps: frames a second.
        least_noise: (N, J) what is taken for the noise at least, for each strength.
    """
    num_strengths = len(least_noise)
    if len(curves) < _MIN_FRAMES:
        return np.tile(curves, (1, num_strengths, 1))
    noise = np.maximum(measure_noise(curves, ~held), least_noise).reshape(-1)
    curves, seen = np.tile(curves, (1, num_strengths, 1)), np.tile(~held, (1, num_strengths))
    excess = np.maximum(noise**2 - _FREE_NOISE**2, 0.0)
    whole = np.zeros(seen.shape)
    whole[1:-1] = seen[2:] & seen[1:-1] & seen[:-2]
    weights = seen.astype(np.float64)
    window = max(1, round(_WINDOW_S * fps))
    start, least = ((2.0 * np.sin(np.pi * min(rate / fps, 0.5))) ** 4 for rate in (_START_HZ, _LEAST_HZ))
    smooth = whittaker(curves, weights, whole / start)
    for _ in range(_PASSES):
        bend = _local_bend(smooth, whole, window) + least * excess
        smooth = whittaker(curves, weights, whole * excess / np.maximum(bend, _MIN_BEND**2))
    calm: np.ndarray = curves + _bridged(np.where(seen[..., None], smooth - curves, 0.0), seen)
    return calm


def _local_bend(smooth: np.ndarray, whole: np.ndarray, window: int) -> np.ndarray:
    """Return the mean squared second difference per axis around every frame (F, J)."""
    squared = np.zeros(whole.shape)
    squared[1:-1] = (np.diff(smooth, n=2, axis=0) ** 2).sum(axis=-1) / 3.0
    bend: np.ndarray = _running_sum(squared * whole, window) / np.maximum(_running_sum(whole, window), 1.0)
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
