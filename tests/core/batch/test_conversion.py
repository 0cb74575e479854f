"""Convert one input anywhere, as an executor of another kind would, and share the inputs of a batch among workers."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from core.batch.conversion import BatchOptions, convert_one
from core.batch.jobs import Job, plan_jobs
from core.batch.runner import run_batch
from core.batch.workers import WorkerDied, WorkerPool, WorkerStartError
from core.convert_options import ConvertOptions
from core.fit import FitOptions
from tests.conftest import REPOSITORY
from tests.summaries import read_summary

from .quick import QuickWorker


@pytest.fixture
def jobs(tmp_path) -> list[Job]:
    paths = [tmp_path / "in" / f"{name}.trc" for name in "abcd"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text("keypoints")
    return plan_jobs(paths, tmp_path / "out")


@pytest.mark.slow
def test_another_executor_converts_and_then_skips(tmp_path):
    (job,) = plan_jobs([REPOSITORY / "samples" / "walk.trc"], tmp_path)
    options = BatchOptions(ConvertOptions(fit=FitOptions(quality="fast")))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        statuses = [pool.submit(convert_one, job, options).result().status for _ in range(2)]
    assert statuses == ["converted", "skipped"]
    assert {path.name for path in tmp_path.iterdir()} == {"walk.npz", "walk.smplify.json"}


def test_workers_are_shared_and_kept(jobs, tmp_path):
    started, together = [], threading.Barrier(2, timeout=60.0)

    class Waits(QuickWorker):
        def __init__(self):
            started.append(self)

        def convert(self, request, on_progress):
            together.wait()  # two at a time, or an error
            return super().convert(request, on_progress)

    assert run_batch(jobs, tmp_path / "out", BatchOptions(jobs=2), Waits) == {"converted": 4}
    entries = read_summary(tmp_path / "out")["inputs"]
    assert sorted(entry["input"] for entry in entries) == [str(job.source) for job in jobs] and len(started) == 2


@pytest.mark.parametrize(("deaths", "status", "workers"), [(1, "converted", 2), (2, "failed", 3)])
def test_an_input_whose_worker_died_is_tried_once_more(jobs, tmp_path, deaths, status, workers):
    started, left = [], [deaths]

    class Dies(QuickWorker):
        def __init__(self):
            started.append(self)

        def convert(self, request, on_progress):
            if request["stem"] == "b" and left[0]:
                left[0] -= 1
                Path(request["folder"], "b.npz").write_text("hal")
                raise WorkerDied("the converting process ended early")
            return super().convert(request, on_progress)

    run_batch(jobs, tmp_path / "out", BatchOptions(), Dies)
    entries = read_summary(tmp_path / "out")["inputs"]
    assert [entry["status"] for entry in entries] == ["converted", status, "converted", "converted"]
    assert len(started) == workers
    if status == "failed":
        assert entries[1]["message"] == "the converting process ended early; it was tried twice"
    else:
        assert (tmp_path / "out" / "b.npz").read_text() == "b.npz of balanced"


def test_a_worker_that_cannot_start_ends_the_batch(jobs, tmp_path):
    class Absent(QuickWorker):
        def wait_until_ready(self):
            raise WorkerStartError("no such program")

    with pytest.raises(WorkerStartError, match="no such program"):
        run_batch(jobs, tmp_path / "out", BatchOptions(), Absent)
    summary = read_summary(tmp_path / "out")
    assert (summary["converted"], summary["failed"], summary["interrupted"]) == (0, 0, True)
    assert not list((tmp_path / "out").glob("*.smplify.json"))


def test_a_stopped_pool_starts_nothing(tmp_path):
    pool = WorkerPool(lambda: pytest.fail("a worker was started"))
    pool.stop()
    with pytest.raises(WorkerDied):
        pool.convert({}, lambda share, what: None)
