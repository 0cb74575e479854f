"""Shards of a batch: together they do what the whole does, each input once, in files of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.batch.jobs import BatchError, Job, Shard, plan_jobs
from core.cli.main import main as command
from tests.summaries import read_summary

from .quick import main


@pytest.fixture
def folder(tmp_path) -> Path:
    for number in range(7):
        path = tmp_path / "in" / f"day{number % 2}" / f"walk{number}.trc"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"keypoints {number}")
    return tmp_path / "in"


def run(folder: Path, out: Path, *options: str) -> dict[str, object]:
    assert main([str(folder), "-o", str(out), "--formats", "npz", *options]) == 0
    name = f"summary-{options[1].replace('/', '-of-')}.jsonl" if options else "summary.jsonl"
    return read_summary(out, name)


def written(out: Path) -> dict[str, str]:
    return {path.relative_to(out).as_posix(): path.read_text() for path in sorted(out.rglob("*.npz"))}


@pytest.mark.parametrize("count", [1, 2, 3, 7, 12])
def test_shards_share_all_inputs(folder, tmp_path, count):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run(folder, whole)["converted"] == 7
    sizes = [run(folder, parts, "--shard", f"{index}/{count}")["converted"] for index in range(1, count + 1)]
    assert sum(sizes) == 7
    assert max(sizes) - min(sizes) <= 1
    assert written(parts) == written(whole)
    again = run(folder, parts)
    assert (again["converted"], again["skipped"]) == (0, 7)


def test_a_shard_knows_the_files_of_the_others(tmp_path):
    """The second input is in another shard, but the first one's output would still replace it."""
    for name in ("a.trc", "a.npz"):
        (tmp_path / name).write_text(name)
    inputs = [str(tmp_path / name) for name in ("a.trc", "a.npz")]
    main([*inputs, "-o", str(tmp_path), "--formats", "npz", "--overwrite", "--shard", "1/2"])
    assert (tmp_path / "a.npz").read_text() == "a.npz"


@pytest.mark.parametrize("name", ["summary.json", "summary-2-of-3.json"])
def test_summaries_of_earlier_versions_are_no_inputs(folder, tmp_path, name):
    (folder / name).write_text('{"total": 0, "inputs": []}')
    assert len(plan_jobs([folder], tmp_path / "other")) == 7


def test_every_job_is_in_one_shard():
    jobs = [Job(Path(str(number)), Path(str(number))) for number in range(10)]
    for count in range(1, 13):
        parts = [Shard(index, count).of(jobs) for index in range(1, count + 1)]
        assert sorted((job for part in parts for job in part), key=lambda job: int(str(job.source))) == jobs


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "-1/3", "1", "1/2/3", "a/b", "1.0/2", "\u00b9/3", ""])
def test_other_shards_are_errors(text, folder, tmp_path, capsys):
    with pytest.raises(BatchError, match="expected a shard I/N"):
        Shard.parse(text)
    with pytest.raises(SystemExit) as ended:
        command(["fit", str(folder), "-o", str(tmp_path / "out"), f"--shard={text}"])
    assert ended.value.code == 2
    assert "expected a shard I/N" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
