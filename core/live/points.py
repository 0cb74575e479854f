"""Which points of the body a live message holds. K points of the message, L of the layout."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import LiveError
from ..layouts import LAYOUTS, Layout
from ..reading.named_points import without_absent
from ..reading.point_names import best_match
from .messages import LiveMessage

_SHOWN = 6


@dataclass(frozen=True, eq=False)
class PointOrder:
    """The points of a message by a layout.

    Attributes:
        layout: the layout, of the points that the message has.
        order: (L,) index of each of its points in the message.
    """

    layout: Layout
    order: np.ndarray

    @classmethod
    def of(cls, message: LiveMessage) -> PointOrder:
        """Return the order of the points of *message*.

        Raises:
            LiveError: the layout is unknown, or its points are not those of the message.
        """
        if not message.layout:
            return cls._by_names(message.names)
        layout = LAYOUTS.get(message.layout)
        if layout is None:
            raise LiveError(f"expected a layout out of {', '.join(LAYOUTS)}, got {message.layout!r}")
        if not message.names:
            if len(message.positions) != len(layout.points):
                raise LiveError(
                    f"expected the {len(layout.points)} points of layout {layout.name}, got {len(message.positions)}; "
                    'name them by "names" if some are left out'
                )
            return cls(layout, np.arange(len(layout.points)))
        unknown = [name for name in message.names if name not in layout.names]
        if unknown:
            raise LiveError(f"expected names of points of layout {layout.name}, got {', '.join(unknown[:_SHOWN])}")
        kept = tuple(point for point in layout.points if point.name in message.names)
        order = [message.names.index(point.name) for point in kept]
        return cls(replace(layout, points=kept), np.array(order))

    @classmethod
    def _by_names(cls, names: tuple[str, ...]) -> PointOrder:
        found = best_match(names)
        if found is None:
            raise LiveError(
                "expected names that show hips, shoulders and two of the knees, ankles, elbows and wrists, got "
                f'{", ".join(names[:_SHOWN])}; name the "layout"'
            )
        match = without_absent(found)
        return cls(match.layout, np.array(match.order))
