"""Run a batch: hand its inputs to what converts them, show how it goes, and sum it up."""

from __future__ import annotations

import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path

from ..io.temporary_folders import remove_leftovers, temporary_folder
from .console import Display
from .conversion import BatchOptions, Claims, Outcome, failed
from .dask_cluster import DaskCluster
from .engines import Engine, Processes
from .jobs import BatchError, Job
from .summary import Summary, is_summary
from .work_claims import remove_expired_claims
from .workers import Worker

_POLL_S = 0.5
_RETRY_S = 1.0
"""How long to wait before inputs that another run was converting are tried again."""


def run_batch(
    jobs: Sequence[Job], out: Path, options: BatchOptions, start_worker: Callable[[], Worker], *, quiet: bool = False
) -> Counter[str]:
    """Convert *jobs*, or the shard of them that *options* name, and write the summary.

    Args:
        jobs: what `plan_jobs` returned: all jobs, for a shard too, since none of its files may belong to another.
        out: the folder of the summary.
        options: the options of the batch.
        start_worker: starts one of the workers that convert the inputs.
        quiet: show nothing on standard error.

    Returns:
        How many inputs were "converted", "skipped" (they were done) and "failed".

    Raises:
        BatchError: a folder of the outputs cannot be created, the summary file in *out* was not written by this tool,
            or the scheduler of a cluster does not answer.
        OutputError: the summary or a report would overwrite an input.
        WorkerStartError: no worker can be started.
        KeyboardInterrupt: re-raised after the workers have ended and their unfinished files are removed.
    """
    claims = Claims(jobs, options)
    summary = out / options.summary_name
    claims.check(summary, "the summary")
    everything, jobs = jobs, options.shard.of(jobs) if options.shard else jobs
    folders = list(dict.fromkeys([out, *(job.target.parent for job in jobs)]))
    _create(out, folders)
    _check_summary(summary, overwrite=options.overwrite)
    _remove_unfinished(folders)
    display = Display(len(jobs), quiet=quiet)
    engine: Engine = (
        DaskCluster(options, everything) if options.scheduler else Processes(start_worker, options, claims, display)
    )
    with Summary(len(jobs)) as outcomes:
        work = Work(jobs, engine, outcomes, display)
        try:
            work.do()
        finally:
            engine.stop()
            _remove_unfinished(folders)
            display.close()
            work.take_finished()
            outcomes.write(summary)
        return outcomes.counts


class Work:
    """The inputs of a batch on their way through an engine."""

    def __init__(self, jobs: Sequence[Job], engine: Engine, outcomes: Summary, display: Display) -> None:
        """Begin with *jobs*; their outcomes are added to *outcomes* and shown on *display*."""
        self._engine, self._outcomes, self._display = engine, outcomes, display
        self._waiting, self._busy, self._alone = deque(jobs), deque[Job](), deque[Job]()
        self._killed: set[Job] = set()
        self._under_way = 0
        self._ended: queue.SimpleQueue[tuple[Sequence[Job], Future[list[Outcome]]]] = queue.SimpleQueue()

    def do(self) -> None:
        """Convert all inputs.

        What another run is converting is tried again at the end. The inputs of a task whose workers died are tried
        again one by one, since any of them can be the reason; the one that then dies again has failed.
        """
        while self._waiting or self._alone or self._under_way or self._busy:
            window = self._engine.window
            while (self._waiting or self._alone) and self._under_way < window:
                self._submit(self._next_group(window))
            if not self._under_way:
                time.sleep(_RETRY_S)
                self._waiting, self._busy = self._busy, self._waiting
                continue
            try:
                jobs, future = self._ended.get(timeout=_POLL_S)
            except queue.Empty:  # the window may have changed; and on Windows, Ctrl-C is handled between two waits
                continue
            self._under_way -= 1
            for outcome in self._engine.outcomes(jobs, future):
                self._take(outcome)

    def _next_group(self, window: int) -> list[Job]:
        """Return the inputs of the next task: fewer towards the end, so that all workers have some."""
        if self._alone:
            return [self._alone.popleft()]
        size = min(self._engine.group, max(1, len(self._waiting) // window))
        return [self._waiting.popleft() for _ in range(size)]

    def _submit(self, jobs: Sequence[Job]) -> None:
        self._under_way += 1
        self._engine.submit(jobs).add_done_callback(lambda future: self._ended.put((jobs, future)))

    def _take(self, outcome: Outcome) -> None:
        job = outcome.job
        if outcome.status == "busy":
            self._display.update(job.source.name, 0.0, "another run is converting it")
            self._busy.append(job)
        elif outcome.status == "killed" and job not in self._killed:
            self._killed.add(job)
            self._alone.append(job)
        else:
            outcome = failed(job, outcome.message) if outcome.status == "killed" else outcome
            self._display.finished(job.source.name, outcome_line(outcome))
            self._outcomes.add(outcome)

    def take_finished(self) -> None:
        """Add the outcomes that came after an interruption."""
        while not self._ended.empty():
            _, future = self._ended.get()
            if not future.cancelled() and future.exception() is None:
                for outcome in future.result():
                    if outcome.status != "busy":
                        self._outcomes.add(outcome)


def _create(out: Path, folders: Iterable[Path]) -> None:
    """Create the *folders* of the outputs, and check that files can be created in *out*."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if folder == out:
                with temporary_folder(out):
                    pass
        except OSError as error:
            raise BatchError(
                f"expected an output folder, found that {folder} cannot be one: {error.strerror or error}; give "
                "another one with -o"
            ) from error


def _check_summary(summary: Path, *, overwrite: bool) -> None:
    """Check that the file *summary* may be written."""
    if summary.exists() and not overwrite and not is_summary(summary):
        raise BatchError(
            f"expected no {summary.name} in {summary.parent} but that of an earlier run, found another file; move it, "
            "choose another output folder, or give --overwrite to replace it"
        )


def _remove_unfinished(folders: Iterable[Path]) -> None:
    """Remove what killed processes left in *folders*."""
    for folder in folders:
        remove_leftovers(folder)
        remove_expired_claims(folder)


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
