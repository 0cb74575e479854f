"""Poses that do not follow from those around them are settled: joints that pop, tremble or hop. F frames."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ...math.arrays import Array, like
from ...math.rotations import slerp_matrices
from ..blocks import Told, poses_in_blocks
from ..pose_solver import PoseJob
from ..solver.gauss_newton import PosePrior, Targets
from .pose_artifacts import Pops, find_hops, find_pops, find_tremor


@dataclass(frozen=True, eq=False)
class Expected:
    """The poses that were expected, in the blocks they were found in: a long clip's are never copied as a whole.

    Attributes:
        by_first: each block's, by its first frame.
    """

    by_first: dict[int, PosePrior] = field(default_factory=dict)

    def some(self, frames: list[int]) -> PosePrior:
        """Return those of some *frames*, which ascend."""
        parts = []
        for first, block in sorted(self.by_first.items()):
            begin, end = (bisect_left(frames, edge) for edge in (first, first + len(block.rotations)))
            if begin < end:
                parts.append(block.some([frame - first for frame in frames[begin:end]]))
        return PosePrior.joined(parts)


_Find = Callable[[np.ndarray, float], Pops]
_Settle = Callable[[list[int], tuple[Array, Array], Pops], tuple[Array, Array]]


def settled(
    job: PoseJob,
    targets: Targets,
    expected: Expected,
    pose: tuple[np.ndarray, np.ndarray],
    fps: float,
    told: Told,
    *,
    calm_all: bool,
    workers: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return local rotations (F, 24, 3, 3) and trans (F, 3) with frames changed in which joints pop, tremble or hop.

    Args:
        job: what frames are solved with.
        targets: where all points are.
        expected: what was expected of all frames.
        pose: local rotations (F, 24, 3, 3) and trans (F, 3).
        fps: frames a second.
        told: hears how much is done.
        calm_all: every frame is solved again as if it trembled.
        workers: threads on NumPy.
    """

    def find_trembling(rotations: np.ndarray, fps: float) -> Pops:
        return find_tremor(rotations, fps, everywhere=calm_all)

    def settle(frames: list[int], before: tuple[Array, Array], pops: Pops) -> tuple[Array, Array]:
        return job.settle(targets.some(frames), expected.some(frames), before, pops)

    def calm(frames: list[int], before: tuple[Array, Array], pops: Pops) -> tuple[Array, Array]:
        return job.calm(targets.some(frames), before, pops)

    turns: tuple[tuple[_Find, _Settle], ...] = (
        # Pops first, since the smooth way through a pop still leads aside.
        (find_pops, settle),
        (find_pops, settle),
        (find_trembling, settle),
        (find_trembling, settle),
        (find_hops, calm),
    )
    for turn, (find, change) in enumerate(turns):

        def heard(part: float, turn: int = turn) -> None:
            told((turn + part) / len(turns))

        heard(0.0)
        pose = _changed(pose, find(pose[0], fps), change, targets.points, heard, workers)
    return pose


def _changed(
    pose: tuple[np.ndarray, np.ndarray], pops: Pops, change: _Settle, points: Array, told: Told, workers: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the *pose* of all frames with those changed in which joints pop.

    Args:
        pose: local rotations (F, 24, 3, 3) and trans (F, 3).
        pops: which joints do.
        change: solves some of these frames again.
        points: (F, K, 3) the targets, whose kind of array *change* works on.
        told: hears how much is done.
        workers: threads on NumPy.
    """
    frames = np.flatnonzero(pops.joints.any(axis=1))
    if len(frames) == 0:
        return pose

    def solve(block: slice) -> tuple[Array, Array]:
        chosen = frames[block]
        before = like(pose[0][chosen], points), like(pose[1][chosen], points)
        return change(chosen.tolist(), before, pops.some(chosen))

    on_numpy = isinstance(points, np.ndarray)
    solved, place = poses_in_blocks(solve, len(frames), told, workers=workers, on_numpy=on_numpy)
    share = pops.share[frames, None].astype(np.float32)
    rotations, trans = pose[0].copy(), pose[1].copy()
    rotations[frames] = slerp_matrices(rotations[frames], solved, share)
    trans[frames] += share * (place - trans[frames])
    return rotations, trans
