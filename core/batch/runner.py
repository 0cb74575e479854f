"""Run a batch: share its inputs among workers, show how it goes, and sum it up.

Only this module knows of threads. Elsewhere, on a cluster, `convert_one` can be submitted for each job instead.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from .. import __version__
from ..io.temporary_folders import remove_leftovers
from .console import Display
from .conversion import BatchOptions, Claims, Outcome, convert_one, write_json
from .jobs import BatchError, Job, is_summary
from .work_claims import remove_expired_claims
from .workers import Worker, WorkerPool

_POLL_S = 0.5
_RETRY_S = 1.0
"""How long to wait before inputs that another run was converting are tried again."""


def run_batch(
    jobs: Sequence[Job], out: Path, options: BatchOptions, start_worker: Callable[[], Worker], *, quiet: bool = False
) -> list[Outcome]:
    """Convert *jobs*, or the shard of them that *options* name; return their outcomes in order, and write the summary.

    Args:
        jobs: what `plan_jobs` returned: all jobs, for a shard too, since none of its files may belong to another.
        out: the folder of the summary.
        options: the options of the batch.
        start_worker: starts one of the workers that convert the inputs.
        quiet: show nothing on standard error.

    Raises:
        BatchError: *out* cannot be used as a folder, or its summary file was not written by this tool.
        OutputError: the summary or a report would overwrite an input.
        WorkerStartError: no worker can be started.
        KeyboardInterrupt: re-raised after the workers have ended and their unfinished files are removed.
    """
    started = time.monotonic()
    claims = Claims(jobs, options)
    summary = out / options.summary_name
    claims.check(summary, "the summary")
    _check_folder(out, summary, overwrite=options.overwrite)
    jobs = options.shard.of(jobs) if options.shard else jobs
    for folder in {out, *(job.target.parent for job in jobs)}:
        remove_leftovers(folder)
        remove_expired_claims(folder)
    display = Display(len(jobs), quiet=quiet)
    pool = WorkerPool(start_worker)
    threads = ThreadPoolExecutor(options.jobs)

    def convert(job: Job) -> Outcome:
        def on_progress(share: float, what: str) -> None:
            display.update(job.source.name, share, what)

        return convert_one(job, options, pool.convert, claims=claims, on_progress=on_progress)

    futures: list[Future[Outcome]] = []
    ended: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
    waiting = jobs
    try:
        while waiting:
            for job in waiting:
                futures.append(threads.submit(convert, job))
                futures[-1].add_done_callback(ended.put)
            outcomes = [_next(ended, display) for _ in waiting]
            waiting = [outcome.job for outcome in outcomes if outcome.status == "busy"]
            if waiting:
                time.sleep(_RETRY_S)
    finally:
        pool.stop()
        threads.shutdown(cancel_futures=True)
        pool.close()
        display.close()
        done = _ended(futures, jobs)
        _write_summary(summary, done, total=len(jobs), seconds=time.monotonic() - started)
    return done


def _next(ended: queue.SimpleQueue[Future[Outcome]], display: Display) -> Outcome:
    """Wait for the next outcome and show it; on Windows, Ctrl-C is only handled between two waits."""
    while True:
        try:
            outcome = ended.get(timeout=_POLL_S).result()
        except queue.Empty:
            continue
        name = outcome.job.source.name
        if outcome.status == "busy":
            display.update(name, 0.0, "another run is converting it")
        else:
            display.finished(name, outcome_line(outcome))
        return outcome


def _ended(futures: Sequence[Future[Outcome]], jobs: Sequence[Job]) -> list[Outcome]:
    """Return the outcomes of the inputs that are not left to another run, in the order of *jobs*."""
    outcomes = [future.result() for future in futures if not future.cancelled() and future.exception() is None]
    by_job = {outcome.job: outcome for outcome in outcomes if outcome.status != "busy"}
    return [by_job[job] for job in jobs if job in by_job]


def _check_folder(out: Path, summary: Path, *, overwrite: bool) -> None:
    """Create the folder *out* and check that the file *summary* may be written there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BatchError(
            f"expected an output folder, found that {out} cannot be one: {error.strerror or error}; give another one "
            "with -o"
        ) from error
    if summary.exists() and not overwrite and not is_summary(summary):
        raise BatchError(
            f"expected no {summary.name} in {out} but that of an earlier run, found another file; move it, choose "
            "another output folder, or give --overwrite to replace it"
        )


def _write_summary(path: Path, outcomes: Sequence[Outcome], *, total: int, seconds: float) -> None:
    statuses = [outcome.status for outcome in outcomes]
    summary = {
        "version": __version__,
        "total": total,
        **{status: statuses.count(status) for status in ("converted", "skipped", "failed")},
        "interrupted": len(outcomes) < total,
        "seconds": round(seconds, 3),
        "inputs": [
            {
                "input": str(outcome.job.source),
                "status": outcome.status,
                "message": outcome.message,
                "doubts": list(outcome.doubts),
                "report": str(outcome.job.report),
                "outputs": [str(path) for path in outcome.outputs],
                "seconds": round(outcome.seconds, 3),
            }
            for outcome in outcomes
        ],
    }
    write_json(path, summary)


def outcome_line(outcome: Outcome) -> str:
    """Return what a batch prints about an input."""
    name = outcome.job.source.name
    if outcome.status == "failed":
        return f"FAILED {name}: {outcome.message}"
    if outcome.status == "skipped":
        return f"unchanged {name}"
    line = f"{name} -> {', '.join(path.name for path in outcome.outputs)} ({outcome.seconds:.1f} s)"
    counts = ((len(outcome.doubts), "doubt"), (outcome.num_flags, "flag"))
    found = ", ".join(f"{count} {what}{'s' if count > 1 else ''}" for count, what in counts if count)
    return f"{line}; {found}: see {outcome.job.report.name}" if found else line
