"""Draw random human poses for fitting and evaluating the pose correctives. N poses."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from core.smpl_skeleton import JOINT_INDEX, NUM_JOINTS

from .joints import SIDES


class _Sampler:
    def __init__(self, count: int, rng: np.random.Generator) -> None:
        self._count, self._rng = count, rng
        self.vectors = np.zeros((count, NUM_JOINTS, 3))

    def uniform(self, low: float, high: float) -> np.ndarray:
        return self._rng.uniform(low, high, self._count)

    def put(self, joint: str, order: str, *degrees: np.ndarray) -> None:
        """Set *joint* from intrinsic Euler angles in degrees."""
        turned = Rotation.from_euler(order, np.stack(degrees, axis=1), degrees=True)
        self.vectors[:, JOINT_INDEX[joint]] = turned.as_rotvec()


def _trunk(sampler: _Sampler) -> None:
    u = sampler.uniform
    for joint in ("spine1", "spine2", "spine3"):
        sampler.put(joint, "YXZ", u(-15, 15), u(-15, 30), u(-15, 15))
    sampler.put("neck", "YXZ", u(-30, 30), u(-25, 30), u(-20, 20))
    sampler.put("head", "YXZ", u(-30, 30), u(-20, 25), u(-20, 20))


def _arm(sampler: _Sampler, side: str, sign: float) -> None:
    u = sampler.uniform
    sampler.put(f"{side}_collar", "YXZ", sign * u(-15, 15), u(-5, 5), sign * u(-12, 25))
    sampler.put(f"{side}_shoulder", "ZYX", sign * u(-85, 60), sign * u(-100, 30), u(-70, 70))
    sampler.put(f"{side}_elbow", "YX", sign * u(-140, 5), u(-60, 60))
    sampler.put(f"{side}_wrist", "YZX", u(-25, 25), u(-60, 60), u(-45, 45))
    sampler.put(f"{side}_hand", "Z", -sign * u(-10, 60))


def _leg(sampler: _Sampler, side: str, sign: float) -> None:
    u = sampler.uniform
    sampler.put(f"{side}_hip", "XZY", u(-115, 25), sign * u(-25, 50), u(-40, 40))
    sampler.put(f"{side}_knee", "YXZ", u(-8, 8), u(-3, 140), u(-4, 4))
    sampler.put(f"{side}_ankle", "YXZ", u(-20, 20), u(-30, 40), u(-15, 15))
    sampler.put(f"{side}_foot", "YXZ", u(-3, 3), u(-40, 20), u(-3, 3))


def random_poses(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw *count* poses as axis-angle (N, 24, 3), radians, uniform over generous human ranges.

    Convention: T-pose at rest, Y up, +X the body's left; the pelvis stays at identity.
    """
    sampler = _Sampler(count, rng)
    _trunk(sampler)
    for side, _, sign in SIDES:
        _arm(sampler, side, sign)
        _leg(sampler, side, sign)
    return sampler.vectors


def only_joint(poses: np.ndarray, joint: int) -> np.ndarray:
    """Return *poses* (N, 24, 3) with every joint except *joint* at rest."""
    alone = np.zeros_like(poses)
    alone[:, joint] = poses[:, joint]
    return alone


def to_matrices(poses: np.ndarray) -> np.ndarray:
    """Return the rotation matrices (N, 24, 3, 3) of axis-angle *poses* (N, 24, 3)."""
    matrices: np.ndarray = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix()
    return matrices.reshape(len(poses), NUM_JOINTS, 3, 3)
