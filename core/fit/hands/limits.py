"""Limits, usual values and coupling of the angles of finger joints. L fingers, H hands.

Ranges: Lin, Wu and Huang, "Modeling the constraints of human hand motion", Workshop on Human Motion, 2000 (knuckles 0
to 90 degrees of flexion and 15 of abduction to either side, middle joints 0 to 110, end joints 0 to 90), widened by
the extension of real hands (American Academy of Orthopaedic Surgeons, "Joint Motion", 1965: 20 to 45 degrees at
the knuckles, 0 at the middle joints; thumb: 15 degrees of flexion and 20 of extension at the base, 50 at the knuckle,
80 of flexion and 20 of extension at the end). Coupling: the end joint bends by two thirds of the middle joint
(Rijpkema and Girard, "Computer animation of knowledge-based human grasping", SIGGRAPH 1991).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .skeleton import Hands

# Columns: flexion, abduction, twist of the first joint, flexion of the second and of the third.
_LONG_LOWEST = (-35.0, -22.0, -14.0, -6.0, -12.0)
_LONG_HIGHEST = (95.0, 22.0, 14.0, 115.0, 90.0)
_THUMB_LOWEST = (-35.0, -35.0, -35.0, -15.0, -25.0)
_THUMB_HIGHEST = (45.0, 35.0, 35.0, 65.0, 85.0)
_LONG_USUAL, _LONG_SPREAD = (25.0, 0.0, 0.0, 32.0, 20.0), (38.0, 9.0, 5.0, 42.0, 35.0)
_THUMB_USUAL, _THUMB_SPREAD = (5.0, 0.0, 0.0, 15.0, 20.0), (22.0, 18.0, 12.0, 22.0, 30.0)
COUPLING, COUPLING_SPREAD_RAD = 2.0 / 3.0, np.deg2rad(14.0)
BEYOND_SPREAD_RAD = np.deg2rad(2.5)
"""Distance of a joint beyond its limit, standard deviation."""


@dataclass(frozen=True, eq=False)
class AngleLimits:
    """The prior on the angles, each (5, L, H, 1), radians.

    Attributes:
        lowest: the smallest angles.
        highest: the largest angles.
        usual: the mean of the angles.
        spread: their standard deviations.
        coupled: (L, 1, 1) whether the end joint follows the middle one.
        rest_bends: (2, L, H, 1) bend of the second and third joint where their angles are 0.
    """

    lowest: np.ndarray
    highest: np.ndarray
    usual: np.ndarray
    spread: np.ndarray
    coupled: np.ndarray
    rest_bends: np.ndarray


def angle_limits(hands: Hands) -> AngleLimits:
    """Return the limits of *hands*, whose angles are 0 at rest; the tables are for straight fingers."""
    bends = np.zeros((5, *hands.rest_bends.shape[1:], 1))
    bends[3:, ..., 0] = hands.rest_bends

    def table(thumb: tuple[float, ...], others: tuple[float, ...]) -> np.ndarray:
        values: np.ndarray = np.deg2rad(np.array([thumb, others, others, others, others])).T[:, :, None, None]
        return values

    return AngleLimits(
        table(_THUMB_LOWEST, _LONG_LOWEST) - bends,
        table(_THUMB_HIGHEST, _LONG_HIGHEST) - bends,
        table(_THUMB_USUAL, _LONG_USUAL) - bends,
        table(_THUMB_SPREAD, _LONG_SPREAD) + 0.0 * bends,
        np.array([False, True, True, True, True])[:, None, None],
        bends[3:],
    )
