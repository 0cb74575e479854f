"""Command line of `training.main`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from core.cli.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, exit_code_of, raise_on_interrupt
from core.errors import CoreError, OutputError
from core.io.atomic_files import atomic_path
from core.io.protected_files import check_outputs
from core.network.pose_architecture import POSE_MLP

from ..config import ConfigError, RunConfig, config_from_dict, read_config
from ..network.checkpoints import load_checkpoint
from ..outputs import run_files
from .distributed import OtherProcessError, Processes, is_first_process, is_lost_connection, process_group
from .network_run import NetworkRun
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
_INTERRUPTED = "interrupted; if the run has written checkpoints/last.pth.tar, resume it from there with --checkpoint"


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
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier run's checkpoints in the folder")
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
    raise_on_interrupt()
    return _reported(parser.prog, lambda: _run(parser.prog, options))


def _reported(program: str, work: Callable[[], int]) -> int:
    """Run *work* and report its error in one line, unless another process reports it."""
    try:
        return exit_code_of(program, work, interrupted=_INTERRUPTED)
    except OtherProcessError:
        return EXIT_FAILED
    except RuntimeError as error:
        if not is_lost_connection(error):
            raise
        if is_first_process():
            message = "expected all processes to keep running, found one ended; its message is above, or it was killed"
            print(f"{program}: {message}", file=sys.stderr)
        return EXIT_FAILED


def _run(program: str, options: argparse.Namespace) -> int:
    try:
        config = settings_of(options)
    except CoreError as error:
        if is_first_process():
            raise
        # All processes fail the same way; the first one reports it.
        raise OtherProcessError("as in the first process") from error
    with process_group(config.training.device) as processes:
        # Report before the other processes notice that this one has left the group.
        return _reported(program, lambda: _train_or_evaluate(config, options, processes))


def _train_or_evaluate(config: RunConfig, options: argparse.Namespace, processes: Processes) -> int:
    with processes.fail_together():
        if processes.is_first:
            _check_outputs(config, options)
        if options.eval or options.finetune:
            config = with_checkpoint_network(config, options)
    folder = config.run_folder if processes.is_first else None
    log = RunLog(folder, tensorboard=config.output.tensorboard)
    try:
        if options.eval:
            evaluation = NetworkRun(config, processes, log)
            evaluation.load_weights(options.checkpoint)
            evaluation.test()
            return 0
        trainer = Trainer(config, processes, log)
        if options.finetune:
            trainer.load_weights(options.checkpoint)
        elif options.checkpoint is not None:
            trainer.resume(options.checkpoint)
        if folder is not None:
            _write_settings(folder / "config.json", config, options)
        if not trainer.train():
            log.info(f"stopped by a signal at step {trainer.step}; resume with --checkpoint {trainer.last_path}")
            return EXIT_INTERRUPTED
        trainer.test()
        return 0
    finally:
        log.close()


def with_checkpoint_network(config: RunConfig, options: argparse.Namespace) -> RunConfig:
    """Return *config* with the checkpoint's architecture and graph, unless the command line sets them.

    Raises:
        CoreError: the checkpoint cannot be read.
    """
    if options.checkpoint.suffix == ".npz":
        found = {"model.architecture": POSE_MLP}
    else:
        checkpoint = load_checkpoint(options.checkpoint)
        found = {"model.architecture": checkpoint.architecture}
        if checkpoint.graph:
            found["model.graph"] = checkpoint.graph
    named = parse_overrides(options.set)
    return config.overridden({key: value for key, value in found.items() if key not in named})


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
    is_resumed = (
        resumes and options.checkpoint is not None and options.checkpoint.parent.resolve() == checkpoints.resolve()
    )
    if existing and not (options.eval or options.overwrite or is_resumed):
        raise OutputError(
            f"expected no checkpoints of an earlier run in {config.run_folder}, found {existing[-1].name}; resume it "
            "with --checkpoint, name another run with --extra_tag, or give --overwrite to replace them"
        )


def _are_own_settings(config: RunConfig, options: argparse.Namespace) -> bool:
    """Return whether the settings are unchanged from the run's own ``config.json``, which they were read from."""
    path = config.run_folder / "config.json"
    return not options.eval and path.is_file() and path.samefile(options.config) and read_config(path) == config


def _write_settings(path: Path, config: RunConfig, options: argparse.Namespace) -> None:
    if not _are_own_settings(config, options):
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(config.to_dict(), indent=1), encoding="utf-8")
