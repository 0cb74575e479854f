"""Find the implausible points of a stream, causally. K keypoints.

A point that leaps away from its predicted position alone is suspect until it leaps back, or until it has stayed there
so long that it is believed. A point that is nearer to another one, or farther from it, than the body allows
(`core.fit.screening.distances`) is wrong for as long as that lasts. Which of the two is wrong follows from how many
others disagree with each, and from which of them leapt. Wrong points get no weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..screening.distances import DistanceLimits, distance_limits

_JUMP_M, _JUMP_STEPS, _JUMP_NOISES, _JUMP_M_PER_S2 = 0.15, 3.0, 12.0, 60.0
"""A point leaps if it is farther from its prediction than all of these: metres, multiples of its usual step between
frames, multiples of its noise, and what a limb's acceleration can explain."""
_STOP = 0.5
"""A point that has moved by less than this share of that limit has not leapt: a fast limb may stop at once."""
_STEP_MEMORY_S = 0.2
_TRACKED_S = 0.1
"""A missing point is predicted for this long."""
_KNOWN_FROM = 4
"""A point can be predicted once it was seen in this many frames."""
_PATIENCE_S, _PATIENCE_FRAMES = 0.8, 24
"""A point that leaps alone is suspect for at least this long."""
_PATIENCE_TOGETHER = 3
"""The same, in frames, for a point that leaps together with most others, or with one whose distance stays."""
_SURE, _PATIENCE_UNSURE = 1.6, 6
"""The same for a leap that exceeds the limit of a motion by less than this factor."""
_BACK = 0.5
"""A suspect point has returned when it is within this share of its leap from its prediction."""
_VOUCHERS, _CLOSE = 2, 0.5
"""A point is right, however far it leapt, if this many others keep their distance to it within this share of the limits
and none breaks them."""
_SLOW_FPS = 8.0
"""Limbs turn back between the frames of slower tracks, so a point may be anywhere in the next frame."""
_PREFERENCE, _LIMB_END = 0.5, 0.01
"""Weights of a leap, and of each bone less, beside the number of points that disagree with one."""


@dataclass(frozen=True, eq=False)
class Screening:
    """The implausible points of one frame.

    Attributes:
        wrong: (K,) bool, points that were measured and cannot be right.
        restarted: (K,) bool, points that are not where they were expected, and are believed from now on.
    """

    wrong: np.ndarray
    restarted: np.ndarray


class LiveScreening:
    """A running check of one person's points."""

    def __init__(self, names: Sequence[str], fps: float, rest_points: np.ndarray) -> None:
        """Begin without frames.

        Args:
            names: (K,) the solver points.
            fps: frames per second.
            rest_points: (K, 3) these points on a body in its rest pose, of any size, metres.
        """
        num_points = len(names)
        self._names, self._fps, self._rest = tuple(names), fps, np.asarray(rest_points, dtype=np.float64)
        self._limits: DistanceLimits | None = None
        self._measured = False
        self._last, self._velocity, self._leap = np.zeros((3, num_points, 3))
        self._unseen = np.full(num_points, np.inf)
        self._step = np.zeros(num_points)
        self._known, self._suspect, self._patience = np.zeros((3, num_points), dtype=np.int64)
        self._blamed = np.zeros(num_points, dtype=bool)
        self._votes = _votes(names)

    def push(self, positions: np.ndarray, weights: np.ndarray, noise_m: np.ndarray) -> Screening:
        """Return the implausible points of the next frame.

        Args:
            positions: (K, 3) metres; arbitrary where the weight is 0.
            weights: (K,) 0 where missing.
            noise_m: (K,) current estimate of the noise per axis, metres.
        """
        seen = weights > 0
        observed = np.where(seen[:, None], positions, 0.0)
        tracked = seen & (self._unseen <= _TRACKED_S * self._fps) & (self._fps >= _SLOW_FPS)
        ahead = self._unseen + 1.0
        off = observed - self._last - np.where(tracked, ahead, 0.0)[:, None] * self._velocity
        reach = self._reach(noise_m) * ahead
        moved = _length(observed - self._last)
        leapt = tracked & (_length(off) > reach) & (moved > _STOP * reach)
        suspect = np.where(tracked, self._suspect, 0)
        candidates = (suspect > 0) | leapt | (seen & ~tracked) | self._blamed
        blamed, apart = self._blame(observed, seen, candidates)
        vouched = self._vouched(observed, seen & ~candidates) if candidates.any() else self._blamed
        back = (suspect > 0) & (_length(off + self._leap) < np.maximum(_BACK * _length(self._leap), noise_m))
        goes_on = (suspect == 1) & (_length(off - self._leap) <= reach)
        freed = back | goes_on | (suspect >= self._patience)
        starts = leapt & (suspect == 0) & ~self._blamed & (self._known >= _KNOWN_FROM) & ~vouched
        suspect = np.where(starts, 1, np.where(freed & ~blamed, 0, np.where(suspect > 0, suspect + 1, 0)))
        self._leap = np.where(starts[:, None], off, self._leap)
        if starts.any():
            patience = self._patience_of(starts, apart, _length(off) / reach, int(tracked.sum()))
            self._patience = np.where(starts, patience, self._patience)
        wrong = seen & ((suspect > 0) | blamed)
        was_wrong = (self._suspect > 0) | self._blamed
        restarted = tracked & ~wrong & ~back & (was_wrong | (leapt & (self._known < _KNOWN_FROM)))
        steady = tracked & ~wrong & ~restarted
        self._remember(observed, seen, steady, leapt & ((suspect > 0) | back))
        self._suspect, self._blamed = np.where(seen, suspect, self._suspect), np.where(seen, blamed, self._blamed)
        self._known = np.where(restarted, 1, self._known + (seen & ~wrong))
        return Screening(wrong, restarted)

    def measure(self, positions: np.ndarray, weights: np.ndarray) -> None:
        """Measure the distances between this person's points.

        Args:
            positions: (F, K, 3) metres, a few dozen frames; arbitrary where the weight is 0.
            weights: (F, K) 0 where missing or wrong.
        """
        seen = weights > 0
        self._measured = True
        self._set_limits(distance_limits(self._names, np.where(seen[..., None], positions, 0.0), seen))

    def _reach(self, noise_m: np.ndarray) -> np.ndarray:
        """Return how far (K,) from its prediction each point may be, metres."""
        least = max(_JUMP_M, _JUMP_M_PER_S2 / self._fps**2)
        reach: np.ndarray = np.maximum(least, np.maximum(_JUMP_STEPS * self._step, _JUMP_NOISES * noise_m))
        return reach

    def _blame(self, observed: np.ndarray, seen: np.ndarray, candidates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the points (K,) that violate the distances of the body, and the pairs (K, K) that do.

        Args:
            observed: (K, 3) metres, finite.
            seen: (K,) bool.
            candidates: (K,) bool, points without history; the others must exceed wider limits.
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
            counts = self._votes @ broken
            worst = int(np.argmax(np.where(counts > 0, counts + preference, -np.inf)))
            blamed[worst] = True
            broken[worst] = broken[:, worst] = False
        return blamed, apart

    def _vouched(self, observed: np.ndarray, trusted: np.ndarray) -> np.ndarray:
        """Return the points (K,) that keep their distance to enough *trusted* ones (K,) to be right."""
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
        """Return the limits for a body of the size that the points of one frame have."""
        every = np.ones((1, len(seen)), dtype=bool)
        rigid = distance_limits(self._names, self._rest[None], every).rigid & seen & seen[:, None]
        first, second = np.nonzero(np.triu(rigid))
        own = np.maximum(_length(self._rest[first] - self._rest[second]), 1e-6)
        times = _length(observed[first] - observed[second]) / own
        size = float(np.median(times)) if len(times) else 1.0
        return distance_limits(self._names, size * self._rest[None], every).widened()

    def _patience_of(self, starts: np.ndarray, apart: np.ndarray, size: np.ndarray, num_tracked: int) -> np.ndarray:
        """Return the number of frames (K,) for which points that leap stay suspect.

        Args:
            starts: (K,) bool, the points that leap.
            apart: (K, K) bool, pairs at a distance that they cannot have.
            size: (K,) length of the leaps as a multiple of the limit of a motion.
            num_tracked: number of points that could have leapt.
        """
        assert self._limits is not None
        together = (self._limits.rigid & ~apart & starts).any(axis=1) | (2 * starts.sum() > num_tracked)
        alone = max(_PATIENCE_FRAMES, round(_PATIENCE_S * self._fps))
        return np.where(together, _PATIENCE_TOGETHER, np.where(size > _SURE, alone, _PATIENCE_UNSURE))

    def _remember(self, observed: np.ndarray, seen: np.ndarray, steady: np.ndarray, apart: np.ndarray) -> None:
        """Update positions, velocities and usual steps; the last step of the points *apart* (K,) was no motion."""
        known = seen & np.isfinite(self._unseen)
        velocity = np.where(known[:, None], observed - self._last, 0.0)
        velocity /= (1.0 + np.where(known, self._unseen, 0.0))[:, None]
        share = 1.0 - np.exp(-1.0 / (_STEP_MEMORY_S * self._fps))
        self._step = np.where(steady & ~apart, self._step + share * (_length(velocity) - self._step), self._step)
        self._velocity = np.where((seen & ~apart)[:, None], velocity, self._velocity)
        self._last = np.where(seen[:, None], observed, self._last)
        self._unseen = np.where(seen, 0.0, self._unseen + 1.0)


def _votes(names: Sequence[str]) -> np.ndarray:
    """Return the weight (K,) of each point's vote: the knuckles of a hand, which are lost together, have one."""
    hands = [name.split("_")[0] if name.endswith("_knuckle") else "" for name in names]
    return np.array([1.0 / hands.count(hand) if hand else 1.0 for hand in hands])


def _length(vectors: np.ndarray) -> np.ndarray:
    """Return the lengths (N,) of vectors (N, 3)."""
    length: np.ndarray = np.sqrt(np.einsum("ka,ka->k", vectors, vectors))
    return length
