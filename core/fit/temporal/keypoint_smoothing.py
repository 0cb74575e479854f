"""Keypoint smoothing: measure noise, bridge gaps, smooth jitter, reject jumps. F frames, K keypoints.

A Whittaker smoother (Eilers, "A perfect smoother", Analytical Chemistry 75, 2003): the smooth track z minimises
``sum_t w_t |y_t - z_t|^2 + sum_t s_t |second difference of z|^2``. With s = noise variance / variance of the true
second difference this is the best linear estimate. So s is measured from the track itself, for each point and frame:
fast motion is smoothed less, clean tracks hardly at all, and frames without a point are bridged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...math.whittaker import whittaker

_NOISE_ORDER = 4
_NOISE_GAIN = 70.0
"""The fourth difference of white noise has 70 times its variance (1 + 16 + 36 + 16 + 1)."""
_MIN_SAMPLES = 5
_MEDIAN_BIAS = 0.79
"""Ratio of the median to the mean of the squared length of white noise in three axes."""
_NOISE_MIN_FPS = 8.0
"""Below this frame rate limbs reverse between frames, so their motion would be measured as noise."""
_UNKNOWN_NOISE_M = 0.008
"""Assumed noise of a track that is too short or too slow to measure it; such a track is not smoothed."""
_QUIET_SHARE = 0.2
"""Noise is measured in the quietest fifth of the frames, where the person moves least."""
_QUIET_FRAMES = 16
_QUIET_BIAS = 0.74
"""Ratio of this quantile of 16-frame means of white noise to their mean (simulated)."""
_MIN_NOISE_M = 1e-4
_FREE_NOISE_M = 1e-3
"""Noise up to this is not smoothed: the finest tremor of real motion looks the same."""
_MIN_BEND_M = 2e-4
"""Lower bound of the second difference (as `_MIN_NOISE_M` of the noise), so that a still or perfect track stays
solvable."""
_STIFFER = 1.25
"""Correction of the stiffness: the second difference is measured on a track that is still noisy, so it is too large."""
_WINDOW_S = 0.2
_PASSES = 3
_SPIKE_MIN_FPS = 8.0
_SPIKE_RADIUS = 3
_SPIKE_MIN_SEEN = 4
_SPIKE_STEPS = 3.0
_SPIKE_END_MARGIN = 2.5
"""A spike is a point that deviates from the median of this many frames on both sides, if enough of them are seen, by
more than this many usual steps from frame to frame, and by this factor more at an end, where a motion may just begin.
Below the minimum frame rate a limb may be anywhere in the next frame, so spikes are not searched."""
_JUMP_NOISES = 5.0
_JUMP_M = 0.06
"""A point that deviates from the smooth track by more than both is a jump."""


@dataclass(frozen=True, eq=False)
class SmoothedPoints:
    """Smoothed keypoints.

    Attributes:
        positions: (F, K, 3) metres, finite everywhere; 0 for a point that is never seen.
        noise_m: (K,) estimated noise per axis, standard deviation, metres.
        jumps: (F, K) bool, points rejected as implausible.
        distance: (F, K) number of frames to the nearest frame in which the point was accepted (0 where it was).
        gap: (F, K) length in frames of the gap around the frame (0 where the point was accepted); infinite for a gap at
            the start or end of the clip.
    """

    positions: np.ndarray
    noise_m: np.ndarray
    jumps: np.ndarray
    distance: np.ndarray
    gap: np.ndarray


def smooth_points(
    positions: np.ndarray,
    weights: np.ndarray,
    fps: float,
    *,
    strength: float = 1.0,
    on_progress: Callable[[float], None] = lambda part: None,
) -> SmoothedPoints:
    """Return *positions* smoothed over time, with gaps bridged and jumps rejected.

    Args:
        positions: (F, K, 3) metres; any value where the weight is 0.
        weights: (F, K) 0 where missing.
        fps: frames per second.
        strength: 1 for the measured optimum; 0 bridges gaps and rejects jumps but does not change seen points.
        on_progress: called with the completed fraction, 0 to 1; an exception it raises ends the work.
    """
    seen = (weights > 0) & np.isfinite(positions).all(-1)
    observed = np.where(seen[..., None], positions, 0.0)
    candidates = seen & ~find_spikes(observed, seen) if fps >= _SPIKE_MIN_FPS else seen
    on_progress(1.0 / (_PASSES + 2))
    measurable = can_measure_noise(len(positions), fps)
    noise = measure_noise(observed, candidates) if measurable else np.full(seen.shape[1], _UNKNOWN_NOISE_M)
    excess = np.maximum(noise**2 - _FREE_NOISE_M**2 if measurable else 0.0 * noise, _MIN_NOISE_M**2)
    trusted = candidates
    smooth = _bridge(observed, trusted, np.full(seen.shape, 1e-2))
    window = max(1, round(_WINDOW_S * fps))
    for iteration in range(_PASSES):
        on_progress((iteration + 2.0) / (_PASSES + 2))
        bend = _local_bend(smooth, window)
        stiffness = _STIFFER * excess / np.maximum(bend, _MIN_BEND_M) ** 2
        smooth = _bridge(observed, trusted, stiffness)
        deviation = np.linalg.norm(observed - smooth, axis=-1)
        trusted = candidates & ~(deviation > np.maximum(_JUMP_M, _JUMP_NOISES * noise))
    if strength != 1.0:
        kept = np.where(trusted[..., None], observed, smooth)
        smooth = kept + min(strength, 1.0) * (smooth - kept)
    smooth = np.where(seen.any(axis=0)[:, None], smooth, 0.0)
    return SmoothedPoints(smooth, noise, seen & ~trusted, *_gaps(trusted))


def find_spikes(observed: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return where (F, K) bool a point deviates from the running median by much more than its usual motion.

    A smooth curve would follow a single outlier; a median does not. Noise counts as motion.

    Args:
        observed: (F, K, 3) metres, finite.
        seen: (F, K) bool.
    """
    if len(observed) <= _SPIKE_RADIUS:
        return np.zeros(seen.shape, dtype=bool)
    median, count = _running_median(observed, seen)
    deviation = np.linalg.norm(observed - median, axis=-1)
    step = np.linalg.norm(np.diff(observed, axis=0), axis=-1)[..., None]
    both = seen[1:] & seen[:-1]
    usual, num_steps = _running_median(np.concatenate([step, step[-1:]]), np.concatenate([both, both[-1:]]))
    margin = np.ones((len(observed), 1))
    margin[[0, -1]] = _SPIKE_END_MARGIN
    far = deviation > margin * np.maximum(_JUMP_M, _SPIKE_STEPS * usual[..., 0])
    spikes: np.ndarray = seen & far & (count >= _SPIKE_MIN_SEEN) & (num_steps >= _SPIKE_MIN_SEEN)
    return spikes


def _running_median(values: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the median (F, K, N) of the seen values around each frame, and their number (F, K).

    The clip is reflected at both ends.
    """
    around = [(_SPIKE_RADIUS, _SPIKE_RADIUS), (0, 0)]
    width = 2 * _SPIKE_RADIUS + 1
    masked = np.where(seen[..., None], values, np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(masked, [*around, (0, 0)], mode="reflect"), width, axis=0)
    count = np.lib.stride_tricks.sliding_window_view(np.pad(seen, around, mode="reflect"), width, axis=0).sum(axis=-1)
    ordered = np.sort(windows, axis=-1)
    middle = np.stack([np.maximum(count - 1, 0) // 2, count // 2], axis=-1)[:, :, None]
    chosen = np.take_along_axis(ordered, np.minimum(middle, width - 1), axis=-1)
    return np.where(count[..., None] > 0, chosen.mean(axis=-1), 0.0), count


def can_measure_noise(num_frames: int, fps: float) -> bool:
    """Return whether a track is long and fast enough to measure its noise."""
    return num_frames > _NOISE_ORDER and fps >= _NOISE_MIN_FPS


def measure_noise(positions: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return each point's noise (K,) per axis, metres, from its fourth differences in quiet frames.

    A point that is seen in too few frames gets the median noise of the others; in a track of a few frames all points
    are pooled.

    Args:
        positions: (F, K, 3), finite.
        seen: (F, K) bool.
    """
    num_points = positions.shape[1]
    if len(positions) <= _NOISE_ORDER:
        return np.full(num_points, _UNKNOWN_NOISE_M)
    difference = np.diff(positions, n=_NOISE_ORDER, axis=0)
    squared = (difference**2).sum(axis=-1)
    whole = np.lib.stride_tricks.sliding_window_view(seen, _NOISE_ORDER + 1, axis=0).all(axis=-1)
    noise = np.full(num_points, np.nan)
    for point in range(num_points):
        known = squared[whole[:, point], point]
        if len(known) >= _MIN_SAMPLES:
            window = min(_QUIET_FRAMES, len(known))
            means = np.convolve(known, np.full(window, 1.0 / window), mode="valid")
            noise[point] = np.sqrt(np.quantile(means, _QUIET_SHARE) / (_QUIET_BIAS * 3.0 * _NOISE_GAIN))
    measured = np.isfinite(noise)
    if measured.any():
        usual = np.median(noise[measured])
    elif whole.sum() >= _MIN_SAMPLES:
        usual = np.sqrt(np.median(squared[whole]) / (_MEDIAN_BIAS * 3.0 * _NOISE_GAIN))
    else:
        usual = _UNKNOWN_NOISE_M
    floored: np.ndarray = np.maximum(np.where(measured, noise, usual), _MIN_NOISE_M)
    return floored


def _local_bend(smooth: np.ndarray, window: int) -> np.ndarray:
    """Return the root mean square second difference (F, K) per axis around every frame, metres."""
    num_frames = len(smooth)
    if num_frames < 3:
        return np.full(smooth.shape[:2], _MIN_BEND_M)
    squared = (np.diff(smooth, n=2, axis=0) ** 2).mean(axis=-1)
    squared = np.concatenate([squared[:1], squared, squared[-1:]])
    padded = np.pad(squared, ((window + 1, window), (0, 0)), mode="edge")
    total = np.cumsum(padded, axis=0)
    mean = (total[2 * window + 1 :] - total[: -2 * window - 1]) / (2 * window + 1)
    bend: np.ndarray = np.sqrt(mean[:num_frames])
    return bend


def _bridge(observed: np.ndarray, trusted: np.ndarray, stiffness: np.ndarray) -> np.ndarray:
    """Return smooth points (F, K, 3) through the *trusted* ones; a point trusted in only one frame stands still."""
    count = trusted.sum(axis=0)
    alone = np.take_along_axis(observed, trusted.argmax(axis=0)[None, :, None], axis=0)
    still = count < 2
    observed = np.where(still[:, None], np.where((count > 0)[:, None], alone, 0.0), observed)
    return whittaker(observed, (trusted | still).astype(np.float64), stiffness)


def _gaps(seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance to the nearest seen frame and the length of the gap around each frame (F, K), in frames.

    A gap at the start or end of the clip has infinite length; a point that is never seen has infinite distance.
    """
    num_frames = len(seen)
    frames = np.arange(num_frames)[:, None]
    before = np.maximum.accumulate(np.where(seen, frames, -num_frames), axis=0)
    after = np.minimum.accumulate(np.where(seen, frames, 2 * num_frames)[::-1], axis=0)[::-1]
    distance = np.where(seen.any(axis=0), np.minimum(frames - before, after - frames), np.inf)
    closed = (before >= 0) & (after < num_frames)
    return distance, np.where(seen, 0.0, np.where(closed, after - before - 1.0, np.inf))
