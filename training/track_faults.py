"""What goes wrong with a track for a while: outliers, a limb that is hidden, legs that are traded. F frames, K points.

A fault says where it is, so that frames outside it can be compared with what they were without it. Convention: metres.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .realistic_errors import add_outlier_run, hide_points, trade_points

_LIMB_ENDS = {
    "arm": ("elbow", "wrist", "hand", "knuckle"),
    "leg": ("knee", "ankle", "foot", "heel", "big_toe", "small_toe"),
}
_GAP_FRAMES = 10


class Fault(ABC):
    """Something that happens to a track for some frames."""

    @abstractmethod
    def num_frames(self, fps: float) -> int:
        """Return how many frames it lasts at *fps*."""

    @abstractmethod
    def apply(
        self, points: np.ndarray, names: Sequence[str], fps: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, slice]:
        """Return *points* (F, K, 3) with the fault, and the frames it is in.

        Args:
            points: (F, K, 3) metres, NaN where missing.
            names: (K,) solver points.
            fps: frames per second.
            generator: draws which point and where.
        """

    def baseline(self) -> Fault | None:
        """Return what a track without the fault has in its place; None for nothing."""
        return None


class CountedFault(Fault):
    """A fault that lasts the same number of frames at any frame rate."""

    frames: int

    def num_frames(self, fps: float) -> int:
        """Return how many frames it lasts."""
        return self.frames


@dataclass(frozen=True)
class OutlierRun(CountedFault):
    """One point is off by one vector for a run of frames, anywhere in the clip.

    Attributes:
        distance_m: how far off.
        frames: how long.
    """

    distance_m: float
    frames: int

    def apply(
        self, points: np.ndarray, names: Sequence[str], fps: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, slice]:
        """Move a point that the generator draws; the same one, whatever the distance and the length."""
        column, first = _drawn_place(points, self.frames, generator)
        run = slice(first, first + self.frames)
        return add_outlier_run(points, column, run, self.distance_m, generator), run


@dataclass(frozen=True)
class OutlierBeforeGap(CountedFault):
    """One point is off in one frame, then missing for ten.

    Attributes:
        distance_m: how far off.
    """

    distance_m: float
    frames: int = field(default=1 + _GAP_FRAMES, init=False)

    def apply(
        self, points: np.ndarray, names: Sequence[str], fps: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, slice]:
        """Move and hide a point that the generator draws; the same one, whatever the distance."""
        column, first = _drawn_place(points, self.frames, generator)
        run = slice(first, first + self.frames)
        moved = add_outlier_run(points, column, slice(first, first + 1), self.distance_m, generator)
        return hide_points(moved, [column], slice(first + 1, run.stop)), run

    def baseline(self) -> Fault | None:
        """Return the gap alone."""
        return replace(self, distance_m=0.0)


@dataclass(frozen=True)
class HiddenLimb(Fault):
    """The left arm from the elbow, or the left leg from the knee, is missing in the middle of the clip.

    Attributes:
        limb: "arm" or "leg".
        seconds: how long.
    """

    limb: str
    seconds: float

    def num_frames(self, fps: float) -> int:
        """Return how many frames it lasts at *fps*."""
        return round(self.seconds * fps)

    def apply(
        self, points: np.ndarray, names: Sequence[str], fps: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, slice]:
        """Hide the limb's points."""
        run = _middle(len(points), self.num_frames(fps))
        columns = [index for index, name in enumerate(names) if _on_limb(name, "left", self.limb)]
        return hide_points(points, columns, run), run


@dataclass(frozen=True)
class TradedLegs(CountedFault):
    """Left and right legs, from the knees, have traded names in the middle of the clip.

    Attributes:
        frames: how long.
    """

    frames: int

    def apply(
        self, points: np.ndarray, names: Sequence[str], fps: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, slice]:
        """Trade the legs' points."""
        run = _middle(len(points), self.frames)
        at = {name: index for index, name in enumerate(names)}
        pairs = [(at[name], at[name.replace("left", "right", 1)]) for name in names if _on_limb(name, "left", "leg")]
        return trade_points(points, pairs, run), run


def _drawn_place(points: np.ndarray, length: int, generator: np.random.Generator) -> tuple[int, int]:
    """Return a point's column, and a first frame that leaves room for *length* frames."""
    column, share = int(generator.integers(points.shape[1])), generator.random()
    return column, int(share * (len(points) - length + 1))


def _middle(num_frames: int, length: int) -> slice:
    first = (num_frames - length) // 2
    return slice(first, first + length)


def _on_limb(name: str, side: str, limb: str) -> bool:
    return name.startswith(f"{side}_") and name.endswith(_LIMB_ENDS[limb])
