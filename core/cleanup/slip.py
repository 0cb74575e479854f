"""How far the skin that bears a foot slides on the floor while the foot rolls. F frames, V vertices; frames last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .soles import Sole
from .standing import Holds

_BEARING_M = 0.011
"""Skin bears a foot the less, the higher it is above the part's lowest point, up to this height."""
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
) -> np.ndarray:
    """Return how far the skin of each contact has slid from its mean position, along x and z (2, 2, 2, F), metres.

    From one frame to the next it slides by the mean displacement of what bears in both. Around a contact the slip is
    that at its end.

    Args:
        ankle: (3, 2, F) positions of the ankles, metres.
        foot: (3, 3, 2, F) world rotations of the feet.
        toe: (3, 3, 2, F) world rotations of the toes.
        soles: the skin of both feet.
        heights: (V, F) heights of each foot's skin.
        holds: the contacts.
    """
    level = [0, 2]
    poses = np.concatenate([foot[level], toe[level], ankle[level][:, None]], axis=1)
    moves = np.diff(poses, axis=-1)
    steps = np.empty((2, 2, 2, moves.shape[-1]))
    for side, (sole, height) in enumerate(zip(soles, heights, strict=True)):
        for at, part in enumerate(sole.parts):
            bears = height[part].min(axis=0) + _BEARING_M - height[part]
            np.maximum(bears, _LEAST_M, out=bears)
            both = bears[:, 1:] * bears[:, :-1]
            centre = (sole.basis[part].T @ both) / both.sum(axis=0)
            steps[:, side, at] = (moves[:, :, side] * centre).sum(axis=1)
    number = np.ascontiguousarray(holds.contact.T)
    inside = (number[:, 1:] == number[:, :-1]) & holds.inside.T[:, 1:] & holds.inside.T[:, :-1]
    path = np.zeros((2, *number.shape))
    np.cumsum(steps.reshape(2, 4, -1) * inside, axis=-1, out=path[..., 1:])
    path = np.take_along_axis(path, np.ascontiguousarray(holds.nearest.T)[None], axis=-1)
    held = holds.inside.T
    frames = np.maximum(np.bincount(number[held], minlength=number.max() + 1), 1)
    for along in path:
        along -= (np.bincount(number[held], along[held], len(frames)) / frames)[number]
    slips: np.ndarray = np.clip(path, -_MAX_SLIP_M, _MAX_SLIP_M).reshape(2, 2, 2, -1)
    return slips
