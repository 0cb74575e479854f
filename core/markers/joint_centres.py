"""Estimate joint centres from optical markers. F frames; file units and file axes throughout.

The role of a marker is its anatomical landmark (see `labels`). The centres follow the literature:

hip        Harrington et al. 2007, J. Biomech. 40, 595-602: from pelvis depth and width.
knee,      midpoint of both epicondyles (malleoli) if both are marked; else half a joint width medially, see `legs`.
ankle
shoulder   Rab et al. 2002, Gait Posture 15, 266-273: below the acromion by 17 % of the distance between the acromia.
elbow      midpoint of both epicondyles; else half an elbow width medially along the flexion axis.
wrist      midpoint of both styloids.

Markers on bones that the body has as landmarks (`core.body.bony_landmarks`) are points of their own beside the centres.

Joint widths are taken as fractions of the stature (Plug-in Gait measures them on the person). The results do not depend
on the handedness of the axes: medial and upward directions are computed from the markers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..body.bony_landmarks import BONY_LANDMARKS
from ..smpl_skeleton import SIDES
from .fingers import finger_joints
from .legs import Points, between, chord, feet, knees_and_ankles
from .rigid_clusters import completed
from .vectors import across, bridged, dot, lengths, mean_of, median, unit

_ELBOW_WIDTH = 0.040
_MARKER_RADIUS = 0.004
"""Elbow width and marker radius as fractions of the stature (Plug-in Gait's usual adult values over 1.75 m)."""
_SHANK_OF_STATURE = 0.246
_UPPER_ARM_OF_STATURE = 0.186
"""Segment lengths as fractions of the stature (Winter, Biomechanics and Motor Control of Human Movement)."""
_TYPICAL_PELVIS_WIDTH_MM = 240.0
_ACROMION_DROP = 0.17
_WRIST_THICKNESS = 0.030


def _sided(*roles: str) -> tuple[str, ...]:
    return tuple(f"{side}_{role}" for role in roles for side in SIDES)


_RIGID_GROUPS = (
    (*_sided("asis", "psis", "waist_side", "hip_centre"), "sacrum"),
    _sided("head_front", "head_back"),
    ("c7", "t10", "manubrium", "sternum"),
    *((f"{side}_shoulder_front", f"{side}_shoulder_back", "c7", "t10", "manubrium") for side in SIDES),
)
"""Groups of markers that are nearly rigid: pelvis, head, thorax, and each shoulder's two markers with the thorax."""
CENTRES = (*_sided("hip", "knee", "ankle", "shoulder", "elbow", "wrist", "ear"), "neck", "nose")
"""Centres that a file may hold beside its markers, as roles of their own names: they take the place of estimates."""
_BONES = (
    ("knee_lateral", "ankle_lateral", "shank", "thigh", "knee_medial"),
    ("ankle_lateral", "ankle_medial", "heel", "toe", "first_metatarsal", "fifth_metatarsal"),
    ("elbow_lateral", "elbow_medial", "acromion", "wrist", "wrist_bar_thumb_side", "wrist_thumb_side"),
    ("acromion", "shoulder_front", "shoulder_back"),
)
"""The first marker of each group has a nearly constant distance to each of the others on its side."""
_MIN_FLEXION_SINE = 0.25
"""Sine of the elbow flexion, about 15 degrees, above which the flexion axis is reliable."""


def marker_links(roles: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of markers, as indices into *roles*, whose distance is nearly constant."""
    index = {role: number for number, role in enumerate(roles)}
    pairs = {frozenset(pair) for group in _RIGID_GROUPS for pair in combinations(group, 2)}
    pairs |= {
        frozenset((f"{side}_{first}", f"{side}_{other}")) for first, *rest in _BONES for other in rest for side in SIDES
    }
    return sorted((index[one], index[other]) for one, other in map(sorted, pairs) if {one, other} <= index.keys())


def _pair(points: Points, role: str) -> tuple[np.ndarray, np.ndarray] | None:
    left, right = points.get(f"left_{role}"), points.get(f"right_{role}")
    return None if left is None or right is None else (left, right)


def stature_of_markers(points: Points) -> float:
    """Return a rough stature in file units from markers alone; NaN if no segment is marked."""
    guesses = []
    for side in SIDES:
        for top, bottom, share in (
            ("knee_lateral", "ankle_lateral", _SHANK_OF_STATURE),
            ("acromion", "elbow_lateral", _UPPER_ARM_OF_STATURE),
        ):
            ends = points.get(f"{side}_{top}"), points.get(f"{side}_{bottom}")
            if ends[0] is not None and ends[1] is not None:
                guesses.append(median(lengths(ends[0] - ends[1])) / share)
    finite = [guess for guess in guesses if np.isfinite(guess)]
    return float(np.median(finite)) if finite else float("nan")


def _fill_gaps(points: Points) -> Points:
    """Return the markers with gaps filled where the rest of a rigid group is visible."""
    for group in _RIGID_GROUPS:
        points = {**points, **completed({role: points[role] for role in group if role in points})}
    return points


def _shoulder_tops(points: Points) -> tuple[np.ndarray, np.ndarray] | None:
    tops = _pair(points, "acromion")
    front, back = _pair(points, "shoulder_front"), _pair(points, "shoulder_back")
    if tops is None and front is not None:
        tops = front if back is None else (mean_of(front[0], back[0]), mean_of(front[1], back[1]))
    return tops


@dataclass(frozen=True)
class PelvisAxes:
    """Unit axes (F, 3) of the pelvis, and the chirality of the file's axes: right-handed (1) or mirrored (-1)."""

    forward: np.ndarray
    left: np.ndarray
    up: np.ndarray
    chirality: float


@dataclass(frozen=True)
class _Trunk:
    """Tops of both shoulders (F, 3), the unit axis (F, 3) from hips to shoulders, and the chirality of the axes."""

    tops: tuple[np.ndarray, np.ndarray]
    up: np.ndarray
    chirality: float


def _pelvis_axes(points: Points, above: np.ndarray) -> PelvisAxes | None:
    """Return the pelvis axes, or None without the markers; *above* (F, 3) is any point above the pelvis."""
    front, back = _pair(points, "asis"), _pair(points, "psis")
    rear = mean_of(*back) if back is not None else points.get("sacrum")
    if front is None or rear is None:
        return None
    left = unit(front[0] - front[1])
    forward = unit(across(mean_of(*front) - rear, left))
    up = np.cross(forward, left)
    chirality = -1.0 if median(dot(up, above - mean_of(*front))) < 0.0 else 1.0
    return PelvisAxes(forward, left, chirality * up, chirality)


def _hip_centres(points: Points, axes: PelvisAxes, units_per_mm: float | None) -> dict[str, np.ndarray]:
    """Return both hip centres by Harrington's regression; without a unit, its constants scale with the pelvis width."""
    front, back = _pair(points, "asis"), _pair(points, "psis")
    assert front is not None
    rear = mean_of(*back) if back is not None else points["sacrum"]
    middle = mean_of(*front)
    width = median(lengths(front[0] - front[1]))
    depth = median(lengths(middle - rear))
    mm = width / _TYPICAL_PELVIS_WIDTH_MM if units_per_mm is None else units_per_mm
    base = middle - (0.24 * depth + 9.9 * mm) * axes.forward - (0.30 * width + 10.9 * mm) * axes.up
    outwards = (0.33 * width + 7.3 * mm) * axes.left
    return {"left_hip": base + outwards, "right_hip": base - outwards}


def _bend_axis(upper: np.ndarray, fore: np.ndarray) -> np.ndarray:
    """Return the unit flexion axis (F, 3) of an elbow, interpolated over frames in which the arm is straight.

    Args:
        upper: (F, 3) unit vectors from the elbow to the shoulder.
        fore: (F, 3) unit vectors from the elbow to the wrist.
    """
    axis = np.cross(upper, fore)
    return bridged(axis, lengths(axis) > _MIN_FLEXION_SINE)


def _elbow(points: Points, side: str, shoulder: np.ndarray, chirality: float, offset: float) -> np.ndarray | None:
    """Return the elbow centre (F, 3), *offset* medially from the lateral epicondyle; None without that marker."""
    lateral, medial = points.get(f"{side}_elbow_lateral"), points.get(f"{side}_elbow_medial")
    if lateral is None:
        return None
    centre, wrist = lateral, _wrist(points, side)
    inwards = np.full_like(lateral, np.nan)
    if wrist is not None:
        # With the arm hanging and the forearm forward, up x forward is left, which is lateral on the left arm only.
        inwards = (chirality if side == "right" else -chirality) * _bend_axis(
            unit(shoulder - lateral), unit(wrist - lateral)
        )
        offset_centre = chord(lateral, shoulder, inwards, offset)
        centre = np.where(np.isfinite(offset_centre), offset_centre, lateral)
    if medial is not None:
        centre = between(lateral, medial, shoulder, unit(across(inwards, unit(shoulder - lateral))), centre)
    return centre


def _wrist(points: Points, side: str) -> np.ndarray | None:
    """Return the midpoint of the wrist markers (F, 3), or the one that exists, or None."""
    for kind in ("wrist", "wrist_bar"):
        thumb, little = points.get(f"{side}_{kind}_thumb_side"), points.get(f"{side}_{kind}_little_finger_side")
        if thumb is not None and little is not None:
            return mean_of(thumb, little)
        if thumb is not None or little is not None:
            return thumb if thumb is not None else little
    return points.get(f"{side}_wrist")


def _below_bar(points: Points, side: str, elbow: np.ndarray, chirality: float, offset: float) -> np.ndarray | None:
    """Return the wrist centre (F, 3), *offset* below the midpoint of a bar strapped to the back of the wrist."""
    wrist = _wrist(points, side)
    thumb = points.get(f"{side}_wrist_bar_thumb_side")
    little = points.get(f"{side}_wrist_bar_little_finger_side")
    if wrist is None or thumb is None or little is None:
        return wrist
    # With the left arm out to the left, palm down and thumb ahead, (thumb to little finger) x (elbow to wrist) points
    # out of the palm.
    palm = unit(np.cross(little - thumb, wrist - elbow)) * (chirality if side == "left" else -chirality)
    return np.asarray(wrist + offset * palm)


def _with_fallback(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray | None:
    """Return *first*, with missing values taken from *second*."""
    if first is None or second is None:
        return second if first is None else first
    return np.where(np.isfinite(first), first, second)


def _arms(points: Points, trunk: _Trunk, stature: float) -> dict[str, np.ndarray]:
    """Return shoulders, elbows, wrists and knuckles (F, 3)."""
    found: dict[str, np.ndarray] = {}
    shoulder_drop = _ACROMION_DROP * median(lengths(trunk.tops[0] - trunk.tops[1]))
    for side, top in zip(SIDES, trunk.tops, strict=True):
        shoulder = top - shoulder_drop * trunk.up
        elbow = _elbow(points, side, shoulder, trunk.chirality, (_ELBOW_WIDTH / 2 + _MARKER_RADIUS) * stature)
        wrist = _wrist(points, side)
        if elbow is not None:
            offset = (_WRIST_THICKNESS / 2 + _MARKER_RADIUS) * stature
            wrist = _below_bar(points, side, elbow, trunk.chirality, offset)
        places = {
            "shoulder": shoulder,
            "elbow": elbow,
            "wrist": wrist,
            "index_knuckle": points.get(f"{side}_index_knuckle", points.get(f"{side}_index1")),
            "pinky_knuckle": points.get(f"{side}_little_finger_knuckle", points.get(f"{side}_pinky1")),
        }
        found.update({f"{side}_{name}": place for name, place in places.items() if place is not None})
    return found


def _neck(points: Points, trunk: _Trunk, stature: float) -> dict[str, np.ndarray]:
    """Return the root of the neck (F, 3) if its markers exist."""
    if "c7" not in points or "manubrium" not in points:
        return {}
    return {"neck": mean_of(points["c7"], points["manubrium"]) + 0.03 * stature * trunk.up}


def _head(points: Points, trunk: _Trunk, stature: float) -> dict[str, np.ndarray]:
    """Return ears and nose (F, 3) from a headband of four markers."""
    front, back = _pair(points, "head_front"), _pair(points, "head_back")
    if front is None or back is None:
        return {}
    middle = mean_of(*front, *back)
    forward = unit(mean_of(*front) - mean_of(*back))
    left = unit(across(front[0] + back[0] - front[1] - back[1], forward))
    up = trunk.chirality * np.cross(forward, left)
    ear_level = middle - 0.03 * stature * up
    return {
        "left_ear": ear_level + 0.045 * stature * left,
        "right_ear": ear_level - 0.045 * stature * left,
        "nose": middle + stature * (0.063 * forward - 0.045 * up),
    }


def joint_centres(points: Points, *, units_per_mm: float | None) -> dict[str, np.ndarray]:
    """Return the solver points that markers show, each (F, 3) in the file's units and axes.

    Args:
        points: (F, 3) of each role; `labels.missing_roles` must return none for them. Those of `CENTRES` are joints.
        units_per_mm: length of a millimetre in file units; None if the unit is unknown: constants in millimetres are
            then scaled by the pelvis width.
    """
    points = _fill_gaps(points)
    stature = stature_of_markers(points)
    tops = _shoulder_tops(points)
    assert tops is not None
    above = _with_fallback(mean_of(*tops), points.get("c7"))
    assert above is not None
    axes = _pelvis_axes(points, above)
    estimated = _hip_centres(points, axes, units_per_mm) if axes is not None else {}
    hips: dict[str, np.ndarray] = {}
    for side in SIDES:
        given = points.get(f"{side}_hip_centre", points.get(f"{side}_hip"))
        hip = _with_fallback(given, estimated.get(f"{side}_hip"))
        assert hip is not None
        hips[f"{side}_hip"] = hip
    middle = mean_of(hips["left_hip"], hips["right_hip"])
    # Shoulders are estimated while the hips are hidden: they only need the interpolated direction from the hips.
    up = above - middle
    trunk = _Trunk(tops, bridged(up, np.isfinite(up).all(-1)), axes.chirality if axes is not None else 1.0)
    found = {**hips, **knees_and_ankles(points, hips, stature, trunk.chirality), **feet(points, stature)}
    found.update(_arms(points, trunk, stature))
    found.update(finger_joints(points, found, stature, trunk.chirality))
    found.update(_neck(points, trunk, stature))
    found.update(_head(points, trunk, stature))
    found.update({role: place for role, place in points.items() if role in BONY_LANDMARKS})
    for role in CENTRES:
        centre = _with_fallback(points.get(role), found.get(role))
        if centre is not None:
            found[role] = centre
    return found
