"""Flatten feet without keypoints while they stand. F frames, K keypoints.

With a layout that ends at the ankles, the fit leaves every ankle at its mean angle, so the toes sink into the floor as
soon as the shank leans. The ankle shows when the foot stands: it is low, slow, and below its knee. Low is measured
against the other ankle and against the lowest height around that time, not against one floor for the whole clip:
trackers that follow a camera drift by decimetres over a clip.

Convention: metres, Y up. SMPL's rest pose stands on flat feet, so a foot is flat where its ankle's own Y axis is
upright.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...body.model import BodyModel, world_positions, world_rotations
from ...math.arrays import to_numpy
from ...math.rotations import slerp_matrices, swing_between, transposed
from ...smpl_skeleton import JOINT_INDEX, SIDES
from ..point_groups import FOOT

_LOW_M = (0.03, 0.07)
"""Height above the lower ankle up to which a foot certainly stands, and from which it does not. This range and those
below were chosen on CMU clips of ten people, in COCO17 and H36M17, and on OpenCap's squat with the keypoints of three
trackers."""
_NEAR_FLOOR_M, _FLOOR_S, _FLOOR_QUANTILE = (0.05, 0.10), 0.5, 0.05
"""The same range above the floor, which is this quantile of the lower ankle's heights within this many seconds on both
sides."""
_SLOW_M_S, _SPEED_S = (0.35, 0.7), 0.1
"""The same range for the ankle's speed, measured from this many seconds before to as many after."""
_UPRIGHT = (0.35, 0.6)
"""Cosine of the angle between shank and vertical up to which a foot does not stand, and from which it may."""
_FADE_S = 0.12
"""Half the time over which a foot is blended into and out of standing."""


def find_unseen_feet(names: Sequence[str], weights: np.ndarray) -> tuple[str, ...]:
    """Return the sides ("left", "right") whose foot has no keypoint in any frame.

    Args:
        names: (K,) the solver points.
        weights: (F, K) 0 where missing.
    """
    seen = {name for name, shown in zip(names, (weights > 0).any(axis=0), strict=True) if shown}
    return tuple(side for side in SIDES if not any(f"{side}_{point}" in seen for point in FOOT if point != "ankle"))


def flatten_feet(
    body: BodyModel,
    betas: np.ndarray,
    rotations: np.ndarray,
    trans: np.ndarray,
    fps: float,
    *,
    sides: Sequence[str] = SIDES,
) -> np.ndarray:
    """Return local rotations (F, 24, 3, 3) in which the feet of *sides* are flat while they stand.

    Only the ankles change. A foot turns about a horizontal axis, so it keeps its heading.

    Args:
        body: the body model.
        betas: (B,) its shape.
        rotations: (F, 24, 3, 3) local rotations.
        trans: (F, 3) metres.
        fps: frames per second.
        sides: the feet to flatten, "left" and "right".
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
        standing = slerp_matrices(hanging, flat, shares[:, SIDES.index(side)])
        flattened[:, ankle] = transposed(world[:, knee]) @ standing
    return flattened


def standing_shares(joints: np.ndarray, fps: float) -> np.ndarray:
    """Return the confidence (F, 2), 0 to 1, that the left and the right foot stand.

    Args:
        joints: (F, 24, 3) joint positions, metres, Y up.
        fps: frames per second.
    """
    knees, ankles = (
        joints[:, [JOINT_INDEX[f"{side}_{joint}"] for side in SIDES]].astype(np.float64) for joint in ("knee", "ankle")
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
    """Return 1 for *values* up to the first bound, 0 from the second, and linear between them."""
    first, last = between
    return np.clip((last - values) / (last - first), 0.0, 1.0)


def _floor_heights(lowest: np.ndarray, fps: float) -> np.ndarray:
    """Return the floor height (F,) around each frame, from the heights of the lower ankle (F,)."""
    reach = min(max(1, round(_FLOOR_S * fps)), len(lowest))
    padded = np.pad(lowest, reach, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.asarray(np.quantile(windows, _FLOOR_QUANTILE, axis=-1))


def _speeds(positions: np.ndarray, fps: float) -> np.ndarray:
    """Return the speeds (F, N) of *positions* (F, N, 3), metres per second."""
    reach, frames = max(1, round(_SPEED_S * fps)), np.arange(len(positions))
    before, after = np.maximum(frames - reach, 0), np.minimum(frames + reach, len(positions) - 1)
    distance = np.linalg.norm(positions[after] - positions[before], axis=-1)
    return np.asarray(distance * (fps / np.maximum(after - before, 1))[:, None])


def _faded(shares: np.ndarray, reach: int) -> np.ndarray:
    """Return *shares* (F, N) smoothed by a Hann window of *reach* frames on both sides."""
    window = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(shares, ((reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(window), axis=0)
    return np.asarray(windows @ (window / window.sum()))
