"""The pose network: predicts the expected pose and its variance from a start pose and one frame's points.

B batch, P points. Like the residual network, but with a multilayer perceptron instead of graph convolutions over 25
points of two frames. Its inputs are the points, their positions in the start pose, which of them are seen and how noisy
they are, all in the axes of the start pelvis. So it accepts the points of any layout, including hands and missing
points. Its output has a variance per joint and axis, which weights the prediction in the final optimisation.

For both NumPy and torch; training uses the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..math.arrays import Array, at_least, check_device, like, namespace
from ..math.rotations import rot6d_to_matrix
from ..smpl_skeleton import NUM_BODY_ROTATIONS
from .forward import to_device_array
from .pose_architecture import DEPTH, NORM_EPSILON, NUM_ANSWERS, NUM_POINTS, NUM_START_FEATURES, POSE_POINTS
from .weights import NetworkInfo, NetworkWeights

_LEFT_HIP, _RIGHT_HIP = POSE_POINTS.index("left_hip"), POSE_POINTS.index("right_hip")
_OFFSET_SCALE, _SIGMA_SCALE = 10.0, 100.0
"""Distances of a decimetre and noise of a centimetre are scaled to about 1."""
_IDENTITY_6D = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_USUAL_LOG_VARIANCE = -4.0
_CPU_BLOCK = 512


def pose_features(start: Array, start_points: Array, points: Array, seen: Array, betas: Array, sigma_m: Array) -> Array:
    """Return the network's input (B, NUM_FEATURES); points that are not seen are zeros.

    Convention: Y up. All features are in the axes of the start pelvis, so the heading does not matter. The up direction
    is a feature too, because little else shows how far the pelvis leans.

    Args:
        start: (B, 24, 3, 3) local rotations of the start pose.
        start_points: (B, P, 3) positions of `POSE_POINTS` in the translated start pose, metres; only both hips and the
            seen points are used.
        points: (B, P, 3) observed positions, metres; any finite value where not seen.
        seen: (B, P) 1 where a point was seen, else 0.
        betas: (B, 10).
        sigma_m: (B,) noise of the points per axis, metres.
    """
    xp = namespace(start)
    batch = start.shape[0]
    pelvis = start[:, 0]
    is_seen = seen[..., None]
    origin = 0.5 * (start_points[:, _LEFT_HIP] + start_points[:, _RIGHT_HIP])
    local = ((points - origin[:, None]) @ pelvis) * is_seen
    offsets = ((points - start_points) @ pelvis) * is_seen
    turns = xp.reshape(start[:, 1:NUM_BODY_ROTATIONS, :, :2], (batch, NUM_START_FEATURES))
    flat = [xp.reshape(part, (batch, 3 * NUM_POINTS)) for part in (local, _OFFSET_SCALE * offsets)]
    return xp.concat([turns, *flat, seen, betas, _SIGMA_SCALE * sigma_m[:, None], pelvis[:, 1]], axis=1)


def answer_of(numbers: Array, start: Array) -> tuple[Array, Array]:
    """Return local rotations (B, 22, 3, 3) and log variances (B, 22, 3) from the network's output (B, 22 * 9).

    Convention: the residual rotates in the joint's own axes, ``start @ residual``; variances are those of the rotation
    vector from the prediction to the truth, in the same axes, square radians.
    """
    xp = namespace(numbers)
    numbers = xp.reshape(numbers, (numbers.shape[0], NUM_BODY_ROTATIONS, NUM_ANSWERS))
    residual = rot6d_to_matrix(numbers[..., :6] + like(np.array(_IDENTITY_6D), numbers))
    return start[:, :NUM_BODY_ROTATIONS] @ residual, numbers[..., 6:] + _USUAL_LOG_VARIANCE


class PoseNetwork:
    """The pose network's weights on a device.

    Attributes:
        info: description of the weights.
        device: "numpy" or a torch device.
    """

    def __init__(self, weights: NetworkWeights, device: str = "numpy") -> None:
        """Copy *weights* to *device*.

        Raises:
            DeviceError: the device does not exist on this machine.
        """
        self.info: NetworkInfo = weights.info
        self.device = check_device(device)
        kind = np.dtype(np.float32)
        self._arrays: Mapping[str, Array] = {
            name: to_device_array(array, self.device, kind) for name, array in weights.arrays.items()
        }

    def predict(
        self, start: Array, start_points: Array, points: Array, seen: Array, betas: Array, sigma_m: Array
    ) -> tuple[Array, Array]:
        """Return the expected local rotations (B, 22, 3, 3) and log variances (B, 22, 3), see `answer_of`.

        Arguments as for `pose_features`, as arrays on this network's device.
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
            wide = _layer_norm(hidden) @ arrays[f"block{block}.widen"] + arrays[f"block{block}.widen_bias"]
            wide = at_least(wide, 0.0)
            hidden = hidden + wide @ arrays[f"block{block}.narrow"] + arrays[f"block{block}.narrow_bias"]
        numbers: Array = _layer_norm(hidden) @ arrays["output"] + arrays["output_bias"]
        return numbers


def _layer_norm(values: Array) -> Array:
    """Normalise each row (B, C) to mean 0 and variance 1; scale and offset are folded into the following layer."""
    xp = namespace(values)
    centred = values - xp.mean(values, axis=-1, keepdims=True)
    variance = xp.mean(centred * centred, axis=-1, keepdims=True)
    return centred / xp.sqrt(variance + NORM_EPSILON)
