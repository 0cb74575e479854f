"""Train variants of the networks with the same budget, one after the other, and put their figures side by side.

    python -m training.ablate [--config FILE.yaml] [--set data.folder=data/cmu] [--log_dir logs/ablations]

What is done already is not done again, so the command can be stopped and given anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import CoreError

from .distributed import joined_processes
from .train_command import parse_overrides
from .variants import is_trained, read_variants, train

DEFAULT_CONFIG = Path(__file__).with_name("configs") / "variants" / "ablations.yaml"
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.ablate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", type=Path, metavar="FILE.yaml", default=DEFAULT_CONFIG, help="the variants")
    parser.add_argument("--log_dir", metavar="FOLDER", default="logs/ablations", help="folder of all runs")
    parser.add_argument("--only", nargs="+", metavar="VARIANT", help="just these, by name or by group")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.NAME=VALUE", help="a setting of all; may be repeated"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        variants = read_variants(options.config, {**parse_overrides(options.set), "output.log_dir": options.log_dir})
        if options.only:
            variants = [variant for variant in variants if {variant.name, variant.group} & set(options.only)]
        for variant in variants:
            if not is_trained(variant):
                with joined_processes(variant.config.training.device) as processes:
                    train(variant, processes)
    except CoreError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted; given again, it goes on", file=sys.stderr)
        return EXIT_INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
