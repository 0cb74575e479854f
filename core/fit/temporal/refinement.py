"""Poses that do not follow from those around them are settled: joints that pop, tremble or hop. F frames."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ...math.arrays import Array, like
from ...math.rotations import slerp_matrices
from ..blocks import OnProgress, poses_in_blocks
from ..pose_solver import PoseSolver
from ..solver.gauss_newton import PosePrior, Targets
from .pose_artifacts import PoseArtifacts, find_jitter, find_pops, find_single_frame_outliers


@dataclass(frozen=True, eq=False)
class Expected:
    """The poses that were expected, in the blocks they were found in: a long clip's are never copied as a whole.

    Attributes:
        by_first: each block's, by its first frame.
    """

    by_first: dict[int, PosePrior] = field(default_factory=dict)

    def select(self, frames: list[int]) -> PosePrior:
        """Return those of some *frames*, which ascend."""
        parts = []
        for first, block in sorted(self.by_first.items()):
            begin, end = (bisect_left(frames, edge) for edge in (first, first + len(block.rotations)))
            if begin < end:
                parts.append(block.select([frame - first for frame in frames[begin:end]]))
        return PosePrior.joined(parts)


_Find = Callable[[np.ndarray, float], PoseArtifacts]
_Settle = Callable[[list[int], tuple[Array, Array], PoseArtifacts], tuple[Array, Array]]


def refine_over_time(
    solver: PoseSolver,
    targets: Targets,
    expected: Expected,
    pose: tuple[np.ndarray, np.ndarray],
    fps: float,
    on_progress: OnProgress,
    *,
    calm_all: bool,
    workers: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return local rotations (F, 24, 3, 3) and trans (F, 3) with frames changed in which joints pop, tremble or hop.

    Args:
        solver: what frames are solved with.
        targets: where all points are.
        expected: what was expected of all frames.
        pose: local rotations (F, 24, 3, 3) and trans (F, 3).
        fps: frames a second.
        on_progress: hears how much is done.
        calm_all: every frame is solved again as if it trembled.
        workers: threads on NumPy.
    """

    def find_clip_jitter(rotations: np.ndarray, fps: float) -> PoseArtifacts:
        return find_jitter(rotations, fps, everywhere=calm_all)

    def settle(frames: list[int], before: tuple[Array, Array], artifacts: PoseArtifacts) -> tuple[Array, Array]:
        return solver.settle(targets.select(frames), expected.select(frames), before, artifacts)

    def calm(frames: list[int], before: tuple[Array, Array], artifacts: PoseArtifacts) -> tuple[Array, Array]:
        return solver.calm(targets.select(frames), before, artifacts)

    turns: tuple[tuple[_Find, _Settle], ...] = (
        # Pops first, since the smooth way through a pop still leads aside.
        (find_pops, settle),
        (find_pops, settle),
        (find_clip_jitter, settle),
        (find_clip_jitter, settle),
        (find_single_frame_outliers, calm),
    )
    for turn, (find, change) in enumerate(turns):

        def report_part(part: float, turn: int = turn) -> None:
            on_progress((turn + part) / len(turns))

        report_part(0.0)
        pose = _changed(pose, find(pose[0], fps), change, targets.points, report_part, workers)
    return pose


def _changed(
    pose: tuple[np.ndarray, np.ndarray],
    artifacts: PoseArtifacts,
    change: _Settle,
    points: Array,
    on_progress: OnProgress,
    workers: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the *pose* of all frames with those changed in which joints pop.

    Args:
        pose: local rotations (F, 24, 3, 3) and trans (F, 3).
        artifacts: which joints do.
        change: solves some of these frames again.
        points: (F, K, 3) the targets, whose kind of array *change* works on.
        on_progress: hears how much is done.
        workers: threads on NumPy.
    """
    frames = np.flatnonzero(artifacts.joints.any(axis=1))
    if len(frames) == 0:
        return pose

    def solve(block: slice) -> tuple[Array, Array]:
        chosen = frames[block]
        before = like(pose[0][chosen], points), like(pose[1][chosen], points)
        return change(chosen.tolist(), before, artifacts.select(chosen))

    on_numpy = isinstance(points, np.ndarray)
    solved, place = poses_in_blocks(solve, len(frames), on_progress, workers=workers, on_numpy=on_numpy)
    share = artifacts.share[frames, None].astype(np.float32)
    rotations, trans = pose[0].copy(), pose[1].copy()
    rotations[frames] = slerp_matrices(rotations[frames], solved, share)
    trans[frames] += share * (place - trans[frames])
    return rotations, trans
