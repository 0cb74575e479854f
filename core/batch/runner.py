"""Run a batch: hand its inputs to what converts them, show how it goes, and sum it up."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TypeAlias

from .. import __version__
from ..io.temporary_folders import remove_leftovers, temporary_folder
from .console import Display
from .conversion import BatchOptions, Claims, Outcome, write_json
from .engines import DaskCluster, Engine, Processes
from .jobs import BatchError, Job, is_summary
from .work_claims import remove_expired_claims
from .workers import Worker

_Ended: TypeAlias = "queue.SimpleQueue[tuple[Job, Future[Outcome]]]"
"""Inputs that have ended, in the order of their ends."""

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
        BatchError: *out* cannot be used as a folder, its summary file was not written by this tool, or the scheduler
            of a cluster does not answer.
        OutputError: the summary or a report would overwrite an input.
        WorkerStartError: no worker can be started.
        KeyboardInterrupt: re-raised after the workers have ended and their unfinished files are removed.
    """
    started = time.monotonic()
    claims = Claims(jobs, options)
    summary = out / options.summary_name
    claims.check(summary, "the summary")
    _check_folder(out, summary, overwrite=options.overwrite)
    everything, jobs = jobs, options.shard.of(jobs) if options.shard else jobs
    folders = {out, *(job.target.parent for job in jobs)}
    _remove_unfinished(folders)
    display = Display(len(jobs), quiet=quiet)
    done: dict[Job, Outcome] = {}
    engine: Engine = (
        DaskCluster(options, everything) if options.scheduler else Processes(start_worker, options, claims, display)
    )
    ended: _Ended = queue.SimpleQueue()
    try:
        _convert_all(jobs, engine, ended, done, display)
    finally:
        engine.stop()
        _remove_unfinished(folders)
        display.close()
        _take_finished(ended, done)
        outcomes = [done[job] for job in jobs if job in done]
        _write_summary(summary, outcomes, total=len(jobs), seconds=time.monotonic() - started)
    return outcomes


def _convert_all(
    jobs: Sequence[Job], engine: Engine, ended: _Ended, done: dict[Job, Outcome], display: Display
) -> None:
    """Convert *jobs*, and put each outcome into *done*.

    What another run is converting is tried again at the end.
    """
    waiting, busy, under_way = deque(jobs), deque[Job](), 0
    while waiting or under_way or busy:
        while waiting and under_way < engine.window:
            job = waiting.popleft()
            engine.submit(job).add_done_callback(partial(_put, ended, job))
            under_way += 1
        if not under_way:
            time.sleep(_RETRY_S)
            waiting, busy = busy, waiting
            continue
        job, future = _next(ended)
        under_way -= 1
        outcome = engine.outcome(job, future)
        if outcome.status == "busy":
            display.update(job.source.name, 0.0, "another run is converting it")
            busy.append(job)
        else:
            display.finished(job.source.name, outcome_line(outcome))
            done[job] = outcome


def _put(ended: _Ended, job: Job, future: Future[Outcome]) -> None:
    ended.put((job, future))


def _next(ended: _Ended) -> tuple[Job, Future[Outcome]]:
    """Wait for the next input that has ended; on Windows, Ctrl-C is only handled between two waits."""
    while True:
        try:
            return ended.get(timeout=_POLL_S)
        except queue.Empty:
            continue


def _take_finished(ended: _Ended, done: dict[Job, Outcome]) -> None:
    """Put the outcomes that came after an interruption into *done*."""
    while not ended.empty():
        job, future = ended.get()
        if not future.cancelled() and future.exception() is None and future.result().status != "busy":
            done[job] = future.result()


def _remove_unfinished(folders: Iterable[Path]) -> None:
    """Remove what killed processes left in *folders*."""
    for folder in folders:
        remove_leftovers(folder)
        remove_expired_claims(folder)


def _check_folder(out: Path, summary: Path, *, overwrite: bool) -> None:
    """Create the folder *out*, and check that files can be created there and *summary* may be one of them."""
    try:
        with temporary_folder(out):
            pass
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
