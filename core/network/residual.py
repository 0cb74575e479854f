"""Inference with the residual network: one pass from a start pose to the pose of target keypoints. B batch."""

from __future__ import annotations

import numpy as np

from ..math.arrays import Array, check_device, namespace
from ..math.rotations import rot6d_to_matrix
from ..smpl_skeleton import BODY25_NAMES, NUM_BODY_ROTATIONS, NUM_JOINTS
from .architecture import NUM_BETAS
from .forward import FoldedNetwork, to_device_array
from .frame import human_frame, normalised, start_pose_features
from .weights import NetworkInfo, NetworkWeights

_CPU_BLOCK = 64
"""Samples per pass on a CPU, so that activations stay in the caches between layers."""
_ACCELERATOR_BLOCK = 8192

_NUM_POINTS = len(BODY25_NAMES)


def fill_missing(start_points: Array, target_points: Array, seen: Array | None) -> Array:
    """Return the target points (B, 25, 3) with missing points replaced by those of the start pose, as if not moved.

    Args:
        start_points: (B, 25, 3) metres.
        target_points: (B, 25, 3) metres; a point with a non-finite coordinate is missing.
        seen: (B, 25) above 0, or true, where a point is seen; None if all finite points are.
    """
    xp = namespace(start_points)
    is_seen = xp.all(xp.isfinite(target_points), axis=-1)
    if seen is not None:
        is_seen = is_seen & (seen > 0)
    return xp.where(is_seen[..., None], target_points, start_points)


class ResidualNetwork:
    """The residual network's folded weights on a device.

    Attributes:
        info: description of the weights: graph, body, training data, metrics.
        device: "numpy" or a torch device.
    """

    def __init__(
        self, weights: NetworkWeights, device: str = "numpy", *, dtype: type[np.floating] = np.float32
    ) -> None:
        """Copy *weights* to *device*.

        Args:
            weights: from `weights.read_weights`.
            device: "numpy", or a torch device: "cpu", "cuda", "mps".
            dtype: the floating type to compute in.

        Raises:
            DeviceError: the device does not exist on this machine.
        """
        self.info: NetworkInfo = weights.info
        self.device = check_device(device)
        self._dtype = np.dtype(dtype)
        self._folded = FoldedNetwork(weights.arrays, device=device, dtype=dtype)

    def predict(
        self,
        start_points: Array,
        target_points: Array,
        rotations: Array,
        betas: Array,
        *,
        seen: Array | None = None,
    ) -> Array:
        """Return the local rotations (B, 24, 3, 3) for the target points, as an array on this network's device.

        Convention: right-handed world axes, any of them up; local SMPL rotations; those of the hands are kept.

        Args:
            start_points: (B, 25, 3) BODY25 keypoints of the start pose, metres, all finite.
            target_points: (B, 25, 3) BODY25 keypoints to reach, metres; NaN where missing.
            rotations: (B, 24, 3, 3) start pose.
            betas: (10,) or (B, 10), of the body that `info` names.
            seen: (B, 25) above 0 where a target point is seen; None if all finite points are.

        Raises:
            ValueError: a shape is wrong.
        """
        inputs = [self.array(values) for values in (start_points, target_points, rotations, betas)]
        if seen is not None:
            inputs.append(self.array(seen))
        check_shapes(*inputs)
        batch = inputs[0].shape[0]
        xp = namespace(inputs[0])
        inputs[3] = xp.broadcast_to(inputs[3], (batch, NUM_BETAS))
        size = _CPU_BLOCK if self.device in ("numpy", "cpu") else _ACCELERATOR_BLOCK
        if batch <= size:
            return self.predict_placed(*inputs)
        blocks = [slice(first, first + size) for first in range(0, batch, size)]
        return xp.concat([self.predict_placed(*(values[block] for values in inputs)) for block in blocks], axis=0)

    def array(self, values: Array) -> Array:
        """Return *values* as an array of this network's type on its device."""
        return to_device_array(values, self.device, self._dtype)

    def predict_placed(
        self, start_points: Array, target_points: Array, rotations: Array, betas: Array, seen: Array | None = None
    ) -> Array:
        """Return the same as `predict` for arrays that are already on the device, without checking them.

        Nothing here waits for the device or copies data to it, so it can be captured as a CUDA graph. Arguments as for
        `predict`, with *betas* (B, 10).
        """
        xp = namespace(start_points)
        target_points = fill_missing(start_points, target_points, seen)
        axes, origin = human_frame(start_points)
        frames = [normalised(start_points, axes, origin), normalised(target_points, axes, origin)]
        delta_6d = self._folded.residual(xp.stack(frames, axis=1), start_pose_features(rotations), betas)
        turned = rotations[:, :NUM_BODY_ROTATIONS] @ rot6d_to_matrix(delta_6d)
        return xp.concat([turned, rotations[:, NUM_BODY_ROTATIONS:]], axis=1)


def check_shapes(
    start_points: Array, target_points: Array, rotations: Array, betas: Array, seen: Array | None = None
) -> None:
    """Raise `ValueError` if an argument of `ResidualNetwork.predict` has the wrong shape."""
    batch = start_points.shape[0] if start_points.ndim else 0
    expected: list[tuple[str, Array, tuple[tuple[int, ...], ...]]] = [
        ("start_points", start_points, ((batch, _NUM_POINTS, 3),)),
        ("target_points", target_points, ((batch, _NUM_POINTS, 3),)),
        ("rotations", rotations, ((batch, NUM_JOINTS, 3, 3),)),
        ("betas", betas, ((NUM_BETAS,), (batch, NUM_BETAS))),
    ]
    if seen is not None:
        expected.append(("seen", seen, ((batch, _NUM_POINTS),)))
    faults = [
        f"{name} {shapes[0]}, got {tuple(a.shape)}" for name, a, shapes in expected if tuple(a.shape) not in shapes
    ]
    if faults:
        raise ValueError(f"expected {'; '.join(faults)}")
