"""Keypoints as they come in: jitter filtered and short gaps bridged, from the past alone. K keypoints.

What `core.fit.temporal.keypoint_smoothing` does to a whole clip, a bank of Kalman filters does here from frame to
frame, with a state that never grows. The smoother's model is each filter's: second differences are white. How large
they are beside the noise differs between the filters, and each point follows those that have predicted it best of late
(multiple-model adaptive estimation; Magill, "Optimal adaptive estimation of sampled stochastic processes", IEEE
Transactions on Automatic Control 10, 1965). M filters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_RATIOS = 10.0 ** np.arange(-5.0, 4.0)[:, None]
"""What each filter takes for the variance of a point's second difference, in the noise's."""
_UNKNOWN_SPEED = 1e4
"""The variance of the speed of a point that is seen anew, the same, per frame squared."""
_MEMORY_S = 0.2
"""For so long a filter's predictions count."""
_FREE_NOISE_M, _LEAST_NOISE_M = 1e-3, 1e-4
"""Noise up to the first is left alone, as in a clip."""
_BRIDGED_S, _BRIDGED_SHARE = 0.1, 0.5
"""A point that is gone is where it was going, for so long, and counts for so much of what it usually does, less and
less."""
_NOISE_RANGE, _EVEN_NOISE_M = (0.5, 2.0), 5e-4
_SLOW_FPS = 8.0
"""Limbs turn back between the frames of slower tracks: where a point was going tells nothing of where it is."""


@dataclass(frozen=True, eq=False)
class LivePoint:
    """The points of one frame.

    Attributes:
        positions: (K, 3) metres, finite; anything where the weight is 0.
        weights: (K,) less for bridged points, and for noisier ones than the others.
    """

    positions: np.ndarray
    weights: np.ndarray


class LivePoints:
    """A running filter of one person's points."""

    def __init__(self, num_points: int, fps: float, strength: float) -> None:
        """Begin with nothing seen.

        Args:
            num_points: K.
            fps: frames a second.
            strength: 1 filters as much as the noise calls for; 0 bridges only.
        """
        self._fps, self._strength = fps, strength
        state = (len(_RATIOS), num_points)
        self._place, self._speed = np.zeros((*state, 3)), np.zeros((*state, 3))
        self._covariance = [np.zeros(state) for _ in range(3)]
        self._score = np.zeros(state)
        self._unseen = np.full(num_points, np.inf)
        self._usual = np.zeros(num_points)

    def push(self, positions: np.ndarray, weights: np.ndarray, noise_m: np.ndarray, anew: np.ndarray) -> LivePoint:
        """Return the points of the next frame.

        Args:
            positions: (K, 3) metres; anything where the weight is 0.
            weights: (K,) 0 where missing.
            noise_m: (K,) noise per axis as far as it is known.
            anew: (K,) bool, points that are elsewhere than expected, and right.
        """
        seen = weights > 0
        observed = np.where(seen[:, None], positions, 0.0)
        if self._fps < _SLOW_FPS:
            return LivePoint(observed, weights)
        self._predict()
        anew = seen & (anew | (self._unseen > _BRIDGED_S * self._fps))
        excess = np.maximum(noise_m**2 - _FREE_NOISE_M**2, _LEAST_NOISE_M**2)
        self._update(observed, seen, excess)
        self._begin(observed, anew)
        self._unseen = np.where(seen, 0.0, self._unseen + 1.0)
        smooth = self._blended(self._place)
        if self._strength != 1.0:
            kept = np.where(seen[:, None], observed, smooth)
            smooth = kept + self._strength * (smooth - kept)
        return LivePoint(smooth, self._weights(weights, seen, noise_m))

    def _predict(self) -> None:
        own, mixed, speed = self._covariance
        speed = speed + _RATIOS
        self._covariance = [own + 2.0 * mixed + speed, mixed + speed, speed]
        self._place = self._place + self._speed

    def _update(self, observed: np.ndarray, seen: np.ndarray, excess: np.ndarray) -> None:
        own, mixed, speed = self._covariance
        spread = own + 1.0
        innovation = (observed - self._place) * seen[:, None]
        squared = np.einsum("mka,mka->mk", innovation, innovation)
        keep = np.exp(-1.0 / (_MEMORY_S * self._fps))
        score = keep * self._score - 1.5 * np.log(spread) - 0.5 * squared / (spread * excess)
        self._score = np.where(seen, score - score.max(axis=0), self._score)
        gain, pull = own / spread * seen, mixed / spread * seen
        self._place = self._place + gain[..., None] * innovation
        self._speed = self._speed + pull[..., None] * innovation
        self._covariance = [own * (1.0 - gain), mixed * (1.0 - gain), speed - pull * mixed]

    def _begin(self, observed: np.ndarray, anew: np.ndarray) -> None:
        """Take points for what they are, that were not seen before, or not for long."""
        if not anew.any():
            return
        self._place[:, anew], self._speed[:, anew], self._score[:, anew] = observed[anew], 0.0, 0.0
        for part, value in zip(self._covariance, (1.0, 0.0, _UNKNOWN_SPEED), strict=True):
            part[:, anew] = value

    def _blended(self, values: np.ndarray) -> np.ndarray:
        """Return the mean (K, 3) of the filters' *values* (M, K, 3), each as its predictions were good."""
        share = np.exp(self._score - self._score.max(axis=0))
        share /= share.sum(axis=0)
        blended: np.ndarray = np.einsum("mk,mka->ka", share, values)
        return blended

    def _weights(self, weights: np.ndarray, seen: np.ndarray, noise_m: np.ndarray) -> np.ndarray:
        self._usual = np.maximum(self._usual, weights)
        near = np.clip(1.0 - self._unseen / max(_BRIDGED_S * self._fps, 1.0), 0.0, 1.0)
        counted = np.where(seen, weights, near * _BRIDGED_SHARE * self._usual)
        noise = np.maximum(noise_m, _EVEN_NOISE_M)
        even: np.ndarray = counted * np.clip(np.median(noise) / noise, *_NOISE_RANGE)
        return even
