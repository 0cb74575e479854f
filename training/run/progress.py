"""Convert a checkpoint's progress to the run that resumes it, and compare their settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ..config import RunConfig, config_from_dict
from ..network.checkpoints import Checkpoint, CheckpointError

_NEUTRAL_SETTINGS = ("data.cache", "data.folder", "body.path", "body.engine")
"""Settings of data and body that do not change what is evaluated."""


@dataclass(frozen=True)
class Progress:
    """The progress of a run.

    Attributes:
        step: optimizer steps done, converted to the run's steps per epoch.
        epochs_finished: epochs completed, including their evaluation.
        best_mpve_mm: smallest mean MPVE so far; infinite if the test data changed.
        seed_changed: whether the runs' seeds differ.
    """

    step: int
    epochs_finished: int
    best_mpve_mm: float
    seed_changed: bool


def _checkpoint_settings(checkpoint: Checkpoint, where: str = "the checkpoint") -> dict[str, object]:
    """Return a checkpoint's settings by dotted key, with defaults for those it does not have."""
    return _flat(config_from_dict(checkpoint.config, where))


def _flat(config: RunConfig) -> dict[str, object]:
    return {f"{section}.{name}": value for section, part in config.to_dict().items() for name, value in part.items()}


def _changed(checkpoint: Checkpoint, config: RunConfig) -> dict[str, tuple[object, object]]:
    before, now = _checkpoint_settings(checkpoint), _flat(config)
    return {key: (before[key], now[key]) for key in now if before[key] != now[key]}


def changed_settings(checkpoint: Checkpoint, config: RunConfig) -> list[str]:
    """Return a line for each setting that differs from the checkpoint's."""
    return [f"{key}: {before!r} -> {now!r}" for key, (before, now) in _changed(checkpoint, config).items()]


def check_resumable(checkpoint: Checkpoint, config: RunConfig, body: str, path: Path | str) -> None:
    """Check that a run with *config* on *body* can resume *checkpoint*.

    Raises:
        CheckpointError: the checkpoint has only weights, or is of another network, body or optimizer.
    """
    if not checkpoint.training:
        raise CheckpointError(f"expected a checkpoint to resume, found only weights in {path}; use --finetune")
    checkpoint.check_network(config.model.architecture, config.model.graph, path)
    if checkpoint.body != body:
        raise CheckpointError(
            f"expected a run on the body {body!r}, found one on {checkpoint.body!r} in {path}; give that body as "
            "body.path, or use --finetune"
        )
    algorithm = _checkpoint_settings(checkpoint, str(path))["optimizer.algorithm"]
    if algorithm != config.optimizer.algorithm:
        raise CheckpointError(
            f"expected the optimizer {config.optimizer.algorithm!r}, found the state of {algorithm!r} in {path}; use "
            f"--set optimizer.algorithm={algorithm}, or --finetune"
        )


def progress_of(checkpoint: Checkpoint, config: RunConfig, steps_per_epoch: int, path: Path | str) -> Progress:
    """Return the progress of *checkpoint*, converted to a run with *config* and *steps_per_epoch*.

    Raises:
        CheckpointError: it has done more epochs than *config* sets.
    """
    training, changed = checkpoint.training, _changed(checkpoint, config)
    # Checkpoints up to version 1.0 do not state the steps per epoch.
    epochs = max(int(checkpoint.config["training"]["epochs"]), 1)
    before = int(training.get("steps_per_epoch", 0)) or max(training["total_steps"] // epochs, 1)
    step = round(training["step"] * steps_per_epoch / before)
    if step > config.training.epochs * steps_per_epoch:
        raise CheckpointError(
            f"expected more than the {training['step'] / before:g} epochs that {path} has done, got "
            f"{config.training.epochs}; give --epochs"
        )
    same_test = not any(key.startswith(("data.", "body.")) and key not in _NEUTRAL_SETTINGS for key in changed)
    return Progress(
        step,
        int(training.get("epochs_finished", training["step"] // before)),
        float(training["best_mpve_mm"]) if same_test else math.inf,
        "training.seed" in changed,
    )
