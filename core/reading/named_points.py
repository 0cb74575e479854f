"""Read points by a user's name map; report the recognised points and what a fit still needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import AmbiguousTrackError, TrackError
from ..formats.raw import RawRecording
from ..layouts import LAYOUTS, MARKERS, NAMED, ORDERED_ONLY, Layout
from ..markers.joint_centres import CENTRES
from ..markers.labels import ROLES, marker_roles, missing_roles, roles_with_fingers
from .name_map import JOINTS, NamedPoint, NameMap
from .point_names import LIMBS, MIN_LIMB_POINTS, TORSO, PointMatch, match_layout

_REASON = "given by --names"
_LIMBS_TEXT = f"{MIN_LIMB_POINTS} of the knees, ankles, elbows and wrists"
_SHOWN = 4


@dataclass(frozen=True)
class Recognition:
    """The points of a recording as recognised.

    Attributes:
        names: a map that names all its points, those that are not recognised as left out. If the recording can be read,
            this map reads it in the same way.
        lacking: what a fit needs besides, one clause each; empty if it has enough.
    """

    names: NameMap
    lacking: tuple[str, ...]


def recognised(recording: RawRecording, match: PointMatch | None, layout: Layout | None) -> Recognition:
    """Return the recognised points of *recording*.

    Args:
        recording: the points.
        match: how the recording is read; None if it cannot be read.
        layout: the layout that the user or the file names, or None.
    """
    found = match or partial_match(recording, layout)
    of_index = {index: point for point, index in points_of(found).items()} if found is not None else {}
    texts = recording.names or ("",) * recording.num_points
    points = tuple(NamedPoint(name, index, of_index.get(index)) for index, name in enumerate(texts))
    is_layout = found is not None and found.layout.name != NAMED.name
    names = NameMap(points, found.layout.name if found is not None and is_layout else None)
    return Recognition(names, lacking_for_fit(names))


def with_names(found: Recognition, given: Mapping[int, str | None]) -> Recognition:
    """Return *found* with the points that the user has *given*, by index, even if they do not suffice for a fit."""
    taken = {point for point in given.values() if point}
    points = tuple(
        replace(point, body_point=given[index]) if index in given
        else replace(point, body_point=None) if point.body_point in taken
        else point
        for index, point in enumerate(found.names.points)
    )  # fmt: skip
    names = replace(found.names, points=points)
    return Recognition(names, lacking_for_fit(names))


def points_of(match: PointMatch) -> dict[str, int]:
    """Return the index of each point of the body that *match* found; points that no fit uses by the layout's name."""
    if match.layout is MARKERS:
        return dict(match.roles)
    points = zip(match.layout.points, match.order, strict=True)
    return {point.body_point: index for point, index in points if index >= 0}


def lacking_for_fit(names: NameMap) -> tuple[str, ...]:
    """Return what a fit needs in addition to the points in *names*, one clause each; empty if they are enough."""
    points = {point.body_point for point in names.points if point.body_point}
    own = {point.name: point.body_point for point in LAYOUTS[names.layout].points} if names.layout else {}
    if names.layout == MARKERS.name or points & (set(ROLES) - set(JOINTS) - own.keys()):
        return missing_roles(points)
    return _lacking_joints({own.get(point, point) for point in points})


def _lacking_joints(points: Iterable[str]) -> tuple[str, ...]:
    known = set(points)
    lacking = [name.replace("_", " ") for name in TORSO if name not in known]
    if sum(name in known for name in LIMBS) < MIN_LIMB_POINTS:
        lacking.append(_LIMBS_TEXT)
    return tuple(lacking)


def partial_match(recording: RawRecording, layout: Layout | None) -> PointMatch | None:
    """Return the layout that most names of *recording* belong to, even if they do not suffice for a fit; or None."""
    roles = marker_roles(recording.names or ())
    joints = _partial_joints(recording.names or (), layout)
    if layout is MARKERS or (layout is None and len(roles) > (joints.num_matched if joints is not None else 0)):
        return PointMatch(MARKERS, (), "", roles=roles_with_fingers(recording.names or ())) if roles else None
    return joints


def _partial_joints(names: Sequence[str], layout: Layout | None) -> PointMatch | None:
    """Return the layout of joints that most *names* belong to, *layout* if it is one; None without any."""
    if not any(names):
        return None
    every = [item for item in LAYOUTS.values() if item.name not in ORDERED_ONLY]
    layouts = every if layout is None or layout is MARKERS else [layout]
    matches = [match_layout(names, item, "detected from the point names") for item in layouts]
    best = max(matches, key=lambda match: (match.num_matched, -len(match.absent)))
    return best if best.num_matched else None


def match_by_names(
    recording: RawRecording, names: NameMap, found: PointMatch | None, layout: Layout | None
) -> PointMatch:
    """Return the layout and order of the points that a user's map names; the others are read without it.

    Args:
        recording: the points.
        names: the user's map.
        found: how the recording is read without the map; None if it cannot be read.
        layout: the layout that the user or the file names, or None.

    Raises:
        TrackError: the recording lacks points, or the map names markers on the skin and joints other than `CENTRES`.
        AmbiguousTrackError: the points do not suffice for a fit.
    """
    given = names.resolve(recording)
    wanted = LAYOUTS[names.layout] if layout is None and names.layout else layout
    theirs = tuple("" if index in given else name for index, name in enumerate(recording.names or ()))
    points = {point for point in given.values() if point}
    own = set(wanted.names) if wanted is not None else set()
    on_skin, inside = points - set(JOINTS) - own, points - set(ROLES)
    beside = inside - set(CENTRES)
    if on_skin and beside:
        both = f"{', '.join(sorted(beside)[:_SHOWN])} and {', '.join(sorted(on_skin)[:_SHOWN])}"
        raise TrackError(
            f"expected joints or markers on the skin, but --names names both in {recording.source}: {both}; leave out "
            f"those or these; beside markers there can be {', '.join(CENTRES)}",
            options=("names",),
        )
    rest = None if len(given) == recording.num_points else found or partial_match(recording, wanted)
    preferred = wanted or (rest.layout if rest is not None else None)
    if on_skin or (preferred is MARKERS and not inside):
        match = _as_markers(given, theirs)
        lacking = missing_roles(match.roles)
    else:
        if rest is None or rest.layout is MARKERS:
            rest = _partial_joints(theirs, wanted)
        match = _as_joints(given, rest, wanted)
        lacking = _lacking_joints(points_of(match))
        if lacking and preferred is MARKERS:
            lacking = (*lacking, f"joints such as {min(inside)} do not go with markers on the skin")
    if lacking:
        raise AmbiguousTrackError(
            f"expected points that suffice for a fit in {recording.source}, but with --names it lacks "
            f"{'; '.join(lacking)}; name them too",
            options=("names", "layout"),
        )
    return match


def _as_markers(given: Mapping[int, str | None], theirs: Sequence[str]) -> PointMatch:
    """Return the markers that are *given*, and those whose names in *theirs* are known."""
    roles = {point: index for index, point in given.items() if point}
    others = {role: index for role, index in roles_with_fingers(theirs).items() if role not in roles}
    reason = _REASON + ("; other markers by their names" if others else "")
    return PointMatch(MARKERS, (), reason, is_stated=True, roles={**roles, **others})


def _as_joints(given: Mapping[int, str | None], rest: PointMatch | None, wanted: Layout | None) -> PointMatch:
    """Return the joints that are *given*, and those of *rest* that the map does not name.

    They are in the layout *wanted*, or else in that of *rest*, if it has all that are given; else they are a layout of
    their own.
    """
    points = {point: index for index, point in given.items() if point}
    others = {} if rest is None else {
        point: index for point, index in points_of(rest).items() if index not in given and point not in points
    }  # fmt: skip
    layout = wanted if wanted not in (None, MARKERS) else rest.layout if rest is not None and others else NAMED
    assert layout is not None
    every = {**others, **points}
    order = tuple(every.get(point.body_point, every.get(point.name, -1)) for point in layout.points)
    reason = _REASON + ("; other points by their names" if others else "")
    if layout is not NAMED and set(points.values()) <= set(order):
        return PointMatch(layout, order, reason, is_stated=True)
    if layout is not NAMED:
        missing = sorted(point for point, index in points.items() if index not in order)
        reason += f"; not {layout.name}, which has no {', '.join(missing[:_SHOWN])}"
    return without_absent(PointMatch(NAMED, tuple(every.get(name, -1) for name in NAMED.names), reason, is_stated=True))


def without_absent(match: PointMatch) -> PointMatch:
    """Return *match* with a layout of the points that the recording has."""
    kept = [(point, index) for point, index in zip(match.layout.points, match.order, strict=True) if index >= 0]
    layout = replace(match.layout, points=tuple(point for point, _ in kept))
    return replace(match, layout=layout, order=tuple(index for _, index in kept))
