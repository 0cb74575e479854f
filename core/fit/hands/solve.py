"""Finger angles from points: closed form, then a few Gauss-Newton steps. L fingers, H hands, F frames.

The closed form follows the bones from root to tip: the first bone's direction is a swing of the first joint, the
direction of each later bone a flexion of the joint before it. The steps then balance all points of a finger, the
limits of its joints, and the usual angles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...math.frames_last import cross
from .limits import BEYOND_SPREAD_RAD, COUPLING, COUPLING_SPREAD_RAD, AngleLimits
from .skeleton import ABDUCTION, END, FLEXION, MIDDLE, NUM_ANGLES, TWIST, Chain, pose_chain

_START_BEYOND_RAD = np.deg2rad(5.0)
_WRAP_FROM_RAD = np.deg2rad(-110.0)
"""Bends are wrapped to one turn from here on: fingers bend to one side."""
_LARGEST_STEP_RAD = np.deg2rad(40.0)
_OUTLIER_SIGMAS, _OUTLIER_M = 6.0, 0.015
_DAMPING = 1e-3
_TIP = 2
"""Index of the tip among the points beyond a first joint."""
_LENGTH_UNKNOWN = 0.05
"""Relative error of the length of a finger of which only the tip is seen, standard deviation."""


@dataclass(frozen=True, eq=False)
class FingerTargets:
    """Where the points of the fingers should be, in the finger's axes, relative to its first joint.

    Attributes:
        points: (3, 3, L, H, F) second and third joint and tip, then x, y, z, metres.
        weights: (3, L, H, F) 0 to 1, 0 where missing.
        bones: (3, 3, L, H, 1) the bones at rest, metres.
        sigma_m: error of the points per axis, metres.
    """

    points: np.ndarray
    weights: np.ndarray
    bones: np.ndarray
    sigma_m: float


def solve_fingers(targets: FingerTargets, limits: AngleLimits, *, steps: int = 3) -> np.ndarray:
    """Return the angles (5, L, H, F) that fit *targets*; the usual ones for a finger without points."""
    angles = closed_form(targets, limits)
    for _ in range(steps):
        angles = _stepped(angles, targets, limits)
    return angles


def closed_form(targets: FingerTargets, limits: AngleLimits) -> np.ndarray:
    """Return the angles (5, L, H, F) that point the bones as observed, within the limits."""
    shape = targets.weights.shape[1:]
    angles = np.broadcast_to(limits.usual, (NUM_ANGLES, *shape)).copy()
    seen = targets.weights > 0
    first = _first_seen(targets.points, seen)
    bone = np.broadcast_to(targets.bones[0], first.shape)
    alone = _tips_alone(targets)
    if alone.any():
        straight = np.concatenate([np.zeros_like(angles[:3]), angles[MIDDLE:]])
        bone = np.where(alone, pose_chain(straight, targets.bones).points[2], bone)
    x, y, z = first
    sideways = np.hypot(bone[0], bone[2])
    length = np.maximum(np.sqrt(x * x + y * y + z * z), 1e-9)
    scale = np.sqrt((bone**2).sum(axis=0)) / length
    slope = np.clip(z * scale / sideways, -1.0, 1.0)
    abduction = np.arctan2(bone[2], bone[0]) - np.arcsin(slope)
    forward = bone[0] * np.cos(abduction) + bone[2] * np.sin(abduction)
    flexion = _wrapped(np.arctan2(y, x) - np.arctan2(bone[1], forward))
    any_seen = seen.any(axis=0)
    angles[FLEXION] = np.where(any_seen, flexion, angles[FLEXION])
    angles[ABDUCTION] = np.where(any_seen, abduction, angles[ABDUCTION])
    angles[TWIST] = 0.0
    _within(angles[:3], limits.lowest[:3], limits.highest[:3])
    chain = pose_chain(angles, targets.bones)
    x_axis, y_axis, _ = chain.frame
    before, turned = targets.points[0], np.zeros(shape)
    for joint, at in ((MIDDLE, 1), (END, 2)):
        bend = _bend(targets.points[at] - before, targets.bones[at], x_axis, y_axis)
        angles[joint] = np.where(seen[at] & seen[at - 1], bend - turned, angles[joint])
        before, turned = targets.points[at], turned + angles[joint]
    only_tip = seen[0] & ~seen[1] & seen[2]
    bend = _bend(targets.points[2] - targets.points[0], targets.bones[1], x_axis, y_axis)
    angles[MIDDLE] = np.where(only_tip, bend / (1.0 + 0.5 * COUPLING), angles[MIDDLE])
    angles[END] = np.where(only_tip, COUPLING * angles[MIDDLE], angles[END])
    angles[MIDDLE:] = _wrapped(angles[MIDDLE:])
    _within(angles[MIDDLE:], limits.lowest[MIDDLE:], limits.highest[MIDDLE:])
    return angles


def _tips_alone(targets: FingerTargets) -> np.ndarray:
    """Return the fingers (L, H, F) of which only the tip is seen."""
    seen = targets.weights > 0
    alone: np.ndarray = ~seen[0] & ~seen[1] & seen[2]
    return alone


def _bend(vector: np.ndarray, bone: np.ndarray, x_axis: np.ndarray, y_axis: np.ndarray) -> np.ndarray:
    """Return the flexion (L, H, F) that turns *bone* (3, L, H, 1) closest to *vector* (3, L, H, F)."""
    direction = np.arctan2((vector * y_axis).sum(axis=0), (vector * x_axis).sum(axis=0))
    bend: np.ndarray = direction - np.arctan2(bone[1], bone[0])
    return bend


def _first_seen(points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return the nearest seen point (3, L, H, F) to each finger's root."""
    return np.where(seen[0], points[0], np.where(seen[1], points[1], points[2]))


def _wrapped(angle: np.ndarray) -> np.ndarray:
    wrapped: np.ndarray = (angle - _WRAP_FROM_RAD) % (2.0 * np.pi) + _WRAP_FROM_RAD
    return wrapped


def _within(angles: np.ndarray, lowest: np.ndarray, highest: np.ndarray) -> None:
    np.clip(angles, lowest - _START_BEYOND_RAD, highest + _START_BEYOND_RAD, out=angles)


def _stepped(angles: np.ndarray, targets: FingerTargets, limits: AngleLimits) -> np.ndarray:
    """Return *angles* (5, L, H, F) after one Gauss-Newton step."""
    chain = pose_chain(angles, targets.bones)
    matrix = [[np.zeros(angles.shape[1:]) for _ in range(row + 1)] for row in range(NUM_ANGLES)]
    right = [np.zeros(angles.shape[1:]) for _ in range(NUM_ANGLES)]
    alone = _tips_alone(targets)
    outlier_m = max(_OUTLIER_SIGMAS * targets.sigma_m, _OUTLIER_M)
    for at, point in enumerate(chain.points):
        residual = targets.points[at] - point
        squared = (residual**2).sum(axis=0)
        weight = targets.weights[at] / (1.0 + squared / outlier_m**2) ** 2 / targets.sigma_m**2
        columns = _derivatives(chain, angles, at)
        if at == _TIP and alone.any():
            residual, *columns = (_less_far(part, targets, alone) for part in (residual, *columns))
        for row, column in enumerate(columns):
            scaled = column * weight
            right[row] += (scaled * residual).sum(axis=0)
            for other in range(row + 1):
                matrix[row][other] += (scaled * columns[other]).sum(axis=0)
    _add_expectation(matrix, right, angles, limits)
    step = _solved(matrix, right)
    stepped: np.ndarray = angles + np.clip(step, -_LARGEST_STEP_RAD, _LARGEST_STEP_RAD)
    return stepped


def _less_far(vectors: np.ndarray, targets: FingerTargets, alone: np.ndarray) -> np.ndarray:
    """Return *vectors* (3, L, H, F), weighted down along the line from the first joint to a tip that is seen *alone*.

    The distance of such a tip tells of bends only as far as the finger's length is known, which no other point shows.
    """
    tip = targets.points[_TIP]
    length = np.sqrt((targets.bones**2).sum(axis=1)).sum(axis=0)
    share = targets.sigma_m / np.sqrt(targets.sigma_m**2 + (_LENGTH_UNKNOWN * length) ** 2)
    squared = np.maximum((tip**2).sum(axis=0), 1e-12)
    along = (vectors * tip).sum(axis=0) / squared
    lessened: np.ndarray = np.where(alone, vectors - (1.0 - share) * along * tip, vectors)
    return lessened


def _derivatives(chain: Chain, angles: np.ndarray, at: int) -> list[np.ndarray]:
    """Return the derivatives (3, L, H, F) of point *at* by the angles that move it."""
    points, (along, _, hinge) = chain.points, chain.frame
    x, y, z = point = points[at]
    cosine, sine = np.cos(angles[FLEXION]), np.sin(angles[FLEXION])
    by_flexion = np.stack([-y, x, np.zeros_like(x)])
    by_abduction = np.stack([cosine * z, sine * z, -sine * y - cosine * x])
    columns = [by_flexion, by_abduction, cross(along, point)]
    columns += [cross(hinge, point - joint) for joint in points[:at]]
    return columns


def _add_expectation(
    matrix: list[list[np.ndarray]], right: list[np.ndarray], angles: np.ndarray, limits: AngleLimits
) -> None:
    """Add the usual angles, the coupling of the end joint, and the limits to the normal equations."""
    for row in range(NUM_ANGLES):
        precision = 1.0 / limits.spread[row] ** 2
        beyond = np.minimum(limits.highest[row] - angles[row], 0.0) + np.maximum(limits.lowest[row] - angles[row], 0.0)
        firm = (beyond != 0.0) / BEYOND_SPREAD_RAD**2
        right[row] += precision * (limits.usual[row] - angles[row]) + firm * beyond
        matrix[row][row] += (1.0 + _DAMPING) * precision + firm
    bends = angles[MIDDLE:] + limits.rest_bends
    precision = limits.coupled / COUPLING_SPREAD_RAD**2
    excess = precision * (bends[1] - COUPLING * bends[0])
    right[END] -= excess
    right[MIDDLE] += COUPLING * excess
    matrix[END][END] += precision
    matrix[END][MIDDLE] -= COUPLING * precision
    matrix[MIDDLE][MIDDLE] += COUPLING**2 * precision


def _solved(matrix: list[list[np.ndarray]], right: list[np.ndarray]) -> np.ndarray:
    """Return the solution (N, ...) of symmetric positive definite systems, by Cholesky factorisation.

    Args:
        matrix: rows of the lower triangles, each entry (...).
        right: N right sides (...).
    """
    size = len(right)
    factor: list[list[np.ndarray]] = []
    forward: list[np.ndarray] = []
    for row in range(size):
        entries: list[np.ndarray] = []
        for column in range(row):
            rest = matrix[row][column] - sum(entries[k] * factor[column][k] for k in range(column))
            entries.append(rest / factor[column][column])
        entries.append(np.sqrt(matrix[row][row] - sum(entry * entry for entry in entries)))
        factor.append(entries)
        forward.append((right[row] - sum(entries[k] * forward[k] for k in range(row))) / entries[row])
    solution: list[np.ndarray] = [forward[0]] * size
    for row in reversed(range(size)):
        rest = forward[row] - sum(factor[k][row] * solution[k] for k in range(row + 1, size))
        solution[row] = rest / factor[row][row]
    return np.stack(solution)
