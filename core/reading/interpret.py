"""Interpret a recording as a track in metres, right-handed, Y up. F frames, K keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import TrackError
from ..formats.raw import RawRecording
from ..layouts import MARKERS, MARKERS_HANDS, Layout
from ..markers.finger_labels import FINGER_ROLES
from ..markers.joint_centres import joint_centres, marker_links, stature_of_markers
from ..markers.labels import marker_set_title
from ..markers.legs import feet_with_exchanged_metatarsals
from ..markers.strays import without_strays
from ..markers.vectors import mean_of
from ..track import KeypointTrack, mark_missing
from .anatomy import Figure, figure_of, stature
from .checks import check_sides, check_track, is_root_relative
from .choose_layout import choose_layout, shown
from .findings import Finding, Reading
from .frame_rate import detect_fps
from .handedness import detect_handedness, facing
from .misplaced import find_far, find_misplaced, find_off, frame_runs
from .options import ReadOptions, parse_units, parse_up, unit_in_metres
from .point_names import PointMatch
from .units import detect_units
from .up_axis import detect_up, rotation_to_y_up

_MIRROR = np.diag([-1.0, 1.0, 1.0])
_FINGER_CONFIDENCE = 0.12
"""Markers on fingers are off their places by millimetres all through a recording, which no noise shows, and their bones
are short. Chosen among 0.05 to 1 on drawn hands with markers 4 mm off (`tests/finger_markers.py`)."""


@dataclass(frozen=True, eq=False)
class _OrderedPoints:
    """A recording's points in a layout's order, in file units and axes; misplaced points are NaN in `positions`."""

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


def _swap_sides(layout: Layout, values: np.ndarray) -> np.ndarray:
    """Return *values* (F, K, ...) with left and right points swapped."""
    order = np.arange(len(layout.points))
    for left, right in layout.sides:
        order[[left, right]] = right, left
    return np.asarray(values[:, order])


def _order_keypoints(recording: RawRecording, match: PointMatch, *, swap_sides: bool) -> _OrderedPoints:
    """Return named or ordered keypoints in the layout's order; points that the file does not have are missing."""
    order = np.array(match.order)
    positions = np.where((order >= 0)[None, :, None], recording.positions[:, order], np.nan)
    confidence = np.where((order >= 0)[None, :], recording.confidence[:, order], 0.0)
    if swap_sides:
        positions, confidence = _swap_sides(match.layout, positions), _swap_sides(match.layout, confidence)
    misplaced = find_misplaced(positions, match.layout, stature(figure_of(match.layout, positions)))
    read, confidence = mark_missing(positions, np.where(misplaced, 0.0, confidence))
    names = _names(recording)
    used = {index for index in match.order if index >= 0}
    ignored = tuple(name for index, name in enumerate(names) if index not in used)
    reason = match.reason
    if any(name.lower().endswith("study") for name in ignored):
        reason += "; the markers estimated from them (_study) are ignored, and would be read with --layout markers"
    value = f"{match.layout.name} ({match.num_matched} of {len(match.order)} points)"
    return _OrderedPoints(
        match.layout,
        Finding("layout", value, reason, match.doubts),
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
    """Return the user's frame rate, or else the file's; 0 without both."""
    return options.fps if options.fps is not None else float(recording.fps or 0.0)


def _units_per_mm(recording: RawRecording, options: ReadOptions, rough_stature: float) -> float:
    """Return the length of a millimetre in file units, from a rough stature."""
    stated = _stated(recording, recording.units, "units", given=options.units)
    height = options.height_m
    finding = detect_units(stated, options.units, rough_stature, recording.source, kind=recording.kind, height_m=height)
    return 0.001 / unit_in_metres(finding.value, rough_stature, height)


def _estimate_joints(recording: RawRecording, match: PointMatch, options: ReadOptions) -> _OrderedPoints:
    """Estimate joint centres from markers, in the order of the marker layout."""
    names = _names(recording)
    roles = dict(match.roles)
    if options.swap_sides:
        swap = {"left": "right", "right": "left"}
        roles = {
            (f"{swap[side]}_{rest}" if side in swap else role): index
            for role, index in roles.items()
            for side, _, rest in (role.partition("_"),)
        }
    roles, doubts = _correct_metatarsals(recording, roles)
    points, strays = _without_misplaced(
        {role: recording.positions[:, index] for role, index in roles.items() if role not in FINGER_ROLES}
    )
    points, alone = without_strays(points, stature_of_markers(points), _rate(recording, options))
    for number, role in enumerate(points):
        strays[alone.get(role, []), number] = True
    rough = stature(Figure(joint_centres(points, units_per_mm=None)))
    fingers = {role: recording.positions[:, index] for role, index in roles.items() if role in FINGER_ROLES}
    layout = MARKERS_HANDS if fingers else MARKERS
    centres = joint_centres({**points, **fingers}, units_per_mm=_units_per_mm(recording, options, rough))
    measured = _placed(centres, layout, recording.num_frames)
    misplaced = _misplaced_centres(measured, layout)
    positions = np.where(misplaced[..., None], np.nan, measured)
    figure = figure_of(layout, positions)
    extra = {}
    fronts = [points[f"{side}_asis"] for side in ("left", "right") if f"{side}_asis" in points]
    rears = [points[role] for role in ("left_psis", "right_psis", "sacrum") if role in points]
    if len(fronts) == 2 and rears:
        extra = {"pelvis_front": mean_of(*fronts), "pelvis_rear": mean_of(*rears)}
    used = set(roles.values())
    title = marker_set_title(names) + (f" and {len(fingers)} markers on fingers" if fingers else "")
    seen = {*figure.points, *(name for name in layout.finger_index if name in centres)}
    return _OrderedPoints(
        layout,
        Finding("layout", f"{layout.name} ({title}, {len(used)} of {len(names)} read)", match.reason, doubts),
        measured,
        positions,
        np.isfinite(positions).all(-1) * _confidence(layout),
        Figure({**figure.points, **extra}),
        tuple(names[index] for index in sorted(used)),
        tuple(point.name for point in layout.points if point.body_point not in seen),
        tuple(name for index, name in enumerate(names) if index not in used),
        misplaced,
        (
            *_left_out_notes("Markers", [names[roles[role]] for role in points], strays),
            *_left_out_notes("Joint centres", layout.names, misplaced),
        ),
    )


def _placed(centres: dict[str, np.ndarray], layout: Layout, num_frames: int) -> np.ndarray:
    """Return the joint centres (F, K, 3) in the order of *layout*, NaN where it has others."""
    placed = np.full((num_frames, len(layout.points), 3), np.nan)
    for name, index in (*layout.solver_index.items(), *layout.finger_index.items()):
        if name in centres:
            placed[:, index] = centres[name]
    return placed


def _confidence(layout: Layout) -> np.ndarray:
    """Return the confidence (K,) of joint centres, which is low for fingers beyond their first joints."""
    confidence = np.ones(len(layout.points))
    beyond = [index for name, index in layout.finger_index.items() if not name.endswith("1")]
    confidence[beyond] = _FINGER_CONFIDENCE
    return confidence


def _misplaced_centres(measured: np.ndarray, layout: Layout) -> np.ndarray:
    """Return where (F, K) joint centres of the body are misplaced; those of fingers are judged with their hand."""
    body = len(MARKERS.points)
    misplaced = np.zeros(measured.shape[:2], dtype=bool)
    size = stature(figure_of(layout, measured))
    misplaced[:, :body] = find_misplaced(measured[:, :body], MARKERS, size)
    return misplaced


def _correct_metatarsals(recording: RawRecording, roles: dict[str, int]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the roles with swapped labels of first and fifth metatarsals corrected, and a doubt for each foot.

    Without the correction, the markers would roll the foot onto its edge.
    """
    names, doubts = _names(recording), []
    corrected = dict(roles)
    for side in feet_with_exchanged_metatarsals({role: recording.positions[:, at] for role, at in roles.items()}):
        first, fifth = f"{side}_first_metatarsal", f"{side}_fifth_metatarsal"
        corrected[first], corrected[fifth] = roles[fifth], roles[first]
        doubts.append(
            f"{names[roles[first]]} is on the outside of the {side} foot and {names[roles[fifth]]} on the inside, so "
            "the two labels have been swapped"
        )
    return corrected, tuple(doubts)


def _without_misplaced(points: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the markers (F, 3) by role with misplaced ones set to NaN, and where (F, M) they were misplaced."""
    roles = list(points)
    places = np.stack(list(points.values()), axis=1)
    misplaced = find_far(places, range(len(roles)))
    places[misplaced] = np.nan
    misplaced |= find_off(places, roles, marker_links(roles), stature_of_markers(points))
    places[misplaced] = np.nan
    return {role: places[:, index] for index, role in enumerate(roles)}, misplaced


def _left_out_notes(what: str, names: Sequence[str], marked: np.ndarray) -> tuple[str, ...]:
    """Return a note on the points that are left out in the *marked* (F, K) frames."""
    listed = "; ".join(
        f"{names[index]} in {shown(frame_runs(marked[:, index]))}" for index in np.flatnonzero(marked.any(0))
    )
    return (f"{what} left out in frames in which they are misplaced, counted from 0: {listed}.",) if listed else ()


def _order_points(recording: RawRecording, options: ReadOptions) -> _OrderedPoints:
    match = choose_layout(recording, options)
    if match.layout is MARKERS:
        ordered = _estimate_joints(recording, match, options)
    else:
        ordered = _order_keypoints(recording, match, swap_sides=options.swap_sides)
    return replace(ordered, is_stated=match.is_stated)


def _stated(recording: RawRecording, stated: str | None, kind: str, *, given: str | None) -> str | None:
    """Return the file's units or up axis, or None; an unknown value is an error unless the user gives one."""
    if stated is None or not stated.strip():
        return None
    parsed = parse_units(stated) if kind == "units" else parse_up(stated)
    if parsed is None and given is None:
        expected = "unit of length" if kind == "units" else "up axis"
        raise TrackError(
            f"expected a known {expected}, found {stated!r} in {recording.source}; give --{kind}", options=(kind,)
        )
    return parsed


def _notes(
    recording: RawRecording, findings: tuple[Finding, ...], ordered: _OrderedPoints, doubts: list[str]
) -> list[str]:
    notes = [*recording.notes, *(finding.sentence for finding in findings), *ordered.left_out]
    if ordered.ignored:
        notes.append(f"Ignored points: {shown(ordered.ignored)}.")
    return [*notes, *(f"Doubt: {doubt}." for doubt in doubts)]


def _person(recording: RawRecording) -> Finding:
    if recording.person:
        return Finding("person", recording.person, "named by the file")
    return Finding("person", "the only one", "the file does not name anyone")


def _refuse_image_coordinates(recording: RawRecording) -> None:
    if recording.image_space:
        raise TrackError(
            f"expected 3D points in a unit of length, but {recording.source} contains image coordinates: "
            f"{recording.image_space}. Export the world (metric) points instead"
        )


def _check_solved(recording: RawRecording, options: ReadOptions) -> None:
    """Refuse options that do not fit a solved motion, which is in metres and right-handed, with SMPL's joints."""
    given = {
        "layout": options.layout not in (None, recording.layout),
        "units": options.units not in (None, "m"),
        "stature": options.stature is not None,
        "handedness": options.handedness == "left",
        "swap_sides": options.swap_sides,
        "names": options.names is not None,
    }
    wrong = tuple(name for name, is_given in given.items() if is_given)
    if recording.solved is not None and wrong:
        raise TrackError(
            f"expected --up and --fps alone for a motion that {recording.solved.tool} solved, got "
            f"{', '.join('--' + name.replace('_', '-') for name in wrong)} for {recording.source}; leave it out",
            options=wrong,
        )


def _detect_properties(
    recording: RawRecording, options: ReadOptions, ordered: _OrderedPoints, height: float
) -> tuple[Finding, Finding, Finding, Finding]:
    """Return units, up axis, handedness and frame rate, each from the user, the file or the data."""
    source, kind = recording.source, recording.kind
    stated_units = _stated(recording, recording.units, "units", given=options.units)
    stated_up = _stated(recording, recording.up_axis, "up", given=options.up)
    return (
        detect_units(stated_units, options.units, height, source, kind=kind, height_m=options.height_m),
        detect_up(ordered.figure, stated_up, options.up, height, source, kind=kind),
        detect_handedness(ordered.figure, options.handedness, height, source),
        detect_fps(recording.fps, options.fps, source),
    )


def interpret(recording: RawRecording, options: ReadOptions | None = None) -> Reading:
    """Interpret and check a recording, and convert it to metres, right-handed, Y up.

    The data are rotated, scaled and, with ``--handedness left``, mirrored; they are not recentred.

    Raises:
        TrackError: the data cannot be human motion, or an option contradicts them.
        AmbiguousTrackError: a property cannot be determined reliably.
    """
    source = recording.source
    options = (options or ReadOptions()).of_person(0, [recording.person], source)
    _refuse_image_coordinates(recording)
    _check_solved(recording, options)
    ordered = _order_points(recording, options)
    height = stature(ordered.figure)
    check_sides(ordered.figure, height, source, layout_is_known=ordered.is_stated)
    units, up, hand, fps = _detect_properties(recording, options, ordered, height)
    rate = _rate(recording, options)

    metres = unit_in_metres(units.value, height, options.height_m)
    rotation = rotation_to_y_up(up.value)
    if hand.value == "left":
        rotation = _MIRROR @ rotation
    positions = metres * ordered.positions @ rotation.T
    figure = figure_of(ordered.layout, positions)
    checks = check_track(figure, metres * ordered.measured, rate, source, layout_is_known=ordered.is_stated)
    findings = (ordered.finding, units, up, hand, fps, _person(recording), facing(figure))
    checks.doubts[:0] = recording.doubts
    doubts = (*(doubt for finding in findings for doubt in finding.doubts), *checks.doubts)
    track = KeypointTrack(
        positions,
        ordered.confidence,
        rate,
        ordered.layout,
        person=recording.person,
        source=source,
        root_relative=is_root_relative(figure, height * metres),
        doubts=(*doubts, *ordered.left_out),
        start_s=recording.start_s,
        left_out=ordered.misplaced,
        notes=tuple(_notes(recording, findings, ordered, checks.doubts)),
    )
    return Reading(
        track,
        recording.kind,
        findings,
        ordered.matched,
        ordered.absent,
        ordered.ignored,
        height * metres,
        tuple(checks.passed),
        doubts,
        ordered.left_out,
        recording.notes,
        placement=metres * rotation,
        solved=None if recording.solved is None else replace(recording.solved, turn=rotation),
    )
