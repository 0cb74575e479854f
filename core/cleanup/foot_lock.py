"""Foot lock: planted feet stay in place and soles on the floor, by leg IK, within the reach of the legs. F frames.

`planting` says where the feet should be, `pelvis` how high the body must be for it, `leg` bends the legs. Inside,
frames are the last axis, and the two sides the one before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.frames_last import apply, swing_between, times, transposed_times
from ..smpl_skeleton import SIDES
from .feet import LEG, Feet
from .leg import Bones, reach_for
from .pelvis import lift_pelvis
from .planting import FootPose, plant_feet
from .standing import Holds


@dataclass(frozen=True, eq=False)
class Legs:
    """Local rotations of the leg joints, and the translation of the body.

    Attributes:
        joints: (8,) indices of the joints: `LEG` of the left, then of the right side.
        rotations: (3, 3, 8, F).
        trans: (F, 3) metres.
    """

    joints: np.ndarray
    rotations: np.ndarray
    trans: np.ndarray


@dataclass(frozen=True, eq=False)
class _LegPose:
    """World pose of both legs.

    Attributes:
        parent: (3, 3, 2, F) rotations of the joints that the hips hang on.
        rotations: (3, 3, 2, F) of each joint of `LEG`.
        positions: (3, 2, F) of each joint of `LEG`, metres.
    """

    parent: np.ndarray
    rotations: tuple[np.ndarray, ...]
    positions: tuple[np.ndarray, ...]


def lock_feet(
    rotations: np.ndarray, trans: np.ndarray, feet: Feet, holds: Holds, *, fps: float, strength: float
) -> Legs:
    """Return the leg rotations and the translation of a motion whose feet are locked.

    Args:
        rotations: (3, 3, N, F) local rotations of `Feet.chain_joints`.
        trans: (F, 3) metres.
        feet: the body's legs and feet.
        holds: when and where each contact point is held.
        fps: frames per second.
        strength: 0 (unchanged) to 1 (fully locked).
    """
    pose = _pose_legs(rotations, trans, feet)
    hips, knees, ankles, _ = pose.positions
    planted = plant_feet(FootPose(ankles, *pose.rotations[2:]), hips, feet, holds, fps=fps, strength=strength)
    bones = Bones(knees - hips, ankles - knees, pose.rotations[0][:, 0])
    targets = planted.pose.ankle - hips
    lift = lift_pelvis(bones, targets, planted.rise, planted.clearance, feet.leg_lengths, fps)
    targets[1] -= lift
    thigh, shank = reach_for(bones, targets)
    hip = times(swing_between(bones.thigh, thigh), pose.rotations[0])
    knee = times(swing_between(bones.shank, shank), pose.rotations[1])
    world = (pose.parent, hip, knee, planted.pose.foot, planted.pose.toe)
    local = np.empty((3, 3, len(SIDES), len(LEG), len(trans)))
    for number in range(len(LEG)):
        local[:, :, :, number] = transposed_times(world[number], world[number + 1])
    raised = trans.copy()
    raised[:, 1] += lift
    joints = np.array([feet.joint(side, name) for side in SIDES for name in LEG])
    return Legs(joints, local.reshape(3, 3, len(joints), -1), raised)


def _pose_legs(rotations: np.ndarray, trans: np.ndarray, feet: Feet) -> _LegPose:
    """Return the world pose of both legs; arguments as for `lock_feet`."""
    world, positions = {0: rotations[:, :, 0]}, {0: feet.rest[0][:, None] + trans.T}
    for number, joint in enumerate(feet.chain_joints[1:], 1):
        parent = feet.skeleton.parents[joint]
        bone = feet.rest[joint] - feet.rest[parent]
        positions[joint] = positions[parent] + apply(world[parent], bone[:, None])
        world[joint] = times(world[parent], rotations[:, :, number])
    joints = [[feet.joint(side, name) for side in SIDES] for name in LEG]
    parents = [feet.skeleton.parents[joint] for joint in joints[0]]
    of_parent, *of_legs = (np.stack([world[joint] for joint in pair], axis=2) for pair in (parents, *joints))
    places = tuple(np.stack([positions[joint] for joint in pair], axis=1) for pair in joints)
    return _LegPose(of_parent, tuple(of_legs), places)
