"""Filter jitter and bridge short gaps of live keypoints, causally. K keypoints, M filters.

A bank of Kalman filters does from frame to frame, with a state of constant size, what
`core.fit.temporal.keypoint_smoothing` does to a whole clip. All filters share the smoother's motion model, in which
second differences are white; they differ in the ratio of these to the noise. Each point is the mean of the filters,
weighted by how well they have predicted it lately (multiple-model adaptive estimation; Magill, "Optimal adaptive
estimation of sampled stochastic processes", IEEE Transactions on Automatic Control 10, 1965).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_RATIOS = 10.0 ** np.arange(-5.0, 4.0)[:, None]
"""Each filter's variance of a point's second difference, relative to the variance of the noise."""
_UNKNOWN_SPEED = 1e4
"""Variance of the speed of a point that appears, relative to the variance of the noise, per frame squared."""
_MEMORY_S = 0.2
"""Time constant with which a filter's past predictions lose their weight."""
_FREE_NOISE_M, _LEAST_NOISE_M = 1e-3, 1e-4
"""Noise up to the first is not filtered, as in a clip."""
_BRIDGED_S, _BRIDGED_SHARE = 0.1, 0.5
"""A missing point is extrapolated for so long, with at most this share of its usual weight, falling to 0."""
_NOISE_RANGE, _EQUAL_NOISE_M = (0.5, 2.0), 5e-4
_SLOW_FPS = 8.0
"""Limbs turn back between the frames of slower tracks, so the past does not predict a point there."""


@dataclass(frozen=True, eq=False)
class LivePoint:
    """The points of one frame.

    Attributes:
        positions: (K, 3) metres, finite; arbitrary where the weight is 0.
        weights: (K,) lower for bridged and for noisier points.
    """

    positions: np.ndarray
    weights: np.ndarray


class LivePoints:
    """A running filter of one person's points."""

    def __init__(self, num_points: int, fps: float, strength: float) -> None:
        """Begin without frames.

        Args:
            num_points: K.
            fps: frames per second.
            strength: 1 filters as the noise requires; 0 only bridges gaps.
        """
        self._fps, self._strength = fps, strength
        state = (len(_RATIOS), num_points)
        self._place, self._speed = np.zeros((*state, 3)), np.zeros((*state, 3))
        self._covariance = [np.zeros(state) for _ in range(3)]
        self._score = np.zeros(state)
        self._unseen = np.full(num_points, np.inf)
        self._usual = np.zeros(num_points)

    def push(self, positions: np.ndarray, weights: np.ndarray, noise_m: np.ndarray, restarted: np.ndarray) -> LivePoint:
        """Return the points of the next frame.

        Args:
            positions: (K, 3) metres; arbitrary where the weight is 0.
            weights: (K,) 0 where missing.
            noise_m: (K,) current estimate of the noise per axis, metres.
            restarted: (K,) bool, points that are right but not where they were expected.
        """
        seen = weights > 0
        observed = np.where(seen[:, None], positions, 0.0)
        if self._fps < _SLOW_FPS:
            return LivePoint(observed, weights)
        self._predict()
        restarted = seen & (restarted | (self._unseen > _BRIDGED_S * self._fps))
        excess = np.maximum(noise_m**2 - _FREE_NOISE_M**2, _LEAST_NOISE_M**2)
        self._update(observed, seen, excess)
        self._begin(observed, restarted)
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

    def _begin(self, observed: np.ndarray, restarted: np.ndarray) -> None:
        """Restart the filters of *restarted* points at their measured positions."""
        if not restarted.any():
            return
        self._place[:, restarted], self._speed[:, restarted], self._score[:, restarted] = observed[restarted], 0.0, 0.0
        for part, value in zip(self._covariance, (1.0, 0.0, _UNKNOWN_SPEED), strict=True):
            part[:, restarted] = value

    def _blended(self, values: np.ndarray) -> np.ndarray:
        """Return the mean (K, 3) of the filters' *values* (M, K, 3), weighted by their likelihoods."""
        share = np.exp(self._score - self._score.max(axis=0))
        share /= share.sum(axis=0)
        blended: np.ndarray = np.einsum("mk,mka->ka", share, values)
        return blended

    def _weights(self, weights: np.ndarray, seen: np.ndarray, noise_m: np.ndarray) -> np.ndarray:
        self._usual = np.maximum(self._usual, weights)
        near = np.clip(1.0 - self._unseen / max(_BRIDGED_S * self._fps, 1.0), 0.0, 1.0)
        unbalanced = np.where(seen, weights, near * _BRIDGED_SHARE * self._usual)
        noise = np.maximum(noise_m, _EQUAL_NOISE_M)
        balanced: np.ndarray = unbalanced * np.clip(np.median(noise) / noise, *_NOISE_RANGE)
        return balanced
