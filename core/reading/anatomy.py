"""A person as the points found so far, and what anatomy says about them. F frames; any unit, any axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..layouts import Layout
from ..markers.vectors import densest, lengths, median, present_mean

SIDES = ("left", "right")
_LEG: tuple[tuple[str, str, float], ...] = (("hip", "knee", 0.245), ("knee", "ankle", 0.246))
_ARM: tuple[tuple[str, str, float], ...] = (("shoulder", "elbow", 0.172), ("elbow", "wrist", 0.146))
_TRUNK_OF_STATURE = 0.288
"""Segment lengths as shares of the stature (Winter, after Drillis and Contini)."""
_MAX_OFF_STATURE = 0.4
"""How far off, of what most bones tell, a bone's length may be to count for the stature."""
_EQUAL_SIDES = 1.15
"""Sides that differ by more are not averaged: one is measured wrong."""
_USUAL_OF_STATURE, _USUAL_TIMES = 0.04, 3.0
"""By how much a bone's length may be off: as a share of the stature (7 cm), and in half-widths of `densest`."""
_MAX_SPREAD = 0.25
"""How much a bone's length may vary, as a robust standard deviation over its median."""
_MAX_SIDE_RATIO = 1.35
_SLACK = 1.5
"""How many times farther off bones may be for one point that is 0.3 m off, or for a short clip's errors (15 mm)."""
_RATIOS: tuple[tuple[str, str, float, float], ...] = (
    ("thigh", "shank", 0.6, 1.6),
    ("upper arm", "forearm", 0.6, 1.9),
    ("thigh", "upper arm", 0.9, 2.4),
    ("shank", "trunk", 0.5, 1.5),
    ("shoulder width", "trunk", 0.25, 1.2),
    ("hip width", "trunk", 0.1, 0.9),
)
"""Quotients of lengths that every body keeps, lowest and highest."""
_SEGMENT_ENDS: dict[str, tuple[str, str]] = {
    "thigh": ("hip", "knee"),
    "shank": ("knee", "ankle"),
    "upper arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
    "shoulder width": ("shoulder", "shoulder"),
    "hip width": ("hip", "hip"),
    "trunk": ("shoulder", "hip"),
}
"""The points of each side that a segment is measured between."""


@dataclass(frozen=True, eq=False)
class Figure:
    """Solver points of one person.

    Attributes:
        points: (F, 3) of each solver point, NaN where missing.
    """

    points: Mapping[str, np.ndarray]

    @property
    def num_frames(self) -> int:
        """How many frames."""
        return len(next(iter(self.points.values())))

    def first(self, *names: str) -> np.ndarray | None:
        """Return the first of *names* that the figure has, or None."""
        return next((self.points[name] for name in names if name in self.points), None)

    def pair_mean(self, stem: str) -> np.ndarray | None:
        """Return the mean of left and right *stem* (F, 3), missing where one of them is, or None."""
        left, right = (self.points.get(f"{side}_{stem}") for side in SIDES)
        return None if left is None or right is None else np.asarray((left + right) / 2.0)

    def side_line(self, stem: str) -> np.ndarray | None:
        """Return the vectors (F, 3) from right to left *stem*, or None."""
        left, right = (self.points.get(f"{side}_{stem}") for side in SIDES)
        return None if left is None or right is None else left - right

    @property
    def hips(self) -> np.ndarray | None:
        """The middle of the hips (F, 3)."""
        middle = self.pair_mean("hip")
        return middle if middle is not None else self.first("mid_hip", "pelvis")

    @property
    def shoulders(self) -> np.ndarray | None:
        """The middle of the shoulders (F, 3)."""
        middle = self.pair_mean("shoulder")
        return middle if middle is not None else self.first("mid_shoulder", "neck")

    @property
    def feet(self) -> np.ndarray | None:
        """The middle of the ankles (F, 3), of one ankle where the other is missing."""
        ankles = [self.points[name] for name in ("left_ankle", "right_ankle") if name in self.points]
        return present_mean(np.stack(ankles)) if ankles else None

    def bone(self, side: str, top: str, bottom: str) -> np.ndarray | None:
        """Return the lengths (F,) of a limb's bone, or None."""
        ends = self.points.get(f"{side}_{top}"), self.points.get(f"{side}_{bottom}")
        return None if ends[0] is None or ends[1] is None else lengths(ends[0] - ends[1])


def figure_of(layout: Layout, positions: np.ndarray) -> Figure:
    """Return the figure of positions (F, K, 3) in *layout*'s order; points that are never seen are left out."""
    seen = np.isfinite(positions).all(-1).any(0)
    return Figure({name: positions[:, index] for name, index in layout.solver_index.items() if seen[index]})


def stature(figure: Figure) -> float:
    """Return the stature that the bone lengths tell, in the figure's unit; NaN when none is known.

    A bone that tells quite another stature than most does not count: one of its ends was somewhere else.
    """
    measured = _measured(figure)
    told = [length / share for lengths_of, share in measured for length in lengths_of]
    consensus = median(np.array(told))
    length = total = 0.0
    for lengths_of, share in measured:
        expected = consensus * share
        likely = [one for one in lengths_of if abs(one - expected) <= _MAX_OFF_STATURE * expected]
        if likely and max(likely) > _EQUAL_SIDES * min(likely):
            likely = [min(likely, key=lambda one: abs(one - expected))]
        if likely:
            length += float(np.mean(likely))
            total += share
    return length / total if total > 0.0 else float("nan")


def _measured(figure: Figure) -> list[tuple[list[float], float]]:
    """Return the lengths of legs and trunk, or of arms where these are not seen: left and right, share of stature."""
    trunk: list[tuple[list[float], float]] = []
    if figure.hips is not None and figure.shoulders is not None:
        trunk.append(([median(lengths(figure.shoulders - figure.hips))], _TRUNK_OF_STATURE))
    for bones, rest in ((_LEG, trunk), (_ARM, [])):
        found = list(rest)
        for top, bottom, share in bones:
            both = [figure.bone(side, top, bottom) for side in SIDES]
            found.append(([median(bone) for bone in both if bone is not None], share))
        found = [([one for one in some if np.isfinite(one) and one > 0.0], share) for some, share in found]
        if any(some for some, _ in found):
            return found
    return []


def usual_frames(figure: Figure, stem: str, size: float) -> np.ndarray:
    """Return the frames (F,) in which the bones that meet at left and right *stem* have their usual length.

    Elsewhere one of these points is off, and what it says of sides and places does not count. Where no such bone is
    seen, every frame is one.

    Args:
        figure: the person.
        stem: a joint of the limbs, such as "hip".
        size: the person's stature in the figure's unit.
    """
    usual = np.ones(figure.num_frames, dtype=bool)
    for top, bottom, _ in (*_LEG, *_ARM):
        if stem not in (top, bottom):
            continue
        bones = [bone for side in SIDES if (bone := figure.bone(side, top, bottom)) is not None]
        if bones:
            middle, margin = densest(np.stack(bones))
            with np.errstate(invalid="ignore"):
                wrong = np.abs(np.stack(bones) - middle) > max(_USUAL_OF_STATURE * size, _USUAL_TIMES * margin)
            usual &= ~wrong.any(axis=0)
    return usual


def spread(values: np.ndarray) -> float:
    """Return the robust standard deviation of the finite values as a share of their median; NaN when that is none."""
    middle = median(values)
    return 1.4826 * median(np.abs(values - middle)) / middle if middle > 0.0 else float("nan")


def _typical_lengths(figure: Figure) -> dict[str, float]:
    """Median lengths of the segments that the figure has, both sides together."""
    found: dict[str, float] = {}
    for name in ("thigh", "shank", "upper arm", "forearm"):
        top, bottom = _SEGMENT_ENDS[name]
        bones = [bone for side in SIDES if (bone := figure.bone(side, top, bottom)) is not None]
        if bones:
            found[name] = median(np.concatenate(bones))
    for name, line in (("shoulder width", figure.side_line("shoulder")), ("hip width", figure.side_line("hip"))):
        if line is not None:
            found[name] = median(lengths(line))
    if figure.hips is not None and figure.shoulders is not None:
        found["trunk"] = median(lengths(figure.shoulders - figure.hips))
    return {name: length for name, length in found.items() if np.isfinite(length) and length > 0.0}


@dataclass(frozen=True)
class Fault:
    """What no body is like.

    Attributes:
        text: what it is, in words.
        points: the solver points that it was measured by.
    """

    text: str
    points: frozenset[str]


def anatomy_faults(figure: Figure, slack: float = 1.0) -> list[Fault]:
    """Return what no body is like: bones that change length, unequal sides, wrong proportions.

    Args:
        figure: the person.
        slack: how many times farther off than is taken for odd something is at least.
    """
    faults: list[Fault] = []
    for top, bottom, _ in (*_LEG, *_ARM):
        bones = {side: bone for side in SIDES if (bone := figure.bone(side, top, bottom)) is not None}
        for side, bone in bones.items():
            if (share := spread(bone)) > slack * _MAX_SPREAD:
                text = f"the length from {side} {top} to {side} {bottom} varies by {share:.0%}"
                faults.append(Fault(text, frozenset((f"{side}_{top}", f"{side}_{bottom}"))))
        if len(bones) == 2:
            left, right = median(bones["left"]), median(bones["right"])
            if max(left, right) > slack * _MAX_SIDE_RATIO * min(left, right):
                text = f"{top} to {bottom} is {left:.4g} on the left but {right:.4g} on the right"
                faults.append(Fault(text, _both_sides(top, bottom)))
    typical = _typical_lengths(figure)
    for first, second, low, high in _RATIOS:
        quotient = typical[first] / typical[second] if first in typical and second in typical else float("nan")
        if quotient < low / slack or quotient > slack * high:
            text = f"{first} over {second} is {quotient:.2f}"
            faults.append(Fault(text, _both_sides(*_SEGMENT_ENDS[first], *_SEGMENT_ENDS[second])))
    return faults


def could_be_a_body(figure: Figure, *, strictly: bool) -> bool:
    """Return whether nothing is wrong with the bones but what errors of one point make of them.

    Args:
        figure: the person.
        strictly: these errors are small.
    """
    return not faults_of_many(anatomy_faults(figure)) and not (strictly and anatomy_faults(figure, _SLACK))


def faults_of_many(faults: Sequence[Fault]) -> int:
    """Return how many *faults* are left when those of one point are not counted, whichever explains most of them."""
    points = frozenset[str]().union(*(fault.points for fault in faults))
    return min((sum(point not in fault.points for fault in faults) for point in points), default=0)


def _both_sides(*stems: str) -> frozenset[str]:
    return frozenset(f"{side}_{stem}" for stem in stems for side in SIDES)
