"""Detect pose artifacts: short outliers, single-frame outliers and jitter of joint rotations. F frames.

Each frame is solved from its own points, so where these hardly determine a limb's twist, a frame's solution may differ
from its neighbours'. A short outlier leaves the joint's path for a few frames and returns: it stands out against the
running median, while steady motion, however fast, does not, since the median of a monotonic path is its middle. A
single-frame outlier is elsewhere in one frame alone. Jitter is the deviation from the parabola through the frames
around, or from the straight line at an end of the clip: no muscle makes such motion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...math.rotations import matrix_to_quat_wxyz, quat_wxyz_to_matrix
from ...smpl_skeleton import NUM_BODY_ROTATIONS

_OUTLIER_RAD = np.deg2rad(30.0)
_RADIUS_S = 0.12
_MIN_RADIUS, _MAX_RADIUS = 3, 15
_FASTEST_RAD_PER_S = 25.0
"""No joint moves faster than this and returns as fast in the next frame."""
_JITTER_RAD = 0.12
_PARABOLA_S = 0.1


@dataclass(frozen=True, eq=False)
class PoseArtifacts:
    """Artifacts of one kind.

    Attributes:
        joints: (F, 24) bool, the joints that have an artifact.
        around: (F, 24, 3, 3) local rotations estimated from the frames around each frame.
        share: (F,) 0 to 1, how far each frame is blended from its own pose to the refined one.
        wrong: True if the joints are certainly wrong; False if they may be right and only jitter.
    """

    joints: np.ndarray
    around: np.ndarray
    share: np.ndarray
    wrong: bool = True

    def select(self, frames: np.ndarray) -> PoseArtifacts:
        """Return the artifacts of the selected frames."""
        return replace(self, joints=self.joints[frames], around=self.around[frames], share=self.share[frames])


def find_short_outliers(rotations: np.ndarray, fps: float) -> PoseArtifacts:
    """Return the joints that leave their path for a few frames.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        fps: frames per second.
    """
    radius = _radius(_RADIUS_S, fps)
    joints = np.zeros(rotations.shape[:2], dtype=bool)
    if len(rotations) <= radius:
        return PoseArtifacts(joints, rotations, np.ones(len(rotations)))
    quat = unbroken_quats(rotations)
    around, deviation = _deviation(quat, _running_median(_continued(quat, radius), radius))
    joints[:, :NUM_BODY_ROTATIONS] = deviation[:, :NUM_BODY_ROTATIONS] > _OUTLIER_RAD
    return PoseArtifacts(joints, around, np.ones(len(rotations)))


def find_single_frame_outliers(rotations: np.ndarray, fps: float) -> PoseArtifacts:
    """Return the joints that deviate in one frame alone, between two frames that agree.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        fps: frames per second.
    """
    joints = np.zeros(rotations.shape[:2], dtype=bool)
    if len(rotations) < 3:
        return PoseArtifacts(joints, rotations, np.ones(len(rotations)))
    quat = unbroken_quats(rotations)
    middle, deviation = _deviation(quat[1:-1], quat[:-2] + quat[2:])
    _, apart = _deviation(quat[:-2], quat[2:])
    outliers = (deviation > max(_OUTLIER_RAD, _FASTEST_RAD_PER_S / fps)) & (apart < 0.5 * deviation)
    joints[1:-1, :NUM_BODY_ROTATIONS] = outliers[:, :NUM_BODY_ROTATIONS]
    return PoseArtifacts(joints, np.concatenate([rotations[:1], middle, rotations[-1:]]), np.ones(len(rotations)))


def find_jitter(rotations: np.ndarray, fps: float, *, everywhere: bool = False) -> PoseArtifacts:
    """Return all joints of the frames in which a joint jitters, and of the frames beside them with a falling share.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        fps: frames per second.
        everywhere: treat every frame as one that jitters.
    """
    radius = _radius(_PARABOLA_S, fps)
    joints = np.zeros(rotations.shape[:2], dtype=bool)
    if len(rotations) <= radius:
        return PoseArtifacts(joints, rotations, np.ones(len(rotations)))
    quat = unbroken_quats(rotations)
    smooth = _smooth(quat, radius)
    around, deviation = _deviation(quat, smooth)
    frames = (deviation[:, :NUM_BODY_ROTATIONS] > _JITTER_RAD).any(axis=1) | everywhere
    reach = radius // 2 + 1
    beside = np.lib.stride_tricks.sliding_window_view(np.pad(frames, reach), 2 * reach + 1)
    share = (beside * (1.0 - np.abs(np.arange(-reach, reach + 1)) / (reach + 1))).max(axis=1)
    joints[share > 0.0] = True
    return PoseArtifacts(joints, around, share, wrong=False)


def _radius(seconds: float, fps: float) -> int:
    return int(np.clip(round(seconds * fps), _MIN_RADIUS, _MAX_RADIUS))


def unbroken_quats(rotations: np.ndarray) -> np.ndarray:
    """Return quaternions (F, 24, 4), wxyz, of *rotations*, each with the sign nearest to the one before."""
    quat = matrix_to_quat_wxyz(rotations.astype(np.float32))
    signs = np.cumprod(np.where((quat[1:] * quat[:-1]).sum(axis=-1) < 0.0, -1.0, 1.0), axis=0)
    quat[1:] *= signs[..., None].astype(quat.dtype)
    unbroken: np.ndarray = quat
    return unbroken


def _continued(quat: np.ndarray, radius: int) -> np.ndarray:
    """Return quaternions (F + 2 radius, 24, 4), extended at both ends by a point reflection of the motion."""
    before, after = 2.0 * quat[:1] - quat[radius:0:-1], 2.0 * quat[-1:] - quat[-2 : -radius - 2 : -1]
    return np.concatenate([before, quat, after])


def _running_median(values: np.ndarray, radius: int) -> np.ndarray:
    """Return the medians (F, ...) of the windows of 2 *radius* + 1 *values* (F + 2 radius, ...).

    Gives the result of ``np.median``, several times faster for small windows: all windows at once drop their smallest
    and largest value and add the next one until one is left (forgetful selection).
    """
    num_values = len(values) - 2 * radius
    window = [values[offset : offset + num_values] for offset in range(2 * radius + 1)]
    kept, waiting = window[: radius + 2], window[radius + 2 :]
    while len(kept) > 1:
        for index in range(1, len(kept)):
            kept[0], kept[index] = np.minimum(kept[0], kept[index]), np.maximum(kept[0], kept[index])
        for index in range(1, len(kept) - 1):
            kept[index], kept[-1] = np.minimum(kept[index], kept[-1]), np.maximum(kept[index], kept[-1])
        kept = kept[1:-1] + waiting[:1]
        waiting = waiting[1:]
    return kept[0]


def _deviation(quat: np.ndarray, usual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rotations (F, 24, 3, 3) of *usual* (F, 24, 4), and the angles (F, 24) of *quat* from them, radians.

    The quaternions *usual* need not be normalised.
    """
    usual = usual / np.maximum(np.linalg.norm(usual, axis=-1, keepdims=True), 1e-9)
    cosine = np.abs((usual * quat).sum(axis=-1))
    rotations: np.ndarray = quat_wxyz_to_matrix(usual)
    return rotations, 2.0 * np.arccos(np.clip(cosine, 0.0, 1.0))


def _smooth(quat: np.ndarray, radius: int) -> np.ndarray:
    """Return smoothed quaternions (F, 24, 4), not normalised: the parabola through *radius* frames on both sides.

    Near the ends of the clip, where frames are missing on one side, a straight line replaces the parabola.
    """
    smooth = np.zeros_like(quat)
    inner = max(0, len(quat) - 2 * radius)
    for offset, coefficient in enumerate(_polynomial_weights(radius, radius, power=2)):
        smooth[radius : radius + inner] += coefficient * quat[offset : offset + inner]
    # In a clip shorter than both end regions, a frame belongs to the nearer end.
    for frame in range(min(radius, (len(quat) + 1) // 2)):
        stop = min(frame + radius + 1, len(quat))
        coefficients = _polynomial_weights(frame, stop - 1 - frame, power=1)
        smooth[frame] = np.tensordot(coefficients, quat[:stop], axes=1)
        smooth[-1 - frame] = np.tensordot(coefficients, quat[: -stop - 1 : -1], axes=1)
    return smooth


def _polynomial_weights(before: int, after: int, *, power: int) -> np.ndarray:
    """Return the filter coefficients of *before* + 1 + *after* samples for a local polynomial of degree *power*.

    This is Savitzky and Golay's filter (Analytical Chemistry 36, 1964) with tricube weights, so nearer samples count
    more.
    """
    offset = np.arange(-before, after + 1)
    weight = (1.0 - (np.abs(offset) / (max(before, after) + 1.0)) ** 3) ** 3
    powers = np.stack([offset**exponent for exponent in range(power + 1)], axis=1)
    weighted = powers * weight[:, None]
    coefficients: np.ndarray = np.linalg.solve(powers.T @ weighted, weighted.T)[0]
    return coefficients
