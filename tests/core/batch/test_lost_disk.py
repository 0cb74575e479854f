"""A machine that loses the disk for a moment: each input is converted once the disk is there, and nothing elsewhere."""

from __future__ import annotations

import _thread
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import core.batch.lost_disk
from core.batch.conversion import BatchOptions, convert_one
from core.batch.jobs import Job, plan_jobs
from core.batch.runner import run_batch
from core.batch.workers import failure
from core.convert_options import ConvertOptions
from core.errors import InputMissingError, OutputError, TrackFileError
from core.io.atomic_files import atomic_path
from core.io.npz import read_npz
from tests.summaries import read_summary

from .quick import QuickWorker

OPTIONS = BatchOptions(ConvertOptions(formats=("npz",)))


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(core.batch.lost_disk, "_POLL_S", 0.01)
    monkeypatch.setattr(core.batch.lost_disk, "_PATIENCE_S", 0.2)


@pytest.fixture
def disk(tmp_path) -> Path:
    for name in "abc":
        path = tmp_path / "disk" / "in" / f"{name}.trc"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("keypoints")
    (tmp_path / "disk" / "out").mkdir()
    return tmp_path / "disk"


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let an interrupt raise KeyboardInterrupt: a script's background jobs inherit it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def jobs_on(disk: Path) -> list[Job]:
    return plan_jobs([disk / "in"], disk / "out")


class Disk:
    """Takes the disk away, and puts it back after it was asked for a number of times."""

    def __init__(self, disk: Path, polls: int) -> None:
        self._disk, self._polls = disk, polls
        self.waited = 0

    def take_away(self) -> None:
        self._disk.rename(self._disk.with_name("away"))

    def on_progress(self, share: float, what: str) -> None:
        if what == "Waiting for the disk":
            assert not self._disk.exists()
            self.waited += 1
            if self.waited == self._polls:
                self._disk.with_name("away").rename(self._disk)


def test_a_lost_disk_is_waited_for(disk):
    job, *_ = jobs_on(disk)
    found = Disk(disk, polls=3)
    found.take_away()
    outcome = convert_one(job, OPTIONS, QuickWorker().convert, on_progress=found.on_progress, create_folder=False)
    assert (outcome.status, found.waited) == ("converted", 3)


def test_a_disk_that_is_lost_during_the_work_costs_one_more_try(disk):
    job, *_ = jobs_on(disk)
    found, tries = Disk(disk, polls=2), []

    def convert(request, on_progress):
        tries.append(request)
        if len(tries) == 1:
            found.take_away()
            try:
                with atomic_path(Path(request["folder"]) / "a.npz") as path:
                    path.write_text("keypoints")
            except OutputError as error:
                return failure(error, Path(request["folder"]))
        return QuickWorker().convert(request, on_progress)

    outcome = convert_one(job, OPTIONS, convert, on_progress=found.on_progress)
    assert (outcome.status, len(tries)) == ("converted", 2)
    assert {path.name for path in (disk / "out").iterdir()} == {"a.npz", "a.smplify.json"}


def test_a_disk_that_stays_away_fails_the_input_and_nothing_is_written_where_it_was(disk):
    job, *_ = jobs_on(disk)
    disk.rename(disk.with_name("away"))
    outcome = convert_one(job, OPTIONS, QuickWorker().convert, create_folder=False)
    assert outcome.status == "failed" and "nor can its report be written" in outcome.message
    assert not disk.exists()


def test_an_input_that_was_removed_is_not_waited_for(disk, monkeypatch):
    monkeypatch.setattr(core.batch.lost_disk, "_PATIENCE_S", 1e9)
    job, *_ = jobs_on(disk)
    job.source.unlink()
    assert convert_one(job, OPTIONS, QuickWorker().convert).status == "failed"


@pytest.mark.usefixtures("ctrl_c")
def test_a_batch_can_be_ended_while_it_waits(disk, monkeypatch):
    monkeypatch.setattr(core.batch.lost_disk, "_PATIENCE_S", 1e9)
    jobs = jobs_on(disk)

    class Loses(QuickWorker):
        def convert(self, request, on_progress):
            disk.rename(disk.with_name("away"))
            _thread.interrupt_main()
            return failure(FileNotFoundError(), Path(request["folder"]))

    with pytest.raises(KeyboardInterrupt):
        run_batch(jobs, disk.parent / "summary", OPTIONS, Loses, quiet=True)
    assert read_summary(disk.parent / "summary")["interrupted"] is True


def test_errors_of_the_files_are_told_from_those_of_the_disk(tmp_path):
    with pytest.raises(InputMissingError) as gone:
        read_npz(tmp_path / "gone.npz", (), error=TrackFileError)
    (tmp_path / "bad.npz").write_bytes(b"PK")
    with pytest.raises(TrackFileError) as bad:
        read_npz(tmp_path / "bad.npz", (), error=TrackFileError)
    assert [failure(found.value, tmp_path)["disk_lost"] for found in (gone, bad)] == [True, False]
