"""Names for the people of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .track import KeypointTrack


def person_labels(tracks: Sequence[KeypointTrack]) -> list[str]:
    """Return a label a track that files and objects can be called by, each once; empty for the only one of a file."""
    if len(tracks) == 1:
        return [""]
    labels: list[str] = []
    for number, track in enumerate(tracks, start=1):
        label = re.sub(r"[^\w.-]+", "_", track.person).strip("._") or f"person{number}"
        labels.append(label if label not in labels else f"{label}_{number}")
    return labels
