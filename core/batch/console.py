"""Show the progress of a batch: a redrawn bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import TextIO

from ..printable import printable

_BAR_WIDTH = 24
_REDRAW_INTERVAL_S = 0.1


class Display:
    """The progress of a batch, printed to standard error."""

    def __init__(self, total: int, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        """Show the progress of *total* inputs on *stream*; None for standard error. Show nothing if *quiet*."""
        self._total = total
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._live = self._stream.isatty() and not quiet
        self._lock = threading.Lock()
        self._shares: dict[str, float] = {}
        self._finished = 0
        self._drawn = 0.0

    def update(self, name: str, share: float, what: str) -> None:
        """Show that input *name* has completed *share* (0 to 1) and is at the step *what*; called on any thread."""
        with self._lock:
            self._shares[name] = share
            now = time.monotonic()
            if self._live and now - self._drawn >= _REDRAW_INTERVAL_S:
                self._drawn = now
                self._draw(printable(f"{name}: {what}"))

    def finished(self, name: str, line: str) -> None:
        """Show that input *name* has ended; *line* describes the outcome."""
        with self._lock:
            self._shares.pop(name, None)
            self._finished += 1
            self._say(f"[{self._finished}/{self._total}] {printable(line)}")
            if self._live and self._finished < self._total:
                self._draw("")

    def close(self) -> None:
        """Remove the bar."""
        if self._live:
            self._stream.write(self._cleared(""))
            self._stream.flush()

    def _say(self, line: str) -> None:
        if self._quiet:
            return
        self._stream.write(f"{self._cleared(line)}\n" if self._live else f"{line}\n")
        self._stream.flush()

    def _draw(self, text: str) -> None:
        share = (self._finished + sum(self._shares.values())) / max(self._total, 1)
        filled = round(share * _BAR_WIDTH)
        bar = "#" * filled + "-" * (_BAR_WIDTH - filled)
        line = f"[{bar}] {100 * share:3.0f} % {self._finished}/{self._total} {text}"
        self._stream.write(self._cleared(line[: self._width]))
        self._stream.flush()

    @property
    def _width(self) -> int:
        return shutil.get_terminal_size().columns - 1

    def _cleared(self, line: str) -> str:
        """Return the text that replaces the bar by *line*; blanks, because not every console knows control codes."""
        return f"\r{' ' * self._width}\r{line}"
