"""A scheduler and workers of Dask on this machine's loopback, each a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.waiting import poll


class Cluster:
    """One scheduler and its workers."""

    def __init__(self, folder: Path, *, workers: int, patience_s: float, run: Sequence[str] = ("-m",)) -> None:
        """Start them, and wait for the scheduler.

        Args:
            folder: where their logs are, and the scheduler file.
            workers: number of workers, each with one thread.
            patience_s: how long to wait.
            run: what comes before the name of a module in its command.
        """
        folder.mkdir(parents=True)
        self.folder = folder
        self.file = folder / "scheduler.json"
        self._run = run
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        try:
            poll(self.file.exists, patience_s, "the scheduler")
        except AssertionError:
            self.close()
            raise
        self.workers = [self.add_worker() for _ in range(workers)]

    def _start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        module = "distributed.cli.dask_" + kind
        command = [sys.executable, *self._run, module, "--scheduler-file", str(self.file), *options, "--no-dashboard"]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        with (self.folder / f"{kind}{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def add_worker(self) -> subprocess.Popen[bytes]:
        """Start one more worker."""
        return self._start("worker", "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1")

    def close(self) -> None:
        """Kill all that is left."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()
