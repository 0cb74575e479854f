"""Points that files write as a number where they have none: zeros, and sentinels such as 9999."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .raw import RawRecording

_MOST_PLACES = 99.0
"""Percentile of the coordinates that are taken for places, so that some may be wild."""
_MOST_VALUES = 4
"""How many sentinels are named."""


def drop_filled_points(recording: RawRecording) -> RawRecording:
    """Make points missing that hold what a file writes for a point it does not have."""
    return _drop_sentinels(_drop_zero_points(recording))


def _drop_zero_points(recording: RawRecording) -> RawRecording:
    """Make points missing that stand exactly at the origin where they cannot be.

    A point at the origin in some frames only was not seen in these. A single point that is there in all of its frames
    is the root of root-relative data and stays; several such points coincide, so they were never seen. A frame of
    zeros alone holds nobody.
    """
    present = recording.confidence > 0.0
    zero = (recording.positions == 0.0).all(-1)
    if not zero.any():
        return recording
    always = zero.any(axis=0) & (zero | ~present).all(axis=0)
    keep = always if always.sum() == 1 and recording.num_points > 1 else np.zeros_like(always)
    missing = zero & ~keep
    empty = ~(present & ~zero).any(axis=1)
    missing |= zero & empty[:, None]
    return _without(recording, missing, "points that stand exactly at 0, 0, 0 are taken as missing.")


def _drop_sentinels(recording: RawRecording) -> RawRecording:
    """Make points missing that hold one number in all three axes: -1, nines, or one that stands there twice.

    Of numbers that were measured no three are alike; axes that were exchanged or turned leave a sentinel alike but for
    its sign. A number beyond the places of the other points may be an error as well: it is left for whoever knows where
    the body is.
    """
    positions = recording.positions
    size = np.abs(positions[..., 0])
    alike = (np.abs(positions[..., 1:]) == size[..., None]).all(-1) & (size > 0.0)
    if not alike.any():
        return recording
    values, counts = np.unique(size[alike], return_counts=True)
    nines = np.array([set(f"{value:.10g}".replace(".", "")) == {"9"} and len(f"{value:.10g}") > 2 for value in values])
    others = np.abs(positions[~alike & np.isfinite(size)])
    within = values <= (np.percentile(others, _MOST_PLACES) if others.size else np.inf)
    filler = values[((counts > 1) & within) | nines]
    missing = alike & (np.isin(size, filler) | (positions == -1.0).all(-1))
    told = ", ".join(f"{value:.10g}" for value in np.unique(size[missing])[:_MOST_VALUES])
    return _without(recording, missing, f"points that hold one number in all axes ({told}) are taken as missing.")


def _without(recording: RawRecording, missing: np.ndarray, told: str) -> RawRecording:
    """Return *recording* without the *missing* points (F, K), unless these are all it has."""
    if not missing.any() or not ((recording.confidence > 0.0) & ~missing).any():
        return recording
    return replace(
        recording,
        positions=np.where(missing[..., None], np.nan, recording.positions),
        confidence=np.where(missing, 0.0, recording.confidence),
        notes=(*recording.notes, f"{int(missing.sum())} {told}"),
    )
