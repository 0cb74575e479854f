"""The palm: its rotation in each frame, and the person's knuckles and finger bones. H hands, L fingers, F frames.

The directions of the knuckles from the wrist give the rotation of the hand, which the fit of the body knows only
roughly. The person's knuckles and the lengths of the bones are medians over the clip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...layouts import FINGERS
from ...math.medians import known_median
from ...math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from .skeleton import Hands
from .solve import FingerTargets

_THUMB_SHARE = 0.3
"""Weight of the thumb's root, which lies deep in flesh, relative to the knuckles."""
_MIN_PALM_POINTS = 3
_TURN_SPREAD_RAD = np.deg2rad(6.0)
"""Rotation of the hand relative to the fitted wrist, standard deviation."""
_STEPS = 2
_SCALES = (0.6, 1.6)
_LENGTH_DIFFERENCE, _LENGTH_RANGE = 0.08, (0.7, 1.4)
"""Lengths of people's finger bones relative to the body's: their standard deviation, and the range that is accepted."""
_PALM_DIFFERENCE_M = 0.005
"""Distance of people's knuckles from those of a body of their size, standard deviation."""
_LATERAL = 2.5
"""Noise raises the median of the squared length of a bone by this many variances."""
_IMPOSSIBLE_SHARE, _IMPOSSIBLE_SIGMAS = 0.5, 6.0
"""A bone is wrong if its length is off by more than this share of it, and by more than this many errors of a point."""
_MIN_LENGTHS = 10
"""A bone must be seen in this many frames for its length to be used as a measure of errors."""
_MEDIAN_OFF = 0.6745
"""Median distance from the mean of a normal distribution, in standard deviations."""
_INDEPENDENT = 5
"""This many consecutive frames count as one independent value, since errors of a tracker last."""
_PALM_SPREAD_M = 0.003
"""Movement of a knuckle within the palm, standard deviation."""


@dataclass(frozen=True, eq=False)
class PalmPose:
    """The palm over time.

    Attributes:
        turns: (F, H, 3) rotation vectors of the hands relative to the fitted wrists, mirrored to left hands.
        known: (F, H) bool, whether enough points of the palm are seen.
    """

    turns: np.ndarray
    known: np.ndarray


def measured_scale(points: np.ndarray, weights: np.ndarray, hands: Hands) -> float:
    """Return the size of the person's palms relative to *hands*; 1 if they are never seen.

    Args:
        points: (F, H, 21, 3) metres, in the wrist's frame.
        weights: (F, H, 21).
        hands: the hands of the body.
    """
    model = _palm_of(hands)
    ratios = []
    for one, other in ((0, 2), (0, 3), (0, 4), (0, 5), (2, 5), (2, 4), (3, 5)):
        seen = (weights[..., _COLUMNS[one]] > 0) & (weights[..., _COLUMNS[other]] > 0)
        length = np.linalg.norm(points[:, :, _COLUMNS[one]] - points[:, :, _COLUMNS[other]], axis=-1)
        ratio = length / np.linalg.norm(model[:, one] - model[:, other], axis=-1)
        if seen.any():
            ratios.append(np.median(ratio[seen]))
    return float(np.clip(np.median(ratios), *_SCALES)) if ratios else 1.0


_COLUMNS = [0, 1, 5, 9, 13, 17]
"""The palm's points among those of a hand: the wrist and the root of each finger."""


def lasting_error_m(points: np.ndarray, weights: np.ndarray, noise_m: np.ndarray) -> float:
    """Return the part of the points' error per axis, metres, that is not noise, from how much bones vary in length.

    Args:
        points: (F, H, 21, 3) metres.
        weights: (F, H, 21).
        noise_m: (H, 21) noise of the points per axis, metres.
    """
    shape = (*points.shape[:2], len(FINGERS), 4)
    lengths = np.linalg.norm(np.diff(points[:, :, 1:].reshape(*shape, 3), axis=3), axis=-1).transpose(1, 2, 3, 0)
    shown = (weights[:, :, 1:].reshape(shape) > 0).transpose(1, 2, 3, 0)
    seen = shown[:, :, 1:] & shown[:, :, :-1]
    middle, count = known_median(lengths, seen, axis=-1)
    off, _ = known_median(np.abs(lengths - middle[..., None]), seen, axis=-1)
    enough = count >= _MIN_LENGTHS
    if not enough.any():
        return 0.0
    spread_m = float(np.median(off[enough])) / _MEDIAN_OFF / np.sqrt(2.0)
    return float(np.sqrt(max(spread_m**2 - float(np.median(noise_m)) ** 2, 0.0)))


def _palm_of(hands: Hands) -> np.ndarray:
    """Return the palm's points (H, 6, 3): the wrist and the root of each finger."""
    roots = hands.palm.transpose(2, 1, 0)
    return np.concatenate([np.zeros_like(roots[:, :1]), roots], axis=1)


def turn_palms(points: np.ndarray, weights: np.ndarray, hands: Hands, sigma_m: float) -> tuple[PalmPose, np.ndarray]:
    """Return the rotations of the palms, and the points (F, H, 21, 3) in the axes of the palms, relative to the wrists.

    Args:
        points: (F, H, 21, 3) metres, in the wrist's frame.
        weights: (F, H, 21).
        hands: the person's hands.
        sigma_m: error of the points per axis, metres.
    """
    share = np.array([1.0, _THUMB_SHARE, 1.0, 1.0, 1.0, 1.0])
    weight = weights[..., _COLUMNS] * share
    known = (weight > 0).sum(axis=-1) >= _MIN_PALM_POINTS
    weight = np.where(known[..., None], weight, 0.0)
    total = np.maximum(weight.sum(axis=-1, keepdims=True), 1e-9)[..., None]
    model, seen = _palm_of(hands), points[:, :, _COLUMNS]
    model_middle = (weight[..., None] * model).sum(axis=2, keepdims=True) / total
    seen_middle = (weight[..., None] * seen).sum(axis=2, keepdims=True) / total
    start = np.broadcast_to(model - model_middle, seen.shape)
    turns = np.zeros((*known.shape, 3))
    for _ in range(_STEPS):
        rotations = axis_angle_to_matrix(turns)
        step = _small_turn(start, (seen - seen_middle) @ rotations, weight, turns, (sigma_m / _TURN_SPREAD_RAD) ** 2)
        turns = matrix_to_axis_angle(rotations @ axis_angle_to_matrix(step))
    aligned = (points - seen_middle) @ axis_angle_to_matrix(turns) + model_middle
    return PalmPose(turns, known), np.where(known[..., None, None], aligned, points)


def _small_turn(
    start: np.ndarray, turned: np.ndarray, weight: np.ndarray, turns: np.ndarray, firmness: float
) -> np.ndarray:
    """Return the small rotations (F, H, 3) from *start* to *turned* (F, H, 6, 3), with *turns* drawn to 0."""
    squared = (weight * (start**2).sum(axis=-1)).sum(axis=-1) + firmness
    matrix = squared[..., None, None] * np.eye(3) - np.einsum("fhk,fhka,fhkb->fhab", weight, start, start)
    right = (weight[..., None] * np.cross(start, turned)).sum(axis=2) - firmness * turns
    step: np.ndarray = np.linalg.solve(matrix, right[..., None])[..., 0]
    return step


def fit_to_person(points: np.ndarray, weights: np.ndarray, hands: Hands, noise_m: np.ndarray) -> Hands:
    """Return *hands* with the palms and the bone lengths of the person; the lengths are the same on both sides.

    Args:
        points: (F, H, 21, 3) metres, in the palm's axes.
        weights: (F, H, 21).
        hands: hands of the person's size.
        noise_m: (H, 21) error of the points per axis, metres.
    """
    joints = points[:, :, 1:].reshape(*points.shape[:2], -1, 4, 3).transpose(3, 4, 2, 1, 0)
    seen = (weights[:, :, 1:] > 0).reshape(*points.shape[:2], -1, 4).transpose(3, 2, 1, 0)
    noise = noise_m[:, 1:].reshape(len(noise_m), -1, 4).transpose(2, 1, 0)
    roots, num_roots = known_median(joints[0], seen[:1], axis=-1)
    palm = hands.palm + _trust(num_roots, noise[0], _PALM_DIFFERENCE_M) * (roots - hands.palm)
    both = seen[1:] & seen[:-1]
    squared = (np.diff(joints, axis=0) ** 2).sum(axis=1)
    error = (noise[1:] ** 2 + noise[:-1] ** 2).mean(axis=-1)
    pooled, num_bones = known_median(squared.reshape(*error.shape, -1), both.reshape(*error.shape, -1), axis=-1)
    usual = hands.lengths.mean(axis=-1)
    measured = np.sqrt(np.maximum(pooled - _LATERAL * error, 0.0)) / usual
    share = _trust(num_bones, np.sqrt(error) / usual, _LENGTH_DIFFERENCE)
    ratio = 1.0 + share * (np.clip(measured, *_LENGTH_RANGE) - 1.0)
    return replace(hands, palm=palm, bones=hands.bones * ratio[:, None, :, None])


def _trust(count: np.ndarray, error: np.ndarray, difference: float) -> np.ndarray:
    """Return the weight (...) of a median of *count* values with *error* each, given how much people differ."""
    independent = np.maximum(count / _INDEPENDENT, 1e-3)
    weight: np.ndarray = difference**2 / (difference**2 + error**2 / independent)
    return np.where(count > 0, weight, 0.0)


def without_impossible_bones(points: np.ndarray, weights: np.ndarray, hands: Hands, sigma_m: float) -> np.ndarray:
    """Return the *weights* (F, H, 21), 0 for points at an impossible distance from their neighbours.

    A point between two bones of impossible length is dropped first, then the outer point of each such bone.

    Args:
        points: (F, H, 21, 3) metres.
        weights: (F, H, 21).
        hands: the person's hands.
        sigma_m: error of the points per axis, metres.
    """
    joints = points[:, :, 1:].reshape(*points.shape[:2], -1, 4, 3)
    kept = weights[:, :, 1:].reshape(joints.shape[:-1]).copy()
    usual = hands.lengths.transpose(2, 1, 0)
    off = np.abs(np.linalg.norm(np.diff(joints, axis=3), axis=-1) - usual)
    impossible = off > np.maximum(_IMPOSSIBLE_SHARE * usual, _IMPOSSIBLE_SIGMAS * sigma_m)
    for inner in (1, 2):
        kept[..., inner][impossible[..., inner - 1] & impossible[..., inner]] = 0.0
    for bone in range(3):
        kept[..., bone + 1][impossible[..., bone] & (kept[..., bone] > 0)] = 0.0
    return np.concatenate([weights[:, :, :1], kept.reshape(*weights.shape[:2], -1)], axis=-1)


def finger_targets(points: np.ndarray, weights: np.ndarray, hands: Hands, sigma_m: float) -> FingerTargets:
    """Return the targets of the fingers, each relative to its first joint.

    The first joint is the mean of its place in the palm and its observation, weighted by their errors.

    Args:
        points: (F, H, 21, 3) metres, in the palm's axes.
        weights: (F, H, 21).
        hands: the person's hands.
        sigma_m: error of the points per axis, metres.
    """
    shape = (*points.shape[:2], -1, 4)
    joints = points[:, :, 1:].reshape(*shape, 3).transpose(3, 4, 2, 1, 0)
    weight = weights[:, :, 1:].reshape(shape).transpose(3, 2, 1, 0)
    palm = hands.palm[..., None]
    share = weight[0] * _PALM_SPREAD_M**2 / (weight[0] * _PALM_SPREAD_M**2 + sigma_m**2)
    root = palm + share * (joints[0] - palm)
    relative = np.einsum("ablh,jalhf->jblhf", hands.axes, joints[1:] - root, optimize=True)
    return FingerTargets(relative, weight[1:], hands.bones[..., None], sigma_m)
