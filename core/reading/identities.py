"""Find and join several identities that a tracker gave to one person. F frames, K points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ..errors import TrackError
from ..formats.raw import RawRecording
from .named_frames import named_frames

_MAX_GAP_S = 2.0
_DEFAULT_FPS = 30.0
_NEAR, _SPEED = 0.3, 1.5
"""How far away a person may reappear, in the person's own extents: at once, and further for each second of the gap."""
_SAME_SIZE = 1.4
"""Largest ratio of the extents of two identities that may be one person."""
_END_FRAMES = 3
_SWAPPED = 0.4
"""Two people have exchanged identities if their ways are shorter than this fraction of their own with the other's."""
_MAX_TOLD = 6
_SHARED = 0.5
"""Identities that share this fraction of the frames of the shorter one are two people."""


@dataclass(frozen=True)
class _Presence:
    """When and where a person is seen: frames (N,), middles of the points (N, 3), the points' usual extent."""

    frames: np.ndarray
    middles: np.ndarray
    extent: float


def describe_identities(recordings: list[RawRecording]) -> list[RawRecording]:
    """Return the recordings with doubts about identities that seem to be one person, or two who were exchanged."""
    seen = _presences(recordings)
    fps = _rate(recordings)
    doubts: list[list[str]] = [[] for _ in recordings]
    for one, other, gap in _followers(seen, fps):
        names = (_label(recordings, one), _label(recordings, other))
        text = (
            f"{names[1]} begins {gap / fps:.2f} s after {names[0]} ends, at the same place: if they are one person, "
            f"give --join {names[0]}+{names[1]}"
        )
        doubts[one].append(text)
        doubts[other].append(text)
    for (one, first), (other, second) in combinations(enumerate(seen), 2):
        swaps = _exchanges(first, second) if first is not None and second is not None else []
        if swaps:
            frames = named_frames(swaps, _MAX_TOLD)
            names = (_label(recordings, one), _label(recordings, other))
            text = f"{names[0]} and {names[1]} seem to exchange their identities at frames {frames} (counted from 0)"
            doubts[one].append(text)
            doubts[other].append(text)
    return [
        replace(recording, doubts=(*recording.doubts, *added)) if added else recording
        for recording, added in zip(recordings, doubts, strict=True)
    ]


def suggested_joins(recordings: list[RawRecording]) -> list[str]:
    """Return the groups of identities ("3+7") that seem to be one person each, for `join`."""
    following = {one: other for one, other, _ in _followers(_presences(recordings), _rate(recordings))}
    chains = []
    for first in following.keys() - following.values():
        chain = [first]
        while (following_one := following.get(chain[-1])) is not None:
            chain.append(following_one)
        chains.append(chain)
    return ["+".join(_label(recordings, number) for number in chain) for chain in sorted(chains)]


def check_groups(groups: Sequence[str]) -> None:
    """Check that each of *groups* names different people, whatever the file.

    Raises:
        TrackError: one does not.
    """
    for group in groups:
        if len(set(_labels(group))) < 2:
            raise TrackError(
                f"expected --join with the labels of different people joined by +, such as 3+7, got {group!r}",
                options=("join",),
            )


def join(recordings: list[RawRecording], groups: Sequence[str], *, where_present: bool = False) -> list[RawRecording]:
    """Return the recordings with those of each of *groups* ("3+7") joined to one person, in place of the first.

    If several are seen in a frame, the one named first is used, and a doubt says so. A group with people who are not
    there is an error, or, if *where_present*, left out: with a doubt of everyone, or a note of somebody who is alone.

    Raises:
        TrackError: there is no such person, a person is joined twice, the people do not have the same points, or are
            seen at the same time for most of the shorter one's frames.
    """
    joined = list(recordings)
    for group in groups:
        labels = _labels(group)
        absent = [label for label in labels if _number(joined, label) is None]
        if absent and where_present:
            joined = _without_joining(joined, group, absent)
            continue
        if absent:
            raise _fault(f"a person {absent[0]!r} to join", joined)
        numbers = [number for label in labels if (number := _number(joined, label)) is not None]
        if len(set(numbers)) != len(numbers) or len(numbers) < 2:
            raise _fault(f"different people joined by +, got {group!r}", joined)
        parts = [joined[number] for number in numbers]
        if len({(part.positions.shape, part.names) for part in parts}) != 1 or parts[0].solved is not None:
            raise _fault(f"people with the same points and frames to join as {group!r}", joined)
        whole = parts[0]
        for part, label in zip(parts[1:], labels[1:], strict=True):
            doubts = _overlap(whole, part, label, group)
            unseen = ~_is_seen(whole)
            whole = replace(
                whole,
                positions=np.where(unseen[:, None, None], part.positions, whole.positions),
                confidence=np.where(unseen[:, None], part.confidence, whole.confidence),
                doubts=(*whole.doubts, *doubts),
            )
        note = f"People joined by --join: {group}."
        joined[numbers[0]] = replace(whole, person="+".join(part.person for part in parts), notes=(*whole.notes, note))
        joined = [part for number, part in enumerate(joined) if number not in numbers[1:]]
    return joined


def _labels(group: str) -> list[str]:
    return [label.strip() for label in group.split("+")]


def _without_joining(recordings: list[RawRecording], group: str, absent: Sequence[str]) -> list[RawRecording]:
    """Return the recordings, which say that the people of *group* were not joined since some are *absent*."""
    found = ", ".join(_label(recordings, number) for number in range(len(recordings)))
    text = f"nobody was joined by --join {group}, since {', '.join(absent)} is not in this file, which has {found}"
    if len(recordings) == 1:
        return [replace(item, notes=(*item.notes, f"{text[0].upper()}{text[1:]}.")) for item in recordings]
    return [replace(item, doubts=(*item.doubts, text)) for item in recordings]


def _overlap(whole: RawRecording, part: RawRecording, label: str, group: str) -> tuple[str, ...]:
    """Return the doubt about frames in which the person *label*, *part*, is seen beside those of *group* before it.

    Raises:
        TrackError: these are most of the frames of *whole* or *part*.
    """
    first, second = _is_seen(whole), _is_seen(part)
    shared = np.flatnonzero(first & second)
    if len(shared) == 0:
        return ()
    frames = f"{len(shared)} frames, the first of them frame {shared[0]} (counted from 0)"
    if len(shared) > _SHARED * min(first.sum(), second.sum()):
        raise TrackError(
            f"expected identities of one person to join as {group!r}, found {label} beside the others in {frames} in "
            f"{whole.source}; two people cannot be joined: correct --join",
            options=("join",),
        )
    return (f"{label} of those joined as {group} is seen beside the others in {frames}, and left out there",)


def _is_seen(recording: RawRecording) -> np.ndarray:
    """Return whether any point is seen, by frame (F,)."""
    return np.asarray((recording.confidence > 0.0).any(axis=1))


def _number(recordings: list[RawRecording], label: str) -> int | None:
    """Return the index of the person *label*; None if there is no such person."""
    found = [number for number, recording in enumerate(recordings) if recording.person.lower() == label.lower()]
    if not found and label.isdecimal() and 1 <= int(label) <= len(recordings):
        found = [int(label) - 1]
    return found[0] if found else None


def _fault(expected: str, recordings: list[RawRecording]) -> TrackError:
    found = ", ".join(_label(recordings, number) for number in range(len(recordings)))
    return TrackError(
        f"expected {expected}, found {found} in {recordings[0].source}; correct --join", options=("join",)
    )


def _label(recordings: list[RawRecording], number: int) -> str:
    return recordings[number].person or str(number + 1)


def _presence(recording: RawRecording) -> _Presence | None:
    """Return when and where a person is seen; None if never."""
    frames = np.flatnonzero(_is_seen(recording))
    if len(frames) == 0:
        return None
    places = recording.positions[frames]
    extents = (np.nanmax(places, axis=1) - np.nanmin(places, axis=1)).max(axis=1)
    return _Presence(frames, np.nanmean(places, axis=1), float(np.median(extents)))


def _presences(recordings: list[RawRecording]) -> list[_Presence | None]:
    """Return when each person is seen; none of them if they are alone or not on the same frames."""
    if len(recordings) < 2 or len({recording.num_frames for recording in recordings}) != 1:
        return [None for _ in recordings]
    return [_presence(recording) for recording in recordings]


def _rate(recordings: list[RawRecording]) -> float:
    return recordings[0].fps or _DEFAULT_FPS


def _followers(seen: Sequence[_Presence | None], fps: float) -> list[tuple[int, int, int]]:
    """Return pairs of people of whom the second goes on where the first ends, and the frames between; each once."""
    found = []
    for one, first in enumerate(seen):
        for other, second in enumerate(seen):
            if one != other and first is not None and second is not None:
                gap = int(second.frames[0] - first.frames[-1])
                if gap > 0 and _continues(first, second, gap / fps):
                    found.append((gap, one, other))
    pairs: list[tuple[int, int, int]] = []
    for gap, one, other in sorted(found):
        if all(one != pair[0] and other != pair[1] for pair in pairs):
            pairs.append((one, other, gap))
    return pairs


def _continues(first: _Presence, second: _Presence, gap_s: float) -> bool:
    """Return whether *second* begins soon after *first* ends, near that place, and is as large."""
    sizes = sorted((first.extent, second.extent))
    if gap_s > _MAX_GAP_S or sizes[0] <= 0.0 or sizes[1] > _SAME_SIZE * sizes[0]:
        return False
    end, begin = (np.median(part, axis=0) for part in (first.middles[-_END_FRAMES:], second.middles[:_END_FRAMES]))
    return float(np.linalg.norm(end - begin)) < (_NEAR + _SPEED * gap_s) * sizes[1]


def _exchanges(first: _Presence, second: _Presence) -> list[int]:
    """Return the frames from which on two people seem to have exchanged their identities."""
    both, one, other = np.intersect1d(first.frames, second.frames, return_indices=True)
    a, b = first.middles[one], second.middles[other]
    own = np.linalg.norm(np.diff(a, axis=0), axis=1) + np.linalg.norm(np.diff(b, axis=0), axis=1)
    crossed = np.linalg.norm(b[1:] - a[:-1], axis=1) + np.linalg.norm(a[1:] - b[:-1], axis=1)
    found = (crossed < _SWAPPED * own) & (own > _NEAR * max(first.extent, second.extent)) & (np.diff(both) == 1)
    return [int(frame) for frame in both[1:][found]]
