"""Points that files write as zeros where they have none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .raw import RawRecording


def drop_zero_points(recording: RawRecording) -> RawRecording:
    """Make points missing that stand exactly at the origin where they cannot be.

    A point at the origin in some frames only was not seen in these. A single point that is there in all of its frames
    is the root of root-relative data and stays; several such points coincide, so they were never seen. A frame of
    zeros alone holds nobody.
    """
    positions = recording.positions
    present = recording.confidence > 0.0
    zero = (positions == 0.0).all(-1)
    if not zero.any():
        return recording
    always = zero.any(axis=0) & (zero | ~present).all(axis=0)
    keep = always if always.sum() == 1 and recording.num_points > 1 else np.zeros_like(always)
    missing = zero & ~keep
    empty = ~(present & ~zero).any(axis=1)
    missing |= zero & empty[:, None]
    if not missing.any() or not (present & ~missing).any():
        return recording
    note = f"{int(missing.sum())} points that stand exactly at 0, 0, 0 are taken as missing."
    return replace(
        recording,
        positions=np.where(missing[..., None], np.nan, positions),
        confidence=np.where(missing, 0.0, recording.confidence),
        notes=(*recording.notes, note),
    )
