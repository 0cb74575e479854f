"""The layout of points that a user names by hand: every point of the body that any layout has."""

from __future__ import annotations

from collections.abc import Iterable

from ..body.landmarks import SOLVER_POINTS
from .base import FINGER_POINTS, Layout, LayoutPoint


def named_layout(layouts: Iterable[Layout]) -> Layout:
    """Return the layout of all points of the body and the fingers that *layouts* have.

    A user's hip may be any tool's hip, so a point's weight is the median of its weights in the layouts;
    SMPL's own layouts, which give all points 1, count only for points that no other layout has.
    """
    weights: dict[str, list[float]] = {}
    fingers: dict[str, str] = {}
    for layout in sorted(layouts, key=lambda layout: layout.name.startswith("smpl")):
        for point in layout.points:
            if point.finger is not None and point.finger not in fingers.values():
                fingers[point.body_point] = point.finger
            known = weights.setdefault(point.solver or "", [])
            if not (known and layout.name.startswith("smpl")):
                known.append(point.weight)
    points = [
        LayoutPoint(name, name, _lower_median(weights[name]), fingers.get(name))
        for name in SOLVER_POINTS
        if name in weights
    ]
    points += [LayoutPoint(name, None, finger=name) for name in FINGER_POINTS if name in fingers]
    return Layout("named", "Points named by hand", tuple(points))


def _lower_median(values: list[float]) -> float:
    return sorted(values)[(len(values) - 1) // 2]
