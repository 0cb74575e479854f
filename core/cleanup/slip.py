"""How far the skin that bears a foot slides on the floor while the foot rolls. F frames, V vertices; frames last.

Convention: vectors along the floor are (2, ...), along x and z; turns are about Y, radians.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..math.runs import find_runs
from .soles import Sole
from .standing import Holds

_BEARING_M = 0.009
"""Skin bears a foot the less, the higher it is above the lowest point of its part, heel or ball, up to this height; so
does a part in contact, the higher it is above the other."""
_LEAST_M = 1e-6
"""Skin that bears in one of two frames counts where none bears in both."""
_MAX_SLIP_M = 0.06


def slip_of(
    ankle: np.ndarray,
    foot: np.ndarray,
    toe: np.ndarray,
    soles: Sequence[Sole],
    heights: Sequence[np.ndarray],
    holds: Holds,
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far each foot has slid and turned on the floor, relative to its mean in the stance.

    A stance lasts from the first contact of heel or ball to the last: one path covers it, so the foot does not jump
    where the other part comes down or leaves. Between stances the slip passes from the one to the next.

    Args:
        ankle: (3, 2, F) positions of the ankles, metres.
        foot: (3, 3, 2, F) world rotations of the feet.
        toe: (3, 3, 2, F) world rotations of the toes.
        soles: the skin of both feet.
        heights: (V, F) heights of each foot's skin.
        holds: the contacts.

    Returns:
        The slip at the ankle (2, 2, F), metres, and the turn (2, F).
    """
    level = [0, 2]
    poses = np.concatenate([foot[level], toe[level], ankle[level][:, None]], axis=1)
    inside = np.ascontiguousarray(holds.inside.T).reshape(2, 2, -1)
    slip, turn = np.zeros((2, *ankle.shape[1:])), np.zeros(ankle.shape[1:])
    for side, (sole, height) in enumerate(zip(soles, heights, strict=True)):
        stands = inside[side].any(axis=0)
        if not stands.any():
            continue
        steps, turns = _steps(poses[:, :, side], sole, height, inside[side])
        np.cumsum(steps, axis=-1, out=slip[:, side, 1:])
        np.cumsum(turns, out=turn[side, 1:])
        for stance in find_runs(stands):
            for path in (*slip[:, side], turn[side]):
                path[stance] -= path[stance].mean()
        slip[:, side] += turn[side] * _turning(ankle[level, side])
        frames = np.flatnonzero(stands)
        for path in (*slip[:, side], turn[side]):
            path[:] = np.interp(np.arange(len(path)), frames, path[frames])
    return np.clip(slip, -_MAX_SLIP_M, _MAX_SLIP_M), turn


def _steps(poses: np.ndarray, sole: Sole, height: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much a foot slides and turns from each frame to the next.

    Heel and ball slide by the mean displacement of the skin that bears in both frames. While both are in contact, what
    they slide apart across the foot is a turn; a foot on one of them may pivot.

    Args:
        poses: (2, 7, F) the level part of the foot's pose, as for `Sole.basis`.
        sole: its skin.
        height: (V, F) the skin's height, metres.
        inside: (2, F) bool, whether heel and ball are in contact.

    Returns:
        The slip (2, F - 1) of the point at the origin, metres, and the turn (F - 1,).
    """
    lowest = np.stack([height[part].min(axis=0) for part in sole.parts])
    above = lowest - np.where(inside, lowest, np.inf).min(axis=0)
    loads = np.where(inside, np.maximum(_BEARING_M - above, _LEAST_M), 0.0)
    loads = loads[:, 1:] * loads[:, :-1]
    moves = np.diff(poses, axis=-1)
    steps, places = np.empty((2, 2, *moves.shape[::2]))
    for number, part in enumerate(sole.parts):
        bears = np.maximum(lowest[number] + _BEARING_M - height[part], _LEAST_M)
        both = bears[:, 1:] * bears[:, :-1]
        centre = (sole.basis[part].T @ both) / both.sum(axis=0)
        steps[number] = (moves * centre).sum(axis=1)
        places[number] = (poses[..., 1:] * centre).sum(axis=1)
    across = _turning(places[1] - places[0])
    apart = ((steps[1] - steps[0]) * across).sum(axis=0) / np.maximum((across**2).sum(axis=0), _LEAST_M)
    turns = np.where(loads.all(axis=0), apart, 0.0)
    share = loads / np.where(loads.any(axis=0), loads.sum(axis=0), 1.0)
    slides = sum(share[number] * (steps[number] - turns * _turning(places[number])) for number in range(2))
    return np.asarray(slides), turns


def _turning(points: np.ndarray) -> np.ndarray:
    """Return the displacement of *points* (2, ...) for each radian of a small turn about Y."""
    return np.stack([points[1], -points[0]])
