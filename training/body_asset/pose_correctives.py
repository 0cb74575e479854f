"""Fit pose correctives (posedirs): ridge regression of the target skin minus linear blending. N poses, V vertices.

Each vertex depends only on its relevant joints, so the result is sparse; the right half mirrors the left.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from core.smpl_skeleton import JOINT_NAMES, NUM_JOINTS

from .joints import JOINT_MIRROR
from .poses import only_joint, random_poses, to_matrices
from .skinning import forward_kinematics, linear_blend, skinning_transforms
from .target_skin import TargetSkin

_NUM_PROBES = 24
_RELEVANT_ERROR_M = 1e-3
"""A joint is relevant to a vertex if posing it alone gives more than this error, metres."""
_RIDGE = 2.0
_NEGLIGIBLE = 2e-5
_CHUNK = 32
_REFLECT = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class SkinnedBody:
    """A body without correctives.

    Attributes:
        template: (V, 3) the mean body.
        directions: (V, 3, B) shape directions.
        regressor: (24, V) joint regressor.
        weights: (V, 24) skinning weights.
        mirror: (V,) mirror vertex of each vertex.
    """

    template: np.ndarray
    directions: np.ndarray
    regressor: np.ndarray
    weights: np.ndarray
    mirror: np.ndarray

    def shaped(self, betas: np.ndarray) -> np.ndarray:
        """Return the rest vertices (N, V, 3) of *betas* (N, B)."""
        offsets = self.directions.reshape(-1, self.directions.shape[-1]) @ betas.T
        return np.asarray(self.template + offsets.T.reshape(len(betas), -1, 3))

    def joints(self, vertices: np.ndarray) -> np.ndarray:
        """Return the rest joints (N, 24, 3) of rest *vertices* (N, V, 3)."""
        return np.einsum("jv,nvc->njc", self.regressor, vertices, optimize=True)


@dataclass(frozen=True)
class Sample:
    """Posed bodies to train on.

    Attributes:
        features: (N, 23, 9) entries of R - I.
        rest: (N, V, 3) rest vertices.
        transforms: (N, 24, 3, 4) joint transforms.
        target: (N, V, 3) float32 target skin.
    """

    features: np.ndarray
    rest: np.ndarray
    transforms: np.ndarray
    target: np.ndarray


def pose_sample(body: SkinnedBody, skin: TargetSkin, poses: np.ndarray, betas: np.ndarray) -> Sample:
    """Pose bodies with *betas* (N, B) in *poses* (N, 24, 3), axis-angle."""
    rotations = to_matrices(poses)
    rest = body.shaped(betas)
    joints = body.joints(rest)
    transforms = skinning_transforms(*forward_kinematics(rotations, joints), joints)
    features = (rotations[:, 1:] - np.eye(3)).reshape(len(poses), NUM_JOINTS - 1, 9)
    return Sample(features, rest, transforms, skin.pose(rest, rotations, joints))


def _relevant_joints(body: SkinnedBody, skin: TargetSkin, rng: np.random.Generator) -> np.ndarray:
    """Return which joints' correctives each vertex needs (V, 24), bool."""
    relevant = np.zeros((len(body.template), NUM_JOINTS), dtype=bool)
    mean = np.zeros((_NUM_PROBES, body.directions.shape[-1]))
    for joint, name in enumerate(JOINT_NAMES):
        if joint == 0 or name.startswith("right_"):
            continue
        sample = pose_sample(body, skin, only_joint(random_poses(_NUM_PROBES, rng), joint), mean)
        plain = linear_blend(sample.rest, body.weights, sample.transforms)
        relevant[:, joint] = np.linalg.norm(sample.target - plain, axis=-1).max(0) > _RELEVANT_ERROR_M
    return np.asarray(relevant | relevant[body.mirror][:, JOINT_MIRROR])


def _solve(body: SkinnedBody, sample: Sample, vertices: np.ndarray, joints: list[int]) -> np.ndarray:
    """Solve for the correctives (v, 3, 9 k) of *vertices* (v,) from the features of *joints* (k,).

    Minimises, per vertex, sum_n |M_n P f_n - r_n|^2 + ridge |P|^2 with M_n the blended rotation of the pose.
    """
    count = len(sample.features)
    features = sample.features[:, [joint - 1 for joint in joints]].reshape(count, -1)
    width = features.shape[1]
    products = (features[:, :, None] * features[:, None, :]).reshape(count, -1)
    result = np.empty((len(vertices), 3, width))
    for start in range(0, len(vertices), _CHUNK):
        chosen = vertices[start : start + _CHUNK]
        blended = np.einsum("vj,njk->vnk", body.weights[chosen], sample.transforms.reshape(count, NUM_JOINTS, 12))
        blended = blended.reshape(len(chosen), count, 3, 4)
        turn = blended[..., :3]
        rest = sample.rest[:, chosen].swapaxes(0, 1)
        residual = sample.target[:, chosen].swapaxes(0, 1) - (np.einsum("vnab,vnb->vna", turn, rest) + blended[..., 3])
        gram = (turn.swapaxes(-1, -2) @ turn).reshape(len(chosen), count, 9).swapaxes(1, 2) @ products
        gram = gram.reshape(len(chosen), 3, 3, width, width).swapaxes(2, 3).reshape(len(chosen), 3 * width, 3 * width)
        goal = np.einsum("vnab,vna->vbn", turn, residual) @ features
        gram += _RIDGE * np.eye(3 * width)
        solved = np.linalg.solve(gram, goal.reshape(len(chosen), -1, 1))
        result[start : start + _CHUNK] = solved.reshape(len(chosen), 3, width)
    return result


def mirror_correctives(posedirs: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Mirror *posedirs* (V, 3, 207): R_right = S R_left S with S = diag(-1, 1, 1)."""
    blocks = posedirs.reshape(len(posedirs), 3, NUM_JOINTS - 1, 9)
    signs = _REFLECT[:, None, None] * np.outer(_REFLECT, _REFLECT).reshape(9)
    return np.asarray((blocks[mirror][:, :, JOINT_MIRROR[1:] - 1] * signs).reshape(posedirs.shape))


def fit_pose_correctives(
    body: SkinnedBody, skin: TargetSkin, poses: np.ndarray, betas: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Fit posedirs (V, 3, 207), metres per entry of R - I.

    Args:
        body: the body.
        skin: the target skin.
        poses: (N, 24, 3) training poses, axis-angle.
        betas: (N, B) shapes of the training poses.
        rng: draws the probing poses.
    """
    relevant = _relevant_joints(body, skin, rng)
    sample = pose_sample(body, skin, poses, betas)
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for vertex in np.flatnonzero((body.template[:, 0] >= 0) & relevant.any(1)):
        groups[tuple(np.flatnonzero(relevant[vertex]))].append(int(vertex))
    posedirs = np.zeros((len(body.template), 3, NUM_JOINTS - 1, 9))
    for joints, vertices in groups.items():
        solved = _solve(body, sample, np.array(vertices), list(joints))
        for slot, joint in enumerate(joints):
            posedirs[vertices, :, joint - 1] = solved[:, :, 9 * slot : 9 * slot + 9]
    posedirs = posedirs.reshape(len(posedirs), 3, -1)
    image = mirror_correctives(posedirs, body.mirror)
    side = np.sign(body.template[:, 0])[:, None, None]
    posedirs = np.where(side > 0, posedirs, np.where(side < 0, image, (posedirs + image) / 2))
    posedirs[np.abs(posedirs) < _NEGLIGIBLE] = 0
    return posedirs
