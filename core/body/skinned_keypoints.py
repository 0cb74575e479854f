"""Keypoints of posed bodies, the solver's most frequent computation. F frames, K keypoints, P pairs, C levers.

A keypoint depends on few joints: of all pairs of a joint and a keypoint, about 60 have a weight. Only these are
computed, with the frames in the last axis (`core.math.frames_last`), and relative to the translation of the body, so
that a person far from the origin loses no accuracy. The solver's unknowns are in groups of SMPL's 24 joints: the
trunk, the two legs, and the two arms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.arrays import Array, like, namespace
from ..math.frames_last import apply, cross, times
from ..smpl_skeleton import JOINT_INDEX, JOINT_PARENTS, NUM_JOINTS, SIDES, SUBTREES

TRUNK = tuple(
    JOINT_INDEX[name]
    for name in (
        "pelvis", "left_hip", "right_hip", "spine1", "spine2", "spine3", "left_collar", "right_collar", "left_shoulder",
        "right_shoulder", "neck", "head",
    )
)  # fmt: skip
LIMB_PAIRS = tuple(
    tuple(tuple(JOINT_INDEX[f"{side}_{name}"] for name in chain) for side in SIDES)
    for chain in (("knee", "ankle", "foot"), ("elbow", "wrist"))
)
"""The joints that a fit turns: a trunk, and two pairs of limbs, from the root outwards.

Hips and shoulders belong to the trunk, since both sides move a point between them, such as the middle of the hips.
"""
TREE = np.array([[joint in subtree for joint in range(NUM_JOINTS)] for subtree in SUBTREES], dtype=np.float64)
"""(24, 24) 1 where the column's joint is the row's or a descendant of it."""
_LEAST_SPLIT = 1e-2
"""The least `LimbPair.split`."""
_PARENTS = list(JOINT_PARENTS[1:])


def _levels() -> tuple[tuple[slice, slice | list[int]], ...]:
    """Return the joints of each depth below the pelvis, and where in the depth before their parents are.

    SMPL numbers its joints by depth. Where every joint has one child, the parents are a slice, which costs no copy.
    """
    depth = [0] * NUM_JOINTS
    for joint in range(1, NUM_JOINTS):
        depth[joint] = depth[JOINT_PARENTS[joint]] + 1
    levels: list[tuple[slice, slice | list[int]]] = []
    for level in range(1, max(depth) + 1):
        before = depth.index(level - 1)
        joints = [joint for joint in range(NUM_JOINTS) if depth[joint] == level]
        parents = [JOINT_PARENTS[joint] - before for joint in joints]
        unbroken = parents == list(range(parents[0], parents[0] + len(parents)))
        levels.append((slice(joints[0], joints[-1] + 1), slice(parents[0], parents[-1] + 1) if unbroken else parents))
    return tuple(levels)


_LEVELS = _levels()
_PARENTS_BY_LEVEL = tuple(
    (joints, [JOINT_PARENTS[joint] for joint in range(joints.start, joints.stop)]) for joints, _ in _LEVELS
)


@dataclass(frozen=True, eq=False)
class Levers:
    """Combinations of a joint and a keypoint whose lever is wanted.

    Attributes:
        matrix: (C, P + 24) from the parts of the pairs and the positions of the joints to the levers.
        joints: (C,) the joint of each lever.
        points: (C,) the keypoint of each lever.
    """

    matrix: Array
    joints: list[int]
    points: list[int]


@dataclass(frozen=True, eq=False)
class LimbPair:
    """Both legs or both arms, and the keypoints that they move.

    Attributes:
        limbs: (2, J) joints.
        points: (2, L) the keypoints that a joint of each limb moves; padded with point 0, of which the levers are 0.
        split: (2, 1, L, 1) the fraction that this limb has of the weight of all limbs in a keypoint.
        trunk_joints: how many joints of `TRUNK`, from its first, include all that move these keypoints.
        levers: of the limbs' joints and their keypoints (2, J, L).
    """

    limbs: tuple[tuple[int, ...], ...]
    points: list[list[int]]
    split: Array
    trunk_joints: int
    levers: Levers

    @property
    def joints(self) -> list[int]:
        """The joints of both limbs."""
        return [joint for limb in self.limbs for joint in limb]

    @property
    def all_points(self) -> list[int]:
        """The keypoints of both limbs."""
        return [point for limb in self.points for point in limb]


class KeypointPairs:
    """The pairs of a joint and a keypoint with a weight, for every shape.

    Attributes:
        joints: (P,) the joint of each pair.
        points: (P,) the keypoint of each pair.
        share: (P, 1) the weight of the joint in the keypoint.
        correctives: (3 P, 207) how the pairs' moments change with the entries of the joints' rotation matrices.
        gather: (K, P) sums over the pairs of each keypoint.
        below: (24, P) sums over the pairs of each joint and its descendants.
        share_below: (24, P) the same, weighted by the shares.
        ancestors: (24, 24) sums along the chain from the pelvis to each joint.
        trunk: levers of the trunk's joints on all keypoints (12, K).
        all_levers: levers of all joints on all keypoints (24, K).
        limbs: the legs, and the arms.
    """

    def __init__(self, mass: np.ndarray, held: np.ndarray, correctives: Array) -> None:
        """Keep the pairs of *held*.

        Args:
            mass: (24, K) the weight of each joint in each keypoint.
            held: (24, K) whether the two are a pair.
            correctives: (3 P, 207) how the pairs' moments change with the entries of the joints' rotation matrices.
        """
        joints, points = np.nonzero(held)
        self.joints, self.points = joints.tolist(), points.tolist()
        num_points, num_pairs = mass.shape[1], len(joints)
        share = mass[joints, points]
        gather = np.zeros((num_points, num_pairs))
        gather[points, np.arange(num_pairs)] = 1.0
        below = TREE[:, joints]
        other = self.correctives = correctives
        self.share = like(share[:, None], other)
        self.gather, self.below, self.ancestors = like(gather, other), like(below, other), like(TREE.T, other)
        self.share_below = like(below * share, other)
        shares = _Shares(below, gather, share, other)
        self.trunk = shares.levers([(joint, point) for joint in TRUNK for point in range(num_points)])
        self.all_levers = shares.levers([(joint, point) for joint in range(NUM_JOINTS) for point in range(num_points)])
        self.limbs = tuple(shares.limb_pair(limbs) for limbs in LIMB_PAIRS)

    @classmethod
    def of(cls, mass: np.ndarray, held: np.ndarray, correctives: np.ndarray, other: Array) -> KeypointPairs:
        """Return the pairs of *held*.

        Args:
            mass: (24, K) the weight of each joint in each keypoint.
            held: (24, K) whether the two are a pair.
            correctives: (207, 24, 3, K) how the moments change with the entries of the joints' rotation matrices.
            other: an array of the kind to make.
        """
        joints, points = np.nonzero(held)
        by_pair = correctives[:, joints, :, points].reshape(len(joints), NUM_JOINTS - 1, 3, 3, 3)
        return cls(mass, held, like(by_pair.transpose(4, 0, 2, 3, 1).reshape(3 * len(joints), -1), other))

    def of_mass(self, mass: np.ndarray, kept: np.ndarray) -> KeypointPairs:
        """Return the pairs of the same keypoints with another *mass*.

        Args:
            mass: (24, K) the weight of each joint in each keypoint.
            kept: (K,) the factor of the correctives.
        """
        num_pairs = len(self.joints)
        held = mass != 0.0
        held[self.joints, self.points] = True
        joints, points = np.nonzero(held)
        places = np.full(mass.shape, num_pairs)
        places[self.joints, self.points] = np.arange(num_pairs)
        xp = namespace(self.correctives)
        by_pair = xp.reshape(self.correctives, (3, num_pairs, -1)) * like(kept[self.points][:, None], self.correctives)
        by_pair = xp.concat([by_pair, xp.zeros_like(by_pair[:, :1])], axis=1)[:, places[joints, points].tolist()]
        return KeypointPairs(mass, held, xp.reshape(by_pair, (3 * len(joints), -1)))


@dataclass(frozen=True, eq=False)
class _Shares:
    """Arrays of `KeypointPairs` that levers are computed from."""

    below: np.ndarray
    gather: np.ndarray
    share: np.ndarray
    other: Array

    def levers(self, combinations: list[tuple[int, int]]) -> Levers:
        """Return the levers of *combinations* of a joint and a keypoint; those of keypoint -1 are zero."""
        joints, points = (np.array(column) for column in zip(*combinations, strict=True))
        chosen = self.below[joints] * self.gather[points] * (points >= 0)[:, None]
        places = np.zeros((len(joints), NUM_JOINTS))
        places[np.arange(len(joints)), joints] = -(chosen * self.share).sum(axis=1)
        matrix = like(np.concatenate([chosen, places], axis=1), self.other)
        return Levers(matrix, joints.tolist(), np.maximum(points, 0).tolist())

    def limb_pair(self, limbs: tuple[tuple[int, ...], ...]) -> LimbPair:
        """Return the legs or the arms with the keypoints that they move."""
        moved = self.below @ self.gather.T > 0
        own = [np.flatnonzero(moved[list(limb)].any(axis=0)).tolist() for limb in limbs]
        longest = max(1, *(len(points) for points in own))
        points = [points + [-1] * (longest - len(points)) for points in own]
        roots = [limb[0] for pair in LIMB_PAIRS for limb in pair]
        held = np.abs(self.below * self.share) @ self.gather.T
        split = np.stack([held[limb[0], moved_points] for limb, moved_points in zip(limbs, points, strict=True)])
        total = np.stack([held[roots][:, moved_points].sum(axis=0) for moved_points in points])
        split = np.where(np.array(points) < 0, 1.0, np.clip(split / np.maximum(total, 1e-9), _LEAST_SPLIT, 1.0))
        own_points = [point for limb_points in own for point in limb_points]
        moving = np.flatnonzero(moved[list(TRUNK)][:, own_points].any(axis=1))
        return LimbPair(
            limbs,
            np.maximum(points, 0).tolist(),
            like(split[:, None, :, None], self.other),
            int(moving.max(initial=0)) + 1,
            self.levers(
                [(joint, point) for limb, moves in zip(limbs, points, strict=True) for joint in limb for point in moves]
            ),
        )


@dataclass(frozen=True, eq=False)
class PosedPairs:
    """The pairs of a batch of poses, relative to the translation of the body.

    Attributes:
        world: (3, 3, 24, F) joint rotations relative to the world.
        places: (3, 24, F) positions of the joints, metres.
        shares: (3, P, F) the summand of each pair in its keypoint, metres.
        points: (3, K, F) keypoints, metres.
    """

    world: Array
    places: Array
    shares: Array
    points: Array

    def levers(self, levers: Levers) -> Array:
        """Return levers (3, C, F), metres: rotating a joint by d radians moves a keypoint by ``d x lever``."""
        return levers.matrix @ namespace(self.shares).concat([self.shares, self.places], axis=1)

    def moments(self, pairs: KeypointPairs, forces: Array) -> Array:
        """Return the torque (3, 24, M, F) of M sets of *forces* (3, K, M, F): the sum of ``lever x force``."""
        xp = namespace(forces)
        by_pair = forces[:, pairs.points]
        rest = by_pair.shape[2:]
        flat = (3, len(pairs.points), -1)
        of_joints = (3, NUM_JOINTS, *rest)
        about_origin = pairs.below @ xp.reshape(cross(self.shares[:, :, None], by_pair), flat)
        force_below = xp.reshape(pairs.share_below @ xp.reshape(by_pair, flat), of_joints)
        return xp.reshape(about_origin, of_joints) - cross(self.places[:, :, None], force_below)


class PairedKeypoints:
    """The pairs of bodies of fixed betas.

    Attributes:
        pairs: the pairs for every shape.
    """

    def __init__(
        self, pairs: KeypointPairs, moments: Array, rest_joints: Array, *, moment_dirs: Array, joint_dirs: Array
    ) -> None:
        """Prepare one body for all frames, or one for each.

        Args:
            pairs: the pairs for every shape.
            moments: (24, 3, K) of the rest pose; or (F, 24, 3, K).
            rest_joints: (24, 3) metres; or (F, 24, 3).
            moment_dirs: (24, 3, K, B) how the moments change with the betas.
            joint_dirs: (24, 3, B) how the rest joints change with the betas.
        """
        self.pairs = pairs
        xp = namespace(rest_joints)
        # One body is one column, broadcast over the frames.
        rest = rest_joints if rest_joints.ndim == 3 else rest_joints[None]
        moments = moments if moments.ndim == 4 else moments[None]
        self._rest = xp.permute_dims(rest, (2, 1, 0))
        own = xp.permute_dims(moments[:, pairs.joints, :, pairs.points], (2, 0, 1))  # the pairs' axis comes first
        about_joints = own - pairs.share * self._rest[:, pairs.joints]
        identity = like(np.repeat(np.eye(3).reshape(-1), NUM_JOINTS - 1)[:, None], own)
        straight = xp.reshape(pairs.correctives @ identity, (3, len(pairs.joints), 1))
        self._moments = about_joints - straight
        self._bones = self._rest[:, 1:] - self._rest[:, _PARENTS]
        self._moment_dirs, self._joint_dirs = moment_dirs, joint_dirs

    def posed(self, rotations: Array) -> PosedPairs:
        """Pose the pairs by local *rotations* (3, 3, 24, F)."""
        xp = namespace(rotations)
        pairs = self.pairs
        world = _world(rotations)
        num_frames = rotations.shape[-1]
        offsets = apply(world[:, :, _PARENTS], self._bones)
        root = xp.broadcast_to(self._rest[:, :1], (3, 1, num_frames))
        places = pairs.ancestors @ xp.concat([root, offsets], axis=1)
        entries = xp.reshape(rotations[:, :, 1:], (-1, num_frames))
        moments = self._moments + xp.reshape(pairs.correctives @ entries, (3, len(pairs.joints), num_frames))
        shares = apply(world[:, :, pairs.joints], moments) + pairs.share * places[:, pairs.joints]
        return PosedPairs(world, places, shares, pairs.gather @ shares)

    def shape_jacobian(self, posed: PosedPairs) -> Array:
        """Return d keypoint / d beta (3, K, B, F) of *posed* keypoints; exact, since they are linear in the betas."""
        xp = namespace(posed.world)
        pairs = self.pairs
        num_frames = posed.world.shape[-1]
        joint_dirs = xp.permute_dims(self._joint_dirs, (1, 0, 2))
        num_betas = joint_dirs.shape[-1]
        world = posed.world[:, :, :, None]
        bones = joint_dirs[:, 1:] - joint_dirs[:, _PARENTS]
        offsets = apply(world[:, :, _PARENTS], bones[..., None])
        root = xp.broadcast_to(joint_dirs[:, :1, :, None], (3, 1, num_betas, num_frames))
        flat = xp.reshape(xp.concat([root, offsets], axis=1), (3, NUM_JOINTS, -1))
        places = xp.reshape(pairs.ancestors @ flat, (3, NUM_JOINTS, num_betas, num_frames))
        own = xp.permute_dims(self._moment_dirs[pairs.joints, :, pairs.points], (1, 0, 2))
        about_joints = own - pairs.share * joint_dirs[:, pairs.joints]
        shares = apply(world[:, :, pairs.joints], about_joints[..., None])
        shares = shares + pairs.share[..., None] * places[:, pairs.joints]
        gathered = pairs.gather @ xp.reshape(shares, (3, len(pairs.joints), -1))
        return xp.reshape(gathered, (3, -1, num_betas, num_frames))


def _world(local: Array) -> Array:
    """Return the rotations (3, 3, 24, F) relative to the world, of *local* ones (3, 3, 24, F)."""
    if isinstance(local, np.ndarray) and local.shape[-1] == 1:
        return _world_of_one(local)
    levels = [local[:, :, :1]]
    for joints, parents in _LEVELS:
        levels.append(times(levels[-1][:, :, parents], local[:, :, joints]))
    return namespace(local).concat(levels, axis=2)


def _world_of_one(local: np.ndarray) -> np.ndarray:
    """Do the same for one frame (3, 3, 24, 1), faster."""
    by_joint = np.ascontiguousarray(local[..., 0].transpose(2, 0, 1))
    world = by_joint.copy()
    for joints, parents in _PARENTS_BY_LEVEL:
        np.matmul(world[parents], by_joint[joints], out=world[joints])
    return np.ascontiguousarray(world.transpose(1, 2, 0))[..., None]
