"""The network of a run: made from settings or a checkpoint, in full or mixed precision."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from core.network.pose_architecture import POSE_MLP

from .checkpoints import Checkpoint, load_weights
from .config import ModelConfig
from .model import ResidualNet
from .pose_mlp import PoseMlp


def uses_bfloat16(precision: str, device: torch.device) -> bool:
    """Return whether a training with *precision* ("auto", "float32", "bfloat16") on *device* computes in bfloat16."""
    return precision != "float32" and device.type == "cuda" and torch.cuda.is_bf16_supported()


class MixedResidualNet(ResidualNet):
    """The network with its inner layers in bfloat16.

    Points enter and rotations leave in float32: eight bits of mantissa would round a metre to 4 mm and a residual
    rotation to a quarter of a degree.
    """

    def __init__(self, graph: str, *, dropout: float, device_type: str = "cuda") -> None:
        """Make the network with fresh weights, to run on *device_type*."""
        super().__init__(graph, dropout=dropout)
        self._device_type = device_type
        for layer in (self.backbone.data_bn, self.backbone.gcn0, self.regressor):
            _keep_float32(layer, device_type)

    def residual(self, points: Tensor, pose_features: Tensor, betas: Tensor) -> Tensor:
        """Return the residual rotations' six numbers (B, 22, 6), float32; arguments as for the full network."""
        with torch.autocast(self._device_type, dtype=torch.bfloat16):
            return super().residual(points, pose_features, betas)


def _keep_float32(layer: nn.Module, device_type: str) -> None:
    inner = layer.forward

    def forward(features: Tensor) -> Tensor:
        with torch.autocast(device_type, enabled=False):
            result: Tensor = inner(features.float())
        return result

    layer.forward = forward


Network = ResidualNet | PoseMlp
"""A network that can be trained: it has ``graph``, ``point_names`` and ``inputs_of``."""


def make_network(config: ModelConfig, *, bfloat16: bool = False) -> Network:
    """Return the network that *config* describes, with fresh weights, on the CPU."""
    if config.architecture == POSE_MLP:
        return PoseMlp(dropout=config.dropout)
    kind = MixedResidualNet if bfloat16 else ResidualNet
    return kind(config.graph, dropout=config.dropout)


def network_of(checkpoint: Checkpoint, path: Path | str, graph: str = "") -> Network:
    """Return the network of a checkpoint, ours or the published one, ready to predict, on the CPU.

    Args:
        checkpoint: what the file holds.
        path: the file, for errors.
        graph: the skeleton graph of the weights; the checkpoint's own without it.

    Raises:
        CheckpointError: its weights are not of this network.
    """
    network = PoseMlp() if checkpoint.architecture == POSE_MLP else ResidualNet(graph or checkpoint.graph)
    load_weights(network, checkpoint, path)
    return network.eval()
