"""Soft joint limits: knees and elbows do not bend backwards or twist, toes and necks do not fold. F frames.

The limits decide what noise, or a misplaced heel, would decide otherwise; the farther a joint is beyond its limit, the
more keypoint evidence that takes. Where a straight leg does not show which of its joints turns the foot out, the
ankle's limits leave the rest to hip and knee.
"""

from __future__ import annotations

import numpy as np

from ...math.arrays import Array, at_least, at_most, namespace, ones_where
from ...math.frames_last import column, matrices_last, rotation_vectors
from ...smpl_skeleton import JOINT_INDEX, JOINT_NAMES

_X, _Y, _Z = 0, 1, 2
_LIMITS_DEG: tuple[tuple[str, int, float, float], ...] = (
    ("left_knee", _X, -5.0, 175.0),
    ("right_knee", _X, -5.0, 175.0),
    ("left_knee", _Y, -30.0, 30.0),
    ("right_knee", _Y, -30.0, 30.0),
    ("left_knee", _Z, -25.0, 25.0),
    ("right_knee", _Z, -25.0, 25.0),
    ("left_elbow", _Y, -175.0, 8.0),
    ("right_elbow", _Y, -8.0, 175.0),
    ("left_elbow", _X, -45.0, 45.0),
    ("right_elbow", _X, -45.0, 45.0),
    ("left_foot", _X, -40.0, 40.0),
    ("right_foot", _X, -40.0, 40.0),
    ("left_foot", _Y, -5.0, 5.0),
    ("right_foot", _Y, -5.0, 5.0),
    ("left_foot", _Z, -5.0, 5.0),
    ("right_foot", _Z, -5.0, 5.0),
    ("neck", _X, -35.0, 45.0),
    ("neck", _Z, -30.0, 30.0),
    ("head", _Z, -35.0, 35.0),
)
"""Joint, axis of its rotation vector, and the smallest and the largest angle about this axis, degrees."""
_YIELDING_DEG: tuple[tuple[str, int, float, float], ...] = (
    ("left_ankle", _Y, -40.0, 40.0),
    ("right_ankle", _Y, -40.0, 40.0),
    ("left_ankle", _Z, -35.0, 35.0),
    ("right_ankle", _Z, -35.0, 35.0),
)
"""The same for joints that keypoints show well: these limits fade out far beyond them."""
_FIRMNESS_M2 = 0.006
"""Square metres of keypoint error that one square radian beyond a limit is worth."""
_GIVES_WAY_RAD = np.deg2rad([90.0, 120.0])
"""Rotation angles of a joint at which its yielding limits start to fade, and at which they are gone."""

_STRAINED_RAD = np.deg2rad(5.0)
"""A joint that is farther than this beyond a limit is reported as strained."""

_ALL_DEG = _LIMITS_DEG + _YIELDING_DEG
LIMITED_JOINTS = [JOINT_INDEX[name] for name, *_ in _ALL_DEG]
LIMITED_AXES = [axis for _, axis, *_ in _ALL_DEG]
_LOW_RAD, _HIGH_RAD = (np.deg2rad([limit[bound] for limit in _ALL_DEG]) for bound in (2, 3))
_FIRST_YIELDING = len(_LIMITS_DEG)
_JOINTS = sorted(set(LIMITED_JOINTS))
_PLACES = [_JOINTS.index(joint) for joint in LIMITED_JOINTS]


def limit_pulls(rotations: Array) -> tuple[Array, Array]:
    """Return the moment (N, F) back to each limit, and its precision (N, F); both are 0 in frames within the limit.

    The N limits are those of the joints `LIMITED_JOINTS` about their own axes `LIMITED_AXES`.

    Args:
        rotations: (3, 3, 24, F) local rotations.
    """
    xp = namespace(rotations)
    turns = rotation_vectors(rotations[:, :, _JOINTS])
    back = _back(turns)
    firm = _FIRMNESS_M2 * ones_where(back != 0.0, back)
    low, high = _GIVES_WAY_RAD
    far = xp.sqrt(xp.sum(turns * turns, axis=0))[_PLACES[_FIRST_YIELDING:]]
    firm[_FIRST_YIELDING:] *= at_most(at_least((high - far) / (high - low), 0.0), 1.0)
    return firm * back, firm


def strained(rotations: np.ndarray) -> dict[str, np.ndarray]:
    """Return the frames (F,) bool in which a joint is far beyond a limit, by joint name, for joints that ever are.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
    """
    far = np.abs(_back(rotation_vectors(matrices_last(rotations)[:, :, _JOINTS]))) > _STRAINED_RAD
    found = {JOINT_NAMES[joint]: far[np.equal(LIMITED_JOINTS, joint)].any(axis=0) for joint in _JOINTS}
    return {joint: frames for joint, frames in found.items() if frames.any()}


def _back(turns: Array) -> Array:
    """Return the angles (N, F), radians, from the rotation vectors *turns* (3, joints, F) back to the limits."""
    xp = namespace(turns)
    angle = turns[LIMITED_AXES, _PLACES]
    return xp.minimum(xp.maximum(angle, column(_LOW_RAD, angle)), column(_HIGH_RAD, angle)) - angle
