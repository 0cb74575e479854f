"""SMPL's skinning: weights from MakeHuman's, and linear blend skinning. N poses, V vertices."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from core.smpl_skeleton import JOINT_PARENTS, NUM_JOINTS

from .joints import JOINT_MIRROR

_MAX_INFLUENCES = 6
_SMALLEST = 0.004


def merge_bones(weights: sp.csr_matrix, joint_of_bone: np.ndarray) -> np.ndarray:
    """Sum MakeHuman's *weights* (V, bones) to SMPL weights (V, 24)."""
    bones = np.arange(len(joint_of_bone))
    merge = sp.csr_matrix((np.ones(len(bones)), (bones, joint_of_bone)), shape=(len(bones), NUM_JOINTS))
    return np.asarray((weights @ merge).toarray())


def prune(weights: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Return symmetric weights (V, 24) with at most six influences per vertex and rows that sum to 1."""
    kept = np.where(weights < _SMALLEST, 0.0, weights)
    least = np.argsort(-kept, axis=1, kind="stable")[:, _MAX_INFLUENCES:]
    np.put_along_axis(kept, least, 0.0, axis=1)
    kept /= kept.sum(1, keepdims=True)
    kept = (kept + kept[mirror][:, JOINT_MIRROR]) / 2
    return np.asarray(kept / kept.sum(1, keepdims=True))


def forward_kinematics(rotations: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the world rotations (N, 24, 3, 3) and joint positions (N, 24, 3) of poses.

    Args:
        rotations: (N, 24, 3, 3) local rotations.
        joints: (N, 24, 3) rest joints.
    """
    world = np.empty_like(rotations)
    position = np.empty_like(joints)
    world[:, 0], position[:, 0] = rotations[:, 0], joints[:, 0]
    for joint, parent in enumerate(JOINT_PARENTS[1:], start=1):
        world[:, joint] = world[:, parent] @ rotations[:, joint]
        step = joints[:, joint] - joints[:, parent]
        position[:, joint] = position[:, parent] + np.einsum("nij,nj->ni", world[:, parent], step)
    return world, position


def skinning_transforms(world: np.ndarray, position: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Return the transforms (N, 24, 3, 4) from rest vertices to the posed joints."""
    shift = position - np.einsum("njab,njb->nja", world, joints)
    return np.concatenate([world, shift[..., None]], axis=-1)


def linear_blend(vertices: np.ndarray, weights: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Return *vertices* (N, V, 3) skinned by *transforms* (N, 24, 3, 4) with *weights* (V, 24)."""
    blended = np.einsum("vj,njk->nvk", weights, transforms.reshape(len(transforms), NUM_JOINTS, 12), optimize=True)
    blended = blended.reshape(len(transforms), -1, 3, 4)
    return np.asarray(np.einsum("nvab,nvb->nva", blended[..., :3], vertices) + blended[..., 3])
