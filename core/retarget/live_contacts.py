"""Contacts of the source's feet and the floor below them, frame by frame: from what came before, never what follows.

The certainty of a contact falls smoothly with the point's speed and height between the limits that make a contact of a
clip certain or possible (`core.cleanup.contacts`), so that nothing is switched from one frame to the next.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from ..cleanup.contacts import contact_certainty
from ..cleanup.feet import Feet
from ..cleanup.ground import first_guess

_SPEED_S = 0.05
"""Time constant of the speeds."""
_SLOW = 0.5
_DRIFT_LEGS = (0.06, 0.1)
"""A point that has moved in its contact by the second share of the leg's length is in none, by the first it may be."""
_FADE_S = 0.15
"""Time constant with which that movement is forgotten without a contact."""
_REMEMBERED = 300
_EVERY_S, _FIRST_S = 0.25, 0.25
"""The floor is looked for this often, and for the first time so long after the start."""
_FLOOR_S = 0.2
"""Time constant with which the floor goes to where it was found."""


class LiveContacts:
    """The contacts of a source's feet.

    Attributes:
        floor_m: height of the floor, metres.
    """

    def __init__(self, points: np.ndarray, heights: np.ndarray) -> None:
        """Begin with a frame: the body stands on its lower foot.

        Args:
            points: (4, 3) contact points of the feet in the world, ordered as `core.cleanup.feet.POINTS`.
            heights: (4,) height of each above the floor when planted.
        """
        self.floor_m = self._found_m = float((points[:, 1] - heights).min())
        self._points: np.ndarray | None = points
        self._velocity, self._drift = np.zeros((4, 3)), np.zeros((4, 3))
        self._levels: deque[np.ndarray] = deque(maxlen=_REMEMBERED)
        self._slow: deque[np.ndarray] = deque(maxlen=_REMEMBERED)
        self._due_s = _FIRST_S

    def stand_anew(self) -> None:
        """Take the next frame for one after a cut: no point moves from the frame before to it."""
        self._points = None
        self._velocity, self._drift = np.zeros((4, 3)), np.zeros((4, 3))

    def push(self, points: np.ndarray, feet: Feet, step_s: float) -> np.ndarray:
        """Return how surely each contact point (4,) is on the floor, from 0 to 1.

        Args:
            points: (4, 3) the points in the next frame.
            feet: the feet that they belong to.
            step_s: time since the frame before, seconds.
        """
        moved = np.zeros((4, 3)) if self._points is None else points - self._points
        self._velocity += (1.0 - np.exp(-step_s / _SPEED_S)) * (moved / step_s - self._velocity)
        self._points = points
        speed, levels = np.sqrt((self._velocity**2).sum(axis=1)), points[:, 1] - feet.heights
        self._levels.append(levels)
        self._slow.append(contact_certainty(speed, np.zeros(4), feet.leg_m) > _SLOW)
        self._find_floor(step_s)
        found = contact_certainty(speed, levels - self.floor_m, feet.leg_m)
        near, far = (share * feet.leg_m for share in _DRIFT_LEGS)
        found *= np.clip((far - np.sqrt((self._drift**2).sum(axis=1))) / (far - near), 0.0, 1.0)
        self._drift += found[:, None] * moved
        self._drift *= np.exp(-(1.0 - found[:, None]) * step_s / _FADE_S)
        return found

    def _find_floor(self, step_s: float) -> None:
        """Let the floor go to the lowest level on which the feet were slow for long."""
        self._due_s -= step_s
        if self._due_s <= 0.0:
            self._due_s = _EVERY_S
            found = first_guess(np.array(self._levels), np.array(self._slow))
            self._found_m = self._found_m if found is None else found
        self.floor_m += (1.0 - np.exp(-step_s / _FLOOR_S)) * (self._found_m - self.floor_m)
