"""Which files a batch replaces: its own, after a kill at any moment too; no changed ones, and never what is read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from blender_addon.batch import worker_process
from blender_addon.batch.cli import main
from tests.conftest import REPOSITORY
from tests.disguises import DISGUISES, disguise

from .killed_batch import QUICK_WORKER

pytestmark = pytest.mark.bpy_module
FORMATS = ("npz", "bvh", "fbx")
MOVES = 3 + len(FORMATS)
"""Files that a batch of one input puts in their place: the report of what is to come, the outputs, the report, the
summary."""


@pytest.fixture
def quick(monkeypatch):
    """Batches whose worker writes texts in no time."""
    monkeypatch.setattr(worker_process, "worker_command", lambda: ([sys.executable, "-c", QUICK_WORKER], None))


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / "in" / "walk.npz"
    path.parent.mkdir()
    path.write_text("keypoints")
    return path


def arguments(source: Path, out: Path, *more: str) -> list[str]:
    return [str(source), "-o", str(out), "--formats", *FORMATS, *more]


def kill(moves: int, worker: str, arguments: list[str]) -> int:
    command = [sys.executable, "-m", "tests.blender_addon.killed_batch", str(moves), worker, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=300, check=False).returncode


def outcome(out: Path) -> tuple[str, str]:
    (entry,) = json.loads((out / "summary.json").read_text())["inputs"]
    return entry["status"], entry["message"]


def outputs(out: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in out.iterdir() if path.suffix.lstrip(".") in FORMATS}


def expected(quality: str) -> dict[str, str]:
    return {f"walk.{suffix}": f"walk.{suffix} of {quality}" for suffix in FORMATS}


@pytest.mark.parametrize("moves", range(MOVES))
def test_the_run_after_a_killed_one_goes_on(quick, source, tmp_path, moves):
    out = tmp_path / "out"
    assert kill(moves, "quick", arguments(source, out)) == 9
    assert set(outputs(out).items()) <= set(expected("balanced").items())
    done = moves == MOVES - 1
    assert main(arguments(source, out)) == 0
    assert outcome(out) == ("skipped" if done else "converted", "")
    assert outputs(out) == expected("balanced")
    assert main(arguments(source, out)) == 0
    assert outcome(out) == ("skipped", "")


@pytest.mark.parametrize("moves", range(MOVES))
def test_so_does_the_one_after_a_run_that_was_killed_as_it_replaced_files(quick, source, tmp_path, moves):
    out = tmp_path / "out"
    assert main(arguments(source, out)) == 0
    assert kill(moves, "quick", arguments(source, out, "--quality", "best")) == 9
    assert kill(moves, "quick", arguments(source, out, "--quality", "fast")) == 9
    for quality in ("best", "balanced"):
        assert main(arguments(source, out, "--quality", quality)) == 0
        assert outcome(out)[0] == "converted"
        assert outputs(out) == expected(quality)


def test_a_batch_makes_no_folder_that_its_worker_does_not_know_of(quick, source, tmp_path, monkeypatch):
    """So what a kill leaves is removed by the worker, which outlives it."""
    sent, convert = [], worker_process.WorkerProcess.convert

    def look(worker, request, on_progress):
        sent.append(sorted(path.name for path in Path(request["folder"]).parent.iterdir()))
        return convert(worker, request, on_progress)

    monkeypatch.setattr(worker_process.WorkerProcess, "convert", look)
    assert main(arguments(source, tmp_path / "out")) == 0
    assert sent == [[]]


def test_the_run_is_counted_to_its_end(quick, source, tmp_path):
    """So the tests above kill it at each point there is."""
    assert kill(MOVES - 1, "quick", arguments(source, tmp_path / "one")) == 9
    assert kill(MOVES, "quick", arguments(source, tmp_path / "two")) == 0


def test_with_blender_as_well(write_track, tmp_path):
    pytest.importorskip("bpy", reason="needs Blender's Python module")
    walk, out = write_track(tmp_path / "walk.npz"), tmp_path / "out"
    command = [str(walk), "-o", str(out), "--formats", "npz", "bvh"]
    assert kill(2, "blender", command) == 9
    assert (out / "walk.npz").is_file() and not (out / "walk.bvh").exists()
    assert main(command) == 0
    assert outcome(out) == ("converted", "")
    assert (out / "walk.bvh").read_text().startswith("HIERARCHY")


def test_a_file_that_somebody_put_where_a_killed_run_would_have_written_is_theirs(quick, source, tmp_path):
    out = tmp_path / "out"
    assert kill(2, "quick", arguments(source, out)) == 9
    assert outputs(out) == {"walk.npz": "walk.npz of balanced"}
    (out / "walk.bvh").write_text("somebody's work")
    assert main(arguments(source, out)) == 1
    assert "walk.bvh (changed since this tool wrote it)" in outcome(out)[1] and "walk.npz" not in outcome(out)[1]
    assert (out / "walk.bvh").read_text() == "somebody's work"
    (out / "walk.bvh").unlink()
    assert main(arguments(source, out)) == 0


def test_a_file_that_was_worked_on_since_is_not_replaced(quick, source, tmp_path):
    out = tmp_path / "out"
    assert main(arguments(source, out)) == 0
    edited = "walk.fbx as I like it"[: len("walk.fbx of balanced")]  # of the same size
    (out / "walk.fbx").write_text(edited)
    for _ in range(2):
        assert main(arguments(source, out, "--quality", "best")) == 1
        assert "walk.fbx (changed since this tool wrote it)" in outcome(out)[1]
        assert outputs(out) == {**expected("balanced"), "walk.fbx": edited}
    assert main(arguments(source, out, "--quality", "best", "--force")) == 0
    assert outputs(out) == expected("best")


def test_an_empty_file_is_what_a_power_cut_left(quick, source, tmp_path):
    out = tmp_path / "out"
    assert main(arguments(source, out)) == 0
    (out / "walk.fbx").write_bytes(b"")
    assert main(arguments(source, out)) == 0
    assert outputs(out) == expected("balanced")


def test_files_of_formats_that_were_asked_for_before_are_still_known(quick, source, tmp_path):
    out = tmp_path / "out"
    for quality, formats in (("balanced", ["npz"]), ("balanced", ["bvh"]), ("best", ["npz"]), ("fast", ["bvh"])):
        assert main([str(source), "-o", str(out), "--quality", quality, "--formats", *formats]) == 0
        assert outcome(out) == ("converted", "")
    assert outputs(out) == {"walk.npz": "walk.npz of best", "walk.bvh": "walk.bvh of fast"}


@pytest.mark.parametrize("kind", DISGUISES[3:])
def test_not_even_force_replaces_what_is_read(quick, source, tmp_path, kind):
    """The folder that is written to holds links to the inputs, under the names of the outputs."""
    reads = {name: tmp_path / name / "walk.npz" for name in ("body", "betas", "project")}
    for name, path in reads.items():
        path.parent.mkdir()
        path.write_text(name)
    reads["input"] = source
    options = [f"--{name}={reads[name]}" for name in ("body", "betas")]
    for path in reads.values():
        out = disguise(path, kind).parent
        command = [str(source), "-o", str(out), *options, "--formats", "npz", "--force"]
        assert main(command, protected={reads["project"]: "the open project"}) == 1
        status, message = outcome(out)
        assert status == "failed" and "to be another file than" in message
    assert {name: path.read_text() for name, path in reads.items()} == {
        "body": "body", "betas": "betas", "project": "project", "input": "keypoints",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["summary.json", "walk.smplify.json"])
def test_neither_report_nor_summary_replaces_an_input(quick, source, tmp_path, capfd, name):
    given = source.with_name(name)
    given.write_text("keypoints")
    assert main([str(source), str(given), "-o", str(source.parent), "--formats", "bvh", "--force"]) == 2
    assert f"to be another file than an input, got {given}" in capfd.readouterr().err
    assert {path.name: path.read_text() for path in source.parent.iterdir()} == {
        "walk.npz": "keypoints", name: "keypoints",
    }  # fmt: skip
