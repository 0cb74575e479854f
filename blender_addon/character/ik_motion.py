"""The motion of a control rig's IK controls. F frames. World space, metres, Y up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..core_access import RetargetedMotion
from .ik_controls import IkControls, IkLimb

_STRAIGHT = 0.006
"""A limb that bends less than this, relative to its length, does not tell where its pole is."""
_BLOCK = 1024
"""Frames whose poses are held in memory at once."""
_SMALL = 1e-9


@dataclass(frozen=True, eq=False)
class GoalMotion:
    """The motion of IK controls.

    Attributes:
        turns: (F, 3, 3) rotations since rest of those that turn.
        places: (F, 3) positions of the heads of goals and poles.
    """

    turns: Mapping[str, np.ndarray]
    places: Mapping[str, np.ndarray]


def goal_motion(
    motion: RetargetedMotion,
    ik: IkControls,
    rest_head: Callable[[str], np.ndarray],
    turn_of: Callable[[str], np.ndarray],
) -> GoalMotion:
    """Return the motion of the controls *ik* that makes the limbs perform *motion*.

    A goal keeps its place relative to the end of its limb. A pole lies where the limb bends to, as far from the joint
    as at rest; when the limb is straight, it lies as at rest relative to the limb's upper part.

    Args:
        motion: the motion.
        ik: the controls.
        rest_head: gives the head (3,) of a control at rest.
        turn_of: gives the rotations (F, 3, 3) since rest of a mapped bone.
    """
    if not ik.limbs:
        return GoalMotion({}, {})
    index, rest = motion.rig.index, motion.rig.heads
    bones = [index[bone] for limb in ik.limbs for bone in (limb.upper, limb.lower, limb.end)]
    blocks = [slice(start, start + _BLOCK) for start in range(0, motion.num_frames, _BLOCK)]
    heads = np.concatenate([motion.pose(block)[1][:, bones] for block in blocks])
    turns = {control: turn_of(bone) for bone, control in ik.others.items()}
    places = {}
    for number, limb in enumerate(ik.limbs):
        ours = slice(3 * number, 3 * number + 3)
        joints, at_rest = heads[:, ours], rest[bones[ours]]
        turn = turns[limb.goal] = turn_of(limb.end)
        places[limb.goal] = joints[:, 2] + turn @ (rest_head(limb.goal) - at_rest[2])
        places[limb.pole] = _pole_places(limb, joints, at_rest, rest_head(limb.pole), turn_of(limb.upper))
    return GoalMotion(turns, places)


def _pole_places(
    limb: IkLimb, joints: np.ndarray, rest_joints: np.ndarray, rest_pole: np.ndarray, upper_turn: np.ndarray
) -> np.ndarray:
    """Return the positions (F, 3) of the pole of a limb with *joints* (F, 3, 3), at rest (3, 3), start to end."""
    start, middle, end = np.moveaxis(joints, 1, 0)
    line = _unit(end - start)
    bend = _across(middle - start, line)
    pole_wise = np.cos(limb.pole_turn) * bend + np.sin(limb.pole_turn) * np.cross(line, bend)
    at_rest = _across(rest_pole - rest_joints[0], _unit(rest_joints[2] - rest_joints[0]))
    straight = _across(upper_turn @ at_rest, line)
    length = np.linalg.norm(rest_joints[1] - rest_joints[0]) + np.linalg.norm(rest_joints[2] - rest_joints[1])
    share = np.clip(np.linalg.norm(bend, axis=1, keepdims=True) / (_STRAIGHT * length), 0.0, 1.0)
    direction = _unit(share * _unit(pole_wise) + (1.0 - share) * _unit(straight))
    found: np.ndarray = middle + np.linalg.norm(rest_pole - rest_joints[1]) * direction
    return found


def _across(vectors: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return the part of *vectors* (..., 3) at right angles to the unit vectors *line* (..., 3)."""
    found: np.ndarray = vectors - np.sum(vectors * line, axis=-1, keepdims=True) * line
    return found


def _unit(vectors: np.ndarray) -> np.ndarray:
    found: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _SMALL)
    return found
