"""Log of a run: console and ``log.txt``, metrics in ``metrics.jsonl`` and TensorBoard, and a progress bar.

Only the first process writes; the others have a silent log.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_logger = logging.getLogger(__name__)
_BAR_WIDTH = 24
_BAR_EVERY_S = 0.2


class RunLog:
    """The log of a run.

    Attributes:
        folder: folder of the files, or None for a silent log.
    """

    def __init__(self, folder: Path | None, *, tensorboard: bool = False) -> None:
        """Open the log in *folder*, appending to existing files.

        Args:
            folder: the run's folder; None creates a silent log.
            tensorboard: also write TensorBoard events; if that package is not installed, warn once.
        """
        self.folder = folder
        self._writer: Any = None
        self._handlers: list[logging.Handler] = []
        self._bar_time = 0.0
        self._bar_shown = False
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        root = logging.getLogger("training")
        root.setLevel(logging.INFO)
        formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
        for handler in (logging.StreamHandler(sys.stderr), logging.FileHandler(folder / "log.txt", encoding="utf-8")):
            handler.setFormatter(formatter)
            root.addHandler(handler)
            self._handlers.append(handler)
        if tensorboard:
            self._writer = _tensorboard_writer(folder)

    def info(self, message: str) -> None:
        """Log a message."""
        if self.folder is not None:
            self._clear_bar()
            _logger.info("%s", message)

    def metrics(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Write the metrics of a *step*: a line in ``metrics.jsonl``, and scalars ``kind/name`` for TensorBoard."""
        if self.folder is None:
            return
        with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"kind": kind, "step": step, **values}) + "\n")
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(f"{kind}/{name}", value, step)

    def image(self, name: str, step: int, pixels: np.ndarray) -> None:
        """Write an image (H, W, 3) uint8 for TensorBoard."""
        if self._writer is not None:
            self._writer.add_image(name, pixels, step, dataformats="HWC")

    def bar(self, done: int, total: int, text: str) -> None:
        """Show the progress of an epoch on a terminal, at most five times per second."""
        now = time.monotonic()
        if self.folder is None or not sys.stderr.isatty() or (now - self._bar_time < _BAR_EVERY_S and done < total):
            return
        self._bar_time, self._bar_shown = now, True
        filled = _BAR_WIDTH * done // max(total, 1)
        print(f"\r[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}] {done}/{total} {text}\x1b[K", end="", file=sys.stderr)

    def close(self) -> None:
        """Close the files."""
        self._clear_bar()
        if self._writer is not None:
            self._writer.close()
        for handler in self._handlers:
            logging.getLogger("training").removeHandler(handler)
            handler.close()
        self._handlers = []

    def _clear_bar(self) -> None:
        if self._bar_shown:
            print("\r\x1b[K", end="", file=sys.stderr)
            self._bar_shown = False


def _tensorboard_writer(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        _logger.warning(
            "no TensorBoard files are written: the package tensorboard is not installed (pip install -c "
            "constraints.txt -r requirements/train.txt); all metrics are still written to metrics.jsonl and log.txt"
        )
        return None
    return SummaryWriter(str(folder))
