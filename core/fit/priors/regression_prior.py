"""Predict rotations of trunk and legs that the keypoints do not show, by regressions on real motion. F frames.

Hip and shoulder points do not show the pitch of pelvis and chest, and knee and ankle do not show the twist of the shin.
A small ridge regression, on products of two features of the analytic start's rotations, predicts how far each joint is
really rotated from that start. There is one model for each part of the body and each depth to which that part is seen;
the right leg uses the mirrored model of the left leg.

The residual of a regression has two components: a subject-specific pose offset, which is constant over a clip
(`SubjectOffset`), and the rest, which varies. Each has a joint covariance over all joints of a part: for example, where
the pelvis is tilted further than expected, the spine is bent back further.

`training.pose_prior` makes it from motion capture, `core.fit.priors.prior_file` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from ...math.arrays import Array, at_least, at_most, like, namespace, ones_where
from ...math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ...smpl_skeleton import JOINT_INDEX, NUM_BODY_ROTATIONS, SIDES, SMPL
from ..solver.gauss_newton import PosePrior
from ..solver.joint_precision import JointPrecision

PART_JOINTS: dict[str, tuple[str, ...]] = {
    "trunk": ("pelvis", "spine1", "spine2", "spine3", "neck", "head", "left_hip", "right_hip"),
    "leg": ("left_knee", "left_ankle", "left_foot"),
}
"""The joints that each part's model predicts; those of the leg are named for the left one."""
PARTS = (("trunk", "left"), ("leg", "left"), ("leg", "right"))
"""All parts and their sides; the trunk's side is ignored."""

PART_CHAINS: dict[str, tuple[tuple[str, ...], ...]] = {
    "trunk": (("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head", "head_top"),),
    "arm": (
        ("left_elbow",),
        ("left_wrist",),
        ("left_index_knuckle", "left_middle_knuckle", "left_pinky_knuckle", "left_hand"),
    ),
    "leg": (("left_knee",), ("left_ankle",), ("left_big_toe", "left_small_toe", "left_foot", "left_fifth_metatarsal")),
}
"""For each part, groups of points from the root outwards. The depth to which a part is seen is the number of successive
groups with a seen point.

The arms' expected rotations come from the pose network instead (`core.fit.priors.pose_predictor`)."""

MIRROR_AXES = np.array([1.0, -1.0, -1.0])
"""Mirroring left and right keeps a rotation vector's X and negates its Y and Z."""
MIRRORED_JOINTS = list(SMPL.mirror)
_COLLARS = [JOINT_INDEX["left_collar"], JOINT_INDEX["right_collar"]]
_FEATURE_JOINTS = (
    "spine1", "spine2", "spine3", "neck", "head", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
)  # fmt: skip
_FEATURE_BOUND = 2.0
"""Features are clipped to this: larger rotation vectors are rare, and their products would dominate the prediction."""
_COLLAR_SPREAD_RAD = np.deg2rad(4.0)
_NOISE_SPREAD_RAD_PER_M = 25.0
"""How much the standard deviation of a prediction grows with the noise of the points, since the start that it is made
from contains this noise. Larger than this alone requires: people like those in the training data lose a hundredth by
it, people unlike them gain a tenth."""

_USUAL_SIZE = 1.5
"""The variance of the errors of the trunk's prediction grows with the square of its size beyond this size, which is in
multiples of the errors' standard deviation: people bend down and sit in more ways than they stand and walk. This is the
law of the residuals of the cross-validation, which `training.pose_prior` prints (from 0.7 times the mean variance at
sizes of 1 to 1.5, to 2.7 at 2 to 3 and 5 at 3 to 4). Legs show the same, but lose by it."""

_NUM_REMEMBERED = 64
"""Number of inverse covariances that are remembered, of all parts and depths."""


def part_joints(part: str, side: str) -> tuple[int, ...]:
    """Return the joint indices of a part on a side."""
    return tuple(JOINT_INDEX[name if part == "trunk" else name.replace("left", side)] for name in PART_JOINTS[part])


@dataclass(frozen=True, eq=False)
class PartModel:
    """A regression of one part's rotations relative to the analytic start, for one depth to which the part is seen.

    Attributes:
        coefficients: (features, 3 J) from features to rotation vectors, radians, in the joints' own axes.
        covariance: (3 J, 3 J) covariance of the varying residual, square radians.
        subject_offset_covariance: (3 J, 3 J) covariance of the residual that is constant over a clip, square radians.
        reach_rad: (J,) the largest rotation in the training data.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    subject_offset_covariance: np.ndarray
    reach_rad: np.ndarray


@dataclass(frozen=True, eq=False)
class SubjectOffset:
    """A subject-specific offset of trunk and legs from the prior, constant over a clip (see `core.fit.shape.estimate`).

    Attributes:
        turns: (22, 3) rotation vectors on top of the expected rotations, radians, in the joints' own axes.
        covariance: (66, 66) covariance of the estimate, square radians; 0 for joints that are in no part.
    """

    turns: np.ndarray
    covariance: np.ndarray


def mirrored(rotations: Array) -> Array:
    """Return the local rotations (F, 24, 3, 3) of the mirrored pose, with left and right exchanged."""
    flip = like(np.outer([-1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]), rotations)
    return rotations[:, MIRRORED_JOINTS] * flip


def part_features(part: str, rotations: Array) -> Array:
    """Return the features (F, N) of a *part* from the analytic start's local *rotations* (F, 24, 3, 3).

    Args:
        part: a key of `PART_JOINTS`.
        rotations: (F, 24, 3, 3) local rotations; mirrored ones for a right limb.
    """
    xp = namespace(rotations)
    joint = {name: rotations[:, JOINT_INDEX[name]] for name in _FEATURE_JOINTS}
    spine = joint["spine1"] @ joint["spine2"] @ joint["spine3"]
    if part == "leg":
        selected = [joint["left_hip"], joint["left_knee"], joint["left_ankle"], spine]
        columns = [0, 1, 2, 3, 6, 7, 8, 9, 10, 11]
    else:
        hips_and_knees = [joint[f"{side}_{name}"] for name in ("hip", "knee") for side in SIDES]
        selected = [spine, joint["neck"] @ joint["head"], *hips_and_knees]
        columns = [*range(13), 15]
    turns = matrix_to_axis_angle(xp.stack(selected, axis=1))
    return _with_products(xp.reshape(turns, (turns.shape[0], -1))[:, columns])


def _with_products(basis: Array) -> Array:
    """Return 1, every column, and every product of two columns, with the columns clipped to a bound."""
    xp = namespace(basis)
    basis = at_most(at_least(basis, -_FEATURE_BOUND), _FEATURE_BOUND)
    first, second = _pairs_of(basis.shape[1])
    return xp.concat([xp.ones_like(basis[:, :1]), basis, basis[:, first] * basis[:, second]], axis=1)


@cache
def _pairs_of(count: int) -> tuple[list[int], list[int]]:
    """Return the first and second indices of all pairs of *count* columns, including each column with itself."""
    first, second = np.triu_indices(count)
    return first.tolist(), second.tolist()


def seen_depth(part: str, weights: Mapping[str, Array], side: str) -> Array:
    """Return how many of the part's groups (F,), counted from the root outwards, have a seen point.

    Args:
        part: a key of `PART_CHAINS`.
        weights: by solver point, (F,) 0 where it is missing; never empty.
        side: "left" or "right"; ignored for the trunk.
    """
    template = next(iter(weights.values()))
    xp = namespace(template)
    depth = xp.zeros_like(template)
    unbroken = xp.ones_like(template)
    for group in PART_CHAINS[part]:
        seen = xp.zeros_like(template)
        for name in group:
            name = name.replace("left", side) if part != "trunk" else name
            if name in weights:
                seen = xp.maximum(seen, ones_where(weights[name] > 0, seen))
        unbroken = unbroken * seen
        depth = depth + unbroken
    return depth


class RegressionPrior:
    """A pose prior from the regressions of all parts and depths."""

    def __init__(self, models: Mapping[tuple[str, int], PartModel]) -> None:
        """Take one model for each part and each depth, from 0 to the number of the part's groups."""
        self.models = dict(models)

    def predict(
        self,
        start: Array,
        names: Sequence[str],
        weights: Array,
        *,
        sigma_m: float,
        noise_m: float = 0.0,
        subject_offset: SubjectOffset | None = None,
    ) -> PosePrior:
        """Return the expected rotations and their precision; joints in no part keep the start's rotations.

        Args:
            start: (F, 24, 3, 3) local rotations of the analytic start.
            names: the solver points.
            weights: (F, K) their weights, 0 where missing.
            sigma_m: keypoint error per axis, metres, by which the precision is scaled.
            noise_m: the part of *sigma_m* that is noise, independent in every frame.
            subject_offset: the subject-specific pose offset, if known.
        """
        xp = namespace(start)
        by_name = {name: weights[:, index] for index, name in enumerate(names)}
        turned = [start[:, joint] for joint in range(start.shape[1])]
        precision = np.zeros((NUM_BODY_ROTATIONS, 3, 3))
        precision[_COLLARS] = np.eye(3) * (sigma_m / _COLLAR_SPREAD_RAD) ** 2
        joint_precisions = []
        views = {"left": start, "right": mirrored(start)}
        for part, side in PARTS:
            joints = part_joints(part, side)
            depth = seen_depth(part, by_name, side)
            turns = self._turns(part, side, depth, part_features(part, views[side]))
            own = axis_angle_to_matrix(turns)
            if subject_offset is not None:
                own = own @ axis_angle_to_matrix(like(subject_offset.turns[list(joints)], start))
            for index, joint in enumerate(joints):
                turned[joint] = start[:, joint] @ own[:, index]
            part_precision = self._precision(
                part, side, depth, sigma_m=sigma_m, noise_m=noise_m, subject_offset=subject_offset
            )
            if part == "trunk":
                part_precision = part_precision / self._error_growth(depth, turns)[:, None, None]
            joint_precisions.append(JointPrecision(joints, part_precision))
        precision = xp.broadcast_to(like(precision, start), (start.shape[0], NUM_BODY_ROTATIONS, 3, 3))
        return PosePrior(xp.stack(turned, axis=1), precision, sigma_m, tuple(joint_precisions))

    def _turns(self, part: str, side: str, depth: Array, features: Array) -> Array:
        """Return the predicted rotation vectors (F, J, 3) of the joints of a part that is seen to *depth* (F,)."""
        xp = namespace(features)
        turns = xp.zeros_like(features[:, :1])[..., None]
        for level, here in _levels(part, depth):
            model = self.models[part, level]
            predicted = xp.reshape(features @ like(model.coefficients, features), (features.shape[0], -1, 3))
            length = xp.sqrt(xp.sum(predicted * predicted, axis=-1))
            reach = like(model.reach_rad, features)
            predicted = predicted * at_most(reach / at_least(length, 1e-9), 1.0)[..., None]
            turns = xp.where(here[:, None, None], predicted, turns)
        return turns if side == "left" else turns * like(MIRROR_AXES, features)

    def _error_growth(self, depth: Array, turns: Array) -> Array:
        """Return the factor (F,), 1 or more, of the errors' variance for the trunk's predicted *turns* (F, J, 3)."""
        xp = namespace(turns)
        flat = xp.reshape(turns, (turns.shape[0], -1))
        squares = xp.zeros_like(flat[:, 0])
        for level, here in _levels("trunk", depth):
            inverse = like(self._inverse_spread("trunk", level), flat)
            squares = xp.where(here, xp.sum((flat @ inverse) * flat, axis=-1) / flat.shape[1], squares)
        return at_least(squares / _USUAL_SIZE**2, 1.0)

    def _precision(
        self,
        part: str,
        side: str,
        depth: Array,
        *,
        sigma_m: float,
        noise_m: float,
        subject_offset: SubjectOffset | None,
    ) -> Array:
        """Return the precision (F, 3 J, 3 J) of the prediction for a part that is seen to *depth* (F,).

        If all frames see the part to the same depth, they share one matrix in memory.
        """
        xp = namespace(depth)
        precisions = xp.zeros_like(depth)[:, None, None]
        for level, here in _levels(part, depth):
            inverse = self._inverse_covariance(part, level, side, noise_m, subject_offset)
            precision = like(sigma_m**2 * inverse, depth)
            if bool(xp.all(here)):
                return xp.broadcast_to(precision, (depth.shape[0], *precision.shape))
            precisions = xp.where(here[:, None, None], precision, precisions)
        return precisions

    def covariance(
        self, part: str, level: int, side: str, *, noise_m: float, subject_offset: SubjectOffset | None = None
    ) -> np.ndarray:
        """Return the covariance (3 J, 3 J) of a part's joints about their expected rotations, square radians.

        Args:
            part: a key of `PART_JOINTS`.
            level: number of its groups that are seen.
            side: "left" or "right".
            noise_m: keypoint noise per axis, metres.
            subject_offset: the subject-specific pose offset, if known; None adds the covariance of all subjects.
        """
        model = self.models[part, level]
        noise = (_NOISE_SPREAD_RAD_PER_M * noise_m) ** 2 * np.eye(len(model.covariance))
        if subject_offset is None:
            unknown = _on_side(model.subject_offset_covariance, side)
        else:
            axes = joint_axes(part_joints(part, side))
            unknown = subject_offset.covariance[np.ix_(axes, axes)]
        total: np.ndarray = _on_side(model.covariance, side) + unknown + noise
        return total

    @lru_cache(maxsize=_NUM_REMEMBERED)  # noqa: B019 - few and small values, and few priors in a process
    def _inverse_covariance(
        self, part: str, level: int, side: str, noise_m: float, subject_offset: SubjectOffset | None
    ) -> np.ndarray:
        """Return the inverse of `covariance`; the frames of a stream ask for the same ones again and again."""
        return np.linalg.inv(self.covariance(part, level, side, noise_m=noise_m, subject_offset=subject_offset))

    @lru_cache(maxsize=_NUM_REMEMBERED)  # noqa: B019 - few and small values, and few priors in a process
    def _inverse_spread(self, part: str, level: int) -> np.ndarray:
        """Return the inverse of the covariance (3 J, 3 J) of the errors within a clip."""
        return np.linalg.inv(self.models[part, level].covariance)

    def subject_offset_covariance(self, weights: Mapping[str, float]) -> np.ndarray:
        """Return the covariance (66, 66) of subject offsets, square radians; 0 for joints that are in no part.

        Args:
            weights: by solver point, 0 where it is missing.
        """
        covariance = np.zeros((3 * NUM_BODY_ROTATIONS, 3 * NUM_BODY_ROTATIONS))
        shown = {name: np.array([weight]) for name, weight in weights.items()}
        for part, side in PARTS:
            axes = joint_axes(part_joints(part, side))
            model = self.models[part, int(seen_depth(part, shown, side)[0])]
            covariance[np.ix_(axes, axes)] = _on_side(model.subject_offset_covariance, side)
        return covariance


def _levels(part: str, depth: Array) -> Iterator[tuple[int, Array]]:
    """Yield each depth to which a part is seen in any frame, and in which frames (F,) bool."""
    xp = namespace(depth)
    for level in range(len(PART_CHAINS[part]) + 1):
        here = depth == level
        if bool(xp.any(here)):
            yield level, here


def joint_axes(joints: Sequence[int]) -> list[int]:
    """Return the indices of the joints' axes among the axes of all joints."""
    return [3 * joint + axis for joint in joints for axis in range(3)]


def _on_side(covariance: np.ndarray, side: str) -> np.ndarray:
    """Return the covariance (3 J, 3 J) of left joints, mirrored if *side* is "right"."""
    signs = np.tile(MIRROR_AXES, len(covariance) // 3)
    return covariance if side == "left" else covariance * np.outer(signs, signs)
