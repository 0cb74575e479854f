"""Feet that no point shows are flat while they stand. F frames, K keypoints.

A layout that ends at the ankles says nothing of the feet, so the fit leaves every ankle at its mean angle and the toes
hang into the floor as soon as the shank leans. What the ankle does tells when the foot stands: it is low, slow, and
below its knee. Low is measured against the other ankle and against the lowest place around that moment, not against
one floor for the clip: trackers that follow a camera drift by decimetres over a clip.

Convention: metres, Y up. SMPL's rest pose stands on flat feet, so a foot is flat where its ankle's own Y axis is
upright.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...body.model import BodyModel, world_positions, world_rotations
from ...math.arrays import to_numpy
from ...math.rotations import slerp_matrices, swing_between, transposed
from ...smpl_skeleton import JOINT_INDEX

_SIDES = ("left", "right")
_FOOT_POINTS = ("big_toe", "small_toe", "heel", "foot")
_LOW_M = (0.03, 0.07)
"""Height above the lower ankle up to which a foot surely stands, and from which on it does not. This and the ranges
below were chosen on CMU clips of ten people, in COCO17 and H36M17, and on OpenCap's squat in three trackers' points."""
_NEAR_FLOOR_M, _FLOOR_S, _FLOOR_QUANTILE = (0.05, 0.10), 0.5, 0.05
"""The same above the floor, which is the low end of both ankles' heights within so many seconds on both sides."""
_SLOW_M_S, _SPEED_S = (0.35, 0.7), 0.1
"""The same for the ankle's speed, measured between that many seconds before and after."""
_UPRIGHT = (0.35, 0.6)
"""The cosine between shank and vertical up to which a foot does not stand, and from which on it may."""
_FADE_S = 0.12
"""A foot comes down and leaves the floor over twice that long."""


def find_unseen_feet(names: Sequence[str], weights: np.ndarray) -> tuple[str, ...]:
    """Return the sides, "left" and "right", of which no frame shows a point of the foot.

    Args:
        names: (K,) the solver points.
        weights: (F, K) 0 where missing.
    """
    seen = {name for name, shown in zip(names, (weights > 0).any(axis=0), strict=True) if shown}
    return tuple(side for side in _SIDES if not any(f"{side}_{point}" in seen for point in _FOOT_POINTS))


def flatten_feet(
    body: BodyModel,
    betas: np.ndarray,
    rotations: np.ndarray,
    trans: np.ndarray,
    fps: float,
    *,
    sides: Sequence[str] = _SIDES,
) -> np.ndarray:
    """Return local rotations (F, 24, 3, 3) in which the feet of *sides* are flat while they stand.

    A foot keeps its heading: it turns about a horizontal axis. Only ankles change.

    Args:
        body: the body.
        betas: (B,) its shape.
        rotations: (F, 24, 3, 3) local rotations.
        trans: (F, 3) metres.
        fps: frames a second.
        sides: whose feet to flatten, "left" and "right".
    """
    flattened = rotations.copy()
    if not sides:
        return flattened
    world = world_rotations(rotations)
    joints = world_positions(world, to_numpy(body.rest_joints(body.array(betas)))) + trans[:, None]
    shares = standing_shares(joints, fps).astype(rotations.dtype)
    up = np.array([0.0, 1.0, 0.0], dtype=rotations.dtype)
    for side in sides:
        ankle, knee = JOINT_INDEX[f"{side}_ankle"], JOINT_INDEX[f"{side}_knee"]
        hanging = world[:, ankle]
        flat = swing_between(hanging[:, :, 1], up) @ hanging
        standing = slerp_matrices(hanging, flat, shares[:, _SIDES.index(side)])
        flattened[:, ankle] = transposed(world[:, knee]) @ standing
    return flattened


def standing_shares(joints: np.ndarray, fps: float) -> np.ndarray:
    """Return how surely (F, 2) the left and the right foot stand, 0 to 1.

    Args:
        joints: (F, 24, 3) metres, Y up.
        fps: frames a second.
    """
    knees, ankles = (
        joints[:, [JOINT_INDEX[f"{side}_{joint}"] for side in _SIDES]].astype(np.float64) for joint in ("knee", "ankle")
    )
    height = ankles[..., 1]
    lowest = height.min(axis=1)
    shank = knees - ankles
    upright = shank[..., 1] / np.maximum(np.linalg.norm(shank, axis=-1), 1e-9)
    shares = (
        _falling(height - lowest[:, None], _LOW_M)
        * _falling(height - _floor_heights(lowest, fps)[:, None], _NEAR_FLOOR_M)
        * _falling(_speeds(ankles, fps), _SLOW_M_S)
        * (1.0 - _falling(upright, _UPRIGHT))
    )
    return _faded(shares, max(1, round(_FADE_S * fps)))


def _falling(values: np.ndarray, between: tuple[float, float]) -> np.ndarray:
    """Return 1 for *values* up to the first bound, 0 from the second on, and linear in between."""
    first, last = between
    return np.clip((last - values) / (last - first), 0.0, 1.0)


def _floor_heights(lowest: np.ndarray, fps: float) -> np.ndarray:
    """Return the height of the floor (F,) around each frame, from that of the lower ankle (F,)."""
    reach = min(max(1, round(_FLOOR_S * fps)), len(lowest))
    padded = np.pad(lowest, reach, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.asarray(np.quantile(windows, _FLOOR_QUANTILE, axis=-1))


def _speeds(places: np.ndarray, fps: float) -> np.ndarray:
    """Return the speeds (F, N) of *places* (F, N, 3), metres a second."""
    reach, frames = max(1, round(_SPEED_S * fps)), np.arange(len(places))
    before, after = np.maximum(frames - reach, 0), np.minimum(frames + reach, len(places) - 1)
    way = np.linalg.norm(places[after] - places[before], axis=-1)
    return np.asarray(way * (fps / np.maximum(after - before, 1))[:, None])


def _faded(shares: np.ndarray, reach: int) -> np.ndarray:
    """Return *shares* (F, N) smoothed over *reach* frames on both sides by a Hann window."""
    window = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(shares, ((reach, reach), (0, 0)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, len(window), axis=0)
    return np.asarray(around @ (window / window.sum()))
