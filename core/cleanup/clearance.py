"""How far heels, balls and body must rise for the soles to meet the floor: one smooth curve each. F frames.

The curves minimise one sum of squares. A point in contact wants the height at which its skin meets the floor, a point
in the air wants to move with the body, and one whose foot stands on its other point with that. No skin wants to be
below the floor; that counts most, and only where it would be. The last term is the curves' second differences, so that
no correction is abrupt. The inequality is met by solving a few times, each time with the weights of the last solution.
"""

from __future__ import annotations

import numpy as np

from ..math.whittaker import whittaker

_PERIOD_S, _BODY_PERIOD_S = 0.3, 0.5
"""Corrections of a foot, and of the body, with shorter periods than these are damped by more than half."""
_STANDING, _UNDER = 1.0, 300.0
"""Weights of the skin's distance to the floor in contact, and below it; that of a point in the air is 1."""
_PLAY_M = 0.004
"""Skin in contact may stay this high above the floor."""
_RISING_M = 0.015
"""A heel in contact is held at the floor unless it is farther than about this above it while the ball stands."""
_ROUNDS = 6
_LEAST = 0.05
"""Weight of no lift at all of the body, against that of a contact that bears it."""


def plan_lifts(needed: np.ndarray, share: np.ndarray, bears: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the lifts (F, 4) of the contact points and the lift (F,) of the body, metres; negative is down.

    Args:
        needed: (F, 4) by how much the skin around each point is below the floor, metres; negative above it.
        share: (F, 4) weights of the contacts, 0 to 1.
        bears: (F, 4) how far the body stands on each foot, 0 to 1; its lift is that of the contacts that bear it.
        fps: frames per second.
    """
    stiffness = np.empty((len(needed), 5))
    stiffness[:, :4], stiffness[:, 4] = _stiffness(_PERIOD_S, fps), _stiffness(_BODY_PERIOD_S, fps)
    other = _swapped(share)
    on_both = share[:, ::2] * share[:, 1::2]
    curves = np.zeros((len(needed), 5))
    curves[:, :4] = share * needed
    for _ in range(_ROUNDS):
        lifts, body = curves[:, :4], curves[:, 4:]
        beside = _swapped(lifts)
        carried = body + other * (beside - body)
        stands = share.copy()
        rising = (beside - needed)[:, ::2] / _RISING_M
        stands[:, ::2] += on_both * (np.exp(-(rising**2)) - 1.0)
        under = _UNDER * (needed > lifts)
        at_floor, free = _STANDING * stands, 1.0 - stands
        weights = np.empty_like(stiffness)
        weights[:, :4] = at_floor + free + under
        wanted = np.empty_like(stiffness)
        planted = needed + np.clip(carried - needed, 0.0, _PLAY_M)
        wanted[:, :4] = at_floor * planted + free * carried + under * needed
        loads = stands * bears
        weights[:, 4] = loads.sum(axis=1) + _LEAST
        wanted[:, 4] = (loads * planted).sum(axis=1)
        curves = whittaker((wanted / weights)[..., None], weights, stiffness)[..., 0]
    return curves[:, :4], curves[:, 4]


def _swapped(values: np.ndarray) -> np.ndarray:
    """Return for each point (F, 4) the value of the other point of its foot."""
    swapped: np.ndarray = values[:, [1, 0, 3, 2]]
    return swapped


def _stiffness(period_s: float, fps: float) -> float:
    """Return the weight of second differences that halves the amplitude at *period_s*, for data of weight 1."""
    return float((2.0 * np.sin(np.pi / max(period_s * fps, 2.0))) ** -4)
