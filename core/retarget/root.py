"""The root of a character: the path of its hips, and that of a root bone or the object. F frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..cleanup.root import slow_part
from ..math.frames_last import apply
from ..smpl_skeleton import JOINT_INDEX, SIDES
from .character import Character
from .options import RetargetOptions
from .source import RetargetSource
from .tree import Pose

_PATH_S = 1.2
"""Movements over the floor with longer periods belong to the path, shorter ones to the gait."""


@dataclass(frozen=True, eq=False)
class Carrier:
    """The path of a character over the floor, for a root bone or the object: metres, Y up, world space.

    Attributes:
        position: (F, 3) on the floor below the hips.
        yaw: (F,) rotation from the rest pose about the vertical, radians, without jumps.
    """

    position: np.ndarray
    yaw: np.ndarray


def step_size(character: Character, options: RetargetOptions, unit_m: float) -> float:
    """Return the factor from the source's steps to the character's; *unit_m* as in `RetargetSource`."""
    if options.steps == "leg":
        return character.size
    return unit_m * (1.0 if isinstance(options.steps, str) else float(options.steps))


def root_positions(
    character: Character, source: RetargetSource, pose: Pose, hips: np.ndarray, step: float
) -> np.ndarray:
    """Return the positions (3, F) of the hips bone.

    The middle of the hip joints follows that of the source: over the floor by the size of the steps, in height above
    the ankles of a standing body by the length of the legs. So bent knees bend alike, whatever the height of the feet.

    Args:
        character: the character.
        source: the motion.
        pose: the source's pose, above a floor at height 0.
        hips: (3, 3, F) world rotations of the character's hips.
        step: factor of the path over the floor.
    """
    left, right = (pose.positions[:, JOINT_INDEX[f"{side}_hip"]] for side in SIDES)
    middle = 0.5 * (left + right)
    middle[[0, 2]] *= step
    middle[1] = character.ankle_height + character.size * (middle[1] - source.ankle_height)
    placed: np.ndarray = middle - apply(hips, character.hip_middle[:, None])
    return placed


def carrier_path(root: np.ndarray, turns: np.ndarray, floor: np.ndarray, fps: float) -> Carrier:
    """Return the path of a motion over the floor: the slow part of the hips' path and of their yaw.

    Args:
        root: (F, 3) positions of the hips.
        turns: (F, 3, 3) their rotations from the rest pose, in world axes.
        floor: (F,) height of the floor below them.
        fps: frames per second.
    """
    yaw = np.unwrap(np.arctan2(turns[:, 0, 2] - turns[:, 2, 0], turns[:, 0, 0] + turns[:, 2, 2]))
    slow = slow_part(np.stack([root[:, 0], root[:, 2], yaw], axis=1), fps, _PATH_S)
    return Carrier(np.stack([slow[:, 0], floor, slow[:, 1]], axis=1), slow[:, 2])
