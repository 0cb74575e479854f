"""The human-centred frame, and the network's pose features. B batch, K points.

For both NumPy and torch; training uses the same functions.
"""

from __future__ import annotations

from ..math.arrays import Array, namespace
from ..math.rotations import cross, dot, matrix_to_axis_angle
from ..smpl_skeleton import BODY25_NAMES

_MID_HIP = BODY25_NAMES.index("mid_hip")
_NECK = BODY25_NAMES.index("neck")
_RIGHT_HIP = BODY25_NAMES.index("right_hip")
_LEFT_HIP = BODY25_NAMES.index("left_hip")
_TINY_M = 1e-8

NUM_POSED = 21
"""Body joints whose start rotations are features; the features of the two hands are zero."""


def _direction(vectors: Array) -> Array:
    """Return *vectors* (..., 3) normalised by the published formula, which adds a tiny length to the norm."""
    xp = namespace(vectors)
    return vectors / (xp.sqrt(dot(vectors, vectors)) + _TINY_M)[..., None]


def human_frame(start_points: Array) -> tuple[Array, Array]:
    """Return the axes (B, 3, 3) and origin (B, 1, 3), metres, of the human-centred frame of *start_points*.

    Convention: the axes are the columns: z up the torso, y from the right to the left hip, x = cross(z, y). As
    published, they are LEFT-handed in the order x, y, z (determinant -1), so the network sees a mirrored body.

    Args:
        start_points: (B, 25, 3) BODY25 keypoints of the start pose, metres.
    """
    xp = namespace(start_points)
    origin = start_points[:, _MID_HIP]
    y_axis = _direction(start_points[:, _LEFT_HIP] - start_points[:, _RIGHT_HIP])
    torso = _direction(start_points[:, _NECK] - origin)
    z_axis = _direction(torso - dot(torso, y_axis)[..., None] * y_axis)
    x_axis = _direction(cross(z_axis, y_axis))
    return xp.stack([x_axis, y_axis, z_axis], axis=-1), origin[:, None]


def normalised(points: Array, axes: Array, origin: Array) -> Array:
    """Return *points* (B, K, 3) in the frame that `human_frame` returned."""
    return (points - origin) @ axes


def start_pose_features(rotations: Array) -> Array:
    """Return the features of the start pose (B, 69): 21 rotation vectors, radians, and 6 zeros.

    Args:
        rotations: (B, 22 or 24, 3, 3) local SMPL rotations; the pelvis (first) is not used.
    """
    xp = namespace(rotations)
    vectors = matrix_to_axis_angle(rotations[:, 1 : 1 + NUM_POSED])
    flat = xp.reshape(vectors, (rotations.shape[0], 3 * NUM_POSED))
    return xp.concat([flat, xp.zeros_like(flat[:, :6])], axis=-1)
