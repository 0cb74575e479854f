"""The pose network: from a start pose and one frame's points to the pose to expect, and how surely. B batch, P points.

The residual network's idea with another reader: instead of graph convolutions over 25 points of two frames, a
perceptron reads the points, where the start pose puts them, which of them are seen and how noisy they are, all in the
start pelvis' own axes. So it takes any layout's points, hands and missing ones included, and its answer carries a
variance for each joint and axis, which the exact finish weighs it by.

Written once for NumPy and torch; training reads the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..math.arrays import Array, at_least, check_device, like, namespace
from ..math.rotations import rot6d_to_matrix
from ..smpl_skeleton import NUM_BODY_ROTATIONS
from .forward import placed
from .pose_architecture import DEPTH, NORM_EPSILON, NUM_ANSWERS, NUM_POINTS, NUM_START_FEATURES, POSE_POINTS
from .weights import NetworkInfo, NetworkWeights

_LEFT_HIP, _RIGHT_HIP = POSE_POINTS.index("left_hip"), POSE_POINTS.index("right_hip")
_OFF_SCALE, _SIGMA_SCALE = 10.0, 100.0
"""Distances of a decimetre, and noise of a centimetre, are brought to about 1."""
_IDENTITY_6D = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_USUAL_LOG_VARIANCE = -4.0
_CPU_BLOCK = 512


def pose_features(start: Array, start_points: Array, points: Array, seen: Array, betas: Array, sigma_m: Array) -> Array:
    """Return what the network reads (B, NUM_FEATURES); a point that is not seen is read as zeros.

    Convention: Y up. All is in the start pelvis' own axes, so the heading does not matter; which way is up is read too,
    since how far the pelvis leans is told by little else.

    Args:
        start: (B, 24, 3, 3) local rotations of the start pose.
        start_points: (B, P, 3) where the placed start pose has the points `POSE_POINTS`, metres; both hips, and
            those that are seen, are read.
        points: (B, P, 3) where they were seen, metres; anything finite where they were not.
        seen: (B, P) 1 where a point was seen, 0 where not.
        betas: (B, 10).
        sigma_m: (B,) noise of the points per axis.
    """
    xp = namespace(start)
    batch = start.shape[0]
    pelvis = start[:, 0]
    known = seen[..., None]
    origin = 0.5 * (start_points[:, _LEFT_HIP] + start_points[:, _RIGHT_HIP])
    local = ((points - origin[:, None]) @ pelvis) * known
    off = ((points - start_points) @ pelvis) * known
    turns = xp.reshape(start[:, 1:NUM_BODY_ROTATIONS, :, :2], (batch, NUM_START_FEATURES))
    flat = [xp.reshape(part, (batch, 3 * NUM_POINTS)) for part in (local, _OFF_SCALE * off)]
    return xp.concat([turns, *flat, seen, betas, _SIGMA_SCALE * sigma_m[:, None], pelvis[:, 1]], axis=1)


def answer_of(numbers: Array, start: Array) -> tuple[Array, Array]:
    """Return local rotations (B, 22, 3, 3) and log variances (B, 22, 3) of the network's *numbers* (B, 22 * 9).

    Convention: the residual turns in the joint's own axes, ``start @ residual``; variances are of the rotation vector
    from the answer to the truth, in those axes, square radians.
    """
    xp = namespace(numbers)
    numbers = xp.reshape(numbers, (numbers.shape[0], NUM_BODY_ROTATIONS, NUM_ANSWERS))
    residual = rot6d_to_matrix(numbers[..., :6] + like(np.array(_IDENTITY_6D), numbers))
    return start[:, :NUM_BODY_ROTATIONS] @ residual, numbers[..., 6:] + _USUAL_LOG_VARIANCE


class PoseNetwork:
    """The pose network's weights on a device.

    Attributes:
        info: what the weights belong to.
        device: "numpy" or a torch device.
    """

    def __init__(self, weights: NetworkWeights, device: str = "numpy") -> None:
        """Place *weights* on *device*.

        Raises:
            DeviceError: the device does not exist here.
        """
        self.info: NetworkInfo = weights.info
        self.device = check_device(device)
        kind = np.dtype(np.float32)
        self._arrays: Mapping[str, Array] = {
            name: placed(array, self.device, kind) for name, array in weights.arrays.items()
        }

    def predict(
        self, start: Array, start_points: Array, points: Array, seen: Array, betas: Array, sigma_m: Array
    ) -> tuple[Array, Array]:
        """Return the expected local rotations (B, 22, 3, 3), and log variances (B, 22, 3), see `answer_of`.

        Args: as for `pose_features`, of this network's kind of array.
        """
        features = pose_features(start, start_points, points, seen, betas, sigma_m)
        return answer_of(self._numbers(features), start)

    def _numbers(self, features: Array) -> Array:
        xp = namespace(features)
        if not isinstance(features, np.ndarray) or len(features) <= _CPU_BLOCK:
            return self._pass(features)
        blocks = range(0, len(features), _CPU_BLOCK)
        return xp.concat([self._pass(features[first : first + _CPU_BLOCK]) for first in blocks], axis=0)

    def _pass(self, features: Array) -> Array:
        arrays = self._arrays
        hidden = features @ arrays["input"] + arrays["input_bias"]
        for block in range(DEPTH):
            wide = _normed(hidden) @ arrays[f"block{block}.widen"] + arrays[f"block{block}.widen_bias"]
            wide = at_least(wide, 0.0)
            hidden = hidden + wide @ arrays[f"block{block}.narrow"] + arrays[f"block{block}.narrow_bias"]
        numbers: Array = _normed(hidden) @ arrays["output"] + arrays["output_bias"]
        return numbers


def _normed(values: Array) -> Array:
    """Return each row (B, C) with mean 0 and variance 1; the scale and offset of layer norms are folded away."""
    xp = namespace(values)
    centred = values - xp.mean(values, axis=-1, keepdims=True)
    variance = xp.mean(centred * centred, axis=-1, keepdims=True)
    return centred / xp.sqrt(variance + NORM_EPSILON)
