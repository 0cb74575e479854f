"""Keypoints of a body without computing its vertices; exact. F frames, K keypoints, B betas.

A keypoint is a fixed weighted sum of skinned vertices, ``k = sum_v r_kv sum_j w_vj (G_j v + o_j)``. Both sums can be
evaluated beforehand, so it is linear in the 24 joint transforms: ``k = sum_j G_j m_kj + n_kj o_j`` with the moments
``m_kj = sum_v r_kv w_vj v`` and the masses ``n_kj = sum_v r_kv w_vj``. The same sum over the pose correctives tells how
the moments change with the pose. A forward pass costs about 60 small products instead of 6890 vertices
(`.skinned_keypoints`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property

import numpy as np

from ..errors import BodyError
from ..math.arrays import Array, like, namespace, to_numpy
from ..math.frames_last import apply, matrices_last, reversed_axes
from ..smpl_skeleton import NUM_JOINTS, SMPL, SUBTREES
from .model import BodyModel
from .skinned_keypoints import TREE, KeypointPairs, PairedKeypoints, PosedPairs

_NO_SHARE = 1e-7


class KeypointModel:
    """The keypoints of a body as a function of pose and shape, which the solver fits.

    Attributes:
        body: a body with the joints of SMPL.
        num_points: number of keypoints.
        mass: (24, K) the weight of each joint in each keypoint.
        moment_dirs: (24, 3, K, B) how the moments change with the betas.
        holders: for each keypoint, the outermost joint whose rotation moves more than half of it.
        pairs: the pairs of a joint and a keypoint with a weight.
        tree: (24, 24) 1 where the column's joint is the row's or a descendant of it.
        tree_mass: (24, 1, K) the weight of a joint and its descendants in each keypoint.
        carriers: sets of keypoints that may follow a joint instead of the skin (see `with_shares`): by the index of a
            keypoint, the index of the joint.
        skin: these keypoints with those of `carriers` on the skin, without displacements.
    """

    def __init__(
        self,
        body: BodyModel,
        regressor: np.ndarray,
        carried: Mapping[int, str] | None = None,
        carriers: Sequence[Mapping[int, str]] = (),
    ) -> None:
        """Compute the moments of the keypoints that *regressor* (K, V) places on *body*; its rows sum to 1.

        Args:
            body: a body with the joints of SMPL.
            regressor: weights of the vertices.
            carried: by the index of a keypoint, the joint that it follows rigidly, from its position in the rest
                pose; the other keypoints follow the skin.
            carriers: sets of other keypoints, each with the joint that it may follow to a share (see `with_shares`).

        Raises:
            SkeletonError: *body* has other joints than SMPL's.
            BodyError: *regressor* belongs to another mesh.
        """
        data = body.data
        SMPL.check_same(body.skeleton, of=f"body {data.name!r}", as_in="SMPL, which are fitted to keypoints")
        if regressor.ndim != 2 or regressor.shape[1] != len(data.v_template):
            raise BodyError(
                f"expected a keypoint regressor (K, {len(data.v_template)}) for body {data.name!r}, "
                f"got {regressor.shape}; give one made for this body"
            )
        self.body = body
        self.num_points = len(regressor)
        self.carriers = [{point: body.skeleton.index(joint) for point, joint in one.items()} for one in carriers]
        self.skin = self
        used = np.flatnonzero(np.abs(regressor).sum(axis=0))
        parts = np.einsum("kv,vj->jkv", regressor[:, used], data.weights[used].astype(np.float64))
        for point, carrier in (carried or {}).items():
            parts[:, point] = 0.0
            parts[body.skeleton.index(carrier), point] = regressor[point, used]
        moments = np.einsum("jkv,vc->jck", parts, data.v_template[used])
        moment_dirs = np.einsum("jkv,vcb->jckb", parts, data.shapedirs[used], optimize=True)
        correctives = np.einsum("jkv,vcp->pjck", parts, data.posedirs[used], optimize=True)
        correctives[..., list(carried or {})] = 0.0
        self._moments = self._own_moments = body.array(moments)
        self.moment_dirs = body.array(moment_dirs)
        self.mass = body.array(parts.sum(axis=-1))
        self.holders = _holders(TREE @ parts.sum(axis=-1))
        self.tree = body.array(TREE)
        paired = np.abs(parts).sum(axis=-1) > _NO_SHARE
        paired[self.holders, np.arange(self.num_points)] = True
        self.pairs = KeypointPairs.of(parts.sum(axis=-1), paired, correctives.reshape(-1, *moments.shape), self.mass)
        self.tree_mass = (self.tree @ self.mass)[:, None]

    def with_shares(self, shares: Sequence[float]) -> KeypointModel:
        """Return the same keypoints, of which those of `carriers` follow their joint by a share.

        They follow the skin by the rest. In the rest pose they are where they were.

        Args:
            shares: of each set, 0 to 1.
        """
        skin = self.skin
        xp = namespace(skin.mass)
        kept, onto = np.ones(self.num_points), np.zeros((NUM_JOINTS, self.num_points))
        for carriers, share in zip(self.carriers, shares, strict=True):
            for point, joint in carriers.items():
                kept[point], onto[joint, point] = 1.0 - share, share
        by_skin, by_joint = like(kept, skin.mass), like(onto, skin.mass)
        own, dirs = skin._own_moments, skin.moment_dirs
        model = copy(skin)
        model._own_moments = own * by_skin + xp.sum(own, axis=0) * by_joint[:, None]
        model._moments = model._own_moments + (self._moments - self._own_moments)
        model.moment_dirs = dirs * by_skin[:, None] + xp.sum(dirs, axis=0) * by_joint[:, None, :, None]
        model.mass = skin.mass * by_skin + by_joint
        model.tree_mass = (skin.tree @ model.mass)[:, None]
        model.pairs = skin.pairs.of_mass(to_numpy(skin.mass) * kept + onto, kept)
        model.skin = skin
        return model

    def shifted(self, offsets: Array) -> KeypointModel:
        """Return the same keypoints, each displaced and moving with its joint of `holders`.

        Args:
            offsets: (K, 3) metres, in the rest pose's axes.
        """
        xp = namespace(offsets)
        holders = like(np.eye(NUM_JOINTS), offsets)[self.holders]
        model = copy(self)
        model._moments = self._moments + xp.einsum("kj,kc->jck", holders, offsets)
        return model

    @property
    def offsets(self) -> Array:
        """The displacement of each keypoint by `shifted` (K, 3), metres, in the rest pose's axes."""
        xp = namespace(self._moments)
        return xp.matrix_transpose(xp.sum(self._moments - self._own_moments, axis=0))

    def shaped(self, betas: Array) -> ShapedKeypoints:
        """Return the keypoints of the body with *betas* (B,), or with betas (F, B) of each frame."""
        return ShapedKeypoints(self, betas)

    def moments(self, betas: Array, *, shifted: bool = True) -> Array:
        """Return the moments (..., 24, 3, K) of the body with *betas* (..., B), metres.

        Args:
            betas: the shape.
            shifted: include the displacement by `shifted`.
        """
        moments = self._moments if shifted else self._own_moments
        return moments + namespace(betas).einsum("jckb,...b->...jck", self.moment_dirs, betas)

    def rest(self, betas: Array) -> Array:
        """Return the keypoints (..., K, 3) of the rest pose at *betas* (..., B); linear in betas."""
        xp = namespace(betas)
        return xp.matrix_transpose(xp.sum(self.moments(betas), axis=-3))


def _holders(carried: np.ndarray) -> list[int]:
    """Return for each keypoint the outermost joint that, with its descendants, has more than half of its weight.

    The joint with the largest weight will not do: for a point between the shoulders, or at a hip, it is one of a limb,
    but the point does not swing with that limb.

    Args:
        carried: (24, K) the weight of a joint and its descendants in each keypoint.
    """
    outwards = sorted(range(NUM_JOINTS), key=lambda joint: -len(SUBTREES[joint]))
    return [max((j for j in outwards if column[j] > 0.5), key=outwards.index) for column in carried.T]


class ShapedKeypoints:
    """The keypoints of a body whose betas are fixed.

    Attributes:
        model: the keypoints of the body of any shape.
        betas: (B,) or (F, B).
        rest_joints: (24, 3) rest joints, metres; (F, 24, 3) if each frame has its own body.
        rest_points: (K, 3) keypoints of the rest pose, metres; or (F, K, 3).
        moments: (24, 3, K) of the rest pose; or (F, 24, 3, K).
    """

    def __init__(self, model: KeypointModel, betas: Array) -> None:
        """Fix *betas* (B,) or (F, B)."""
        xp = namespace(betas)
        self.model = model
        self.betas = betas
        self.rest_joints = model.body.rest_joints(betas)
        self.moments = model.moments(betas)
        self.rest_points = xp.matrix_transpose(xp.sum(self.moments, axis=-3))

    @cached_property
    def paired(self) -> PairedKeypoints:
        """The same keypoints for the solver."""
        return PairedKeypoints(
            self.model.pairs,
            self.moments,
            self.rest_joints,
            moment_dirs=self.model.moment_dirs,
            joint_dirs=self.model.body.joint_dirs,
        )

    @cached_property
    def reach(self) -> Array:
        """The largest lever of each joint on each keypoint (24, K), metres per radian, in the rest pose.

        A keypoint is a mean of vertices, some of which follow neighbouring joints a little; a joint that really turns
        it lies at some distance. Displacements by `KeypointModel.shifted` are ignored: an ankle that a tracker sees
        3 cm off does not tell how the foot is turned.
        """
        moments = self.model.moments(self.betas, shifted=False)
        xp = namespace(moments)
        flat = xp.reshape(moments, (NUM_JOINTS, -1))
        below = xp.reshape(self.model.tree @ flat, moments.shape)
        levers = below - self.model.tree_mass * self.rest_joints[..., None]
        return xp.sqrt(xp.sum(levers * levers, axis=-2))

    def onto_carriers(self, posed: PosedPairs, rotations: Array) -> Array:
        """Return the ways from the keypoints on the skin to where their carriers would have them (3, K, S, F), metres.

        This is the derivative of the keypoints by the shares of S sets of carriers, for a body whose betas (B,) are
        those of all frames.

        Args:
            posed: these keypoints, posed by *rotations*.
            rotations: (3, 3, 24, F) local rotations.
        """
        xp = namespace(rotations)
        skin = self.model.skin.shaped(self.betas)
        on_skin = skin.paired.posed(rotations).points
        sets = []
        for carriers in self.model.carriers:
            ways = [xp.zeros_like(on_skin[:, 0])] * self.model.num_points
            for point, joint in carriers.items():
                lever = (skin.rest_points[point] - self.rest_joints[joint])[:, None]
                ways[point] = posed.places[:, joint] + apply(posed.world[:, :, joint], lever) - on_skin[:, point]
            sets.append(xp.stack(ways, axis=1))
        return xp.stack(sets, axis=2)

    def points(self, rotations: Array, trans: Array) -> Array:
        """Return the keypoints (F, K, 3), metres, of local *rotations* (F, 24, 3, 3) and *trans* (F, 3)."""
        return reversed_axes(self.paired.posed(matrices_last(rotations)).points) + trans[:, None]
