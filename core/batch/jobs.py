"""Plan a batch: find the inputs, and choose the paths of their outputs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import CoreError, InputMissingError
from ..formats import TRACK_SUFFIXES, find_tracks
from ..io.regular_files import what_is_at
from .reports import REPORT_SUFFIX, names_written_in
from .work_claims import CLAIM_SUFFIX

SUMMARY_NAME = "summary.jsonl"
_SUMMARY = re.compile(r"summary(-\d+-of-\d+)?\.jsonl?")
"""Names of summaries, with those of earlier versions, which are one JSON object."""


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
    """A part of a batch that is run on its own, as by one task of a cluster's job array: every *count*-th input.

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
    wrong: dict[str, list[str]] = {}
    for path in inputs:
        found = what_is_at(path)
        if found not in ("a file", "a folder"):
            wrong.setdefault(found, []).append(str(path))
    if wrong:
        places = " and ".join(f"{what} at {', '.join(paths)}" for what, paths in wrong.items())
        raise InputMissingError(f"expected keypoint files or folders, found {places}")
    out = out.resolve()
    apart = {other.resolve() for other in others}
    written_in = cache(names_written_in)
    pairs: list[tuple[Path, Path]] = []
    for path in (item.resolve() for item in inputs):
        if path.is_file():
            pairs.append((path, out / path.stem))
            continue
        if path == out:
            raise BatchError(f"expected an output folder other than the input folder {path}; give another one with -o")
        there = list(_walk(path, suffixes))
        sources = [source for source in there if _is_input(source, out, written_in) and source not in apart]
        if not sources:
            raise BatchError(_no_inputs(path, suffixes, there))
        root = out if len(inputs) == 1 else out / path.name
        pairs += [(source, _target(source, path, root)) for source in sources]
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
