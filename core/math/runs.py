"""Unbroken runs of frames. F frames."""

from __future__ import annotations

import numpy as np


def find_runs(marked: np.ndarray) -> list[slice]:
    """Return the unbroken runs of true values in *marked* (F,), in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    return [slice(int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True)]
