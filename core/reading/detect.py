"""Determine units, up axis, handedness and frame rate from the user, the file or the data. F frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import AmbiguousTrackError, UnseenPersonError
from ..markers.vectors import across, dot, lengths, mean_of, present_mean, unit
from .anatomy import Figure
from .findings import Finding
from .options import (
    MAX_STATURE_M,
    MIN_STATURE_M,
    OWN_UNIT,
    UNIT_CHOICES,
    UP_AXES,
    USUAL_STATURE_M,
    unit_in_metres,
)

_SHORT_STATURE_M, _TALL_STATURE_M = 1.2, 2.15
_DETECTED_UNITS = ("m", "cm", "mm", "in")
"""Feet are never detected, only read where they are named: an adult in metres would be a baby in feet."""
_NO_UNIT = (
    "no common unit fits the data; give --stature with the person's height if their scale is wrong, or --units "
    f"{OWN_UNIT} if nothing is known"
)
_SCALE_IS_WRONG = "give --stature with the person's height if the scale is wrong"
_SKELETON_KINDS = ("BVH", "armature", "FBX", "glTF", "VRM", "Blender file")
"""Formats of animation, where nothing states a unit and characters have any size."""
_SKELETON_UNITS = ("m", "cm", "mm", "in", "cmu")
_ADULT_M = (1.2, 2.2)
"""Range of statures in which no two of these units give an adult."""

_CLEAR_VOTES = 0.6
"""Fraction of the frames in which the same axis must point from feet to head."""
_CLEAR_COSINE = 0.6
_USUAL_UP: dict[str, tuple[str, ...]] = {
    "C3D": ("+Y", "+Z"),
    "Vicon CSV": ("+Z",),
    "FreeMoCap CSV": ("+Z",),
    "MMPose JSON": ("+Z",),
    "EasyMocap JSON": ("+Y", "+Z"),
    "Qualisys TSV": ("+Z",),
    "Xsens MVNX": ("+Z",),
    "SAM 3D Body": ("-Y",),
    "Azure Kinect JSON": ("-Y",),
    "CMU Panoptic JSON": ("-Y",),
    "VIBE PKL": ("-Y",),
    "Human3.6M NPZ": ("+Z",),
    "Fit3D JSON": ("+Z", "-Y"),
    "BVH": ("+Y", "+Z"),
}
"""Usual up axes of file formats that do not state one; +Y in all other formats, such as TRC and our own NPZ."""
_STEADY_FLOOR = 0.15
"""Largest variation of the lowest point along a stated up axis, in statures, for which a lying person is accepted."""

_NO_FLOOR = 0.1
"""A person whose lowest point varies more, in statures, does not stand on a floor."""
_OFF_ORIGIN, _ON_ORIGIN, _TRUNK_LOW = 0.2, (-0.02, 0.06), 0.3
"""Distance beyond which a floor is off the origin; range of heights of a floor at the origin, within a body's
thickness; largest height of a lying person's hips and shoulders above the floor. All in statures. None of CMU's 217
clips of upright people meets these criteria in BODY25, COCO17, H36M17 or SMPL22; at random heights and places 3 in 100
do."""

_CLEAR_HAND = 0.3
"""Smallest margin of forward over backward votes, -1 to 1, for a clear handedness."""
_CUE_SIZE = 0.02
"""Smallest forward offset that counts as a vote, in statures."""


def detect_units(
    stated: str | None,
    given: str | None,
    stature: float,
    source: Path,
    *,
    kind: str = "",
    height_m: float | None = None,
) -> Finding:
    """Determine the unit of length.

    Args:
        stated: the file's unit, one of `UNITS_IN_METRES`, or None.
        given: the user's unit, one of `UNIT_CHOICES`, or None.
        stature: the person's height in file units.
        source: the file, for messages.
        kind: the file's format; a skeleton of animation that no unit makes a person is scaled to one.
        height_m: the person's height, to which the file is scaled, metres; None for a file whose scale is right.

    Raises:
        UnseenPersonError: no bone length can be measured.
        AmbiguousTrackError: the person is 0.5 to 2.5 m tall in no unit, or in several.
    """
    heights = {name: stature * unit_in_metres(name, stature) for name in UNIT_CHOICES}
    fitting = [name for name in _DETECTED_UNITS if _fits(heights[name])]
    if not np.isfinite(stature):
        raise UnseenPersonError(
            f"expected legs or arms to estimate the stature from, found none in {source}; check the points"
        )
    if height_m is not None:
        return _scaled_to(height_m, stated, heights)
    chosen = given or stated
    if kind in _SKELETON_KINDS and given is None and not _fits(heights.get(stated or "", 0.0)):
        return _unit_of_skeleton(heights)
    if chosen is not None:
        height = heights[chosen]
        if not _fits(height):
            instead = f"the data fit {' or '.join(fitting)}; give --units" if fitting else _NO_UNIT
            raise AmbiguousTrackError(
                f"expected a person of {MIN_STATURE_M} to {MAX_STATURE_M} m, but with units {chosen} "
                f"({'given' if given else 'stated by the file'}) the person in {source} is {height:.3g} m tall; "
                f"{instead}",
                options=("units",) if fitting else ("units", "stature"),
            )
        reason = f"{'given by --units' if given else 'stated by the file'}; the person is {height:.2f} m tall"
    else:
        if len(fitting) != 1:
            choice = " or ".join(f"{name} ({heights[name]:.2f} m)" for name in fitting)
            choice = f"{choice}; give --units" if choice else f"none of {', '.join(_DETECTED_UNITS)}; {_NO_UNIT}"
            raise AmbiguousTrackError(
                f"expected exactly one unit for a person of {MIN_STATURE_M} to {MAX_STATURE_M} m, but the stature "
                f"of {stature:.4g} in {source} fits {choice}",
                options=("units",) if fitting else ("units", "stature"),
            )
        chosen = fitting[0]
        reason = f"detected from the stature, {heights[chosen]:.2f} m"
    doubts = []
    if given and stated and given != stated:
        doubts.append(f"the file states {stated}")
    if heights[chosen] < _SHORT_STATURE_M:
        doubts.append(
            f"a stature of {heights[chosen]:.2f} m is that of a child, or of a skeleton scaled to a fixed size; "
            f"{_SCALE_IS_WRONG}"
        )
    if heights[chosen] > _TALL_STATURE_M:
        doubts.append(f"a stature of {heights[chosen]:.2f} m is that of few people; {_SCALE_IS_WRONG}")
    return Finding("units", chosen, reason, tuple(doubts))


def _fits(height_m: float) -> bool:
    return MIN_STATURE_M <= height_m <= MAX_STATURE_M


def _scaled_to(height_m: float, stated: str | None, heights: Mapping[str, float]) -> Finding:
    """Return the unit that makes the person *height_m* tall, given the *heights* in metres in each unit."""
    doubts = (f"the file states {stated}, in which the person is {heights[stated]:.2f} m tall",) if stated else ()
    return Finding("units", OWN_UNIT, f"scaled to a person of {height_m:.2f} m, given by --stature", doubts)


def _unit_of_skeleton(heights: Mapping[str, float]) -> Finding:
    """Return the unit of a skeleton of animation, given its *heights* in metres in each unit."""
    for name in _SKELETON_UNITS:
        if _ADULT_M[0] <= heights[name] <= _ADULT_M[1]:
            return Finding("units", name, f"detected from the stature, {heights[name]:.2f} m")
    doubt = (
        f"no usual unit makes the skeleton an adult ({heights['m']:.3g} in its own unit), so it is scaled to "
        f"{USUAL_STATURE_M:.2f} m; give --units if its size is right"
    )
    return Finding("units", OWN_UNIT, f"scaled to a stature of {USUAL_STATURE_M:.2f} m", (doubt,))


_ASSUMED_UP = (
    "{axis} up is assumed, since the file does not state its up axis: a person who lies, bends over or hangs upside "
    "down would be turned upright; if so, give --up"
)


_MAY_LIE = (
    "{axis} up is assumed, since the file does not state its up axis, but the points also fit a person who lies, with "
    "{other} up; give --up={other} or --up={axis}"
)


def axis_vector(axis: str) -> np.ndarray:
    """Return the unit vector (3,) of *axis*, such as "-Y"."""
    vector = np.zeros(3)
    vector["XYZ".index(axis[1])] = 1.0 if axis[0] == "+" else -1.0
    return vector


def rotation_to_y_up(up: str) -> np.ndarray:
    """Return the rotation matrix (3, 3) from file axes whose up axis is *up* to Y up; never a reflection.

    Convention: a column vector p in file axes becomes R @ p. The X axis is unchanged unless it is the up axis.
    """
    vertical = axis_vector(up)
    side = axis_vector("+X") if up[1] != "X" else axis_vector("+Z")
    return np.stack([side, vertical, np.cross(side, vertical)])


def _upright(figure: Figure) -> np.ndarray:
    """Return unit vectors (N, 3) from feet, or else hips, to shoulders in the frames in which both are present."""
    top, bottom = figure.shoulders, figure.feet
    if bottom is None or not np.isfinite(bottom).all(-1).any():
        bottom = figure.hips
    if top is None or bottom is None:
        return np.empty((0, 3))
    vectors = unit(top - bottom)
    return np.asarray(vectors[np.isfinite(vectors).all(-1)])


def _lowest(figure: Figure, axis: str) -> np.ndarray:
    """Return the height of the body's lowest point along *axis* (F,), NaN in frames without points."""
    heights = np.stack([points @ axis_vector(axis) for points in figure.points.values()])
    lowest = np.min(np.where(np.isfinite(heights), heights, np.inf), axis=0)
    return np.where(np.isfinite(lowest), lowest, np.nan)


def _lowest_variation(figure: Figure, axis: str, stature: float) -> float:
    """Return the variation of the body's lowest point along *axis* (5th to 95th percentile), in statures."""
    lowest = _lowest(figure, axis)
    lowest = lowest[np.isfinite(lowest)]
    return float(np.subtract(*np.percentile(lowest, [95, 5]))) / stature if lowest.size > 1 else 0.0


def _lying_up(figure: Figure, axis: str, stature: float) -> str | None:
    """Return the axis that may be up if the person lies along *axis*; None if nothing indicates that.

    Either the lowest point along *axis* varies while the hips rest, and there is a level floor along another axis; or
    the person lies flat on a floor through the origin along another axis, and is away from the origin along *axis*.
    """
    hips, shoulders = figure.hips, figure.shoulders
    if hips is None or shoulders is None:
        return None
    seen = np.isfinite(hips).all(-1) & np.isfinite(shoulders).all(-1)
    if not seen.any():
        return None
    candidates = [other for other in UP_AXES if other[1] != axis[1]]
    variations = {other: _lowest_variation(figure, other, stature) for other in (axis, *candidates)}
    level = min(candidates, key=variations.__getitem__)
    moves = float(lengths(np.ptp(np.percentile(hips[seen], [5, 95], axis=0), axis=0))) / stature
    much_less = min(_STEADY_FLOOR, 0.5 * variations[axis])
    if variations[axis] > _NO_FLOOR and moves < much_less and variations[level] < much_less:
        return level
    if abs(np.percentile(_lowest(figure, axis)[seen], 5)) < _OFF_ORIGIN * stature:
        return None
    for other in (other for other in candidates if variations[other] < _STEADY_FLOOR):
        lowest, up = _lowest(figure, other)[seen], axis_vector(other)
        trunk = np.maximum(hips[seen] @ up, shoulders[seen] @ up) - lowest
        on_origin = _ON_ORIGIN[0] < np.percentile(lowest, 5) / stature < _ON_ORIGIN[1]
        if on_origin and np.percentile(trunk, 95) < _TRUNK_LOW * stature:
            return other
    return None


def detect_up(
    figure: Figure, stated: str | None, given: str | None, stature: float, source: Path, *, kind: str
) -> Finding:
    """Determine the file's up axis.

    If neither the file nor the user states it, the person is assumed to be upright. This adds a doubt if files of this
    format usually have another up axis, or if the points also fit a person who lies. Not all lying persons can be
    noticed: an upright walk and the same walk turned onto a wall are the same points in other axes.

    Args:
        figure: the person in file axes.
        stated: the file's up axis, or None.
        given: the user's up axis, or None.
        stature: the person's height in the figure's unit.
        source: the file, for messages.
        kind: the file's format.

    Raises:
        AmbiguousTrackError: the up axis cannot be detected, or the body contradicts the file.
    """
    vectors = _upright(figure)
    along = vectors @ np.stack([axis_vector(axis) for axis in UP_AXES]).T
    votes = np.bincount(np.argmax(along, axis=1), minlength=len(UP_AXES)) / max(len(vectors), 1)
    best = int(np.argmax(votes))
    axis, share = UP_AXES[best], float(votes[best])
    clear = len(vectors) > 0 and share >= _CLEAR_VOTES and float(np.median(along[:, best])) >= _CLEAR_COSINE
    evidence = f"the head is above the feet along {axis} in {share:.0%} of the frames"
    chosen = given or stated
    if chosen is None:
        usual = _USUAL_UP.get(kind, ("+Y",))
        if clear:
            doubts = () if axis in usual else (_ASSUMED_UP.format(axis=axis),)
            if not doubts and (other := _lying_up(figure, axis, stature)) is not None:
                doubts = (_MAY_LIE.format(axis=axis, other=other),)
            return Finding("up axis", axis, f"assumed, as {evidence}", doubts)
        likely = [other for other in usual if len(vectors) and np.median(vectors @ axis_vector(other)) > 0.0]
        if len(likely) == 1:
            doubts = (_ASSUMED_UP.format(axis=likely[0]),)
            return Finding("up axis", likely[0], f"assumed, as in most files of this format ({kind})", doubts)
        raise AmbiguousTrackError(
            f"expected the person to be upright most of the time, but in {source} {evidence}; give --up",
            options=("up",),
        )
    origin = "given by --up" if given else "stated by the file"
    if not clear or axis == chosen:
        agrees = f"; {evidence}" if axis == chosen else ""
        return Finding("up axis", chosen, origin + agrees, () if axis == chosen else ("the person is rarely upright",))
    if given:
        return Finding("up axis", chosen, origin, (evidence,))
    if axis[1] != chosen[1] and _lowest_variation(figure, chosen, stature) < min(
        _STEADY_FLOOR, 0.5 * _lowest_variation(figure, axis, stature)
    ):
        return Finding("up axis", chosen, f"{origin}; the floor is level along it", (f"{evidence}: a lying person",))
    raise AmbiguousTrackError(
        f"expected {chosen} up as stated by the file, but in {source} {evidence}; give --up with the correct axis",
        options=("up",),
    )


def _forward_cues(figure: Figure) -> list[tuple[str, float, np.ndarray, np.ndarray, np.ndarray]]:
    """Return cues as name, weight, and vectors (F, 3): what points forward, from right to left, and upwards."""
    cues: list[tuple[str, float, np.ndarray, np.ndarray, np.ndarray]] = []
    lines = [line for stem in ("hip", "shoulder") if (line := figure.side_line(stem)) is not None]
    if not lines:
        return cues
    # The hip line alone is wrong where one hip is misplaced; where one line is missing, the other is used.
    left = present_mean(np.stack(lines))
    for side in ("left", "right"):
        hip, knee, ankle = (figure.points.get(f"{side}_{joint}") for joint in ("hip", "knee", "ankle"))
        toe = figure.first(f"{side}_big_toe", f"{side}_foot", f"{side}_small_toe")
        heel = figure.first(f"{side}_heel", f"{side}_ankle")
        if knee is not None and ankle is not None and toe is not None and heel is not None:
            cues.append(("toes", 1.0, toe - heel, left, knee - ankle))
        if hip is not None and knee is not None and ankle is not None:
            cues.append(("knees", 0.7, knee - (hip + ankle) / 2.0, left, hip - ankle))
    shoulders = figure.side_line("shoulder")
    nose, neck = figure.points.get("nose"), figure.shoulders
    ears, crown = figure.pair_mean("ear"), figure.first("head_top", "head")
    if nose is not None and neck is not None and shoulders is not None:
        back = ears if ears is not None else mean_of(neck, crown) if crown is not None else neck
        upwards = (crown if crown is not None else nose) - neck
        if ears is None and crown is None and figure.hips is not None:
            upwards = neck - figure.hips
        cues.append(("nose", 1.0, nose - back, shoulders, upwards))
    front, rear = figure.points.get("pelvis_front"), figure.points.get("pelvis_rear")
    if front is not None and rear is not None and neck is not None:
        cues.append(("pelvis", 1.5, front - rear, left, neck - rear))
    return cues


def forward_votes(figure: Figure, stature: float) -> dict[str, float]:
    """Return the mean vote of each cue, from -1 (mirrored) to 1 (right-handed).

    Toes, nose and bent knees point forward. The cross product of the left and up vectors points forward in right-handed
    axes and backward in mirrored ones, whichever way the person faces.
    """
    votes: dict[str, list[tuple[float, float]]] = {}
    for name, weight, pointer, left, up in _forward_cues(figure):
        forward = unit(np.cross(unit(across(left, unit(up))), unit(up)))
        amount = dot(pointer, forward)[:, 0] / stature
        voting = amount[np.abs(amount) > _CUE_SIZE]
        if voting.size >= max(1, 0.02 * figure.num_frames):
            votes.setdefault(name, []).append((float(np.mean(np.sign(voting))), weight))
    return {name: float(np.mean([vote for vote, _ in pairs])) for name, pairs in votes.items()}


def detect_handedness(figure: Figure, given: str | None, stature: float, source: Path) -> Finding:
    """Determine whether the data's axes are right-handed, or left-handed so that the data are to be mirrored.

    Args:
        figure: the person, any axes.
        given: the user's handedness, "right" or "left", or None.
        stature: the person's height in the figure's unit.
        source: the file, for messages.

    Raises:
        AmbiguousTrackError: the body looks mirrored, or front and back cannot be distinguished.
    """
    votes = forward_votes(figure, stature)
    score = float(np.mean(list(votes.values()))) if votes else 0.0
    right = [name for name, vote in votes.items() if vote > 0.0]
    wrong = [name for name, vote in votes.items() if vote < 0.0]
    if given is not None:
        against = wrong if given == "right" else right
        clear = score < -_CLEAR_HAND if given == "right" else score > _CLEAR_HAND
        doubts = (f"with it the {' and '.join(against)} point backward",) if clear else ()
        return Finding("handedness", given, "given by --handedness", doubts)
    if score > _CLEAR_HAND:
        doubts = (f"the {' and '.join(wrong)} mostly point backward",) if wrong else ()
        return Finding("handedness", "right", f"detected from the {' and '.join(right)}, which point forward", doubts)
    if score < -_CLEAR_HAND:
        raise AmbiguousTrackError(
            f"expected the {' and '.join(wrong)} of the person in {source} to point forward, but they point backward: "
            "the file's axes are left-handed, or its left and right names are swapped; give --handedness left in the "
            "first case, --swap-sides in the second",
            options=("handedness", "swap_sides"),
        )
    found = ", ".join(f"{name} {vote:+.2f}" for name, vote in votes.items()) or "no toes, nose or bent knees"
    raise AmbiguousTrackError(
        f"expected points that clearly show which way is forward (toes, nose, bent knees), found {found} in {source}; "
        "give --handedness right, or left if the file's axes are left-handed",
        options=("handedness",),
    )


def detect_fps(stated: float | None, given: float | None, source: Path) -> Finding:
    """Return the frame rate from the user or the file; it is never guessed.

    Raises:
        AmbiguousTrackError: neither the file nor the user states a frame rate.
    """
    chosen = given if given is not None else stated
    if chosen is None or not np.isfinite(chosen) or chosen <= 0.0:
        raise AmbiguousTrackError(
            f"expected a frame rate, but {source} does not state one, and a guess would change the speed of the "
            "motion; give --fps with the rate of the video or capture",
            options=("fps",),
        )
    doubts: tuple[str, ...] = ()
    if given is not None and stated is not None and abs(given - stated) > 0.01 * stated:
        doubts = (f"the file states {stated:g} fps",)
    return Finding(
        "frame rate", f"{chosen:g} fps", "given by --fps" if given is not None else "stated by the file", doubts
    )


def facing(figure: Figure) -> Finding:
    """Return the direction in which the person faces at the start of the clip, in right-handed axes with Y up."""
    left = figure.side_line("hip")
    if left is not None:
        ahead = np.cross(left, np.array([0.0, 1.0, 0.0]))
        ahead = ahead[np.isfinite(ahead).all(-1) & (lengths(ahead) > 0.0)]
        if len(ahead):
            degrees = float(np.degrees(np.arctan2(ahead[0, 0], ahead[0, 2])))
            axis = ("+Z", "+X", "-Z", "-X")[round(degrees / 90.0) % 4]
            return Finding("facing", f"{degrees:.0f} degrees", f"towards {axis} at the start; 0 is +Z, 90 is +X")
    return Finding("facing", "unknown", "the hips are not visible")
