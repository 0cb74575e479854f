"""Temporal refinement: solve frames with pose artifacts again, with the motion around them as a prior. F frames."""

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
from .pose_artifacts import PoseArtifacts, find_jitter, find_short_outliers, find_single_frame_outliers


@dataclass(frozen=True, eq=False)
class Expected:
    """The expected poses of a clip, stored by block so that a long clip is never copied as a whole.

    Attributes:
        by_first: each block's prior, by its first frame.
    """

    by_first: dict[int, PosePrior] = field(default_factory=dict)

    def select(self, frames: list[int]) -> PosePrior:
        """Return the prior of the selected *frames*, in ascending order."""
        parts = []
        for first, block in sorted(self.by_first.items()):
            begin, end = (bisect_left(frames, edge) for edge in (first, first + len(block.rotations)))
            if begin < end:
                parts.append(block.select([frame - first for frame in frames[begin:end]]))
        return PosePrior.joined(parts)


_Find = Callable[[np.ndarray, float], PoseArtifacts]
_Refine = Callable[[list[int], tuple[Array, Array], PoseArtifacts], tuple[Array, Array]]


def refine_over_time(
    solver: PoseSolver,
    targets: Targets,
    expected: Expected,
    pose: tuple[np.ndarray, np.ndarray],
    fps: float,
    on_progress: OnProgress,
    *,
    refine_all: bool,
    workers: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return local rotations (F, 24, 3, 3) and trans (F, 3) in which frames with pose artifacts are refined.

    Args:
        solver: the pose solver.
        targets: the targets of all frames.
        expected: the expected poses of all frames.
        pose: local rotations (F, 24, 3, 3) and trans (F, 3).
        fps: frames per second.
        on_progress: called with the completed fraction, 0 to 1.
        refine_all: solve every frame again as if it jittered.
        workers: number of threads on NumPy.
    """

    def find_clip_jitter(rotations: np.ndarray, fps: float) -> PoseArtifacts:
        return find_jitter(rotations, fps, everywhere=refine_all)

    def refine(frames: list[int], before: tuple[Array, Array], artifacts: PoseArtifacts) -> tuple[Array, Array]:
        return solver.refine_artifacts(targets.select(frames), expected.select(frames), before, artifacts)

    def interpolate(frames: list[int], before: tuple[Array, Array], artifacts: PoseArtifacts) -> tuple[Array, Array]:
        return solver.replace_outliers(targets.select(frames), before, artifacts)

    passes: tuple[tuple[_Find, _Refine], ...] = (
        # Short outliers first, since a smooth path through an outlier is still wrong.
        (find_short_outliers, refine),
        (find_short_outliers, refine),
        (find_clip_jitter, refine),
        (find_clip_jitter, refine),
        (find_single_frame_outliers, interpolate),
    )
    for index, (find, replace) in enumerate(passes):

        def report_part(part: float, index: int = index) -> None:
            on_progress((index + part) / len(passes))

        report_part(0.0)
        pose = _replace_frames(pose, find(pose[0], fps), replace, targets.points, report_part, workers)
    return pose


def _replace_frames(
    pose: tuple[np.ndarray, np.ndarray],
    artifacts: PoseArtifacts,
    replace: _Refine,
    points: Array,
    on_progress: OnProgress,
    workers: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the *pose* of all frames with the frames replaced that have artifacts.

    Args:
        pose: local rotations (F, 24, 3, 3) and trans (F, 3).
        artifacts: the joints that have one.
        replace: returns the new pose of a block of these frames.
        points: (F, K, 3) the targets, which set the kind of array that *replace* works on.
        on_progress: called with the completed fraction, 0 to 1.
        workers: number of threads on NumPy.
    """
    frames = np.flatnonzero(artifacts.joints.any(axis=1))
    if len(frames) == 0:
        return pose

    def solve(block: slice) -> tuple[Array, Array]:
        selected = frames[block]
        before = like(pose[0][selected], points), like(pose[1][selected], points)
        return replace(selected.tolist(), before, artifacts.select(selected))

    on_numpy = isinstance(points, np.ndarray)
    solved_rotations, solved_trans = poses_in_blocks(
        solve, len(frames), on_progress, workers=workers, on_numpy=on_numpy
    )
    share = artifacts.share[frames, None].astype(np.float32)
    rotations, trans = pose[0].copy(), pose[1].copy()
    rotations[frames] = slerp_matrices(rotations[frames], solved_rotations, share)
    trans[frames] += share * (solved_trans - trans[frames])
    return rotations, trans
