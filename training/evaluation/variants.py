"""Variants of a training run to compare: read from YAML and trained with the same budget.

Trained variants are kept, and interrupted ones resume from their last checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputMissingError
from core.io.atomic_files import atomic_path

from ..config import ConfigError, RunConfig, parse_yaml, read_config
from ..network.checkpoints import CheckpointError, load_checkpoint
from ..run.distributed import Processes
from ..run.run_log import RunLog
from ..run.trainer import CHECKPOINT_FOLDER, LAST_NAME, Trainer

EVALUATION_NAME = "evaluation.json"
_GROUP_KEYS = ("config", "settings", "variants")


@dataclass(frozen=True)
class Variant:
    """One variant.

    Attributes:
        group: group of variants to compare.
        name: name within the group.
        config: settings of the run.
    """

    group: str
    name: str
    config: RunConfig

    @property
    def checkpoint(self) -> Path:
        """File of the weights after training, or so far."""
        return self.config.run_folder / CHECKPOINT_FOLDER / LAST_NAME

    @property
    def evaluation(self) -> Path:
        """File of the network's metrics on the test pairs after training."""
        return self.config.run_folder / EVALUATION_NAME


def read_variants(path: Path, settings: Mapping[str, object]) -> list[Variant]:
    """Read the variants listed in a YAML file.

    Args:
        path: groups by name, each with ``config`` (a settings file, relative to this one), ``settings`` (overrides for
            the whole group, by dotted key) and ``variants`` (each variant's overrides, by name).
        settings: overrides for all variants, by dotted key, applied last.

    Raises:
        InputMissingError: the file does not exist.
        ConfigError: the file has another structure, or a setting is unknown or invalid.
    """
    if not path.is_file():
        raise InputMissingError(
            f"expected a YAML file of variants, found no file at {path}; see training/configs/variants"
        )
    groups = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    variants = []
    for group, group_settings in _named(groups, f"groups of variants in {path}").items():
        parts = _named(group_settings, f"{', '.join(_GROUP_KEYS)} of the group {group!r} in {path}")
        if set(parts) != set(_GROUP_KEYS):
            raise ConfigError(
                f"expected {', '.join(_GROUP_KEYS)} in the group {group!r} of {path}, found {', '.join(parts)}"
            )
        shared = read_config(path.parent / str(parts["config"]))
        shared = shared.overridden(_named(parts["settings"], f"settings of the group {group!r} in {path}"))
        for name, changes in _named(parts["variants"], f"variants of the group {group!r} in {path}").items():
            overrides = _named(changes, f"settings of the variant {name!r} in {path}")
            run = {"model.name": group, "output.extra_tag": name}
            variants.append(Variant(group, name, shared.overridden({**overrides, **settings, **run})))
    return variants


def _named(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise ConfigError(f"expected {what} by name, got {str(value)[:80]!r}")
    return value


def is_trained(variant: Variant) -> bool:
    """Return whether a variant has been trained and evaluated.

    Raises:
        CheckpointError: the run in its folder was trained with other settings.
    """
    if not (variant.checkpoint.is_file() and variant.evaluation.is_file()):
        return False
    _check_settings(variant, variant.checkpoint)
    return True


def train(variant: Variant, processes: Processes) -> None:
    """Train a variant to the end, resuming it if it was interrupted, and evaluate it on the test pairs.

    Raises:
        CoreError: data and settings do not match, or its folder contains a run with other settings.
    """
    folder = variant.config.run_folder
    log = RunLog(folder, tensorboard=variant.config.output.tensorboard)
    try:
        trainer = Trainer(variant.config, processes, log)
        if variant.checkpoint.is_file():
            _check_settings(variant, variant.checkpoint)
            trainer.resume(variant.checkpoint)
        if not trainer.train():
            raise KeyboardInterrupt
        trainer.test()
    finally:
        log.close()


def _check_settings(variant: Variant, checkpoint: Path) -> None:
    """Raise `CheckpointError` if *checkpoint* was trained with different settings."""
    found, expected = load_checkpoint(checkpoint).config, variant.config.to_dict()
    differing = sorted(
        f"{section}.{name}"
        for section in expected
        if section != "output"
        for name, value in expected[section].items()
        if (section, name) != ("data", "cache") and found.get(section, {}).get(name) != value
    )
    if differing:
        raise CheckpointError(
            f"expected a run with the settings of the variant {variant.name!r} in {variant.config.run_folder}, found "
            f"one with different {', '.join(differing)}; choose another --log_dir or delete that folder"
        )


def read_metrics(variant: Variant) -> dict[str, dict[str, Any]]:
    """Read a trained variant's metrics on the test pairs, by row."""
    table: dict[str, dict[str, Any]] = json.loads(variant.evaluation.read_text(encoding="utf-8"))
    return table


def write_metrics(path: Path, metrics: Mapping[str, Any]) -> None:
    """Write *metrics* as JSON, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(metrics, indent=1), encoding="utf-8")
