"""Inputs that are handed over in groups: who is to blame for a dead worker, and what a task may not overwrite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from core.batch.console import Display
from core.batch.conversion import BatchOptions, Outcome, convert_one
from core.batch.dask_cluster import InputsAmongOutputs, next_group_size
from core.batch.jobs import Job, plan_jobs
from core.batch.runner import Work
from core.batch.summary import Summary
from core.convert_options import ConvertOptions
from tests.summaries import read_summary

from .quick import QuickWorker

OPTIONS = BatchOptions(ConvertOptions(formats=("npz",)))


class Grouping:
    """An engine whose workers die of some inputs, before any input of the task is done."""

    def __init__(self, *deadly: str, window: int = 2, group: int = 8) -> None:
        self.window, self.group, self.sizes = window, group, Counter[int]()
        self._deadly = deadly

    def submit(self, jobs: Sequence[Job]) -> Future[list[Outcome]]:
        self.sizes[len(jobs)] += 1
        future: Future[list[Outcome]] = Future()
        if {job.source.stem for job in jobs} & set(self._deadly):
            future.set_result([Outcome(job, "killed", message="workers died") for job in jobs])
        else:
            future.set_result([convert_one(job, OPTIONS, QuickWorker().convert) for job in jobs])
        return future

    def outcomes(self, jobs: Sequence[Job], future: Future[list[Outcome]]) -> list[Outcome]:
        return future.result()

    def stop(self) -> None:
        pass


@pytest.fixture
def jobs(tmp_path) -> list[Job]:
    (tmp_path / "in").mkdir()
    for number in range(40):
        (tmp_path / "in" / f"walk{number:02}.trc").write_text("keypoints")
    return plan_jobs([tmp_path / "in"], tmp_path / "out")


def work(jobs: Sequence[Job], engine: Grouping, out: Path) -> dict[str, str]:
    """Return the status of each input."""
    with Summary(len(jobs)) as outcomes:
        Work(jobs, engine, outcomes, Display(len(jobs), quiet=True)).do()
        outcomes.write(out / "summary.jsonl")
    return {Path(entry["input"]).stem: entry["status"] for entry in read_summary(out)["inputs"]}


def test_only_the_input_that_kills_alone_too_has_failed(jobs, tmp_path):
    engine = Grouping("walk03", "walk17")
    statuses = work(jobs, engine, tmp_path / "out")
    assert len(statuses) == 40
    assert {name for name, status in statuses.items() if status == "failed"} == {"walk03", "walk17"}
    assert {status for name, status in statuses.items() if name not in ("walk03", "walk17")} == {"converted"}
    assert "workers died" in (tmp_path / "out" / "walk03.smplify.json").read_text()


def test_groups_grow_smaller_towards_the_end(jobs, tmp_path):
    engine = Grouping(window=4)
    assert set(work(jobs, engine, tmp_path / "out").values()) == {"converted"}
    assert max(engine.sizes) == 8 and engine.sizes[1] >= 4


@pytest.mark.parametrize(("seconds", "size"), [(0.0, 64), (0.5, 8), (3.0, 1), (300.0, 1)])
def test_short_inputs_are_grouped(seconds, size):
    assert next_group_size(seconds) == size


def test_a_task_knows_the_inputs_that_it_could_replace(tmp_path):
    inputs = [tmp_path / name for name in ("a.trc", "A_left.npz", "b.npz")]
    for path in inputs:
        path.write_text("keypoints")
    jobs = plan_jobs(inputs, tmp_path)
    near = InputsAmongOutputs(jobs).near(jobs[0])
    assert {path.name for path in near} == {"a.trc", "A_left.npz"}
