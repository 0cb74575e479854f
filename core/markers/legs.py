"""Knees, ankles and feet from optical markers. F frames; file units and file axes throughout.

A marker on the outside of a knee or ankle lies half a joint width from the joint's centre, at a right angle to the line
to the joint above (the chord construction of Davis et al. 1991, Hum. Mov. Sci. 10, 575-587). In which direction around
that line, the segment's own marker tells: it goes around it with the joint. By how much it is turned against the joint
is one angle for the whole clip, found from everything that shows which way is inwards: a marker on the inside, the
plane in which the knee bends, the marker itself where it sits on the outside as Plug-in Gait wants it, and the other
leg. So the centre keeps its place in the segment, and no frame answers differently from the next.
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
"""Joint widths and a marker's radius as shares of the stature (Plug-in Gait's usual adult values over 1.75 m)."""
_TOE_TIP_DISTANCE = 0.148
"""From heel to toe marker, as a share of the stature: the ball of the foot lies nearer, the tip of the toe farther."""
_MIN_WAND = 0.5
"""A segment's marker that is nearer to the line between the joints, in half joint widths, does not tell its turn."""
_OUTSIDE_COSINE = 0.5
_MEDIAL_SAYS, _OUTSIDE_SAYS, _OTHER_SIDE_SAYS = 10.0, 1.0, 0.3
"""What each hint of which way is inwards counts."""
_DISTANCE_SPREAD = 0.3
"""Distances that spread by so much, in half joint widths, count as a hint of weight 1 that is off by 60 degrees."""
_WIDEST_TURN, _NUM_ANGLES = np.radians(45.0), 46


@dataclass(frozen=True)
class _Joint:
    """A knee or an ankle: its outer marker and the joint above (F, 3), and half its width in file units."""

    lateral: np.ndarray
    above: np.ndarray
    half_width: float

    @property
    def along(self) -> np.ndarray:
        """Unit vectors (F, 3) from the marker to the joint above."""
        return unit(self.above - self.lateral)

    def chord(self, inwards: np.ndarray) -> np.ndarray:
        """Return the centre C (F, 3): half a width from the marker, C - marker at a right angle to C - above.

        C lies in the plane of marker, joint above and the direction *inwards* (F, 3), on the side of *inwards*.
        """
        return chord(self.lateral, self.above, inwards, self.half_width)


def chord(marker: np.ndarray, above: np.ndarray, towards: np.ndarray, offset: float) -> np.ndarray:
    """Return the joint centre C (F, 3): |C - marker| is *offset*, C - marker at a right angle to C - above.

    C lies in the plane of *marker*, *above* and the direction *towards* (F, 3), on the side of *towards*.
    """
    line = above - marker
    distance = lengths(line)[:, None]
    along = line / distance
    inwards = unit(across(towards, along))
    ratio = np.clip(offset / distance, 0.0, 1.0)
    return np.asarray(marker + offset * (ratio * along + np.sqrt(1.0 - ratio**2) * inwards))


def knees_and_ankles(points: Points, hips: Points, stature: float) -> dict[str, np.ndarray]:
    """Return both knees and, as far as they are marked, both ankles (F, 3).

    Args:
        points: (F, 3) of each role.
        hips: (F, 3) of both hips.
        stature: in file units.
    """
    found: dict[str, np.ndarray] = {}
    for side, other in (SIDES, SIDES[::-1]):

        def marker(role: str, side: str = side) -> np.ndarray | None:
            return points.get(f"{side}_{role}")

        def those(*roles: str, side: str = side) -> tuple[np.ndarray, ...]:
            return tuple(points[f"{side}_{role}"] for role in roles if f"{side}_{role}" in points)

        inner = hips[f"{other}_hip"] - hips[f"{side}_hip"]
        half = (_KNEE_WIDTH / 2 + _MARKER_RADIUS) * stature
        knee = _Joint(points[f"{side}_knee_lateral"], hips[f"{side}_hip"], half)
        below = those("ankle_lateral", "shank")
        found[f"{side}_knee"], inwards = _centre(knee, marker("thigh"), marker("knee_medial"), inner, below)
        lateral = marker("ankle_lateral")
        if lateral is not None:
            ankle = _Joint(lateral, found[f"{side}_knee"], (_ANKLE_WIDTH / 2 + _MARKER_RADIUS) * stature)
            below = those("heel", "toe", "fifth_metatarsal", "first_metatarsal")
            found[f"{side}_ankle"], _ = _centre(ankle, marker("shank"), marker("ankle_medial"), inwards, below)
    return found


def _centre(
    joint: _Joint,
    segment: np.ndarray | None,
    medial: np.ndarray | None,
    inner: np.ndarray,
    below: tuple[np.ndarray, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Return a joint's centre (F, 3) and the unit direction inwards (F, 3).

    Args:
        joint: the joint.
        segment: (F, 3) the marker on the segment above the joint, or None.
        medial: (F, 3) the marker on the joint's inside, or None.
        inner: (F, 3) roughly inwards.
        below: markers (F, 3) on the segment below the joint.
    """
    along = joint.along
    roughly = unit(across(inner, along))
    told = _OTHER_SIDE_SAYS * np.nan_to_num(roughly)
    shown = np.ones(len(along), dtype=bool)
    if medial is not None:
        told = told + _MEDIAL_SAYS * np.nan_to_num(unit(across(medial - joint.lateral, along)))
        shown = np.isfinite(medial).all(-1)
    inwards = unit(told)
    wand = across(joint.lateral - segment, along) if segment is not None else np.full_like(along, np.nan)
    if median(lengths(wand)) > _MIN_WAND * joint.half_width:
        wand = unit(wand)
        if median(dot(wand, inwards)) > _OUTSIDE_COSINE:
            told = told + _OUTSIDE_SAYS * np.nan_to_num(wand)
        turned = _turned(joint, wand, told, below)
        shown = np.isfinite(turned).all(-1)
        inwards = np.where(np.isfinite(turned), turned, inwards)
    inwards = _kept(joint, inwards, roughly, shown)
    centre = joint.chord(inwards)
    if medial is not None:
        centre = between(joint.lateral, medial, joint.above, inwards, centre)
    return centre, inwards


def _kept(joint: _Joint, inwards: np.ndarray, roughly: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Return the unit directions *inwards* (F, 3), and where they are not *shown* (F,), as before and after.

    Seen from *roughly* (F, 3), which is told throughout: from one frame to the next the joint stays where it is.
    """
    square = np.cross(joint.along, roughly)
    angle = np.arctan2(dot(inwards, square), dot(inwards, roughly))[:, 0]
    known = np.flatnonzero(shown & np.isfinite(angle))
    if known.size == 0:
        return inwards
    usual = np.interp(np.arange(len(angle)), known, np.unwrap(angle[known]))[:, None]
    kept = np.cos(usual) * roughly + np.sin(usual) * square
    return np.where(shown[:, None] | ~np.isfinite(kept), inwards, kept)


def _turned(joint: _Joint, wand: np.ndarray, told: np.ndarray, below: tuple[np.ndarray, ...]) -> np.ndarray:
    """Return *wand* (F, 3) turned by the clip's one angle about the line to the joint above.

    With it the joint's centre keeps its distances from the markers *below* the joint best, and lies where the hints
    *told* (F, 3).
    """
    square = np.cross(joint.along, wand)
    cosine, sine = np.nansum(dot(told, wand)), np.nansum(dot(told, square))
    strength = np.hypot(cosine, sine) / max(int(np.isfinite(wand).all(-1).sum()), 1)
    hinted = np.arctan2(sine, cosine)
    best = (np.inf, wand)
    for angle in hinted + np.linspace(-_WIDEST_TURN, _WIDEST_TURN, _NUM_ANGLES):
        inwards = np.cos(angle) * wand + np.sin(angle) * square
        centre = joint.chord(inwards)
        spreads = [_spread(lengths(centre - marker)) for marker in below]
        cost = sum(spread**2 for spread in spreads) / (_DISTANCE_SPREAD * joint.half_width) ** 2
        cost += 2.0 * strength * (1.0 - np.cos(angle - hinted))
        if cost < best[0]:
            best = (cost, inwards)
    return np.asarray(best[1])


def _spread(values: np.ndarray) -> float:
    """Return the standard deviation of the finite values, 0 where there are fewer than two."""
    finite = values[np.isfinite(values)]
    return float(np.std(finite)) if finite.size > 1 else 0.0


def between(
    lateral: np.ndarray, medial: np.ndarray, above: np.ndarray, inwards: np.ndarray, centre: np.ndarray
) -> np.ndarray:
    """Return the middle of both sides' markers; where one is hidden, where it was in the segment before and after.

    Args:
        lateral: (F, 3) the joint's outer marker.
        medial: (F, 3) its inner one.
        above: (F, 3) the joint above.
        inwards: (F, 3) unit vectors, at a right angle to the line from *lateral* to *above*.
        centre: (F, 3) the answer where both markers are never seen together.
    """
    middle = mean_of(lateral, medial)
    along = unit(above - lateral)
    axes = np.stack([along, inwards, np.cross(along, inwards)], axis=-1)
    own = np.einsum("fca,fc->fa", axes, middle - lateral)
    told = np.flatnonzero(np.isfinite(own).all(-1))
    if told.size == 0:
        return np.where(np.isfinite(middle), middle, centre)
    frames = np.arange(len(own))
    usual = np.stack([np.interp(frames, told, own[told, axis]) for axis in range(3)], axis=-1)
    placed = lateral + (axes @ usual[..., None])[..., 0]
    placed = np.where(np.isfinite(placed), placed, centre)
    return np.where(np.isfinite(middle), middle, placed)


def feet_with_exchanged_metatarsals(points: Points) -> tuple[str, ...]:
    """Return the sides whose first metatarsal is marked nearer to the outside of the foot than the fifth.

    The outside is where the outer marker of the ankle lies, seen along the line from heel to toe.
    """
    exchanged = []
    for side in SIDES:
        roles = ("heel", "ankle_lateral", "knee_lateral", "first_metatarsal", "fifth_metatarsal")
        if not all(f"{side}_{role}" in points for role in roles):
            continue
        heel, ankle, knee, first, fifth = (points[f"{side}_{role}"] for role in roles)
        forward = unit(mean_of(first, fifth) - heel)
        up = unit(across(knee - ankle, forward))
        outwards = unit(across(across(ankle - heel, forward), up))
        if median(dot(fifth - first, outwards)) < 0.0:
            exchanged.append(side)
    return tuple(exchanged)


def feet(points: Points, stature: float) -> dict[str, np.ndarray]:
    """Heels, balls and toes: a toe marker far from the heel is on the tip, a near one on the ball of the foot."""
    found: dict[str, np.ndarray] = {}
    for side in SIDES:
        heel, toe = points.get(f"{side}_heel"), points.get(f"{side}_toe")
        ball, outer = points.get(f"{side}_first_metatarsal"), points.get(f"{side}_fifth_metatarsal")
        on_tip = ball is not None
        if toe is not None and heel is not None and ball is None:
            on_tip = median(lengths(toe - heel)) > _TOE_TIP_DISTANCE * stature
        if ball is not None and outer is not None:
            ball = mean_of(ball, outer)
        places = {"heel": heel, "small_toe": outer, "foot": ball, "big_toe" if on_tip else "foot": toe}
        found.update({f"{side}_{name}": place for name, place in places.items() if place is not None})
    return found
