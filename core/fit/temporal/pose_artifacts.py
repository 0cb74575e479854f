"""Joints that pop, hop or tremble, though nothing asks them to. F frames.

Each frame is solved from its own points, so where they hardly tell a limb's twist, one frame may answer differently
from its neighbours. A joint pops when its rotation leaves the way it was going for a few frames and comes back: against
the running median such frames stand out, while steady motion, however fast, does not, since the median of a way that
goes on is its middle. A joint hops when it is elsewhere for one frame alone. A joint trembles when it leaves the
parabola through the moments around it, or, at an end of the clip, the straight line: that is left of motion which no
muscle makes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...math.rotations import matrix_to_quat_wxyz, quat_wxyz_to_matrix
from ...smpl_skeleton import NUM_BODY_ROTATIONS

_POP_RAD = np.deg2rad(30.0)
_RADIUS_S = 0.12
_MIN_RADIUS, _MAX_RADIUS = 3, 15
_FASTEST_RAD_PER_S = 25.0
"""No joint goes faster, and comes back as fast in the next frame."""
_TREMOR_RAD = 0.12
_PARABOLA_S = 0.1


@dataclass(frozen=True, eq=False)
class PoseArtifacts:
    """Where joints pop.

    Attributes:
        joints: (F, 24) bool.
        around: (F, 24, 3, 3) local rotations, as the frames around each have them.
        share: (F,) 0 to 1, how far each frame goes from its own pose to the settled one.
        wrong: these joints are surely wrong; else they may be right, and merely too lively.
    """

    joints: np.ndarray
    around: np.ndarray
    share: np.ndarray
    wrong: bool = True

    def select(self, frames: np.ndarray) -> PoseArtifacts:
        """Return those of some frames."""
        return replace(self, joints=self.joints[frames], around=self.around[frames], share=self.share[frames])


def find_pops(rotations: np.ndarray, fps: float) -> PoseArtifacts:
    """Return the joints that pop.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        fps: frames a second.
    """
    radius = _radius(_RADIUS_S, fps)
    joints = np.zeros(rotations.shape[:2], dtype=bool)
    if len(rotations) <= radius:
        return PoseArtifacts(joints, rotations, np.ones(len(rotations)))
    quat = unbroken_quats(rotations)
    around, off = _away(quat, _running_median(_continued(quat, radius), radius))
    joints[:, :NUM_BODY_ROTATIONS] = off[:, :NUM_BODY_ROTATIONS] > _POP_RAD
    return PoseArtifacts(joints, around, np.ones(len(rotations)))


def find_single_frame_outliers(rotations: np.ndarray, fps: float) -> PoseArtifacts:
    """Return the joints that are elsewhere for one frame, between two frames that agree.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        fps: frames a second.
    """
    joints = np.zeros(rotations.shape[:2], dtype=bool)
    if len(rotations) < 3:
        return PoseArtifacts(joints, rotations, np.ones(len(rotations)))
    quat = unbroken_quats(rotations)
    middle, off = _away(quat[1:-1], quat[:-2] + quat[2:])
    _, apart = _away(quat[:-2], quat[2:])
    outliers = (off > max(_POP_RAD, _FASTEST_RAD_PER_S / fps)) & (apart < 0.5 * off)
    joints[1:-1, :NUM_BODY_ROTATIONS] = outliers[:, :NUM_BODY_ROTATIONS]
    return PoseArtifacts(joints, np.concatenate([rotations[:1], middle, rotations[-1:]]), np.ones(len(rotations)))


def find_jitter(rotations: np.ndarray, fps: float, *, everywhere: bool = False) -> PoseArtifacts:
    """Return all joints of the frames in which a joint trembles, and of those beside them, which share it the less.

    Args:
        rotations: (F, 24, 3, 3) local rotations.
        fps: frames a second.
        everywhere: take every frame for one in which a joint trembles.
    """
    radius = _radius(_PARABOLA_S, fps)
    joints = np.zeros(rotations.shape[:2], dtype=bool)
    if len(rotations) <= radius:
        return PoseArtifacts(joints, rotations, np.ones(len(rotations)))
    quat = unbroken_quats(rotations)
    smooth = _smooth(quat, radius)
    around, off = _away(quat, smooth)
    frames = (off[:, :NUM_BODY_ROTATIONS] > _TREMOR_RAD).any(axis=1) | everywhere
    reach = radius // 2 + 1
    beside = np.lib.stride_tricks.sliding_window_view(np.pad(frames, reach), 2 * reach + 1)
    share = (beside * (1.0 - np.abs(np.arange(-reach, reach + 1)) / (reach + 1))).max(axis=1)
    joints[share > 0.0] = True
    return PoseArtifacts(joints, around, share, wrong=False)


def _radius(seconds: float, fps: float) -> int:
    return int(np.clip(round(seconds * fps), _MIN_RADIUS, _MAX_RADIUS))


def unbroken_quats(rotations: np.ndarray) -> np.ndarray:
    """Return quaternions (F, 24, 4) of rotations, each with the sign that brings it nearest to the one before."""
    quat = matrix_to_quat_wxyz(rotations.astype(np.float32))
    turned_over = np.cumprod(np.where((quat[1:] * quat[:-1]).sum(axis=-1) < 0.0, -1.0, 1.0), axis=0)
    quat[1:] *= turned_over[..., None].astype(quat.dtype)
    unbroken: np.ndarray = quat
    return unbroken


def _continued(quat: np.ndarray, radius: int) -> np.ndarray:
    """Return quaternions (F, 24, 4) with *radius* more at both ends, where motion goes on as it came."""
    before, after = 2.0 * quat[:1] - quat[radius:0:-1], 2.0 * quat[-1:] - quat[-2 : -radius - 2 : -1]
    return np.concatenate([before, quat, after])


def _running_median(values: np.ndarray, radius: int) -> np.ndarray:
    """Return the medians (F, ...) of the 2 *radius* + 1 *values* (F + 2 radius, ...) around each.

    ``np.median``, but several times faster for the few of a window: all windows at once lose their least and their
    greatest, and take in the next value, until one is left (forgetful selection).
    """
    num_values = len(values) - 2 * radius
    window = [values[offset : offset + num_values] for offset in range(2 * radius + 1)]
    kept, waiting = window[: radius + 2], window[radius + 2 :]
    while len(kept) > 1:
        for place in range(1, len(kept)):
            kept[0], kept[place] = np.minimum(kept[0], kept[place]), np.maximum(kept[0], kept[place])
        for place in range(1, len(kept) - 1):
            kept[place], kept[-1] = np.minimum(kept[place], kept[-1]), np.maximum(kept[place], kept[-1])
        kept = kept[1:-1] + waiting[:1]
        waiting = waiting[1:]
    return kept[0]


def _away(quat: np.ndarray, usual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rotations (F, 24, 3, 3) of *usual* (F, 24, 4), of any length, and how far *quat* is from them (F, 24).

    The distance is in radians.
    """
    usual = usual / np.maximum(np.linalg.norm(usual, axis=-1, keepdims=True), 1e-9)
    cosine = np.abs((usual * quat).sum(axis=-1))
    rotations: np.ndarray = quat_wxyz_to_matrix(usual)
    return rotations, 2.0 * np.arccos(np.clip(cosine, 0.0, 1.0))


def _smooth(quat: np.ndarray, radius: int) -> np.ndarray:
    """Return quaternions (F, 24, 4), of any length, on the parabola through the *radius* frames on both sides of each.

    Towards an end, where less and less is known of one side, on the straight line through those that are there.
    """
    smooth = np.zeros_like(quat)
    inner = max(0, len(quat) - 2 * radius)
    for offset, share in enumerate(_shares(radius, radius, power=2)):
        smooth[radius : radius + inner] += share * quat[offset : offset + inner]
    # Frames of a clip shorter than both ends belong to the nearer one.
    for frame in range(min(radius, (len(quat) + 1) // 2)):
        there = min(frame + radius + 1, len(quat))
        shares = _shares(frame, there - 1 - frame, power=1)
        smooth[frame] = np.tensordot(shares, quat[:there], axes=1)
        smooth[-1 - frame] = np.tensordot(shares, quat[: -there - 1 : -1], axes=1)
    return smooth


def _shares(before: int, after: int, *, power: int) -> np.ndarray:
    """Return what each of *before* + 1 + *after* samples adds to the polynomial through them, at the one in between.

    Savitzky and Golay's filter (Analytical Chemistry 36, 1964) with tricube weights: near samples weigh more.
    """
    offset = np.arange(-before, after + 1)
    weight = (1.0 - (np.abs(offset) / (max(before, after) + 1.0)) ** 3) ** 3
    powers = np.stack([offset**exponent for exponent in range(power + 1)], axis=1)
    weighted = powers * weight[:, None]
    shares: np.ndarray = np.linalg.solve(powers.T @ weighted, weighted.T)[0]
    return shares
