"""Command line of `training.main`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from core.cli.exit_codes import exit_code_of
from core.errors import OutputError
from core.io.atomic_files import atomic_path
from core.io.protected_files import check_outputs

from ..config import ConfigError, RunConfig, config_from_dict, read_config
from ..outputs import run_files
from .distributed import Processes, joined_processes
from .run_log import RunLog
from .trainer import Trainer

DEFAULT_CONFIG = Path(__file__).parents[1] / "configs" / "net.yaml"

_OPTION_KEYS = {
    "extra_tag": "output.extra_tag",
    "log_dir": "output.log_dir",
    "batch_size": "training.batch_size",
    "epochs": "training.epochs",
    "seed": "training.seed",
    "worker": "training.workers",
    "device": "training.device",
}
"""The settings that have their own command-line options."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="training/main.py", description="Train the residual network, or evaluate a checkpoint."
    )
    parser.add_argument("--config", type=Path, metavar="FILE.yaml", default=DEFAULT_CONFIG, help="settings")
    parser.add_argument("--extra_tag", metavar="TAG", help="last part of the run folder's name")
    parser.add_argument("--log_dir", metavar="FOLDER", help="folder for all runs")
    parser.add_argument("--batch_size", type=int, metavar="B", help="pairs per step, over all processes")
    parser.add_argument("--epochs", type=int, metavar="E")
    parser.add_argument("--seed", type=int, metavar="S")
    parser.add_argument("--worker", type=int, metavar="W", help="data-loading processes per training process")
    parser.add_argument("--device", metavar="NAME", help="auto, cpu, cuda or mps")
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="checkpoint to resume; see also --finetune and --eval"
    )
    parser.add_argument(
        "--finetune", action="store_true", help="load only the checkpoint's weights and start a new run"
    )
    parser.add_argument("--overwrite", action="store_true", help="begin anew in a folder that has a run's checkpoints")
    parser.add_argument("--eval", action="store_true", help="evaluate the checkpoint on the test pairs; do not train")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.NAME=VALUE",
        help="override any other setting; may be repeated",
    )
    return parser


def parse_overrides(pairs: Sequence[str]) -> dict[str, str]:
    """Parse ``--set SECTION.NAME=VALUE`` options to values by dotted key.

    Raises:
        ConfigError: a pair has no =.
    """
    values = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"expected --set SECTION.NAME=VALUE, got {pair!r}")
        values[key] = value
    return values


def settings_of(options: argparse.Namespace) -> RunConfig:
    """Return the file's settings with the command line's overrides.

    Raises:
        CoreError: the file is missing, or a setting is unknown or invalid.
    """
    config = read_config(options.config).overridden(parse_overrides(options.set))
    tree = config.to_dict()
    for option, key in _OPTION_KEYS.items():
        value = getattr(options, option)
        if value is not None:
            section, _, name = key.partition(".")
            tree[section][name] = value
    return config_from_dict(tree, "the command line")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if (options.eval or options.finetune) and options.checkpoint is None:
        parser.error("--eval and --finetune need --checkpoint")
    return exit_code_of(
        parser.prog, lambda: _run(options), interrupted="interrupted; the last checkpoint can be resumed"
    )


def _run(options: argparse.Namespace) -> None:
    config = settings_of(options)
    _check_outputs(config, options)
    with joined_processes(config.training.device) as processes:
        _train_or_evaluate(config, options, processes)


def _train_or_evaluate(config: RunConfig, options: argparse.Namespace, processes: Processes) -> None:
    folder = config.run_folder if processes.is_first else None
    log = RunLog(folder, tensorboard=config.output.tensorboard)
    try:
        trainer = Trainer(config, processes, log)
        if options.eval or options.finetune:
            trainer.load_weights(options.checkpoint)
        elif options.checkpoint is not None:
            trainer.resume(options.checkpoint)
        if not options.eval:
            if folder is not None:
                _write_settings(folder / "config.json", config, options)
            trainer.train()
        trainer.test()
    finally:
        log.close()


def _check_outputs(config: RunConfig, options: argparse.Namespace) -> None:
    """Refuse a run that would overwrite the settings or checkpoint it reads, unless it resumes that checkpoint."""
    written = run_files(config.run_folder, trains=not options.eval)
    if _are_own_settings(config, options):
        written.remove(config.run_folder / "config.json")
    resumes = not (options.eval or options.finetune)
    read = {"the settings": options.config, "the checkpoint": None if resumes else options.checkpoint}
    check_outputs({"a file of the run": written}, read)
    checkpoints = config.run_folder / "checkpoints"
    existing = sorted(checkpoints.glob("*.pth.tar"))
    goes_on = (
        resumes and options.checkpoint is not None and options.checkpoint.parent.resolve() == checkpoints.resolve()
    )
    if existing and not (options.eval or options.overwrite or goes_on):
        raise OutputError(
            f"expected no checkpoints of an earlier run in {config.run_folder}, found {existing[-1].name}; resume it "
            "with --checkpoint, name another run with --extra_tag, or give --overwrite to replace them"
        )


def _are_own_settings(config: RunConfig, options: argparse.Namespace) -> bool:
    """Return whether the settings were read, unchanged, from the file that the run writes them to."""
    path = config.run_folder / "config.json"
    return not options.eval and path.is_file() and path.samefile(options.config) and read_config(path) == config


def _write_settings(path: Path, config: RunConfig, options: argparse.Namespace) -> None:
    if not _are_own_settings(config, options):
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(config.to_dict(), indent=1), encoding="utf-8")
