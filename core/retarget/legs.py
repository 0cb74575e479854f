"""Bring the ankles to their goals: root, thighs and knees together, all frames of a block at once. F frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..math.frames_last import cross, from_rotation_vectors, times
from ..smpl_skeleton import SIDES
from .character import Character
from .solver import NormalEquations, hinge_axis, lever, missing_bend
from .tree import Pose

STEPS = 6
_WEIGHT = 20.0
_ROOT, _THIGH, _KNEE = 0.6, (0.25, 0.6, 0.25), 0.12
"""Damping of the root, per metre; of the thighs about world axes and of the knees, per radian and leg length."""
_HELD = 60.0
"""Further damping of a root that is held in place."""
_REACH = 0.99
"""Share of the leg's length up to which a foot goes, where the root is held."""
_LEAST_BEND_RAD = 0.08
"""Bend of the knees that a leg begins with, where the root is held."""
_SHIFTS = 4
"""How often a root is moved towards each foot in turn."""
_TINY_M = 1e-6
_UNKNOWNS = 11


def solve_legs(
    character: Character,
    rotations: np.ndarray,
    root: np.ndarray,
    goals: Sequence[np.ndarray],
    steps: int = STEPS,
    held: np.ndarray | None = None,
) -> np.ndarray:
    """Rotate thighs and shins in *rotations* so that the ankles reach their goals; return the moved root (3, F).

    Args:
        character: the character.
        rotations: (3, 3, N, F) world rotations, changed in place; those of feet and trunk stay.
        root: (3, F) position of the hips.
        goals: (3, F) of the left and the right ankle.
        steps: number of Gauss-Newton steps.
        held: (F,) how firmly the root stays in place, from 0 to 1, where feet out of reach must not move it.
    """
    tree = character.tree
    limbs = [tuple(tree.index[f"{side}_{role}"] for role in ("thigh", "shin", "foot")) for side in SIDES]
    needed = sorted({0, *(joint for limb in limbs for joint in limb)})
    damping = np.array([*[_ROOT] * 3, *[value * character.leg_m for value in (*_THIGH, _KNEE) * 2]])
    if held is not None:
        damping = np.repeat(damping[:, None], root.shape[-1], axis=1)
        damping[:3] += _HELD * held
        for thigh, shin, foot in limbs:
            positions = tree.positions(rotations, root, needed)
            upper, lower = positions[:, shin] - positions[:, thigh], positions[:, foot] - positions[:, shin]
            side = rotations[:, 0, thigh]
            angle = held * missing_bend(upper, lower, side, _LEAST_BEND_RAD)
            rotations[:, :, shin] = times(from_rotation_vectors(angle * side), rotations[:, :, shin])
    so_far = np.zeros((_UNKNOWNS, root.shape[-1]))
    weight = np.full(root.shape[-1], _WEIGHT)
    for _ in range(steps):
        positions = tree.positions(rotations, root, needed)
        equations = NormalEquations(damping, so_far)
        axes = []
        for number, (thigh, shin, foot) in enumerate(limbs):
            hip, knee, ankle = positions[:, thigh], positions[:, shin], positions[:, foot]
            axis = hinge_axis(knee - hip, ankle - knee, rotations[:, 0, thigh])
            axes.append(axis)
            jacobian = np.zeros((3, 7, root.shape[-1]))
            jacobian[[0, 1, 2], [0, 1, 2]] = 1.0
            jacobian[:, 3:6] = lever(ankle - hip)
            jacobian[:, 6] = cross(axis, ankle - knee)
            columns = [0, 1, 2, *range(3 + 4 * number, 7 + 4 * number)]
            equations.add(columns, jacobian, goals[number] - ankle, weight)
        step = equations.solve(slice(3, None))
        so_far += step
        root = root + step[:3]
        for number, (thigh, shin, _) in enumerate(limbs):
            own = step[3 + 4 * number : 7 + 4 * number]
            turn = from_rotation_vectors(own[:3])
            bend = from_rotation_vectors(axes[number] * own[3])
            rotations[:, :, thigh] = times(turn, rotations[:, :, thigh])
            rotations[:, :, shin] = times(turn, times(bend, rotations[:, :, shin]))
    return root


def over_feet(
    character: Character, rotations: np.ndarray, root: np.ndarray, goals: Sequence[np.ndarray], share: np.ndarray
) -> np.ndarray:
    """Return the *root* (3, F) moved over the floor, as far as legs need it to reach the *goals* (3, F) of the ankles.

    Args:
        character: the character.
        rotations: (3, 3, N, F) world rotations.
        root: (3, F) position of the hips, whose height stays.
        goals: (3, F) of the left and the right ankle.
        share: (F,) how much of the way it moves, from 0 to 1.
    """
    if not share.any():
        return root
    tree, moved = character.tree, root.copy()
    for _ in range(_SHIFTS):
        for side, goal in zip(SIDES, goals, strict=True):
            thigh = tree.index[f"{side}_thigh"]
            away = goal - tree.positions(rotations, moved, sorted({0, thigh}))[:, thigh]
            most = _REACH * _leg_length(character, side)
            level = np.maximum(np.hypot(away[0], away[2]), _TINY_M)
            beyond = np.maximum(1.0 - np.sqrt(np.maximum(most**2 - away[1] ** 2, 0.0)) / level, 0.0)
            moved[[0, 2]] += share * beyond * away[[0, 2]]
    return moved


def in_reach(
    character: Character, rotations: np.ndarray, root: np.ndarray, goals: Sequence[np.ndarray], held: np.ndarray
) -> list[np.ndarray]:
    """Return the *goals* (3, F) of the ankles, drawn within the length of the legs where the root is *held* (F,)."""
    tree, found = character.tree, []
    hips = tree.positions(rotations, root, sorted({0, *(tree.index[f"{side}_thigh"] for side in SIDES)}))
    for side, goal in zip(SIDES, goals, strict=True):
        away = goal - hips[:, tree.index[f"{side}_thigh"]]
        distance = np.maximum(np.linalg.norm(away, axis=0), _TINY_M)
        beyond = np.maximum(1.0 - _REACH * _leg_length(character, side) / distance, 0.0)
        found.append(goal - held * beyond * away)
    return found


def _leg_length(character: Character, side: str) -> float:
    tree = character.tree
    return float(sum(np.linalg.norm(tree.offsets[tree.index[f"{side}_{end}"]]) for end in ("shin", "foot")))


def leg_gaps(character: Character, pose: Pose, goals: Sequence[np.ndarray]) -> np.ndarray:
    """Return how far the ankles are from their goals (F,), metres, the farther one."""
    gaps = [
        np.linalg.norm(goal - pose.positions[:, foot.ankle], axis=0)
        for goal, foot in zip(goals, character.feet, strict=True)
    ]
    farther: np.ndarray = np.maximum(*gaps)
    return farther
