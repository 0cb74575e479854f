"""The summary of a batch: JSON lines, first the totals, then the inputs in the order in which they ended."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import TracebackType

from .. import __version__
from ..io.atomic_files import atomic_path
from .conversion import Outcome

_IN_MEMORY = 1 << 20
"""Bytes of lines that are kept in memory; more of them are in a temporary file of the system."""
_LONGEST_TOTALS = 1000


class Summary:
    """The outcomes of a batch so far; memory does not grow with them, and a killed batch leaves no file of it.

    Attributes:
        counts: number of inputs by status.
    """

    def __init__(self, total: int) -> None:
        """Begin the summary of *total* inputs."""
        self.counts: Counter[str] = Counter()
        self._total = total
        self._started = time.monotonic()
        self._lines = tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="\n")

    def __enter__(self) -> Summary:
        """Return the summary itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the temporary file."""
        self._lines.close()

    def add(self, outcome: Outcome) -> None:
        """Add the outcome of an input that has ended."""
        self.counts[outcome.status] += 1
        line = {
            "input": str(outcome.job.source),
            "status": outcome.status,
            "message": outcome.message,
            "doubts": list(outcome.doubts),
            "report": str(outcome.job.report),
            "outputs": [str(path) for path in outcome.outputs],
            "seconds": round(outcome.seconds, 3),
        }
        self._lines.write(json.dumps(line) + "\n")

    def write(self, path: Path) -> None:
        """Write the summary to *path*, whole or not at all.

        Raises:
            OutputError: the file cannot be written.
        """
        totals = {
            "version": __version__,
            "total": self._total,
            **{status: self.counts[status] for status in ("converted", "skipped", "failed")},
            "interrupted": self.counts.total() < self._total,
            "seconds": round(time.monotonic() - self._started, 3),
        }
        self._lines.seek(0)
        with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(json.dumps(totals) + "\n")
            shutil.copyfileobj(self._lines, stream)


def is_summary(path: Path) -> bool:
    """Return whether the file at *path* is the summary of a batch."""
    try:
        with path.open("rb") as stream:
            totals = json.loads(stream.readline(_LONGEST_TOTALS))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(totals, dict) and totals.keys() >= {"version", "total", "interrupted"}
