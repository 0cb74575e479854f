"""Solve frames in blocks, on threads where that helps, and report progress. F frames."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import numpy as np

from ..math.arrays import Array, to_numpy
from .solver.gauss_newton import blocks

_BLOCK_FRAMES = 512
_TORCH_BLOCK_FRAMES = 8192
_PROGRESS_INTERVAL_S = 0.1
"""The longest interval between two progress reports, so that a fit can be cancelled while no block finishes."""

OnProgress = Callable[[float], None]
"""Called with the completed fraction, 0 to 1; may raise `FitCancelled`."""


def poses_in_blocks(
    solve: Callable[[slice], tuple[Array, Array]],
    num_frames: int,
    on_progress: OnProgress,
    *,
    workers: int | None,
    on_numpy: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Return local rotations (F, 24, 3, 3) and trans (F, 3), solved block by block.

    The blocks do not depend on the number of threads, so neither does the result.

    Args:
        solve: returns the rotations and trans of a block of frames.
        num_frames: number of frames.
        on_progress: called with the completed fraction, on the calling thread.
        workers: number of threads on NumPy; None for one per core.
        on_numpy: whether the arrays are NumPy's.
    """
    rotations = np.empty((num_frames, 24, 3, 3), dtype=np.float32)
    trans = np.empty((num_frames, 3), dtype=np.float32)
    parts = frame_blocks(num_frames, on_numpy=on_numpy)
    threads = min((workers or os.cpu_count() or 1) if on_numpy else 1, len(parts))
    done = 0
    with ThreadPoolExecutor(max_workers=threads) as pool:
        pending: dict[Future[tuple[Array, Array]], slice] = {}
        try:
            for block in parts:
                pending[pool.submit(solve, block)] = block
            while pending:
                finished, _ = wait(pending, _PROGRESS_INTERVAL_S, FIRST_COMPLETED)
                for future in finished:
                    block = pending.pop(future)
                    rotations[block], trans[block] = (to_numpy(part) for part in future.result())
                    done += block.stop - block.start
                on_progress(done / num_frames)
        finally:
            for future in pending:
                future.cancel()
    return rotations, trans


def frame_blocks(num_frames: int, *, on_numpy: bool) -> list[slice]:
    """Return the blocks in which *num_frames* frames are solved."""
    return blocks(num_frames, _BLOCK_FRAMES if on_numpy else _TORCH_BLOCK_FRAMES)
