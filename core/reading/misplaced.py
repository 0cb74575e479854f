"""Points that are where no body has them: far away from it, or on another limb. F frames, K points, L links.

Unlike a stray (see `strays`), such a point may stay there for any number of frames, so its path tells nothing; what
tells is the body around it. Everything is measured against medians and where most values lie, so that one point
cannot move what it is measured by, however far off it is and for how long.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..layouts import Layout
from ..markers.vectors import densest, lengths, median
from ..math.runs import find_runs

MIN_POINTS = 4
"""Fewer points in a frame do not tell where the body is."""
_REACH = 6.0
"""How far a point may lie from the middle of the body, in median distances of its joints (0.27 statures upright)."""
_ROAM = 1e4
"""How far a whole body may be from where it mostly is, in the same measure: 5 km."""
_MOST_FAR = 0.3
_OFF_OF_STATURE = 0.12
"""How much longer or shorter than usual a bone is at least where one of its ends is somewhere else (20 cm)."""
_OFF_TIMES = 5.0
"""And how many times the half-width of the interval that its lengths are densest in."""
_LONGEST_OF_STATURE = 0.45
"""No bone is longer; the longest is the trunk, 0.3."""
_SOUND = 0.4
"""Within which share of that a bone speaks for both its ends."""
_MOST_OFF = 0.15
"""Larger shares of points that are off speak against the layout, not against the points."""
_JOINTS = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")


def _unsided(name: str) -> str:
    return name.removeprefix("left_").removeprefix("right_")


def find_far(positions: np.ndarray, joints: Sequence[int]) -> np.ndarray:
    """Return where (F, K) a point is farther from the body than any limb reaches, or the body from anywhere it walks.

    Args:
        positions: (F, K, 3) in any unit, NaN where missing.
        joints: columns of the points that the body's middle and size are taken from.
    """
    far = np.zeros(positions.shape[:2], dtype=bool)
    frames = np.flatnonzero(np.isfinite(positions[:, list(joints)]).all(-1).sum(axis=1) >= MIN_POINTS)
    if frames.size == 0:
        return far
    chosen = positions[frames][:, list(joints)]
    centre = np.nanmedian(chosen, axis=1)
    size = median(np.nanmedian(lengths(chosen - centre[:, None]), axis=1))
    here = lengths(centre - np.median(centre, axis=0)) <= _ROAM * size
    if not size > 0.0 or not here.any():
        return far
    frames, centre = frames[here], centre[here]
    every = np.arange(len(positions))
    middle = np.stack([np.interp(every, frames, centre[:, axis]) for axis in range(3)], axis=-1)
    with np.errstate(invalid="ignore"):
        far = lengths(positions - middle[:, None]) > _REACH * size
    seen = np.isfinite(positions).all(-1)
    return far if far.sum() <= _MOST_FAR * seen.sum() else np.zeros_like(far)


def find_off(positions: np.ndarray, names: Sequence[str], links: Sequence[tuple[int, int]], size: float) -> np.ndarray:
    """Return where (F, K) a point has its usual distance from none of the points that it is linked to.

    A distance that is off has two ends. The one at fault is the end that is off to all its neighbours, while one of
    these has its usual distance from most others.

    Args:
        positions: (F, K, 3) in any unit, NaN where missing.
        names: K names; what is called left and right alike is as long on both sides.
        links: columns of points whose distance hardly changes.
        size: the person's stature in the same unit.
    """
    off = np.zeros(positions.shape[:2], dtype=bool)
    if not links or not np.isfinite(size):
        return off
    first, second = np.array(links).T
    distance = lengths(positions[:, first] - positions[:, second])
    with np.errstate(invalid="ignore"):
        possible = np.where(distance < _LONGEST_OF_STATURE * size, distance, np.nan)
    usual, margin = _usual_distances(possible, [_kind(names[one], names[other]) for one, other in links])
    with np.errstate(invalid="ignore"):
        share = np.abs(distance - usual) / np.maximum(_OFF_OF_STATURE * size, _OFF_TIMES * margin)
        wrong, right, sound = share > 1.0, share <= 1.0, share <= _SOUND
    num_wrong, num_right, num_sound = (_at_ends(what, links, off) for what in (wrong, right, sound))
    # An end speaks against another one when most of its other links are sound; else it is at fault as likely itself.
    believed = 2 * num_sound > num_right + num_wrong - 1
    for link, (one, other) in enumerate(links):
        off[:, one] |= wrong[:, link] & believed[:, other]
        off[:, other] |= wrong[:, link] & believed[:, one]
    off &= num_right == 0
    linked = np.unique(np.array(links))
    seen = np.isfinite(positions[:, linked]).all(-1)
    return off if off.sum() <= _MOST_OFF * seen.sum() else np.zeros_like(off)


def _at_ends(of_links: np.ndarray, links: Sequence[tuple[int, int]], points: np.ndarray) -> np.ndarray:
    """Return how many (F, K), as *points*, of the links (F, L) that end at each point are marked."""
    count: np.ndarray = np.zeros(points.shape, dtype=np.int64)
    for link, ends in enumerate(links):
        count[:, ends] += of_links[:, [link]]
    return count


def _kind(first: str, second: str) -> tuple[bool, frozenset[str]]:
    """Return what links of both sides have in common: which points, and whether both are of one side."""
    sides = [name.split("_", 1)[0] for name in (first, second)]
    return sides[0] == sides[1], frozenset((_unsided(first), _unsided(second)))


def _usual_distances(
    distance: np.ndarray, kinds: Sequence[tuple[bool, frozenset[str]]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the usual distance (L,) of each link, both sides taken together, and how much it varies (L,)."""
    pooled: dict[tuple[bool, frozenset[str]], list[int]] = {}
    for link, kind in enumerate(kinds):
        pooled.setdefault(kind, []).append(link)
    usual, margin = np.empty(len(kinds)), np.empty(len(kinds))
    for those in pooled.values():
        usual[those], margin[those] = densest(distance[:, those])
    return usual, margin


def find_misplaced(positions: np.ndarray, layout: Layout, size: float) -> np.ndarray:
    """Return where (F, K) a point of *layout* is far away from the body or off from what it is linked to.

    Args:
        positions: (F, K, 3) in any unit, NaN where missing.
        layout: what the K points are.
        size: the person's stature in the same unit; NaN where it is not known, which leaves only what is far away.
    """
    far = find_far(positions, main_joints(layout))
    near = np.where(far[..., None], np.nan, positions)
    names = [point.solver or point.name for point in layout.points]
    return np.asarray(far | find_off(near, names, layout.bones, size))


def main_joints(layout: Layout) -> list[int]:
    """Return the columns of the limbs' joints, which every layout has."""
    return [index for name, index in layout.solver_index.items() if _unsided(name) in _JOINTS]


def frame_runs(marked: np.ndarray) -> list[str]:
    """Return the *marked* (F,) frames, counted from 0, in words, runs as first-last: "3", "60-109"."""
    runs = [(run.start, run.stop - 1) for run in find_runs(marked)]
    return [str(first) if first == last else f"{first}-{last}" for first, last in runs]
