"""Parts of the sample walk, as files of their own."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import REPOSITORY


def part_of_the_walk(path: Path, first: int, last: int, *, sample: str = "walk.trc") -> str:
    """Write the rows *first* to *last* of a TRC sample, with their times, to *path*; return it as a text."""
    lines = (REPOSITORY / "samples" / sample).read_text(encoding="utf-8").splitlines()
    head = next(index for index, line in enumerate(lines) if line.startswith("1\t"))
    top = [line.replace("\t432\t", f"\t{last - first}\t") for line in lines[:head]]
    path.write_text("\n".join([*top, *lines[head + first : head + last]]) + "\n", encoding="utf-8")
    return str(path)
