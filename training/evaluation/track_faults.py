"""Temporary faults of a track: outliers, a hidden limb, swapped legs. F frames, K points.

A fault returns its frames, so that the other frames can be compared with a fit without it. Convention: metres.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .realistic_errors import add_outlier_run, hide_points, swap_points

_LIMB_ENDS = {
    "arm": ("elbow", "wrist", "hand", "knuckle"),
    "leg": ("knee", "ankle", "foot", "heel", "big_toe", "small_toe"),
}
_GAP_FRAMES = 10


class Fault(ABC):
    """A fault of a track in a range of frames."""

    @abstractmethod
    def num_frames(self, fps: float) -> int:
        """Return the fault's duration in frames at *fps*."""

    @abstractmethod
    def apply(
        self, points: np.ndarray, names: Sequence[str], fps: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, slice]:
        """Return *points* (F, K, 3) with the fault, and the fault's frames.

        Args:
            points: (F, K, 3) metres, NaN where missing.
            names: (K,) solver points.
            fps: frames per second.
            generator: draws the point and the position.
        """

    def baseline(self) -> Fault | None:
        """Return the fault of the track to compare with, or None for no fault."""
        return None


class CountedFault(Fault):
    """A fault with the same number of frames at any frame rate."""

    frames: int

    def num_frames(self, fps: float) -> int:
        """Return the fault's duration in frames."""
        return self.frames


@dataclass(frozen=True)
class OutlierRun(CountedFault):
    """One point is offset by a constant vector in a run of frames, anywhere in the clip.

    Attributes:
        distance_m: length of the offset.
        frames: number of frames.
    """

    distance_m: float
    frames: int

    def apply(
        self, points: np.ndarray, names: Sequence[str], fps: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, slice]:
        """Move a randomly drawn point; the draw does not depend on distance and length."""
        column, first = _draw_column_and_frame(points, self.frames, generator)
        run = slice(first, first + self.frames)
        return add_outlier_run(points, column, run, self.distance_m, generator), run


@dataclass(frozen=True)
class OutlierBeforeGap(CountedFault):
    """One point is offset in one frame and then missing for ten.

    Attributes:
        distance_m: length of the offset.
    """

    distance_m: float
    frames: int = field(default=1 + _GAP_FRAMES, init=False)

    def apply(
        self, points: np.ndarray, names: Sequence[str], fps: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, slice]:
        """Move and hide a randomly drawn point; the draw does not depend on the distance."""
        column, first = _draw_column_and_frame(points, self.frames, generator)
        run = slice(first, first + self.frames)
        moved = add_outlier_run(points, column, slice(first, first + 1), self.distance_m, generator)
        return hide_points(moved, [column], slice(first + 1, run.stop)), run

    def baseline(self) -> Fault | None:
        """Return the gap alone."""
        return replace(self, distance_m=0.0)


@dataclass(frozen=True)
class MovedPerson(CountedFault):
    """All points are offset by the same vector in the middle of the clip, as when a tracker takes another person.

    Attributes:
        distance_m: length of the offset.
        frames: number of frames.
    """

    distance_m: float
    frames: int

    def apply(
        self, points: np.ndarray, names: Sequence[str], fps: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, slice]:
        """Move all points in a randomly drawn direction."""
        run = _middle(len(points), self.frames)
        return add_outlier_run(points, slice(None), run, self.distance_m, generator), run


@dataclass(frozen=True)
class HiddenLimb(Fault):
    """The left arm from the elbow, or the left leg from the knee, is missing in the middle of the clip.

    Attributes:
        limb: "arm" or "leg".
        seconds: duration.
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
    """Left and right legs, from the knees down, are swapped in the middle of the clip.

    Attributes:
        frames: number of frames.
    """

    frames: int

    def apply(
        self, points: np.ndarray, names: Sequence[str], fps: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, slice]:
        """Swap the legs' points."""
        run = _middle(len(points), self.frames)
        columns = {name: index for index, name in enumerate(names)}
        pairs = [
            (columns[name], columns[name.replace("left", "right", 1)])
            for name in names
            if _on_limb(name, "left", "leg")
        ]
        return swap_points(points, pairs, run), run


def _draw_column_and_frame(points: np.ndarray, length: int, generator: np.random.Generator) -> tuple[int, int]:
    """Draw a point's column and a first frame that leaves room for *length* frames."""
    column, share = int(generator.integers(points.shape[1])), generator.random()
    return column, int(share * (len(points) - length + 1))


def _middle(num_frames: int, length: int) -> slice:
    first = (num_frames - length) // 2
    return slice(first, first + length)


def _on_limb(name: str, side: str, limb: str) -> bool:
    return name.startswith(f"{side}_") and name.endswith(_LIMB_ENDS[limb])
