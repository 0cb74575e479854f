"""Hold the feet of a character frame by frame where the source's stand. One frame, frames last (F = 1).

`feet.plan_foot` plans a stance as a whole; here the displacement of a foot is known up to the frame before. A foot that
stands is moved back by what its standing point moves, and as far as it does not stand, its displacement fades. The
share of each follows the certainty of the contact, so a foot is held and let go without a jump.
"""

from __future__ import annotations

import numpy as np

from .feet import FootPath, PlacedFoot
from .soles import Foot

_FADE_S = 0.12
"""Time constant with which the displacement of a foot in the air fades."""
_SINK_S = 0.04
"""Time constant with which a standing sole goes to the floor."""
_FAR_LEGS = (0.15, 0.3)
"""A displacement from the first to the second share of the leg's length lets the foot go more and more."""
_LEVEL = np.array([[1.0], [0.0], [1.0]])
_NO_CONTACT = np.zeros((1, 2), dtype=bool)


class LiveFoot:
    """One foot of a character."""

    def __init__(self, foot: Foot, leg_m: float) -> None:
        """Take the *foot* of a character with legs of *leg_m*."""
        self._foot, self._leg_m = foot, leg_m
        self._points: np.ndarray | None = None
        self._move, self._rise = np.zeros((3, 1)), np.zeros(1)

    def plan(self, path: FootPath, certainty: np.ndarray, strength: float, step_s: float) -> FootPath:
        """Return where the foot should be.

        Args:
            path: its transferred motion, one frame, in the floor's axes.
            certainty: (2,) how surely heel and ball stand, 0 to 1.
            strength: 0 returns the path unchanged but for its tilt, 1 plants the foot fully.
            step_s: time since the frame before, seconds.
        """
        placed = PlacedFoot.of(self._foot, path, _NO_CONTACT, strength)
        points = path.ankle + np.concatenate([placed.heel, placed.ball], axis=1)
        stands = float(certainty.max())
        held = stands * self._nearness()
        if self._points is not None and held > 0.0:
            moved = (points - self._points) @ (certainty / certainty.sum())
            self._move = self._move - held * moved[:, None] * _LEVEL
        self._move = self._move * np.exp(-(1.0 - held) * step_s / _FADE_S)
        self._points = points
        level = placed.level_m
        height = np.maximum(path.ankle[1] + stands * (level - path.ankle[1]), level)
        toe, level = placed.on_floor(height, strength)
        self._rise = self._rise + stands * (1.0 - np.exp(-step_s / _SINK_S)) * (level - path.ankle[1] - self._rise)
        move = self._move.copy()
        move[1] = np.maximum(self._rise, level - path.ankle[1])
        return FootPath(path.ankle + strength * move, placed.foot, toe)

    def _nearness(self) -> float:
        """Return 1 for a small displacement, 0 for one too large to be kept."""
        near, far = (share * self._leg_m for share in _FAR_LEGS)
        return float(np.clip((far - np.linalg.norm(self._move)) / (far - near), 0.0, 1.0))
