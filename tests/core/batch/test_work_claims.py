"""Runs that share an output folder convert each input once, and what a killed one claimed is free again."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.batch.conversion import BatchOptions, convert_one
from core.batch.jobs import plan_jobs
from core.batch.runner import run_batch
from core.batch.work_claims import claimed
from core.convert_options import ConvertOptions
from tests.conftest import REPOSITORY
from tests.summaries import read_summary

from .quick import QuickWorker

OPTIONS = BatchOptions(ConvertOptions(formats=("npz",)), jobs=2)


def ended_process() -> int:
    """Return the number of a process that has ended."""
    return int(subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True).stdout)


def make_claim(path: Path, **changes: object) -> None:
    with claimed(path) as ours:
        assert ours
        content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))


def test_a_claim_is_held_by_one(tmp_path):
    path = tmp_path / ".walk.smplify-claim"
    with claimed(path) as first, claimed(path) as second:
        assert (first, second) == (True, False)
        assert path.exists()
    assert list(tmp_path.iterdir()) == []


def test_the_claim_of_an_ended_process_has_expired(tmp_path):
    path = tmp_path / ".walk.smplify-claim"
    make_claim(path, process=ended_process())
    with claimed(path) as ours:
        assert ours
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, "", "{", "5", "[]", '{"process": "x"}', '{"process": 1e99}'])
def test_other_claims_expire_by_their_age(tmp_path, content):
    """Those of another machine, and damaged ones."""
    path = tmp_path / ".walk.smplify-claim"
    make_claim(path, host="another", process=ended_process())
    if content is not None:
        path.write_text(content)
    with claimed(path) as ours:
        assert not ours
    old = time.time() - 1000.0
    os.utime(path, (old, old))
    with claimed(path) as ours:
        assert ours
    assert list(tmp_path.iterdir()) == []


def test_a_run_removes_the_claims_that_a_killed_one_left(tmp_path):
    (tmp_path / "walk.trc").write_text("x")
    (job,) = plan_jobs([tmp_path / "walk.trc"], tmp_path / "out")
    job.target.parent.mkdir()
    for name, process in ((".walk.smplify-claim", ended_process()), (".run.smplify-claim", ended_process())):
        make_claim(tmp_path / "out" / name, process=process)
    with claimed(tmp_path / "out" / ".jump.smplify-claim"):
        run_batch([job], tmp_path / "out", OPTIONS, QuickWorker, quiet=True)
        assert [path.name for path in (tmp_path / "out").glob(".*")] == [".jump.smplify-claim"]


def test_a_claim_that_was_taken_over_is_not_given_back(tmp_path):
    path = tmp_path / ".walk.smplify-claim"
    with claimed(path) as ours:
        assert ours
        path.unlink()
        make_claim(path, host="another")
    assert path.exists()


def test_of_many_takers_of_an_expired_claim_one_gets_it(tmp_path):
    path = tmp_path / ".walk.smplify-claim"
    for _ in range(20):
        make_claim(path, process=ended_process() if _ == 0 else 2**31 - 1)
        barrier, inside = threading.Barrier(8), []

        def take(barrier=barrier, inside=inside) -> bool:
            barrier.wait()
            with claimed(path) as ours:
                if ours:
                    inside.append(1)
                    assert len(inside) == 1
                    time.sleep(0.01)
                    inside.pop()
            return ours

        with ThreadPoolExecutor(8) as threads:
            assert sum(future.result() for future in [threads.submit(take) for _ in range(8)]) >= 1
        assert list(tmp_path.iterdir()) == []


class LoggingWorker(QuickWorker):
    """Writes which process converted each input."""

    def convert(self, request, on_progress):
        time.sleep(0.02)
        log = Path(request["folder"]).parents[1] / "converted.log"
        with log.open("a") as stream:
            stream.write(f"{Path(request['source']).name} {os.getpid()}\n")
        return super().convert(request, on_progress)


def _run(folder: Path) -> None:
    run_batch(plan_jobs([folder / "in"], folder / "out"), folder / "out", OPTIONS, LoggingWorker, quiet=True)


@pytest.mark.slow
def test_two_runs_share_the_work(tmp_path):
    names = [f"walk{number:02}.trc" for number in range(30)]
    (tmp_path / "in").mkdir()
    for name in names:
        (tmp_path / "in" / name).write_text(name)
    spawn = multiprocessing.get_context("spawn")
    runs = [spawn.Process(target=_run, args=(tmp_path,)) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(120)
        assert run.exitcode == 0
    lines = [line.split() for line in (tmp_path / "converted.log").read_text().splitlines()]
    assert sorted(name for name, _ in lines) == names
    summary = read_summary(tmp_path / "out")
    assert (summary["total"], summary["failed"], summary["interrupted"]) == (30, 0, False)
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


def test_an_input_that_another_run_converts_is_waited_for(tmp_path):
    (tmp_path / "walk.trc").write_text("x")
    (job,) = plan_jobs([tmp_path / "walk.trc"], tmp_path / "out")
    job.target.parent.mkdir()
    with claimed(job.claim):
        assert convert_one(job, OPTIONS, QuickWorker().convert).status == "busy"
        with ThreadPoolExecutor(1) as thread:
            future = thread.submit(run_batch, [job], tmp_path / "out", OPTIONS, QuickWorker, quiet=True)
            time.sleep(0.3)
            assert not future.done()
            job.claim.unlink()
            assert future.result(60) == {"converted": 1}


def test_a_claim_that_could_not_be_given_back_is_free_for_its_own_process(tmp_path):
    """The disk was gone at that moment; the claim is there again with the disk."""
    out, away = tmp_path / "out", tmp_path / "away"
    out.mkdir()
    with claimed(out / ".walk.smplify-claim") as ours:
        assert ours
        out.rename(away)
    away.rename(out)
    assert (out / ".walk.smplify-claim").exists()
    with claimed(out / ".walk.smplify-claim") as ours:
        assert ours
    assert list(out.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="limits the size of files as Unix does")
def test_a_claim_that_cannot_be_written_is_none(tmp_path):
    """On a full disk an empty one stayed, and the next run left the input to nobody for two minutes."""
    path = tmp_path / ".walk.smplify-claim"
    code = (
        "import resource; from pathlib import Path; from core.batch.work_claims import claimed; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); claimed(Path({str(path)!r})).__enter__()"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert f"OutputError: expected to write {path}, but this failed" in ended.stderr
    assert list(tmp_path.iterdir()) == []
    with claimed(path) as ours:
        assert ours
