"""Make training examples (network inputs and targets) from pairs of frames. B batch, P points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from core.fit.solver.gauss_newton import Targets
from core.fit.solver.initial_pose import analytic_start

from .augment import Augmentation
from .pairs import PairBatch
from .training_body import TrainingBody, pose_rotations


@dataclass(frozen=True, eq=False)
class Examples:
    """A batch of examples.

    Attributes:
        start: (B, 24, 3, 3) local rotations of the start pose.
        start_points: (B, P, 3) the body's points in the start pose, metres.
        target_points: (B, P, 3) the observed points, metres.
        seen: (B, P) 1 where a point is visible, 0 where it is missing.
        betas: (B, 10) true shape.
        known_betas: (B, 10) the betas given to the network; zeros where they are hidden.
        sigma_m: (B,) standard deviation of the observed points per axis, metres.
        true: (B, 24, 3, 3) local rotations to predict.
        true_points: (B, P, 3) the points without noise, metres.
        trans: (B, 3) translation of the target, metres.
    """

    start: Tensor
    start_points: Tensor
    target_points: Tensor
    seen: Tensor
    betas: Tensor
    known_betas: Tensor
    sigma_m: Tensor
    true: Tensor
    true_points: Tensor
    trans: Tensor


Predict = Callable[[Examples], Tensor]
"""Maps examples to predicted local rotations (B, 24, 3, 3)."""


def clean_examples(batch: PairBatch, body: TrainingBody) -> Examples:
    """Return examples without augmentation: all points visible and noise-free, starting from the pair's start pose."""
    start, true = pose_rotations(batch.start_poses), pose_rotations(batch.target_poses)
    points = body.keypoints(true, batch.betas, batch.target_trans)
    start_points = body.keypoints(start, batch.betas, batch.start_trans)
    seen, sigma_m = torch.ones_like(points[..., 0]), torch.zeros_like(batch.target_trans[:, 0])
    betas = batch.betas
    return Examples(start, start_points, points, seen, betas, betas, sigma_m, true, points, batch.target_trans)


def select(examples: Examples, chosen: Tensor) -> Examples:
    """Return the examples at the indices *chosen* (n,)."""
    return Examples(*(getattr(examples, field.name)[chosen] for field in fields(Examples)))


def with_start(examples: Examples, start: Tensor, trans: Tensor, body: TrainingBody) -> Examples:
    """Return *examples* with the start pose *start* (B, 24, 3, 3) at *trans* (B, 3), metres."""
    return replace(examples, start=start, start_points=body.keypoints(start, examples.betas, trans))


def analytic_examples(examples: Examples, body: TrainingBody) -> Examples:
    """Return *examples* that start from the analytic initial pose, as in a fit without a given pose."""
    targets = Targets(examples.target_points, examples.seen)
    start, trans = analytic_start(body.point_names, body.shaped(examples.betas), targets)
    return with_start(examples, start, trans, body)


def mean_offset(examples: Examples) -> Tensor:
    """Return the mean offset (B, 1, 3) of the visible target points from the start points, metres."""
    seen = examples.seen[..., None]
    offset = (seen * (examples.target_points - examples.start_points)).sum(dim=1, keepdim=True)
    return offset / seen.sum(dim=1, keepdim=True)


def self_started_examples(examples: Examples, body: TrainingBody, predict: Predict) -> Examples:
    """Return *examples* that start from the network's own predictions, translated to the mean of the visible points."""
    moved = with_start(examples, predict(examples), torch.zeros_like(examples.trans), body)
    return replace(moved, start_points=moved.start_points + mean_offset(moved))


@torch.no_grad()
def training_examples(batch: PairBatch, body: TrainingBody, augmentation: Augmentation, predict: Predict) -> Examples:
    """Return augmented examples to train on, drawn with torch's own generator.

    Args:
        batch: pairs of frames.
        body: the body.
        augmentation: the augmentation of the pairs.
        predict: the network being trained, whose predictions also serve as starts.
    """
    config = augmentation.config
    batch = augmentation.augment_motion(batch)
    examples = clean_examples(replace(batch, start_poses=augmentation.disturb_starts(batch.start_poses)), body)
    points, seen, sigma_m = augmentation.disturb_points(examples.true_points)
    known_betas = augmentation.hide_betas(examples.betas, known=not body.is_perturbed)
    examples = replace(examples, target_points=points, seen=seen, sigma_m=sigma_m, known_betas=known_betas)
    analytic_chosen, own_chosen = (
        torch.nonzero(torch.rand(len(seen), device=seen.device) < share)[:, 0]
        for share in (config.analytic_start, config.own_start)
    )
    if len(analytic_chosen):
        examples = _with_starts(examples, analytic_chosen, analytic_examples(select(examples, analytic_chosen), body))
    if len(own_chosen):
        examples = _with_starts(
            examples, own_chosen, self_started_examples(select(examples, own_chosen), body, predict)
        )
    return examples


def _with_starts(examples: Examples, chosen: Tensor, others: Examples) -> Examples:
    """Return *examples* with those at the indices *chosen* (n,) starting as *others*."""
    return replace(
        examples,
        start=examples.start.index_copy(0, chosen, others.start),
        start_points=examples.start_points.index_copy(0, chosen, others.start_points),
    )
