"""A batch on a Dask cluster: every input once, with the outputs of one process, whatever dies meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.batch.work_claims import claimed
from core.cli.main import main
from tests.conftest import REPOSITORY
from tests.core.cli.commands import save
from tests.waiting import PATIENCE_S, poll

pytest.importorskip("distributed", reason="Dask is not installed (requirements/cluster.txt)")
pytestmark = pytest.mark.slow

NUM_INPUTS = 6


class Cluster:
    """A scheduler and workers on this machine's loopback, each a process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        try:
            poll(self.file.exists, PATIENCE_S, "the scheduler")
        except AssertionError:
            self.close()
            raise
        self.workers = [self.add_worker() for _ in range(2)]

    def _start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli.dask_" + kind, "--scheduler-file", str(self.file), *options]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        with (self.folder / f"{kind}{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "--no-dashboard"], cwd=self.folder, env=environment, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def add_worker(self) -> subprocess.Popen[bytes]:
        return self._start("worker", "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1")

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path / "cluster")
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """Return a folder of tracks, ``in``, and what one process makes of them, ``out``."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "in").mkdir()
    for number in range(NUM_INPUTS):
        save(folder / "in" / f"walk{number}.npz", fps=np.array(25.0 + number))
    assert fit(folder / "in", folder / "out") == 0
    return folder


@pytest.fixture
def tracks(alone) -> Path:
    return alone / "in"


def fit(tracks: Path, out: Path, *options: str) -> int:
    return main(["fit", str(tracks), "-o", str(out), "--quality", "fast", "--quiet", *options])


def in_background(tracks: Path, out: Path, cluster: Cluster) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "core", "fit", str(tracks), "-o", str(out), "--quality", "fast", "--quiet"]
    return subprocess.Popen(
        [*command, "--scheduler", str(cluster.file)], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
    )


def motions(out: Path) -> dict[str, dict[str, np.ndarray]]:
    found = {}
    for path in sorted(out.glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            found[path.name] = {key: arrays[key] for key in arrays.files}
    return found


def assert_whole(out: Path, tracks: Path) -> None:
    """Check that *out* holds what one process makes of the tracks."""
    expected, shared = motions(tracks.parent / "out"), motions(out)
    assert list(shared) == list(expected)
    assert len(expected) == NUM_INPUTS
    for name, arrays in expected.items():
        for key, array in arrays.items():
            np.testing.assert_array_equal(shared[name][key], array, err_msg=f"{name} {key}")
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


def test_a_cluster_converts_as_one_process_does(cluster, tracks, tmp_path):
    bad = tmp_path / "bad.trc"
    bad.write_bytes(b"")
    inputs = [*sorted(tracks.iterdir()), bad]
    command = ["fit", *map(str, inputs), "-o", str(tmp_path / "out"), "--quality", "fast", "--quiet"]
    assert main([*command, "--scheduler", str(cluster.file)]) == 1
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["converted"], summary["failed"], summary["interrupted"]) == (NUM_INPUTS, 1, False)
    assert_whole(tmp_path / "out", tracks)
    assert fit(tracks, tmp_path / "out", "--scheduler", str(cluster.file)) == 0
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["skipped"] == NUM_INPUTS


def test_a_killed_worker_costs_nothing(cluster, tracks, tmp_path):
    run = in_background(tracks, tmp_path / "out", cluster)
    poll(lambda: list((tmp_path / "out").glob("*.npz")), PATIENCE_S, "the first output")
    cluster.workers[0].kill()
    cluster.workers[0].wait()
    assert "0 failed" in run.communicate(timeout=2 * PATIENCE_S)[1]
    assert run.returncode == 0
    assert_whole(tmp_path / "out", tracks)


def test_a_batch_goes_on_with_another_scheduler(cluster, tracks, tmp_path):
    run = in_background(tracks, tmp_path / "out", cluster)
    poll(lambda: list((tmp_path / "out").glob("*.npz")), PATIENCE_S, "the first output")
    cluster.close()
    message = run.communicate(timeout=PATIENCE_S)[1]
    assert run.returncode == 1
    assert "gone; start it and run this again" in message
    again = Cluster(tmp_path / "again")
    try:
        assert fit(tracks, tmp_path / "out", "--scheduler", str(again.file)) == 0
    finally:
        again.close()
    assert_whole(tmp_path / "out", tracks)


def test_what_another_run_converts_is_left_to_it(cluster, tracks, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with claimed(out / ".walk3.smplify-claim"):
        run = in_background(tracks, out, cluster)
        poll(lambda: len(list(out.glob("*.npz"))) == NUM_INPUTS - 1, PATIENCE_S, "the other outputs")
        time.sleep(1.0)
        assert run.poll() is None
        assert not (out / "walk3.npz").exists()
    run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 0
    assert_whole(out, tracks)


def test_without_a_scheduler_there_is_one_line(tracks, tmp_path, capsys):
    assert fit(tracks, tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9") == 1
    assert "expected a Dask scheduler at tcp://127.0.0.1:9, found none" in capsys.readouterr().err
    assert fit(tracks, tmp_path / "out", "--scheduler", "no address") == 1
    assert "expected a Dask scheduler at no address" in capsys.readouterr().err
