"""Convert many keypoint files: skip finished inputs, share the rest among workers, write reports. Needs no Blender.

The files of an input are written to a hidden folder beside their destination and moved when all are complete. The
report lists them before the first is moved, and is marked finished after the last. So however a batch ends, the next
run knows which files are its own, and either finds the input done or converts it again.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..core_access import TEMPORARY_PREFIX, OutputError, ProtectedFiles, atomic_path, replace_file
from .console import Display
from .jobs import (
    SUMMARY_NAME,
    BatchError,
    ConvertOptions,
    Job,
    addon_version,
    check_name,
    entries_before,
    file_entry,
    fingerprint,
    is_as_written,
    is_done,
    is_summary,
    protected_files,
    written_before,
)
from .worker_process import WorkerDied, WorkerProcess

_STAGE_PREFIX = ".smplify-"
_POLL_S = 0.5
_ABANDONED_S = 86400.0
"""Age in seconds after which an unchanged hidden folder counts as abandoned, for example after a power cut."""


@dataclass(frozen=True)
class BatchOptions:
    """Options of a batch.

    Attributes:
        convert: how to convert each input.
        jobs: number of parallel workers.
        force: convert finished inputs too, and replace files that an earlier run did not write or that were changed.
        protected: files besides the inputs that must not be overwritten, each with its role.
    """

    convert: ConvertOptions = field(default_factory=ConvertOptions)
    jobs: int = 1
    force: bool = False
    protected: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The outcome of one input.

    Attributes:
        job: the input.
        status: "converted", "skipped" or "failed".
        message: why the input failed.
        outputs: the written files.
        seconds: the time taken.
        doubts: what is doubtful about how the input was understood.
        num_flags: doubtful stretches of the fits.
    """

    job: Job
    status: str
    message: str = ""
    outputs: tuple[Path, ...] = ()
    seconds: float = 0.0
    doubts: tuple[str, ...] = ()
    num_flags: int = 0


def run_batch(jobs: Sequence[Job], out: Path, options: BatchOptions) -> list[Outcome]:
    """Convert *jobs*; return their outcomes in order, and write the summary to *out*.

    Raises:
        BatchError: *out* cannot be used as a folder, or its summary file was not written by this tool.
        OutputError: the summary or a report would overwrite an input.
        WorkerStartError: Blender cannot be started.
        KeyboardInterrupt: re-raised after the workers have ended and their unfinished files are removed.
    """
    started = time.monotonic()
    protected = protected_files(jobs, options.convert, options.protected)
    protected.check(out / SUMMARY_NAME, "the summary")
    for job in jobs:
        protected.check(job.report, f"the report of {job.source}")
    _check_folder(out, force=options.force)
    for folder in {out, *(job.target.parent for job in jobs)}:
        _remove_abandoned(folder)
    display = Display(len(jobs))
    outcomes: dict[int, Outcome] = {}
    pool = _Pool(jobs, options, protected)
    try:
        while len(outcomes) < len(jobs):
            try:
                event = pool.events.get(timeout=_POLL_S)
            except queue.Empty:  # on Windows, Ctrl-C is only handled between two waits
                continue
            if isinstance(event, Future):
                event.result()
                continue
            if isinstance(event, _ProgressEvent):
                display.update(event.job.source.name, event.share, event.what)
                continue
            index, outcome = event
            outcomes[index] = outcome
            display.finished(outcome.job.source.name, outcome_line(outcome))
    finally:
        pool.stop()
        display.close()
        done = [outcomes[index] for index in sorted(outcomes)]
        _write_summary(out, done, total=len(jobs), seconds=time.monotonic() - started)
    return done


def _check_folder(out: Path, *, force: bool) -> None:
    """Create the folder *out* and check that the summary may be written there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BatchError(
            f"expected an output folder, found that {out} cannot be one: {error.strerror or error}; give another one "
            "with -o"
        ) from error
    summary = out / SUMMARY_NAME
    if summary.exists() and not force and not is_summary(summary):
        raise BatchError(
            f"expected no {SUMMARY_NAME} in {out} but that of an earlier run, found another file; move it, choose "
            "another output folder, or give --force to replace it"
        )


@dataclass(frozen=True)
class _ProgressEvent:
    """A worker's progress report."""

    job: Job
    share: float
    what: str


class _Pool:
    """Threads that take jobs from a queue, each with its own worker process."""

    def __init__(self, jobs: Sequence[Job], options: BatchOptions, protected: ProtectedFiles) -> None:
        self.events: queue.Queue[_ProgressEvent | tuple[int, Outcome] | Future[None]] = queue.Queue()
        self._options = options
        self._protected = protected
        self._jobs: queue.SimpleQueue[tuple[int, Job]] = queue.SimpleQueue()
        for item in enumerate(jobs):
            self._jobs.put(item)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._workers: set[WorkerProcess] = set()
        self._owners: dict[str, Path] = {}
        self._threads = ThreadPoolExecutor(options.jobs)
        for _ in range(min(options.jobs, len(jobs))):
            self._threads.submit(self._drive).add_done_callback(self.events.put)

    def stop(self) -> None:
        """End the workers and wait for the threads, which remove unfinished files."""
        self._stopping.set()
        with self._lock:
            for worker in self._workers:
                worker.end()
        self._threads.shutdown()

    def _drive(self) -> None:
        """Process jobs until none are left, with one worker; start a new worker if it died."""
        worker: WorkerProcess | None = None
        while not self._stopping.is_set():
            try:
                index, job = self._jobs.get_nowait()
            except queue.Empty:
                break
            started = time.monotonic()
            try:
                check_name(job)
                mark = fingerprint(job, self._options.convert)
                if not self._options.force and is_done(job, mark):
                    self.events.put((index, Outcome(job, "skipped")))
                    continue
                worker = worker or self._start()
                outcome = self._convert(worker, job, mark, started)
            except (OSError, BatchError) as error:
                outcome = _failed(job, str(error), started)
            except WorkerDied as error:
                if self._stopping.is_set():
                    break
                outcome = _failed(job, str(error), started)
                self._drop(worker)
                worker = None
            self.events.put((index, outcome))
        self._drop(worker)

    def _start(self) -> WorkerProcess:
        with self._lock:
            if self._stopping.is_set():
                raise WorkerDied("the batch is stopping")
            worker = WorkerProcess()
            self._workers.add(worker)
        worker.wait_until_ready()
        return worker

    def _drop(self, worker: WorkerProcess | None) -> None:
        if worker is None:
            return
        worker.end()
        worker.close()
        with self._lock:
            self._workers.discard(worker)

    def _convert(self, worker: WorkerProcess, job: Job, mark: str, started: float) -> Outcome:
        """Let *worker* convert *job* into a temporary folder, then move the files to their destination.

        The worker creates that folder, so a batch that is killed before it sends the request leaves no folder behind.
        """

        def on_progress(share: float, what: str) -> None:
            self.events.put(_ProgressEvent(job, share, what))

        job.target.parent.mkdir(parents=True, exist_ok=True)
        stage = job.target.with_name(f"{_STAGE_PREFIX}{secrets.token_hex(6)}")
        request = {
            "source": str(job.source), "folder": str(stage), "stem": job.target.name,
            "options": self._options.convert.as_dict(),
            "workers": max(1, (os.cpu_count() or 1) // self._options.jobs),
        }  # fmt: skip
        try:
            answer = worker.convert(request, on_progress)
            if "error" in answer:
                raise BatchError(str(answer["error"]))
            self._claim(job, answer["outputs"])
            entries = _publish(job, stage, answer["outputs"], force=self._options.force)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        outputs = tuple(_targets(job, answer["outputs"]))
        people = answer["people"]
        outcome = Outcome(
            job, "converted", outputs=outputs, seconds=time.monotonic() - started,
            doubts=tuple(doubt for person in people for doubt in person["doubts"]),
            num_flags=sum(len(person["fit"]["flags"]) for person in people),
        )  # fmt: skip
        others = [entry for entry in entries_before(job) if entry["file"] not in answer["outputs"]]
        found = {"people": people, "blender": answer["blender"], "kept": others}
        _write_report(outcome, {"fingerprint": mark, "outputs": entries, **found})
        return outcome

    def _claim(self, job: Job, names: Sequence[str]) -> None:
        """Reserve the output files *names* for *job*.

        Output names contain person labels, so two inputs can collide.

        Raises:
            BatchError: a file belongs to another input, or is protected.
        """
        with self._lock:
            for target in _targets(job, names):
                try:
                    self._protected.check(target)
                except OutputError as error:
                    raise BatchError(f"expected output files used by {job.source} alone: {error}") from error
                owner = self._owners.setdefault(os.path.realpath(target).lower(), job.source)
                if owner != job.source:
                    raise BatchError(
                        f"expected output files used by {job.source} alone, but {target} belongs to {owner} already; "
                        "rename the input, or choose another output folder"
                    )


def _remove_abandoned(folder: Path) -> None:
    """Remove hidden folders in *folder* that an interrupted batch left long ago."""
    for path in (*folder.glob(f"{_STAGE_PREFIX}*"), *folder.glob(f"{TEMPORARY_PREFIX}*")):
        try:
            abandoned = time.time() - path.lstat().st_mtime > _ABANDONED_S
        except OSError:  # removed in the meantime
            continue
        if abandoned and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def _targets(job: Job, names: Sequence[str]) -> list[Path]:
    return [job.target.with_name(name) for name in names]


def _publish(job: Job, stage: Path, names: Sequence[str], *, force: bool) -> list[dict[str, object]]:
    """Move the files *names* from *stage* to their destination, without replacing files that are not ours.

    Returns:
        The report's entry for each file.

    Raises:
        BatchError: the destination has a file that no earlier run wrote, or that was changed since.
        OutputError: a file cannot be replaced, because another program has it open.
    """
    before = entries_before(job)
    if not force:
        _refuse_foreign(job, _targets(job, names), before)
    entries = [file_entry(stage / name) for name in names]
    unfinished = Outcome(job, "unfinished", message="ended while the files were being moved; run it again")
    _write_report(unfinished, {"fingerprint": "", "outputs": [], "kept": [*before, *entries]})
    for name, target in zip(names, _targets(job, names), strict=True):
        replace_file(stage / name, target)
    return entries


def _refuse_foreign(job: Job, targets: Sequence[Path], before: Sequence[dict[str, object]]) -> None:
    ours = written_before(job)
    foreign = [
        f"{path} ({'changed since this tool wrote it' if path.name in ours else 'not from this tool'})"
        for path in targets
        if path.exists() and not is_as_written(path, before)
    ]
    if foreign:
        raise BatchError(
            f"expected only files of an earlier run at the destination, found {', '.join(foreign)}; move them, choose "
            "another output folder, or give --force to replace them"
        )


def _failed(job: Job, message: str, started: float) -> Outcome:
    """Return a failed outcome for *job*, and write its report if possible."""
    outcome = Outcome(job, "failed", message=message, seconds=time.monotonic() - started)
    try:
        _write_report(outcome, {"fingerprint": "", "outputs": [], "kept": entries_before(job)})
    except OSError as error:
        return replace(outcome, message=f"{message}; nor can its report be written: {error}")
    return outcome


def _write_report(outcome: Outcome, found: dict[str, object]) -> None:
    """Write the report of one input beside its outputs; *found* adds further entries, such as those of the outputs."""
    report = {
        "input": str(outcome.job.source),
        "status": outcome.status,
        "message": outcome.message,
        "version": addon_version(),
        "seconds": round(outcome.seconds, 3),
        **found,
    }
    _write_json(outcome.job.report, report)


def _write_summary(out: Path, outcomes: Sequence[Outcome], *, total: int, seconds: float) -> None:
    statuses = [outcome.status for outcome in outcomes]
    summary = {
        "version": addon_version(),
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
    _write_json(out / SUMMARY_NAME, summary)


def _write_json(path: Path, content: dict[str, object]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


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
