"""The learning rate as a function of the step, so that a resumed run has no schedule to restore."""

from __future__ import annotations

import math

from ..config import OptimizerConfig


def learning_rate(config: OptimizerConfig, step: int, *, total_steps: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step.

    Args:
        config: the settings.
        step: optimizer steps done so far.
        total_steps: steps of the whole run.
        steps_per_epoch: steps of one epoch.
    """
    rate = config.learning_rate
    if config.schedule == "cosine":
        share = min(step / max(total_steps, 1), 1.0)
        last = config.final_learning_rate
        rate = last + (rate - last) * (1.0 + math.cos(math.pi * share)) / 2.0
    elif config.schedule == "steps":
        rate *= config.milestone_factor ** sum(step >= epoch * steps_per_epoch for epoch in config.milestones)
    if step < config.warmup_steps:
        rate *= (step + 1) / config.warmup_steps
    return rate
