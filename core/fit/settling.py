"""Poses that do not follow from those around them are settled: joints that pop, tremble or hop. F frames."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ..arrays import Array, like
from ..rotations import slerp_matrices
from .in_blocks import Told, poses_in_blocks
from .pops import Pops, find_hops, find_pops, find_tremor
from .posing import PoseJob
from .refine import Targets

_Settle = Callable[[PoseJob, Targets, tuple[Array, Array], Pops], tuple[Array, Array]]


def settled(
    job: PoseJob,
    targets: Targets,
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
        pose: local rotations (F, 24, 3, 3) and trans (F, 3).
        fps: frames a second.
        told: hears how much is done.
        calm_all: every frame is solved again as if it trembled.
        workers: threads on NumPy.
    """
    rotations, trans = pose
    tremor = partial(find_tremor, everywhere=calm_all)
    turns: tuple[tuple[Callable[[np.ndarray, float], Pops], _Settle], ...] = (
        # Pops first, since the smooth way through a pop still leads aside.
        (find_pops, PoseJob.settle),
        (find_pops, PoseJob.settle),
        (tremor, PoseJob.settle),
        (tremor, PoseJob.settle),
        (find_hops, PoseJob.calm),
    )
    for turn, (find, settle) in enumerate(turns):
        told(turn / len(turns))
        pops = find(rotations, fps)
        frames = np.flatnonzero(pops.joints.any(axis=1))
        if len(frames) == 0:
            continue

        def solve(
            block: slice,
            frames: np.ndarray = frames,
            pops: Pops = pops,
            settle: _Settle = settle,
            pose: tuple[np.ndarray, np.ndarray] = (rotations, trans),
        ) -> tuple[Array, Array]:
            chosen = frames[block]
            before = like(pose[0][chosen], targets.points), like(pose[1][chosen], targets.points)
            return settle(job, targets.some(chosen.tolist()), before, pops.some(chosen))

        def heard(part: float, turn: int = turn) -> None:
            told((turn + part) / len(turns))

        on_numpy = isinstance(targets.points, np.ndarray)
        solved, place = poses_in_blocks(solve, len(frames), heard, workers=workers, on_numpy=on_numpy)
        share = pops.share[frames, None].astype(np.float32)
        rotations, trans = rotations.copy(), trans.copy()
        rotations[frames] = slerp_matrices(rotations[frames], solved, share)
        trans[frames] += share * (place - trans[frames])
    return rotations, trans
