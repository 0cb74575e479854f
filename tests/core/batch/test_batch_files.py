"""Which files a batch replaces: its own, after a kill at any moment too; no changed ones, and never what is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import OutputError
from tests.disguises import DISGUISES, disguise
from tests.killed_batch import KILLED, kill
from tests.summaries import read_summary

from .quick import main

QUICK = "tests.core.batch.quick"
FORMATS = ("npz", "bvh", "fbx")
MOVES = 3 + len(FORMATS)
"""Files that a batch of one input puts in their place: the report of what is to come, the outputs, the report, the
summary."""


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / "in" / "walk.npz"
    path.parent.mkdir()
    path.write_text("keypoints")
    return path


def arguments(source: Path, out: Path, *more: str) -> list[str]:
    return [str(source), "-o", str(out), "--formats", *FORMATS, *more]


def outcome(out: Path) -> tuple[str, str]:
    (entry,) = read_summary(out)["inputs"]
    return entry["status"], entry["message"]


def outputs(out: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in out.iterdir() if path.suffix.lstrip(".") in FORMATS}


def expected(quality: str) -> dict[str, str]:
    return {f"walk.{suffix}": f"walk.{suffix} of {quality}" for suffix in FORMATS}


@pytest.mark.slow
@pytest.mark.parametrize("moves", range(MOVES))
def test_the_run_after_a_killed_one_goes_on(source, tmp_path, moves):
    out = tmp_path / "out"
    assert kill(moves, QUICK, arguments(source, out)) == KILLED
    assert set(outputs(out).items()) <= set(expected("balanced").items())
    done = moves == MOVES - 1
    assert main(arguments(source, out)) == 0
    assert outcome(out) == ("skipped" if done else "converted", "")
    assert outputs(out) == expected("balanced")
    assert main(arguments(source, out)) == 0
    assert outcome(out) == ("skipped", "")


@pytest.mark.slow
@pytest.mark.parametrize("moves", range(MOVES))
def test_so_does_the_one_after_a_run_that_was_killed_as_it_replaced_files(source, tmp_path, moves):
    out = tmp_path / "out"
    assert main(arguments(source, out)) == 0
    assert kill(moves, QUICK, arguments(source, out, "--quality", "best")) == KILLED
    assert kill(moves, QUICK, arguments(source, out, "--quality", "fast")) == KILLED
    for quality in ("best", "balanced"):
        assert main(arguments(source, out, "--quality", quality)) == 0
        assert outcome(out)[0] == "converted"
        assert outputs(out) == expected(quality)


@pytest.mark.slow
def test_the_run_is_counted_to_its_end(source, tmp_path):
    """So the tests above kill it at each point there is."""
    assert kill(MOVES - 1, QUICK, arguments(source, tmp_path / "one")) == KILLED
    assert kill(MOVES, QUICK, arguments(source, tmp_path / "two")) == 0


def test_a_file_that_somebody_put_where_a_killed_run_would_have_written_is_theirs(source, tmp_path):
    out = tmp_path / "out"
    assert kill(2, QUICK, arguments(source, out)) == KILLED
    assert outputs(out) == {"walk.npz": "walk.npz of balanced"}
    (out / "walk.bvh").write_text("somebody's work")
    assert main(arguments(source, out)) == 1
    assert "walk.bvh (changed since this tool wrote it)" in outcome(out)[1] and "walk.npz" not in outcome(out)[1]
    assert (out / "walk.bvh").read_text() == "somebody's work"
    (out / "walk.bvh").unlink()
    assert main(arguments(source, out)) == 0


def test_a_file_that_was_worked_on_since_is_not_replaced(source, tmp_path):
    out = tmp_path / "out"
    assert main(arguments(source, out)) == 0
    edited = "walk.fbx as I like it"[: len("walk.fbx of balanced")]  # of the same size
    (out / "walk.fbx").write_text(edited)
    for _ in range(2):
        assert main(arguments(source, out, "--quality", "best")) == 1
        assert "walk.fbx (changed since this tool wrote it)" in outcome(out)[1]
        assert outputs(out) == {**expected("balanced"), "walk.fbx": edited}
    assert main(arguments(source, out, "--quality", "best", "--overwrite")) == 0
    assert outputs(out) == expected("best")


def test_an_empty_file_is_what_a_power_cut_left(source, tmp_path):
    out = tmp_path / "out"
    assert main(arguments(source, out)) == 0
    (out / "walk.fbx").write_bytes(b"")
    assert main(arguments(source, out)) == 0
    assert outputs(out) == expected("balanced")


def test_files_of_formats_that_were_asked_for_before_are_still_known(source, tmp_path):
    out = tmp_path / "out"
    for quality, formats in (("balanced", ["npz"]), ("balanced", ["bvh"]), ("best", ["npz"]), ("fast", ["bvh"])):
        assert main([str(source), "-o", str(out), "--quality", quality, "--formats", *formats]) == 0
        assert outcome(out) == ("converted", "")
    assert outputs(out) == {"walk.npz": "walk.npz of best", "walk.bvh": "walk.bvh of fast"}


@pytest.mark.parametrize("kind", DISGUISES[3:])
def test_not_even_force_replaces_what_is_read(source, tmp_path, kind):
    """The folder that is written to holds links to the inputs, under the names of the outputs."""
    reads = {
        name: tmp_path / name / "walk.npz" for name in ("body", "betas", "regressor", "network", "prior", "project")
    }
    for name, path in reads.items():
        path.parent.mkdir()
        path.write_text(name)
    options = [f"--{name}={path}" for name, path in reads.items() if name != "project"]
    reads["input"] = source
    for path in reads.values():
        out = disguise(path, kind).parent
        command = [str(source), "-o", str(out), *options, "--formats", "npz", "--overwrite"]
        assert main(command, protected={reads["project"]: "the open project"}) == 1
        status, message = outcome(out)
        assert status == "failed" and "to be another file than" in message
    assert {name: path.read_text() for name, path in reads.items()} == {name: name for name in reads} | {
        "input": "keypoints"
    }


@pytest.mark.parametrize("name", ["summary.jsonl", "walk.smplify.json"])
def test_neither_report_nor_summary_replaces_an_input(source, name):
    given = source.with_name(name)
    given.write_text("keypoints")
    with pytest.raises(OutputError, match="to be another file than an input, got"):
        main([str(source), str(given), "-o", str(source.parent), "--formats", "bvh", "--overwrite"])
    assert {path.name: path.read_text() for path in source.parent.iterdir()} == {
        "walk.npz": "keypoints", name: "keypoints",
    }  # fmt: skip
