"""A person as the points found so far, and what anatomy says about them. F frames; any unit, any axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..layouts import Layout
from .vectors import lengths, median, present_mean

SIDES = ("left", "right")
_LEG: tuple[tuple[str, str, float], ...] = (("hip", "knee", 0.245), ("knee", "ankle", 0.246))
_ARM: tuple[tuple[str, str, float], ...] = (("shoulder", "elbow", 0.172), ("elbow", "wrist", 0.146))
_TRUNK_OF_STATURE = 0.288
"""Segment lengths as shares of the stature (Winter, after Drillis and Contini)."""
_MAX_SPREAD = 0.25
"""How much a bone's length may vary, as a robust standard deviation over its median."""
_MAX_SIDE_RATIO = 1.35
_RATIOS: tuple[tuple[str, str, float, float], ...] = (
    ("thigh", "shank", 0.6, 1.6),
    ("upper arm", "forearm", 0.6, 1.9),
    ("thigh", "upper arm", 0.9, 2.4),
    ("shank", "trunk", 0.5, 1.5),
    ("shoulder width", "trunk", 0.25, 1.2),
    ("hip width", "trunk", 0.1, 0.9),
)
"""Quotients of lengths that every body keeps, lowest and highest."""


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
    """Return the stature that the medians of the bone lengths tell, in the figure's unit; NaN when none is known."""
    for bones, with_trunk in ((_LEG, True), (_ARM, False)):
        length = share = 0.0
        for top, bottom, of_stature in bones:
            both = [figure.bone(side, top, bottom) for side in SIDES]
            known = [median(bone) for bone in both if bone is not None]
            known = [bone for bone in known if np.isfinite(bone)]
            if known:
                length += float(np.mean(known))
                share += of_stature
        if with_trunk and figure.hips is not None and figure.shoulders is not None:
            trunk = median(lengths(figure.shoulders - figure.hips))
            if np.isfinite(trunk):
                length += trunk
                share += _TRUNK_OF_STATURE
        if share > 0.0:
            return length / share
    return float("nan")


def _spread(values: np.ndarray) -> float:
    middle = median(values)
    return 1.4826 * median(np.abs(values - middle)) / middle if middle > 0.0 else float("nan")


def _typical_lengths(figure: Figure) -> dict[str, float]:
    """Median lengths of the segments that the figure has, both sides together."""
    found: dict[str, float] = {}
    for name, top, bottom in (
        ("thigh", "hip", "knee"),
        ("shank", "knee", "ankle"),
        ("upper arm", "shoulder", "elbow"),
        ("forearm", "elbow", "wrist"),
    ):
        bones = [bone for side in SIDES if (bone := figure.bone(side, top, bottom)) is not None]
        if bones:
            found[name] = median(np.concatenate(bones))
    for name, line in (("shoulder width", figure.side_line("shoulder")), ("hip width", figure.side_line("hip"))):
        if line is not None:
            found[name] = median(lengths(line))
    if figure.hips is not None and figure.shoulders is not None:
        found["trunk"] = median(lengths(figure.shoulders - figure.hips))
    return {name: length for name, length in found.items() if np.isfinite(length) and length > 0.0}


def anatomy_faults(figure: Figure) -> list[str]:
    """Return, in words, what no body is like: bones that change length, unequal sides, wrong proportions."""
    faults: list[str] = []
    for top, bottom, _ in (*_LEG, *_ARM):
        bones = {side: bone for side in SIDES if (bone := figure.bone(side, top, bottom)) is not None}
        for side, bone in bones.items():
            if (spread := _spread(bone)) > _MAX_SPREAD:
                faults.append(f"the length from {side} {top} to {side} {bottom} varies by {spread:.0%}")
        if len(bones) == 2:
            left, right = median(bones["left"]), median(bones["right"])
            if max(left, right) > _MAX_SIDE_RATIO * min(left, right):
                faults.append(f"{top} to {bottom} is {left:.4g} on the left but {right:.4g} on the right")
    typical = _typical_lengths(figure)
    for first, second, low, high in _RATIOS:
        if first in typical and second in typical and not low <= typical[first] / typical[second] <= high:
            faults.append(f"{first} over {second} is {typical[first] / typical[second]:.2f}")
    return faults
