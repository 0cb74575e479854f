"""What the keypoints do not show of trunk and legs: the rotations to expect given those they do, from real motion.

Hips and shoulders say nothing of the pelvis' and the chest's pitch, knee and ankle nothing of the shin's twist. A small
regression (ridge, on products of two features) from the analytic start's rotations predicts how far each joint really
is turned from that start. It has a model for each part of the body and for how much of that part is seen; the right leg
is the left leg's model in a mirror. F frames.

What a regression leaves is of two kinds: a person's habit, which stays through a clip (`SubjectOffset`), and what comes
and goes. Each has a covariance of all joints of a part together: where the pelvis is tilted further than expected, the
spine is bent back further.

`training.pose_prior` makes the asset from motion capture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ...math.arrays import Array, at_least, at_most, like, namespace, ones_where
from ...math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ...smpl_skeleton import JOINT_INDEX, JOINT_NAMES, NUM_BODY_ROTATIONS
from ..solver.gauss_newton import PosePrior
from ..solver.joint_precision import JointPrecision

ASSET = Path(__file__).with_name("assets") / "pose_prior.npz"
ASSET_VERSION = 3
FIELDS = ("coefficients", "covariance", "subject_offset_covariance", "reach_rad")
"""What the asset holds of each model; `PartModel` says what they are."""

PART_JOINTS: dict[str, tuple[str, ...]] = {
    "trunk": ("pelvis", "spine1", "spine2", "spine3", "neck", "head", "left_hip", "right_hip"),
    "leg": ("left_knee", "left_ankle", "left_foot"),
}
"""The joints that each part's model predicts; the leg's speaks of the left one."""
PARTS = (("trunk", "left"), ("leg", "left"), ("leg", "right"))
"""All parts, and their sides; the trunk's is of no matter."""

PART_CHAINS: dict[str, tuple[tuple[str, ...], ...]] = {
    "trunk": (("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head", "head_top"),),
    "arm": (
        ("left_elbow",),
        ("left_wrist",),
        ("left_index_knuckle", "left_middle_knuckle", "left_pinky_knuckle", "left_hand"),
    ),
    "leg": (("left_knee",), ("left_ankle",), ("left_big_toe", "left_small_toe", "left_foot")),
}
"""For each part, groups of points from the root outwards. A part is seen as far as each group has a point seen.

What to expect of the arms is not said here: a network does (`core.fit.priors.pose_predictor`)."""

MIRROR_AXES = np.array([1.0, -1.0, -1.0])
"""Mirroring left and right keeps a rotation vector's X and turns its Y and Z around."""
MIRRORED_JOINTS = [
    JOINT_INDEX[name.replace("left", "*").replace("right", "left").replace("*", "right")] for name in JOINT_NAMES
]
_COLLARS = [JOINT_INDEX["left_collar"], JOINT_INDEX["right_collar"]]
_FEATURE_JOINTS = (
    "spine1", "spine2", "spine3", "neck", "head", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
)  # fmt: skip
_FEATURE_BOUND = 2.0
"""Rotation vectors beyond it are rare, and products of them would rule the prediction."""
_COLLAR_SPREAD_RAD = np.deg2rad(4.0)
_NOISE_SPREAD_RAD_PER_M = 25.0
"""How much less sure a prediction is of noisy points, whose noise is in the start that it is made from. More than that
alone calls for: people like those it has learned from lose a hundredth by it, people unlike them gain a tenth."""


def part_joints(part: str, side: str) -> tuple[int, ...]:
    """Return the joints of a part on a side."""
    return tuple(JOINT_INDEX[name if part == "trunk" else name.replace("left", side)] for name in PART_JOINTS[part])


@dataclass(frozen=True, eq=False)
class PartModel:
    """How one part of the body differs from the analytic start, when it is seen to a given depth.

    Attributes:
        coefficients: (features, 3 J) from features to rotation vectors, radians, in the joints' own axes.
        covariance: (3 J, 3 J) of what the prediction leaves and what comes and goes, square radians.
        subject_offset_covariance: (3 J, 3 J) of what it leaves and what stays through a clip.
        reach_rad: (J,) the largest turn that was seen in training.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    subject_offset_covariance: np.ndarray
    reach_rad: np.ndarray


@dataclass(frozen=True, eq=False)
class SubjectOffset:
    """How a person's trunk and legs differ from what is expected all through a clip (`core.fit.habit` finds it).

    Attributes:
        turns: (22, 3) rotation vectors on top of the expected rotations, radians, in the joints' own axes.
        covariance: (66, 66) of what is not known of it, square radians; 0 for joints that are in no part.
    """

    turns: np.ndarray
    covariance: np.ndarray


def mirrored(rotations: Array) -> Array:
    """Return the local rotations (F, 24, 3, 3) of the pose seen in a mirror, left and right exchanged."""
    flip = like(np.outer([-1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]), rotations)
    return rotations[:, MIRRORED_JOINTS] * flip


def part_features(part: str, rotations: Array) -> Array:
    """Return the features (F, N) of a *part* from the analytic start's local *rotations* (F, 24, 3, 3).

    Args:
        part: a key of `PART_JOINTS`; for the right limbs give mirrored rotations.
        rotations: local rotations.
    """
    xp = namespace(rotations)
    joint = {name: rotations[:, JOINT_INDEX[name]] for name in _FEATURE_JOINTS}
    spine = joint["spine1"] @ joint["spine2"] @ joint["spine3"]
    if part == "leg":
        read = [joint["left_hip"], joint["left_knee"], joint["left_ankle"], spine]
        columns = [0, 1, 2, 3, 6, 7, 8, 9, 10, 11]
    else:
        hips_and_knees = [joint[f"{side}_{name}"] for name in ("hip", "knee") for side in ("left", "right")]
        read = [spine, joint["neck"] @ joint["head"], *hips_and_knees]
        columns = [*range(13), 15]
    turns = matrix_to_axis_angle(xp.stack(read, axis=1))
    return _with_products(xp.reshape(turns, (turns.shape[0], -1))[:, columns])


def _with_products(basis: Array) -> Array:
    """Return 1, every column, and every product of two columns, the columns held to a bound."""
    xp = namespace(basis)
    basis = at_most(at_least(basis, -_FEATURE_BOUND), _FEATURE_BOUND)
    first, second = _pairs_of(basis.shape[1])
    return xp.concat([xp.ones_like(basis[:, :1]), basis, basis[:, first] * basis[:, second]], axis=1)


@cache
def _pairs_of(count: int) -> tuple[list[int], list[int]]:
    """Return the first and the second of every two of *count* columns, each with itself too."""
    first, second = np.triu_indices(count)
    return first.tolist(), second.tolist()


def seen_depth(part: str, weights: Mapping[str, Array], side: str) -> Array:
    """Return how many of the part's groups, from the root outwards, have a point seen (F,).

    Args:
        part: a key of `PART_JOINTS`.
        weights: by solver point, (F,) 0 where it is missing; never empty.
        side: "left" or "right"; of no matter for the trunk.
    """
    some = next(iter(weights.values()))
    xp = namespace(some)
    depth = xp.zeros_like(some)
    open_so_far = xp.ones_like(some)
    for group in PART_CHAINS[part]:
        seen = xp.zeros_like(some)
        for name in group:
            name = name.replace("left", side) if part != "trunk" else name
            if name in weights:
                seen = xp.maximum(seen, ones_where(weights[name] > 0, seen))
        open_so_far = open_so_far * seen
        depth = depth + open_so_far
    return depth


class RegressionPrior:
    """The models of all parts and depths."""

    def __init__(self, models: Mapping[tuple[str, int], PartModel]) -> None:
        """Take a model for each part and for each depth, 0 to the number of its groups."""
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
        """Return the expected rotations, and how firmly to hold to them; the start's own for joints of no part.

        Args:
            start: (F, 24, 3, 3) the analytic start.
            names: the solver points seen.
            weights: (F, K) their weights, 0 where missing.
            sigma_m: how far off the keypoints are, metres: what a square radian is weighed against.
            noise_m: how much of that is noise, other in every frame.
            subject_offset: the person's, if it is known.
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
            own = axis_angle_to_matrix(self._turns(part, side, depth, part_features(part, views[side])))
            if subject_offset is not None:
                own = own @ axis_angle_to_matrix(like(subject_offset.turns[list(joints)], start))
            for place, joint in enumerate(joints):
                turned[joint] = start[:, joint] @ own[:, place]
            firmness = self._firmness(
                part, side, depth, sigma_m=sigma_m, noise_m=noise_m, subject_offset=subject_offset
            )
            joint_precisions.append(JointPrecision(joints, firmness))
        precision = xp.broadcast_to(like(precision, start), (start.shape[0], NUM_BODY_ROTATIONS, 3, 3))
        return PosePrior(xp.stack(turned, axis=1), precision, sigma_m, tuple(joint_precisions))

    def _turns(self, part: str, side: str, depth: Array, features: Array) -> Array:
        """Return the predicted turns (F, J, 3) of a part's joints, seen to *depth* (F,)."""
        xp = namespace(features)
        turns = xp.zeros_like(features[:, :1])[..., None]
        for level, here in _levels(part, depth):
            model = self.models[part, level]
            there = xp.reshape(features @ like(model.coefficients, features), (features.shape[0], -1, 3))
            length = xp.sqrt(xp.sum(there * there, axis=-1))
            reach = like(model.reach_rad, features)
            there = there * at_most(reach / at_least(length, 1e-9), 1.0)[..., None]
            turns = xp.where(here[:, None, None], there, turns)
        return turns if side == "left" else turns * like(MIRROR_AXES, features)

    def _firmness(
        self,
        part: str,
        side: str,
        depth: Array,
        *,
        sigma_m: float,
        noise_m: float,
        subject_offset: SubjectOffset | None,
    ) -> Array:
        """Return how sure what is expected of a part is (F, 3 J, 3 J), seen to *depth* (F,), as precision.

        Where all frames are seen to the same depth, they share one matrix in memory.
        """
        xp = namespace(depth)
        firm = xp.zeros_like(depth)[:, None, None]
        for level, here in _levels(part, depth):
            covariance = self.covariance(part, level, side, noise_m=noise_m, subject_offset=subject_offset)
            precision = like(sigma_m**2 * np.linalg.inv(covariance), depth)
            if bool(xp.all(here)):
                return xp.broadcast_to(precision, (depth.shape[0], *precision.shape))
            firm = xp.where(here[:, None, None], precision, firm)
        return firm

    def covariance(
        self, part: str, level: int, side: str, *, noise_m: float, subject_offset: SubjectOffset | None = None
    ) -> np.ndarray:
        """Return the covariance (3 J, 3 J) of a part's joints about what is expected of them, square radians.

        Args:
            part: a key of `PART_JOINTS`.
            level: how many of its groups are seen.
            side: "left" or "right".
            noise_m: noise of the keypoints per axis.
            subject_offset: the person's, if it is known; else it may be any.
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

    def subject_offset_covariance(self, weights: Mapping[str, float]) -> np.ndarray:
        """Return the covariance (66, 66) of habits, square radians; 0 for joints that are in no part.

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
    """Yield the depths (F,) that a part is seen to, and where."""
    xp = namespace(depth)
    for level in range(len(PART_CHAINS[part]) + 1):
        here = depth == level
        if bool(xp.any(here)):
            yield level, here


def joint_axes(joints: Sequence[int]) -> list[int]:
    """Return the places of the joints' axes among the axes of all joints."""
    return [3 * joint + axis for joint in joints for axis in range(3)]


def _on_side(covariance: np.ndarray, side: str) -> np.ndarray:
    """Return the covariance (3 J, 3 J) of the left side's joints for those of a side."""
    signs = np.tile(MIRROR_AXES, len(covariance) // 3)
    return covariance if side == "left" else covariance * np.outer(signs, signs)


@cache
def load_prior() -> RegressionPrior:
    """Return the prior that ships with the project."""
    with np.load(ASSET, allow_pickle=False) as asset:
        arrays = {key: asset[key] for key in asset.files}
    assert int(arrays["version"]) == ASSET_VERSION
    return RegressionPrior(
        {
            (part, level): PartModel(*(arrays[f"{part}_{level}_{field}"].astype(np.float64) for field in FIELDS))
            for part in PART_JOINTS
            for level in range(len(PART_CHAINS[part]) + 1)
        }
    )
