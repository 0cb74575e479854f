"""Convert one input of a batch: skip it if it is done, publish its files whole, and write its report.

The files of an input are written to a hidden folder beside their destination and moved when all are complete; what a
killed batch leaves of it is removed by its worker or by the next run (`core.io.temporary_folders`). The
report lists them before the first is moved, and is marked finished after the last. So however a batch ends, the next
run knows which files are its own, and either finds the input done or converts it again.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import __version__
from ..convert_options import ConvertOptions
from ..errors import OutputError
from ..formats import TRACK_SUFFIXES
from ..io.atomic_files import atomic_path, replace_file
from ..io.protected_files import ProtectedFiles
from ..io.temporary_folders import remove_leftovers, temporary_folder
from .jobs import SUMMARY_NAME, BatchError, Job, Shard, check_name
from .lost_disk import DiskLostError, is_of_lost_disk, wait_for_disk
from .python_worker import convert_without_blender
from .reports import entries_before, file_entry, fingerprint, is_as_written, is_done, written_before
from .work_claims import claimed
from .workers import Convert, OnProgress

_TRIES = 3
"""How often an input is tried whose disk is lost."""


@dataclass(frozen=True)
class BatchOptions:
    """Options of a batch.

    Attributes:
        convert: how to convert each input.
        jobs: number of parallel workers.
        overwrite: convert finished inputs too, and replace files that no earlier run wrote or that changed.
        protected: files besides the inputs that must not be overwritten, each with its role.
        suffixes: suffixes of the files in folders that are inputs.
        shard: the part of the inputs that is converted; None for all.
        scheduler: address or scheduler file of a Dask cluster whose workers convert; empty for *jobs* workers of this
            machine.
    """

    convert: ConvertOptions = field(default_factory=ConvertOptions)
    jobs: int = 1
    overwrite: bool = False
    protected: Mapping[Path, str] = field(default_factory=dict)
    suffixes: tuple[str, ...] = TRACK_SUFFIXES
    shard: Shard | None = None
    scheduler: str = ""

    @property
    def summary_name(self) -> str:
        """The name of the summary of the batch."""
        return self.shard.summary_name if self.shard else SUMMARY_NAME


@dataclass(frozen=True)
class Outcome:
    """The outcome of one input.

    Attributes:
        job: the input.
        status: "converted", "skipped" (it was done), "failed", "busy" (another run is converting it), or "killed" (it
            was among the inputs of workers that died).
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


class Claims:
    """The files that a batch may write: none that it reads, and each for one input alone."""

    def __init__(self, jobs: Sequence[Job], options: BatchOptions) -> None:
        """Protect the inputs of *jobs* and the files that *options* name.

        Raises:
            OutputError: a report would overwrite one of them.
        """
        inputs = {job.source: "an input" for job in jobs}
        files = {Path(path): role for role, path in options.convert.files().items()}
        self._protected = ProtectedFiles({**options.protected, **inputs, **files})
        for job in options.shard.of(jobs) if options.shard else jobs:
            self.check(job.report, f"the report of {job.source}")
        self._owners: dict[str, Path] = {}
        self._lock = threading.Lock()

    def check(self, path: Path, what: str) -> None:
        """Raise `OutputError` if *path* leads to a protected file; *what* is its role, for the message."""
        self._protected.check(path, what)

    def claim(self, job: Job, names: Sequence[str]) -> None:
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


def convert_one(
    job: Job,
    options: BatchOptions,
    convert: Convert = convert_without_blender,
    *,
    claims: Claims | None = None,
    on_progress: OnProgress = lambda share, what: None,
    create_folder: bool = True,
) -> Outcome:
    """Convert one input, or skip it if it is done; may be called anywhere, and again after any interruption.

    Of several calls for one input at the same time, on machines that share the folder, one converts it. If the disk of
    the input or of its outputs is gone, it is waited for.

    Args:
        job: the input.
        options: the options of the batch.
        convert: converts the input into a hidden folder, from which its files are moved.
        claims: the files that the batch may write; None to know only of this input.
        on_progress: see `OnProgress`.
        create_folder: whether to create the folder of the outputs if it is missing. On a machine of a cluster that
            may be one where its disk is missing: create it before, on one machine.

    Returns:
        The outcome; a bad input is a failed one.

    Raises:
        OutputError: the report would overwrite a file that is read.
    """
    started = time.monotonic()
    claims = claims or Claims([job], options)
    if create_folder:
        try:
            job.target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return failed(job, str(error), seconds=time.monotonic() - started)
    for tries_left in reversed(range(_TRIES)):
        try:
            return _convert_once(job, options, convert, claims, on_progress)
        except (OSError, BatchError) as error:
            message, is_lost = str(error), is_of_lost_disk(error)
        if not (tries_left and is_lost and wait_for_disk(job, on_progress)):
            break
        remove_leftovers(job.target.parent)
    return failed(job, message, seconds=time.monotonic() - started)


def failed(job: Job, message: str, *, seconds: float = 0.0) -> Outcome:
    """Return the outcome of an input that failed, and write its report."""
    outcome = Outcome(job, "failed", message=message, seconds=seconds)
    try:
        _write_report(outcome, {"fingerprint": "", "outputs": [], "kept": entries_before(job.report)})
    except OSError as error:
        return replace(outcome, message=f"{outcome.message}; nor can its report be written: {error}")
    return outcome


def _convert_once(
    job: Job, options: BatchOptions, convert: Convert, claims: Claims, on_progress: OnProgress
) -> Outcome:
    """Convert *job* unless it is done or another run is converting it.

    Raises:
        BatchError: the input failed.
        OSError: a file cannot be read or written.
    """
    check_name(job)
    mark = fingerprint(job.source, options.convert)
    if not options.overwrite and is_done(job.report, mark):
        return Outcome(job, "skipped")
    with claimed(job.claim) as ours:
        if not ours:
            return Outcome(job, "busy")
        if not options.overwrite and is_done(job.report, mark):  # by a run that held the claim until now
            return Outcome(job, "skipped")
        return _convert(job, options, convert, claims, on_progress, mark)


def _convert(
    job: Job, options: BatchOptions, convert: Convert, claims: Claims, on_progress: OnProgress, mark: str
) -> Outcome:
    """Convert *job* into a hidden folder, then move the files to their destination."""
    started = time.monotonic()
    with temporary_folder(job.target.parent, create=False) as stage:
        request = {
            "source": str(job.source), "folder": str(stage), "stem": job.target.name,
            "options": options.convert.for_one_of_many().as_dict(),
            "workers": max(1, (os.cpu_count() or 1) // options.jobs),
        }  # fmt: skip
        answer = convert(request, on_progress)
        if "error" in answer:
            raise (DiskLostError if answer.get("disk_lost") else BatchError)(str(answer["error"]))
        names, people = answer.pop("outputs"), answer.pop("people")
        claims.claim(job, names)
        entries = _publish(job, stage, names, overwrite=options.overwrite)
    outcome = Outcome(
        job, "converted", outputs=tuple(_targets(job, names)), seconds=time.monotonic() - started,
        doubts=tuple(dict.fromkeys(doubt for person in people for doubt in person["doubts"])),
        num_flags=sum(len(person.get("fit", {}).get("flags", ())) for person in people),
    )  # fmt: skip
    kept = [entry for entry in entries_before(job.report) if entry["file"] not in names]
    _write_report(outcome, {"fingerprint": mark, "outputs": entries, "people": people, **answer, "kept": kept})
    return outcome


def _targets(job: Job, names: Sequence[str]) -> list[Path]:
    return [job.target.with_name(name) for name in names]


def _publish(job: Job, stage: Path, names: Sequence[str], *, overwrite: bool) -> list[dict[str, object]]:
    """Move the files *names* from *stage* to their destination, without replacing files that are not ours.

    Returns:
        The report's entry for each file.

    Raises:
        BatchError: the destination has a file that no earlier run wrote, or that was changed since.
        OutputError: a file cannot be replaced, because another program has it open.
    """
    before = entries_before(job.report)
    if not overwrite:
        _refuse_foreign(job, _targets(job, names), before)
    entries = [file_entry(stage / name) for name in names]
    unfinished = Outcome(job, "unfinished", message="ended while the files were being moved; run it again")
    _write_report(unfinished, {"fingerprint": "", "outputs": [], "kept": [*before, *entries]})
    for name, target in zip(names, _targets(job, names), strict=True):
        replace_file(stage / name, target)
    return entries


def _refuse_foreign(job: Job, targets: Sequence[Path], before: Sequence[dict[str, object]]) -> None:
    ours = written_before(job.report)
    foreign = [
        f"{path} ({'changed since this tool wrote it' if path.name in ours else 'not from this tool'})"
        for path in targets
        if path.exists() and not is_as_written(path, before)
    ]
    if foreign:
        raise BatchError(
            f"expected only files of an earlier run at the destination, found {', '.join(foreign)}; move them, choose "
            "another output folder, or give --overwrite to replace them"
        )


def _write_report(outcome: Outcome, found: dict[str, object]) -> None:
    """Write the report of one input beside its outputs; *found* adds further entries, such as those of the outputs."""
    report = {
        "input": str(outcome.job.source),
        "status": outcome.status,
        "message": outcome.message,
        "version": __version__,
        "seconds": round(outcome.seconds, 3),
        **found,
    }
    with atomic_path(outcome.job.report, create_folder=False) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
