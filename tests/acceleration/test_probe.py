"""Probe another Python; every fault is reported as text."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from blender_addon.background.task import TaskCancelled
from blender_addon.torch_backend.probe import Device, ProbeError, PythonInfo, probe, python_in
from tests.acceleration.stand_ins import TORCH
from tests.processes import is_running
from tests.waiting import PATIENCE_S, poll

posix = pytest.mark.skipif(os.name == "nt", reason="needs shell scripts")


@pytest.fixture
def program(tmp_path):
    """A writer of shell scripts that pretend to be a Python."""

    def write(text: str, mode: int = 0o755) -> Path:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(mode)
        return path

    return write


def with_module(python: Path, name: str, code: str) -> Path:
    """Put a module into the environment of *python*."""
    site = next(python.parent.parent.glob("lib*/**/site-packages"))
    (site / f"{name}.py").write_text(code, encoding="utf-8")
    return site / f"{name}.py"


def test_a_python_with_torch_reports_its_versions(torch_python):
    info = probe(torch_python)
    import torch

    assert (info.path, info.version) == (str(torch_python), ".".join(map(str, sys.version_info[:3])))
    assert (info.numpy, info.torch) == (np.__version__, torch.__version__)
    assert bool(info.devices) == (torch.cuda.is_available() or torch.backends.mps.is_available())


def test_every_gpu_is_named_and_one_that_cannot_compute_says_why(numpy_python):
    module = with_module(numpy_python, "torch", TORCH)
    try:
        info = probe(numpy_python)
    finally:
        module.unlink()
    fault = "no kernel image is available for execution on the device"
    assert info.devices == (Device("cuda:0", "Test GPU 0"), Device("cuda:1", "Test GPU 1", fault))
    assert [device.id for device in info.usable_devices] == ["cuda:0"]
    assert PythonInfo.from_json(info.to_json()) == info


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"devices": [{}]}', "null", '{"devices": [], "other": 1}'])
def test_what_was_not_remembered_is_none(text):
    assert PythonInfo.from_json(text) is None


def test_without_numpy_or_torch_it_says_which_and_how_to_install_it(bare_python, numpy_python):
    with pytest.raises(ProbeError, match=r"cannot import NumPy.*No module named 'numpy'.*-m pip install numpy"):
        probe(bare_python)
    with pytest.raises(ProbeError, match=r"cannot import PyTorch.*No module named 'torch'.*-m pip install torch"):
        probe(numpy_python)


def test_a_broken_torch_is_reported(numpy_python):
    module = with_module(numpy_python, "torch", "raise OSError('libcudart.so.13: cannot open shared object file')")
    try:
        with pytest.raises(ProbeError, match="cannot import PyTorch.*OSError: libcudart.so.13"):
            probe(numpy_python)
    finally:
        module.unlink()


def test_a_missing_file_or_a_folder_is_reported(tmp_path):
    with pytest.raises(ProbeError, match="found no file at .*nowhere"):
        probe(tmp_path / "nowhere")
    with pytest.raises(ProbeError, match="found a folder without one"):
        probe(tmp_path)


def test_the_folder_of_an_environment_stands_for_its_python(bare_python):
    assert python_in(bare_python.parent.parent) == bare_python
    assert python_in(bare_python) == bare_python


@posix
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("echo hello", r"did not answer as one \(exit code 0\)"),
        ("echo no licence >&2; exit 3", r"did not answer as one \(exit code 3: no licence\)"),
        ("echo '@smplify {'", "did not answer as one"),
        ("echo '@smplify []'", "did not answer as one"),
        ("""echo '@smplify {"version": "x", "numpy": "", "torch": "", "fault": "", "devices": []}'""", "as one"),
        ("""echo '@smplify {"version": "3.11", "numpy": "", "torch": "", "fault": "", "devices": [[1]]}'""", "as one"),
        (
            """echo '@smplify {"version": "3.8.10", "numpy": "1.20", "torch": "1.9", "fault": "", "devices": []}'""",
            r"expected Python 3\.11 or newer, .* is 3\.8\.10",
        ),
        (
            """echo '@smplify {"version": "3.12.1", "numpy": "2.0", "torch": "2.9", "fault": "RuntimeError: bad driver",
             "devices": []}' | tr -d '\\n'; echo""",
            "PyTorch 2.9 in .* does not work: RuntimeError: bad driver",
        ),
    ],
)
def test_an_unusable_python_is_reported(program, text, fault):
    with pytest.raises(ProbeError, match=fault):
        probe(program(text))


@posix
def test_a_file_that_cannot_be_run_is_reported(program):
    path = program("echo", mode=stat.S_IRUSR)
    with pytest.raises(ProbeError, match="cannot be started: Permission denied|did not answer"):
        probe(path)


@posix
def test_one_that_never_answers_is_ended_with_all_it_started(program, tmp_path):
    path = program(f"(sleep 600; echo awake > {tmp_path}/waited) & echo $! > {tmp_path}/child; wait")
    with pytest.raises(ProbeError, match="did not answer within 1 s"):
        probe(path, timeout_s=1.0)
    assert not (tmp_path / "waited").exists()
    child = int((tmp_path / "child").read_text())
    poll(lambda: not is_running(child), PATIENCE_S, "it to end")


@posix
def test_nobody_has_to_wait_for_it(program):
    calls = []
    with pytest.raises(TaskCancelled):
        probe(program("exec sleep 600"), lambda share, what: calls.append(what) or len(calls) < 3)
    assert calls == ["Checking that Python"] * 3


def test_what_lies_in_the_working_directory_is_not_imported(torch_python, tmp_path, monkeypatch):
    for name in ("json", "numpy"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name}.py was run')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert probe(torch_python).numpy == np.__version__


@posix
def test_one_that_says_too_much_is_ended(program):
    """It once was waited for until the time was up, as nobody read what it said."""
    path = program(f"yes 'no Python' | head -c 1000000; exec {sys.executable} \"$@\"")
    assert probe(path).numpy == np.__version__
    with pytest.raises(ProbeError, match="did not answer within 1 s"):
        probe(program("exec yes"), timeout_s=1.0)
