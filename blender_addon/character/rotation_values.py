"""Rotation matrices as values of Blender's rotation channels, continuous over the frames. F frames.

Convention: an Euler rotation of order ijk turns about i first: ``R = R_k R_j R_i``; its values are stored by axis,
not by order, as in Blender. Quaternions are (w, x, y, z), axis-angle channels (angle, x, y, z).
"""

from __future__ import annotations

import numpy as np

from ..core_access import matrix_to_quat_wxyz
from ..figure.axes import continuous_signs

CHANNELS = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
"""The channel of each rotation mode; all others are Euler orders."""
NEUTRAL = {
    "rotation_quaternion": (1.0, 0.0, 0.0, 0.0),
    "rotation_euler": (0.0, 0.0, 0.0),
    "location": (0.0, 0.0, 0.0),
    "scale": (1.0, 1.0, 1.0),
}
"""The values of channels at rest; those of an axis-angle channel are an angle of 0 and any axis."""
POSE_CHANNELS = (*NEUTRAL, "rotation_axis_angle")
"""All channels of a bone's pose, whatever its rotation mode."""

_EVEN_ORDERS = ("XYZ", "YZX", "ZXY")
_SMALLEST_COSINE = 1e-7
"""Below this cosine of the middle angle an Euler rotation has no unique first and last angle."""
_SMALLEST_SINE = 1e-9


def channel_of(mode: str) -> str:
    """Return the rotation channel of a rotation mode."""
    return CHANNELS.get(mode, "rotation_euler")


def rotation_values(turns: np.ndarray, mode: str) -> np.ndarray:
    """Return the values (F, 3 or 4) of the channel of the rotation *mode* for the rotations *turns* (F, 3, 3)."""
    if mode not in ("QUATERNION", "AXIS_ANGLE"):
        return _euler(turns, mode)
    quats = continuous_signs(matrix_to_quat_wxyz(turns)[:, None])[:, 0]
    return quats if mode == "QUATERNION" else _axis_angle(quats)


def _axis_angle(quats: np.ndarray) -> np.ndarray:
    """Return angles and axes (F, 4) of *quats* (F, 4); where there is no rotation, the axis before it is kept."""
    sines = np.linalg.norm(quats[:, 1:], axis=1)
    known = sines > _SMALLEST_SINE
    if not known.any():
        return np.tile((0.0, 0.0, 1.0, 0.0), (len(quats), 1))
    last_known = np.maximum.accumulate(np.where(known, np.arange(len(quats)), int(np.argmax(known))))
    axes = (quats[:, 1:] / np.where(known, sines, 1.0)[:, None])[last_known]
    angles = np.where(known, 2.0 * np.arctan2(sines, quats[:, 0]), 0.0)
    signs = np.cumprod(np.where(np.sum(axes[1:] * axes[:-1], axis=1) < 0.0, -1.0, 1.0))
    signs = np.concatenate([[1.0], signs])
    return np.concatenate([np.unwrap(signs * angles)[:, None], signs[:, None] * axes], axis=1)


def _euler(turns: np.ndarray, order: str) -> np.ndarray:
    """Return the angles (F, 3) by axis, of the two sets that each rotation has the one nearer to the frame before."""
    i, j, k = ("XYZ".index(axis) for axis in order)
    sign = 1.0 if order in _EVEN_ORDERS else -1.0
    cosine = np.hypot(turns[:, i, i], turns[:, j, i])
    first = np.arctan2(sign * turns[:, k, j], turns[:, k, k])
    middle = np.arctan2(-sign * turns[:, k, i], cosine)
    last = np.arctan2(sign * turns[:, j, i], turns[:, i, i])
    one = np.stack([first, middle, last], axis=1)
    other = np.stack([first + np.pi, np.pi - middle, last + np.pi], axis=1)
    found = np.zeros_like(one)
    before = np.zeros(3)
    for frame, locked in enumerate(cosine < _SMALLEST_COSINE):
        choices = np.stack([one[frame], other[frame]])
        if locked:
            choices = _locked_angles(turns[frame], (i, j, k), sign, before[0], middle[frame])[None]
        choices = choices - 2.0 * np.pi * np.round((choices - before) / (2.0 * np.pi))
        before = choices[np.abs(choices - before).sum(axis=1).argmin()]
        found[frame] = before
    by_axis = np.empty_like(found)
    by_axis[:, [i, j, k]] = found
    return by_axis


def _locked_angles(
    turn: np.ndarray, axes: tuple[int, int, int], sign: float, first: float, middle: float
) -> np.ndarray:
    """Return the angles (3,) of a rotation in gimbal lock whose first angle is *first*."""
    i, j, _ = axes
    rest = turn @ _about(i, -first) @ _about(j, -middle)
    return np.array([first, middle, np.arctan2(sign * rest[j, i], rest[i, i])])


def _about(axis: int, angle: float) -> np.ndarray:
    """Return the rotation (3, 3) by *angle* about an axis of the coordinates."""
    turn = np.eye(3)
    after, beyond = (axis + 1) % 3, (axis + 2) % 3
    turn[after, after] = turn[beyond, beyond] = np.cos(angle)
    turn[beyond, after], turn[after, beyond] = np.sin(angle), -np.sin(angle)
    return turn
