"""How far a checkpoint's run has come, in the units of the run that goes on from it, and what differs between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ..config import RunConfig, config_from_dict
from ..network.checkpoints import Checkpoint, CheckpointError

_ELSEWHERE = ("data.cache", "data.folder", "body.path", "body.engine")
"""Settings of data and body that do not change what is evaluated."""


@dataclass(frozen=True)
class Progress:
    """The progress of a run.

    Attributes:
        step: optimizer steps done; at another batch size or amount of data, so that as much of the epoch is done.
        epochs_finished: epochs after which the run has been evaluated.
        best_mpve_mm: smallest mean MPVE so far; infinite if it was measured on other data.
        other_seed: whether the seed is another one.
    """

    step: int
    epochs_finished: int
    best_mpve_mm: float
    other_seed: bool


def _stored(checkpoint: Checkpoint, where: str = "the checkpoint") -> dict[str, object]:
    """Return a checkpoint's settings by dotted key; those that it is too old for have their defaults."""
    return _flat(config_from_dict(checkpoint.config, where))


def _flat(config: RunConfig) -> dict[str, object]:
    return {f"{section}.{name}": value for section, part in config.to_dict().items() for name, value in part.items()}


def _changed(checkpoint: Checkpoint, config: RunConfig) -> dict[str, tuple[object, object]]:
    before, now = _stored(checkpoint), _flat(config)
    return {key: (before[key], now[key]) for key in now if before[key] != now[key]}


def changed_settings(checkpoint: Checkpoint, config: RunConfig) -> list[str]:
    """Return a line for each setting that differs from the checkpoint's."""
    return [f"{key}: {before!r} -> {now!r}" for key, (before, now) in _changed(checkpoint, config).items()]


def check_resumable(checkpoint: Checkpoint, config: RunConfig, body: str, path: Path | str) -> None:
    """Check that a run with *config* on *body* can go on from *checkpoint*.

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
    algorithm = _stored(checkpoint, str(path))["optimizer.algorithm"]
    if algorithm != config.optimizer.algorithm:
        raise CheckpointError(
            f"expected the optimizer {config.optimizer.algorithm!r}, found the state of {algorithm!r} in {path}; use "
            f"--set optimizer.algorithm={algorithm}, or --finetune"
        )


def progress_of(checkpoint: Checkpoint, config: RunConfig, steps_per_epoch: int, path: Path | str) -> Progress:
    """Return the progress of *checkpoint* in a run with *config* and *steps_per_epoch*.

    Raises:
        CheckpointError: it has done more epochs than the run is to have.
    """
    training, changed = checkpoint.training, _changed(checkpoint, config)
    # Checkpoints of version 1.0 and before do not state the steps of an epoch.
    epochs = max(int(checkpoint.config["training"]["epochs"]), 1)
    before = int(training.get("steps_per_epoch", 0)) or max(training["total_steps"] // epochs, 1)
    step = round(training["step"] * steps_per_epoch / before)
    if step > config.training.epochs * steps_per_epoch:
        raise CheckpointError(
            f"expected more than the {training['step'] / before:g} epochs that {path} has done, got "
            f"{config.training.epochs}; give --epochs"
        )
    same_test = not any(key.startswith(("data.", "body.")) and key not in _ELSEWHERE for key in changed)
    return Progress(
        step,
        int(training.get("epochs_finished", training["step"] // before)),
        float(training["best_mpve_mm"]) if same_test else math.inf,
        "training.seed" in changed,
    )
