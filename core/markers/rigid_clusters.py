"""Fill gaps of markers in rigid groups from the visible markers of the group. F frames, M markers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..math.rotations import nearest_rotation

_MIN_MARKERS = 3
_ROUNDS = 3
_MIN_SPREAD = 0.1
"""Smallest ratio of the second to the first singular value: collinear markers do not determine a rotation."""


def completed(points: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a rigid group's markers (F, 3) with gaps filled.

    The group's shape is the median over the frames with all markers. In every other frame, the shape is aligned to the
    visible markers by a least-squares rotation (Soederkvist and Wedin 1993, J. Biomech. 26, 1473-1477). The position of
    a hidden marker within the group is interpolated between the frames before and after, so that a marker that moves
    with the skin does not jump when it reappears. Frames with fewer than three markers or with collinear markers are
    unchanged, and so are groups that are never completely visible.

    Args:
        points: (F, 3) by marker, NaN where hidden.
    """
    names = [name for name, place in points.items() if np.isfinite(place).all(-1).any()]
    if len(names) <= _MIN_MARKERS:
        return dict(points)
    seen = np.stack([points[name] for name in names], axis=1).astype(np.float64)
    known = np.isfinite(seen).all(-1)
    complete = known.all(axis=1)
    partial = ~complete & (known.sum(axis=1) >= _MIN_MARKERS)
    if not complete.any() or not partial.any():
        return dict(points)
    shape = _mean_shape(seen[complete])
    filled = seen.copy()
    for shown in np.unique(known[partial], axis=0):
        spread = np.linalg.svd(shape[shown] - shape[shown].mean(axis=0), compute_uv=False)
        if spread[1] < _MIN_SPREAD * spread[0]:
            continue
        hidden = (known == shown).all(axis=1)
        frames = np.flatnonzero(known[:, shown].all(axis=1))
        centroid, rotation = _align(shape, seen[frames], shown)
        local = (seen[frames] - centroid) @ rotation
        here = hidden[frames]
        for marker in np.flatnonzero(~shown):
            visible = np.flatnonzero(known[frames, marker])
            place = [np.interp(frames[here], frames[visible], local[visible, marker, axis]) for axis in range(3)]
            filled[frames[here], marker] = (rotation[here] @ np.stack(place, -1)[..., None])[..., 0] + centroid[here, 0]
    return {**points, **{name: filled[:, index] for index, name in enumerate(names)}}


def _mean_shape(seen: np.ndarray) -> np.ndarray:
    """Return the centred median shape (M, 3) of a group from frames (F, M, 3) with all markers."""
    all_markers = np.ones(seen.shape[1], dtype=bool)
    shape = seen[0] - seen[0].mean(axis=0)
    for _ in range(_ROUNDS):
        centred = seen - seen.mean(axis=1, keepdims=True)
        rotation = _rotations(shape, centred, all_markers)
        shape = np.median(centred @ rotation, axis=0)
        shape = shape - shape.mean(axis=0)
    return np.asarray(shape)


def _align(shape: np.ndarray, seen: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the centroid (F, 1, 3) of the markers *known* (M,) in *seen* (F, M, 3), and the rotations (F, 3, 3)."""
    centroid = seen[:, known].mean(axis=1, keepdims=True)
    return centroid, _rotations(shape - shape[known].mean(axis=0), seen - centroid, known)


def _rotations(shape: np.ndarray, seen: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the least-squares rotations (F, 3, 3) from a centred shape to centred markers."""
    return np.asarray(nearest_rotation(np.swapaxes(seen[:, known], -1, -2) @ shape[known]))
