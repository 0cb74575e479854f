"""The SMPL forward pass: joints, transforms, vertices. F frames, J joints, V vertices, B betas.

Formulas of SMPL (Loper et al., "SMPL: A Skinned Multi-Person Linear Model", SIGGRAPH Asia 2015): shaped template, pose
correctives linear in the entries of (R - I), linear blend skinning.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..errors import SkeletonError
from ..math.arrays import Array, like, namespace, to_device
from ..skeleton import Skeleton
from ..smpl_skeleton import SMPL
from .data import BodyData
from .merged_fingers import merge_fingers

_VERTEX_BLOCK = 64
"""Frames whose vertices are computed at once, to limit memory."""


def world_rotations(rotations: Array, skeleton: Skeleton = SMPL) -> Array:
    """Return the world rotations (..., J, 3, 3) of local *rotations* (..., J, 3, 3).

    Raises:
        SkeletonError: these are not the rotations of as many joints as *skeleton* has.
    """
    _check_joints(rotations.shape[-3], skeleton)
    chain = [rotations[..., 0, :, :]]
    for joint, parent in enumerate(skeleton.parents[1:], 1):
        chain.append(chain[parent] @ rotations[..., joint, :, :])
    return namespace(rotations).stack(chain, axis=-3)


def local_rotations(world: Array, skeleton: Skeleton = SMPL) -> Array:
    """Return the local rotations (..., J, 3, 3) of *world* rotations; the inverse of `world_rotations`.

    Raises:
        SkeletonError: these are not the rotations of as many joints as *skeleton* has.
    """
    _check_joints(world.shape[-3], skeleton)
    xp = namespace(world)
    parents = [world[..., parent, :, :] for parent in skeleton.parents[1:]]
    local = xp.matrix_transpose(xp.stack(parents, axis=-3)) @ world[..., 1:, :, :]
    return xp.concat([world[..., :1, :, :], local], axis=-3)


def world_positions(world: Array, rest_joints: Array, skeleton: Skeleton = SMPL) -> Array:
    """Return the joint positions (..., J, 3), without translation.

    Args:
        world: (..., J, 3, 3) world rotations.
        rest_joints: (..., J, 3) or (J, 3) rest joints of the shaped body.
        skeleton: the joints.

    Raises:
        SkeletonError: *world* or *rest_joints* has not as many joints as *skeleton*.
    """
    _check_joints(world.shape[-3], skeleton)
    _check_joints(rest_joints.shape[-2], skeleton)
    xp = namespace(world)
    chain = [xp.broadcast_to(rest_joints[..., 0, :], (*world.shape[:-3], 3))]
    for joint, parent in enumerate(skeleton.parents[1:], 1):
        bone = rest_joints[..., joint, :] - rest_joints[..., parent, :]
        chain.append(chain[parent] + (world[..., parent, :, :] @ bone[..., None])[..., 0])
    return xp.stack(chain, axis=-2)


def _check_joints(num_joints: int, skeleton: Skeleton) -> None:
    if num_joints != skeleton.num_joints:
        raise SkeletonError(
            f"expected the {skeleton.num_joints} joints of the skeleton, found {num_joints}; give all its rotations"
        )


def pose_features(rotations: Array) -> Array:
    """Return the entries of (R - I) of all joints but the root (..., 9 (J - 1)), which drive the pose correctives."""
    xp = namespace(rotations)
    features = rotations[..., 1:, :, :] - like(np.eye(3), rotations)
    return xp.reshape(features, (*rotations.shape[:-3], 9 * features.shape[-3]))


def _used_directions(posedirs: np.ndarray) -> np.ndarray:
    """Return *posedirs* (V, 3, P) without the last ones that are zero, as fingers' may be; SMPL's are all kept."""
    used = np.flatnonzero(posedirs.any(axis=(0, 1)))
    return posedirs[..., : max(int(used[-1]) + 1 if len(used) else 0, 9 * (SMPL.num_joints - 1))]


class BodyModel:
    """A body's arrays on a device, and its forward pass, batched over frames.

    Attributes:
        data: the body's arrays as in its file.
        skeleton: the body's joints.
        device: "numpy" or a torch device.
        joint_dirs: (J, 3, B) rest joint offset per unit of beta, metres.
    """

    def __init__(self, data: BodyData, device: str = "numpy") -> None:
        """Copy *data* to *device* as float32."""
        self.data = data
        self.skeleton = data.skeleton
        self.device = device
        self._template = self.array(data.v_template)
        self._shapedirs = self.array(data.shapedirs)
        self._posedirs: Array | None = None
        self._weights = self.array(data.weights)
        regressor = data.joint_regressor.astype(np.float64)
        self._joint_template = self.array(regressor @ data.v_template)
        self.joint_dirs = self.array(np.einsum("jv,vcb->jcb", regressor, data.shapedirs))

    @cached_property
    def without_fingers(self) -> BodyModel:
        """The body on SMPL's joints, as `merge_fingers` makes it; itself if it has no fingers.

        Raises:
            SkeletonError: the body has neither SMPL's nor SMPL-H's joints.
        """
        merged = merge_fingers(self.data)
        return self if merged is self.data else BodyModel(merged, self.device)

    def array(self, values: np.ndarray) -> Array:
        """Return *values* as a float32 array on the model's device."""
        return to_device(np.asarray(values), self.device)

    def rest_joints(self, betas: Array) -> Array:
        """Return the rest joints (..., J, 3), metres, of *betas* (..., B)."""
        return self._joint_template + namespace(betas).einsum("jcb,...b->...jc", self.joint_dirs, betas)

    def rest_vertices(self, betas: Array) -> Array:
        """Return the rest vertices (..., V, 3), metres, of *betas* (..., B)."""
        return self._template + namespace(betas).einsum("vcb,...b->...vc", self._shapedirs, betas)

    def joint_transforms(self, rotations: Array, betas: Array, trans: Array) -> tuple[Array, Array]:
        """Return the world rotations (F, J, 3, 3) and positions (F, J, 3) of the joints.

        Args:
            rotations: (F, J, 3, 3) local rotation matrices.
            betas: (B,) or (F, B).
            trans: (F, 3), metres.

        Raises:
            SkeletonError: these are not the rotations of as many joints as the body has.
        """
        world = world_rotations(rotations, self.skeleton)
        positions = world_positions(world, self.rest_joints(betas), self.skeleton)
        return world, positions + trans[..., None, :]

    def joints(self, rotations: Array, betas: Array, trans: Array) -> Array:
        """Return the joint positions (F, J, 3), metres; arguments as for `joint_transforms`."""
        return self.joint_transforms(rotations, betas, trans)[1]

    def vertices(self, rotations: Array, betas: Array, trans: Array) -> Array:
        """Return the skinned vertices (F, V, 3), metres; arguments as for `joint_transforms`."""
        xp = namespace(rotations, betas, trans)
        blocks = []
        for start in range(0, rotations.shape[0], _VERTEX_BLOCK):
            block = slice(start, start + _VERTEX_BLOCK)
            shape = betas[block] if betas.ndim == 2 else betas
            blocks.append(self._vertex_block(rotations[block], shape, trans[block]))
        return xp.concat(blocks, axis=0)

    def _vertex_block(self, rotations: Array, betas: Array, trans: Array) -> Array:
        xp = namespace(rotations)
        if self._posedirs is None:
            self._posedirs = self.array(_used_directions(self.data.posedirs).reshape(3 * len(self.data.posedirs), -1).T)
        world, positions = self.joint_transforms(rotations, betas, trans)
        offsets = positions - (world @ self.rest_joints(betas)[..., None])[..., 0]
        transforms = xp.concat([world, offsets[..., None]], axis=-1)
        correctives = pose_features(rotations)[..., : len(self._posedirs)] @ self._posedirs
        shaped = self.rest_vertices(betas) + xp.reshape(correctives, (rotations.shape[0], -1, 3))
        flat = xp.reshape(transforms, (rotations.shape[0], self.skeleton.num_joints, 12))
        blended = xp.reshape(self._weights @ flat, (rotations.shape[0], -1, 3, 4))
        return (blended[..., :3] @ shaped[..., None])[..., 0] + blended[..., 3]
