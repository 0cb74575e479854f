"""Estimate knees, ankles and feet from optical markers. F frames; file units and file axes throughout.

A lateral marker of a knee or ankle lies half a joint width from the joint centre, at a right angle to the line to the
joint above (the chord construction of Davis et al. 1991, Hum. Mov. Sci. 10, 575-587). The direction around that line
follows the wand marker of the segment, which rotates with the joint. The angle between wand and joint is constant over
the clip. It is estimated from all cues of the medial direction: a medial marker, the plane in which the knee flexes,
the wand itself if it is placed laterally as in Plug-in Gait, and the other leg. So the centre is fixed in the segment
and does not jump between frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .vectors import across, dot, lengths, mean_of, median, unit

Points = Mapping[str, np.ndarray]

SIDES = ("left", "right")
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
_MEDIAL_WEIGHT, _LATERAL_WAND_WEIGHT, _OTHER_LEG_WEIGHT = 10.0, 1.0, 0.3
"""Weights of the cues of the medial direction: medial marker, lateral wand, other leg."""
_DISTANCE_SPREAD = 0.3
"""A standard deviation of distances of this size, in half joint widths, costs as much as a cue of weight 1 that is off
by 60 degrees."""
_MAX_ANGLE, _NUM_ANGLES = np.radians(45.0), 46


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


def knees_and_ankles(points: Points, hips: Points, stature: float) -> dict[str, np.ndarray]:
    """Return both knees and, if they are marked, both ankles (F, 3).

    Args:
        points: (F, 3) of each role.
        hips: (F, 3) of both hips.
        stature: in file units.
    """
    found: dict[str, np.ndarray] = {}
    for side, other in (SIDES, SIDES[::-1]):

        def marker(role: str, side: str = side) -> np.ndarray | None:
            return points.get(f"{side}_{role}")

        def existing(*roles: str, side: str = side) -> tuple[np.ndarray, ...]:
            return tuple(points[f"{side}_{role}"] for role in roles if f"{side}_{role}" in points)

        inner = hips[f"{other}_hip"] - hips[f"{side}_hip"]
        half = (_KNEE_WIDTH / 2 + _MARKER_RADIUS) * stature
        knee = _Joint(points[f"{side}_knee_lateral"], hips[f"{side}_hip"], half)
        below = existing("ankle_lateral", "shank")
        found[f"{side}_knee"], inwards = _centre(knee, marker("thigh"), marker("knee_medial"), inner, below)
        lateral = marker("ankle_lateral")
        if lateral is not None:
            ankle = _Joint(lateral, found[f"{side}_knee"], (_ANKLE_WIDTH / 2 + _MARKER_RADIUS) * stature)
            below = existing("heel", "toe", "fifth_metatarsal", "first_metatarsal")
            found[f"{side}_ankle"], _ = _centre(ankle, marker("shank"), marker("ankle_medial"), inwards, below)
    return found


def _centre(
    joint: _Joint,
    segment: np.ndarray | None,
    medial: np.ndarray | None,
    inner: np.ndarray,
    below: tuple[np.ndarray, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Return a joint's centre (F, 3) and its unit medial direction (F, 3).

    Args:
        joint: the joint.
        segment: (F, 3) the wand marker on the segment above the joint, or None.
        medial: (F, 3) the medial marker of the joint, or None.
        inner: (F, 3) a rough medial direction.
        below: markers (F, 3) on the segment below the joint.
    """
    along = joint.along
    roughly = unit(across(inner, along))
    cues = _OTHER_LEG_WEIGHT * np.nan_to_num(roughly)
    observed = np.ones(len(along), dtype=bool)
    if medial is not None:
        cues = cues + _MEDIAL_WEIGHT * np.nan_to_num(unit(across(medial - joint.lateral, along)))
        observed = np.isfinite(medial).all(-1)
    inwards = unit(cues)
    wand = across(joint.lateral - segment, along) if segment is not None else np.full_like(along, np.nan)
    if median(lengths(wand)) > _MIN_WAND_DISTANCE * joint.half_width:
        wand = unit(wand)
        if median(dot(wand, inwards)) > _LATERAL_COSINE:
            cues = cues + _LATERAL_WAND_WEIGHT * np.nan_to_num(wand)
        rotated = _rotate_wand(joint, wand, cues, below)
        observed = np.isfinite(rotated).all(-1)
        inwards = np.where(np.isfinite(rotated), rotated, inwards)
    inwards = _fill_directions(joint, inwards, roughly, observed)
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


def _rotate_wand(joint: _Joint, wand: np.ndarray, cues: np.ndarray, below: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return *wand* (F, 3) rotated about the line to the joint above by the clip's constant angle.

    The angle minimises the variation of the joint centre's distances to the markers *below* the joint, plus the
    deviation from the weighted cues *cues* (F, 3) of the medial direction.
    """
    normal = np.cross(joint.along, wand)
    cosine, sine = np.nansum(dot(cues, wand)), np.nansum(dot(cues, normal))
    strength = np.hypot(cosine, sine) / max(int(np.isfinite(wand).all(-1).sum()), 1)
    cue_angle = np.arctan2(sine, cosine)
    best = (np.inf, wand)
    for angle in cue_angle + np.linspace(-_MAX_ANGLE, _MAX_ANGLE, _NUM_ANGLES):
        inwards = np.cos(angle) * wand + np.sin(angle) * normal
        centre = joint.chord(inwards)
        spreads = [_spread(lengths(centre - marker)) for marker in below]
        cost = sum(spread**2 for spread in spreads) / (_DISTANCE_SPREAD * joint.half_width) ** 2
        cost += 2.0 * strength * (1.0 - np.cos(angle - cue_angle))
        if cost < best[0]:
            best = (cost, inwards)
    return np.asarray(best[1])


def _spread(values: np.ndarray) -> float:
    """Return the standard deviation of the finite values; 0 if there are fewer than two."""
    finite = values[np.isfinite(values)]
    return float(np.std(finite)) if finite.size > 1 else 0.0


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
        places = {"heel": heel, "small_toe": outer, "foot": ball, "big_toe" if on_tip else "foot": toe}
        found.update({f"{side}_{name}": place for name, place in places.items() if place is not None})
    return found
