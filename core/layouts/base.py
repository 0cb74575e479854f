"""Keypoint layouts: named points in a fixed order, each with the landmark of the body that it marks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..body.landmarks import SOLVER_POINTS
from ..smpl_skeleton import SIDES
from .bones import bones_between

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
HAND_POINTS = ("wrist", *(f"{finger}{joint}" for finger in FINGERS for joint in range(1, 5)))
"""The points of a hand (21) that the fit of the fingers uses: the wrist, then each finger from root to tip."""
FINGER_POINTS = tuple(f"{side}_{point}" for side in SIDES for point in HAND_POINTS)
"""The points of both hands."""


@dataclass(frozen=True)
class LayoutPoint:
    """One point of a layout.

    Attributes:
        name: the point's name in the layout.
        solver: its solver point (see `core.body.landmarks.SOLVER_POINTS`), or None if the fit does not use it.
        weight: confidence that both mark the same spot of the body, 0 to 1.
        finger: its point of `FINGER_POINTS`, or None if it is not a point of a hand.
    """

    name: str
    solver: str | None
    weight: float = 1.0
    finger: str | None = None

    @property
    def body_point(self) -> str:
        """Layout-independent name: that of the solver point, or else of the finger point, or its own name."""
        return self.solver or (self.finger if self.finger and self.finger not in SOLVER_POINTS else self.name)


@dataclass(frozen=True)
class Layout:
    """A set of keypoints in a fixed order.

    Attributes:
        name: the name used in options and files ("body25").
        title: the name shown to users ("OpenPose BODY25").
        points: the points, in the order of the positions' second axis.
    """

    name: str
    title: str
    points: tuple[LayoutPoint, ...]

    def __post_init__(self) -> None:
        """Check that names are unique, and that every solver point and finger point exists and is used once."""
        solver = [point.solver for point in self.points if point.solver is not None]
        assert len(set(solver)) == len(solver), f"layout {self.name} maps two points to one solver point"
        assert set(solver) <= set(SOLVER_POINTS), f"layout {self.name} names an unknown solver point"
        fingers = [point.finger for point in self.points if point.finger is not None]
        assert len(set(fingers)) == len(fingers), f"layout {self.name} maps two points to one finger point"
        assert set(fingers) <= set(FINGER_POINTS), f"layout {self.name} names an unknown finger point"
        assert len(set(self.names)) == len(self.points), f"layout {self.name} names two points alike"

    @property
    def names(self) -> tuple[str, ...]:
        """The layout's point names, in order."""
        return tuple(point.name for point in self.points)

    @cached_property
    def solver_index(self) -> dict[str, int]:
        """Index of the layout's point for each of its solver points."""
        return {point.solver: index for index, point in enumerate(self.points) if point.solver is not None}

    @cached_property
    def finger_index(self) -> dict[str, int]:
        """Index of the layout's point for each of its points of `FINGER_POINTS`."""
        return {point.finger: index for index, point in enumerate(self.points) if point.finger is not None}

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """Pairs of point indices that form a bone in drawings, parent first."""
        return bones_between(self.solver_index)

    @cached_property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """Pairs (left, right) of indices of mirrored points."""
        index = {name: number for number, name in enumerate(self.names)}
        return tuple(
            (number, index[name.replace("left", "right", 1)])
            for name, number in index.items()
            if "left" in name and name.replace("left", "right", 1) in index
        )
