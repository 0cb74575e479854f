"""Bone lengths, stature and anatomical plausibility of a person's points. F frames; any unit, any axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..layouts import Layout
from ..markers.vectors import densest, lengths, median, present_mean
from ..smpl_skeleton import SIDES

_LEG: tuple[tuple[str, str, float], ...] = (("hip", "knee", 0.245), ("knee", "ankle", 0.246))
_ARM: tuple[tuple[str, str, float], ...] = (("shoulder", "elbow", 0.172), ("elbow", "wrist", 0.146))
_TRUNK_FRACTION = 0.288
"""Segment lengths as fractions of the stature (Winter, after Drillis and Contini)."""
_MAX_STATURE_DEVIATION = 0.4
"""A bone counts for the stature if its length deviates by at most this fraction from what most bones imply."""
_EQUAL_SIDES = 1.15
"""Left and right lengths whose ratio is larger are not averaged: one of them is wrong."""
_USUAL_DEVIATION, _USUAL_HALF_WIDTHS = 0.04, 3.0
"""Usual deviation of a bone's length: as a fraction of the stature (7 cm), and in half-widths of `densest`."""
_MAX_SPREAD = 0.25
"""Largest plausible variation of a bone's length: robust standard deviation over median."""
_MAX_SIDE_RATIO = 1.35
_SLACK = 1.5
"""Factor on the limits that allows for one point that is 0.3 m off, or for a short clip's errors (15 mm)."""
_RATIOS: tuple[tuple[str, str, float, float], ...] = (
    ("thigh", "shank", 0.6, 1.6),
    ("upper arm", "forearm", 0.6, 1.9),
    ("thigh", "upper arm", 0.9, 2.4),
    ("shank", "trunk", 0.5, 1.5),
    ("shoulder width", "trunk", 0.25, 1.2),
    ("hip width", "trunk", 0.1, 0.9),
)
"""Smallest and largest ratios of segment lengths of a human body."""
_SEGMENT_ENDS: dict[str, tuple[str, str]] = {
    "thigh": ("hip", "knee"),
    "shank": ("knee", "ankle"),
    "upper arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
    "shoulder width": ("shoulder", "shoulder"),
    "hip width": ("hip", "hip"),
    "trunk": ("shoulder", "hip"),
}
"""The points of each side between which a segment is measured."""


@dataclass(frozen=True, eq=False)
class Figure:
    """Solver points of one person.

    Attributes:
        points: (F, 3) of each solver point, NaN where missing.
    """

    points: Mapping[str, np.ndarray]

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(next(iter(self.points.values())))

    def first(self, *names: str) -> np.ndarray | None:
        """Return the first existing point of *names* (F, 3), or None."""
        return next((self.points[name] for name in names if name in self.points), None)

    def pair_mean(self, stem: str) -> np.ndarray | None:
        """Return the mean of left and right *stem* (F, 3), NaN where either is missing; None without such points."""
        left, right = (self.points.get(f"{side}_{stem}") for side in SIDES)
        return None if left is None or right is None else np.asarray((left + right) / 2.0)

    def side_line(self, stem: str) -> np.ndarray | None:
        """Return the vectors (F, 3) from right to left *stem*; None without such points."""
        left, right = (self.points.get(f"{side}_{stem}") for side in SIDES)
        return None if left is None or right is None else left - right

    @property
    def hips(self) -> np.ndarray | None:
        """Midpoint of the hips (F, 3)."""
        middle = self.pair_mean("hip")
        return middle if middle is not None else self.first("mid_hip", "pelvis")

    @property
    def shoulders(self) -> np.ndarray | None:
        """Midpoint of the shoulders (F, 3)."""
        middle = self.pair_mean("shoulder")
        return middle if middle is not None else self.first("mid_shoulder", "neck")

    @property
    def feet(self) -> np.ndarray | None:
        """Midpoint of the ankles (F, 3), or the one ankle that is present."""
        ankles = [self.points[name] for name in ("left_ankle", "right_ankle") if name in self.points]
        return present_mean(np.stack(ankles)) if ankles else None

    def bone(self, side: str, top: str, bottom: str) -> np.ndarray | None:
        """Return the lengths (F,) of a limb's bone; None without its points."""
        ends = self.points.get(f"{side}_{top}"), self.points.get(f"{side}_{bottom}")
        return None if ends[0] is None or ends[1] is None else lengths(ends[0] - ends[1])


def figure_of(layout: Layout, positions: np.ndarray) -> Figure:
    """Return the figure of positions (F, K, 3) in *layout*'s order, without points that are always missing."""
    seen = np.isfinite(positions).all(-1).any(0)
    return Figure({name: positions[:, index] for name, index in layout.solver_index.items() if seen[index]})


def stature(figure: Figure) -> float:
    """Estimate the stature from the bone lengths, in the figure's unit; NaN when no bone can be measured.

    Bones whose lengths disagree with most others are ignored: one of their end points is misplaced.
    """
    measured = _measured(figure)
    statures = [length / share for both, share in measured for length in both]
    consensus = median(np.array(statures))
    length = total = 0.0
    for both, share in measured:
        expected = consensus * share
        plausible = [side for side in both if abs(side - expected) <= _MAX_STATURE_DEVIATION * expected]
        if plausible and max(plausible) > _EQUAL_SIDES * min(plausible):
            plausible = [min(plausible, key=lambda side: abs(side - expected))]
        if plausible:
            length += float(np.mean(plausible))
            total += share
    return length / total if total > 0.0 else float("nan")


def _measured(figure: Figure) -> list[tuple[list[float], float]]:
    """Return lengths, left and right, and fractions of the stature: of trunk and legs, or else of the arms."""
    trunk: list[tuple[list[float], float]] = []
    if figure.hips is not None and figure.shoulders is not None:
        trunk.append(([median(lengths(figure.shoulders - figure.hips))], _TRUNK_FRACTION))
    for bones, rest in ((_LEG, trunk), (_ARM, [])):
        found = list(rest)
        for top, bottom, share in bones:
            both = [figure.bone(side, top, bottom) for side in SIDES]
            found.append(([median(bone) for bone in both if bone is not None], share))
        found = [([side for side in both if np.isfinite(side) and side > 0.0], share) for both, share in found]
        if any(both for both, _ in found):
            return found
    return []


def usual_frames(figure: Figure, stem: str, size: float) -> np.ndarray:
    """Return the frames (F,) in which the bones that meet at left and right *stem* have their usual lengths.

    In other frames one of these points is misplaced, so it must not be used. All frames are returned if there is no
    such bone.

    Args:
        figure: the person.
        stem: a limb joint such as "hip".
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
                wrong = np.abs(np.stack(bones) - middle) > max(_USUAL_DEVIATION * size, _USUAL_HALF_WIDTHS * margin)
            usual &= ~wrong.any(axis=0)
    return usual


def spread(values: np.ndarray) -> float:
    """Return the robust standard deviation of the finite values over their median; NaN if that is not above 0."""
    middle = median(values)
    return 1.4826 * median(np.abs(values - middle)) / middle if middle > 0.0 else float("nan")


def _typical_lengths(figure: Figure) -> dict[str, float]:
    """Return the median length of each segment of the figure, left and right pooled."""
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
    """An anatomical implausibility.

    Attributes:
        text: description for the user.
        points: the solver points that it was measured from.
    """

    text: str
    points: frozenset[str]


def anatomy_faults(figure: Figure, slack: float = 1.0) -> list[Fault]:
    """Return anatomical faults: bones of varying length, unequal sides, wrong proportions.

    Args:
        figure: the person.
        slack: factor by which the limits are relaxed.
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
            text = f"the ratio of {first} to {second} is {quotient:.2f}"
            faults.append(Fault(text, _both_sides(*_SEGMENT_ENDS[first], *_SEGMENT_ENDS[second])))
    return faults


def could_be_a_body(figure: Figure, *, strictly: bool) -> bool:
    """Return whether all faults of the bones can be explained by the errors of a single point.

    Args:
        figure: the person.
        strictly: allow only small errors of that point.
    """
    return not faults_of_many(anatomy_faults(figure)) and not (strictly and anatomy_faults(figure, _SLACK))


def faults_of_many(faults: Sequence[Fault]) -> int:
    """Return the number of *faults* left after those of one point, the one that explains most faults, are removed."""
    points = frozenset[str]().union(*(fault.points for fault in faults))
    return min((sum(point not in fault.points for fault in faults) for point in points), default=0)


def _both_sides(*stems: str) -> frozenset[str]:
    return frozenset(f"{side}_{stem}" for stem in stems for side in SIDES)
