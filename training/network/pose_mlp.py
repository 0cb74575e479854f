"""The pose network of `core.network.pose_mlp` as a torch module. B batch, P points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from core.network.pose_architecture import DEPTH, NORM_EPSILON, NUM_ANSWERS, NUM_FEATURES, POSE_POINTS, WIDTH
from core.network.pose_mlp import answer_of, pose_features
from core.smpl_skeleton import NUM_BODY_ROTATIONS

from ..data.examples import Examples, mean_offset

_OUTPUT_STD = 1e-3


class PosePrediction(NamedTuple):
    """Output of one pass.

    Attributes:
        rotations: (B, 22, 3, 3) expected local rotations of the pelvis and 21 body joints.
        log_variances: (B, 22, 3) of the rotation vectors from expected to true rotation, in the joint's axes.
    """

    rotations: Tensor
    log_variances: Tensor


class Block(nn.Module):
    """A residual block: layer norm, linear layer, ReLU, dropout, linear layer."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH, eps=NORM_EPSILON)
        self.widen = nn.Linear(WIDTH, WIDTH)
        self.narrow = nn.Linear(WIDTH, WIDTH)
        self.dropout = dropout

    def forward(self, hidden: Tensor) -> Tensor:
        """Return (B, C) of *hidden* (B, C)."""
        wide = functional.relu(self.widen(self.norm(hidden)))
        added: Tensor = self.narrow(functional.dropout(wide, self.dropout, self.training))
        return hidden + added


class PoseMlp(nn.Module):
    """The network; its initial weights predict the start pose.

    Attributes:
        graph: empty; it has no skeleton graph.
        point_names: the solver points it takes.
    """

    graph = ""
    point_names = POSE_POINTS

    def __init__(self, *, dropout: float = 0.1) -> None:
        """Create the network with initial weights; *dropout* is the share of features dropped in each block."""
        super().__init__()
        self.input = nn.Linear(NUM_FEATURES, WIDTH)
        self.blocks = cast("Sequence[Block]", nn.ModuleList(Block(dropout) for _ in range(DEPTH)))
        self.norm = nn.LayerNorm(WIDTH, eps=NORM_EPSILON)
        self.output = nn.Linear(WIDTH, NUM_BODY_ROTATIONS * NUM_ANSWERS)
        nn.init.normal_(self.output.weight, std=_OUTPUT_STD)
        nn.init.zeros_(self.output.bias)

    @staticmethod
    def inputs_of(examples: Examples) -> tuple[Tensor, ...]:
        """Return the arguments of `forward`; as in the fit, the start is moved to the visible points' mean position."""
        placed = examples.start_points + mean_offset(examples)
        return (
            examples.start, placed, examples.target_points, examples.seen, examples.known_betas, examples.sigma_m,
        )  # fmt: skip

    def forward(
        self, start: Tensor, start_points: Tensor, points: Tensor, seen: Tensor, betas: Tensor, sigma_m: Tensor
    ) -> PosePrediction:
        """Predict the pose of *points*; arguments as for `core.network.pose_mlp.pose_features`."""
        hidden = self.input(pose_features(start, start_points, points, seen, betas, sigma_m))
        for block in self.blocks:
            hidden = block(hidden)
        return PosePrediction(*answer_of(self.output(self.norm(hidden)), start))

    def stored_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of a weights file, with the norms' scales and offsets folded into the next layers."""
        arrays = {"input": self.input.weight.T, "input_bias": self.input.bias}
        for index, block in enumerate(self.blocks):
            arrays[f"block{index}.widen"], arrays[f"block{index}.widen_bias"] = _folded(block.norm, block.widen)
            arrays[f"block{index}.narrow"] = block.narrow.weight.T
            arrays[f"block{index}.narrow_bias"] = block.narrow.bias
        arrays["output"], arrays["output_bias"] = _folded(self.norm, self.output)
        return {name: array.detach().cpu().numpy().astype(np.float32) for name, array in arrays.items()}

    def load_stored(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Load the arrays of a weights file, as from `stored_arrays`; the norms' scales become 1 and offsets 0."""
        stored: list[tuple[str, nn.Linear]] = [("input", self.input), ("output", self.output)]
        for index, block in enumerate(self.blocks):
            stored += [(f"block{index}.widen", block.widen), (f"block{index}.narrow", block.narrow)]
        with torch.no_grad():
            for norm in (*(block.norm for block in self.blocks), self.norm):
                norm.weight.fill_(1.0)
                norm.bias.zero_()
            for name, linear in stored:
                linear.weight.copy_(torch.from_numpy(arrays[name].T))
                linear.bias.copy_(torch.from_numpy(arrays[f"{name}_bias"]))


def _folded(norm: nn.LayerNorm, linear: nn.Linear) -> tuple[Tensor, Tensor]:
    """Fold *norm*'s scale and offset into *linear*: return its matrix (C in, C out) and bias (C out,)."""
    with torch.no_grad():
        return (linear.weight * norm.weight).T, linear.bias + linear.weight @ norm.bias
