"""Groups of solver points that several steps of a fit treat the same way."""

from __future__ import annotations

from ..smpl_skeleton import SIDES

FOOT = ("ankle", "heel", "big_toe", "small_toe", "foot", "fifth_metatarsal")
"""The points of a foot, without the side."""
FOOT_POINTS = tuple(f"{side}_{point}" for side in SIDES for point in FOOT)
LEG_POINTS = ("left_knee", "right_knee", *FOOT_POINTS)
"""The points of the legs below the hips."""
