"""Test ``convert`` and ``info``, and commands on a console: exit codes, progress, pipes, file names."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from core.cli.main import main
from core.layouts import BODY25, COCO17
from tests.conftest import REPOSITORY

from .commands import SCENE, WRITTEN, files, fit, read, save


def test_convert_writes_plain_arrays_that_can_be_read_again(recording, out, capsys):
    assert main(["convert", str(recording), "-o", str(out / "plain.npz")]) == 0
    arrays = read(out / "plain.npz")
    assert arrays["positions"].shape == (24, 25, 3) and str(arrays["layout"]) == "body25"
    np.testing.assert_allclose(arrays["positions"], SCENE.track(noise_m=0.002).positions, atol=1e-6)
    assert list(arrays["names"]) == list(BODY25.names) and float(arrays["fps"]) == 30.0
    assert main(["convert", str(out / "plain.npz"), "-o", str(out / "again.npz")]) == 0
    np.testing.assert_array_equal(read(out / "again.npz")["positions"], arrays["positions"])
    assert "24 frames" in capsys.readouterr().out


def test_info_prints_the_layout(tmp_path, capsys):
    path = save(tmp_path / "walk.npz", COCO17)
    assert main(["info", str(path), "--json"]) == 0
    assert "coco17" in capsys.readouterr().out


def test_usage_errors_exit_with_2(capsys):
    for arguments in ([], ["fit"], ["fit", "a.npz"], ["dance"], ["fit", "a", "-o", "b.npz", "--mode", "batch"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
    assert "usage: python -m core" in capsys.readouterr().err


def test_an_interrupt_exits_with_130(recording, out, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("core.pipeline.fit_track", interrupted)
    assert fit(recording, "-o", out / "walk.npz") == 130
    assert "nothing was written" in capsys.readouterr().err and files(out) == set()


def test_progress_goes_to_standard_error(recording, betas, out, capsys):
    assert main(["fit", str(recording), "-o", str(out / "walk.npz"), "--betas", str(betas)]) == 0
    printed = capsys.readouterr()
    assert "Fitting the poses" in printed.err and "Fitting the poses" not in printed.out


@pytest.mark.slow
def test_the_module_runs_as_a_command(recording, betas, out):
    command = [sys.executable, "-m", "core", "fit", recording, "-o", out / "walk.npz", "--betas", betas, "--quiet"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert set(read(out / "walk.npz")) == WRITTEN
    command[4] = recording.with_name("none.npz")
    failed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120)
    assert failed.returncode == 1 and "none.npz" in failed.stderr and failed.stdout == ""


@pytest.mark.slow
def test_file_names_that_the_console_cannot_encode_are_escaped(recording, tmp_path):
    source = recording.rename(recording.with_name("größe 歩.npz"))
    command = [sys.executable, "-m", "core", "info", source]
    console = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=REPOSITORY, env=console, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert rb"gr\xf6\xdfe \u6b69.npz: 1 person" in done.stdout and done.stderr == b""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is another error on Windows")
def test_a_closed_pipe_prints_no_error(recording):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "core", "info", recording]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=writing, stderr=subprocess.PIPE, timeout=120)
    os.close(writing)
    assert done.returncode == 1 and done.stderr == b""
