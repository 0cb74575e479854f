"""Run a batch from a command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ..batch import BatchOptions, Worker, plan_jobs, run_batch
from ..printable import say
from .exit_codes import EXIT_FAILED


def batch_command(
    inputs: Sequence[Path], out: Path, options: BatchOptions, start_worker: Callable[[], Worker], *, quiet: bool = False
) -> int:
    """Convert *inputs* (files and folders) to the folder *out* and say how many were converted.

    Returns:
        The exit code: 0, or 1 if an input failed.

    Raises:
        CoreError: the batch cannot be run.
        KeyboardInterrupt: it was interrupted; unfinished files are removed, and the next run goes on.
    """
    others = [*options.protected, *(Path(path) for path in options.convert.files().values())]
    jobs = plan_jobs(inputs, out, suffixes=options.suffixes, others=others)
    counts = run_batch(jobs, out, options, start_worker, quiet=quiet)
    say(
        f"{counts['converted']} converted, {counts['skipped']} unchanged, {counts['failed']} failed; "
        f"see {out / options.summary_name}",
        file=sys.stderr,
    )
    return EXIT_FAILED if counts["failed"] else 0
