"""Keypoint layouts by name, and which solver point each of their points is. Data, no logic."""

from __future__ import annotations

from dataclasses import dataclass

from .body.landmarks import SOLVER_POINTS
from .skeletons import BODY25_NAMES


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

    @property
    def names(self) -> tuple[str, ...]:
        """The layout's own point names, in order."""
        return tuple(point.name for point in self.points)


_BODY25_TO_SOLVER = {"neck": "mid_shoulder"}

BODY25 = Layout(
    "body25",
    "OpenPose BODY25",
    tuple(LayoutPoint(name, _BODY25_TO_SOLVER.get(name, name)) for name in BODY25_NAMES),
)

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (BODY25,)}
