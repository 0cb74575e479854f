"""Split a recording by the subject prefixes of its point names (``Ann:LKNE``, ``person2_LKNE``)."""

from __future__ import annotations

import re
from dataclasses import replace

from .raw import MAX_PEOPLE, RawRecording

_WORDS = "person|people|human|subject|player|actor|skeleton|body|id|p|s"
_NUMBERED = re.compile(rf"((?:{_WORDS})[ _.-]?\d{{1,3}})[ _.-]+(.+)$", re.IGNORECASE)
"""A prefix that numbers the people: "person1_LKNE", "P2.LKNE"."""


def _numbered(names: tuple[str, ...]) -> list[tuple[str, str, str]] | None:
    """Return subject, separator and name of each point if numbers distinguish people with the same points."""
    matches = [_NUMBERED.match(name[:200]) for name in names]
    parts = [(match.group(1), ":", match.group(2)) for match in matches if match]
    points: dict[str, list[str]] = {}
    for subject, _, name in parts:
        points.setdefault(subject, []).append(name)
    sets = [sorted(found) for found in points.values()]
    return parts if len(parts) == len(names) and len(sets) > 1 and all(found == sets[0] for found in sets) else None


def split_subjects(recording: RawRecording) -> list[RawRecording]:
    """Return one recording per subject, without the prefixes; unchanged unless every name has a prefix."""
    parts = _numbered(recording.names or ()) or [name.rpartition(":") for name in recording.names or ()]
    picks: dict[str, dict[str, int]] = {}
    for index, (subject, _, name) in enumerate(parts):
        picks.setdefault(subject.strip(), {}).setdefault(name.strip(), index)
    if recording.person or not picks or "" in picks or len(picks) > MAX_PEOPLE:
        return [recording]
    return [
        replace(
            recording,
            positions=recording.positions[:, list(points.values())],
            confidence=recording.confidence[:, list(points.values())],
            names=tuple(points),
            person=subject,
        )
        for subject, points in picks.items()
    ]
