"""Evaluate on stride pairs: the errors of the predictions and of the untouched start poses. B batch.

All strides are tested on the same targets. The frames before and after each target are also predicted, with the same
stride, for the acceleration error. PVE and MPJPE are computed with the pelvis joints aligned, PVE also with the right
ankles aligned, as published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.io.atomic_files import atomic_path
from core.smpl_skeleton import NUM_BODY_ROTATIONS

from ..data.examples import analytic_examples, clean_examples
from ..data.pairs import PairBatch, PairDataset
from ..data.training_body import TrainingBody, with_hands
from ..network.networks import Network
from ..pictures import draw_pair
from .distributed import Processes
from .metrics import (
    METRICS,
    Accumulator,
    acceleration_error_mm,
    centred,
    joint_angles_deg,
    mesh_errors_mm,
    point_error_mm,
)
from .published import COLUMN

_BATCH = 64
ANALYTIC = "analytic start"
"""The row that matches the network's use in the fit, which computes the start from the target's points."""
UNTOUCHED = ", untouched start"
"""Suffix of the rows that measure the start pose itself: the paper's noise rows."""


@dataclass(frozen=True, eq=False)
class PairTest:
    """The data of a test.

    Attributes:
        dataset: the motions.
        targets: (n,) target frames, all processes together.
        strides: numbers of frames between start and target, one table row each.
        body: the body.
        processes: the processes that share the work.
    """

    dataset: PairDataset
    targets: np.ndarray
    strides: Sequence[int]
    body: TrainingBody
    processes: Processes

    def batches(self) -> Iterator[np.ndarray]:
        """Yield this process's share of the targets, unpadded, in batches (B,)."""
        own = self.targets[self.processes.rank :: self.processes.count]
        for first in range(0, len(own), _BATCH):
            yield own[first : first + _BATCH]


def row_name(stride: int) -> str:
    """Return the name of a stride's row."""
    return f"stride {stride}"


def predict(
    network: Network, batch: PairBatch, body: TrainingBody, *, analytic: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Return predicted, true and start rotations (B, 24, 3, 3) of a batch on the body's device.

    Args:
        network: the network.
        batch: pairs of frames.
        body: the body.
        analytic: use the analytic start, not the pair's own start pose.
    """
    examples = clean_examples(batch, body)
    if analytic:
        examples = analytic_examples(examples, body)
    predicted = network(*network.inputs_of(examples)).rotations
    return with_hands(predicted), examples.true, examples.start


@torch.no_grad()
def evaluate(network: Network, test: PairTest) -> dict[str, dict[str, float]]:
    """Return the table of metrics: for each stride a row of the predictions and one of the untouched start."""
    network.eval()
    names = [row_name(stride) for stride in test.strides]
    names.append(ANALYTIC)
    sums = Accumulator([*names, *(name + UNTOUCHED for name in names)])
    for targets in test.batches():
        frames = (targets[:, None] + np.array([-1, 0, 1])).reshape(-1)
        for name, stride in zip(names, (*test.strides, 0), strict=True):
            batch = test.dataset[(frames - stride, frames)].to(test.body.device)
            predicted, true, start = predict(network, batch, test.body, analytic=name == ANALYTIC)
            _add(sums, name, (predicted, true), batch, test.body)
            _add(sums, name + UNTOUCHED, (start, true), batch, test.body)
    return sums.means(test.processes)


def _add(sums: Accumulator, row: str, rotations: tuple[Tensor, Tensor], batch: PairBatch, body: TrainingBody) -> None:
    """Add the metrics of rotations (3 B, 24, 3, 3), predicted and true, of triples of consecutive frames."""
    betas, trans = batch.betas, batch.target_trans
    joints = [body.joints(one, betas, trans) for one in rotations]
    triples = [positions.unflatten(0, (-1, 3)) for positions in joints]
    middle = slice(1, None, 3)
    vertices = [body.vertices(one[middle], betas[middle], trans[middle]) for one in rotations]
    pelvis_centred = [centred(positions[middle], positions[middle, 0]) for positions in joints]
    angles = joint_angles_deg(*(one[middle, :NUM_BODY_ROTATIONS] for one in rotations))
    metrics = {
        **mesh_errors_mm(vertices, [positions[middle] for positions in joints]),
        "mpjpe_mm": point_error_mm(*pelvis_centred),
        "acceleration_mm_per_frame2": acceleration_error_mm(*triples),
    }
    sums.add(row, metrics, angles)


@torch.no_grad()
def draw_predictions(network: Network, test: PairTest, count: int) -> list[np.ndarray]:
    """Return pictures (H, W, 3) of *count* targets spread evenly over the test, at the largest stride."""
    network.eval()
    if not count:
        return []
    chosen = test.targets[np.linspace(0, len(test.targets) - 1, min(count, len(test.targets))).round().astype(int)]
    batch = test.dataset[(chosen - max(test.strides), chosen)].to(test.body.device)
    shown = []
    for rotations in predict(network, batch, test.body):
        vertices = test.body.vertices(rotations, batch.betas, batch.target_trans)
        roots = test.body.joints(rotations, batch.betas, batch.target_trans)[:, 0]
        shown.append(centred(vertices, roots).cpu().numpy())
    predicted, true, start = shown
    return [draw_pair(*views) for views in zip(predicted, true, start, strict=True)]


def mean_mpve(table: Mapping[str, Mapping[str, float]], *, analytic: bool = False) -> float:
    """Return the mean MPVE over the strides' rows, millimetres, which selects the best checkpoint.

    Args:
        table: the table of metrics.
        analytic: include the row of the analytic start, for a network trained with it.
    """
    rows = [row for row in table if not row.endswith(UNTOUCHED) and (analytic or row != ANALYTIC)]
    return float(np.mean([table[row]["mpve_mm"] for row in rows]))


def table_text(table: Mapping[str, Mapping[str, float]]) -> str:
    """Format the table as text."""
    heads = ("MPVE mm", COLUMN, "PA mm", "MPJPE mm", "angle deg", "accel mm/f2")
    lines = [f"{'':<28}" + "".join(f"{head:>13}" for head in heads) + f"{'pairs':>8}"]
    for row, metrics in table.items():
        values = "".join(f"{metrics[name]:>13.2f}" for name in METRICS)
        lines.append(f"{row:<28}{values}{metrics['pairs']:>8.0f}")
    return "\n".join(lines)


def write_table(path: Path, table: Mapping[str, Mapping[str, float]]) -> None:
    """Write the table, including per-joint angles, as JSON."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(table, indent=1), encoding="utf-8")
