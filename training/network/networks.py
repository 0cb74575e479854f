"""Create networks from settings or checkpoints, in float32 or mixed precision."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from core.network.pose_architecture import POSE_MLP

from ..config import ConfigError, ModelConfig
from .checkpoints import Checkpoint, load_weights
from .model import ResidualNet
from .pose_mlp import PoseMlp


def uses_bfloat16(precision: str, device: torch.device) -> bool:
    """Return whether training with *precision* ("auto", "float32", "bfloat16") on *device* uses bfloat16.

    Raises:
        ConfigError: bfloat16 is required, and the device has none.
    """
    supported = device.type == "cuda" and torch.cuda.is_bf16_supported()
    if precision == "bfloat16" and not supported:
        raise ConfigError(
            f"expected a CUDA GPU with bfloat16 for training.precision bfloat16, got {device}; give auto or float32"
        )
    return precision != "float32" and supported


class MixedResidualNet(ResidualNet):
    """The paper's network with its inner layers in bfloat16.

    Input points and output rotations stay float32: bfloat16 would round a metre to 4 mm and a residual rotation to a
    quarter of a degree.
    """

    def __init__(self, graph: str, *, dropout: float, device_type: str = "cuda") -> None:
        """Create the network with initial weights, to run on *device_type*."""
        super().__init__(graph, dropout=dropout)
        self._device_type = device_type
        for layer in (self.backbone.data_bn, self.backbone.gcn0, self.regressor):
            _keep_float32(layer, device_type)

    def residual(self, points: Tensor, pose_features: Tensor, betas: Tensor) -> Tensor:
        """Return the residual rotations in 6D form (B, 22, 6), float32; arguments as for `ResidualNet`."""
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
"""A trainable network: it has ``graph``, ``point_names`` and ``inputs_of``."""


def make_network(config: ModelConfig, *, bfloat16: bool = False) -> Network:
    """Create the network described by *config*, with initial weights, on the CPU."""
    if config.architecture == POSE_MLP:
        return PoseMlp(dropout=config.dropout)
    kind = MixedResidualNet if bfloat16 else ResidualNet
    return kind(config.graph, dropout=config.dropout)


def network_of(checkpoint: Checkpoint, path: Path | str, graph: str = "") -> Network:
    """Return the network of a checkpoint, this project's or the published one, in evaluation mode on the CPU.

    Args:
        checkpoint: contents of the file.
        path: the file, named in errors.
        graph: skeleton graph of the weights; if empty, the checkpoint's own.

    Raises:
        CheckpointError: its weights do not belong to this network.
    """
    network = PoseMlp() if checkpoint.architecture == POSE_MLP else ResidualNet(graph or checkpoint.graph)
    load_weights(network, checkpoint, path)
    return network.eval()
