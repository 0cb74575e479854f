"""Mark points as missing that a file fills with a number: zeros, and sentinels such as 9999. F frames, K points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .raw import RawRecording

_POSITION_PERCENTILE = 99.0
"""Percentile of the coordinates that bounds plausible positions; the rest may be outliers."""
_MAX_NAMED_VALUES = 4
"""Most sentinels that the note names."""


def drop_filled_points(recording: RawRecording) -> RawRecording:
    """Mark points as missing whose values a file uses for absent points."""
    return _drop_sentinels(_drop_zero_points(recording))


def _drop_zero_points(recording: RawRecording) -> RawRecording:
    """Mark points as missing that lie exactly at the origin where they cannot be.

    A point that is at the origin in part of the frames was not seen in those. A single point that is there in all of
    its frames is the root of root-relative data and is kept; several such points coincide, so they were never seen. A
    frame of only zeros shows nobody.
    """
    present = recording.confidence > 0.0
    zero = (recording.positions == 0.0).all(-1)
    if not zero.any():
        return recording
    always_zero = zero.any(axis=0) & (zero | ~present).all(axis=0)
    keep = always_zero if always_zero.sum() == 1 and recording.num_points > 1 else np.zeros_like(always_zero)
    missing = zero & ~keep
    empty = ~(present & ~zero).any(axis=1)
    missing |= zero & empty[:, None]
    return _without(recording, missing, "points exactly at 0, 0, 0 are treated as missing.")


def _drop_sentinels(recording: RawRecording) -> RawRecording:
    """Mark points as missing that have the same number in all three axes: -1, nines, or one that occurs twice.

    Measured coordinates are never equal on all three axes; swapped or flipped axes change a sentinel only in sign. A
    number beyond the positions of the other points may also be an outlier: it is left for later steps, which know
    where the body is.
    """
    positions = recording.positions
    size = np.abs(positions[..., 0])
    all_equal = (np.abs(positions[..., 1:]) == size[..., None]).all(-1) & (size > 0.0)
    if not all_equal.any():
        return recording
    values, counts = np.unique(size[all_equal], return_counts=True)
    nines = np.array([set(f"{value:.10g}".replace(".", "")) == {"9"} and len(f"{value:.10g}") > 2 for value in values])
    others = np.abs(positions[~all_equal & np.isfinite(size)])
    within = values <= (np.percentile(others, _POSITION_PERCENTILE) if others.size else np.inf)
    sentinels = values[((counts > 1) & within) | nines]
    missing = all_equal & (np.isin(size, sentinels) | (positions == -1.0).all(-1))
    named = ", ".join(f"{value:.10g}" for value in np.unique(size[missing])[:_MAX_NAMED_VALUES])
    return _without(recording, missing, f"points with the same number in all axes ({named}) are treated as missing.")


def _without(recording: RawRecording, missing: np.ndarray, description: str) -> RawRecording:
    """Return *recording* without the *missing* points (F, K), and a note of them, unless it has no others."""
    if not missing.any() or not ((recording.confidence > 0.0) & ~missing).any():
        return recording
    return replace(
        recording,
        positions=np.where(missing[..., None], np.nan, recording.positions),
        confidence=np.where(missing, 0.0, recording.confidence),
        notes=(*recording.notes, f"{int(missing.sum())} {description}"),
    )
