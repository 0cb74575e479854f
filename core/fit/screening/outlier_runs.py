"""Runs of frames in which a point is not where the body can have it: a wild point, a placeholder, another one's label.

A point is suspected in a frame once for each other point that is farther from it, or nearer to it, than the two can be
(`core.fit.screening.distances`). Which of the two is wrong shows in what else suspects it, and in how it got there: a
run begins and ends with a jump, or at a gap. So each point is right or wrong in each frame, and its likeliest sequence
of both is found by dynamic programming (Viterbi, 1967). The worst runs are taken, the suspicions that they explain are
dropped, and the next are looked for. F frames, K keypoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .continuity import find_jumps
from .distances import distance_limits

_AT_JUMP, _ELSEWHERE = 0.4, 4.0
"""What it costs a point to go wrong, or right again, at a jump or a gap, and elsewhere: in suspicions."""
_WRONG = 0.15
"""What it costs to be wrong in a frame."""
_FAR_SHARE = 0.5
"""A point that drifts away is measured badly rather than wrong, unless it is wrong by far in such a share of frames."""
_TOGETHER = 0.8
"""Points that keep their distance in such a share of a run's frames, and jump when it begins or ends, belong to it."""
_MARGIN_S = 1.0
"""A run may begin or end so long before or after the frames in which its point is suspected."""


def find_outlier_runs(names: Sequence[str], positions: np.ndarray, seen: np.ndarray, fps: float) -> np.ndarray:
    """Return where (F, K) bool a point is not where the body can have it, for any number of frames.

    Args:
        names: (K,) the solver points.
        positions: (F, K, 3) metres, finite.
        seen: (F, K) bool.
        fps: frames a second.
    """
    wrong: np.ndarray = np.zeros(seen.shape, dtype=bool)
    limits = distance_limits(names, positions, seen)
    broken = limits.broken(positions, seen)
    for part in _stretches(broken.any(axis=(1, 2)), margin=round(_MARGIN_S * fps) + 1):
        jumps = find_jumps(positions, seen, part)
        far = limits.widened().broken(positions[part], seen[part]).any(axis=2)
        _Stretch(limits.rigid, seen[part], broken[part], far, jumps).mark(wrong[part])
    wrong &= seen
    return wrong


def _stretches(marked: np.ndarray, margin: int) -> Iterator[slice]:
    """Yield the stretches of frames that lie within *margin* frames of *marked* ones (F,)."""
    frames = np.flatnonzero(marked)
    for group in np.split(frames, np.flatnonzero(np.diff(frames) > 2 * margin) + 1):
        if len(group):
            yield slice(max(0, int(group[0]) - margin), min(len(marked), int(group[-1]) + margin + 1))


@dataclass(frozen=True)
class _Run:
    """A point's frames from *first* up to *end*, at how many ends it jumps, and how much likelier it is wrong."""

    point: int
    first: int
    end: int
    jumps: int
    gain: float


class _Stretch:
    """Frames among which points are suspected."""

    def __init__(
        self,
        rigid: np.ndarray,
        seen: np.ndarray,
        broken: np.ndarray,
        far: np.ndarray,
        jumps: tuple[np.ndarray, np.ndarray],
    ) -> None:
        """Take the frames' points, which limits are broken and where by far (F, K); for *jumps* see `find_jumps`."""
        self._far = far
        self._rigid = rigid
        self._apart = broken
        self._broken = broken.copy()
        self._seen = seen
        self._jumps = jumps[0]
        self._turn_cost = np.where(jumps[0] | jumps[1], _AT_JUMP, _ELSEWHERE)

    def mark(self, wrong: np.ndarray) -> None:
        """Mark in *wrong* (F, K) the frames in which points are wrong."""
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
        """Return the runs in which points are likelier wrong than right, the likeliest first."""
        suspicions = self._broken.sum(axis=2).astype(np.float64)
        points = np.flatnonzero(suspicions.any(axis=0))
        suspicions, turn = suspicions[:, points], self._turn_cost[:, points]
        wrong = _likeliest_states(suspicions, turn)
        edges = np.diff(np.pad(wrong, ((1, 1), (0, 0))).astype(np.int8), axis=0).T
        rigid = self._rigid.sum(axis=0)
        runs = []
        for (place, first), (_, end) in zip(np.argwhere(edges == 1), np.argwhere(edges == -1), strict=True):
            cost = turn[first, place] + turn[end, place] + _WRONG * (end - first)
            gain = suspicions[first:end, place].sum() - cost
            jumps = int(self._jumps[[first, end], points[place]].sum())
            drifts = jumps == 0 or (turn[[first, end], place] > _AT_JUMP).any()
            if drifts and self._far[first:end, points[place]].mean() < _FAR_SHARE:
                continue
            runs.append(_Run(int(points[place]), int(first), int(end), jumps, float(gain)))
        # Of points that suspect each other, the one that jumps is wrong, else the one that more others suspect, else
        # the one with fewer bones, at the end of a limb.
        return sorted(runs, key=lambda run: (-run.jumps, -run.gain, rigid[run.point]))

    def _moved_together(self, run: _Run) -> list[int]:
        """Return the run's point, and those that jump with it and keep their distance from it or one another."""
        frames = slice(run.first, run.end)
        found, waiting = {run.point}, [run.point]
        ends = [end for end in (run.first, run.end) if self._jumps[end, run.point]]
        while waiting:
            point = waiting.pop()
            both = self._seen[frames] & self._seen[frames, [point]]
            kept = both & ~self._apart[frames, point]
            share = kept.sum(axis=0) / np.maximum(both.sum(axis=0), 1)
            joined = self._rigid[point] & (share >= _TOGETHER) & self._jumps[ends].all(axis=0) & bool(ends)
            new = [other for other in np.flatnonzero(joined).tolist() if other not in found]
            found.update(new)
            waiting += new
        return sorted(found)


def _likeliest_states(suspicions: np.ndarray, turn_cost: np.ndarray) -> np.ndarray:
    """Return where (F, K) points are wrong in their likeliest sequence of states.

    Args:
        suspicions: (F, K) what it costs to be right in a frame.
        turn_cost: (F + 1, K) what it costs to go wrong or right before each frame, and after the last.
    """
    num_frames, num_points = suspicions.shape
    went = np.zeros((num_frames, 2, num_points), dtype=bool)
    right, wrong = np.zeros(num_points), turn_cost[0] + 0.0
    right_cost = suspicions
    for frame in range(num_frames):
        if frame:
            to_right, to_wrong = wrong + turn_cost[frame], right + turn_cost[frame]
            went[frame, 0], went[frame, 1] = to_right < right, to_wrong < wrong
            right, wrong = np.minimum(right, to_right), np.minimum(wrong, to_wrong)
        right, wrong = right + right_cost[frame], wrong + _WRONG
    state = wrong + turn_cost[-1] < right
    states = np.empty((num_frames, num_points), dtype=bool)
    points = np.arange(num_points)
    for frame in range(num_frames - 1, -1, -1):
        states[frame] = state
        state = state ^ went[frame, state.astype(np.int64), points]
    return states
