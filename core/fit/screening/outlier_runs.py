"""Find runs of frames in which a point is an outlier: a wild point, a placeholder, or another point's label.

A point gets one suspicion in a frame for each other point whose distance to it breaks the limits
(`core.fit.screening.distances`). Which of the two is wrong shows in the other suspicions, and in the point's path: a
run begins and ends with a jump, or at a gap. Each point is right or wrong in each frame, and the most likely sequence
of states is found by dynamic programming (Viterbi, 1967). The worst runs are accepted, the suspicions that they explain
are removed, and the search is repeated. F frames, K keypoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .continuity import find_jumps
from .distances import distance_limits

_AT_JUMP, _ELSEWHERE = 0.4, 4.0
"""Cost of a change between right and wrong, at a jump or a gap and elsewhere, in suspicions."""
_WRONG = 0.15
"""Cost of being wrong in a frame, in suspicions."""
_FAR_SHARE = 0.5
"""A point that drifts away is inaccurate, not wrong, unless it breaks the wider limits in this share of frames."""
_TOGETHER = 0.8
"""Points that keep their distance in this share of a run's frames and jump at its start or end belong to the run."""
_MARGIN_S = 1.0
"""How long before and after the frames in which its point is suspected a run may begin and end."""


def find_outlier_runs(names: Sequence[str], positions: np.ndarray, seen: np.ndarray, fps: float) -> np.ndarray:
    """Return where (F, K) bool a point is an outlier, for runs of any length.

    Args:
        names: (K,) the solver points.
        positions: (F, K, 3) metres, finite.
        seen: (F, K) bool.
        fps: frames per second.
    """
    wrong: np.ndarray = np.zeros(seen.shape, dtype=bool)
    limits = distance_limits(names, positions, seen)
    broken = limits.broken(positions, seen)
    for part in _sections(broken.any(axis=(1, 2)), margin=round(_MARGIN_S * fps) + 1):
        jumps = find_jumps(positions, seen, part)
        far = limits.widened().broken(positions[part], seen[part]).any(axis=2)
        _Section(limits.rigid, seen[part], broken[part], far, jumps).mark(wrong[part])
    wrong &= seen
    return wrong


def _sections(marked: np.ndarray, margin: int) -> Iterator[slice]:
    """Yield the sections of frames within *margin* frames of *marked* ones (F,)."""
    frames = np.flatnonzero(marked)
    for group in np.split(frames, np.flatnonzero(np.diff(frames) > 2 * margin) + 1):
        if len(group):
            yield slice(max(0, int(group[0]) - margin), min(len(marked), int(group[-1]) + margin + 1))


@dataclass(frozen=True)
class _Run:
    """A point's frames from *first* up to *end*, the number of jumps at its ends, and the cost saved if it is wrong."""

    point: int
    first: int
    end: int
    jumps: int
    gain: float


class _Section:
    """A section of frames in which points are suspected."""

    def __init__(
        self,
        rigid: np.ndarray,
        seen: np.ndarray,
        broken: np.ndarray,
        far: np.ndarray,
        jumps: tuple[np.ndarray, np.ndarray],
    ) -> None:
        """Take the section's arrays.

        Args:
            rigid: (K, K) bool, pairs with a constant distance.
            seen: (F, K) bool.
            broken: (F, K, K) bool, pairs that break their distance limits.
            far: (F, K) bool, points that break the wider limits with any other point.
            jumps: the results of `find_jumps`.
        """
        self._far = far
        self._rigid = rigid
        self._all_broken = broken
        self._broken = broken.copy()
        self._seen = seen
        self._jumps = jumps[0]
        self._change_cost = np.where(jumps[0] | jumps[1], _AT_JUMP, _ELSEWHERE)

    def mark(self, wrong: np.ndarray) -> None:
        """Set *wrong* (F, K) in the frames in which points are outliers, in place."""
        while runs := self._likeliest_runs():
            taken = np.zeros(len(wrong) + 1, dtype=bool)
            for run in runs:
                if not taken[run.first : run.end + 1].any():
                    taken[run.first : run.end + 1] = True
                    for point in self._moved_together(run):
                        wrong[run.first : run.end, point] = True
                        self._broken[run.first : run.end, point] = False
                        self._broken[run.first : run.end, :, point] = False

    def _likeliest_runs(self) -> list[_Run]:
        """Return the runs in which points are more likely wrong than right, the most likely first."""
        suspicions = self._broken.sum(axis=2).astype(np.float64)
        points = np.flatnonzero(suspicions.any(axis=0))
        suspicions, turn = suspicions[:, points], self._change_cost[:, points]
        wrong = _likeliest_states(suspicions, turn)
        edges = np.diff(np.pad(wrong, ((1, 1), (0, 0))).astype(np.int8), axis=0).T
        rigid = self._rigid.sum(axis=0)
        runs = []
        for (column, first), (_, end) in zip(np.argwhere(edges == 1), np.argwhere(edges == -1), strict=True):
            cost = turn[first, column] + turn[end, column] + _WRONG * (end - first)
            gain = suspicions[first:end, column].sum() - cost
            jumps = int(self._jumps[[first, end], points[column]].sum())
            drifts = jumps == 0 or (turn[[first, end], column] > _AT_JUMP).any()
            if drifts and self._far[first:end, points[column]].mean() < _FAR_SHARE:
                continue
            runs.append(_Run(int(points[column]), int(first), int(end), jumps, float(gain)))
        # Of points that suspect each other, the one that jumps is wrong; else the one with more suspicions; else the
        # one with fewer bones, at the end of a limb.
        return sorted(runs, key=lambda run: (-run.jumps, -run.gain, rigid[run.point]))

    def _moved_together(self, run: _Run) -> list[int]:
        """Return the run's point and the points that jump with it and keep their distances to the group."""
        frames = slice(run.first, run.end)
        found, waiting = {run.point}, [run.point]
        ends = [end for end in (run.first, run.end) if self._jumps[end, run.point]]
        while waiting:
            point = waiting.pop()
            both = self._seen[frames] & self._seen[frames, [point]]
            kept = both & ~self._all_broken[frames, point]
            share = kept.sum(axis=0) / np.maximum(both.sum(axis=0), 1)
            joined = self._rigid[point] & (share >= _TOGETHER) & self._jumps[ends].all(axis=0) & bool(ends)
            new = [other for other in np.flatnonzero(joined).tolist() if other not in found]
            found.update(new)
            waiting += new
        return sorted(found)


def _likeliest_states(suspicions: np.ndarray, change_cost: np.ndarray) -> np.ndarray:
    """Return where (F, K) points are wrong in their most likely sequence of states.

    Args:
        suspicions: (F, K) the cost of being right in a frame.
        change_cost: (F + 1, K) the cost of changing the state before each frame and after the last.
    """
    num_frames, num_points = suspicions.shape
    changed = np.zeros((num_frames, 2, num_points), dtype=bool)
    right, wrong = np.zeros(num_points), change_cost[0] + 0.0
    right_cost = suspicions
    for frame in range(num_frames):
        if frame:
            to_right, to_wrong = wrong + change_cost[frame], right + change_cost[frame]
            changed[frame, 0], changed[frame, 1] = to_right < right, to_wrong < wrong
            right, wrong = np.minimum(right, to_right), np.minimum(wrong, to_wrong)
        right, wrong = right + right_cost[frame], wrong + _WRONG
    state = wrong + change_cost[-1] < right
    states = np.empty((num_frames, num_points), dtype=bool)
    points = np.arange(num_points)
    for frame in range(num_frames - 1, -1, -1):
        states[frame] = state
        state = state ^ changed[frame, state.astype(np.int64), points]
    return states
