"""From what a file says to a track: metres, right-handed, Y up. F frames, K keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import TrackError
from ..formats.raw import RawRecording
from ..layouts import MARKERS, Layout
from ..markers.joint_centres import joint_centres, marker_links, stature_of_markers
from ..markers.labels import marker_roles, marker_set_title
from ..markers.legs import feet_with_exchanged_metatarsals
from ..markers.strays import without_strays
from ..markers.vectors import mean_of
from ..track import KeypointTrack, mark_missing
from .anatomy import Figure, figure_of, stature
from .checks import check_sides, check_track, is_root_relative
from .choose_layout import choose_layout, shown
from .detect import detect_fps, detect_handedness, detect_units, detect_up, facing, rotation_to_y_up
from .findings import Finding, Reading
from .misplaced import find_far, find_misplaced, find_off, frame_runs
from .options import UNITS_IN_METRES, ReadOptions, parse_units, parse_up
from .point_names import PointMatch

_MIRROR = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class _Laid:
    """A recording's points in the order of a layout: file units and axes; `positions` lacks what is misplaced."""

    layout: Layout
    finding: Finding
    measured: np.ndarray
    positions: np.ndarray
    confidence: np.ndarray
    figure: Figure
    matched: tuple[str, ...]
    absent: tuple[str, ...]
    ignored: tuple[str, ...]
    misplaced: np.ndarray
    left_out: tuple[str, ...]
    is_stated: bool = False


def _names(recording: RawRecording) -> tuple[str, ...]:
    return recording.names or tuple(f"point {index}" for index in range(recording.num_points))


def _swapped(layout: Layout, values: np.ndarray) -> np.ndarray:
    """Return (F, K, ...) values with left and right points exchanged."""
    order = np.arange(len(layout.points))
    for left, right in layout.sides:
        order[[left, right]] = right, left
    return np.asarray(values[:, order])


def _lay_points(recording: RawRecording, match: PointMatch, *, swap_sides: bool) -> _Laid:
    """Bring named or ordered keypoints into the layout's order; what the file does not have is missing throughout."""
    order = np.array(match.order)
    positions = np.where((order >= 0)[None, :, None], recording.positions[:, order], np.nan)
    confidence = np.where((order >= 0)[None, :], recording.confidence[:, order], 0.0)
    if swap_sides:
        positions, confidence = _swapped(match.layout, positions), _swapped(match.layout, confidence)
    misplaced = find_misplaced(positions, match.layout, stature(figure_of(match.layout, positions)))
    read, confidence = mark_missing(positions, np.where(misplaced, 0.0, confidence))
    names = _names(recording)
    used = {index for index in match.order if index >= 0}
    ignored = tuple(name for index, name in enumerate(names) if index not in used)
    reason = match.reason
    if any(name.lower().endswith("study") for name in ignored):
        reason += "; the markers estimated from them (_study) are not read, --layout markers would read those instead"
    value = f"{match.layout.name} ({match.num_matched} of {len(match.order)} points)"
    return _Laid(
        match.layout,
        Finding("layout", value, reason),
        positions,
        read,
        confidence,
        figure_of(match.layout, read),
        tuple(names[index] for index in match.order if index >= 0),
        match.absent,
        ignored,
        misplaced,
        _left_out_notes("Points", match.layout.names, misplaced),
    )


def _rate(recording: RawRecording, options: ReadOptions) -> float:
    """Return the frames a second that are given, or else those that the file states; 0 without both."""
    return options.fps if options.fps is not None else float(recording.fps or 0.0)


def _units_per_mm(recording: RawRecording, options: ReadOptions, rough_stature: float) -> float:
    """Return how many file units a millimetre is, from the rough size of the markers' figure."""
    stated = _stated(recording, recording.units, "units", given=options.units)
    finding = detect_units(stated, options.units, rough_stature, recording.source)
    return 0.001 / UNITS_IN_METRES[finding.value]


def _lay_markers(recording: RawRecording, match: PointMatch, options: ReadOptions) -> _Laid:
    """Estimate joint centres from markers, in the order of the marker layout."""
    names = _names(recording)
    roles = marker_roles(names)
    if options.swap_sides:
        exchange = {"left": "right", "right": "left"}
        roles = {
            (f"{exchange[side]}_{rest}" if side in exchange else role): index
            for role, index in roles.items()
            for side, _, rest in (role.partition("_"),)
        }
    roles, doubts = _metatarsals_in_place(recording, roles)
    points, strays = _without_misplaced({role: recording.positions[:, index] for role, index in roles.items()})
    points, alone = without_strays(points, stature_of_markers(points), _rate(recording, options))
    for number, role in enumerate(points):
        strays[alone.get(role, []), number] = True
    rough = stature(Figure(joint_centres(points, units_per_mm=None)))
    centres = joint_centres(points, units_per_mm=_units_per_mm(recording, options, rough))
    measured = np.full((recording.num_frames, len(MARKERS.points), 3), np.nan)
    for name, index in MARKERS.solver_index.items():
        if name in centres:
            measured[:, index] = centres[name]
    misplaced = find_misplaced(measured, MARKERS, stature(figure_of(MARKERS, measured)))
    positions = np.where(misplaced[..., None], np.nan, measured)
    figure = figure_of(MARKERS, positions)
    extra = {}
    fronts = [points[f"{side}_asis"] for side in ("left", "right") if f"{side}_asis" in points]
    rears = [points[role] for role in ("left_psis", "right_psis", "sacrum") if role in points]
    if len(fronts) == 2 and rears:
        extra = {"pelvis_front": mean_of(*fronts), "pelvis_rear": mean_of(*rears)}
    used = set(roles.values())
    title = marker_set_title(names)
    return _Laid(
        MARKERS,
        Finding("layout", f"markers ({title}, {len(used)} of {len(names)} read)", match.reason, doubts),
        measured,
        positions,
        np.isfinite(positions).all(-1).astype(np.float64),
        Figure({**figure.points, **extra}),
        tuple(names[index] for index in sorted(used)),
        tuple(point.name for point in MARKERS.points if point.solver not in figure.points),
        tuple(name for index, name in enumerate(names) if index not in used),
        misplaced,
        (
            *_left_out_notes("Markers", [names[roles[role]] for role in points], strays),
            *_left_out_notes("Joint centres", MARKERS.names, misplaced),
        ),
    )


def _metatarsals_in_place(recording: RawRecording, roles: dict[str, int]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the roles with first and fifth metatarsal exchanged where the file's labels are, and what to tell of it.

    Read as they are labelled, they roll the foot over onto its edge.
    """
    names, doubts = _names(recording), []
    placed = dict(roles)
    for side in feet_with_exchanged_metatarsals({role: recording.positions[:, at] for role, at in roles.items()}):
        first, fifth = f"{side}_first_metatarsal", f"{side}_fifth_metatarsal"
        placed[first], placed[fifth] = roles[fifth], roles[first]
        doubts.append(
            f"{names[roles[first]]} is marked on the outside of the {side} foot and {names[roles[fifth]]} on the "
            "inside, so each is read as the other"
        )
    return placed, tuple(doubts)


def _without_misplaced(points: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the markers (F, 3) by role without those that are somewhere else, and where (F, M) that is."""
    roles = list(points)
    places = np.stack(list(points.values()), axis=1)
    misplaced = find_far(places, range(len(roles)))
    places[misplaced] = np.nan
    misplaced |= find_off(places, roles, marker_links(roles), stature_of_markers(points))
    places[misplaced] = np.nan
    return {role: places[:, index] for index, role in enumerate(roles)}, misplaced


def _left_out_notes(what: str, names: Sequence[str], marked: np.ndarray) -> tuple[str, ...]:
    """Return what to tell of points that are left out in the frames *marked* (F, K)."""
    told = "; ".join(
        f"{names[index]} in {shown(frame_runs(marked[:, index]))}" for index in np.flatnonzero(marked.any(0))
    )
    return (f"{what} left out in frames in which they are somewhere else: {told}.",) if told else ()


def _lay(recording: RawRecording, options: ReadOptions) -> _Laid:
    match = choose_layout(recording, options)
    if match.layout is MARKERS:
        laid = _lay_markers(recording, match, options)
    else:
        laid = _lay_points(recording, match, swap_sides=options.swap_sides)
    return replace(laid, is_stated=match.is_stated)


def _stated(recording: RawRecording, stated: str | None, kind: str, *, given: str | None) -> str | None:
    """Return what the file states, or None; a statement that is not understood is an error unless one is given."""
    if stated is None or not stated.strip():
        return None
    parsed = parse_units(stated) if kind == "units" else parse_up(stated)
    if parsed is None and given is None:
        raise TrackError(
            f"expected {kind} that are known, found {stated!r} in {recording.source}; give --{kind}", options=(kind,)
        )
    return parsed


def _notes(recording: RawRecording, findings: tuple[Finding, ...], laid: _Laid, odd: list[str]) -> list[str]:
    notes = [*recording.notes, *(finding.sentence for finding in findings), *laid.left_out]
    if laid.ignored:
        notes.append(f"Ignored points: {shown(laid.ignored)}.")
    return [*notes, *(f"Doubt: {doubt}." for doubt in odd)]


def _person(recording: RawRecording) -> Finding:
    if recording.person:
        return Finding("person", recording.person, "named by the file")
    return Finding("person", "the only one", "the file names nobody")


def _refuse_image_coordinates(recording: RawRecording) -> None:
    if recording.image_space:
        raise TrackError(
            f"expected 3D points in a unit of length, but {recording.source} holds image coordinates: "
            f"{recording.image_space}. Export the world (metric) points instead"
        )


def interpret(recording: RawRecording, options: ReadOptions | None = None) -> Reading:
    """Find out what a recording means, check it, and bring it to metres, right-handed, Y up.

    The data are turned, scaled and, when ``--handedness left`` is given, mirrored; nothing is recentred.

    Raises:
        TrackError: the data cannot be human motion, or an option contradicts them.
        AmbiguousTrackError: a property cannot be told safely.
    """
    options = options or ReadOptions()
    source = recording.source
    _refuse_image_coordinates(recording)
    laid = _lay(recording, options)
    height = stature(laid.figure)
    check_sides(laid.figure, height, source, layout_is_known=laid.is_stated)
    stated_units = _stated(recording, recording.units, "units", given=options.units)
    stated_up = _stated(recording, recording.up_axis, "up", given=options.up)
    units = detect_units(stated_units, options.units, height, source)
    up = detect_up(laid.figure, stated_up, options.up, height, source, kind=recording.kind)
    hand = detect_handedness(laid.figure, options.handedness, height, source)
    fps = detect_fps(recording.fps, options.fps, source)
    rate = _rate(recording, options)

    metres = UNITS_IN_METRES[units.value]
    turn = rotation_to_y_up(up.value)
    if hand.value == "left":
        turn = _MIRROR @ turn
    positions = metres * laid.positions @ turn.T
    figure = figure_of(laid.layout, positions)
    checks = check_track(figure, metres * laid.measured, rate, source, layout_is_known=laid.is_stated)
    findings = (laid.finding, units, up, hand, fps, _person(recording), facing(figure))
    doubts = (*(doubt for finding in findings for doubt in finding.doubts), *checks.doubts)
    track = KeypointTrack(
        positions,
        laid.confidence,
        rate,
        laid.layout,
        person=recording.person,
        source=source,
        root_relative=is_root_relative(figure, height * metres),
        doubts=doubts,
        left_out=laid.misplaced,
        notes=tuple(_notes(recording, findings, laid, checks.doubts)),
    )
    return Reading(
        track,
        recording.kind,
        findings,
        laid.matched,
        laid.absent,
        laid.ignored,
        height * metres,
        tuple(checks.passed),
        doubts,
        laid.left_out,
        recording.notes,
    )
