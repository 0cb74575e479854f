"""Split a recording by the subject prefixes of its point names (``Ann:LKNE``, ``Bob:LKNE``)."""

from __future__ import annotations

from dataclasses import replace

from .raw import MAX_PEOPLE, RawRecording


def split_subjects(recording: RawRecording) -> list[RawRecording]:
    """Return one recording per subject, without the prefixes; unchanged unless every name has a prefix."""
    parts = [name.rpartition(":") for name in recording.names or ()]
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
