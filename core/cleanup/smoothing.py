"""Smooth a motion according to its own noise, and less where it is fast. F frames, J joints.

Whittaker smoothing (see `core.math.whittaker`) is applied to each bone's unit quaternions in world space and to the
root translation. The stiffness is estimated per bone and frame: the variance of the noise over the variance of the true
second difference, both of this motion at its own frame rate. Bones are smoothed in world space rather than relative to
their parents because that is how they were observed: a child's error compensates its parent's, so the two must not be
smoothed separately. Normalised averages of nearby quaternions are means in the rotation group up to third order
(Markley et al., "Averaging Quaternions", Journal of Guidance, Control, and Dynamics 30, 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..body.model import local_rotations, world_rotations
from ..fit.temporal.keypoint_smoothing import measure_noise
from ..math.rotations import matrix_to_quat_wxyz, quat_wxyz_to_matrix, unit
from ..math.whittaker import whittaker
from ..skeleton import BODY, Skeleton

_MIN_FRAMES = 6
_START_HZ, _LEAST_HZ = 5.0, 2.7
"""The first pass takes what is slower than the first for motion. What is slower than the second is never smoothed away:
a smoothed curve bends less than the true one, so stiffness that grew with every pass would end in a straight line."""
_WINDOW_S = 0.2
_PASSES = 2
_FREE_NOISE = 2e-3
"""Noise up to this level, in half-radians and metres, is kept: the finest tremor of real motion looks the same."""
_STRONG_NOISE_RAD, _STRONG_NOISE_M = 0.03, 0.005
"""Strong smoothing assumes at least this noise, per axis."""
_MIN_CURVATURE = 1e-4


@dataclass(frozen=True, eq=False)
class CalmMotion:
    """A smoothed motion.

    Attributes:
        quats: (F, J, 4) local rotations, w first, with the signs of the original quaternions.
        trans: (F, 3) root translation, metres.
    """

    quats: np.ndarray
    trans: np.ndarray


def continuous_quats(rotations: np.ndarray) -> np.ndarray:
    """Return quaternions (F, J, 4), w first, of *rotations* (F, J, 3, 3), with signs continuous over time."""
    quat = matrix_to_quat_wxyz(rotations)
    turned = np.where((quat[1:] * quat[:-1]).sum(axis=-1) < 0.0, -1.0, 1.0)
    quat[1:] *= np.cumprod(turned, axis=0)[..., None]
    return np.asarray(quat)


def smooth_motion(
    quats: np.ndarray, trans: np.ndarray, held: np.ndarray, fps: float, skeleton: Skeleton
) -> tuple[CalmMotion, CalmMotion]:
    """Return a motion smoothed over time according to its own noise, and smoothed as if it were noisy.

    Held frames stay interpolated between the frames around them, and the frames on their two sides do not influence
    each other.

    Args:
        quats: (F, J, 4) local rotations, w first, continuous.
        trans: (F, 3) metres.
        held: (F, J) bool, joints that no keypoint showed.
        fps: frames per second.
        skeleton: the joints.
    """
    rotations = quat_wxyz_to_matrix(quats)
    used = _smoothed_joints(quats, skeleton)
    num_joints = len(used)
    world = continuous_quats(world_rotations(rotations, skeleton)[:, used])
    curves = np.concatenate([world, np.pad(trans, ((0, 0), (0, 1)))[:, None]], axis=1)
    is_held = np.concatenate([held[:, used], held.all(axis=1, keepdims=True)], axis=1)
    strong = np.append(np.full(num_joints, 0.5 * _STRONG_NOISE_RAD), _STRONG_NOISE_M)
    both = _smooth_curves(curves, is_held, fps, np.stack([np.zeros_like(strong), strong]))
    calm = []
    for smooth in (both[:, : num_joints + 1], both[:, num_joints + 1 :]):
        whole = _with_steady(quat_wxyz_to_matrix(unit(smooth[:, :-1])), used, rotations, skeleton)
        local = matrix_to_quat_wxyz(local_rotations(whole, skeleton))
        local = np.where((local * quats).sum(axis=-1, keepdims=True) < 0.0, -local, local)
        calm.append(CalmMotion(local, smooth[:, -1, :3]))
    return calm[0], calm[1]


def _smoothed_joints(quats: np.ndarray, skeleton: Skeleton) -> list[int]:
    """Return the joints whose rotations are smoothed: not those of hands that keep one pose throughout the clip."""
    is_steady = (quats == quats[:1]).all(axis=(0, 2))
    return [joint for joint, part in enumerate(skeleton.parts) if part == BODY or not is_steady[joint]]


def _with_steady(world: np.ndarray, used: list[int], local: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Return world rotations (F, J, 3, 3) of all joints.

    Args:
        world: (F, N, 3, 3) those of the joints *used*.
        used: the joints that were smoothed.
        local: (F, J, 3, 3) the local rotations before, which the others keep.
        skeleton: the joints.
    """
    whole = np.empty_like(local)
    whole[:, used] = world
    for joint in sorted(set(range(skeleton.num_joints)) - set(used)):
        whole[:, joint] = whole[:, skeleton.parents[joint]] @ local[:, joint]
    return whole


def _smooth_curves(curves: np.ndarray, held: np.ndarray, fps: float, least_noise: np.ndarray) -> np.ndarray:
    """Return smoothed curves (F, N J, D): J curves for each of N strengths, one strength after the other.

    Args:
        curves: (F, J, D) quaternions or positions.
        held: (F, J) bool, values that are not observed.
        fps: frames per second.
        least_noise: (N, J) lower bound of the noise for each strength.
    """
    num_strengths = len(least_noise)
    if len(curves) < _MIN_FRAMES:
        return np.tile(curves, (1, num_strengths, 1))
    noise = np.maximum(measure_noise(curves, ~held), least_noise).reshape(-1)
    curves, seen = np.tile(curves, (1, num_strengths, 1)), np.tile(~held, (1, num_strengths))
    excess = np.maximum(noise**2 - _FREE_NOISE**2, 0.0)
    complete = np.zeros(seen.shape)
    complete[1:-1] = seen[2:] & seen[1:-1] & seen[:-2]
    weights = seen.astype(np.float64)
    window = max(1, round(_WINDOW_S * fps))
    start, least = ((2.0 * np.sin(np.pi * min(rate / fps, 0.5))) ** 4 for rate in (_START_HZ, _LEAST_HZ))
    smooth = whittaker(curves, weights, complete / start)
    for _ in range(_PASSES):
        curvature = _local_curvature(smooth, complete, window) + least * excess
        smooth = whittaker(curves, weights, complete * excess / np.maximum(curvature, _MIN_CURVATURE**2))
    calm: np.ndarray = curves + _interpolate_unseen(np.where(seen[..., None], smooth - curves, 0.0), seen)
    return calm


def _local_curvature(smooth: np.ndarray, complete: np.ndarray, window: int) -> np.ndarray:
    """Return the mean squared second difference per axis around every frame (F, J)."""
    squared = np.zeros(complete.shape)
    squared[1:-1] = (np.diff(smooth, n=2, axis=0) ** 2).sum(axis=-1) / 3.0
    curvature: np.ndarray = _running_sum(squared * complete, window) / np.maximum(_running_sum(complete, window), 1.0)
    return curvature


def _running_sum(values: np.ndarray, window: int) -> np.ndarray:
    """Return the sums of *values* (F, J) over the frames at most *window* away."""
    total = np.cumsum(np.pad(values, ((window + 1, window), (0, 0))), axis=0)
    sums: np.ndarray = total[2 * window + 1 :] - total[: -2 * window - 1]
    return sums


def _interpolate_unseen(correction: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return *correction* (F, J, D) with the frames that are not *seen* (F, J) interpolated linearly."""
    if seen.all():
        return correction
    bridged = correction.copy()
    frames = np.arange(len(seen))
    for joint in np.flatnonzero(~seen.all(axis=0)):
        seen_frames = np.flatnonzero(seen[:, joint])
        if len(seen_frames):
            for axis in range(correction.shape[2]):
                bridged[:, joint, axis] = np.interp(frames, seen_frames, correction[seen_frames, joint, axis])
    return bridged
