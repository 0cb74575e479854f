"""Twist bones: they distribute the twist of a limb, so that the skin does not collapse at the joint. F frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..math.frames_last import from_rotation_vectors, times, transposed_times
from ..math.rotations import unit
from .alignment import LIMBS
from .bone_map import BoneMap
from .rig import Rig
from .tree import Tree


@dataclass(frozen=True, eq=False)
class TwistBone:
    """A bone that turns about its limb with a share of the twist of what follows: a forearm's with the hand's.

    Attributes:
        bone: index of the bone.
        limb: the joint of its limb.
        end: the joint at the limb's end.
        share: where the bone starts along the limb, 0 to 1, and how much of the twist it takes.
        axis: (3,) from the bone's start to the limb's end, in the limb's aligned rest axes, a unit vector. About this
            axis the twist does not move the limb's end.
    """

    bone: int
    limb: int
    end: int
    share: float
    axis: np.ndarray


def find_twist_bones(rig: Rig, bone_map: BoneMap, tree: Tree) -> list[TwistBone]:
    """Return the twist bones of all limbs: all but the first bone of each chain."""
    found = []
    for role, end_role in LIMBS:
        if end_role not in tree.index:
            continue
        limb, end = tree.index[role], tree.index[end_role]
        reach = tree.local(limb, tree.heads[end])
        for name in bone_map.bones[role][1:]:
            start = tree.local(limb, rig.heads[rig.index[name]])
            share = float(np.clip(start @ reach / (reach @ reach), 0.0, 1.0))
            rest = reach - start
            axis = unit(rest if np.linalg.norm(rest) > 1e-3 * np.linalg.norm(reach) else reach)
            found.append(TwistBone(rig.index[name], limb, end, share, axis))
    return found


def twisted(twist: TwistBone, rotations: np.ndarray) -> np.ndarray:
    """Return the world rotations (3, 3, F) of a twist bone, relative to its limb's aligned rest axes.

    The twist is that of the swing-twist decomposition: of the quaternion (w, v) of the end relative to the limb, the
    part about the axis a is the rotation by ``2 atan2(v . a, w)``.

    Args:
        twist: the bone.
        rotations: (3, 3, N, F) world rotations of the joints.
    """
    limb = rotations[:, :, twist.limb]
    angle = _twist_angle(transposed_times(limb, rotations[:, :, twist.end]), twist.axis)
    turned: np.ndarray = times(limb, from_rotation_vectors(twist.axis[:, None] * (twist.share * angle)))
    return turned


def _twist_angle(turn: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Return the angle (F,) of rotations (3, 3, F) about *axis* (3,), -pi to pi.

    For a rotation matrix ``2 v w`` is half the vector of its skew part and ``4 w^2`` is its trace plus 1, so the ratio
    of ``v . a`` to ``w`` needs no quaternion.
    """
    skew = np.stack([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    trace = turn[0, 0] + turn[1, 1] + turn[2, 2]
    angle: np.ndarray = 2.0 * np.arctan2(axis @ skew, 1.0 + trace)
    return angle
