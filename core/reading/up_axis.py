"""Detect the up axis from the user, the file or the person's posture. F frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import AmbiguousTrackError
from ..markers.vectors import lengths, unit
from .anatomy import Figure
from .findings import Finding
from .options import UP_AXES

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
