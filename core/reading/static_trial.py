"""Markers that only a static trial has, placed in a dynamic trial by the markers of their segment. F frames, S static.

Markers on the inside of knees and ankles are often taken off after a standing trial. Where three markers that move
rigidly with the one on the outside are in both trials, they carry the one on the inside.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from ..errors import TrackError
from ..formats.raw import RawRecording
from ..markers.labels import marker_roles
from ..markers.name_keys import name_keys
from ..markers.rigid_clusters import completed
from ..markers.vectors import lengths, median

_MATES = {"medial": "lateral", "little_finger_side": "thumb_side", "thumb_side": "little_finger_side"}
"""What a marker at a joint is moved with: the one on the other side."""
_RIGID = 0.04
"""Largest half of the range of the distance between two markers on one segment, and difference between the trials,
relative to it: skin moves by 5 mm on a thigh of 150 mm, while a hip that flexes by 40 degrees changes more."""
_RANGE = (5.0, 95.0)
_FIRM = 0.01
"""Such a spread is as good as none: of more than three markers, those are used whose spread is at most twice the
largest of the others', so that a shank does not take markers of the thigh."""
_LIMBS = {
    "leg": ("thigh", "knee", "shank", "ankle", "heel", "toe", "first", "fifth"),
    "arm": ("elbow", "wrist", "index", "little"),
}
"""First words of the roles of markers on arms and legs."""
_FEWEST = 3
_MOST = 8
_MOST_STATIC = 200
"""Frames of the static trial that are used, evenly spaced."""


def add_static(recording: RawRecording, static: RawRecording) -> RawRecording:
    """Return *recording* with the markers that only the *static* trial of the same person has.

    Raises:
        TrackError: the static trial has no named markers in common, or no marker more.
    """
    if recording.names is None or static.names is None:
        raise TrackError(
            f"expected named markers in {recording.source} and in its static trial {static.source}, found none in one "
            "of them; leave --static out",
            options=("static",),
        )
    dynamic, still = _points(recording), _points(static)
    still = {name: place[:: -(-len(place) // _MOST_STATIC)] for name, place in still.items()}
    common = [name for name in dynamic if name in still]
    still = _scaled(dynamic, still, common)
    roles, known = marker_roles(list(still)), marker_roles(list(dynamic))
    named = list(still)
    added: dict[str, np.ndarray] = {}
    left_out = []
    for role, index in roles.items():
        mate = _mate(role, known, list(dynamic))
        if role in known or mate is None:
            continue
        group = _rigid_with(mate, common, dynamic, still)
        place = _placed(named[index], group, dynamic, still)
        if place is None:
            left_out.append(named[index])
        else:
            added[named[index]] = place
    if not added:
        reason = f"none of {', '.join(left_out)} has three markers of its segment in both" if left_out else "no more"
        raise TrackError(
            f"expected markers at joints that {static.source} has beside those of {recording.source}, found {reason}; "
            "leave --static out",
            options=("static",),
        )
    notes = [f"Placed as in the static trial {static.source.name}: {', '.join(added)}."]
    doubts = [f"the static trial's {', '.join(left_out)} cannot be placed: too few markers of the segment are in both"]
    extra = np.stack(list(added.values()), axis=1)
    return replace(
        recording,
        positions=np.concatenate([recording.positions, extra], axis=1),
        confidence=np.concatenate([recording.confidence, np.isfinite(extra).all(-1).astype(np.float64)], axis=1),
        names=(*recording.names, *added),
        notes=(*recording.notes, *notes),
        doubts=(*recording.doubts, *(doubts if left_out else ())),
    )


def _points(recording: RawRecording) -> dict[str, np.ndarray]:
    """Return the positions (F, 3) of the markers that are ever seen, by name."""
    seen = np.isfinite(recording.positions).all(-1).any(axis=0)
    names = recording.names or ()
    return {name: recording.positions[:, index] for index, name in enumerate(names) if seen[index]}


def _scaled(dynamic: dict[str, np.ndarray], still: dict[str, np.ndarray], common: list[str]) -> dict[str, np.ndarray]:
    """Return the static markers in the unit of the dynamic trial: millimetres and metres differ by a factor."""
    ratios = [
        median(lengths(dynamic[one] - dynamic[other])) / median(lengths(still[one] - still[other]))
        for one, other in zip(common, common[1:], strict=False)
    ]
    ratio = median(np.array(ratios))
    power = 10.0 ** round(np.log10(ratio)) if np.isfinite(ratio) and ratio > 0.0 else 1.0
    return {name: power * place for name, place in still.items()}


def _mate(role: str, known: dict[str, int], names: list[str]) -> str | None:
    """Return the name of the dynamic trial's marker on the other side of the joint; None if it has none."""
    for end, other in _MATES.items():
        if role.endswith(end) and (found := known.get(role.removesuffix(end) + other)) is not None:
            return names[found]
    return None


def _rigid_with(
    mate: str, common: list[str], dynamic: dict[str, np.ndarray], still: dict[str, np.ndarray]
) -> list[str]:
    """Return markers of one segment with *mate*: their mutual distances are constant, and they are not collinear."""
    if mate not in common:
        return []
    others = [name for name in common if name != mate and _may_share_a_segment(mate, name)]
    spread = {frozenset(pair): _spread(*pair, dynamic, still) for pair in combinations([mate, *others], 2)}
    best: tuple[float, list[str]] = (0.0, [])
    for first in others:
        group, worst = [mate, first], spread[frozenset((mate, first))]
        left = [name for name in others if name != first] if worst <= _RIGID else []
        while left and len(group) < _MOST:
            spreads = {name: max(spread[frozenset((other, name))] for other in group) for name in left}
            closest = min(spreads, key=spreads.__getitem__)
            if spreads[closest] > (_RIGID if len(group) < _FEWEST else min(_RIGID, 2.0 * max(worst, _FIRM))):
                break
            group.append(closest)
            left.remove(closest)
            worst = max(worst, spreads[closest])
        shape = np.array([np.nanmedian(still[name], axis=0) for name in group])
        off_line = float(np.linalg.svd(shape - shape.mean(axis=0), compute_uv=False)[1])
        best = max(best, (off_line / (worst + _FIRM), group), key=lambda item: item[0])
    return best[1]


def _may_share_a_segment(mate: str, other: str) -> bool:
    """Return whether *other* is not a marker of the other side, of the trunk, or of another limb than *mate*."""
    side, part = _known_place(mate)
    other_side, other_part = _known_place(other)
    return other_side in ("", side) and (not other_part or other_part == part)


def _known_place(name: str) -> tuple[str, str]:
    """Return the side of a marker and its limb ("leg", "arm", or "trunk"), empty if unknown."""
    role = next(iter(marker_roles([name])), "")
    side = name_keys(name)[0][0]
    part = role.removeprefix("left_").removeprefix("right_").partition("_")[0]
    return side, next((limb for limb, parts in _LIMBS.items() if part in parts), "trunk") if role else ""


def _spread(one: str, other: str, dynamic: dict[str, np.ndarray], still: dict[str, np.ndarray]) -> float:
    """Return how much the distance of two markers varies, and differs from that in the static trial, relative to it."""
    moving, standing = lengths(dynamic[one] - dynamic[other]), median(lengths(still[one] - still[other]))
    middle = median(moving)
    if not middle > 0.0 or not standing > 0.0:
        return float("inf")
    low, high = np.nanpercentile(moving, _RANGE)
    return max(0.5 * float(high - low) / middle, abs(standing / middle - 1.0))


def _placed(
    name: str, group: list[str], dynamic: dict[str, np.ndarray], still: dict[str, np.ndarray]
) -> np.ndarray | None:
    """Return the positions (F, 3) of the static marker *name* in the dynamic trial; None if the group is too small."""
    if len(group) < _FEWEST:
        return None
    absent = np.full_like(dynamic[group[0]], np.nan)
    together = {marker: np.concatenate([still[marker], dynamic[marker]]) for marker in group}
    filled = completed({**together, name: np.concatenate([still[name], absent])})[name][len(still[name]) :]
    return filled if np.isfinite(filled).all(-1).any() else None
