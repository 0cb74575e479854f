"""How far joints go: knees and elbows do not bend backwards nor twist, toes and necks do not fold. F frames.

A limit is soft: it settles what noise, or a heel that is seen in the wrong place, would decide otherwise, and the
farther beyond it, the more keypoints it takes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import Array, like, namespace
from ..rotations import matrix_to_axis_angle
from ..skeletons import JOINT_INDEX

_X, _Y = 0, 1
_LIMITS_DEG: tuple[tuple[str, int, float, float], ...] = (
    ("left_knee", _X, -5.0, 175.0),
    ("right_knee", _X, -5.0, 175.0),
    ("left_elbow", _Y, -175.0, 8.0),
    ("right_elbow", _Y, -8.0, 175.0),
    ("left_elbow", _X, -45.0, 45.0),
    ("right_elbow", _X, -45.0, 45.0),
    ("left_foot", _X, -40.0, 40.0),
    ("right_foot", _X, -40.0, 40.0),
    ("neck", _X, -35.0, 45.0),
)
"""A joint, an axis of its rotation vector, and the least and the largest angle about it."""
_FIRMNESS_M2 = 0.006
"""Square metres of keypoint error that a square radian beyond a limit is worth."""


def limit_pulls(rotations: Array) -> Iterator[tuple[int, Array, Array]]:
    """Yield for each limited joint its index, the moment (F, 3) back to its limit, and the precision (F, 3, 3) of it.

    Both are in the joint's own axes, and 0 in frames within the limit.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
    """
    xp = namespace(rotations)
    joints = [JOINT_INDEX[name] for name, *_ in _LIMITS_DEG]
    turns = matrix_to_axis_angle(rotations[:, joints])
    for place, (_, axis, low, high) in enumerate(_LIMITS_DEG):
        angle = turns[:, place, axis]
        back = xp.clip(angle, float(np.deg2rad(low)), float(np.deg2rad(high))) - angle
        direction = like(np.eye(3)[axis], rotations)
        firm = _FIRMNESS_M2 * xp.where(back == 0.0, xp.zeros_like(back), xp.ones_like(back))
        along = like(np.diag(np.eye(3)[axis]), rotations)
        yield joints[place], (firm * back)[:, None] * direction, firm[:, None, None] * along
