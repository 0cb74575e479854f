"""A batch that is killed: ``python -m tests.killed_batch MOVES MODULE ARGUMENTS...``, with a `main` in MODULE.

The process ends, as by a kill that cannot be heeded, right before it puts another file in its place once it has put
MOVES there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module

from tests.conftest import REPOSITORY

KILLED = 9


def kill(moves: int, module: str, arguments: list[str]) -> int:
    """Run the `main` of *module* in a process that is killed after *moves* files; return its exit code."""
    command = [sys.executable, "-m", "tests.killed_batch", str(moves), module, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=300, check=False).returncode


def _end_after(moves: int) -> None:
    replace, left = os.replace, moves

    def count(source: object, target: object) -> None:
        nonlocal left
        if left == 0:
            os._exit(KILLED)
        left -= 1
        replace(source, target)

    os.replace = count


if __name__ == "__main__":
    _end_after(int(sys.argv[1]))
    sys.exit(import_module(sys.argv[2]).main(sys.argv[3:]))
