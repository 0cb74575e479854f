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

from .examples import Examples, mean_miss

_LAST_SPREAD = 1e-3


class PosePrediction(NamedTuple):
    """What one pass gives.

    Attributes:
        rotations: (B, 22, 3, 3) expected local rotations of the pelvis and 21 body joints.
        log_variances: (B, 22, 3) of the rotation vectors from them to the truth, in each joint's own axes.
    """

    rotations: Tensor
    log_variances: Tensor


class Block(nn.Module):
    """Layer norm, a linear layer, ReLU, dropout, a linear layer; added to what came in."""

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
    """The network. Fresh weights answer the start pose.

    Attributes:
        graph: it has no skeleton graph.
        point_names: the solver points that it reads.
    """

    graph = ""
    point_names = POSE_POINTS

    def __init__(self, *, dropout: float = 0.1) -> None:
        """Make the network with fresh weights; *dropout* is the share of features dropped in each block."""
        super().__init__()
        self.input = nn.Linear(NUM_FEATURES, WIDTH)
        self.blocks = cast("Sequence[Block]", nn.ModuleList(Block(dropout) for _ in range(DEPTH)))
        self.norm = nn.LayerNorm(WIDTH, eps=NORM_EPSILON)
        self.output = nn.Linear(WIDTH, NUM_BODY_ROTATIONS * NUM_ANSWERS)
        nn.init.normal_(self.output.weight, std=_LAST_SPREAD)
        nn.init.zeros_(self.output.bias)

    @staticmethod
    def inputs_of(examples: Examples) -> tuple[Tensor, ...]:
        """Return what `forward` takes: as in the fit, the start is placed where the seen points are in the mean."""
        placed = examples.start_points + mean_miss(examples)
        return (
            examples.start, placed, examples.target_points, examples.seen, examples.told_betas, examples.sigma_m,
        )  # fmt: skip

    def forward(
        self, start: Tensor, start_points: Tensor, points: Tensor, seen: Tensor, betas: Tensor, sigma_m: Tensor
    ) -> PosePrediction:
        """Return the pose that *points* show; arguments as for `core.network.pose_mlp.pose_features`."""
        hidden = self.input(pose_features(start, start_points, points, seen, betas, sigma_m))
        for block in self.blocks:
            hidden = block(hidden)
        return PosePrediction(*answer_of(self.output(self.norm(hidden)), start))

    def stored_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of a weights file: the norms' scales and offsets folded into the layers after them."""
        arrays = {"input": self.input.weight.T, "input_bias": self.input.bias}
        for index, block in enumerate(self.blocks):
            arrays[f"block{index}.widen"], arrays[f"block{index}.widen_bias"] = _folded(block.norm, block.widen)
            arrays[f"block{index}.narrow"] = block.narrow.weight.T
            arrays[f"block{index}.narrow_bias"] = block.narrow.bias
        arrays["output"], arrays["output_bias"] = _folded(self.norm, self.output)
        return {name: array.detach().cpu().numpy().astype(np.float32) for name, array in arrays.items()}

    def load_stored(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take the weights of a weights file, as `stored_arrays` gives them; the norms are left plain."""
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
    """Return the matrix (C in, C out) and the bias (C out,) of *linear* after *norm*, for rows that are only normed."""
    with torch.no_grad():
        return (linear.weight * norm.weight).T, linear.bias + linear.weight @ norm.bias
