"""A batch on a Dask cluster: every input once, with the outputs of one process, whatever dies meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from core.batch import BatchError, BatchOptions
from core.batch.dask_cluster import DaskCluster
from core.batch.python_worker import PythonWorker
from core.batch.work_claims import claimed
from core.cli.batch import batch_command
from core.cli.main import main
from core.convert_options import ConvertOptions
from core.fit import FitOptions
from tests.dask_processes import Cluster
from tests.small_tracks import write_tracks
from tests.summaries import read_summary
from tests.waiting import PATIENCE_S, poll

pytest.importorskip("distributed", reason="Dask is not installed (requirements/cluster.txt)")
pytestmark = pytest.mark.slow

NUM_INPUTS = 20
LONG_PATIENCE_S = 3 * PATIENCE_S


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("dask") / "cluster", workers=2, patience_s=LONG_PATIENCE_S)
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """Return a folder of small tracks, ``in``, and what one process makes of them, ``out``."""
    folder = tmp_path_factory.mktemp("alone")
    write_tracks(folder / "in", NUM_INPUTS)
    assert fit(folder / "in", folder / "out") == 0
    return folder


@pytest.fixture
def tracks(alone) -> Path:
    return alone / "in"


def fit(tracks: Path, out: Path, scheduler: Path | str = "") -> int:
    options = ConvertOptions(formats=("npz",), fit=FitOptions(quality="fast"), up_axis="Z")
    batch = BatchOptions(options, scheduler=str(scheduler))
    return batch_command([tracks], out, batch, PythonWorker, quiet=True)


def beside(tracks: Path, out: Path, scheduler: Path) -> Future[int]:
    """Begin to convert on a cluster."""
    threads = ThreadPoolExecutor(1)
    future = threads.submit(fit, tracks, out, scheduler)
    threads.shutdown(wait=False)
    return future


def outputs(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("*.npz"))}


def assert_whole(out: Path, tracks: Path) -> None:
    """Check that *out* holds what one process makes of the tracks, and nothing unfinished."""
    assert len(outputs(out)) == NUM_INPUTS
    assert outputs(out) == outputs(tracks.parent / "out")
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


def test_a_cluster_converts_as_one_process_does(cluster, tracks, tmp_path):
    out = tmp_path / "out"
    assert fit(tracks, out, cluster.file) == 0
    summary = read_summary(out)
    assert (summary["converted"], summary["failed"], summary["interrupted"]) == (NUM_INPUTS, 0, False)
    assert_whole(out, tracks)
    assert fit(tracks, out, cluster.file) == 0
    assert read_summary(out)["skipped"] == NUM_INPUTS


def test_what_another_run_converts_is_left_to_it(cluster, tracks, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with claimed(out / ".track000003.smplify-claim"):
        run = beside(tracks, out, cluster.file)
        poll(lambda: len(list(out.glob("*.npz"))) == NUM_INPUTS - 1, LONG_PATIENCE_S, "the other outputs")
        time.sleep(1.0)
        assert not run.done()
        assert not (out / "track000003.npz").exists()
    assert run.result(LONG_PATIENCE_S) == 0
    assert_whole(out, tracks)


@pytest.mark.skipif(os.name == "nt", reason="processes are stopped otherwise on Windows")
def test_a_killed_worker_costs_nothing(cluster, tracks, tmp_path):
    out = tmp_path / "out"
    run = beside(tracks, out, cluster.file)
    poll(lambda: list(out.glob("*.npz")), LONG_PATIENCE_S, "the first output")
    cluster.workers[0].send_signal(signal.SIGSTOP)  # so that it holds what it is doing
    cluster.workers[0].kill()
    cluster.workers[0].wait()
    assert run.result(LONG_PATIENCE_S) == 0
    assert_whole(out, tracks)


def test_a_batch_goes_on_with_another_scheduler(cluster, tracks, tmp_path, capfd):
    """The last test of the cluster, which it ends."""
    out, waiting = tmp_path / "out", DaskCluster(BatchOptions(scheduler=str(cluster.file)), [])
    run = beside(tracks, out, cluster.file)
    poll(lambda: list(out.glob("*.npz")), LONG_PATIENCE_S, "the first output")
    cluster.close()
    with pytest.raises(BatchError, match="gone; start it and run this again"):
        run.result(LONG_PATIENCE_S)
    again = Cluster(tmp_path / "again", workers=1, patience_s=LONG_PATIENCE_S)
    try:
        assert fit(tracks, out, again.file) == 0
        poll(lambda: _is_gone(waiting), LONG_PATIENCE_S, "the end of a run none of whose tasks ends")
    finally:
        waiting.stop()
        again.close()
    assert "Traceback" not in capfd.readouterr().err
    assert_whole(out, tracks)


def _is_gone(cluster: DaskCluster) -> bool:
    try:
        return not cluster.window
    except BatchError:
        return True


def test_without_a_scheduler_there_is_one_line(tracks, tmp_path, capsys):
    for address in ("tcp://127.0.0.1:9", "no address"):
        assert main(["fit", str(tracks), "-o", str(tmp_path / "out"), "--scheduler", address]) == 1
        assert f"expected a Dask scheduler at {address}, found none" in capsys.readouterr().err
