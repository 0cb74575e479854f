"""One step of a damped Gauss-Newton method for all frames of a block. N unknowns, F frames; the frames come last."""

from __future__ import annotations

import numpy as np

from ..math.frames_last import cross

_TINY = 1e-9
_MAX_TURN_RAD = 0.5
"""Longest step of a rotation."""
_STRAIGHT = 0.15
"""Sine of a limb's bend at which its plane counts as much as the axis of the straight limb."""


class NormalEquations:
    """The normal equations of ``sum w^2 |r - J x|^2 + |damping (so_far + x)|^2`` over the step x.

    The damping acts on the sum of all steps, so the solution stays near the initial pose, not near the last one.
    """

    def __init__(self, damping: np.ndarray, so_far: np.ndarray) -> None:
        """Start with the damping (N,) or (N, F) alone; *so_far* (N, F) is the sum of the steps taken."""
        count, num_frames = so_far.shape
        damping = damping.reshape(count, -1)
        self._augmented = np.zeros((count, count + 1, num_frames))
        diagonal = np.arange(count)
        self._augmented[diagonal, diagonal] = damping**2 + _TINY
        self._augmented[:, count] = -(damping**2) * so_far

    def add(
        self,
        columns: list[int],
        jacobian: np.ndarray,
        residual: np.ndarray,
        weight: np.ndarray,
        frames: np.ndarray | None = None,
    ) -> None:
        """Add residuals of three rows.

        Args:
            columns: the C unknowns that they depend on.
            jacobian: (3, C, F).
            residual: (3, F) what is missing.
            weight: (F,).
            frames: indices of the frames, if the other arrays hold only these.
        """
        weighted = jacobian * weight**2
        normal = weighted[0][:, None] * jacobian[0]
        right = weighted[0] * residual[0]
        for row in (1, 2):
            normal += weighted[row][:, None] * jacobian[row]
            right += weighted[row] * residual[row]
        block = np.concatenate([normal, right[:, None]], axis=1)
        rows, last = np.array(columns)[:, None], self._augmented.shape[1] - 1
        target = np.array([*columns, last])[None, :]
        if frames is None:
            self._augmented[rows, target] += block
        else:
            self._augmented[rows[..., None], target[..., None], frames] += block

    def shorten(self, damping: np.ndarray) -> None:
        """Add ``|damping x|^2``, damping (F,): shorter steps in directions that matter little (Levenberg-Marquardt)."""
        diagonal = np.arange(len(self._augmented))
        self._augmented[diagonal, diagonal] += damping**2

    def solve(self, turns: slice) -> np.ndarray:
        """Return the step (N, F), shortened where one of the rotations *turns* would be too large to be linear.

        Gaussian elimination without pivoting, which is stable for symmetric positive definite matrices.
        """
        system = self._augmented
        count = len(system)
        for row in range(count):
            system[row, row + 1 :] /= system[row, row]
            system[row + 1 :, row + 1 :] -= system[row + 1 :, row, None] * system[row, None, row + 1 :]
        step = system[:, count]
        for row in range(count - 1, 0, -1):
            step[:row] -= system[:row, row] * step[row]
        largest = np.abs(step[turns]).max(axis=0)
        shortened: np.ndarray = step * np.minimum(1.0, _MAX_TURN_RAD / np.maximum(largest, _TINY))
        return shortened


def lever(arm: np.ndarray) -> np.ndarray:
    """Return the Jacobian (3, 3, F) of a point at *arm* (3, F) from a joint, by the joint's rotation about world axes.

    A rotation by the small vector d moves the point by ``d x arm``.
    """
    x, y, z = arm
    jacobian = np.zeros((3, 3, arm.shape[-1]))
    jacobian[0, 1], jacobian[0, 2] = z, -y
    jacobian[1, 0], jacobian[1, 2] = -z, x
    jacobian[2, 0], jacobian[2, 1] = y, -x
    return jacobian


def hinge_axis(upper: np.ndarray, lower: np.ndarray, straight: np.ndarray) -> np.ndarray:
    """Return the axis (3, F) about which a knee or an elbow bends.

    Args:
        upper: (3, F) vector along the upper bone.
        lower: (3, F) vector along the lower bone.
        straight: (3, F) the axis of a straight limb, a unit vector.
    """
    first, second = upper / _length(upper), lower / _length(lower)
    axis = cross(first, second) + _STRAIGHT * straight
    bent: np.ndarray = axis / _length(axis)
    return bent


def missing_bend(upper: np.ndarray, lower: np.ndarray, straight: np.ndarray, least: float) -> np.ndarray:
    """Return the angle (F,) by which a limb must bend further, to bend by *least* the way that a knee or elbow does.

    A straight limb shortens by bending either way, so a solver would choose at random.

    Args:
        upper: (3, F) vector along the upper bone.
        lower: (3, F) vector along the lower bone.
        straight: (3, F) the axis of a straight limb, a unit vector.
        least: the angle, radians.
    """
    sine = (cross(upper, lower) * straight).sum(axis=0) / (_length(upper) * _length(lower))
    missing: np.ndarray = np.where((upper * lower).sum(axis=0) > 0.0, np.maximum(np.sin(least) - sine, 0.0), 0.0)
    return missing


def _length(vectors: np.ndarray) -> np.ndarray:
    length: np.ndarray = np.maximum(np.sqrt((vectors * vectors).sum(axis=0)), _TINY)
    return length
