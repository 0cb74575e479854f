"""Test ``fit`` on many files: where outputs go, what is skipped, reports, refusals, interrupts and kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.batch import python_worker
from core.batch.work_claims import remove_expired_claims
from core.cli.main import main
from core.io.temporary_folders import remove_leftovers
from tests.conftest import REPOSITORY
from tests.killed_batch import KILLED, kill
from tests.processes import children_of, is_running
from tests.summaries import read_summary, statuses
from tests.waiting import PATIENCE_S, poll

from .commands import SCENE, files, fit, read, save, two_people

pytestmark = pytest.mark.slow


def message(out: Path) -> str:
    (entry,) = read_summary(out)["inputs"]
    return entry["message"]


def test_a_folder_becomes_a_tree_of_the_same_files_as_one_by_one(recording, betas, tmp_path, out, capsys):
    (recording.parent / "day").mkdir()
    save(recording.parent / "day" / "run.npz")
    (recording.parent / "bad.trc").write_bytes(b"")
    options = ("--betas", betas, "--out-up", "Y", "--quality", "fast", "--foot-lock", "1", "--out-fps", "24")
    arguments = (recording.parent / "day", recording, recording.parent / "bad.trc", "-o", out, *options)
    assert fit(*arguments, "--jobs", "2") == 1
    assert statuses(out) == {"run.npz": "converted", "walk.npz": "converted", "bad.trc": "failed"}
    reports = {"day/run.smplify.json", "walk.smplify.json", "bad.smplify.json"}
    assert files(out) == {"summary.jsonl", "day", "day/run.npz", "walk.npz", *reports}
    assert fit(recording, "-o", tmp_path / "one.npz", "--report", tmp_path / "one.json", *options) == 0
    one, many = read(tmp_path / "one.npz"), read(out / "walk.npz")
    assert set(one) == set(many)
    for name in one:
        np.testing.assert_array_equal(many[name], one[name])
    report = json.loads((out / "walk.smplify.json").read_text())
    (person,) = report["people"]
    assert (person["layout"], person["frames"], person["fps"]) == ("body25", 19, 24.0)
    assert person["betas"] == pytest.approx(SCENE.known_betas().tolist())
    assert person["fit"]["keypoint_error_mm"] == json.loads((tmp_path / "one.json").read_text())["keypoint_error_mm"]
    assert "1 failed; see " in capsys.readouterr().err


def test_what_is_done_is_skipped_until_anything_that_counts_changes(recording, betas, out, capsys):
    arguments = ("fit", str(recording), "-o", str(out), "--betas", str(betas), "--mode", "frames")
    for more, status in (
        ((), "converted"), (("--jobs", "2"), "skipped"), (("--overwrite",), "converted"),
        (("--out-up", "Y"), "converted"),
    ):  # fmt: skip
        assert main([*arguments, *more]) == 0
        assert statuses(out) == {"walk.npz": status}
        assert ("unchanged walk.npz" if status == "skipped" else "walk.npz -> walk.npz (") in capsys.readouterr().err
    np.save(betas, SCENE.known_betas() + 0.1)
    assert main([*arguments, "--out-up", "Y"]) == 0
    assert statuses(out) == {"walk.npz": "converted"}


@pytest.mark.parametrize("output", ["out", "out.28/", "there.28", "."])
def test_an_output_that_names_a_folder_makes_a_batch(recording, betas, tmp_path, monkeypatch, output):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.28").mkdir()
    assert fit(recording, "--betas", betas, "-o", output, "--mode", "frames") == 0
    assert {"walk.npz", "walk.smplify.json", "summary.jsonl"} <= files(tmp_path / output)


def test_each_person_of_an_input_gets_a_labelled_output(tmp_path, betas, out):
    people = two_people(tmp_path / "people")
    assert fit(people, "--fps", 30, "--betas", betas, "-o", out) == 0
    assert files(out) == {"people_3.npz", "people_7.npz", "people.smplify.json", "summary.jsonl"}


def test_doubts_and_feet_that_never_stand_are_in_line_and_report(tmp_path, betas, out, capsys):
    positions = np.nan_to_num(SCENE.track(noise_m=0.002).positions)
    positions[..., 1] -= 0.15 * np.arange(24)[:, None]
    falling = save(tmp_path / "in" / "fall.npz", positions=positions[..., [0, 2, 1]] * [1.0, -1.0, 1.0])
    assert main(["fit", str(falling), "-o", str(out), "--betas", str(betas), "--foot-lock", "1"]) == 0
    (person,) = json.loads((out / "fall.smplify.json").read_text())["people"]
    assert "no foot of the person ever stands" in person["notes"][-1]
    assert person["doubts"] and f"{len(person['doubts'])} doubt" in capsys.readouterr().err


def test_what_cannot_be_a_batch_is_refused_before_any_work(recording, betas, out, tmp_path, capsys):
    refusals = [
        ((recording, betas, "-o", out / "walk.npz"), "expected a folder for the outputs of 2 inputs"),
        ((recording, "-o", out, "--report", out / "walk.json"), "expected no --report for a batch"),
        ((recording, "-o", out, "--foot-lock", "2"), "expected foot_lock from 0 to 1"),
        ((tmp_path / "gone.trc", "-o", out), "gone.trc"),
        ((recording.parent, "-o", recording.parent), "other than the input folder"),
        ((recording, "-o", recording / "below"), "below cannot be one"),
        ((recording, "-o", out / ("long" * 100)), "longlong"),
    ]
    for arguments, part in refusals:
        assert fit(*arguments) == 1
        printed = capsys.readouterr().err
        assert part in printed and printed.startswith("python -m core: ")
    assert files(out) == set() and files(recording.parent) == {"walk.npz", "betas.npy"}


def test_an_input_is_not_replaced_even_with_overwrite(recording, betas):
    before = recording.read_bytes()
    assert fit(recording, "--betas", betas, "-o", recording.parent, "--overwrite") == 1
    assert "used by" in message(recording.parent) and recording.read_bytes() == before


class Crashes(python_worker.PythonWorker):
    """A worker whose process dies of each input."""

    def convert(self, request, on_progress):
        self._process.kill()
        return super().convert(request, on_progress)


def test_a_crashing_worker_fails_only_its_input(recording, out, monkeypatch):
    monkeypatch.setattr("core.cli.main.PythonWorker", Crashes)
    assert fit(recording, "-o", out) == 1
    assert "ended early" in message(out) and files(out) == {"walk.smplify.json", "summary.jsonl"}


@pytest.mark.slow
@pytest.mark.parametrize("moves", [1, 2])
def test_a_run_after_a_killed_one_completes_the_outputs(recording, betas, out, moves):
    """Killed before and after the output is in its place; tests/core/batch kills a batch at each point."""
    arguments = ["fit", str(recording), "-o", str(out), "--betas", str(betas), "--mode", "frames"]
    assert kill(moves, "core.cli.main", arguments) == KILLED
    assert (out / "walk.npz").exists() == (moves > 1)
    assert main(arguments) == 0
    assert statuses(out) == {"walk.npz": "converted"}
    assert set(read(out / "walk.npz")) >= {"poses", "trans"}


def start(recording: Path, out: Path, **more: Any) -> subprocess.Popen[str]:
    """Start a batch with a short recording and two long ones; return it when the short one is done."""
    positions = np.nan_to_num(np.tile(SCENE.track(noise_m=0.002).positions, (150, 1, 1)))
    for name in ("x", "y"):
        save(recording.with_name(f"{name}.npz"), positions=positions, confidence=np.ones(positions.shape[:2]))
    command = [sys.executable, "-m", "core", "fit", recording.parent, "-o", out, "--jobs", "2", "--quality", "best"]
    run = subprocess.Popen(list(map(str, command)), cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, **more)
    assert run.stderr is not None and "[1/3] walk.npz -> walk.npz" in run.stderr.readline()
    return run


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise on Windows")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_half_written(recording, out, number):
    run = start(recording, out, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    run.send_signal(number)
    _, printed = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 130 and "run it again to continue" in printed and "Traceback" not in printed
    assert not [name for name in files(out) if name.startswith(".")]
    for report in out.glob("*.smplify.json"):
        content = json.loads(report.read_text())
        assert content["status"] == "converted"
        assert all((out / entry["file"]).stat().st_size == entry["bytes"] for entry in content["outputs"])
    assert read_summary(out)["interrupted"] is True


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the workers in /proc")
def test_the_workers_of_a_killed_batch_end(recording, out):
    run = start(recording, out)
    workers = children_of(run.pid)
    assert len(workers) >= 2
    run.kill()
    run.wait()
    poll(lambda: not any(is_running(pid) for pid in workers), PATIENCE_S, "the workers to end")
    remove_leftovers(out)  # of a job whose folder was made but which no worker had got
    remove_expired_claims(out)
    assert files(out) == {"walk.npz", "walk.smplify.json"}
