"""Determine a recording's layout: from the user, the file, the point names, or the point count and anatomy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import AmbiguousTrackError, TrackError
from ..formats.raw import RawRecording
from ..layouts import LAYOUTS, MARKERS, MARKERS_HANDS, NAMED, Layout
from ..markers.labels import are_on_skin, has_joint_centres, marker_roles, missing_roles, roles_with_fingers
from .anatomy import Figure, anatomy_faults, could_be_a_body, figure_of, stature
from .contradicted import without_contradicted
from .misplaced import find_misplaced
from .named_points import Recognition, match_by_names, recognised, with_names, without_absent
from .options import ReadOptions
from .point_names import MIN_LIMB_POINTS, TORSO, PointMatch, best_match, match_layout

MAX_NAMES_SHOWN = 12


def shown(names: tuple[str, ...] | list[str]) -> str:
    """Return *names* as a list for a message, abbreviated if it is long."""
    more = len(names) - MAX_NAMES_SHOWN
    return ", ".join(names[:MAX_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def is_markers(recording: RawRecording) -> bool:
    """Return whether the names are those of optical markers that suffice to estimate joint centres."""
    return recording.names is not None and not missing_roles(marker_roles(recording.names))


def _only_numbered(names: tuple[str, ...]) -> bool:
    """Return whether the names are one word with numbers ("kp_0", "kp_1"), which carries no information."""
    return len(names) > 1 and len({name.lower().rstrip("0123456789 _-.") for name in names}) == 1


def _in_order(recording: RawRecording, layout: Layout, reason: str) -> PointMatch:
    return PointMatch(layout, tuple(range(recording.num_points)), reason)


def _given(recording: RawRecording, layout: Layout, reason: str) -> PointMatch:
    """Match a layout that the user or the file names to the points: by their names, else by their order."""
    if layout is MARKERS:
        lacking = missing_roles(marker_roles(recording.names or ()))
        if lacking:
            raise TrackError(
                f"expected the names of optical markers in {recording.source}, but it lacks {'; '.join(lacking)}; "
                "name the markers with --names FILE.json, or give another --layout",
                options=("layout", "names"),
            )
        return PointMatch(MARKERS, (), reason, roles=roles_with_fingers(recording.names or ()))
    if recording.names is not None:
        match = match_layout(recording.names, layout, reason)
        if not match.lacking:
            return without_absent(match) if layout is NAMED else match
    if recording.num_points != len(layout.points):
        raise TrackError(
            f"expected {len(layout.points)} points for layout {layout.name}, or named points, found "
            f"{recording.num_points} points in {recording.source}; give another --layout: {', '.join(LAYOUTS)}",
            options=("layout",),
        )
    return _in_order(recording, layout, reason)


def _by_names(recording: RawRecording, names: tuple[str, ...]) -> PointMatch:
    match = best_match(names)
    if match is not None and is_markers(recording) and are_on_skin(names):
        reason = "detected from the marker names"
        if not has_joint_centres(names):
            reason += (
                ": front and rear of the pelvis are marked, so names like those of joints are markers on the skin; "
                f"give --layout {match.layout.name} if they are joints"
            )
        return PointMatch(MARKERS, (), reason, roles=roles_with_fingers(names))
    if match is not None:
        return match
    if is_markers(recording):
        return PointMatch(MARKERS, (), "detected from the marker names", roles=roles_with_fingers(names))
    lacking = missing_roles(marker_roles(names))
    raise AmbiguousTrackError(
        f"expected names of a body's joints or of optical markers, found {shown(names)} in {recording.source}. "
        f"Joints must include both hips, both shoulders and at least {MIN_LIMB_POINTS} of the knees, ankles, elbows "
        f"and wrists; markers lack {'; '.join(lacking)}. Name the points with --names FILE.json, or give --layout NAME "
        f"if they are in the order of a layout ({', '.join(LAYOUTS)})",
        options=("layout", "names"),
    )


def _figure_as(recording: RawRecording, layout: Layout) -> Figure:
    """Return the person if the points are in *layout*'s order, without misplaced points."""
    size = stature(figure_of(layout, recording.positions))
    misplaced = find_misplaced(recording.positions, layout, size)
    return figure_of(layout, np.where(misplaced[..., None], np.nan, recording.positions))


def _by_count(recording: RawRecording) -> PointMatch:
    count = recording.num_points
    layouts = [layout for layout in LAYOUTS.values() if layout not in (NAMED, MARKERS_HANDS)]
    candidates = [layout for layout in layouts if len(layout.points) == count and layout is not MARKERS]
    if not candidates:
        counts = ", ".join(f"{layout.name} ({len(layout.points)})" for layout in layouts)
        labels = "" if recording.names is None else f" of body points ({shown(recording.names[:3])} ..)"
        raise AmbiguousTrackError(
            f"expected named points, or as many points as a known layout has, found {count} points without names"
            f"{labels} in {recording.source}; known layouts: {counts}. Name the points with --names FILE.json",
            options=("names",),
        )
    figures = {layout.name: _figure_as(recording, layout) for layout in candidates}
    faults = {name: anatomy_faults(figure) for name, figure in figures.items()}
    strictly = len(candidates) > 1
    passing = [layout for layout in candidates if could_be_a_body(figures[layout.name], strictly=strictly)]
    passing = [layout for layout in passing if not faults[layout.name]] or passing
    passing = [layout for layout in passing if set(TORSO) <= figures[layout.name].points.keys()] or passing
    seen = {layout.name: figure_of(layout, recording.positions).points.keys() for layout in passing}
    passing = [layout for layout in passing if seen[layout.name] == figures[layout.name].points.keys()] or passing
    names = " or ".join(f"--layout {layout.name}" for layout in candidates)
    if len(passing) == 1:
        others = [layout.name for layout in candidates if layout is not passing[0]]
        reason = f"detected from {count} points without names: in this order the bone lengths fit a body"
        return _in_order(recording, passing[0], reason + (f", but not as {', '.join(others)}" if others else ""))
    if passing:
        raise AmbiguousTrackError(
            f"expected {count} points without names to fit a body in one order only, but they fit several in "
            f"{recording.source}; give {names}",
            options=("layout",),
        )
    detail = "; ".join(f"as {name}, {shown([fault.text for fault in found[:3]])}" for name, found in faults.items())
    raise AmbiguousTrackError(
        f"expected {count} points without names to fit a body as {names.replace('--layout ', '')}, but in "
        f"{recording.source} they do not: {detail}. Give {names} if this is the order nevertheless, or name the points "
        "with --names FILE.json",
        options=("layout", "names"),
    )


def choose_layout(recording: RawRecording, options: ReadOptions) -> PointMatch:
    """Return the layout of *recording* and the order of its points; for markers the order is empty.

    Raises:
        TrackError: the points do not fit the layout or the names that the user or the file gives.
        AmbiguousTrackError: the layout cannot be determined.
    """
    stated = _stated_layout(recording, options)
    if options.names is not None:
        found = _found(recording, replace(options, names=None))
        return match_by_names(recording, options.names, found, stated)
    if stated is not None:
        reason = "stated by the file" if options.layout is None else "given by --layout"
        return replace(_given(recording, stated, reason), is_stated=True)
    if recording.names is not None and not _only_numbered(recording.names):
        return without_contradicted(_by_names(recording, recording.names), recording)
    if recording.layout is not None:
        raise AmbiguousTrackError(
            f"expected a known layout ({', '.join(LAYOUTS)}), found {recording.layout!r} in "
            f"{recording.source}; give --layout NAME with the one that it corresponds to, or --names FILE.json",
            options=("layout", "names"),
        )
    return without_contradicted(_by_count(recording), recording)


def recognise(recording: RawRecording, options: ReadOptions) -> Recognition:
    """Return the recognised points of *recording*, whether or not they suffice for a fit.

    Raises:
        TrackError: the user's names do not fit the points.
    """
    layout, match = _stated_layout(recording, options), _found(recording, options)
    if match is not None or options.names is None:
        return recognised(recording, match, layout)
    without = recognised(recording, _found(recording, replace(options, names=None)), layout)
    return with_names(without, options.names.resolve(recording))


def _found(recording: RawRecording, options: ReadOptions) -> PointMatch | None:
    """Return the layout and order of the points, or None if they cannot be determined."""
    try:
        return choose_layout(recording, options)
    except TrackError:
        return None


def _stated_layout(recording: RawRecording, options: ReadOptions) -> Layout | None:
    """Return the layout that the user or the file names, or None; markers are one, with any on fingers or not."""
    name = options.layout or recording.layout
    layout = LAYOUTS[name] if name in LAYOUTS else None
    return MARKERS if layout is MARKERS_HANDS else layout
