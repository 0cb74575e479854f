"""The arrangement of arms and legs at rest: which way is up, and whether the body stands like a person."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

_UP = np.array([0.0, 1.0, 0.0])
_UPRIGHT = 0.9
"""Cosine of the largest angle between the trunk and the vertical at which the latter is taken for up: 25 degrees."""
_ACROSS = 0.5
"""Cosine of the smallest angle between the trunk and limbs that stand across it: 60 degrees."""
_SAME_LEVEL = 0.5
"""Largest distance along the legs between hands and feet on one ground, relative to the legs."""
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Posture:
    """The joints of two legs and two arms at rest.

    Attributes:
        legs: (2, 3, 3) hips, knees and ankles of both sides.
        arms: (2, 3, 3) shoulders, elbows and wrists, in the same order of sides.
    """

    legs: np.ndarray
    arms: np.ndarray

    @cached_property
    def leg_length(self) -> float:
        """Length of thigh and shin, mean of the sides."""
        return _length(self.legs)

    @cached_property
    def arm_length(self) -> float:
        """Length of upper arm and forearm, mean of the sides."""
        return _length(self.arms)

    @cached_property
    def hips(self) -> np.ndarray:
        """The point (3,) between the hip joints."""
        mean: np.ndarray = self.legs[:, 0].mean(axis=0)
        return mean

    @cached_property
    def shoulders(self) -> np.ndarray:
        """The point (3,) between the shoulder joints."""
        mean: np.ndarray = self.arms[:, 0].mean(axis=0)
        return mean

    @cached_property
    def trunk(self) -> np.ndarray:
        """Unit vector (3,) from the hips to the shoulders."""
        return unit(self.shoulders - self.hips)

    @cached_property
    def up(self) -> np.ndarray:
        """Unit vector (3,) up along the body: the vertical, unless the trunk is tilted by more than 25 degrees."""
        return _UP if self.trunk @ _UP > _UPRIGHT else self.trunk

    @cached_property
    def uprightness(self) -> float:
        """Cosine between the trunk and the legs: 1 for a standing person, 0 for an animal on four legs."""
        return float(self.trunk @ unit(self.hips - self.legs[:, 2].mean(axis=0)))

    @property
    def is_on_all_fours(self) -> bool:
        """Whether arms and legs stand on the same ground, across the trunk."""
        down = unit(self.legs[:, 2].mean(axis=0) - self.hips)
        reach = self.arms[:, 2].mean(axis=0) - self.shoulders
        apart = (self.arms[:, 2].mean(axis=0) - self.legs[:, 2].mean(axis=0)) @ down
        is_across = abs(self.uprightness) < _ACROSS and abs(float(unit(reach) @ self.trunk)) < _ACROSS
        return is_across and abs(float(apart)) < _SAME_LEVEL * self.leg_length

    @cached_property
    def across(self) -> np.ndarray:
        """Unit vector (3,) from the first to the second side."""
        return unit(unit(_across(self.legs)) + unit(_across(self.arms)))

    @cached_property
    def symmetry(self) -> float:
        """How alike the sides lie, 1 in a symmetric pose: every joint straight across its counterpart."""
        return float(_across(self.legs) @ _across(self.arms))

    @cached_property
    def straightness(self) -> float:
        """Distance from hip to ankle, relative to the length of the leg; 1 for straight legs."""
        chord = np.linalg.norm(self.legs[:, 2] - self.legs[:, 0], axis=1).mean()
        return float(chord) / max(self.leg_length, _TINY)

    @property
    def likeness(self) -> float:
        """From 0 to 1, how much this is a standing person.

        The limits leave room for cartoon bodies (arms of 1.35 and trunks of 2.4 leg lengths), but not for wings.
        """
        leg = max(self.leg_length, _TINY)
        arm_share = self.arm_length / leg
        trunk_share = float(np.linalg.norm(self.shoulders - self.hips)) / leg
        return (
            _ramp(self.uprightness, 0.5, 0.85)
            * _ramp(float(self.trunk @ _UP), 0.3, 0.7)
            * _ramp(self.straightness, 0.75, 0.92)
            * _ramp(self.symmetry, 0.5, 0.85)
            * _ramp(min(arm_share, 1.9 - arm_share), 0.25, 0.45)
            * _ramp(trunk_share, 0.15, 0.3)
        )


def unit(vector: np.ndarray) -> np.ndarray:
    """Return *vector* (3,) scaled to length 1; zero stays zero."""
    scaled: np.ndarray = vector / max(float(np.linalg.norm(vector)), _TINY)
    return scaled


def _across(points: np.ndarray) -> np.ndarray:
    """Return the mean direction (3,) from the first to the second side; shorter than 1 if they are not symmetric."""
    gaps = points[1] - points[0]
    mean: np.ndarray = gaps.sum(axis=0) / max(float(np.linalg.norm(gaps, axis=1).sum()), _TINY)
    return mean


def _length(points: np.ndarray) -> float:
    """Return the length of the limbs *points* (2, 3, 3), mean of the sides."""
    return float(np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1).mean())


def _ramp(value: float, low: float, high: float) -> float:
    """Return 0 up to *low*, 1 from *high* on, linear between."""
    return min(max((value - low) / (high - low), 0.0), 1.0)
