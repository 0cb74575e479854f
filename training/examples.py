"""Examples: what a network reads and what it should answer, made of pairs of frames. B batch, P points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from core.fit.solver.gauss_newton import Targets
from core.fit.solver.initial_pose import analytic_start

from .augment import Augmentation
from .data.pairs import PairBatch
from .training_body import ShownBody, pose_rotations


@dataclass(frozen=True, eq=False)
class Examples:
    """A batch of examples.

    Attributes:
        start: (B, 24, 3, 3) local rotations to begin from.
        start_points: (B, P, 3) the body's points in the start pose, metres.
        target_points: (B, P, 3) the points as they are seen, metres.
        seen: (B, P) 1 where a point is seen, 0 where it is missing.
        betas: (B, 10).
        told_betas: (B, 10) the same as far as the network is told them, else zeros.
        sigma_m: (B,) noise of the seen points per axis.
        true: (B, 24, 3, 3) local rotations to be found.
        true_points: (B, P, 3) where the points really are, metres.
        trans: (B, 3) where the target is, metres.
    """

    start: Tensor
    start_points: Tensor
    target_points: Tensor
    seen: Tensor
    betas: Tensor
    told_betas: Tensor
    sigma_m: Tensor
    true: Tensor
    true_points: Tensor
    trans: Tensor


Predict = Callable[[Examples], Tensor]
"""From examples to predicted local rotations (B, 24, 3, 3)."""


def clean_examples(batch: PairBatch, body: ShownBody) -> Examples:
    """Return examples of pairs as they are: every point seen, without noise, from the true start pose."""
    start, true = pose_rotations(batch.start_poses), pose_rotations(batch.target_poses)
    points = body.keypoints(true, batch.betas, batch.target_trans)
    start_points = body.keypoints(start, batch.betas, batch.start_trans)
    seen, sigma_m = torch.ones_like(points[..., 0]), torch.zeros_like(batch.target_trans[:, 0])
    betas = batch.betas
    return Examples(start, start_points, points, seen, betas, betas, sigma_m, true, points, batch.target_trans)


def some(examples: Examples, chosen: Tensor) -> Examples:
    """Return the examples with the indices *chosen* (n,)."""
    return Examples(*(getattr(examples, field.name)[chosen] for field in fields(Examples)))


def from_start(examples: Examples, start: Tensor, trans: Tensor, body: ShownBody) -> Examples:
    """Return *examples* that begin from *start* (B, 24, 3, 3) at *trans* (B, 3), metres."""
    return replace(examples, start=start, start_points=body.keypoints(start, examples.betas, trans))


def analytic_examples(examples: Examples, body: ShownBody) -> Examples:
    """Return *examples* that begin from `core.fit.solver.initial_pose`, as in a fit without a pose."""
    targets = Targets(examples.target_points, examples.seen)
    start, trans = analytic_start(body.point_names, body.shaped(examples.betas), targets)
    return from_start(examples, start, trans, body)


def mean_miss(examples: Examples) -> Tensor:
    """Return how far (B, 1, 3) the seen points lie from the start's in the mean, metres."""
    seen = examples.seen[..., None]
    off = (seen * (examples.target_points - examples.start_points)).sum(dim=1, keepdim=True)
    return off / seen.sum(dim=1, keepdim=True)


def own_examples(examples: Examples, body: ShownBody, predict: Predict) -> Examples:
    """Return *examples* that begin from the network's own answers, placed where the seen points are in the mean."""
    moved = from_start(examples, predict(examples), torch.zeros_like(examples.trans), body)
    return replace(moved, start_points=moved.start_points + mean_miss(moved))


@torch.no_grad()
def training_examples(batch: PairBatch, body: ShownBody, augmentation: Augmentation, predict: Predict) -> Examples:
    """Return examples to train on, drawn with torch's own generator.

    Args:
        batch: pairs of frames.
        body: the body.
        augmentation: what is done to them.
        predict: the network itself, whose answers are starts too.
    """
    config = augmentation.config
    batch = augmentation.of_motion(batch)
    examples = clean_examples(replace(batch, start_poses=augmentation.of_start(batch.start_poses)), body)
    points, seen, sigma_m = augmentation.of_points(examples.true_points)
    told = augmentation.of_betas(examples.betas, known=not body.is_other)
    examples = replace(examples, target_points=points, seen=seen, sigma_m=sigma_m, told_betas=told)
    analytic, own = (
        torch.nonzero(torch.rand(len(seen), device=seen.device) < share)[:, 0]
        for share in (config.analytic_start, config.own_start)
    )
    if len(analytic):
        examples = _with_starts(examples, analytic, analytic_examples(some(examples, analytic), body))
    if len(own):
        examples = _with_starts(examples, own, own_examples(some(examples, own), body, predict))
    return examples


def _with_starts(examples: Examples, chosen: Tensor, others: Examples) -> Examples:
    """Return *examples* of which those *chosen* (n,) begin as *others* do."""
    return replace(
        examples,
        start=examples.start.index_copy(0, chosen, others.start),
        start_points=examples.start_points.index_copy(0, chosen, others.start_points),
    )
