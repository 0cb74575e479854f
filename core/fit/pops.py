"""Joints that pop: a rotation that leaves the way it was going for a few frames and comes back. F frames.

Each frame is solved from its own points, so where they hardly tell a limb's twist, one frame may answer differently
from its neighbours. Against the running median of the rotations such frames stand out; steady motion, however fast,
does not, since the median of a way that goes on is its middle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..rotations import matrix_to_quat_wxyz, quat_wxyz_to_matrix
from ..skeletons import JOINT_INDEX, NUM_BODY_ROTATIONS, NUM_JOINTS

_POP_RAD = np.deg2rad(30.0)
_FASTEST_RAD_PER_S = 40.0
"""No joint but a pitcher's shoulder turns faster."""
_TOES = np.isin(np.arange(NUM_JOINTS), [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]])
_RADIUS_S = 0.12
_MIN_RADIUS, _MAX_RADIUS = 3, 15


@dataclass(frozen=True, eq=False)
class Pops:
    """Where joints pop.

    Attributes:
        joints: (F, 24) bool.
        around: (F, 24, 3, 3) local rotations, the median of the frames around each.
    """

    joints: np.ndarray
    around: np.ndarray

    def some(self, frames: np.ndarray) -> Pops:
        """Return those of some frames."""
        return Pops(self.joints[frames], self.around[frames])


def unpopped(rotations: np.ndarray, fps: float, missed: np.ndarray) -> np.ndarray:
    """Return local rotations (F, 24, 3, 3) in which joints that pop faster than a person can are where they are around.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        fps: frames a second.
        missed: (F,) bool, frames whose points are not explained well; in others only the toes, whose points lie too
            close together to tell, are set so.
    """
    pops = find_pops(rotations, fps)
    pops = Pops(pops.joints & (missed[:, None] | _TOES), pops.around)
    if not pops.joints.any():
        return rotations
    quat = matrix_to_quat_wxyz(rotations)
    cosine = np.abs((quat[1:] * quat[:-1]).sum(axis=-1))
    fast = 2.0 * np.arccos(np.clip(cosine, 0.0, 1.0)) * fps > _FASTEST_RAD_PER_S
    inhuman = pops.joints & (np.pad(fast, ((1, 0), (0, 0))) | np.pad(fast, ((0, 1), (0, 0))))
    for _ in range(_MAX_RADIUS):
        beside = np.pad(inhuman[:-1], ((1, 0), (0, 0))) | np.pad(inhuman[1:], ((0, 1), (0, 0)))
        inhuman = inhuman | (beside & pops.joints)
    calm: np.ndarray = np.where(inhuman[..., None, None], pops.around, rotations)
    return calm


def find_pops(rotations: np.ndarray, fps: float) -> Pops:
    """Return the joints that pop.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        fps: frames a second.
    """
    radius = int(np.clip(round(_RADIUS_S * fps), _MIN_RADIUS, _MAX_RADIUS))
    joints = np.zeros(rotations.shape[:2], dtype=bool)
    if len(rotations) <= radius:
        return Pops(joints, rotations)
    quat = matrix_to_quat_wxyz(rotations.astype(np.float32))
    turned_over = np.cumprod(np.where((quat[1:] * quat[:-1]).sum(axis=-1) < 0.0, -1.0, 1.0), axis=0)
    quat[1:] *= turned_over[..., None].astype(quat.dtype)
    padded = np.pad(quat, ((radius, radius), (0, 0), (0, 0)), mode="reflect")
    median = np.empty_like(quat)
    for joint in range(quat.shape[1]):
        windows = np.lib.stride_tricks.sliding_window_view(padded[:, joint], 2 * radius + 1, axis=0)
        median[:, joint] = np.median(windows, axis=-1)
    median /= np.maximum(np.linalg.norm(median, axis=-1, keepdims=True), 1e-9)
    cosine = np.abs((median * quat).sum(axis=-1))
    joints[:, :NUM_BODY_ROTATIONS] = 2.0 * np.arccos(np.clip(cosine, 0.0, 1.0))[:, :NUM_BODY_ROTATIONS] > _POP_RAD
    around: np.ndarray = quat_wxyz_to_matrix(median)
    return Pops(joints, around)
