"""What a keypoint layout is: named points in an order, and the spot of the body that each of them marks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..body.landmarks import SOLVER_POINTS
from .bones import bones_between


@dataclass(frozen=True)
class LayoutPoint:
    """One point of a layout.

    Attributes:
        name: the layout's own name for it.
        solver: the solver point it is (see `core.body.landmarks.SOLVER_POINTS`), or None when the fit does not read it.
        weight: how far to trust that the two are the same spot of the body, 0 to 1.
    """

    name: str
    solver: str | None
    weight: float = 1.0


@dataclass(frozen=True)
class Layout:
    """A set of keypoints in a fixed order.

    Attributes:
        name: the name used by options and files ("body25").
        title: the name shown to people ("OpenPose BODY25").
        points: the points, in the order of the positions' second axis.
    """

    name: str
    title: str
    points: tuple[LayoutPoint, ...]

    def __post_init__(self) -> None:
        """Check that every solver point exists and is named once."""
        solver = [point.solver for point in self.points if point.solver is not None]
        assert len(set(solver)) == len(solver), f"layout {self.name} maps two points to one solver point"
        assert set(solver) <= set(SOLVER_POINTS), f"layout {self.name} names an unknown solver point"
        assert len(set(self.names)) == len(self.points), f"layout {self.name} names two points alike"

    @property
    def names(self) -> tuple[str, ...]:
        """The layout's own point names, in order."""
        return tuple(point.name for point in self.points)

    @cached_property
    def solver_index(self) -> dict[str, int]:
        """Index of the point that marks each solver point the layout has."""
        return {point.solver: index for index, point in enumerate(self.points) if point.solver is not None}

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """Pairs of point indices that a drawing joins, parent first."""
        return bones_between(self.solver_index)

    @cached_property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """Pairs (left, right) of point indices that are each other's mirror image."""
        index = {name: number for number, name in enumerate(self.names)}
        return tuple(
            (number, index[name.replace("left", "right", 1)])
            for name, number in index.items()
            if "left" in name and name.replace("left", "right", 1) in index
        )
