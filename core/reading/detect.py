"""Units, up axis, handedness and frame rate: from the user, the file, or the person in the data. F frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import AmbiguousTrackError, UnseenPersonError
from ..markers.vectors import across, dot, lengths, mean_of, present_mean, unit
from .anatomy import Figure
from .findings import Finding
from .options import UNITS_IN_METRES, UP_AXES

MIN_STATURE_M, MAX_STATURE_M = 0.5, 2.5
_SHORT_STATURE_M = 1.2
_DETECTED_UNITS = ("m", "cm", "mm", "in")
"""Feet are read when they are named, never guessed: an adult in metres is a baby in feet."""

_CLEAR_VOTES = 0.6
"""Share of the frames in which the same axis must be the one from feet to head."""
_CLEAR_COSINE = 0.6
_USUAL_UP: dict[str, tuple[str, ...]] = {
    "C3D": ("+Y", "+Z"),
    "Vicon CSV": ("+Z",),
    "FreeMoCap CSV": ("+Z",),
    "MMPose JSON": ("+Z",),
    "EasyMocap JSON": ("+Y", "+Z"),
}
"""Axes that are up in files of a kind that do not say so; of all other kinds it is +Y, as in TRC and our own NPZ."""
_STEADY_FLOOR = 0.15
"""How far the lowest point may wander along a stated up axis, in statures, for a lying person to be believed."""

_NO_FLOOR = 0.1
"""A lowest point that wanders more, in statures, stands on no floor."""
_OFF_ORIGIN, _ON_ORIGIN, _TRUNK_LOW = 0.2, (-0.02, 0.06), 0.3
"""A floor lies at the origin's height, within the thickness of a body, or clearly does not; over it hips and shoulders
of a person who lies are no higher than that. All in statures. None of CMU's 217 clips of upright people looks like that
in BODY25, COCO17, H36M17 or SMPL22; put at random heights and places 3 in 100 do."""

_CLEAR_HAND = 0.3
"""Margin of forward over backward votes, -1 to 1, from which the handedness is clear."""
_CUE_SIZE = 0.02
"""Smallest forward offset that votes, in statures."""


def detect_units(stated: str | None, given: str | None, stature: float, source: Path) -> Finding:
    """Return the unit of length.

    Args:
        stated: the unit the file names, one of `UNITS_IN_METRES`, or None.
        given: the unit the user names, or None.
        stature: the person's height in file units.
        source: the file, for messages.

    Raises:
        UnseenPersonError: there is nothing to measure.
        AmbiguousTrackError: no unit or several make a person of 0.5 to 2.5 m.
    """
    heights = {name: stature * metres for name, metres in UNITS_IN_METRES.items()}
    fitting = [name for name in _DETECTED_UNITS if MIN_STATURE_M <= heights[name] <= MAX_STATURE_M]
    if not np.isfinite(stature):
        raise UnseenPersonError(
            f"expected legs or arms to measure the person by, found none in {source}; check the points"
        )
    chosen = given or stated
    if chosen is not None:
        height = heights[chosen]
        if not MIN_STATURE_M <= height <= MAX_STATURE_M:
            instead = f"the data fit {' or '.join(fitting)}" if fitting else "no common unit fits the data"
            raise AmbiguousTrackError(
                f"expected a person of {MIN_STATURE_M} to {MAX_STATURE_M} m, but with units {chosen} "
                f"({'given' if given else 'stated by the file'}) the one in {source} is {height:.3g} m tall; "
                f"{instead}; give --units",
                options=("units",),
            )
        reason = f"{'given by --units' if given else 'stated by the file'}; the person is then {height:.2f} m tall"
    else:
        if len(fitting) != 1:
            choice = " or ".join(f"{name} ({heights[name]:.2f} m)" for name in fitting) or "none of " + ", ".join(
                _DETECTED_UNITS
            )
            raise AmbiguousTrackError(
                f"expected exactly one unit to make a person of {MIN_STATURE_M} to {MAX_STATURE_M} m, but the stature "
                f"of {stature:.4g} in {source} fits {choice}; give --units",
                options=("units",),
            )
        chosen = fitting[0]
        reason = f"the one unit in which the person is of human size: {heights[chosen]:.2f} m tall"
    doubts = []
    if given and stated and given != stated:
        doubts.append(f"the file states {stated}")
    if heights[chosen] < _SHORT_STATURE_M:
        doubts.append(f"{heights[chosen]:.2f} m is a child, or a skeleton scaled to a set size")
    return Finding("units", chosen, reason, tuple(doubts))


_ASSUMED_UP = (
    "{axis} up is assumed, since the file does not say which axis is up: a person who lies, bends down or hangs head "
    "down would be turned upright; if so, give --up"
)


_MAY_LIE = (
    "{axis} up is assumed, since the file does not say which axis is up, but the points fit a person who lies, with "
    "{other} up, as well; give --up={other} or --up={axis}"
)


def axis_vector(axis: str) -> np.ndarray:
    """Return the unit vector (3,) of an axis such as "-Y"."""
    vector = np.zeros(3)
    vector["XYZ".index(axis[1])] = 1.0 if axis[0] == "+" else -1.0
    return vector


def rotation_to_y_up(up: str) -> np.ndarray:
    """Return the rotation matrix (3, 3) that takes file axes with *up* upwards to Y up; never a reflection.

    Convention: a column vector p of the file becomes R @ p. The file's X stays where it is, unless X is up.
    """
    vertical = axis_vector(up)
    side = axis_vector("+X") if up[1] != "X" else axis_vector("+Z")
    return np.stack([side, vertical, np.cross(side, vertical)])


def _upright(figure: Figure) -> np.ndarray:
    """Return unit vectors (N, 3) from feet to shoulders, or from hips to shoulders, of the frames that tell."""
    top, bottom = figure.shoulders, figure.feet
    if bottom is None or not np.isfinite(bottom).all(-1).any():
        bottom = figure.hips
    if top is None or bottom is None:
        return np.empty((0, 3))
    vectors = unit(top - bottom)
    return np.asarray(vectors[np.isfinite(vectors).all(-1)])


def _lowest(figure: Figure, axis: str) -> np.ndarray:
    """Return how high the body's lowest point is along *axis* in each frame (F,), NaN where nothing is seen."""
    heights = np.stack([points @ axis_vector(axis) for points in figure.points.values()])
    lowest = np.min(np.where(np.isfinite(heights), heights, np.inf), axis=0)
    return np.where(np.isfinite(lowest), lowest, np.nan)


def _floor_wander(figure: Figure, axis: str, stature: float) -> float:
    """Return how much the body's lowest point along *axis* changes over the clip, in statures."""
    lowest = _lowest(figure, axis)
    lowest = lowest[np.isfinite(lowest)]
    return float(np.subtract(*np.percentile(lowest, [95, 5]))) / stature if lowest.size > 1 else 0.0


def _lying_up(figure: Figure, axis: str, stature: float) -> str | None:
    """Return the axis that may be up if the person lies along *axis*; None where nothing speaks for that.

    Either the feet come and go while the hips rest, and along another axis there is a level floor; or the person is
    flat on the origin's plane, while the feet are nowhere near it.
    """
    hips, shoulders = figure.hips, figure.shoulders
    if hips is None or shoulders is None:
        return None
    seen = np.isfinite(hips).all(-1) & np.isfinite(shoulders).all(-1)
    if not seen.any():
        return None
    others = [other for other in UP_AXES if other[1] != axis[1]]
    wanders = {other: _floor_wander(figure, other, stature) for other in (axis, *others)}
    level = min(others, key=wanders.__getitem__)
    moves = float(lengths(np.ptp(np.percentile(hips[seen], [5, 95], axis=0), axis=0))) / stature
    much_less = min(_STEADY_FLOOR, 0.5 * wanders[axis])
    if wanders[axis] > _NO_FLOOR and moves < much_less and wanders[level] < much_less:
        return level
    if abs(np.percentile(_lowest(figure, axis)[seen], 5)) < _OFF_ORIGIN * stature:
        return None
    for other in (other for other in others if wanders[other] < _STEADY_FLOOR):
        lowest, up = _lowest(figure, other)[seen], axis_vector(other)
        trunk = np.maximum(hips[seen] @ up, shoulders[seen] @ up) - lowest
        on_origin = _ON_ORIGIN[0] < np.percentile(lowest, 5) / stature < _ON_ORIGIN[1]
        if on_origin and np.percentile(trunk, 95) < _TRUNK_LOW * stature:
            return other
    return None


def detect_up(
    figure: Figure, stated: str | None, given: str | None, stature: float, source: Path, *, kind: str
) -> Finding:
    """Return the file's axis that points up.

    Where neither the file nor the user says it, the person is taken to be upright. That is a doubt where files of that
    kind are usually not so, or where the points fit a person who lies as well: somebody who walks upright and somebody
    who is turned to walk along a wall are the same points in other axes, so not all who lie are noticed.

    Args:
        figure: the person in file axes.
        stated: the axis the file names, or None.
        given: the axis the user names, or None.
        stature: the person's height in the figure's unit.
        source: the file, for messages.
        kind: what sort of file it is.

    Raises:
        AmbiguousTrackError: the body does not say, or contradicts the file.
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
            return Finding("up axis", likely[0], f"assumed, as in most files of that kind ({kind})", doubts)
        raise AmbiguousTrackError(
            f"expected the person to be upright most of the time, but {evidence} only in {source}; give --up",
            options=("up",),
        )
    how = "given by --up" if given else "stated by the file"
    if not clear or axis == chosen:
        agrees = f"; {evidence}" if axis == chosen else ""
        return Finding("up axis", chosen, how + agrees, () if axis == chosen else ("the body is seldom upright",))
    if given:
        return Finding("up axis", chosen, how, (evidence,))
    if axis[1] != chosen[1] and _floor_wander(figure, chosen, stature) < min(
        _STEADY_FLOOR, 0.5 * _floor_wander(figure, axis, stature)
    ):
        return Finding("up axis", chosen, f"{how}; the floor is level along it", (f"{evidence}: a lying person",))
    raise AmbiguousTrackError(
        f"expected {chosen} up as stated by the file, but {evidence} in {source}; give --up with the axis that is "
        "right",
        options=("up",),
    )


def _forward_cues(figure: Figure) -> list[tuple[str, float, np.ndarray, np.ndarray, np.ndarray]]:
    """Return cues: what it is, its weight, then (F, 3) what points forward, the line to the left, the line up."""
    cues: list[tuple[str, float, np.ndarray, np.ndarray, np.ndarray]] = []
    lines = [line for stem in ("hip", "shoulder") if (line := figure.side_line(stem)) is not None]
    if not lines:
        return cues
    # Hips alone do not tell left from right where one of them is off; what is missing is left to the other line.
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
    """Return, for each cue, how surely it says right-handed (1) or mirrored (-1).

    Toes, nose and bent knees point forward; left times up is forward in right-handed axes and backward in mirrored
    ones, whichever way the person turns.
    """
    votes: dict[str, list[tuple[float, float]]] = {}
    for name, weight, pointer, left, up in _forward_cues(figure):
        forward = unit(np.cross(unit(across(left, unit(up))), unit(up)))
        amount = dot(pointer, forward)[:, 0] / stature
        telling = amount[np.abs(amount) > _CUE_SIZE]
        if telling.size >= max(1, 0.02 * figure.num_frames):
            votes.setdefault(name, []).append((float(np.mean(np.sign(telling))), weight))
    return {name: float(np.mean([vote for vote, _ in pairs])) for name, pairs in votes.items()}


def detect_handedness(figure: Figure, given: str | None, stature: float, source: Path) -> Finding:
    """Return whether the data's axes are right-handed, or left-handed and to be mirrored.

    Args:
        figure: the person, any axes.
        given: "right" or "left" when the user says so, or None.
        stature: the person's height in the figure's unit.
        source: the file, for messages.

    Raises:
        AmbiguousTrackError: the body looks mirrored, or nothing tells front from back.
    """
    votes = forward_votes(figure, stature)
    score = float(np.mean(list(votes.values()))) if votes else 0.0
    right = [name for name, vote in votes.items() if vote > 0.0]
    wrong = [name for name, vote in votes.items() if vote < 0.0]
    if given is not None:
        against = wrong if given == "right" else right
        clear = score < -_CLEAR_HAND if given == "right" else score > _CLEAR_HAND
        doubts = (f"the {' and '.join(against)} then point backward",) if clear else ()
        return Finding("handedness", given, "given by --handedness", doubts)
    if score > _CLEAR_HAND:
        doubts = (f"the {' and '.join(wrong)} point backward more often",) if wrong else ()
        return Finding("handedness", "right", f"left is on the left: the {' and '.join(right)} point forward", doubts)
    if score < -_CLEAR_HAND:
        raise AmbiguousTrackError(
            f"expected left on the left, but the {' and '.join(wrong)} of the person in {source} point backward: its "
            "axes are left-handed, or its left and right names are swapped; give --handedness left for the first, "
            "--swap-sides for the second",
            options=("handedness", "swap_sides"),
        )
    seen = ", ".join(f"{name} {vote:+.2f}" for name, vote in votes.items()) or "no toes, nose or bent knees"
    raise AmbiguousTrackError(
        f"expected the body to tell front from back, but it does not in {source} ({seen}); give --handedness right, "
        "or left if its axes are left-handed",
        options=("handedness",),
    )


def detect_fps(stated: float | None, given: float | None, source: Path) -> Finding:
    """Return the frame rate; it is never guessed.

    Raises:
        AmbiguousTrackError: neither the file nor the user says it.
    """
    chosen = given if given is not None else stated
    if chosen is None or not np.isfinite(chosen) or chosen <= 0.0:
        raise AmbiguousTrackError(
            f"expected a frame rate, but {source} does not hold one, and a guess would change the speed of the "
            "motion; give --fps with the rate of the video or capture",
            options=("fps",),
        )
    doubts: tuple[str, ...] = ()
    if given is not None and stated is not None and abs(given - stated) > 0.01 * stated:
        doubts = (f"the file states {stated:g}",)
    return Finding("frame rate", f"{chosen:g}", "given by --fps" if given is not None else "stated by the file", doubts)


def facing(figure: Figure) -> Finding:
    """Return where the person faces at the start of a clip that is right-handed with Y up."""
    left = figure.side_line("hip")
    if left is not None:
        ahead = np.cross(left, np.array([0.0, 1.0, 0.0]))
        ahead = ahead[np.isfinite(ahead).all(-1) & (lengths(ahead) > 0.0)]
        if len(ahead):
            degrees = float(np.degrees(np.arctan2(ahead[0, 0], ahead[0, 2])))
            axis = ("+Z", "+X", "-Z", "-X")[round(degrees / 90.0) % 4]
            return Finding("facing", f"{degrees:.0f} degrees", f"towards {axis} at the start; 0 is +Z, 90 is +X")
    return Finding("facing", "unknown", "the hips are not seen")
