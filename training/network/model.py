"""The residual network of Learnable SMPLify (arXiv 2508.13562) as a torch module. B batch, C channels, T = 2, V = 25.

State-dict names, order and shapes are those of the published checkpoint. The state dict does not contain the skeleton
graph: store the graph's name beside the weights.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.math.rotations import rot6d_to_matrix
from core.network.architecture import CHANNELS, KERNEL_TAPS, NUM_BETAS, NUM_FEATURES, ROT6D, UNITS
from core.network.frame import human_frame, normalised, start_pose_features
from core.network.graph import DEFAULT_GRAPH, NUM_NODES, adjacency, check_graph
from core.network.residual import fill_missing
from core.smpl_skeleton import NUM_BODY_ROTATIONS

from ..data.examples import Examples
from ..data.training_body import POINT_NAMES

UNIT_DROPOUT = 0.5
IDENTITY_6D = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class Prediction(NamedTuple):
    """Output of one pass.

    Attributes:
        rotations: (B, 22, 3, 3) predicted local rotations of the pelvis and 21 body joints.
        deltas: (B, 22, 3, 3) the residual rotations: ``rotations = start @ deltas``.
        delta_6d: (B, 22, 6) the residual rotations in 6D form, as output by the network.
        axes: (B, 3, 3) the human-centred frame of the start points.
        origin: (B, 1, 3) its origin, metres.
    """

    rotations: Tensor
    deltas: Tensor
    delta_6d: Tensor
    axes: Tensor
    origin: Tensor


class GraphConvolution(nn.Module):
    """A graph convolution: each of the three adjacencies has a learnt mask and its own 1x1 convolution."""

    adjacency: Tensor

    def __init__(self, channels_in: int, channels_out: int, graph: str) -> None:
        super().__init__()
        matrices = torch.as_tensor(adjacency(graph), dtype=torch.get_default_dtype())
        self.register_buffer("adjacency", matrices, persistent=False)
        self.mask = nn.Parameter(torch.ones_like(matrices))
        self.conv_list = nn.ModuleList(nn.Conv2d(channels_in, channels_out, 1) for _ in matrices)
        self.bn = nn.BatchNorm2d(channels_out)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C out, T, V) of *features* (B, C in, T, V)."""
        weighted = self.adjacency * self.mask
        parts = [conv(features @ matrix) for conv, matrix in zip(self.conv_list, weighted, strict=True)]
        return functional.relu(self.bn(sum(parts)))


class TimeConvolution(nn.Module):
    """Dropout, a temporal convolution, batch norm, ReLU."""

    def __init__(
        self, channels_in: int, channels_out: int, *, taps: int = KERNEL_TAPS, stride: int = 1, dropout: float = 0.0,
        trimmed: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.dropout = dropout
        self.trimmed = trimmed
        self.conv = nn.Conv2d(channels_in, channels_out, (taps, 1), stride=(stride, 1), padding=((taps - 1) // 2, 0))
        self.bn = nn.BatchNorm2d(channels_out)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C out, T / stride, V) of *features* (B, C in, T, V)."""
        features = functional.dropout(features, self.dropout, self.training and self.dropout > 0)
        return functional.relu(self.bn(self._convolved(features)))

    def _convolved(self, features: Tensor) -> Tensor:
        """Convolve with the taps that reach a clip of this length; the others would see only padding."""
        middle = self.conv.kernel_size[0] // 2
        reach = min(features.shape[2] - 1, middle)
        if not self.trimmed or reach == middle:
            return self.conv(features)
        kernel = self.conv.weight[:, :, middle - reach : middle + reach + 1]
        return functional.conv2d(features, kernel, self.conv.bias, self.conv.stride, (reach, 0))


class GraphTimeUnit(nn.Module):
    """A graph convolution and a temporal convolution, with a residual connection around both."""

    def __init__(
        self, channels_in: int, channels_out: int, stride: int, *, graph: str, dropout: float, trimmed: bool
    ) -> None:
        super().__init__()
        self.gcn1 = GraphConvolution(channels_in, channels_out, graph)
        self.tcn1 = TimeConvolution(channels_out, channels_out, stride=stride, dropout=dropout, trimmed=trimmed)
        self.down1 = (
            TimeConvolution(channels_in, channels_out, taps=1, stride=stride)
            if channels_in != channels_out or stride != 1
            else None
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C out, T / stride, V) of *features* (B, C in, T, V)."""
        shortcut = features if self.down1 is None else self.down1(features)
        return self.tcn1(self.gcn1(features)) + shortcut


class GraphBackbone(nn.Module):
    """Spatio-temporal graph convolutions, from the points of two frames to one feature vector."""

    def __init__(self, *, graph: str, dropout: float, trimmed: bool) -> None:
        super().__init__()
        self.data_bn = nn.BatchNorm1d(3 * NUM_NODES)
        self.backbone = nn.ModuleList(
            GraphTimeUnit(*unit, graph=graph, dropout=dropout, trimmed=trimmed) for unit in UNITS
        )
        self.gcn0 = GraphConvolution(3, UNITS[0][0], graph)
        self.tcn0 = TimeConvolution(UNITS[0][0], UNITS[0][0], trimmed=trimmed)

    def forward(self, points: Tensor) -> Tensor:
        """Return features (B, 256) of *points* (B, 2, V, 3): start and target, in the human-centred frame."""
        batch, num_frames = points.shape[:2]
        flat = self.data_bn(points.flatten(2).transpose(1, 2))
        features = flat.view(batch, NUM_NODES, 3, num_frames).permute(0, 2, 3, 1)
        features = self.tcn0(self.gcn0(features))
        for unit in self.backbone:
            features = unit(features)
        return features.mean(dim=3).flatten(1)


class JointLinear(nn.Module):
    """A separate linear layer for each joint."""

    def __init__(self, num_joints: int, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_joints, channels_out, channels_in))
        self.bias = nn.Parameter(torch.zeros(num_joints, channels_out))
        nn.init.normal_(self.weight, std=(2.0 / channels_in) ** 0.5)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, joints, C out) of *features* (B, joints, C in)."""
        return torch.baddbmm(self.bias[:, None], features.transpose(0, 1), self.weight.transpose(1, 2)).transpose(0, 1)


class JointRegressor(nn.Module):
    """A small perceptron for each joint, from its features to a 6D rotation."""

    def __init__(self, num_joints: int, channels: int) -> None:
        super().__init__()
        first = nn.Sequential(JointLinear(num_joints, channels, channels), nn.ReLU())
        self.layers = nn.ModuleList([first, JointLinear(num_joints, channels, ROT6D)])

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, joints, 6) of *features* (B, joints, C)."""
        for layer in self.layers:
            features = layer(features)
        return features


class ResidualNet(nn.Module):
    """Predicts residual rotations from the start pose, start and target keypoints, and betas.

    Its initial weights predict almost no motion, as suits a residual network.

    Attributes:
        graph: name of the skeleton graph the weights belong to.
        point_names: the solver points it takes: BODY25's.
    """

    point_names = POINT_NAMES

    def __init__(self, graph: str = DEFAULT_GRAPH, *, dropout: float = UNIT_DROPOUT, trimmed: bool = True) -> None:
        """Create the network with initial weights.

        Args:
            graph: "body25", or "published" for the graph of the paper's checkpoint.
            dropout: share of features dropped in each unit while training.
            trimmed: skip the convolution taps that two frames never reach; the outputs are the same.
        """
        super().__init__()
        self.graph = check_graph(graph)
        self.backbone = GraphBackbone(graph=graph, dropout=dropout, trimmed=trimmed)
        self.linear = nn.Sequential(
            nn.Linear(NUM_FEATURES, CHANNELS),
            nn.ReLU(),
            nn.Linear(CHANNELS, CHANNELS * NUM_BODY_ROTATIONS),
        )
        self.regressor = JointRegressor(NUM_BODY_ROTATIONS, CHANNELS)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                assert module.bias is not None
                nn.init.zeros_(module.bias)
        last = self.regressor.layers[1]
        assert isinstance(last, JointLinear)
        nn.init.normal_(last.weight, std=1e-3)
        with torch.no_grad():
            last.bias.copy_(torch.tensor(IDENTITY_6D).expand_as(last.bias))

    @staticmethod
    def inputs_of(examples: Examples) -> tuple[Tensor, ...]:
        """Return the arguments of `forward`; a missing point is replaced by its position in the start pose."""
        target = fill_missing(examples.start_points, examples.target_points, examples.seen)
        return examples.start_points, target, examples.start, examples.known_betas

    def residual(self, points: Tensor, pose_features: Tensor, betas: Tensor) -> Tensor:
        """Return the residual rotations in 6D form (B, 22, 6).

        Args:
            points: (B, 2, 25, 3) start and target keypoints in the human-centred frame.
            pose_features: (B, 69) from `core.network.frame.start_pose_features`.
            betas: (B, 10).
        """
        features = torch.cat([self.backbone(points), pose_features, betas], dim=-1)
        joints = self.linear(features).view(-1, NUM_BODY_ROTATIONS, CHANNELS)
        return self.regressor(joints)

    def forward(self, start_points: Tensor, target_points: Tensor, rotations: Tensor, betas: Tensor) -> Prediction:
        """Predict the pose of *target_points*. The start pose's features are detached.

        Convention: local SMPL rotations; the residual turns in the joint's own axes, ``start @ delta``.

        Args:
            start_points: (B, 25, 3) BODY25 keypoints of the start pose, metres, in any right-handed world axes.
            target_points: (B, 25, 3) BODY25 keypoints to reach, in the same axes.
            rotations: (B, 24, 3, 3) or (B, 22, 3, 3) start pose.
            betas: (B, 10) or (10,).
        """
        axes, origin = human_frame(start_points)
        points = torch.stack([normalised(start_points, axes, origin), normalised(target_points, axes, origin)], dim=1)
        pose_features = start_pose_features(rotations.detach())
        delta_6d = self.residual(points, pose_features, betas.expand(len(points), NUM_BETAS))
        deltas = rot6d_to_matrix(delta_6d.to(rotations.dtype))
        return Prediction(rotations[:, :NUM_BODY_ROTATIONS] @ deltas, deltas, delta_6d, axes, origin)
