"""Markers that move as one: what is hidden of a rigid group is put where the rest of it says. F frames, M markers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..math.rotations import nearest_rotation

_MIN_MARKERS = 3
_ROUNDS = 3
_MIN_SPREAD = 0.1
"""Markers on one line do not tell how the group turns about it: the second singular value as a share of the first."""


def completed(points: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a rigid group's markers (F, 3) with those that are hidden at times filled in.

    The group's shape is the median over the frames that show all of it. Each other frame takes the rotation that brings
    this shape nearest to the markers it shows (Soederkvist and Wedin 1993, J. Biomech. 26, 1473-1477), and a hidden
    marker is put where it was in the group before and after: skin gives way, so it does not jump when it is seen again.
    A frame with fewer than three markers, or with markers on one line, stays as it is, as does a group never seen
    whole.

    Args:
        points: (F, 3) by marker, NaN where hidden.
    """
    names = [name for name, place in points.items() if np.isfinite(place).all(-1).any()]
    if len(names) <= _MIN_MARKERS:
        return dict(points)
    seen = np.stack([points[name] for name in names], axis=1).astype(np.float64)
    known = np.isfinite(seen).all(-1)
    whole = known.all(axis=1)
    partial = ~whole & (known.sum(axis=1) >= _MIN_MARKERS)
    if not whole.any() or not partial.any():
        return dict(points)
    shape = _mean_shape(seen[whole])
    filled = seen.copy()
    for shown in np.unique(known[partial], axis=0):
        spread = np.linalg.svd(shape[shown] - shape[shown].mean(axis=0), compute_uv=False)
        if spread[1] < _MIN_SPREAD * spread[0]:
            continue
        hidden = (known == shown).all(axis=1)
        frames = np.flatnonzero(known[:, shown].all(axis=1))
        middle, turn = _place(shape, seen[frames], shown)
        own = (seen[frames] - middle) @ turn
        here = hidden[frames]
        for marker in np.flatnonzero(~shown):
            told = np.flatnonzero(known[frames, marker])
            local = np.stack([np.interp(frames[here], frames[told], own[told, marker, axis]) for axis in range(3)], -1)
            filled[frames[here], marker] = (turn[here] @ local[..., None])[..., 0] + middle[here, 0]
    return {**points, **{name: filled[:, index] for index, name in enumerate(names)}}


def _mean_shape(seen: np.ndarray) -> np.ndarray:
    """Return the median shape (M, 3) of a group, centred, from frames (F, M, 3) that show all of it."""
    every = np.ones(seen.shape[1], dtype=bool)
    shape = seen[0] - seen[0].mean(axis=0)
    for _ in range(_ROUNDS):
        centred = seen - seen.mean(axis=1, keepdims=True)
        turn = _turns(shape, centred, every)
        shape = np.median(centred @ turn, axis=0)
        shape = shape - shape.mean(axis=0)
    return np.asarray(shape)


def _place(shape: np.ndarray, seen: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle (F, 1, 3) of the markers *known* (M,) in each frame (F, M, 3), and the group's turn there."""
    middle = seen[:, known].mean(axis=1, keepdims=True)
    return middle, _turns(shape - shape[known].mean(axis=0), seen - middle, known)


def _turns(shape: np.ndarray, seen: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the rotations (F, 3, 3) that bring a centred shape nearest to centred markers."""
    return np.asarray(nearest_rotation(np.swapaxes(seen[:, known], -1, -2) @ shape[known]))
