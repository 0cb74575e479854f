"""Convert a checkpoint, this project's or the published one, to a weights file for `core.network`.

    python -m training.convert_checkpoint CHECKPOINT -o OUT.npz [--precision float16] [--data TEXT]

The weights are folded (see core/network/folding.py; for the pose network, only the layer norms' scales and offsets).
The stored network's outputs are compared with the checkpoint's on the free body in random poses, and the difference is
reported; if it is too large, no file is written.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.body.free_body import load_free_body
from core.body.keypoints import KeypointModel
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.cli.exit_codes import exit_code_of
from core.errors import CoreError
from core.io.own_files import OVERWRITE_HELP
from core.math.rotations import axis_angle_to_matrix
from core.network.architecture import NUM_BETAS
from core.network.folding import fold
from core.network.graph import LINKS
from core.network.pose_mlp import PoseNetwork
from core.network.residual import ResidualNetwork
from core.network.weights import PRECISIONS, NetworkInfo, NetworkWeights, write_weights
from core.smpl_skeleton import NUM_BODY_ROTATIONS, NUM_JOINTS

from .data.training_body import POINT_NAMES
from .network.checkpoints import Checkpoint, load_checkpoint
from .network.networks import Network, network_of
from .network.pose_mlp import PoseMlp
from .outputs import check_files
from .run.metrics import ANGLE_METRICS

LARGEST_ERROR_DEG = 1.0
"""Largest rotation difference of any joint from the checkpoint's network at which a file is written."""
_NUM_POSES = 256
_POSE_STD_RAD = 0.3
_MOTION_STD_RAD = 0.1


class ConversionError(CoreError, ValueError):
    """A checkpoint's weights cannot be stored faithfully."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs of a pass through the network.

    Attributes:
        start_points: (N, P, 3) metres.
        target_points: (N, P, 3) metres.
        rotations: (N, 24, 3, 3) local rotations of the start pose.
        betas: (N, 10) shape.
    """

    start_points: np.ndarray
    target_points: np.ndarray
    rotations: np.ndarray
    betas: np.ndarray


def draw_samples(num_samples: int, *, seed: int = 0, point_names: Sequence[str] = POINT_NAMES) -> Samples:
    """Draw random poses on the free body, each with a small motion to predict, from *seed*."""
    generator = np.random.default_rng(seed)
    body = load_free_body()
    model = KeypointModel(BodyModel(body), landmark_regressor(body, tuple(point_names)))
    turns = np.zeros((2, num_samples, NUM_JOINTS, 3), dtype=np.float32)
    turns[:, :, :NUM_BODY_ROTATIONS] = generator.normal(size=(2, num_samples, NUM_BODY_ROTATIONS, 3))
    rotations = axis_angle_to_matrix(turns[0] * _POSE_STD_RAD)
    moved = rotations @ axis_angle_to_matrix(turns[1] * _MOTION_STD_RAD)
    betas = generator.normal(size=NUM_BETAS).astype(np.float32)
    keypoints = model.shaped(betas)
    trans = np.zeros((num_samples, 3), dtype=np.float32)
    betas = np.broadcast_to(betas, (num_samples, NUM_BETAS))
    return Samples(keypoints.points(rotations, trans), keypoints.points(moved, trans), rotations, betas)


def rotation_errors_deg(network: Network, weights: NetworkWeights, samples: Samples) -> np.ndarray:
    """Return the angles (N, 22), degrees, between the outputs of *weights* and *network* in evaluation mode."""
    network.eval()
    fields: tuple[np.ndarray, ...]
    if isinstance(network, PoseMlp):
        seen, sigma_m = np.ones_like(samples.target_points[..., 0]), np.zeros_like(samples.target_points[:, 0, 0])
        fields = samples.rotations, samples.start_points, samples.target_points, seen, samples.betas, sigma_m
        predicted = PoseNetwork(weights).predict(*fields)[0]
    else:
        fields = samples.start_points, samples.target_points, samples.rotations, samples.betas
        predicted = ResidualNetwork(weights).predict(*fields)[:, :NUM_BODY_ROTATIONS]
    with torch.no_grad():
        expected = network(*(torch.tensor(array) for array in fields)).rotations.numpy().astype(np.float64)
    chord = np.sqrt(((predicted.astype(np.float64) - expected) ** 2).sum(axis=(-1, -2)))
    return np.degrees(2.0 * np.arcsin(np.clip(chord / (2.0 * math.sqrt(2.0)), 0.0, 1.0)))


def load_network(path: Path, graph: str = "") -> tuple[Network, Checkpoint]:
    """Load a checkpoint; return its network and the checkpoint.

    Args:
        path: the checkpoint.
        graph: skeleton graph of the weights; if empty, the checkpoint's own.

    Raises:
        CoreError: the file does not exist, or is not a checkpoint of this project's or the paper's network.
    """
    checkpoint = load_checkpoint(path)
    return network_of(checkpoint, path, graph), checkpoint


def fold_network(network: Network, info: NetworkInfo) -> NetworkWeights:
    """Return the folded weights of *network* as stored, float32."""
    if isinstance(network, PoseMlp):
        return NetworkWeights(network.stored_arrays(), info)
    state = {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}
    folded = fold(state, network.graph)
    return NetworkWeights({name: array.astype(np.float32) for name, array in folded.items()}, info)


def describe(network: Network, checkpoint: Checkpoint, options: argparse.Namespace) -> NetworkInfo:
    """Return the description of the weights, from the checkpoint and the user's options."""
    published = not checkpoint.config
    data = "AMASS, as published" if published else str(checkpoint.config.get("data", {}).get("dataset", "unknown"))
    source = "published checkpoint" if published else "checkpoint of this project"
    return NetworkInfo(
        graph=network.graph,
        body=options.body or ("smpl" if published else checkpoint.body),
        training_data=options.data or data,
        metrics=_flat_metrics(checkpoint.metrics) | dict(options.metric),
        source=f"{source} {options.checkpoint.name}",
        architecture=checkpoint.architecture,
    )


def _flat_metrics(metrics: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Flatten nested *metrics* to finite numbers with dotted names, without the per-joint values."""
    flat: dict[str, float] = {}
    for name, value in metrics.items():
        if name in ANGLE_METRICS:
            continue
        if isinstance(value, dict):
            flat |= _flat_metrics(value, f"{prefix}{name}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            flat[f"{prefix}{name}"] = float(value)
    return flat


def convert(options: argparse.Namespace) -> str:
    """Convert a checkpoint according to *options*; return the summary to print."""
    check_files(
        {"the weights": options.output},
        {"the checkpoint": options.checkpoint},
        own_data=False,
        overwrite=options.overwrite,
    )
    network, checkpoint = load_network(options.checkpoint, options.graph)
    weights = fold_network(network, describe(network, checkpoint, options))
    stored = weights.as_stored(options.precision)
    is_finite = all(np.isfinite(array).all() for array in stored.arrays.values())
    errors = (
        rotation_errors_deg(network, stored, draw_samples(_NUM_POSES, point_names=network.point_names))
        if is_finite
        else np.full(1, np.inf)
    )
    if not errors.max() <= LARGEST_ERROR_DEG:
        raise ConversionError(
            f"expected weights that {options.precision} can store, found outputs up to {errors.max():.3g} degrees off "
            f"after storing those of {options.checkpoint}; convert with --precision float32"
        )
    flat = {"storage_error_mean_deg": float(errors.mean()), "storage_error_max_deg": float(errors.max())}
    info = NetworkInfo(**{**vars(weights.info), "metrics": {**weights.info.metrics, **flat}})
    write_weights(options.output, NetworkWeights(weights.arrays, info), precision=options.precision)
    return (
        f"wrote {options.output}: {options.output.stat().st_size / 1e6:.1f} MB, {options.precision}, "
        f"{info.architecture}{f', graph {info.graph}' if info.graph else ''}, body {info.body}\n"
        f"against the checkpoint on {len(errors)} poses: mean {errors.mean():.2g}, largest {errors.max():.2g} degrees"
    )


def _metric(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    if not name or not equals or not math.isfinite(float(value)):
        raise ValueError(text)
    return name, float(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.convert_checkpoint", description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="published best_ckpt.pth.tar, or a checkpoint of this project")
    parser.add_argument("-o", "--output", type=Path, required=True, help="weights file to write (.npz)")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="how numbers are stored")
    parser.add_argument("--graph", choices=tuple(LINKS), default="", help="skeleton graph (default: the checkpoint's)")
    parser.add_argument("--body", default="", help="body the network was trained on (default: the checkpoint's)")
    parser.add_argument("--data", default="", help="description of the training data")
    parser.add_argument(
        "--metric", type=_metric, action="append", default=[], metavar="NAME=VALUE", help="metric to store in the file"
    )
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: print(convert(options)))


if __name__ == "__main__":
    sys.exit(main())
