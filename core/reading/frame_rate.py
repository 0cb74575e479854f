"""Determine the frame rate from the user or the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import AmbiguousTrackError
from .findings import Finding


def detect_fps(stated: float | None, given: float | None, source: Path) -> Finding:
    """Return the frame rate from the user or the file; it is never guessed.

    Raises:
        AmbiguousTrackError: neither the file nor the user states a frame rate.
    """
    chosen = given if given is not None else stated
    if chosen is None or not np.isfinite(chosen) or chosen <= 0.0:
        raise AmbiguousTrackError(
            f"expected a frame rate, but {source} does not state one, and a guess would change the speed of the "
            "motion; give --fps with the rate of the video or capture",
            options=("fps",),
        )
    doubts: tuple[str, ...] = ()
    if given is not None and stated is not None and abs(given - stated) > 0.01 * stated:
        doubts = (f"the file states {stated:g} fps",)
    return Finding(
        "frame rate", f"{chosen:g} fps", "given by --fps" if given is not None else "stated by the file", doubts
    )
