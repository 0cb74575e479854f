"""The residual network as a CUDA graph: the forward pass is captured once and then replayed. B batch.

The pass of one frame has about two hundred small kernels, and launching them one by one from Python takes far longer
than computing them. Captured as a CUDA graph, they are launched together, after a single copy of all inputs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..math.arrays import Array, DeviceError, to_numpy
from ..smpl_skeleton import BODY25_NAMES, NUM_JOINTS
from .architecture import NUM_BETAS
from .residual import ResidualNetwork, check_shapes

_WARM_UP_PASSES = 3
_NUM_POINTS = len(BODY25_NAMES)
INPUT_SHAPES: tuple[tuple[int, ...], ...] = (
    (_NUM_POINTS, 3), (_NUM_POINTS, 3), (NUM_JOINTS, 3, 3), (NUM_BETAS,), (_NUM_POINTS,),
)  # fmt: skip
"""Shapes of start points, target points, rotations, betas and visibility of one sample."""


def packed_inputs(
    start_points: Array, target_points: Array, rotations: Array, betas: Array, seen: Array | None
) -> np.ndarray:
    """Return all inputs of a pass as one array (B, 401) float32; arguments as for `ResidualNetwork.predict`."""
    batch = start_points.shape[0]
    weights = np.ones((batch, _NUM_POINTS)) if seen is None else to_numpy(seen)
    betas = np.broadcast_to(to_numpy(betas), (batch, NUM_BETAS))
    parts = (to_numpy(start_points), to_numpy(target_points), to_numpy(rotations), betas, weights)
    return np.concatenate([part.reshape(batch, -1) for part in parts], axis=1, dtype=np.float32)


def unpacked_inputs(packed: Array) -> list[Array]:
    """Return the inputs in *packed* (B, 401), in their own shapes, as views."""
    parts, first = [], 0
    for shape in INPUT_SHAPES:
        size = math.prod(shape)
        parts.append(packed[:, first : first + size].reshape((packed.shape[0], *shape)))
        first += size
    return parts


class CapturedNetwork:
    """A `ResidualNetwork` on a CUDA device, captured for one batch size.

    Attributes:
        network: the captured network.
        batch: number of samples per call.
    """

    def __init__(self, network: ResidualNetwork, batch: int = 1) -> None:
        """Capture the pass of *batch* samples.

        Raises:
            DeviceError: the network is not on a CUDA device.
        """
        if network.device.partition(":")[0] != "cuda":
            raise DeviceError(
                f"expected a network on a CUDA device to capture, got one on {network.device!r}; use its predict there"
            )
        import torch

        cuda: Any = torch.cuda
        self.network = network
        self.batch = batch
        num_inputs = sum(math.prod(shape) for shape in INPUT_SHAPES)
        self._packed = torch.zeros((batch, num_inputs), device=network.device)
        with cuda.device(self._packed.device), torch.no_grad():
            inputs = unpacked_inputs(self._packed)
            side_stream = cuda.Stream()
            side_stream.wait_stream(cuda.current_stream())
            with cuda.stream(side_stream):
                for _ in range(_WARM_UP_PASSES):
                    network.predict_placed(*inputs)
            cuda.current_stream().wait_stream(side_stream)
            self._graph = cuda.CUDAGraph()
            with cuda.graph(self._graph):
                self._output = network.predict_placed(*inputs)

    def predict(
        self,
        start_points: Array,
        target_points: Array,
        rotations: Array,
        betas: Array,
        *,
        seen: Array | None = None,
    ) -> Array:
        """Return the local rotations (B, 24, 3, 3) on the CUDA device; arguments as for `ResidualNetwork.predict`.

        The result is a copy: later calls do not change it.

        Raises:
            ValueError: a shape is wrong, or the batch is not the captured one.
        """
        import torch

        check_shapes(start_points, target_points, rotations, betas, seen)
        if start_points.shape[0] != self.batch:
            raise ValueError(f"expected a batch of {self.batch}, as captured; got {start_points.shape[0]}")
        packed = packed_inputs(start_points, target_points, rotations, betas, seen)
        self._packed.copy_(torch.from_numpy(packed))
        self._graph.replay()
        return self._output.clone()
