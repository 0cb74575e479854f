"""Unique labels for the people of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .track import KeypointTrack


def person_labels(tracks: Sequence[KeypointTrack]) -> list[str]:
    """Return a label per track, as `distinct_labels` does."""
    return distinct_labels([track.person for track in tracks])


def distinct_labels(people: Sequence[str]) -> list[str]:
    """Return a label for each of the *people*, usable in names of files and objects; empty for a single one.

    The labels are unique even if case is ignored.
    """
    if len(people) == 1:
        return [""]
    labels: list[str] = []
    taken: set[str] = set()
    for number, person in enumerate(people, start=1):
        name = re.sub(r"[^\w.-]+", "_", person).strip("._") or f"person{number}"
        candidates = (name, *(f"{name}_{suffix}" for suffix in range(number, number + len(people))))
        label = next(candidate for candidate in candidates if candidate.casefold() not in taken)
        taken.add(label.casefold())
        labels.append(label)
    return labels


def labelled(path: Path, label: str) -> Path:
    """Return *path* with ``_LABEL`` before its suffix; unchanged for an empty label."""
    return path.with_name(f"{path.stem}_{label}{path.suffix}") if label else path
