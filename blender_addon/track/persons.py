"""Names and choice of the people in a file. Needs no Blender."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core_access import KeypointTrack

ONLY_ONE = "person1"
"""Name of the only person in a file."""


def names_of(tracks: Sequence[KeypointTrack]) -> list[str]:
    """Return a unique name for each person, in order."""
    from ..core_access import person_labels

    return [label or ONLY_ONE for label in person_labels(tracks)]


def choose(wanted: str, names: Sequence[str]) -> list[int]:
    """Return the indices, from 0, of the people that *wanted* refers to.

    Args:
        wanted: one of *names*, or a number from 1; empty for everyone.
        names: the names of all people.

    Returns:
        All indices, one, or none if there is no such person.
    """
    wanted = wanted.strip().casefold()
    if not wanted:
        return list(range(len(names)))
    folded = [name.casefold() for name in names]
    if wanted in folded:
        return [folded.index(wanted)]
    return [int(wanted) - 1] if wanted.isdecimal() and 1 <= int(wanted) <= len(names) else []
