"""Find implausible poses in a fitted motion: joints outside the human range or too fast. F frames.

The limits are wide: values beyond them deserve a look, and values within them may still look wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.fit.report import flags_of
from core.math.rotations import matrix_to_axis_angle, matrix_to_quat_wxyz, quat_wxyz_to_matrix
from core.smpl_skeleton import JOINT_INDEX, JOINT_NAMES, NUM_BODY_ROTATIONS

_FASTEST_RAD_PER_S = 25.0


@dataclass(frozen=True)
class Anomaly:
    """A range of frames in which a joint is implausible.

    Attributes:
        joint: name of the joint.
        what: the exceeded limit.
        first: first frame, from 0.
        last: last frame.
        worst: the largest value, degrees, or radians per second for a speed.
    """

    joint: str
    what: str
    first: int
    last: int
    worst: float


def find_anomalies(rotations: np.ndarray, fps: float) -> list[Anomaly]:
    """Return the implausible frame ranges, sorted by time and joint.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        fps: frames per second.
    """
    anomalies = []
    for side, sign in (("left", 1.0), ("right", -1.0)):
        anomalies += _limb(rotations, side, sign)
    head = rotations[:, JOINT_INDEX["neck"]] @ rotations[:, JOINT_INDEX["head"]]
    spine = rotations[:, JOINT_INDEX["spine1"]] @ rotations[:, JOINT_INDEX["spine2"]]
    spine = spine @ rotations[:, JOINT_INDEX["spine3"]]
    for name, turn, bend, twist in (("head", head, 90.0, 85.0), ("spine", spine, 110.0, 60.0)):
        anomalies += _beyond(name, "bent", _degrees_of_bend(turn, axis=1), bend)
        anomalies += _beyond(name, "twisted", np.abs(_degrees_of_twist(turn, axis=1)), twist)
    step = np.swapaxes(rotations[:-1], -1, -2) @ rotations[1:]
    speed = np.linalg.norm(matrix_to_axis_angle(step), axis=-1) * fps
    speed = np.concatenate([speed[:1], np.maximum(speed[1:], speed[:-1]), speed[-1:]]) if len(speed) else speed
    for joint in range(NUM_BODY_ROTATIONS) if len(speed) else ():
        anomalies += _beyond(JOINT_NAMES[joint], "rad/s", speed[:, joint], _FASTEST_RAD_PER_S)
    return sorted(anomalies, key=lambda anomaly: (anomaly.first, anomaly.joint))


def _limb(rotations: np.ndarray, side: str, sign: float) -> list[Anomaly]:
    """Return the anomalies of one side's leg and arm; *sign* is 1 for the left, whose limbs point along +X at rest."""

    def joint(stem: str) -> np.ndarray:
        return np.asarray(rotations[:, JOINT_INDEX[f"{side}_{stem}"]])

    shin, forearm = -joint("knee")[..., 1], sign * joint("elbow")[..., 0]
    checks: tuple[tuple[str, str, np.ndarray, float], ...] = (
        ("knee", "bent forwards", _degrees(shin[:, 2]), 12.0),
        ("knee", "bent sideways", np.abs(_degrees(shin[:, 0])), 25.0),
        ("knee", "twisted", np.abs(_degrees_of_twist(_without_bend(joint("knee")), axis=1)), 35.0),
        ("elbow", "bent backwards", _degrees(-forearm[:, 2]), 15.0),
        ("elbow", "bent up or down", np.abs(_degrees(forearm[:, 1])), 50.0),
        ("elbow", "twisted", np.abs(_degrees_of_twist(joint("elbow"), axis=0)), 110.0),
        ("hip", "twisted", np.abs(_degrees_of_twist(joint("hip"), axis=1)), 70.0),
        ("ankle", "turned", _degrees_of_turn(joint("ankle")), 65.0),
        ("foot", "folded", _degrees_of_turn(joint("foot")), 50.0),
        ("wrist", "turned", _degrees_of_turn(joint("wrist")), 100.0),
    )
    return [
        anomaly for stem, what, degrees, limit in checks for anomaly in _beyond(f"{side}_{stem}", what, degrees, limit)
    ]


def _without_bend(turn: np.ndarray) -> np.ndarray:
    """Remove the bend about X from rotations (F, 3, 3): a bend of 160 degrees would hide any twist."""
    quat = matrix_to_quat_wxyz(turn)
    half = np.arctan2(quat[:, 1], quat[:, 0])
    bend = np.stack([np.cos(half), np.sin(half), 0.0 * half, 0.0 * half], axis=-1)
    return np.asarray(np.swapaxes(quat_wxyz_to_matrix(bend), -1, -2) @ turn)


def _beyond(joint: str, what: str, values: np.ndarray, limit: float) -> list[Anomaly]:
    """Return an anomaly for each range of frames in which *values* (F,) exceed *limit*."""
    return [
        Anomaly(joint, f"{what} > {limit:g}", flag.first, flag.last, float(values[flag.first : flag.last + 1].max()))
        for flag in flags_of("anomaly", joint, values > limit)
    ]


def _degrees(sine: np.ndarray) -> np.ndarray:
    return np.asarray(np.rad2deg(np.arcsin(np.clip(sine, -1.0, 1.0))))


def _degrees_of_turn(turn: np.ndarray) -> np.ndarray:
    """Return the angle (F,) of rotations (F, 3, 3), degrees."""
    return np.asarray(np.rad2deg(np.linalg.norm(matrix_to_axis_angle(turn), axis=-1)))


def _degrees_of_bend(turn: np.ndarray, *, axis: int) -> np.ndarray:
    """Return the angle (F,), degrees, by which rotations (F, 3, 3) move the bone's own *axis*."""
    return np.asarray(np.rad2deg(np.arccos(np.clip(turn[:, axis, axis], -1.0, 1.0))))


def _degrees_of_twist(turn: np.ndarray, *, axis: int) -> np.ndarray:
    """Return the signed twist (F,), degrees, of rotations (F, 3, 3) about the bone's own *axis*.

    Swing-twist decomposition: the angle of the quaternion's component along the axis.
    """
    quat = matrix_to_quat_wxyz(turn)
    half = np.arctan2(quat[:, 1 + axis], quat[:, 0])
    return np.asarray(np.rad2deg(2.0 * (half - np.pi * np.round(half / np.pi))))
