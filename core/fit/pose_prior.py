"""What the keypoints do not show: the expected rotations given those they do, learned from real motion.

Points on a bone's axis say nothing of its twist, hips and shoulders nothing of the pelvis' and the chest's pitch. A
small regression (ridge, on products of two features) from the analytic start's rotations predicts how far each joint
really is turned from that start, and how sure that is. It has a model for each part of the body and for how much of
that part is seen; the right side is the left side's model in a mirror. F frames.

`training.pose_prior` makes the asset from motion capture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..arrays import Array, like, namespace
from ..rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ..skeletons import JOINT_INDEX, JOINT_NAMES, NUM_BODY_ROTATIONS
from .refine import PosePrior

ASSET = Path(__file__).with_name("assets") / "pose_prior.npz"
ASSET_VERSION = 1

PART_JOINTS: dict[str, tuple[str, ...]] = {
    "trunk": ("pelvis", "spine1", "spine2", "spine3", "neck", "head", "left_hip", "right_hip"),
    "arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "leg": ("left_knee", "left_ankle", "left_foot"),
}
"""The joints that each part's model predicts; the limbs' models speak of the left side."""

PART_CHAINS: dict[str, tuple[tuple[str, ...], ...]] = {
    "trunk": (("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head", "head_top"),),
    "arm": (
        ("left_elbow",),
        ("left_wrist",),
        ("left_index_knuckle", "left_middle_knuckle", "left_pinky_knuckle", "left_hand"),
    ),
    "leg": (("left_knee",), ("left_ankle",), ("left_big_toe", "left_small_toe", "left_foot")),
}
"""For each part, groups of points from the root outwards. A part is seen as far as each group has a point seen."""

MIRROR_AXES = np.array([1.0, -1.0, -1.0])
"""Mirroring left and right keeps a rotation vector's X and turns its Y and Z around."""
MIRRORED_JOINTS = [
    JOINT_INDEX[name.replace("left", "*").replace("right", "left").replace("*", "right")] for name in JOINT_NAMES
]
_FEATURE_BOUND = 2.0
"""Rotation vectors beyond it are rare, and products of them would rule the prediction."""
_COLLAR_SPREAD_RAD = np.deg2rad(4.0)


@dataclass(frozen=True, eq=False)
class PartModel:
    """How one part of the body differs from the analytic start, when it is seen to a given depth.

    Attributes:
        coefficients: (features, 3 J) from features to rotation vectors, radians, in the joints' own axes.
        covariance: (J, 3, 3) of what the prediction leaves, square radians.
        reach_rad: (J,) the largest turn that was seen in training.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    reach_rad: np.ndarray


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
    joint = {name: rotations[:, index] for name, index in JOINT_INDEX.items()}
    spine = matrix_to_axis_angle(joint["spine1"] @ joint["spine2"] @ joint["spine3"])
    if part == "arm":
        shoulder = xp.reshape(joint["left_shoulder"][..., :2], (rotations.shape[0], 6))
        wrist = matrix_to_axis_angle(joint["left_wrist"])
        basis = xp.concat([shoulder, joint["left_elbow"][..., 0], wrist, spine], axis=1)
    elif part == "leg":
        turns = [matrix_to_axis_angle(joint[name]) for name in ("left_hip", "left_knee", "left_ankle")]
        basis = xp.concat([turns[0], turns[1][:, :1], turns[2], spine], axis=1)
    else:
        head = matrix_to_axis_angle(joint["neck"] @ joint["head"])
        hips = [matrix_to_axis_angle(joint[f"{side}_hip"]) for side in ("left", "right")]
        knees = [matrix_to_axis_angle(joint[f"{side}_knee"])[:, :1] for side in ("left", "right")]
        basis = xp.concat([spine, head, *hips, *knees], axis=1)
    return _with_products(basis)


def _with_products(basis: Array) -> Array:
    """Return 1, every column, and every product of two columns, the columns held to a bound."""
    xp = namespace(basis)
    basis = xp.clip(basis, -_FEATURE_BOUND, _FEATURE_BOUND)
    first, second = (index.tolist() for index in np.triu_indices(basis.shape[1]))
    return xp.concat([xp.ones_like(basis[:, :1]), basis, basis[:, first] * basis[:, second]], axis=1)


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
                seen = xp.where(weights[name] > 0, xp.ones_like(seen), seen)
        open_so_far = open_so_far * seen
        depth = depth + open_so_far
    return depth


class ConditionalPrior:
    """The models of all parts and depths."""

    def __init__(self, models: Mapping[tuple[str, int], PartModel]) -> None:
        """Take a model for each part and for each depth, 0 to the number of its groups."""
        self.models = dict(models)

    def predict(self, start: Array, names: Sequence[str], weights: Array, *, sigma_m: float) -> PosePrior:
        """Return the expected rotations, and how firmly to hold to them.

        Args:
            start: (F, 24, 3, 3) the analytic start.
            names: the solver points seen.
            weights: (F, K) their weights, 0 where missing.
            sigma_m: how far off the keypoints are, metres: what a square radian is weighed against.
        """
        xp = namespace(start)
        by_name = {name: weights[:, index] for index, name in enumerate(names)}
        turned = [start[:, joint] for joint in range(start.shape[1])]
        flat = like(np.broadcast_to(np.eye(3) / _COLLAR_SPREAD_RAD**2, (NUM_BODY_ROTATIONS, 3, 3)), start)
        firmness = [xp.broadcast_to(flat[joint], start[:, joint].shape) for joint in range(NUM_BODY_ROTATIONS)]
        views = {"left": start, "right": mirrored(start)}
        for part, side in (("trunk", "left"), ("arm", "left"), ("arm", "right"), ("leg", "left"), ("leg", "right")):
            turns, precisions = self._part(part, part_features(part, views[side]), seen_depth(part, by_name, side))
            if side == "right":
                turns = turns * like(MIRROR_AXES, start)
                precisions = precisions * like(np.outer(MIRROR_AXES, MIRROR_AXES), start)
            turns = axis_angle_to_matrix(turns)
            for index, name in enumerate(PART_JOINTS[part]):
                joint = JOINT_INDEX[name if part == "trunk" else name.replace("left", side)]
                turned[joint] = start[:, joint] @ turns[:, index]
                firmness[joint] = precisions[:, index]
        return PosePrior(xp.stack(turned, axis=1), xp.stack(firmness, axis=1) * sigma_m**2, sigma_m)

    def _part(self, part: str, features: Array, depth: Array) -> tuple[Array, Array]:
        """Return the predicted turns (F, J, 3) of a part's joints and their precision (F, J, 3, 3), by depth."""
        xp = namespace(features)
        shape = (features.shape[0], len(PART_JOINTS[part]), 3)
        turns = xp.zeros_like(features[:, :1])[..., None]
        precisions = turns[..., None]
        for level in range(len(PART_CHAINS[part]) + 1):
            here = depth == level
            if not bool(xp.any(here)):
                continue
            model = self.models[part, level]
            there = xp.reshape(features @ like(model.coefficients, features), shape)
            length = xp.sqrt(xp.sum(there * there, axis=-1))
            reach = like(model.reach_rad, features)
            there = there * xp.clip(reach / xp.clip(length, 1e-9, None), None, 1.0)[..., None]
            firm = like(np.linalg.inv(model.covariance), features)
            turns = xp.where(here[:, None, None], there, turns)
            precisions = xp.where(here[:, None, None, None], firm, precisions)
        return turns, precisions


@cache
def load_prior() -> ConditionalPrior:
    """Return the prior that ships with the project."""
    with np.load(ASSET, allow_pickle=False) as asset:
        arrays = {key: asset[key] for key in asset.files}
    assert int(arrays["version"]) == ASSET_VERSION
    return ConditionalPrior(
        {
            (part, level): PartModel(
                *(
                    arrays[f"{part}_{level}_{field}"].astype(np.float64)
                    for field in ("coefficients", "covariance", "reach_rad")
                )
            )
            for part, groups in PART_CHAINS.items()
            for level in range(len(groups) + 1)
        }
    )
