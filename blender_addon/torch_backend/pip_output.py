"""Derive pip's progress from its output. Needs neither Blender nor the core."""

from __future__ import annotations

import re
from pathlib import Path

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_DOWNLOADING = re.compile(r"\s*Downloading (\S+?)(?:-cp\d\S*|-py\d\S*)?\.(?:whl|tar\.gz|metadata)\b")
_TAKING = re.compile(r"(?:Collecting|Processing) (?:\S*[/\\])?([A-Za-z0-9._]+(?:-[A-Za-z][A-Za-z0-9._]*)*)")
_INSTALLING = re.compile(r"Installing collected packages: (.+)")
_DOWNLOAD_SHARE = 0.8


class PipProgress:
    """The progress of one ``pip install --progress-bar raw``."""

    def __init__(self, expected_bytes: int, packages: Path) -> None:
        """Start at 0.

        Args:
            expected_bytes: approximate download size.
            packages: the folder that pip installs into.
        """
        self.share = 0.0
        self.what = "Resolving the packages"
        self._expected = max(expected_bytes, 1)
        self._packages = packages
        self._before = 0
        self._now = 0
        self._total = 0
        self._num_packages = 0

    def read_line(self, line: str) -> None:
        """Update the progress from one line of pip's output."""
        if match := _PROGRESS.fullmatch(line.strip()):
            self._downloaded(int(match[1]), int(match[2]))
        elif match := _DOWNLOADING.match(line):
            self._finish_file()
            self.what = f"Downloading {match[1].rpartition('/')[2]}"
        elif match := _TAKING.match(line):
            self._finish_file()
            self.what = f"Looking for {match[1]}"
        elif match := _INSTALLING.match(line):
            self._finish_file()
            self._num_packages = len(match[1].split(","))
            self.what = "Unpacking"
            self.share = max(self.share, _DOWNLOAD_SHARE)

    def count_unpacked(self) -> None:
        """Update the progress from the number of unpacked packages; pip prints nothing meanwhile."""
        if self._num_packages:
            done = len(list(self._packages.glob("*.dist-info"))) / (self._num_packages + 1)
            self.share = max(self.share, _DOWNLOAD_SHARE + (1.0 - _DOWNLOAD_SHARE) * min(done, 1.0))

    def _downloaded(self, now: int, total: int) -> None:
        self._now, self._total = now, total
        share = min((self._before + now) / max(self._expected, self._before + total), 1.0)
        self.share = max(self.share, _DOWNLOAD_SHARE * share)

    def _finish_file(self) -> None:
        self._before += self._total
        self._now = self._total = 0
