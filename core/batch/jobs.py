"""Plan a batch: find the inputs, choose the output paths, and detect inputs that are already done."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .. import __version__
from ..convert_options import ConvertOptions
from ..errors import CoreError, InputMissingError
from ..formats import TRACK_SUFFIXES, find_tracks
from .work_claims import CLAIM_SUFFIX

REPORT_SUFFIX = ".smplify.json"
SUMMARY_NAME = "summary.jsonl"
_SUMMARY = re.compile(r"summary(-\d+-of-\d+)?\.jsonl?")
"""Names of summaries, with those of earlier versions, which are one JSON object."""
_CHUNK = 1 << 20


class BatchError(CoreError, ValueError):
    """A batch cannot be run as requested."""


@dataclass(frozen=True)
class Job:
    """One input and the path of its outputs.

    Attributes:
        source: the keypoint file, or a folder with one file per frame.
        target: the path of the outputs without suffix; person labels are appended if there are several people.
    """

    source: Path
    target: Path

    @property
    def report(self) -> Path:
        """The path of the JSON report."""
        return self.target.with_name(self.target.name + REPORT_SUFFIX)

    @property
    def claim(self) -> Path:
        """The path of the claim of the run that converts the input."""
        return self.target.with_name(f".{self.target.name}{CLAIM_SUFFIX}")


@dataclass(frozen=True)
class Shard:
    """A part of a batch that is run by itself, as by one task of a cluster's job array: every *count*-th input.

    Attributes:
        index: the number of the part, from 1.
        count: the number of parts.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        """Validate the numbers."""
        if not 1 <= self.index <= self.count:
            raise BatchError(
                f"expected a shard I/N with I from 1 to N, got {self.index}/{self.count}; for eight, 1/8 to 8/8"
            )

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that *text* names as ``I/N``.

        Raises:
            BatchError: *text* is anything else.
        """
        found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
        if found is None:
            raise BatchError(f"expected a shard I/N, such as 1/8, got {text!r}")
        return cls(int(found[1]), int(found[2]))

    def of(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return the jobs of this part; those of all parts together are *jobs*, each once."""
        return jobs[self.index - 1 :: self.count]

    @property
    def summary_name(self) -> str:
        """The name of the summary of this part."""
        return f"summary-{self.index}-of-{self.count}.jsonl"


def plan_jobs(
    inputs: Sequence[Path], out: Path, *, suffixes: Collection[str] = TRACK_SUFFIXES, others: Collection[Path] = ()
) -> list[Job]:
    """Return the jobs for *inputs* (files and folders); their outputs go to the folder *out*.

    The tree below a folder is kept; with several inputs, each folder's tree goes below the folder's own name. Where two
    inputs would write the same files, the input's suffix is added to the name, then a number.

    Args:
        inputs: the files and folders.
        out: the folder of the outputs.
        suffixes: the suffixes of the files in folders that are inputs.
        others: files that are read for another purpose, so that they are no inputs where a folder holds them.

    Raises:
        InputMissingError: an input does not exist; all missing inputs are named.
        BatchError: a folder contains no keypoint file, or is the output folder itself.
    """
    missing = [str(path) for path in inputs if not path.exists()]
    if missing:
        raise InputMissingError(f"expected keypoint files or folders, found nothing at {', '.join(missing)}")
    out = out.resolve()
    apart = {other.resolve() for other in others}
    written_in = cache(_written_in)
    pairs: list[tuple[Path, Path]] = []
    for path in (item.resolve() for item in inputs):
        if path.is_file():
            pairs.append((path, out / path.stem))
            continue
        if path == out:
            raise BatchError(f"expected an output folder other than the input folder {path}; give another one with -o")
        there = list(_walk(path, suffixes))
        found = [source for source in there if _is_input(source, out, written_in) and source not in apart]
        if not found:
            raise BatchError(_no_inputs(path, suffixes, there))
        root = out if len(inputs) == 1 else out / path.name
        pairs += [(source, _target(source, path, root)) for source in found]
    return _distinct(pairs)


def _no_inputs(folder: Path, suffixes: Collection[str], there: Sequence[Path]) -> str:
    """Return the message that *folder* has no inputs, but perhaps other files of these *suffixes*, *there*."""
    kinds = ", ".join(suffix.removeprefix(".").upper() for suffix in suffixes)
    if not there:
        return f"expected input files ({kinds}) in {folder}, found none"
    return (
        f"expected input files ({kinds}) in {folder}, found only {there[0].name} and other files that a batch wrote or "
        "that this one reads for another purpose; to use such a file as an input, name it instead of its folder"
    )


def _target(source: Path, folder: Path, root: Path) -> Path:
    """Return the output path below *root*, without suffix, of *source*, which is *folder* or lies in it."""
    if source == folder:
        return root / folder.name
    place = root / source.relative_to(folder)
    return place if source.is_dir() else place.with_name(source.stem)


def _is_input(source: Path, out: Path, written_in: Callable[[Path], set[str]]) -> bool:
    """Return whether *source* is an input, not an output of an earlier run to this folder or another one."""
    if source.is_relative_to(out) or _SUMMARY.fullmatch(source.name) or source.name.endswith(REPORT_SUFFIX):
        return False
    return source.name not in written_in(source.parent)


def _written_in(folder: Path) -> set[str]:
    """Return the names of the files in *folder* that earlier runs wrote, according to the reports in it."""
    return set().union(*(_names_in(_read_report(path)) for path in folder.glob(f"*{REPORT_SUFFIX}")))


def _walk(folder: Path, suffixes: Collection[str], above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield the inputs in *folder* and its subfolders, sorted.

    Folders that are one input, and links back to a folder in *above*, are not entered. A folder that cannot be read
    counts as an input: it fails, with the reason, and the others go on.
    """
    try:
        found, children = find_tracks(folder, suffixes), sorted(folder.iterdir())
    except PermissionError:
        if not above:
            raise
        yield folder
        return
    above = (*above, folder.resolve())
    yield from found
    inputs = set(found)
    for child in children:
        if child.is_dir() and child not in inputs and not child.name.startswith(".") and child.resolve() not in above:
            yield from _walk(child, suffixes, above)


def _distinct(pairs: Sequence[tuple[Path, Path]]) -> list[Job]:
    targets = [str(target).lower() for _, target in pairs]
    inputs_of = Counter(targets)
    taken: set[str] = set()
    jobs = []
    for (source, target), key in zip(pairs, targets, strict=True):
        name = target.name
        if inputs_of[key] > 1 and source.suffix:
            name = f"{target.name}_{source.suffix.lstrip('.')}"
        choice, number = target.with_name(name), 1
        while str(choice).lower() in taken:
            number += 1
            choice = target.with_name(f"{name}_{number}")
        taken.add(str(choice).lower())
        jobs.append(Job(source, choice))
    return jobs


def check_name(job: Job) -> None:
    """Check that reports can show and store the name of an input.

    Raises:
        BatchError: the name is not valid UTF-8.
    """
    try:
        str(job.source).encode("utf-8")
    except UnicodeEncodeError as error:
        raise BatchError(f"expected a name in UTF-8, found other bytes in {job.source}; rename it") from error


def fingerprint(job: Job, options: ConvertOptions) -> str:
    """Return a hash of everything the outputs of *job* depend on: input, options, files they name, version.

    Raises:
        InputMissingError: one of these files is gone.
        OSError: it cannot be read.
    """
    digest = hashlib.sha256(__version__.encode())
    digest.update(json.dumps(options.as_dict(), sort_keys=True).encode())
    for path in (job.source, *map(Path, options.files().values())):
        if not path.exists():
            raise InputMissingError(f"expected a file at {path}, found none; put it back, or name another one")
        members = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
        for member in members:
            digest.update(os.fsencode(member.name))
            if member.is_file():
                _update_with_file(digest, member)
    return digest.hexdigest()


def _update_with_file(digest: hashlib._Hash, path: Path) -> None:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)


def file_entry(path: Path) -> dict[str, object]:
    """Return the report's entry for the file at *path*: name, size and hash, which identify it later."""
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": _file_hash(path)}


def _file_hash(path: Path) -> str:
    digest = hashlib.sha256()
    _update_with_file(digest, path)
    return digest.hexdigest()


def _read_report(path: Path) -> dict[str, Any]:
    """Return the report of an earlier run at *path*; empty if it is missing or damaged."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return report if _is_report(report) else {}


def _is_report(report: object) -> bool:
    """Return whether *report* has the structure that `conversion` writes, in the parts that are read here."""
    if not isinstance(report, dict) or not isinstance(report.get("fingerprint"), str):
        return False
    outputs, kept = report.get("outputs", []), report.get("kept", [])
    if not isinstance(outputs, list) or not isinstance(kept, list):
        return False
    entries = [*outputs, *(entry for entry in kept if not isinstance(entry, str))]
    return all(isinstance(entry, dict) and isinstance(entry.get("file"), str) for entry in entries)


def _entries_in(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of all files of earlier runs; ``kept`` may contain plain file names."""
    kept = [{"file": entry} if isinstance(entry, str) else entry for entry in report.get("kept", [])]
    return [*report.get("outputs", []), *kept]


def _names_in(report: Mapping[str, Any]) -> set[str]:
    return {str(entry["file"]) for entry in _entries_in(report)}


def written_before(job: Job) -> set[str]:
    """Return the names of the files that earlier runs wrote for *job*, according to the report."""
    return _names_in(_read_report(job.report))


def entries_before(job: Job) -> list[dict[str, Any]]:
    """Return the report's entries for those files of earlier runs of *job* that still exist."""
    return [entry for entry in _entries_in(_read_report(job.report)) if job.report.with_name(entry["file"]).exists()]


def is_as_written(path: Path, entries: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the file at *path* is unchanged since a run wrote it, according to the report's *entries*.

    An empty file counts as unchanged: a power cut can leave one, and it contains nobody's work.
    """
    known = [entry for entry in entries if entry["file"] == path.name]
    if not known or not path.is_file():
        return False
    size, digest = path.stat().st_size, _file_hash(path)
    as_known = [entry.get("bytes", size) == size and entry.get("sha256", digest) == digest for entry in known]
    return size == 0 or any(as_known)


def is_done(job: Job, mark: str) -> bool:
    """Return whether an earlier run converted the same input with the same options and its files are complete."""
    report = _read_report(job.report)
    if report.get("fingerprint") != mark or report.get("status") != "converted" or not report.get("outputs"):
        return False
    places = [(job.report.parent / entry["file"], entry.get("bytes")) for entry in report["outputs"]]
    return all(path.is_file() and path.stat().st_size == size for path, size in places)
