"""Fit the fingers of a motion after the body. H hands, L fingers, F frames.

Each hand is solved on its own from its points in the frame of the fitted wrist: first the palm, which also corrects the
wrist's rotation, then each finger (`core.fit.hands.posing`). No other joints of the body are changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...body.data import BodyData
from ...fingers import RELAXED_HANDS, with_hands
from ...math.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ...motion import Motion
from ...smpl_skeleton import JOINT_INDEX, SIDES, SMPLH
from ...track import KeypointTrack
from ..pose_solver import after_smoothing
from ..report import Flag, flags_of
from ..temporal.keypoint_smoothing import SmoothedPoints, smooth_points
from .observations import HandPoints, take_hands, to_wrist
from .over_time import fill_gaps
from .palm import fit_to_person, lasting_error_m, measured_scale, turn_palms
from .posing import pose_hands
from .skeleton import Hands, angles_of, hands_of_body, joint_rotations, rest_joints

WRISTS = [JOINT_INDEX[f"{side}_wrist"] for side in SIDES]
MODEL_ERROR_M = 0.001
"""Error per axis of points without noise, since joints are not exact hinges."""
_LASTING = 2.0
"""Weight of an error that lasts: it bends a finger all the while, unlike one that the next frame corrects (chosen
between 1 and 3 on the synthetic clips for choosing, with a poor tracker)."""
_GAP_S, _REACH_S, _BRIDGED_WEIGHT = 0.4, 0.2, 0.5
"""The longest gap in which smoothed points are used, how far into it, and their relative weight there."""
_MIRRORED = np.array([[1.0, 1.0, 1.0], [1.0, -1.0, -1.0]])
"""Signs that turn the rotation vectors of left hands into those of a left and a right hand."""


@dataclass(frozen=True, eq=False)
class HandFit:
    """The fitted fingers.

    Attributes:
        motion: the motion with fingers, on SMPL-H's joints.
        flags: where fingers were filled in, and points corrected or not used.
    """

    motion: Motion
    flags: tuple[Flag, ...]


def fit_hands(
    track: KeypointTrack,
    motion: Motion,
    body: BodyData,
    *,
    smoothing: float = 1.0,
    unseen: np.ndarray = RELAXED_HANDS,
) -> HandFit:
    """Return *motion* with fingers fitted to the points of *track*.

    Args:
        track: the keypoints.
        motion: the body's motion, fitted to the same track, at its frame rate.
        body: the body with SMPL-H's joints.
        smoothing: as in `core.fit.FitOptions`.
        unseen: (2, 15, 3) axis-angle of the fingers of hands that are not seen.
    """
    hands = hands_of_body(body, motion.betas)
    wrists, rotations = wrist_frames(motion.rotations(), motion.trans, rest_joints(body, motion.betas))
    observed = take_hands(track, wrists)
    points, weights, noise_m = _smoothed(observed, wrists, rotations, track.fps, smoothing)
    sigma_m = point_error_m(points, weights, noise_m, noise_m)
    person = person_of(points, weights, hands, noise_m, sigma_m)
    poses = pose_hands(points, weights, person, sigma_m)
    relaxed = angles_of(axis_angle_to_matrix(unseen)[None], person)
    angles, made_up = fill_gaps(poses.angles, poses.known, np.where(poses.seen, poses.angles, relaxed), track.fps)
    turns, _ = fill_gaps(poses.turns, poses.palm_known[None], np.zeros((3, len(SIDES), 1)), track.fps)
    fingers = matrix_to_axis_angle(joint_rotations(angles, person))
    never_seen = ~poses.seen.any(axis=(0, 2))
    fingers[:, never_seen] = unseen[never_seen]
    turned = replace(motion, poses=turned_wrists(motion.poses, turns.transpose(2, 1, 0)))
    hidden = ~poses.seen.any(axis=0) | (made_up.any(axis=0) & ~poses.seen).any(axis=0)
    flags = hand_flags(hidden, observed.implausible.T | poses.mirrored, observed.swapped)
    return HandFit(with_hands(turned, fingers), flags)


def point_error_m(points: np.ndarray, weights: np.ndarray, noise_m: np.ndarray, remaining_m: np.ndarray) -> float:
    """Return the usual error of the points per axis, metres: remaining noise, lasting errors, and the model's error.

    Args:
        points: (F, H, 21, 3) metres.
        weights: (F, H, 21).
        noise_m: (H, 21) noise of these points per axis, metres.
        remaining_m: (H, 21) noise of the points that are fitted.
    """
    lasting_m = _LASTING * lasting_error_m(points, weights, noise_m)
    return float(np.sqrt(np.median(remaining_m) ** 2 + lasting_m**2 + MODEL_ERROR_M**2))


def person_of(points: np.ndarray, weights: np.ndarray, hands: Hands, noise_m: np.ndarray, sigma_m: float) -> Hands:
    """Return *hands* of the body with the sizes of the person, measured from the points.

    Args:
        points: (F, H, 21, 3) metres, in the frames of the wrists, as left hands.
        weights: (F, H, 21).
        hands: the hands of the body.
        noise_m: (H, 21) error of the points per axis, metres.
        sigma_m: usual error of the points per axis, metres.
    """
    scale = measured_scale(points, weights, hands)
    scaled = replace(hands, palm=scale * hands.palm, bones=scale * hands.bones)
    aligned = turn_palms(points, weights, scaled, sigma_m)[1]
    return fit_to_person(aligned, weights, scaled, noise_m)


def wrist_frames(rotations: np.ndarray, trans: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return positions (F, H, 3), metres, and world rotations (F, H, 3, 3) of the wrists.

    Args:
        rotations: (F, J, 3, 3) local rotations, of SMPL's body joints first.
        trans: (F, 3) metres.
        rest: (J, 3) rest joints of the shaped body.
    """
    found = []
    for wrist in WRISTS:
        position, rotation = rest[0] + trans, rotations[:, 0]
        for joint in _path(wrist):
            position = position + rotation @ (rest[joint] - rest[SMPLH.parents[joint]])
            rotation = rotation @ rotations[:, joint]
        found.append((position, rotation))
    positions, world = zip(*found, strict=True)
    return np.stack(positions, axis=1), np.stack(world, axis=1)


def _path(joint: int) -> list[int]:
    """Return the joints from the root's child to *joint*."""
    path = []
    while joint > 0:
        path.append(joint)
        joint = SMPLH.parents[joint]
    return path[::-1]


def turned_wrists(poses: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Return *poses* (F, 3 J) with the wrists turned by *turns* (F, H, 3), which are given as of left hands."""
    turned = poses.reshape(len(poses), -1, 3).copy()
    turned[:, WRISTS] = matrix_to_axis_angle(axis_angle_to_matrix(turned[:, WRISTS]) @ wrist_turns(turns))
    return turned.reshape(len(poses), -1)


def wrist_turns(turns: np.ndarray) -> np.ndarray:
    """Return the rotations (..., H, 3, 3) of the palms' *turns* (..., H, 3), which are given as of left hands."""
    matrices: np.ndarray = axis_angle_to_matrix(turns * _MIRRORED)
    return matrices


def _smoothed(
    observed: HandPoints, wrists: np.ndarray, rotations: np.ndarray, fps: float, smoothing: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points (F, H, 21, 3) in the frames of the wrists, weights (F, H, 21) and remaining noise (H, 21)."""
    local = to_wrist(observed.positions, wrists, rotations)
    flat = observed.weights.reshape(len(local), -1)
    smoothed = smooth_points(local.reshape(*flat.shape, 3), flat, fps, strength=smoothing)
    noise_m = after_smoothing(smoothed.noise_m, smoothing).reshape(local.shape[1:3])
    return smoothed.positions.reshape(local.shape), _weights(smoothed, flat, fps).reshape(local.shape[:3]), noise_m


def _weights(smoothed: SmoothedPoints, weights: np.ndarray, fps: float) -> np.ndarray:
    """Return the weights (F, K) of smoothed points: those of bridged points are lower."""
    near = np.clip(1.0 - smoothed.distance / max(_REACH_S * fps, 1.0), 0.0, 1.0)
    near = np.where(smoothed.gap <= _GAP_S * fps, near, 0.0)
    found: np.ndarray = np.where(smoothed.distance == 0, weights, near * _BRIDGED_WEIGHT * weights.max(axis=0))
    return found


def hand_flags(hidden: np.ndarray, implausible: np.ndarray, swapped: np.ndarray) -> tuple[Flag, ...]:
    """Return the flags of the hands.

    Args:
        hidden: (H, F) bool, whether fingers of a hand were filled in.
        implausible: (H, F) bool, whether its points were not used, or were moved to its wrist.
        swapped: (F,) bool, whether the labels of the two hands were swapped.
    """
    flags = flags_of("swapped", "hands", swapped)
    for hand, side in enumerate(SIDES):
        flags += flags_of("held", f"{side} hand", hidden[hand])
        flags += flags_of("implausible", f"{side} hand", implausible[hand])
    return tuple(flags)
