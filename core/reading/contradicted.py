"""Points whose place contradicts the layout that was detected from names or order. Any unit, any axes.

Tools use the same words for different places: "head" is the joint under the skull, its middle or its top. Names and
order then fit a layout, and the limbs too, but that point would be fitted to a place 10 to 20 cm away.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..formats.raw import RawRecording
from ..layouts import MARKERS, Layout
from ..markers.vectors import lengths, median
from .anatomy import anatomy_faults, figure_of, stature
from .misplaced import find_misplaced
from .point_names import PointMatch

_DISTANCES: dict[str, tuple[float, float, str]] = {
    "mid_shoulder": (0.0, 0.1, "the middle of the shoulders"),
    "neck": (0.0, 0.12, "the neck's joint"),
    "head": (0.0, 0.155, "the head's joint"),
    "nose": (0.07, 0.22, "the nose"),
    "head_top": (0.115, 0.3, "the top of the head"),
}
"""Smallest and largest median distance from the middle of the shoulders as fractions of the stature, and the place. On
the free body with 200 random shapes and poses: neck 0.05, head 0.11, middle of the ears 0.13, nose 0.14, top 0.19; the
heads that estimators of Human3.6M's joints find are at 0.13."""
_MIN_FRAMES = 5
"""Fewer frames, or faulty bones, may be the errors of single points."""
_SAME_PLACE = 0.005
"""Left and right whose median distance is below this fraction of the stature (9 mm) are one point written twice."""


def without_contradicted(match: PointMatch, recording: RawRecording) -> PointMatch:
    """Return a detected *match* without the points whose place contradicts its layout, and with a doubt for each."""
    if match.layout is MARKERS:
        return match
    order = np.array(match.order)
    positions = np.where((order >= 0)[None, :, None], recording.positions[:, order], np.nan)
    doubts = _doubts(match.layout, positions, _labels(match, recording))
    kept = tuple(-1 if column in doubts else index for column, index in enumerate(match.order))
    return replace(match, order=kept, doubts=tuple(dict.fromkeys(doubts.values())))


def _labels(match: PointMatch, recording: RawRecording) -> list[str]:
    """Return the name of each point of the layout in the file, or its index."""
    names = recording.names
    return [names[index] if names and index >= 0 else f"point {index}" for index in match.order]


def _doubts(layout: Layout, positions: np.ndarray, labels: list[str]) -> dict[int, str]:
    """Return the doubt for each point of the layout, by its index, whose place among *positions* (F, K, 3) is wrong."""
    size, doubts = stature(figure_of(layout, positions)), {}
    misplaced = find_misplaced(positions, layout, size)
    figure = figure_of(layout, np.where(misplaced[..., None], np.nan, positions))
    shoulders = figure.pair_mean("shoulder")
    if len(positions) < _MIN_FRAMES or anatomy_faults(figure):
        return {}
    for name, (low, high, place) in _DISTANCES.items():
        if name not in figure.points or shoulders is None:
            continue
        share = median(lengths(figure.points[name] - shoulders)) / size
        if share < low or share > high:
            column = layout.solver_index[name]
            doubts[column] = (
                f"{labels[column]} is left out: its distance from the shoulders is {share:.0%} of the stature, so it "
                f"is not {place}, as in {layout.name}; give --names if it is another point, or --layout {layout.name} "
                "to use it nevertheless"
            )
    for left, right in layout.sides:
        pair = [layout.points[index].solver for index in (left, right)]
        if not all(solver in figure.points for solver in pair):
            continue
        if median(lengths(positions[:, left] - positions[:, right])) < _SAME_PLACE * size:
            text = f"{labels[left]} and {labels[right]} are left out: they are at the same place"
            doubts.update({left: text, right: text})
    return doubts
