"""Apply the clean-up options to an analysed motion, fast enough to follow a slider. F frames, J joints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..math.frames_last import from_rotation_vectors, rotation_vectors
from ..math.rotations import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    quat_wxyz_to_axis_angle,
    swing_between,
    unit,
)
from ..motion import Motion
from .feet import Feet
from .foot_lock import lock_feet
from .ground import Ground
from .options import CleanupOptions
from .root import hold_in_place, on_ground
from .smoothing import CalmMotion
from .source import CleanupSource

_HALF_TURN_TRACE = -0.99
"""Near half a turn, where the trace is -1, `rotation_vectors` is inaccurate."""


def clean_up(source: CleanupSource, options: CleanupOptions) -> Motion:
    """Return the motion of *source* cleaned up. Options that are off leave the motion bit for bit unchanged.

    Args:
        source: the analysed motion, from `analyse_motion`.
        options: the steps to apply.
    """
    return place_in_room(source, smooth_and_lock_feet(source, options), options)


def smooth_and_lock_feet(source: CleanupSource, options: CleanupOptions) -> Motion:
    """Return the motion of *source* smoothed and with its feet locked, not yet moved in the room."""
    motion, trans, quats = source.motion, source.motion.trans, source.quats
    if options.smoothing == 0.0 and (options.foot_lock == 0.0 or source.holds is None):
        return motion
    poses = motion.poses
    if options.smoothing > 0.0:
        quats, trans = _smooth(source, options.smoothing)
        poses = quat_wxyz_to_axis_angle(quats).reshape(len(quats), -1)
    if options.foot_lock > 0.0 and source.holds is not None:
        vectors = poses.reshape(len(quats), -1, 3).copy()
        chain = np.ascontiguousarray(vectors[:, source.feet.chain_joints].T)
        legs = lock_feet(
            from_rotation_vectors(chain), trans, source.feet, source.holds, fps=motion.fps, strength=options.foot_lock
        )
        vectors[:, legs.joints] = _vectors_of(legs.rotations)
        poses, trans = vectors.reshape(len(quats), -1), legs.trans
    return replace(motion, poses=poses, trans=trans)


def _vectors_of(rotations: np.ndarray) -> np.ndarray:
    """Return the axis-angle vectors (F, N, 3) of *rotations* (3, 3, N, F)."""
    if np.einsum("iinf->nf", rotations).min() > _HALF_TURN_TRACE:
        return np.asarray(rotation_vectors(rotations).T)
    return np.asarray(matrix_to_axis_angle(np.moveaxis(rotations, (0, 1), (-2, -1))).swapaxes(0, 1))


def place_in_room(source: CleanupSource, motion: Motion, options: CleanupOptions) -> Motion:
    """Apply the ground, root and height options to *motion*, which `smooth_and_lock_feet` returned."""
    poses, trans = motion.poses, motion.trans
    if options.ground == "contacts":
        poses, trans = _level(source.floor, source.feet, poses, trans)
    if options.root == "on_ground":
        floor = source.floor if options.ground == "keep" else Ground(0.0, np.zeros(2))
        trans = on_ground(poses, trans, source.feet, floor, motion.fps)
    elif options.root != "world":
        trans = hold_in_place(trans, source.feet.rest[0], motion.fps, sway=options.root == "treadmill")
    if options.height_m != 0.0:
        trans = trans + np.array([0.0, options.height_m, 0.0])
    return motion if poses is motion.poses and trans is motion.trans else replace(motion, poses=poses, trans=trans)


def _smooth(source: CleanupSource, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Return smoothed local rotations (F, J, 4) and trans (F, 3).

    The result is blended from the motion to `CleanupSource.calm` up to a strength of 0.5, then to `calmer`.
    """
    if strength <= 0.5:
        start, end, blend = CalmMotion(source.quats, source.motion.trans), source.calm, 2.0 * strength
    else:
        start, end, blend = source.calm, source.calmer, 2.0 * strength - 1.0
    return unit(start.quats + blend * (end.quats - start.quats)), start.trans + blend * (end.trans - start.trans)


def _level(floor: Ground, feet: Feet, poses: np.ndarray, trans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return poses (F, 3 J) and trans (F, 3) rotated and moved so that the floor is level and at height 0."""
    if not floor.slope.any():
        return poses, trans - np.array([0.0, floor.height_m, 0.0])
    turn = swing_between(floor.up, np.array([0.0, 1.0, 0.0]))
    origin = np.array([0.0, floor.height_m, 0.0])
    pelvis = feet.rest[0]
    turned = poses.copy()
    turned[:, :3] = matrix_to_axis_angle(turn @ axis_angle_to_matrix(poses[:, :3]))
    return turned, (trans + pelvis - origin) @ turn.T - pelvis
