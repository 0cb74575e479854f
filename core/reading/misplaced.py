"""Find misplaced points: far away from the body, or on another limb. F frames, K points, L links.

A misplaced point may stay wrong for any number of frames, unlike a stray (`core.markers.strays`). So it is detected
from the body around it, not from its path. Medians and the densest intervals of values are the reference: a single
point cannot shift them, however far off it is and for however long.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..layouts import Layout
from ..markers.vectors import densest, lengths, median
from ..math.runs import find_runs

MIN_POINTS = 4
"""With fewer points in a frame, the body cannot be located."""
_MAX_REACH = 6.0
"""Largest distance of a point from the body's centre, in median distances of its joints (0.27 statures upright)."""
_MAX_BODY_DISTANCE = 1e4
"""Largest distance of the whole body from its median position, in the same unit: 5 km."""
_MAX_FAR_FRACTION = 0.3
_MIN_DEVIATION = 0.12
"""Smallest deviation of a bone from its usual length if one end is misplaced, in statures (20 cm)."""
_MIN_HALF_WIDTHS = 5.0
"""The same in half-widths of the densest interval of its lengths; the larger limit applies."""
_MAX_BONE_LENGTH = 0.45
"""Upper bound of a bone's length; the longest is the trunk, 0.3."""
_SOUND_DEVIATION = 0.4
"""A bone within this fraction of the limit is evidence that both its ends are correct."""
_MAX_OFF_FRACTION = 0.15
"""If a larger fraction of the points is off, the layout is wrong rather than the points."""
_JOINTS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")


def _unsided(name: str) -> str:
    return name.removeprefix("left_").removeprefix("right_")


def find_far(positions: np.ndarray, joints: Sequence[int]) -> np.ndarray:
    """Return where (F, K) a point is farther from the body than a limb reaches, or the whole body is implausibly far.

    Args:
        positions: (F, K, 3) in any unit, NaN where missing.
        joints: columns of the points that the body's centre and size are computed from.
    """
    far = np.zeros(positions.shape[:2], dtype=bool)
    frames = np.flatnonzero(np.isfinite(positions[:, list(joints)]).all(-1).sum(axis=1) >= MIN_POINTS)
    if frames.size == 0:
        return far
    chosen = positions[frames][:, list(joints)]
    centre = np.nanmedian(chosen, axis=1)
    size = median(np.nanmedian(lengths(chosen - centre[:, None]), axis=1))
    plausible = lengths(centre - np.median(centre, axis=0)) <= _MAX_BODY_DISTANCE * size
    if not size > 0.0 or not plausible.any():
        return far
    frames, centre = frames[plausible], centre[plausible]
    every = np.arange(len(positions))
    middle = np.stack([np.interp(every, frames, centre[:, axis]) for axis in range(3)], axis=-1)
    with np.errstate(invalid="ignore"):
        far = lengths(positions - middle[:, None]) > _MAX_REACH * size
    seen = np.isfinite(positions).all(-1)
    return far if far.sum() <= _MAX_FAR_FRACTION * seen.sum() else np.zeros_like(far)


def find_off(positions: np.ndarray, names: Sequence[str], links: Sequence[tuple[int, int]], size: float) -> np.ndarray:
    """Return where (F, K) a point has an unusual distance from all points that it is linked to.

    An unusual distance has two ends. The misplaced one is the end with unusual distances to all its neighbours, at
    least one of which has its usual distance to most of its other neighbours.

    Args:
        positions: (F, K, 3) in any unit, NaN where missing.
        names: K names; left and right links of the same name have the same usual length.
        links: pairs of columns of points whose distance is nearly constant.
        size: the person's stature in the same unit.
    """
    off = np.zeros(positions.shape[:2], dtype=bool)
    if not links or not np.isfinite(size):
        return off
    first, second = np.array(links).T
    distance = lengths(positions[:, first] - positions[:, second])
    with np.errstate(invalid="ignore"):
        possible = np.where(distance < _MAX_BONE_LENGTH * size, distance, np.nan)
    usual, margin = _usual_distances(possible, [_kind(names[one], names[other]) for one, other in links])
    with np.errstate(invalid="ignore"):
        deviation = np.abs(distance - usual) / np.maximum(_MIN_DEVIATION * size, _MIN_HALF_WIDTHS * margin)
        wrong, right, sound = deviation > 1.0, deviation <= 1.0, deviation <= _SOUND_DEVIATION
    num_wrong, num_right, num_sound = (_count_at_ends(marks, links, off) for marks in (wrong, right, sound))
    # An end is evidence against the other one if most of its other links are sound; else it may be misplaced itself.
    reliable = 2 * num_sound > num_right + num_wrong - 1
    for link, (one, other) in enumerate(links):
        off[:, one] |= wrong[:, link] & reliable[:, other]
        off[:, other] |= wrong[:, link] & reliable[:, one]
    off &= num_right == 0
    linked = np.unique(np.array(links))
    seen = np.isfinite(positions[:, linked]).all(-1)
    return off if off.sum() <= _MAX_OFF_FRACTION * seen.sum() else np.zeros_like(off)


def _count_at_ends(marked_links: np.ndarray, links: Sequence[tuple[int, int]], points: np.ndarray) -> np.ndarray:
    """Return how many (F, K) of the links that end at each point are marked in *marked_links* (F, L).

    Args:
        marked_links: (F, L) marks.
        links: pairs of columns.
        points: any array (F, K), which gives the shape.
    """
    count: np.ndarray = np.zeros(points.shape, dtype=np.int64)
    for link, ends in enumerate(links):
        count[:, ends] += marked_links[:, [link]]
    return count


def _kind(first: str, second: str) -> tuple[bool, frozenset[str]]:
    """Return a key that a link shares with its mirror link: whether both ends are on one side, and the point names."""
    sides = [name.split("_", 1)[0] for name in (first, second)]
    return sides[0] == sides[1], frozenset((_unsided(first), _unsided(second)))


def _usual_distances(
    distance: np.ndarray, kinds: Sequence[tuple[bool, frozenset[str]]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the usual distance (L,) of each link, both sides pooled, and the half-width of its variation (L,)."""
    pooled: dict[tuple[bool, frozenset[str]], list[int]] = {}
    for link, kind in enumerate(kinds):
        pooled.setdefault(kind, []).append(link)
    usual, margin = np.empty(len(kinds)), np.empty(len(kinds))
    for columns in pooled.values():
        usual[columns], margin[columns] = densest(distance[:, columns])
    return usual, margin


def find_misplaced(positions: np.ndarray, layout: Layout, size: float) -> np.ndarray:
    """Return where (F, K) a point of *layout* is far from the body, or has unusual distances to its neighbours.

    Args:
        positions: (F, K, 3) in any unit, NaN where missing.
        layout: the layout of the K points.
        size: the person's stature in the same unit; NaN if unknown: then only points far from the body are found.
    """
    far = find_far(positions, main_joints(layout))
    near = np.where(far[..., None], np.nan, positions)
    names = [point.solver or point.name for point in layout.points]
    return np.asarray(far | find_off(near, names, layout.bones, size))


def main_joints(layout: Layout) -> list[int]:
    """Return the columns of hips, knees, ankles, shoulders, elbows and wrists."""
    return [index for name, index in layout.solver_index.items() if _unsided(name) in _JOINTS]


def frame_runs(marked: np.ndarray) -> list[str]:
    """Return the *marked* (F,) frames, counted from 0, as text; runs as first-last: "3", "60-109"."""
    runs = [(run.start, run.stop - 1) for run in find_runs(marked)]
    return [str(first) if first == last else f"{first}-{last}" for first, last in runs]
