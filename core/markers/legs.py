"""Estimate knees, ankles and feet from optical markers. F frames; file units and file axes throughout.

A lateral marker of a knee or ankle lies half a joint width from the joint centre, at a right angle to the line to the
joint above (the chord construction of Davis et al. 1991, Hum. Mov. Sci. 10, 575-587). The direction around that line
follows the wand marker of the segment, which rotates with the joint. The angle between wand and joint is constant over
the clip. It is estimated from all cues of the medial direction: a medial marker, the axis about which the knee flexes,
the wand itself if it is placed laterally as in Plug-in Gait, and the other leg. So the centre is fixed in the segment
and does not jump between frames. A knee is a hinge: its axis is the normal of the plane of thigh and shank, and the
ankle's axis follows it, turned outwards by the tibial torsion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..smpl_skeleton import SIDES
from .vectors import across, dot, lengths, mean_of, median, unit

Points = Mapping[str, np.ndarray]

_KNEE_WIDTH = 0.061
_ANKLE_WIDTH = 0.041
_MARKER_RADIUS = 0.004
"""Joint widths and marker radius as fractions of the stature (Plug-in Gait's usual adult values over 1.75 m)."""
_MIN_TOE_TIP_DISTANCE = 0.148
"""Distance of heel and toe markers, as a fraction of the stature, above which the toe marker is on the tip of the toe
instead of on the ball of the foot."""
_MIN_WAND_DISTANCE = 0.5
"""Smallest distance of a wand from the line between the joints, in half joint widths, that shows the rotation."""
_LATERAL_COSINE = 0.5
_MEDIAL_WEIGHT, _FLEXION_WEIGHT, _LATERAL_WAND_WEIGHT, _OTHER_LEG_WEIGHT = 10.0, 20.0, 1.0, 0.3
"""Weights of the cues of the medial direction: medial marker, the axis of a knee that flexes by 90 degrees, lateral
wand, other leg. Chosen on markers of knees and ankles whose medial ones were hidden (6.8 and 7.9 mm off; half and twice
the weight of the flexion give the same within 0.3 mm)."""
_TIBIAL_TORSION = np.radians(10.0)
"""How far the axis of the ankle is turned outwards from the knee's flexion axis, about the shank: the lateral malleolus
lies behind. Chosen with the weights."""
_FLEXION_ROUNDS = 4


@dataclass(frozen=True)
class _Joint:
    """A knee or an ankle: its lateral marker and the joint above (F, 3), and half its width in file units."""

    lateral: np.ndarray
    above: np.ndarray
    half_width: float

    @property
    def along(self) -> np.ndarray:
        """Unit vectors (F, 3) from the marker to the joint above."""
        return unit(self.above - self.lateral)

    def chord(self, inwards: np.ndarray) -> np.ndarray:
        """Return the joint centre C (F, 3): half a width from the marker, with C - marker perpendicular to C - above.

        C lies in the plane of marker, joint above and the medial direction *inwards* (F, 3), on the side of *inwards*.
        """
        return chord(self.lateral, self.above, inwards, self.half_width)


def chord(marker: np.ndarray, above: np.ndarray, towards: np.ndarray, offset: float) -> np.ndarray:
    """Return the joint centre C (F, 3) with |C - marker| = *offset* and C - marker perpendicular to C - above.

    C lies in the plane of *marker*, *above* and the direction *towards* (F, 3), on the side of *towards*.
    """
    line = above - marker
    distance = lengths(line)[:, None]
    along = line / distance
    inwards = unit(across(towards, along))
    ratio = np.clip(offset / distance, 0.0, 1.0)
    return np.asarray(marker + offset * (ratio * along + np.sqrt(1.0 - ratio**2) * inwards))


def knees_and_ankles(points: Points, hips: Points, stature: float, chirality: float) -> dict[str, np.ndarray]:
    """Return both knees and, if they are marked, both ankles (F, 3).

    A knee's flexion axis follows from its centre and the ankle's, and these from the axis: they are found in turns.

    Args:
        points: (F, 3) of each role.
        hips: (F, 3) of both hips.
        stature: in file units.
        chirality: 1 for right-handed axes, -1 for mirrored ones.
    """
    found: dict[str, np.ndarray] = {}
    for side, other in (SIDES, SIDES[::-1]):
        hip, inner = hips[f"{side}_hip"], hips[f"{other}_hip"] - hips[f"{side}_hip"]
        knee = _Joint(points[f"{side}_knee_lateral"], hip, (_KNEE_WIDTH / 2 + _MARKER_RADIUS) * stature)
        lateral = points.get(f"{side}_ankle_lateral")
        torsion = _TIBIAL_TORSION * (chirality if side == "left" else -chirality)
        flexion = np.zeros_like(hip)
        for _ in range(_FLEXION_ROUNDS if lateral is not None else 1):
            wand, medial = (points.get(f"{side}_{role}") for role in ("thigh", "knee_medial"))
            centre, inwards = _centre(knee, inner, flexion, wand, medial)
            found[f"{side}_knee"] = centre
            if lateral is None:
                break
            ankle = _Joint(lateral, centre, (_ANKLE_WIDTH / 2 + _MARKER_RADIUS) * stature)
            wand, medial = (points.get(f"{side}_{role}") for role in ("shank", "ankle_medial"))
            roughly, twisted = (_turned(cue, ankle.along, torsion) for cue in (inwards, flexion))
            found[f"{side}_ankle"], _ = _centre(ankle, roughly, twisted, wand, medial)
            flexion = _flexion_axis(unit(centre - hip), unit(found[f"{side}_ankle"] - centre), inwards)
    return found


def _flexion_axis(thigh: np.ndarray, shank: np.ndarray, inwards: np.ndarray) -> np.ndarray:
    """Return the medial normals (F, 3) of the planes of thigh and shank, as long as the flexion's sine squared.

    The error of a normal's direction grows with the inverse of the sine, so the length is its inverse variance.

    Args:
        thigh: (F, 3) unit vectors from hip to knee.
        shank: (F, 3) unit vectors from knee to ankle.
        inwards: (F, 3) medial directions, roughly.
    """
    normal = np.cross(thigh, shank)
    medial: np.ndarray = normal * lengths(normal)[:, None] * np.sign(np.nansum(dot(normal, inwards)))
    return np.nan_to_num(medial)


def _turned(vectors: np.ndarray, axis: np.ndarray, angle: float) -> np.ndarray:
    """Return the part of *vectors* (F, 3) across the unit vectors *axis* (F, 3), turned about them by *angle*."""
    flat = across(vectors, axis)
    return np.asarray(np.cos(angle) * flat + np.sin(angle) * np.cross(axis, flat))


def _centre(
    joint: _Joint,
    inner: np.ndarray,
    flexion: np.ndarray,
    segment: np.ndarray | None,
    medial: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a joint's centre (F, 3) and its unit medial direction (F, 3).

    Args:
        joint: the joint.
        inner: (F, 3) a rough medial direction.
        flexion: (F, 3) medial axes about which the knee flexes, 0 to 1 long for what they tell.
        segment: (F, 3) the wand marker on the segment above the joint, or None.
        medial: (F, 3) the medial marker of the joint, or None.
    """
    along = joint.along
    roughly = unit(across(inner, along))
    cues = _OTHER_LEG_WEIGHT * np.nan_to_num(roughly) + _FLEXION_WEIGHT * np.nan_to_num(across(flexion, along))
    if medial is not None:
        cues = cues + _MEDIAL_WEIGHT * np.nan_to_num(unit(across(medial - joint.lateral, along)))
    turning = roughly
    wand = across(joint.lateral - segment, along) if segment is not None else np.full_like(along, np.nan)
    if median(lengths(wand)) > _MIN_WAND_DISTANCE * joint.half_width:
        turning = unit(wand)
        if median(dot(turning, unit(cues))) > _LATERAL_COSINE:
            cues = cues + _LATERAL_WAND_WEIGHT * np.nan_to_num(turning)
    normal = np.cross(along, turning)
    angle = float(np.arctan2(np.nansum(dot(cues, normal)), np.nansum(dot(cues, turning))))
    inwards = _turned(turning, along, angle)
    inwards = _fill_directions(joint, inwards, roughly, np.isfinite(inwards).all(-1))
    centre = joint.chord(inwards)
    if medial is not None:
        centre = between(joint.lateral, medial, joint.above, inwards, centre)
    return centre, inwards


def _fill_directions(joint: _Joint, inwards: np.ndarray, roughly: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Return the medial directions *inwards* (F, 3), interpolated in frames that are not *observed* (F,).

    The angle to *roughly* (F, 3), which is known in every frame, is interpolated, so the joint does not jump.
    """
    normal = np.cross(joint.along, roughly)
    angle = np.arctan2(dot(inwards, normal), dot(inwards, roughly))[:, 0]
    known = np.flatnonzero(observed & np.isfinite(angle))
    if known.size == 0:
        return inwards
    usual = np.interp(np.arange(len(angle)), known, np.unwrap(angle[known]))[:, None]
    interpolated = np.cos(usual) * roughly + np.sin(usual) * normal
    return np.where(observed[:, None] | ~np.isfinite(interpolated), inwards, interpolated)


def between(
    lateral: np.ndarray, medial: np.ndarray, above: np.ndarray, inwards: np.ndarray, centre: np.ndarray
) -> np.ndarray:
    """Return the midpoint of both markers (F, 3); where one is hidden, its interpolated position in the segment.

    Args:
        lateral: (F, 3) the joint's lateral marker.
        medial: (F, 3) its medial marker.
        above: (F, 3) the joint above.
        inwards: (F, 3) unit vectors, perpendicular to the line from *lateral* to *above*.
        centre: (F, 3) the fallback if both markers are never visible together.
    """
    middle = mean_of(lateral, medial)
    along = unit(above - lateral)
    axes = np.stack([along, inwards, np.cross(along, inwards)], axis=-1)
    own = np.einsum("fca,fc->fa", axes, middle - lateral)
    known = np.flatnonzero(np.isfinite(own).all(-1))
    if known.size == 0:
        return np.where(np.isfinite(middle), middle, centre)
    frames = np.arange(len(own))
    usual = np.stack([np.interp(frames, known, own[known, axis]) for axis in range(3)], axis=-1)
    placed = lateral + (axes @ usual[..., None])[..., 0]
    placed = np.where(np.isfinite(placed), placed, centre)
    return np.where(np.isfinite(middle), middle, placed)


def feet_with_exchanged_metatarsals(points: Points) -> tuple[str, ...]:
    """Return the sides on which the first metatarsal marker lies more laterally than the fifth.

    The lateral side is that of the lateral ankle marker relative to the line from heel to toe.
    """
    swapped = []
    for side in SIDES:
        roles = ("heel", "ankle_lateral", "knee_lateral", "first_metatarsal", "fifth_metatarsal")
        if not all(f"{side}_{role}" in points for role in roles):
            continue
        heel, ankle, knee, first, fifth = (points[f"{side}_{role}"] for role in roles)
        forward = unit(mean_of(first, fifth) - heel)
        up = unit(across(knee - ankle, forward))
        outwards = unit(across(across(ankle - heel, forward), up))
        if median(dot(fifth - first, outwards)) < 0.0:
            swapped.append(side)
    return tuple(swapped)


def feet(points: Points, stature: float) -> dict[str, np.ndarray]:
    """Return heels, balls and toes (F, 3); a toe marker is on the tip if far from the heel, else on the ball."""
    found: dict[str, np.ndarray] = {}
    for side in SIDES:
        heel, toe = points.get(f"{side}_heel"), points.get(f"{side}_toe")
        ball, outer = points.get(f"{side}_first_metatarsal"), points.get(f"{side}_fifth_metatarsal")
        on_tip = ball is not None
        if toe is not None and heel is not None and ball is None:
            on_tip = median(lengths(toe - heel)) > _MIN_TOE_TIP_DISTANCE * stature
        if ball is not None and outer is not None:
            ball = mean_of(ball, outer)
        places = {"heel": heel, "foot": ball, "big_toe" if on_tip else "foot": toe}
        found.update({f"{side}_{name}": place for name, place in places.items() if place is not None})
    return found
