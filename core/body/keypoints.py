"""Keypoints without vertices, exactly. F frames, K keypoints, B betas.

A keypoint is a fixed weighted sum of skinned vertices, ``k = sum_v r_kv sum_j w_vj (G_j v + o_j)``. Both sums may be
taken first, so it is linear in the 24 joint transforms: ``k = sum_j G_j m_kj + n_kj o_j`` with the moments
``m_kj = sum_v r_kv w_vj v`` and the masses ``n_kj = sum_v r_kv w_vj``. The same sum over the pose correctives gives how
the moments change with the pose. A forward pass costs K x 24 small products in place of 6890 vertices.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..arrays import Array, like, namespace
from ..errors import BodyError
from ..skeletons import NUM_JOINTS, SUBTREES
from .model import BodyModel, pose_features, world_positions, world_rotations


@dataclass(frozen=True, eq=False)
class KeypointPose:
    """Keypoints of a batch of poses, with what their derivatives need.

    Attributes:
        points: (F, K, 3) keypoints, metres.
        levers: (F, 24, 3, K) what each joint's rotation acts on: turning joint j by a small world-axis vector d moves
            keypoint k by ``d x levers[j, :, k]``.
        world: (F, 24, 3, 3) joint rotations relative to the world.
    """

    points: Array
    levers: Array
    world: Array


class KeypointModel:
    """A set of keypoints on a body, as a function of pose and shape.

    Attributes:
        body: the body.
        num_points: how many keypoints.
        mass: (24, K) each joint's share of each keypoint.
        correctives: (207, 24 * 3 * K) how the moments change with the entries of (R - I).
        holders: for each keypoint, the outermost joint whose turning moves more than half of it.
        tree: (24, 24) 1 where the column's joint turns with the row's.
        tree_mass: (24, 1, K) the mass of everything that turns with a joint.
    """

    def __init__(self, body: BodyModel, regressor: np.ndarray) -> None:
        """Take the moments of *regressor* (K, V), whose rows sum to 1, on *body*."""
        data = body.data
        if regressor.ndim != 2 or regressor.shape[1] != len(data.v_template):
            raise BodyError(
                f"expected a keypoint regressor (K, {len(data.v_template)}) for body {data.name!r}, "
                f"got {regressor.shape}; give one made for this body"
            )
        self.body = body
        self.num_points = len(regressor)
        used = np.flatnonzero(np.abs(regressor).sum(axis=0))
        parts = np.einsum("kv,vj->jkv", regressor[:, used], data.weights[used].astype(np.float64))
        moments = np.einsum("jkv,vc->jck", parts, data.v_template[used])
        moment_dirs = np.einsum("jkv,vcb->jckb", parts, data.shapedirs[used], optimize=True)
        correctives = np.einsum("jkv,vcp->pjck", parts, data.posedirs[used], optimize=True)
        self._moments = self._own_moments = body.array(moments)
        self._moment_dirs = body.array(moment_dirs)
        self.correctives = body.array(correctives.reshape(len(correctives), -1))
        self.mass = body.array(parts.sum(axis=-1))
        tree = np.zeros((NUM_JOINTS, NUM_JOINTS))
        for joint, subtree in enumerate(SUBTREES):
            tree[joint, list(subtree)] = 1.0
        self.holders = _holders(tree @ parts.sum(axis=-1))
        self.tree = body.array(tree)
        self.tree_mass = (self.tree @ self.mass)[:, None]

    def shifted(self, offsets: Array) -> KeypointModel:
        """Return the same keypoints, each moved with the joint that holds it.

        Args:
            offsets: (K, 3) metres, in the rest pose's axes.
        """
        xp = namespace(offsets)
        holders = like(np.eye(NUM_JOINTS), offsets)[self.holders]
        model = copy(self)
        model._moments = self._moments + xp.einsum("kj,kc->jck", holders, offsets)
        return model

    def shaped(self, betas: Array) -> ShapedKeypoints:
        """Return the keypoints of the body with *betas* held fixed: (B,), or (F, B), one body a frame."""
        return ShapedKeypoints(self, betas)

    def moments(self, betas: Array, *, shifted: bool = True) -> Array:
        """Return the moments (..., 24, 3, K) of the body with *betas* (..., B), metres.

        Args:
            betas: the shape.
            shifted: of the keypoints where `shifted` moved them; else of the body's own.
        """
        moments = self._moments if shifted else self._own_moments
        return moments + namespace(betas).einsum("jckb,...b->...jck", self._moment_dirs, betas)

    def rest(self, betas: Array) -> Array:
        """Return the keypoints (..., K, 3) of the rest pose at *betas* (..., B); linear in betas."""
        xp = namespace(betas)
        return xp.matrix_transpose(xp.sum(self.moments(betas), axis=-3))

    def shape_jacobian(self, world: Array) -> Array:
        """Return d keypoint / d beta (F, K, 3, B) at joint rotations *world* (F, 24, 3, 3); exact, as k is linear."""
        xp = namespace(world)
        num_betas = self._moment_dirs.shape[-1]
        joint_dirs = xp.permute_dims(self.body.joint_dirs, (2, 0, 1))
        spread = xp.broadcast_to(world[:, None], (world.shape[0], num_betas, *world.shape[1:]))
        places = world_positions(spread, joint_dirs)
        offsets = places - (spread @ joint_dirs[..., None])[..., 0]
        flat = xp.reshape(xp.permute_dims(world, (0, 2, 1, 3)), (-1, 3 * NUM_JOINTS))
        dirs = xp.reshape(self._moment_dirs, (3 * NUM_JOINTS, -1))
        turned = xp.reshape(flat @ dirs, (world.shape[0], 3, self.num_points, num_betas))
        moved = xp.permute_dims(offsets, (0, 3, 1, 2)) @ self.mass
        return xp.permute_dims(turned, (0, 2, 1, 3)) + xp.permute_dims(moved, (0, 3, 1, 2))


def _holders(carried: np.ndarray) -> list[int]:
    """Return for each keypoint the outermost joint that carries more than half of it, with what hangs on that joint.

    A point between the shoulders, or at a hip, has its largest share on a limb, but does not swing with it.

    Args:
        carried: (24, K) the mass of everything that turns with a joint.
    """
    outwards = sorted(range(NUM_JOINTS), key=lambda joint: -len(SUBTREES[joint]))
    return [max((j for j in outwards if column[j] > 0.5), key=outwards.index) for column in carried.T]


class ShapedKeypoints:
    """The keypoints of a body whose betas are fixed.

    Attributes:
        model: the keypoints on the body of any shape.
        betas: (B,) or (F, B).
        rest_joints: (24, 3) rest joints, metres; (F, 24, 3) where each frame has a body of its own.
        rest_points: (K, 3) keypoints of the rest pose, metres; or (F, K, 3).
    """

    def __init__(self, model: KeypointModel, betas: Array) -> None:
        """Fix *betas* (B,) or (F, B)."""
        xp = namespace(betas)
        self.model = model
        self.betas = betas
        self.rest_joints = model.body.rest_joints(betas)
        self._moments = model.moments(betas)
        self.rest_points = xp.matrix_transpose(xp.sum(self._moments, axis=-3))

    @cached_property
    def reach(self) -> Array:
        """How far each joint's turning moves each of the body's own keypoints, metres per radian at most (24, K).

        In the rest pose. A keypoint is a mean of vertices, and some of them hang on neighbouring joints a little; what
        a joint turns in earnest lies at some distance from it. Where `KeypointModel.shifted` moved a keypoint does not
        count: an ankle that a tracker sees 3 cm off does not tell how the foot is turned.
        """
        moments = self.model.moments(self.betas, shifted=False)
        xp = namespace(moments)
        flat = xp.reshape(moments, (NUM_JOINTS, -1))
        below = xp.reshape(self.model.tree @ flat, moments.shape)
        levers = below - self.model.tree_mass * self.rest_joints[..., None]
        return xp.sqrt(xp.sum(levers * levers, axis=-2))

    def points(self, rotations: Array, trans: Array) -> Array:
        """Return the keypoints (F, K, 3), metres, of local *rotations* (F, 24, 3, 3) and *trans* (F, 3)."""
        xp = namespace(rotations)
        return xp.matrix_transpose(xp.sum(self._shares(rotations, trans)[0], axis=1))

    def pose(self, rotations: Array, trans: Array) -> KeypointPose:
        """Return the keypoints and what their derivatives need; arguments as for `points`."""
        xp = namespace(rotations)
        shares, world, places = self._shares(rotations, trans)
        flat = xp.reshape(shares, (shares.shape[0], NUM_JOINTS, -1))
        below = xp.reshape(self.model.tree @ flat, shares.shape)
        levers = below - self.model.tree_mass * places[..., None]
        return KeypointPose(xp.matrix_transpose(xp.sum(shares, axis=1)), levers, world)

    def _shares(self, rotations: Array, trans: Array) -> tuple[Array, Array, Array]:
        """Return each joint's share of each keypoint (F, 24, 3, K), and the joints' rotations and places."""
        xp = namespace(rotations)
        model = self.model
        world = world_rotations(rotations)
        places = world_positions(world, self.rest_joints) + trans[:, None]
        correctives = pose_features(rotations) @ model.correctives
        moments = self._moments + xp.reshape(correctives, (rotations.shape[0], *self._moments.shape[-3:]))
        offsets = places - (world @ self.rest_joints[..., None])[..., 0]
        return world @ moments + model.mass[:, None] * offsets[..., None], world, places
