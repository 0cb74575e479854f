"""Points of a stream that cannot be right, found from the past alone. K keypoints.

A point that leaps off its way by itself is doubted until it leaps back, or for so long that it seems to be there after
all. A point that is nearer to another, or farther from it, than the body allows (`core.fit.screening.distances`) is
wrong for as long as it is; which of two points is wrong shows in how many others disagree with each, and in which of
them came in a leap. What is wrong gets no weight, however far off it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..screening.distances import DistanceLimits, distance_limits

_JUMP_M, _JUMP_STEPS, _JUMP_NOISES, _JUMP_M_PER_S2 = 0.15, 3.0, 12.0, 60.0
"""A point that is farther than all of these from its way leaps: in metres, in its usual steps from frame to frame, in
its noise, and as no limb accelerates."""
_STOP = 0.5
"""A point that has moved by less than that share of it has not leapt: what moves fast may stop at once."""
_STEP_MEMORY_S = 0.2
_TRACKED_S = 0.1
"""For so long a point's way is known when it is missing."""
_KNOWN_FROM = 4
"""A point's way is known from so many frames."""
_PATIENCE_S, _PATIENCE_FRAMES = 0.8, 24
"""A point that leaps by itself is doubted for at least so long."""
_PATIENCE_TOGETHER = 3
"""The same, in frames, for a point that leaps with most of the others, or with one that keeps its distance to it."""
_SURE, _PATIENCE_UNSURE = 1.6, 6
"""The same for a leap that is hardly longer than a motion may be: by less than that factor."""
_BACK = 0.5
"""A doubted point is back when it leaps back to within that share of the leap that made it doubted."""
_VOUCHERS, _CLOSE = 2, 0.5
"""A point is right, however it got there, if so many others keep their distance to it, within that share of the limits
and no other is at a distance that breaks them."""
_SLOW_FPS = 8.0
"""Limbs turn back between the frames of slower tracks: a point may be anywhere in the next frame."""
_PREFERENCE, _LIMB_END = 0.5, 0.01
"""What a leap, and a bone less, count for beside the points that disagree with one."""


@dataclass(frozen=True, eq=False)
class Screening:
    """What is wrong with the points of one frame.

    Attributes:
        wrong: (K,) bool, points that were measured and cannot be right.
        anew: (K,) bool, points that are elsewhere than expected and are believed now.
    """

    wrong: np.ndarray
    anew: np.ndarray


class LiveScreening:
    """A running check of one person's points."""

    def __init__(self, names: Sequence[str], fps: float, rest_points: np.ndarray) -> None:
        """Begin with nothing seen.

        Args:
            names: (K,) the solver points.
            fps: frames a second.
            rest_points: (K, 3) where they lie on a body in its rest pose, metres; it may be of another size.
        """
        num_points = len(names)
        self._names, self._fps, self._rest = tuple(names), fps, np.asarray(rest_points, dtype=np.float64)
        self._limits: DistanceLimits | None = None
        self._measured = False
        self._last, self._way, self._leap = np.zeros((3, num_points, 3))
        self._unseen = np.full(num_points, np.inf)
        self._step = np.zeros(num_points)
        self._known, self._doubted, self._patience = np.zeros((3, num_points), dtype=np.int64)
        self._blamed = np.zeros(num_points, dtype=bool)

    def push(self, positions: np.ndarray, weights: np.ndarray, noise_m: np.ndarray) -> Screening:
        """Return what is wrong with the next frame.

        Args:
            positions: (K, 3) metres; anything where the weight is 0.
            weights: (K,) 0 where missing.
            noise_m: (K,) noise per axis as far as it is known.
        """
        seen = weights > 0
        observed = np.where(seen[:, None], positions, 0.0)
        tracked = seen & (self._unseen <= _TRACKED_S * self._fps) & (self._fps >= _SLOW_FPS)
        ahead = self._unseen + 1.0
        off = observed - self._last - np.where(tracked, ahead, 0.0)[:, None] * self._way
        reach = self._reach(noise_m) * ahead
        moved = _length(observed - self._last)
        leapt = tracked & (_length(off) > reach) & (moved > _STOP * reach)
        doubted = np.where(tracked, self._doubted, 0)
        candidates = (doubted > 0) | leapt | (seen & ~tracked) | self._blamed
        blamed, apart = self._blame(observed, seen, candidates)
        vouched = self._vouched(observed, seen & ~candidates) if candidates.any() else self._blamed
        back = (doubted > 0) & (_length(off + self._leap) < np.maximum(_BACK * _length(self._leap), noise_m))
        goes_on = (doubted == 1) & (_length(off - self._leap) <= reach)
        freed = back | goes_on | (doubted >= self._patience)
        starts = leapt & (doubted == 0) & ~self._blamed & (self._known >= _KNOWN_FROM) & ~vouched
        doubted = np.where(starts, 1, np.where(freed & ~blamed, 0, np.where(doubted > 0, doubted + 1, 0)))
        self._leap = np.where(starts[:, None], off, self._leap)
        if starts.any():
            patience = self._patience_of(starts, apart, _length(off) / reach, int(tracked.sum()))
            self._patience = np.where(starts, patience, self._patience)
        wrong = seen & ((doubted > 0) | blamed)
        was_wrong = (self._doubted > 0) | self._blamed
        anew = tracked & ~wrong & ~back & (was_wrong | (leapt & (self._known < _KNOWN_FROM)))
        steady = tracked & ~wrong & ~anew
        self._remember(observed, seen, steady, leapt & ((doubted > 0) | back))
        self._doubted, self._blamed = np.where(seen, doubted, self._doubted), np.where(seen, blamed, self._blamed)
        self._known = np.where(anew, 1, self._known + (seen & ~wrong))
        return Screening(wrong, anew)

    def measure(self, positions: np.ndarray, weights: np.ndarray) -> None:
        """Measure how far apart this person's points are.

        Args:
            positions: (F, K, 3) metres, some dozens of frames; anything where the weight is 0.
            weights: (F, K) 0 where missing or wrong.
        """
        seen = weights > 0
        self._measured = True
        self._set_limits(distance_limits(self._names, np.where(seen[..., None], positions, 0.0), seen))

    def _reach(self, noise_m: np.ndarray) -> np.ndarray:
        """Return how far (K,) a point may be from its way."""
        least = max(_JUMP_M, _JUMP_M_PER_S2 / self._fps**2)
        reach: np.ndarray = np.maximum(least, np.maximum(_JUMP_STEPS * self._step, _JUMP_NOISES * noise_m))
        return reach

    def _blame(self, observed: np.ndarray, seen: np.ndarray, candidates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which points (K,) are where the body cannot have them, and which pairs (K, K) are too far apart.

        Args:
            observed: (K, 3) metres, finite.
            seen: (K,) bool.
            candidates: (K,) bool, points of which nothing is known yet; others are blamed for what is wrong by far.
        """
        if self._limits is None:
            self._set_limits(self._limits_of_body(observed, seen))
        assert self._limits is not None
        broken = self._widened.broken(observed[None], seen[None])[0]
        apart = broken
        if candidates.any():
            apart = self._limits.broken(observed[None], seen[None])[0]
            broken = broken | (apart & (candidates[:, None] | candidates))
        blamed = np.zeros_like(seen)
        preference = _PREFERENCE * candidates - _LIMB_END * self._limits.rigid.sum(axis=0)
        while broken.any():
            counts = broken.sum(axis=0)
            worst = int(np.argmax(np.where(counts > 0, counts + preference, -np.inf)))
            blamed[worst] = True
            broken[worst] = broken[:, worst] = False
        return blamed, apart

    def _vouched(self, observed: np.ndarray, trusted: np.ndarray) -> np.ndarray:
        """Return which points (K,) keep their distance to so many *trusted* ones (K,) that they are where they seem."""
        if not self._measured:
            return np.zeros_like(trusted)
        assert self._limits is not None
        least, most = (np.where(self._limits.rigid, limit, 0.0) for limit in (self._limits.least, self._limits.most))
        off = np.abs(2.0 * np.linalg.norm(observed[:, None] - observed, axis=-1) - most - least)
        others = self._limits.rigid & trusted
        kept = (others & (off < _CLOSE * (most - least))).sum(axis=1) >= _VOUCHERS
        vouched: np.ndarray = kept & ~(others & (off > most - least)).any(axis=1)
        return vouched

    def _set_limits(self, limits: DistanceLimits) -> None:
        self._limits, self._widened = limits, limits.widened()

    def _limits_of_body(self, observed: np.ndarray, seen: np.ndarray) -> DistanceLimits:
        """Return the limits of a body of the size that the points of one frame show."""
        every = np.ones((1, len(seen)), dtype=bool)
        rigid = distance_limits(self._names, self._rest[None], every).rigid & seen & seen[:, None]
        first, second = np.nonzero(np.triu(rigid))
        own = np.maximum(_length(self._rest[first] - self._rest[second]), 1e-6)
        times = _length(observed[first] - observed[second]) / own
        size = float(np.median(times)) if len(times) else 1.0
        return distance_limits(self._names, size * self._rest[None], every).widened()

    def _patience_of(self, starts: np.ndarray, apart: np.ndarray, size: np.ndarray, num_tracked: int) -> np.ndarray:
        """Return for how many frames (K,) to doubt points that leap.

        Args:
            starts: (K,) bool, which do.
            apart: (K, K) bool, pairs at a distance that they cannot have.
            size: (K,) how many times as long as a motion may be the leaps are.
            num_tracked: how many points might have leapt.
        """
        assert self._limits is not None
        together = (self._limits.rigid & ~apart & starts).any(axis=1) | (2 * starts.sum() > num_tracked)
        alone = max(_PATIENCE_FRAMES, round(_PATIENCE_S * self._fps))
        return np.where(together, _PATIENCE_TOGETHER, np.where(size > _SURE, alone, _PATIENCE_UNSURE))

    def _remember(self, observed: np.ndarray, seen: np.ndarray, steady: np.ndarray, apart: np.ndarray) -> None:
        """Remember where the points are and how they go; *apart* (K,) are those whose last step was no motion."""
        known = seen & np.isfinite(self._unseen)
        way = np.where(known[:, None], observed - self._last, 0.0)
        way /= (1.0 + np.where(known, self._unseen, 0.0))[:, None]
        share = 1.0 - np.exp(-1.0 / (_STEP_MEMORY_S * self._fps))
        self._step = np.where(steady & ~apart, self._step + share * (_length(way) - self._step), self._step)
        self._way = np.where((seen & ~apart)[:, None], way, self._way)
        self._last = np.where(seen[:, None], observed, self._last)
        self._unseen = np.where(seen, 0.0, self._unseen + 1.0)


def _length(vectors: np.ndarray) -> np.ndarray:
    """Return the lengths (N,) of vectors (N, 3)."""
    length: np.ndarray = np.sqrt(np.einsum("ka,ka->k", vectors, vectors))
    return length
